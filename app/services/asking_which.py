"""Asking a family which of its children's lessons an answer was about, and reading what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from app.extensions import db
from app.i18n import plain_key
from app.models import (
    OPEN_MESSAGES,
    Household,
    Lesson,
    Message,
    Question,
    QuestionKind,
)
from app.services import telling
from app.services.answers import Said, What
from app.services.asked import lesson_children
from scheduler import clock

MOST_ASKED: Final = 8
"""Keys go from 1 to 9, and the last one means all of them."""

MOST_A_DAY: Final = 5
"""How often a family is asked so, before a coordinator finds out what it means."""

Choice = tuple[int, bool]
"""(lesson, whether the family will be there)."""


def ask_which(household: Household, choices: Sequence[Choice]) -> bool:
    """Ask once which of these lessons was meant; part of a transaction that locked the family.

    While such a question has not left, it is not asked again: the first words count. False where a
    coordinator has to find it out.
    """
    now = clock.now()
    of_late = Question.asked_at > now - timedelta(days=1)
    asked = (
        select(func.count())
        .select_from(Question)
        .where(
            Question.household_id == household.id,
            Question.kind == QuestionKind.WHICH_LESSON,
        )
    )
    waits = asked.join(Question.message).where(
        Question.answered_at.is_(None),
        Question.ended_at.is_(None),
        Message.state.in_(OPEN_MESSAGES),
    )
    if db.session.scalar(waits):
        return True
    if (db.session.scalar(asked.where(of_late)) or 0) >= MOST_A_DAY:
        return False
    lessons = db.session.scalars(
        select(Lesson).where(Lesson.id.in_([number for number, _coming in choices]))
    ).all()
    starts = [lesson.starts_at for lesson in lessons if lesson.starts_at > now]
    if not starts:
        return False
    question = Question(
        kind=QuestionKind.WHICH_LESSON,
        household_id=household.id,
        options=[[number, coming] for number, coming in choices[:MOST_ASKED]],
        asked_at=now,
        expires_at=max(starts),
    )
    db.session.add(question)
    db.session.flush()
    return telling.tell_question(question) is not None


def chosen(question: Question, said: Said, text: str) -> list[Choice]:
    """The lessons that an answer means: by key, the one after the last for all, or a child's name.

    None where it means nothing of what was offered.
    """
    offered = [(int(number), bool(coming)) for number, coming in question.options]
    if said.what is What.ALL or said.key == len(offered) + 1:
        return offered
    if said.key is not None:
        return offered[said.key - 1 : said.key]
    if said.what is What.FREE_TEXT and question.household_id is not None:
        return _of_child(offered, plain_key(text), question.household_id)
    return []


def _of_child(offered: list[Choice], name: str, household_id: int) -> list[Choice]:
    """The lessons of the one child of that first name."""
    children = lesson_children([number for number, _coming in offered], household_id)
    return [
        choice
        for choice in offered
        if name and name in {plain_key(pupil.first_name) for pupil in children[choice[0]]}
    ]
