"""A file to the rows of a list: workbook or text, whatever its headings' language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.models import ListKind
from app.services.imports.columns import find_columns, recognise
from app.services.imports.delimited import read_delimited
from app.services.imports.problems import Code, Problem, UnreadableFile
from app.services.imports.rows import Row, read_rows
from app.services.imports.table import Sheet, Source
from app.services.imports.workbook import read_workbook

_ZIP: Final = b"PK\x03\x04"
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class ReadList:
    """What a file says, before it is compared with anything."""

    rows: list[Row]
    ignored_columns: tuple[str, ...]
    source: Source


def read_list(kind: ListKind, content: bytes) -> ReadList:
    """Read a file as a list; UnreadableFile says why it is none."""
    layout = find_columns(_sheets(kind, content), kind)
    return ReadList(read_rows(layout, kind), layout.ignored, layout.source)


def _sheets(kind: ListKind, content: bytes) -> Sequence[Sheet]:
    if content.startswith(_OLD_WORKBOOK):
        raise UnreadableFile(Problem(Code.OLD_WORKBOOK))
    if content.startswith(_ZIP):
        return read_workbook(content)
    return [read_delimited(content, partial(recognise, kind))]
