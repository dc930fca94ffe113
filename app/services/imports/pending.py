"""Files that wait between their first pass and the coordinator's yes."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, ListKind, PendingImport
from app.services.errors import NotFound
from app.services.free_text import read_line
from app.services.imports.apply import (
    ONE_IMPORT_AT_A_TIME,
    PlanChanged,
    apply_within,
    one_import,
    plan_import,
)
from app.services.imports.report import ImportReport
from scheduler import clock

KEPT_FOR: Final = timedelta(days=1)


def keep_import(kind: ListKind, filename: str, content: bytes, by: Coordinator) -> int:
    """Keep a file for its uploader; return the number under which it waits."""
    with transaction():
        _delete_stale()
        pending = PendingImport(
            kind=kind,
            filename=read_line(filename)[-255:],
            content=content,
            uploaded_by_id=by.id,
            uploaded_at=clock.now(),
        )
        db.session.add(pending)
        db.session.flush()
        return pending.id


def open_import(pending_id: int, by: Coordinator) -> PendingImport:
    """A waiting file of this coordinator's; NotFound for any other."""
    delete_stale_imports()
    return _own(pending_id, by)


def store_import(
    pending_id: int, by: Coordinator, *, leave_out_bad: bool, expected: str
) -> ImportReport:
    """Store a waiting file as `apply_import` does, and forget the file. A refusal keeps it."""
    kind, content = None, b""
    try:
        with one_import():
            pending = _own(pending_id, by)
            kind, content = pending.kind, pending.content
            report = apply_within(kind, content, by, leave_out_bad=leave_out_bad, expected=expected)
            db.session.delete(pending)
    except IntegrityError:
        if kind is None:
            raise
        raise PlanChanged(plan_import(kind, content)) from None
    return report


def give_up_import(pending_id: int, by: Coordinator) -> None:
    """Forget a waiting file."""
    with transaction(one_at_a_time=ONE_IMPORT_AT_A_TIME):
        db.session.delete(_own(pending_id, by))


def delete_stale_imports() -> None:
    """Forget files that nobody decided on within a day: they hold children's names."""
    stale = select(PendingImport.id).where(PendingImport.uploaded_at < clock.now() - KEPT_FOR)
    if db.session.scalar(stale.limit(1)) is not None:
        with transaction():
            _delete_stale()


def _delete_stale() -> None:
    db.session.execute(
        delete(PendingImport).where(PendingImport.uploaded_at < clock.now() - KEPT_FOR)
    )


def _own(pending_id: int, by: Coordinator) -> PendingImport:
    pending = db.session.get(PendingImport, pending_id)
    if pending is None or pending.uploaded_by_id != by.id:
        raise NotFound(_l("This list is not here any more. Choose the file again."))
    return pending
