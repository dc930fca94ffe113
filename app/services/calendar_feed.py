"""A volunteer's lessons as a calendar that phones subscribe to, at a secret address.

It names subjects and first names alone: calendars are copied to wherever phones keep them.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneStandard,
    vDuration,
)
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Channel,
    Group,
    Lesson,
    LessonState,
    Membership,
    Tutor,
    TutoringRequest,
)
from app.services import audit
from app.services.attendance import members_at
from app.services.errors import Conflict, NotFound
from app.services.given import given_by
from scheduler import clock

BACK: Final = timedelta(weeks=4)
AHEAD: Final = timedelta(weeks=8)
REFRESH: Final = timedelta(hours=1)
"""How often a phone is asked to look; few look as often."""
_TOKEN_BYTES: Final = 16
_BREAKS: Final = ("Cc", "Zl", "Zp")


def make_feed(tutor_id: int) -> str:
    """The token of a tutor's new calendar address, which ends the one before; it is not kept."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with transaction():
        tutor = db.session.get_one(Tutor, tutor_id, with_for_update=True)
        if not tutor.may_sign_in:
            raise Conflict(_l("This account is closed."))
        tutor.calendar_token_hash = _hash(token)
        audit.note("make_calendar", f"tutor:{tutor.id}", None, detail={"tutor": tutor.id})
    return token


def end_feed(tutor_id: int) -> None:
    """End a tutor's calendar address."""
    with transaction():
        tutor = db.session.get_one(Tutor, tutor_id, with_for_update=True)
        tutor.calendar_token_hash = None
        audit.note("end_calendar", f"tutor:{tutor.id}", None, detail={"tutor": tutor.id})


def open_feed(token: str) -> Tutor:
    """The tutor of an address that holds; NotFound for any other, and for who may not come in."""
    held = select(Tutor).where(Tutor.calendar_token_hash == _hash(token))
    tutor: Tutor | None = db.session.scalar(held)
    if tutor is None or not tutor.may_sign_in:
        raise NotFound(_l("This calendar does not exist."))
    return tutor


def write_feed(tutor: Tutor) -> bytes:
    """The lessons of the last four weeks and the next eight, in the form of RFC 5545.

    The same lessons give the same bytes.
    """
    lessons = _lessons(tutor)
    calendar = Calendar()
    calendar.add("prodid", "-//N9raw//N9raw//FR")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "N9raw")
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for zone in sorted({lesson.zone for lesson in lessons}):
        calendar.add_component(_time_zone(zone, [row for row in lessons if row.zone == zone]))
    channels = {row.code: row for row in db.session.scalars(select(Channel))}
    for lesson in lessons:
        calendar.add_component(
            _event(lesson, channels[lesson.group.channel], tutor.message_language)
        )
    return bytes(calendar.to_ical())


def _lessons(tutor: Tutor) -> Sequence[Lesson]:
    now = clock.now()
    return db.session.scalars(
        select(Lesson)
        .where(
            given_by(tutor.id),
            Lesson.starts_at > now - BACK,
            Lesson.starts_at < now + AHEAD,
        )
        .order_by(Lesson.starts_at, Lesson.id)
        .options(
            joinedload(Lesson.group).options(
                joinedload(Group.subject),
                joinedload(Group.level),
                selectinload(Group.memberships)
                .joinedload(Membership.request)
                .joinedload(TutoringRequest.pupil),
            )
        )
    ).all()


def _event(lesson: Lesson, channel: Channel, language: str) -> Event:
    group = lesson.group
    subject = group.subject.name_in(language)
    names = "، ".join if language == "ar" else ", ".join
    pupils = names(member.request.pupil.first_name for member in members_at(lesson))
    end = clock.to_wall(lesson.starts_at + timedelta(minutes=lesson.minutes), lesson.zone)
    event = Event()
    event.add("uid", f"lesson-{lesson.id}@n9raw")
    event.add("sequence", lesson.version - 1)
    event.add("dtstamp", _changed_at(lesson))
    event.add("dtstart", lesson.wall_start, parameters={"TZID": lesson.zone})
    event.add("dtend", end.replace(fold=0), parameters={"TZID": lesson.zone})
    event.add("summary", on_one_line(f"{subject} – {pupils}" if pupils else subject))
    event.add("description", names([group.level.name_in(language), channel.name_in(language)]))
    cancelled = lesson.state is LessonState.CANCELLED
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event


def on_one_line(text: str) -> str:
    """A text without the characters that a calendar may not hold, and without its line breaks."""
    return "".join(" " if unicodedata.category(sign) in _BREAKS else sign for sign in text)


def _changed_at(lesson: Lesson) -> datetime:
    """When a lesson came to be as it is, as far as that is known."""
    group = lesson.group
    return lesson.cancelled_at or group.decided_at or group.offered_at


def _time_zone(zone: str, lessons: Sequence[Lesson]) -> Timezone:
    """The zone's clocks from before the first of the lessons to after the last.

    Made of our own tz data: what a phone knows of Morocco can be years old.
    """
    first = lessons[0].starts_at - timedelta(days=1)
    last = lessons[-1].starts_at + timedelta(days=1)
    described = Timezone()
    described.add("tzid", zone)
    before = clock.offset(first, zone)
    described.add_component(_observance(first, before, before))
    for change in clock.offset_changes(zone, first, last):
        described.add_component(_observance(change.at, change.before, change.after))
    return described


def _observance(at: datetime, before: timedelta, after: timedelta) -> TimezoneStandard:
    """From an instant on, clocks are `after` ahead of UTC. It is written as they showed it."""
    observance = TimezoneStandard()
    observance.add("dtstart", (at + before).replace(tzinfo=None))
    observance.add("tzoffsetfrom", before)
    observance.add("tzoffsetto", after)
    return observance


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
