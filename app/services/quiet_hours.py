"""When a message may leave: not in the nights of its recipient, nor when its gateway rests."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import current_app

from app.gateways import Gateway
from app.models import CODE_KINDS, NOTICE_KINDS, Message, MessageKind, Question, QuestionKind
from app.services.addressees import Addressee, zone_of
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
    now, zone = clock.now(), zone_of(addressee)
    return any(reminders.is_before_morning(start, now, zone) for start in concerned)


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
