"""Bytes of a file to rows of text. What the cells mean is not known here."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from app.services.imports.problems import Code, Problem, UnreadableFile

MOST_ROWS = 20_000
_DELIMITERS = (",", ";")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table."""

    number: int
    """As a spreadsheet shows it: the first row of the file is 1, empty rows count."""
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and the rows below them; empty rows are left out."""

    headings: tuple[str, ...]
    lines: tuple[Line, ...]


def read_table(content: bytes) -> Table:
    """Read CSV in UTF-8, with or without a byte order mark, separated by comma or semicolon.

    Raises UnreadableFile on anything else, on a file without rows and on one of too many rows.
    """
    text = _decode(content)
    lines = _filled_lines(text, _delimiter(text))
    if not lines:
        raise UnreadableFile(Problem(Code.EMPTY_FILE))
    headings, *rows = lines
    if not rows:
        raise UnreadableFile(Problem(Code.NO_ROWS))
    return Table(headings.cells, tuple(rows))


def _decode(content: bytes) -> str:
    if content.startswith(_WORKBOOKS):
        raise UnreadableFile(Problem(Code.NOT_CSV))
    if content.startswith(_UTF16_MARKS):
        raise UnreadableFile(Problem(Code.NOT_UTF8))
    if b"\0" in content:
        raise UnreadableFile(Problem(Code.NOT_CSV))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile(Problem(Code.NOT_UTF8)) from None


def _delimiter(text: str) -> str:
    """The separator that cuts the first filled row into more cells."""
    first = next(filter(str.strip, io.StringIO(text, newline="")), "")

    def cells(delimiter: str) -> int:
        return len(next(csv.reader([first], delimiter=delimiter), []))

    return max(_DELIMITERS, key=cells)


def _filled_lines(text: str, delimiter: str) -> list[Line]:
    lines: list[Line] = []
    number = 0
    # strict: a stray quotation mark would otherwise swallow the rows up to the next one.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                lines.append(Line(number, tuple(cells)))
            if len(lines) > MOST_ROWS + 1:
                raise UnreadableFile(Problem(Code.TOO_MANY_ROWS, values=(("most", MOST_ROWS),)))
    except csv.Error:
        raise UnreadableFile(Problem(Code.BROKEN_QUOTES, row=number + 1)) from None
    return lines
