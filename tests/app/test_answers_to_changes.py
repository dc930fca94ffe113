"""What an answer to a text about changes is bound to: what that text said, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import InboundText
from app.models import Household, InboundMessage, Lesson, Meaning, MessageState, Question
from app.services import inbound, lesson_answers
from app.services.telling import tell_note
from scheduler import clock
from tests.support import people
from tests.support.telling import Lessons, make_lessons, move, open_texts, send_texts

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
NAMES = ("Sara Touil", "Omar Touil")


@pytest.fixture(autouse=True)
def time(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller, app.app_context():
        people.make_programme()
        yield traveller


@pytest.fixture
def family(time: time_machine.Traveller) -> tuple[Household, Lessons, Lessons]:
    """A family with two children, one taught on Tuesdays, one on Wednesdays."""
    household = people.make_household(pupils=[(name, "3AC", ["maths"]) for name in NAMES])
    sara, omar = (
        make_lessons([name], start=(day, "17:00"), household_id=household.id)
        for name, day in zip(NAMES, ("tue", "wed"), strict=True)
    )
    return household, sara, omar


def says(household: Household, text: str) -> InboundMessage:
    assert inbound.take_text("kannel", InboundText(text, household.phone, text))
    return db.session.scalars(select(InboundMessage).order_by(InboundMessage.id.desc())).all()[0]


def said(household: Household, lesson: Lesson) -> bool | None:
    return lesson_answers.answers_of(household.id, [lesson.id]).get(lesson.id)


def an_hour_later(lesson: Lesson) -> datetime:
    return lesson.wall_start + timedelta(hours=1)


def test_lesson_that_was_moved_there_and_back_is_not_what_a_family_answers(
    family: tuple[Household, Lessons, Lessons],
) -> None:
    household, sara, omar = family
    before = omar.first.wall_start
    move(sara.first, an_hour_later(sara.first))
    move(omar.first, an_hour_later(omar.first))
    move(omar.first, before)
    assert "Omar" not in "".join(
        words for to, _kind, words in send_texts() if to.table == "household"
    )
    assert says(household, "2").meaning is Meaning.NOT_COMING
    assert (said(household, sara.first), said(household, omar.first)) == (False, None)
    assert db.session.scalars(select(Question)).all() == []


def test_answer_to_a_time_that_changed_since_is_left_to_a_coordinator(
    family: tuple[Household, Lessons, Lessons],
) -> None:
    household, sara, _omar = family
    move(sara.first, an_hour_later(sara.first))
    send_texts()
    move(sara.first, an_hour_later(sara.first))  # of which the family has not read yet
    assert open_texts()
    assert says(household, "2").read_at is None
    assert said(household, sara.first) is None


def test_no_to_a_coordinators_own_words_takes_no_child_out_of_a_lesson(
    family: tuple[Household, Lessons, Lessons], time: time_machine.Traveller
) -> None:
    household, sara, _omar = family
    move(sara.first, an_hour_later(sara.first))
    send_texts()
    coordinator = people.make_coordinator()
    time.shift(timedelta(minutes=5))
    with transaction():
        note = tell_note(sara.family, "Avez-vous reçu les livres ?", coordinator)
        note.state, note.handed_at = MessageState.DELIVERED, clock.now()
    row = says(household, "non merci")
    assert (row.meaning, row.read_at, said(household, sara.first)) == (
        Meaning.FREE_TEXT, None, None,
    )  # fmt: skip
    assert says(household, "2").meaning is Meaning.NOT_COMING
    assert said(household, sara.first) is False


def test_text_that_never_left_is_not_what_a_family_answers(
    family: tuple[Household, Lessons, Lessons], time: time_machine.Traveller
) -> None:
    household, sara, omar = family
    move(sara.first, an_hour_later(sara.first))
    send_texts()
    time.shift(timedelta(minutes=5))
    move(omar.first, an_hour_later(omar.first))
    send_texts(arrives=False)
    assert says(household, "2").lesson_id == sara.first.id
    assert (said(household, sara.first), said(household, omar.first)) == (False, None)


def test_stop_in_a_sentence_is_done_and_read(family: tuple[Household, Lessons, Lessons]) -> None:
    household = family[0]
    row = says(household, "Stop, Sara n'étudie plus, ne nous envoyez plus de messages")
    assert (row.meaning, row.read_at) == (Meaning.STOP, None)
    assert household.messages_stopped_at == MONDAY


def test_two_to_changes_of_several_weeks_takes_a_child_out_of_none_before_it_is_asked(
    family: tuple[Household, Lessons, Lessons],
) -> None:
    household, sara, _omar = family
    moved = sara.dated[:3]
    for lesson in moved:
        move(lesson, an_hour_later(lesson))
    send_texts()
    assert says(household, "2").meaning is Meaning.NOT_COMING
    assert [said(household, lesson) for lesson in moved] == [None, None, None]
    (question,) = db.session.scalars(select(Question)).all()
    assert question.options == [[lesson.id, False] for lesson in sara.dated[:3]]
    assert says(household, "1").meaning is Meaning.COMING  # to the changes: they suit
    assert [said(household, lesson) for lesson in sara.dated[:3]] == [True, True, True]
