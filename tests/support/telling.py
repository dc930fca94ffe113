"""Lessons whose changes are told, for tests, and the texts that leave about them.

Each function works inside an app context and commits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    OPEN_MESSAGES,
    WORDED_LATE,
    Group,
    Household,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Pupil,
    Tutor,
)
from app.services import notices, telling
from app.services.reminders import Recipient
from scheduler import clock
from tests.support import people
from tests.support.groups import active_group


@dataclass(frozen=True)
class Lessons:
    """An active group of one family's children, with four weeks of lessons; all told so far."""

    group_id: int
    tutor_id: int
    household_id: int

    @property
    def group(self) -> Group:
        return db.session.get_one(Group, self.group_id)

    @property
    def family(self) -> Recipient:
        return Recipient("household", self.household_id)

    @property
    def tutor(self) -> Recipient:
        return Recipient("tutor", self.tutor_id)

    @property
    def dated(self) -> list[Lesson]:
        """In the order of their weekly slots."""
        rows = select(Lesson).where(Lesson.group_id == self.group_id).order_by(Lesson.slot_start)
        return list(db.session.scalars(rows))

    @property
    def first(self) -> Lesson:
        return self.dated[0]


def make_lessons(
    names: Sequence[str] = ("Sara Touil",),
    *,
    tutor: str = "Zoé Rêveur",
    subject: str = "maths",
    start: tuple[str, str] = ("tue", "17:00"),
    language: str = "fr",
    household_id: int | None = None,
) -> Lessons:
    """Lessons of a new tutor with a new family, or with one that has children already."""
    tutor_id = people.make_tutor(name=tutor, teaches=[(subject, "3AC")])
    if household_id is None:
        household_id = people.make_household(pupils=[(name, "3AC", [subject]) for name in names]).id
    rows = db.session.scalars(select(Pupil).where(Pupil.household_id == household_id))
    requests = [
        request.id
        for pupil in rows
        for request in pupil.requests
        if pupil.name in names and request.subject.code == subject
    ]
    group_id = active_group(tutor_id, requests, starts=(start,)).id
    with transaction():
        db.session.get_one(Household, household_id).message_language = language
    send_texts()
    return Lessons(group_id, tutor_id, household_id)


@contextmanager
def changing(*lessons: Lesson, but: Collection[Recipient] = ()) -> Iterator[None]:
    """One transaction that changes lessons and tells it."""
    ids = [lesson.id for lesson in lessons]
    with transaction():
        locked = select(Lesson).where(Lesson.id.in_(ids)).order_by(Lesson.id).with_for_update()
        rows = db.session.scalars(locked).all()
        known = telling.remember(rows)
        yield
        telling.tell_changes(rows, known, frozenset(but))


def move(lesson: Lesson, wall: datetime, *, but: Collection[Recipient] = ()) -> None:
    with changing(lesson, but=but):
        lesson.wall_start = wall
        lesson.starts_at = clock.to_utc(wall, lesson.zone)
        lesson.version += 1


def cancel(*lessons: Lesson, but: Collection[Recipient] = ()) -> None:
    with changing(*lessons, but=but):
        for lesson in lessons:
            lesson.state = LessonState.CANCELLED
            lesson.version += 1


def restore(lesson: Lesson, *, but: Collection[Recipient] = ()) -> None:
    with changing(lesson, but=but):
        lesson.state = LessonState.PLANNED
        lesson.version += 1


def substitute(lesson: Lesson, tutor_id: int | None, *, but: Collection[Recipient] = ()) -> None:
    with changing(lesson, but=but):
        lesson.substitute_id = tutor_id
        lesson.version += 1


def open_texts() -> list[Message]:
    """What is planned and worded as it leaves, in the order in which it was planned."""
    rows = select(Message).where(Message.kind.in_(WORDED_LATE), Message.state.in_(OPEN_MESSAGES))
    return list(db.session.scalars(rows.order_by(Message.id)))


def send_texts(
    *, arrives: bool = True, answerable: bool = False
) -> list[tuple[Recipient, MessageKind, str]]:
    """Have all that is planned leave, and arrive or get lost: to whom, what kind, what words."""
    sent = []
    with transaction():
        for message in open_texts():
            person: Household | Tutor | None = message.household or message.tutor
            assert person is not None
            words = notices.words(message, person, answerable)
            message.ended_at = clock.now()
            if words is None:
                message.state = MessageState.CANCELLED
                continue
            message.state = MessageState.DELIVERED if arrives else MessageState.FAILED
            message.handed_at = clock.now()
            message.text = words
            sent.append((Recipient(person.__tablename__, person.id), message.kind, words))
    return sent
