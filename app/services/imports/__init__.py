"""Lists of pupils and volunteers from spreadsheets: read, compared with what is known, stored.

Bytes become rows of text (workbook, delimited), cells get their meaning (columns, cells, rows),
rows are compared with the database (known, pupils, volunteers, seats), which gives a report, and
are stored in one transaction (apply).
"""

from app.services.imports.apply import BadRows, PlanChanged, apply_import, plan_import
from app.services.imports.columns import COLUMNS
from app.services.imports.models import ModelFormat, model_file
from app.services.imports.pending import (
    delete_stale_imports,
    give_up_import,
    keep_import,
    open_import,
    store_import,
)
from app.services.imports.problems import Code, Problem
from app.services.imports.report import Change, Effects, ImportReport, RowReport, Status

__all__ = [
    "COLUMNS",
    "BadRows",
    "Change",
    "Code",
    "Effects",
    "ImportReport",
    "ModelFormat",
    "PlanChanged",
    "Problem",
    "RowReport",
    "Status",
    "apply_import",
    "delete_stale_imports",
    "give_up_import",
    "keep_import",
    "model_file",
    "open_import",
    "plan_import",
    "store_import",
]
