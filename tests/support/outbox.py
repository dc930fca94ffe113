"""Lessons with reminders in the outbox, for tests: made by the shortest way, straight into rows.

Each function works inside an app context and commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import DeliveryReceipt, Gateway, Permanent, ReceiptState, Retryable
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
    MessageState,
    Pupil,
    Reminder,
    RunState,
    Tutor,
    TutoringRequest,
)
from app.services import outbox
from app.services.handing import Handing, begin_handings
from app.services.outbox import Answer, Claimed, Said
from app.services.runs import pack
from scheduler import clock
from tests.support import people

ZONE = "Africa/Casablanca"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""A Tuesday, by day; Casablanca is at UTC+0."""
_GROUPS_OF_A_TUTOR = 10
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
        lesson = _lesson(tutor_id, household, clock.now() + starts_in)
        message = _message(household, lesson, kind)
        db.session.add(message)
    return message


def make_many_due_reminders(number: int, *, share_a_group: int = 20) -> None:
    """So many messages that are due now, each to a household of its own, for lessons in a day.

    So many households share a group, and ten groups a tutor. Nothing else is due, and no further
    lessons come of it.
    """
    groups = range(0, number, share_a_group)
    tutor_ids = [people.make_tutor() for _ in groups[::_GROUPS_OF_A_TUTOR]]
    starts = clock.now() + timedelta(hours=24)
    model = people.make_household()
    with transaction():
        request = model.pupils[0].requests[0]
        level_id, subject_id, zone_id = request.level_id, request.subject_id, model.zone_id
        for place, begin in enumerate(groups):
            households = [
                _copy_of(each, level_id, subject_id, zone_id)
                for each in range(begin, min(begin + share_a_group, number))
            ]
            for each, household in enumerate(households, begin):
                _give_address(household, f"family{each}@example.org", "fr")
            db.session.add_all(households)
            db.session.flush()
            tutor_id = tutor_ids[place // _GROUPS_OF_A_TUTOR]
            lesson = _lesson(tutor_id, households[0], starts)
            lesson.group.memberships += [_member(household) for household in households[1:]]
            db.session.add_all(
                _message(household, lesson, MessageKind.LESSON_24H) for household in households
            )
            db.session.flush()
            # What is in the database already need not be looked through at each flush.
            db.session.expunge_all()


def make_weekly_group(day: str, time: str) -> tuple[int, str]:
    """An active group with a weekly time and no lesson yet; its id, and its family's address."""
    household = people.make_household()
    tutor_id = people.make_tutor()
    with transaction():
        _give_address(household, f"weekly{next(_numbers)}@example.org", "fr")
        group = _lesson(tutor_id, household, clock.now()).group
        group.starts = [[day, time]]
        db.session.add(group)
        db.session.flush()
        assert household.email
        return group.id, household.email


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


def _lesson(tutor_id: int, household: Household, starts_at: datetime) -> Lesson:
    """A lesson of a new active group, whose further times are not agreed."""
    now = clock.now()
    request = household.pupils[0].requests[0]
    return Lesson(
        group=Group(
            run_id=_run().id,
            tutor_id=tutor_id,
            subject_id=request.subject_id,
            level_id=request.level_id,
            channel="call",
            language="darija",
            starts=[None],
            state=GroupState.ACTIVE,
            offered_at=now,
            decided_at=now,
            memberships=[_member(household)],
        ),
        wall_start=clock.to_wall(starts_at, ZONE),
        zone=ZONE,
        tz_version=clock.tz_version(),
        starts_at=starts_at,
        minutes=60,
    )


def _member(household: Household) -> Membership:
    request_id = household.pupils[0].requests[0].id
    return Membership(run_id=_run().id, request_id=request_id, active_since=clock.now())


def _message(household: Household, lesson: Lesson, kind: MessageKind) -> Message:
    now = clock.now()
    expires = lesson.starts_at - timedelta(minutes=15)
    reminder = Reminder(
        lesson=lesson,
        lesson_version=1,
        recipient=f"household:{household.id}",
        household_id=household.id,
        kind=kind,
        due_at=now,
        expires_at=expires,
    )
    return Message(
        household_id=household.id,
        kind=kind,
        due_at=now,
        next_try_at=now,
        expires_at=expires,
        created_at=now,
        reminders=[reminder],
    )


def begin_handing(claimed: Claimed, gateways: Sequence[Gateway]) -> Handing | None:
    """Hand over one message alone; None where it may not leave now."""
    return next(iter(begin_handings([claimed], gateways)), None)


def answer(claimed: Claimed, said: Said) -> MessageState | None:
    """Write what came of one message; its state, None where the claim was lost."""
    return outbox.record_answers([Answer(claimed, said)]).get(claimed.id)


def refuse(claimed: Claimed, reason: str = "busy") -> MessageState | None:
    """As `answer`, where it may be tried again."""
    return answer(claimed, Retryable(reason))


def refuse_for_good(claimed: Claimed, reason: str) -> MessageState | None:
    """As `answer`, where it may not."""
    return answer(claimed, Permanent(reason))


def receive_receipt(message: Message, state: ReceiptState, gateway: str = "email") -> bool:
    """That a gateway says by itself how far a message got."""
    receipt = DeliveryReceipt(f"n9raw-{message.id}", "q1", state)
    return outbox.take_receipt(gateway, receipt)


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
