"""Bytes of a file to rows of text. What the cells mean is not known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.services.imports.problems import Code, Problem, UnreadableFile

MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 200

Recognise = Callable[[Sequence[str]], int]
"""How many of a row's cells are headings of the list that is looked for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table."""

    number: int
    """As a spreadsheet shows it: the first row of the file is 1, empty rows count."""
    cells: tuple[str, ...]
    refused: Mapping[int, Code] = field(default_factory=dict)
    """Cells, by place from 0, that hold what a list can't take, such as a date."""

    @property
    def filled(self) -> bool:
        return bool(self.refused) or any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Source:
    """How a file was understood."""

    encoding: str | None = None
    """The character set of a text file, such as "Windows-1256"; None for a workbook."""
    sheet: str | None = None
    """The sheet that was read; None for a text file."""
    sheets_left_out: tuple[str, ...] = ()
    """Visible sheets with something in them that were not read."""


UNKNOWN_SOURCE: Final = Source()
"""That of a file which could not be read."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file or of one sheet of a workbook; empty rows are left out."""

    lines: tuple[Line, ...]
    source: Source


def check_size(lines: Sequence[Line]) -> None:
    """Raise UnreadableFile where there are more rows than headings and MOST_ROWS below them."""
    if len(lines) > MOST_ROWS + 1:
        raise UnreadableFile(Problem(Code.TOO_MANY_ROWS, values=(("most", MOST_ROWS),)))
