"""Workbooks (.xlsx) to rows of text, each sheet for itself, with bounds on what is unpacked."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import openpyxl
from openpyxl.cell.read_only import EMPTY_CELL

from app.services.imports.problems import Code, Problem, UnreadableFile
from app.services.imports.table import (
    MOST_COLUMNS,
    Line,
    Sheet,
    Source,
    check_size,
)

MOST_UNPACKED: Final = 64 * 1024 * 1024
"""Bytes that a workbook may take once unpacked."""
_MOST_PARTS: Final = 1_000
_LAST_ROW: Final = 1_048_576
_MOST_SCANNED: Final = 100_000
"""Rows that a sheet may hold with the empty ones, which some programs write for their format."""
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s/>]")
# "000" shows 7 as 007, and "+212"000000000 shows a telephone: what people see is what is meant.
_ZEROS: Final = re.compile(r'(?:"([^"]*)"|((?:\\.|\+)*))(0[0\\ .-]*)')
_DAY_ZERO: Final = datetime(1899, 12, 31)  # noqa: DTZ001 - a spreadsheet's day 0, in no zone


def read_workbook(content: bytes) -> list[Sheet]:
    """Every visible sheet that holds something, in the workbook's order.

    Raises UnreadableFile where it is no workbook, too large, or has too many rows or columns.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        _check_parts(archive)
        with warnings.catch_warnings():
            # About parts that no list needs, such as data validation and default styles.
            warnings.simplefilter("ignore")
            return _sheets(content, archive)
    except UnreadableFile:
        raise
    except Exception:
        # Broken parts make openpyxl fail in many ways, and each means the same to the reader.
        raise UnreadableFile(Problem(Code.NOT_A_WORKBOOK)) from None


def _check_parts(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    # zipfile reads no more of a part than is declared here.
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        values = (("megabytes", MOST_UNPACKED // 1024**2),)
        raise UnreadableFile(Problem(Code.WORKBOOK_TOO_LARGE, values=values))


def _sheets(content: bytes, archive: zipfile.ZipFile) -> list[Sheet]:
    formulas = any(
        _FORMULA.search(archive.read(part))
        for part in archive.namelist()
        if part.startswith("xl/worksheets/") and part.endswith(".xml")
    )
    values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    written = openpyxl.load_workbook(io.BytesIO(content), read_only=True) if formulas else None
    found = {}
    for place, sheet in enumerate(values.worksheets):
        if sheet.sheet_state == "visible":
            as_written = None if written is None else written.worksheets[place]
            lines = tuple(_lines(sheet, as_written))
            if lines:
                found[sheet.title] = lines
    return [
        Sheet(
            lines,
            Source(sheet=title, sheets_left_out=tuple(other for other in found if other != title)),
        )
        for title, lines in found.items()
    ]


def _lines(sheet: Any, as_written: Any | None) -> list[Line]:
    lines: list[Line] = []
    formulas = _rows(as_written) if as_written is not None else None
    row: tuple[Any, ...] = ()
    scanned = 0
    for number, following in enumerate(_rows(sheet), start=1):
        formula_row = next(formulas) if formulas is not None else following
        if number > _LAST_ROW or scanned > _MOST_SCANNED:
            raise UnreadableFile(Problem(Code.NOT_A_WORKBOOK))
        # Rows that the file leaves out come as one and the same tuple.
        if following is row:
            continue
        row = following
        scanned += 1
        line = _line(number, row, formula_row)
        if line.filled:
            if len(line.cells) > MOST_COLUMNS:
                values = (("most", MOST_COLUMNS),)
                raise UnreadableFile(Problem(Code.TOO_MANY_COLUMNS, values=values))
            lines.append(line)
            check_size(lines)
    return lines


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    # What a file says of its own size is often wrong.
    sheet.reset_dimensions()
    return iter(sheet.iter_rows(max_col=MOST_COLUMNS + 1))


def _line(number: int, row: tuple[Any, ...], formula_row: tuple[Any, ...]) -> Line:
    texts: list[str] = []
    refused: dict[int, Code] = {}
    end = len(row)
    while end and row[end - 1] is EMPTY_CELL and formula_row[end - 1] is EMPTY_CELL:
        end -= 1
    for place, (cell, formula) in enumerate(zip(row[:end], formula_row[:end], strict=True)):
        if cell.value is None and cell.data_type != "str" and formula.data_type == "f":
            texts.append(str(getattr(formula.value, "text", formula.value)))
            refused[place] = Code.FORMULA_WITHOUT_VALUE
        elif cell.value is None:
            texts.append("")
        else:
            text, code = _text(cell)
            texts.append(text)
            if code is not None:
                refused[place] = code
    while texts and not texts[-1].strip():
        texts.pop()
    return Line(number, tuple(texts), refused)


def _text(cell: Any) -> tuple[str, Code | None]:
    """A cell as text, and why a list can't take it where that is so."""
    value = cell.value
    if cell.data_type == "e":
        return str(value), Code.ERROR_CELL
    if isinstance(value, bool):
        return str(value).upper(), Code.BOOLEAN_CELL
    if isinstance(value, time | timedelta | date):
        return _moment(value)
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format)), None
    # Line ends that Excel wrote as it writes signs that XML forbids.
    return str(value).replace("_x000D_", "\n").replace("\r\n", "\n"), None


def _moment(value: time | timedelta | date) -> tuple[str, Code | None]:
    """A time as "18:00", 24 hours and more as "24:00"; any other date is refused."""
    if isinstance(value, time):
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    elif isinstance(value, datetime) and value < _DAY_ZERO + timedelta(days=2):
        value -= _DAY_ZERO
    if isinstance(value, timedelta):
        # A third of an hour is no round fraction of a day: 17:59:59.99 means 18:00.
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}", None
    return f"{value:%Y-%m-%d}", Code.DATE_CELL


def _number(value: float, shown_as: str) -> str:
    if value != int(value):
        return repr(float(value))
    digits = str(int(value))
    zeros = _ZEROS.fullmatch(shown_as)
    if zeros is None or value < 0:
        return digits
    before = zeros[1] or (zeros[2] or "").replace("\\", "")
    return before + digits.zfill(zeros[3].count("0"))
