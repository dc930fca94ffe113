"""Workbooks for tests, as Excel, LibreOffice and other programs leave them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet


def make_workbook(
    *rows: Sequence[Any], title: str = "Feuil1", touch: Callable[[Worksheet], None] | None = None
) -> bytes:
    """A workbook of one sheet; `touch` changes it before it is saved."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    if touch is not None:
        touch(sheet)
    return saved(book)


def make_sheets(sheets: dict[str, Iterable[Sequence[Any]]], hidden: Sequence[str] = ()) -> bytes:
    """A workbook of several sheets, by title."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        sheet.sheet_state = "hidden" if title in hidden else "visible"
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def table(*rows: dict[str, Any], headings: dict[str, str] | None = None) -> list[list[Any]]:
    """Rows of a list as a sheet has them, below its headings or others for them."""
    named = headings or {}
    return [[named.get(key, key) for key in rows[0]], *([*row.values()] for row in rows)]


def with_part(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one of its parts changed."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for part in before.namelist():
            data = before.read(part)
            after.writestr(part, change(data) if part == name else data)
    return changed.getvalue()
