"""Families say whether they will be there: what is kept, what it does to reminders, who may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Group,
    Household,
    Lesson,
    LessonAnswer,
    Message,
    MessageState,
    Reminder,
)
from app.services import changes, family, groups, lesson_answers, publishing
from app.services.errors import Conflict, NotFound
from tests.support.groups import active_group, proposal, propose
from tests.support.people import make_household, make_programme, make_tutor

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def here(app: Flask) -> Iterator[None]:
    with app.app_context():
        make_programme()
        yield


def taught_family() -> tuple[Household, Lesson]:
    """A family, and the second of its weekly lessons, which nobody was reminded of yet."""
    household = make_household()
    active_group(make_tutor(), [household.pupils[0].requests[0].id])
    lesson = db.session.scalars(select(Lesson).order_by(Lesson.starts_at)).all()[1]
    return household, lesson


def open_reminders(lesson: Lesson) -> list[str]:
    """Whom a lesson's open reminders are for."""
    return sorted(
        db.session.scalars(
            select(Reminder.recipient).where(
                Reminder.lesson_id == lesson.id,
                Reminder.cancelled_at.is_(None),
                Reminder.message_id.is_not(None),
            )
        )
    )


def said(household: Household, lesson: Lesson) -> bool | None:
    return lesson_answers.answers_of(household.id, [lesson.id]).get(lesson.id)


def test_family_that_can_not_come_is_reminded_no_more_and_again_when_it_can() -> None:
    household, lesson = taught_family()
    mine, tutor = f"household:{household.id}", f"tutor:{lesson.group.tutor_id}"
    both = sorted([mine, mine, tutor, tutor])
    assert open_reminders(lesson) == both
    for coming, reminded in ((False, [tutor, tutor]), (True, both), (False, [tutor, tutor])):
        lesson_answers.answer_lesson(household.id, lesson.id, coming=coming)
        assert said(household, lesson) is coming
        assert open_reminders(lesson) == reminded
    states = set(
        db.session.scalars(
            select(Message.state)
            .join(Message.reminders)
            .where(Reminder.lesson_id == lesson.id, Reminder.recipient == tutor)
        )
    )
    assert states == {MessageState.PLANNED}


def test_answer_is_kept_once_with_its_time_and_leaves_a_trace(
    clock: time_machine.Traveller,
) -> None:
    household, lesson = taught_family()
    lesson_answers.answer_lesson(household.id, lesson.id, coming=True)
    clock.shift(timedelta(hours=1))
    lesson_answers.answer_lesson(household.id, lesson.id, coming=True)
    row = db.session.scalars(select(LessonAnswer)).one()
    assert (row.household_id, row.coming, row.answered_at) == (household.id, True, MONDAY)
    trace = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "answer_lesson")).one()
    assert trace.pupil_ids == [household.pupils[0].id]
    assert trace.detail == {"household": household.id, "coming": True}


def test_answers_are_taken_until_the_lesson_begins(clock: time_machine.Traveller) -> None:
    household, lesson = taught_family()
    clock.move_to(lesson.starts_at - timedelta(seconds=1))
    lesson_answers.answer_lesson(household.id, lesson.id, coming=False)
    clock.move_to(lesson.starts_at)
    with pytest.raises(Conflict):
        lesson_answers.answer_lesson(household.id, lesson.id, coming=True)
    assert said(household, lesson) is False


def test_cancelled_lesson_takes_no_answer() -> None:
    household, lesson = taught_family()
    changes.cancel_lesson(lesson.id, "ill")
    with pytest.raises(Conflict):
        lesson_answers.answer_lesson(household.id, lesson.id, coming=True)


def test_other_families_and_those_who_left_can_not_answer() -> None:
    household, lesson = taught_family()
    other = make_household(pupils=[("Sara Rami", "3AC", ("maths",))])
    with pytest.raises(NotFound):
        lesson_answers.answer_lesson(other.id, lesson.id, coming=True)
    with pytest.raises(NotFound):
        lesson_answers.answer_lesson(household.id, 999, coming=True)
    with transaction():
        for member in db.session.get_one(Group, lesson.group_id).members:
            member.ended_at = MONDAY
    with pytest.raises(NotFound):
        lesson_answers.answer_lesson(household.id, lesson.id, coming=True)


def test_newcomer_does_not_have_an_absent_family_reminded_again() -> None:
    household, lesson = taught_family()
    lesson_answers.answer_lesson(household.id, lesson.id, coming=False)
    other = make_household(pupils=[("Sara Rami", "3AC", ("maths",))])
    group = db.session.get_one(Group, lesson.group_id)
    requests = [household.pupils[0].requests[0].id, other.pupils[0].requests[0].id]
    publishing.publish_run(propose(proposal(group.tutor_id, requests)), None)
    groups.accept_group(group.id)
    reminded = open_reminders(lesson)
    assert f"household:{other.id}" in reminded
    assert f"household:{household.id}" not in reminded


def test_page_knows_what_was_said() -> None:
    household, lesson = taught_family()
    lesson_answers.answer_lesson(household.id, lesson.id, coming=False)
    shown = [(entry.coming, entry.is_open) for entry in family.coming_lessons(household)]
    assert shown == [(None, True), (False, True), (None, True), (None, True)]
