"""Writing an export: CSV or a workbook, a part at a time, with a row in the trace."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from app.database import transaction
from app.i18n import _l, page_locale
from app.models import Coordinator
from app.services import audit
from app.services.errors import NotFound
from app.services.exports.answers import ANSWER_EXPORTS
from app.services.exports.contact import CONTACT_EXPORTS
from app.services.exports.counted import COUNTED_EXPORTS
from app.services.exports.days import DAY_EXPORTS
from app.services.exports.matching import MATCHING_EXPORTS
from app.services.exports.missed import MISSED_EXPORTS
from app.services.exports.people import PEOPLE_EXPORTS
from app.services.exports.programme import PROGRAMME_EXPORTS
from app.services.exports.safe_text import safe_in_csv, safe_in_workbook
from app.services.exports.table import Export, Row, Value, yes_or_no
from app.services.scope import Scope, scope_of

EXPORTS: Final = (
    *PEOPLE_EXPORTS,
    *MATCHING_EXPORTS,
    *MISSED_EXPORTS,
    *CONTACT_EXPORTS,
    *ANSWER_EXPORTS,
    *DAY_EXPORTS,
    *COUNTED_EXPORTS,
    *PROGRAMME_EXPORTS,
)
NOT_EXPORTED: Final = {
    "sign_in_code": "secrets of an hour, hashed",
    "contact_code": "secrets of an hour, hashed",
    "family_link": "secrets, hashed: a family gets a new link instead",
    "recovery_code": "secrets, hashed: a coordinator makes new ones instead",
    "invitation": "secrets, hashed: who is invited stands in the trace",
    "draft": "what people without an account have not sent yet",
    "gateway_pace": "how long a gateway still rests, a matter of seconds",
    "pending_import": "files that wait a day to be stored; what they hold is exported then",
}
"""The tables that no export shows, and why."""
_IN_MEMORY: Final = 4 * 1024 * 1024
"""A file larger than this is kept on disk while it is written."""


class FileFormat(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"


CONTENT_TYPES: Final = {
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.CSV: "text/csv; charset=utf-8",
}


def offered(scope: Scope) -> list[Export]:
    """The exports that somebody with these zones may have."""
    return [export for export in EXPORTS if export.for_zones or scope.is_everywhere]


def find_export(key: str, scope: Scope) -> Export:
    """The export of that key; NotFound where there is none for somebody with these zones."""
    for export in offered(scope):
        if export.key == key:
            return export
    raise NotFound(_l("There is no such export."))


def export_file(key: str, format_: FileFormat, by: Coordinator) -> IO[bytes]:
    """An export as a file, for the caller to read and close. Who took it is kept."""
    scope = scope_of(by)
    export = find_export(key, scope)
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller closes it
    shown: set[int] = set()
    written = 0

    def cells() -> Iterator[Row]:
        nonlocal written
        for row in export.rows(scope):
            shown.update(row.pupil_ids)
            written += 1
            yield row

    headings = [str(heading) for heading in export.headings]
    if format_ is FileFormat.CSV:
        _write_csv(file, headings, cells())
    else:
        _write_workbook(file, str(export.title), headings, cells())
    with transaction():
        audit.note(
            "export",
            f"export:{export.key}",
            by,
            pupil_ids=shown,
            detail={"format": format_.value, "rows": written},
        )
    file.seek(0)
    return file


def _write_csv(file: IO[bytes], headings: Sequence[str], rows: Iterator[Row]) -> None:
    """As the reader's spreadsheet program opens it with a double click."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    writer = csv.writer(text, delimiter="," if page_locale() == "en" else ";")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row.cells])
    text.detach()


def _csv_cell(value: Value) -> str | int | float:
    if isinstance(value, str):
        return safe_in_csv(value)
    if isinstance(value, bool):
        return yes_or_no(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value


def _write_workbook(
    file: IO[bytes], title: str, headings: Sequence[str], rows: Iterator[Row]
) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_name(title))
    sheet.sheet_view.rightToLeft = page_locale() == "ar"
    sheet.freeze_panes = "A2"
    for place, heading in enumerate(headings, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = max(12, len(heading) + 3)
    bold = Font(bold=True)
    sheet.append([_text_cell(sheet, heading, bold) for heading in headings])
    for row in rows:
        sheet.append([_workbook_cell(sheet, value) for value in row.cells])
    book.save(file)


def _sheet_name(title: str) -> str:
    return "".join(sign for sign in title if sign not in "\\/*?:[]'")[:31]


def _workbook_cell(sheet: Any, value: Value) -> Any:
    if isinstance(value, bool):
        return _text_cell(sheet, yes_or_no(value))
    if isinstance(value, str):
        return _text_cell(sheet, value) if value else None
    return value


def _text_cell(sheet: Any, text: str, font: Font | None = None) -> Any:
    """A cell of text, whatever the text begins with: never a formula, a number or an error."""
    cell = WriteOnlyCell(sheet, safe_in_workbook(text))
    cell.data_type = "s"
    cell.quotePrefix = True
    cell.number_format = "@"
    if font is not None:
        cell.font = font
    return cell
