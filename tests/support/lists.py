"""Lists for tests: CSV files of pupils and volunteers, and what they leave in the database."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, inspect, select

from app.extensions import Base, db
from app.models import ListKind
from app.services.imports import ImportReport
from app.services.imports.problems import UnreadableFile
from app.services.imports.pupils import plan_pupils
from app.services.imports.reading import read_list
from app.services.imports.volunteers import plan_volunteers

PILOT = Path(__file__).parents[2] / "app" / "data" / "pilot"
PILOT_PUPILS = (PILOT / "pupils.csv").read_bytes()
PILOT_VOLUNTEERS = (PILOT / "volunteers.csv").read_bytes()

HIBA = {
    "pupil": "P1",
    "prenom": "Hiba",
    "nom": "Touil",
    "zone": "Aïn Kaïcher",
    "niveau": "3AC",
    "matieres": "Mathématiques; Français",
    "tuteur_legal": "Salma Touil",
    "telephone": "0600000102",
    "langues": "darija; arabe",
    "canaux": "appel; whatsapp",
    "joignable": "mar 17:30-19:30; dim 10:00-14:00",
    "consentement": "oui",
    "consentement_groupe": "oui",
}
WALID = {**HIBA, "pupil": "P2", "prenom": "Walid", "niveau": "5AEP", "matieres": "Arabe"}
SARA = {
    **HIBA,
    "pupil": "P3",
    "prenom": "Sara",
    "nom": "Rami",
    "tuteur_legal": "Anas Rami",
    "telephone": "0600000103",
}
RANIA = {
    "benevole": "V1",
    "prenom": "Rania",
    "nom": "Mounir",
    "email": "rania@example.org",
    "telephone": "0600000201",
    "enseigne": "Mathématiques: 4AEP-6AEP; SVT: TC",
    "langues": "darija; français",
    "canaux": "appel; visio",
    "disponible": "mer 17:30-20:00; sam 15:00-17:00",
    "seances_par_semaine": "4",
}
ILYAS = {
    **RANIA,
    "benevole": "V2",
    "prenom": "Ilyas",
    "email": "ilyas@example.org",
    "telephone": "0600000202",
}


def make_list(*rows: dict[str, str], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """A CSV file with the columns of its first row."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def plan_on_nothing(kind: ListKind, content: bytes) -> ImportReport:
    """What an import would do where nobody is known yet, but for the programme."""
    try:
        read = read_list(kind, content)
    except UnreadableFile as unreadable:
        return ImportReport(kind, problems=unreadable.problems)
    if kind is ListKind.PUPILS:
        return plan_pupils(read, [], {}, []).report
    return plan_volunteers(read, [], "Africa/Casablanca").report


def without(row: dict[str, str], *columns: str) -> dict[str, str]:
    """The row without these columns."""
    return {heading: cell for heading, cell in row.items() if heading not in columns}


def statuses(report: ImportReport) -> list[str]:
    """The status of each row, in order."""
    return [row.status.value for row in report.rows]


def problems(report: ImportReport) -> list[tuple[Any, ...]]:
    """(row, column, what was read, code) of every problem, in order."""
    found = [*report.problems, *(problem for row in report.rows for problem in row.problems)]
    return [(p.row, p.column, p.read, p.code.value) for p in found]


def changes(report: ImportReport, row: int) -> dict[str, tuple[Any, Any]]:
    """Column to (before, after) in the row with this number."""
    found = next(one for one in report.rows if one.number == row)
    return {change.column: (change.before, change.after) for change in found.changes}


def count(table: type[Base]) -> int:
    """How many rows a table has."""
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def contents(*, without_tables: Sequence[str] = ("audit_entry",)) -> dict[str, list[Any]]:
    """Every row of every table but these."""
    db.session.rollback()
    names = inspect(db.engine).get_table_names()
    return {
        name: sorted(tuple(row) for row in db.session.execute(select(Base.metadata.tables[name])))
        for name in sorted(names)
        if name in Base.metadata.tables and name not in without_tables
    }
