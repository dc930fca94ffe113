"""Planning a list without writing, and storing it in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

from flask import current_app
from sqlalchemy.exc import IntegrityError, OperationalError

from app.database import also_one_at_a_time, is_for_trying_again, transaction
from app.i18n import _l
from app.models import Coordinator, ListKind
from app.services import audit
from app.services.errors import Conflict, Invalid
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.imports.known import load_codes, load_families, load_tutors, load_zones
from app.services.imports.problems import UnreadableFile
from app.services.imports.pupils import plan_pupils
from app.services.imports.reading import read_list
from app.services.imports.report import ImportReport, Status
from app.services.imports.seats import load_seats
from app.services.imports.store_pupils import store_pupils
from app.services.imports.store_volunteers import store_volunteers
from app.services.imports.volunteers import plan_volunteers

ONE_IMPORT_AT_A_TIME: Final = 2_001
"""The number under which imports wait for each other on PostgreSQL."""


class BadRows(Invalid):
    """The list has rows that can't be stored; `report` names them. Nothing was stored."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__(
            _l("Some rows can't be stored. Correct them, or choose to leave them out.")
            if report.readable
            else _l("This file can't be read as a list.")
        )
        self.report = report


class PlanChanged(Conflict):
    """The list would now do something else than what was shown; `report` says what."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__(
            _l(
                "What is known changed since this list was checked. Nothing was stored: look at "
                "what it would change now."
            )
        )
        self.report = report


def plan_import(kind: ListKind, content: bytes) -> ImportReport:
    """What storing this file would change; nothing is written."""
    load_codes()
    try:
        read = read_list(kind, content)
    except UnreadableFile as unreadable:
        return ImportReport(kind, problems=unreadable.problems)
    if kind is ListKind.PUPILS:
        return plan_pupils(read, load_families(), load_zones(), load_seats()).report
    return plan_volunteers(read, load_tutors(), _home_zone()).report


@contextmanager
def one_import() -> Iterator[None]:
    """An import's transaction, one at a time; Conflict where others held on to the same rows."""
    try:
        with transaction(one_at_a_time=ONE_IMPORT_AT_A_TIME):
            yield
    except OperationalError as error:
        if not is_for_trying_again(error):
            raise
        raise Conflict(
            _l("Others changed the same things at that moment. Nothing was stored: try again.")
        ) from None


def apply_import(
    kind: ListKind,
    content: bytes,
    by: Coordinator | None,
    *,
    leave_out_bad: bool = False,
    expected: str | None = None,
) -> ImportReport:
    """Store a file, whole or not at all, and return what that changed.

    `by` answers for the consents that the list states; None is the server's owner. `expected` is
    the digest of the report that the person saw. Raises BadRows unless every row is good or the
    bad ones are to be left out, PlanChanged where the file would now do something else, and another
    Conflict where it is enough to try again.
    """
    try:
        with one_import():
            return apply_within(kind, content, by, leave_out_bad=leave_out_bad, expected=expected)
    except IntegrityError:
        # Somebody who is no import wrote the same telephone or address just now.
        raise PlanChanged(plan_import(kind, content)) from None


def apply_within(
    kind: ListKind,
    content: bytes,
    by: Coordinator | None,
    *,
    leave_out_bad: bool,
    expected: str | None,
) -> ImportReport:
    """As `apply_import`, inside `one_import()`."""
    codes = load_codes()
    try:
        read = read_list(kind, content)
    except UnreadableFile as unreadable:
        raise BadRows(ImportReport(kind, problems=unreadable.problems)) from None
    touched: set[int] = set()
    if kind is ListKind.PUPILS:
        # What a list says of consent, level and subjects can take children out of groups.
        also_one_at_a_time(ONE_CHANGE_OF_GROUPS_AT_A_TIME)
        zones = load_zones()
        pupils = plan_pupils(read, load_families(), zones, load_seats())
        _refuse_unless_wanted(pupils.report, leave_out_bad, expected)
        touched = store_pupils(pupils, zones, codes, by)
        report = pupils.report
    else:
        tutors = plan_volunteers(read, load_tutors(), _home_zone())
        _refuse_unless_wanted(tutors.report, leave_out_bad, expected)
        store_volunteers(tutors, codes)
        report = tutors.report
    counts = {status.value: report.count(status) for status in Status}
    effects = {name: count for name, count in asdict(report.effects).items() if count}
    fingerprint = hashlib.sha256(content).hexdigest()
    detail = {"rows": counts, "effects": effects, "sha256": fingerprint}
    audit.note("import", f"list:{kind.value}", by, pupil_ids=touched, detail=detail)
    return report


def _home_zone() -> str:
    return str(current_app.config["N9RAW"].civil_zone)


def _refuse_unless_wanted(report: ImportReport, leave_out_bad: bool, expected: str | None) -> None:
    if expected is not None and report.digest != expected:
        raise PlanChanged(report)
    if report.count(Status.BAD) and not leave_out_bad:
        raise BadRows(report)
