"""One row of a list to the values of its cells, with everything that is wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from app.models import ListKind
from app.services.imports import cells
from app.services.imports.columns import Layout
from app.services.imports.problems import BadCell, Code, Problem
from app.services.imports.table import Line, Table

_PARSERS: Final[dict[ListKind, dict[str, Callable[[str], Any]]]] = {
    ListKind.PUPILS: {
        "pupil": cells.parse_ref,
        "prenom": cells.parse_name,
        "nom": cells.parse_name,
        "zone": cells.parse_zone,
        "niveau": cells.parse_level,
        "matieres": cells.parse_subjects,
        "tuteur_legal": cells.parse_guardian,
        "telephone": cells.parse_phone,
        "langues": cells.parse_languages,
        "canaux": cells.parse_channels,
        "joignable": cells.parse_windows,
        "consentement": cells.parse_answer,
        "consentement_groupe": cells.parse_answer,
    },
    ListKind.VOLUNTEERS: {
        "benevole": cells.parse_ref,
        "prenom": cells.parse_name,
        "nom": cells.parse_name,
        "email": cells.parse_email,
        "telephone": cells.parse_optional_phone,
        "enseigne": cells.parse_teaching,
        "langues": cells.parse_languages,
        "canaux": cells.parse_channels,
        "disponible": cells.parse_windows,
        "seances_par_semaine": cells.parse_lessons_a_week,
    },
}


@dataclass(slots=True)
class Row:
    """A row as it was read: a value for each cell that could be, a problem for each that not."""

    number: int
    name: str
    """The person's name as far as it could be read."""
    ref: str
    """The person's number in the list, as written; empty where there is none."""
    texts: dict[str, str]
    """Our heading to the cell's text."""
    values: dict[str, Any] = field(default_factory=dict)
    """Our heading to the cell's meaning; only cells that are all right."""
    problems: list[Problem] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    """Our heading to the file's way of writing it."""

    def refuse(self, code: Code, heading: str | None = None, **values: Any) -> None:
        """Add a problem, of one column where `heading` is given."""
        column = None if heading is None else self.written.get(heading, heading)
        read = None if heading is None else self.texts.get(heading, "")
        filling = tuple(sorted(values.items()))
        self.problems.append(Problem(code, self.number, column, read, filling))


def read_rows(table: Table, layout: Layout, kind: ListKind) -> list[Row]:
    """Read every row of a table; `layout` says where its columns are."""
    parsers = {heading: _PARSERS[kind][heading] for heading in layout.places}
    read = partial(_read_row, layout=layout, parsers=parsers, columns=len(table.headings))
    return [read(line) for line in table.lines]


def _read_row(
    line: Line, layout: Layout, parsers: dict[str, Callable[[str], Any]], columns: int
) -> Row:
    # Spreadsheets leave out empty cells at the end of a row.
    padded = line.cells + ("",) * (columns - len(line.cells))
    texts = {heading: padded[place].strip() for heading, place in layout.places.items()}
    name = f"{texts['prenom']} {texts['nom']}".strip()
    ref = texts.get("pupil", texts.get("benevole", ""))
    row = Row(line.number, name, ref, texts, written=layout.written)
    if any(cell.strip() for cell in line.cells[columns:]):
        row.refuse(Code.TOO_MANY_CELLS, columns=columns, cells=len(line.cells))
        return row
    for heading, parse in parsers.items():
        try:
            row.values[heading] = parse(cells.clean(texts[heading]))
        except BadCell as bad:
            row.refuse(bad.code, heading, **dict(bad.values))
    return row
