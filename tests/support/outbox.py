"""Lessons with reminders in the outbox, for tests: made by the shortest way, straight into rows.

Each function works inside an app context and commits.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    ConsentKind,
    Group,
    GroupState,
    Guardian,
    Household,
    Lesson,
    MatchRun,
    Membership,
    Message,
    MessageKind,
    Pupil,
    Reminder,
    RunState,
    Tutor,
    TutoringRequest,
)
from app.services.runs import pack
from scheduler import clock
from tests.support import people

ZONE = "Africa/Casablanca"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""A Tuesday, by day; Casablanca is at UTC+0."""
_numbers = count(1)


def make_due_reminder(
    *,
    starts_in: timedelta = timedelta(hours=2),
    kind: MessageKind = MessageKind.LESSON_2H,
    language: str = "fr",
) -> Message:
    """A message that is due now, on one reminder of one lesson, to a new household by e-mail."""
    household = people.make_household()
    tutor_id = people.make_tutor()
    with transaction():
        _give_address(household, f"family{next(_numbers)}@example.org", language)
        return _due_message(household, tutor_id, clock.now() + starts_in, kind)


def make_many_due_reminders(number: int) -> None:
    """So many messages that are due now, each to a household of its own, for lessons in a day."""
    tutor_id = people.make_tutor()
    starts = clock.now() + timedelta(hours=24)
    model = people.make_household()
    with transaction():
        request = model.pupils[0].requests[0]
        level_id, subject_id, zone_id = request.level_id, request.subject_id, model.zone_id
        for each in range(number):
            household = _copy_of(each, level_id, subject_id, zone_id)
            db.session.add(household)
            _give_address(household, f"family{each}@example.org", "fr")
            db.session.flush()
            _due_message(household, tutor_id, starts, MessageKind.LESSON_24H)


def _copy_of(number: int, level_id: int, subject_id: int, zone_id: int) -> Household:
    now = clock.now()
    return Household(
        phone=f"+2126{20_000_000 + number:08d}",
        zone_id=zone_id,
        created_at=now,
        guardian=Guardian(name="Walid Touil"),
        pupils=[
            Pupil(
                first_name="Hiba",
                last_name="Touil",
                level_id=level_id,
                created_at=now,
                requests=[
                    TutoringRequest(subject_id=subject_id, level_id=level_id, created_at=now)
                ],
                consents=[people.say(ConsentKind.LESSONS, True)],
            )
        ],
    )


def _give_address(household: Household, email: str, language: str) -> None:
    household.email = email
    household.message_language = language


def _due_message(
    household: Household, tutor_id: int, starts_at: datetime, kind: MessageKind
) -> Message:
    now = clock.now()
    pupil, run_id = household.pupils[0], _run().id
    lesson = Lesson(
        group=Group(
            run_id=run_id,
            tutor_id=tutor_id,
            subject_id=pupil.requests[0].subject_id,
            level_id=pupil.level_id,
            channel="call",
            language="darija",
            starts=[["tue", "18:00"]],
            state=GroupState.ACTIVE,
            offered_at=now,
            decided_at=now,
            memberships=[
                Membership(run_id=run_id, request_id=pupil.requests[0].id, active_since=now)
            ],
        ),
        wall_start=clock.to_wall(starts_at, ZONE),
        zone=ZONE,
        tz_version=clock.tz_version(),
        starts_at=starts_at,
        minutes=60,
    )
    expires = starts_at - timedelta(minutes=15)
    message = Message(
        household_id=household.id,
        kind=kind,
        due_at=now,
        next_try_at=now,
        expires_at=expires,
        created_at=now,
        reminders=[
            Reminder(
                lesson=lesson,
                lesson_version=1,
                recipient=f"household:{household.id}",
                household_id=household.id,
                kind=kind,
                due_at=now,
                expires_at=expires,
            )
        ],
    )
    db.session.add(message)
    db.session.flush()
    return message


def lesson_of(message: Message) -> Lesson:
    """The lesson of a message's first reminder."""
    return message.reminders[0].lesson


def tutor_of(message: Message) -> Tutor:
    return lesson_of(message).group.tutor


def family_of(message: Message) -> Household:
    assert message.household is not None
    return message.household


def _run() -> MatchRun:
    """The run that all groups of a test come from."""
    found = db.session.scalar(select(MatchRun).limit(1))
    if found is not None:
        return found
    now = clock.now()
    run = MatchRun(requested_at=now, seed=0, seconds=5, problem_gz=pack({}), state=RunState.DONE)
    db.session.add(run)
    db.session.flush()
    return run
