"""A thousand of everything, written straight into the tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Consent,
    Group,
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Lesson,
    Membership,
    Message,
    Note,
    Pupil,
    Tutor,
    TutorChannel,
    TutoringRequest,
    TutorLanguage,
    TutorSubject,
    TutorWindow,
    Worry,
)
from scheduler import clock


def add_crowd(number: int, *, start: int = 0) -> None:
    """Add `number` families with a child each in a group of one, with lessons, messages, notes.

    Each is a copy of the first of its kind, but for what has to be its own; `start` is higher than
    how many were added before.
    """
    with transaction():
        crowd = _Crowd()
        for copy in range(start, start + number):
            crowd.add(copy)


class _Crowd:
    """Makes copies of the first row of each table."""

    def __init__(self) -> None:
        self._first: dict[Any, dict[str, Any] | None] = {}

    def add(self, copy: int) -> None:
        household = self._copied(Household, phone=f"+2127{copy:08d}")
        tutor = self._copied(
            Tutor, email=f"crowd{copy}@example.org", phone=None, ref=None, calendar_token_hash=None
        )
        for table in (Guardian, HouseholdChannel, HouseholdLanguage, HouseholdWindow):
            self._copied(table, household_id=household)
        for table in (TutorChannel, TutorLanguage, TutorSubject, TutorWindow):
            self._copied(table, tutor_id=tutor)
        pupil = self._copied(Pupil, household_id=household, ref=None)
        self._copied(Consent, pupil_id=pupil)
        request = self._copied(TutoringRequest, pupil_id=pupil)
        group = self._copied(Group, tutor_id=tutor)
        self._copied(Membership, group_id=group, request_id=request)
        soon = clock.now() + timedelta(minutes=60 + copy)
        self._copied(Lesson, group_id=group, starts_at=soon)
        self._copied(Message, household_id=household, tutor_id=None, due_at=clock.now())
        self._copied(Worry, household_id=household)
        self._copied(Note, household_id=household, tutor_id=None)
        self._copied(AuditEntry)

    def _copied(self, table: Any, **own: Any) -> int:
        """The id of a copy of the first row with other values; 0 where there is no row or id."""
        if table not in self._first:
            row = db.session.execute(select(table.__table__).limit(1)).mappings().first()
            self._first[table] = None if row is None else {k: row[k] for k in row if k != "id"}
        first = self._first[table]
        if first is None:
            return 0
        made = db.session.execute(insert(table.__table__).values(first | own))
        return int(made.inserted_primary_key[0]) if "id" in table.__table__.c else 0
