"""Other people's lessons on a volunteer's week: which they are asked to give, and which they give.

The families' numbers are shown from the yes until the lesson is over, and vanish then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.models import (
    Channel,
    Group,
    GroupState,
    Language,
    Lesson,
    LessonState,
    Pupil,
    Question,
    QuestionKind,
    Tutor,
)
from app.services.loading import GROUP_WITH_FAMILIES
from app.services.own_clock import own_time
from app.services.substitutes import LONGEST_LESSON
from scheduler import clock

_LESSON_WITH_FAMILIES: Final = joinedload(Lesson.group).options(
    joinedload(Group.tutor).lazyload("*"), *GROUP_WITH_FAMILIES
)


@dataclass(frozen=True, slots=True)
class StandIn:
    """A lesson of another's group; `own` is the start on the tutor's clock where that differs."""

    lesson: Lesson
    own: datetime | None
    pupils: list[Pupil]
    channel: Channel
    language: Language


@dataclass(frozen=True, slots=True)
class AskedLesson:
    """A lesson that a tutor is asked to give, and by when the answer is of use."""

    question: Question
    entry: StandIn
    until: datetime


def asked_of(tutor: Tutor) -> list[AskedLesson]:
    """What a tutor is asked to give and can still take, the next lesson first."""
    questions = db.session.scalars(
        select(Question)
        .join(Question.lesson)
        .where(
            Question.tutor_id == tutor.id,
            Question.kind == QuestionKind.SUBSTITUTE,
            Question.answered_at.is_(None),
            Question.ended_at.is_(None),
            Question.expires_at > clock.now(),
            Lesson.state == LessonState.PLANNED,
        )
        .order_by(Lesson.starts_at, Question.id)
        .options(joinedload(Question.lesson).options(_LESSON_WITH_FAMILIES))
    ).all()
    lessons = [question.lesson for question in questions if question.lesson is not None]
    entries = _entries(tutor, lessons)
    return [
        AskedLesson(question, entry, _wall(tutor, question.expires_at, entry.lesson.zone))
        for question, entry in zip(questions, entries, strict=True)
    ]


def lessons_stood_in(tutor: Tutor) -> list[StandIn]:
    """The lessons that a tutor gives in others' places and that are not over, the next first."""
    now = clock.now()
    lessons = db.session.scalars(
        select(Lesson)
        .join(Lesson.group)
        .where(
            Lesson.substitute_id == tutor.id,
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > now - LONGEST_LESSON,
            Group.state == GroupState.ACTIVE,
        )
        .order_by(Lesson.starts_at, Lesson.id)
        .options(_LESSON_WITH_FAMILIES)
    )
    not_over = [row for row in lessons if row.starts_at + timedelta(minutes=row.minutes) > now]
    return _entries(tutor, not_over)


def _entries(tutor: Tutor, lessons: Iterable[Lesson]) -> list[StandIn]:
    listed = list(lessons)
    if not listed:
        return []
    channels = {row.code: row for row in db.session.scalars(select(Channel))}
    languages = {row.code: row for row in db.session.scalars(select(Language))}
    return [
        StandIn(
            lesson=lesson,
            own=own_time(tutor, lesson.starts_at, lesson.wall_start),
            pupils=[
                seat.request.pupil for seat in lesson.group.members if seat.active_since is not None
            ],
            channel=channels[lesson.group.channel],
            language=languages[lesson.group.language],
        )
        for lesson in listed
    ]


def _wall(tutor: Tutor, instant: datetime, zone: str) -> datetime:
    """An instant on the tutor's own clock."""
    wall: datetime = clock.to_wall(instant, tutor.time_zone or zone)
    return wall
