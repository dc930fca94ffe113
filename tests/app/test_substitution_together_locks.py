"""Everybody locks groups before lessons, and lessons before questions: nobody waits in a ring."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Group, Lesson, LessonState, Question
from app.services import asked_times
from app.services.attendance import note_lesson
from tests.support import people
from tests.support.groups import active_group

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOURS = ("mon 16:00-21:00", "tue 16:00-21:00")


def test_note_that_ends_a_group_holds_no_lesson_while_it_waits_for_the_group(app: Flask) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock, app.app_context():
        people.make_programme()
        seat = people.make_household().pupils[0].requests[0].id
        group_id = active_group(people.make_tutor(), [seat]).id
        lessons = [*db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at))]
        clock.shift(timedelta(days=15))
        for lesson_id in lessons[:2]:
            note_lesson(lesson_id, LessonState.NOT_HELD, [], "")
        _meanwhile(
            app,
            group_id,
            lambda: note_lesson(lessons[2], LessonState.NOT_HELD, [], ""),
            lambda: select(Lesson.id).with_for_update(nowait=True),
        )


def test_answer_to_a_wish_holds_no_question_while_it_waits_for_the_group(app: Flask) -> None:
    with time_machine.travel(MONDAY, tick=False), app.app_context():
        people.make_programme()
        home = people.make_household(windows=HOURS)
        tutor = people.make_tutor(windows=HOURS)
        group_id = active_group(tutor, [home.pupils[0].requests[0].id]).id
        lesson = db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at.desc())).first()
        assert lesson is not None
        wanted = datetime(2026, 11, 24, 18)
        question = asked_times.ask_for_time(home.id, lesson, wanted).id
        _meanwhile(
            app,
            group_id,
            lambda: asked_times.answer_asked_time(question, True),
            lambda: select(Question.id).with_for_update(nowait=True),
        )
        db.session.rollback()
        assert db.session.get_one(Lesson, lesson).wall_start == wanted


def _meanwhile(
    app: Flask, group_id: int, do: Callable[[], object], take: Callable[[], object]
) -> None:
    """Do something while another transaction, which holds the group, takes other rows."""
    done: list[object] = []

    def work() -> None:
        with app.app_context():
            done.append(do())
            db.session.remove()

    thread = threading.Thread(target=work)
    with transaction():
        db.session.get_one(Group, group_id, with_for_update=True)
        thread.start()
        time.sleep(0.4)  # by then it waits for the group
        db.session.execute(take()).all()  # type: ignore[call-overload]
    thread.join()
    assert len(done) == 1
