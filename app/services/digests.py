"""Digests: to coordinators, each morning, how much waits; to tutors, on Sundays, their week ahead.

Any number of workers may plan them: who was sent one is looked up under a lock that they share.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import lazyload

from app.database import transaction
from app.extensions import db
from app.models import (
    Coordinator,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    Tutor,
    TutorState,
)
from app.services.change_texts import waiting_text
from app.services.desk import read_decisions
from app.services.flags import first_flags
from app.services.inbox import first_unread
from app.services.scope import scope_of
from scheduler import clock

MORNING: Final = (time(7, 30), time(8, 30))
"""When coordinators' digests are planned, by the programme's clock."""
EVENING: Final = (time(18), time(20))
"""When tutors' are, on Sundays, by their own clock."""
HOLDS: Final = timedelta(hours=10)
_SUNDAY: Final = 6
_ONE_PLANS_AT_A_TIME: Final = 20_261_122
_SENT_LATELY: Final = timedelta(hours=20)


def plan_digests() -> int:
    """Plan the digests that are due now; how many. Safe to call at any time, by any worker."""
    return _plan_mornings() + _plan_weeks()


def _plan_mornings() -> int:
    now = clock.now()
    wall = clock.to_wall(now, _civil_zone())
    if not MORNING[0] <= wall.time() < MORNING[1]:
        return 0
    texts = {one.id: text for one in _coordinators(now) if (text := _what_waits(one))}
    if not texts:
        return 0
    with transaction(one_at_a_time=_ONE_PLANS_AT_A_TIME):
        told = [one for one in _coordinators(now) if one.id in texts]
        for one in told:
            language, text = one.message_language, texts[one.id]
            db.session.add(_digest(now, coordinator_id=one.id, language=language, text=text))
    return len(told)


def _plan_weeks() -> int:
    now = clock.now()
    if not _who_has_a_week_ahead(now):
        return 0
    with transaction(one_at_a_time=_ONE_PLANS_AT_A_TIME):
        tutors = _who_has_a_week_ahead(now)
        for tutor in tutors:
            db.session.add(_digest(now, tutor_id=tutor.id, language=tutor.message_language))
    return len(tutors)


def _digest(now: datetime, **whom: Any) -> Message:
    return Message(
        kind=MessageKind.DIGEST,
        due_at=now,
        next_try_at=now,
        expires_at=now + HOLDS,
        created_at=now,
        **whom,
    )


def _coordinators(now: datetime) -> list[Coordinator]:
    """The coordinators who want one and were sent none today."""
    sent = _sent_lately(Message.coordinator_id, now)
    rows = db.session.scalars(
        select(Coordinator)
        .where(
            Coordinator.closed_at.is_(None),
            Coordinator.wants_digest,
            Coordinator.id.not_in(sent),
        )
        .order_by(Coordinator.id)
    )
    return list(rows)


def _what_waits(coordinator: Coordinator) -> str:
    """The digest of what waits in their zones, without anybody's name; nothing where all is done.

    What is late anyway, such as volunteers to vet, stands on the desk alone.
    """
    scope = scope_of(coordinator)
    decisions = read_decisions(scope)
    counts = {
        "worries": decisions.worries.total,
        "calls": decisions.calls.total,
        "unreached": decisions.unreached.total,
        "offers": decisions.slow_offers.total,
        "not_held": decisions.not_held.total,
        "texts": first_unread(scope).total,
        "flags": first_flags(scope).total,
    }
    waiting = {name: number for name, number in counts.items() if number}
    site = current_app.config["N9RAW"].public_url
    return waiting_text(coordinator.message_language, waiting, site) if waiting else ""


def _who_has_a_week_ahead(now: datetime) -> list[Tutor]:
    """Vetted tutors whose Sunday evening it is, who give lessons in the week to come, want a digest
    of them, and were sent none yet.
    """
    evening = [
        zone for zone in _zones_of_tutors() if _is_sunday_evening(now, zone or _civil_zone())
    ]
    if not evening:
        return []
    its_zone = Tutor.time_zone.in_([zone for zone in evening if zone is not None])
    rows = db.session.scalars(
        select(Tutor)
        .where(
            Tutor.state == TutorState.VETTED,
            Tutor.messages_stopped_at.is_(None),
            Tutor.wants_digest,
            or_(its_zone, Tutor.time_zone.is_(None)) if None in evening else its_zone,
            Tutor.id.not_in(_sent_lately(Message.tutor_id, now)),
            Tutor.id.in_(_givers(now)),
        )
        .order_by(Tutor.id)
        .options(lazyload("*"))
    )
    return list(rows)


def _zones_of_tutors() -> Iterator[str | None]:
    """Each zone that a tutor lives in; None stands for the programme's own."""
    yield from db.session.scalars(select(Tutor.time_zone).distinct())


def _is_sunday_evening(now: datetime, zone: str) -> bool:
    wall = clock.to_wall(now, zone)
    return wall.weekday() == _SUNDAY and EVENING[0] <= wall.time() < EVENING[1]


def _givers(now: datetime) -> Select[int]:
    """The ids of who gives a lesson within the next days, in their own group or another's."""
    gives = db.func.coalesce(Lesson.substitute_id, Group.tutor_id)
    return (
        select(gives)
        .join(Lesson.group)
        .where(
            Group.state == GroupState.ACTIVE,
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > now,
            Lesson.starts_at < now + timedelta(days=7, hours=6),
        )
    )


def _sent_lately(recipient: Any, now: datetime) -> Select[int]:
    return select(recipient).where(
        Message.kind == MessageKind.DIGEST,
        Message.created_at > now - _SENT_LATELY,
        recipient.is_not(None),
    )


def _civil_zone() -> str:
    return str(current_app.config["N9RAW"].civil_zone)
