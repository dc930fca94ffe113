"""When a message may leave: not in the nights of its recipient, nor when its gateway rests."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import current_app

from app.extensions import db
from app.gateways import Gateway
from app.models import (
    CODE_KINDS,
    NOTICE_KINDS,
    Message,
    MessageKind,
    Notice,
    Question,
    QuestionKind,
)
from app.services.addressees import Addressee, zone_of
from app.services.notices import notices_of
from scheduler import clock, reminders

_LOOKS_AHEAD: Final = timedelta(days=3)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_JUST_ASKED_FOR: Final = (*CODE_KINDS, MessageKind.REPLY, MessageKind.CHECK)


def is_urgent(
    message: Message,
    addressee: Addressee,
    starts: Collection[datetime],
    question: Question | None,
) -> bool:
    """Whether a message leaves at any hour: just asked for, or about a lesson before the morning.

    `starts` are those of the lessons of whose change it tells, the old ones and the new ones.
    """
    if message.kind in _JUST_ASKED_FOR:
        return True
    if message.kind in NOTICE_KINDS:
        concerned = starts
    elif question is not None and question.kind is QuestionKind.SUBSTITUTE and question.lesson:
        concerned = [question.lesson.starts_at]
    else:
        return False
    return _is_any_before_morning(concerned, addressee)


def leave_to_the_morning(message: Message, addressee: Addressee) -> None:
    """At night, put what can wait of a message of changes into one of its own, for the morning.

    Part of a transaction that has locked the addressee. One of which something may have left
    already, or that says again what another said, stays whole.
    """
    waking = reminders.next_waking(clock.now(), zone_of(addressee))
    if message.kind not in NOTICE_KINDS or waking <= clock.now():
        return
    if message.resent or message.fallback_of_id is not None:
        return
    told = notices_of(message)
    can_wait = [row for row in told if not _is_any_before_morning(_starts_of(row), addressee)]
    if not can_wait or len(can_wait) == len(told):
        return
    later = Message(
        household_id=message.household_id,
        tutor_id=message.tutor_id,
        kind=message.kind,
        due_at=message.due_at,
        next_try_at=waking,
        expires_at=message.expires_at,
        created_at=message.created_at,
    )
    db.session.add(later)
    for row in can_wait:
        row.message = later
    db.session.flush()


def _starts_of(notice: Notice) -> Collection[datetime]:
    """When the lesson of a notice was, as far as its reader knew, and when it is."""
    if notice.lesson is None:
        return ()
    return datetime.fromisoformat(notice.was["at"]), notice.lesson.starts_at


def _is_any_before_morning(starts: Collection[datetime], addressee: Addressee) -> bool:
    now, zone = clock.now(), zone_of(addressee)
    return any(reminders.is_before_morning(start, now, zone) for start in starts)


def next_waking(addressee: Addressee, gateway: Gateway, now: datetime) -> datetime:
    """The first instant from `now` on at which neither the recipient nor the gateway rests.

    A gateway that is awake only while somebody abroad sleeps never has one.
    """
    civil_zone = str(current_app.config["N9RAW"].civil_zone)
    at = now
    while at < now + _LOOKS_AHEAD:
        before = at
        at = reminders.next_waking(at, zone_of(addressee))
        if gateway.quiet is not None:
            at = reminders.next_waking(at, civil_zone, gateway.quiet)
        if at == before:
            return at
    return _NEVER
