"""Everybody locks groups before lessons, and lessons before questions: nobody waits in a ring."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from app.database import transaction
from app.extensions import db
from app.models import Coordinator, Group, Household, Lesson, LessonState, Question, Tutor
from app.services import (
    asked_times,
    departures,
    substitution,
    suspension,
    vetting,
)
from app.services.attendance import note_lesson
from tests.support import people
from tests.support.groups import active_group

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
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
            lambda: db.session.get_one(Group, group_id, with_for_update=True),
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
            lambda: db.session.get_one(Group, group_id, with_for_update=True),
            lambda: asked_times.answer_asked_time(question, True),
            lambda: select(Question.id).with_for_update(nowait=True),
        )
        db.session.rollback()
        assert db.session.get_one(Lesson, lesson).wall_start == wanted


def suspend(tutor_id: int) -> None:
    suspension.suspend_tutor(tutor_id, "a worry", None)


def pause(tutor_id: int) -> None:
    departures.pause_tutor(tutor_id, "ill", None)


def let_vetting_end(_tutor_id: int) -> None:
    assert vetting.end_expired_vettings() == 1


def withdraw_vetting(tutor_id: int) -> None:
    vetting.withdraw_vetting(tutor_id, db.session.scalars(select(Coordinator)).one())


@pytest.mark.parametrize("go", [suspend, pause, let_vetting_end, withdraw_vetting])
def test_who_goes_holds_no_person_while_waiting_for_a_lesson_taken_over(
    app: Flask, go: Callable[[int], None]
) -> None:
    """As whoever follows the time zone data holds a lesson, and then wants its people."""
    with time_machine.travel(MONDAY, tick=False), app.app_context():
        people.make_programme()
        by = people.make_coordinator()
        goes, other = people.make_tutor(windows=HOURS), people.make_tutor(windows=HOURS)
        if go is not withdraw_vetting:
            own = people.make_household(windows=HOURS).pupils[0].requests[0].id
            active_group(goes, [own], starts=[("tue", "18:00")])
        home = people.make_household(windows=HOURS)
        group = active_group(other, [home.pupils[0].requests[0].id])
        coming = select(Lesson.id).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
        lesson = [*db.session.scalars(coming)][1]
        substitution.give_by_hand(lesson, goes, by)
        if go is let_vetting_end:
            with transaction():
                db.session.get_one(Tutor, goes).vetted_at = datetime(2020, 1, 1, tzinfo=UTC)
        _meanwhile(
            app,
            lambda: db.session.get_one(Lesson, lesson, with_for_update=True),
            lambda: go(goes),
            lambda: select(Tutor.id).with_for_update(nowait=True),
            lambda: select(Household.id).with_for_update(nowait=True),
        )
        db.session.rollback()
        assert db.session.get_one(Lesson, lesson).substitute_id is None


def _meanwhile(
    app: Flask, hold: Callable[[], object], do: Callable[[], object], *take: Callable[[], Any]
) -> None:
    """Do something while another transaction, which holds what it needs, takes other rows."""
    done: list[object] = []

    def work() -> None:
        with app.app_context():
            try:
                done.append(do())
            finally:
                db.session.remove()

    thread = threading.Thread(target=work)
    with transaction():
        hold()
        thread.start()
        while thread.is_alive() and not db.session.scalar(text(_WAITS)):
            time.sleep(0.02)
        try:
            for rows in take:
                db.session.execute(rows()).all()
        finally:
            db.session.rollback()
            thread.join()
    assert len(done) == 1
