"""Model lists: the headings and two rows to start from, in the reader's language."""

from __future__ import annotations

import csv
import io
from enum import StrEnum

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from app.i18n import page_locale
from app.models import ListKind
from app.services.imports.columns import COLUMNS

_ROWS_AS_TEXT = 500
"""Rows whose cells are kept as text, so that telephones keep their leading zero."""


class ModelFormat(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"


def model_file(kind: ListKind, format_: ModelFormat) -> bytes:
    """A list of two rows to start from, its headings in the reader's language."""
    columns = COLUMNS[kind]
    headings = [column.names[page_locale()] for column in columns]
    rows = list(zip(*(column.examples for column in columns), strict=True))
    return _csv(headings, rows) if format_ is ModelFormat.CSV else _xlsx(headings, rows)


def _csv(headings: list[str], rows: list[tuple[str, ...]]) -> bytes:
    """As a French Excel opens it with a double click."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def _xlsx(headings: list[str], rows: list[tuple[str, ...]]) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.sheet_view.rightToLeft = page_locale() == "ar"
    sheet.freeze_panes = "A2"
    for row in (headings, *rows):
        sheet.append(row)
    for place, heading in enumerate(headings, start=1):
        widest = max(len(heading), *(len(row[place - 1]) for row in rows))
        sheet.column_dimensions[get_column_letter(place)].width = widest + 3
        sheet.cell(1, place).font = Font(bold=True)
        for number in range(2, _ROWS_AS_TEXT + 2):
            sheet.cell(number, place).number_format = "@"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
