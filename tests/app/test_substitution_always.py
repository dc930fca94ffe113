"""Whatever people say, and in whatever order: no lesson in two hands, none in unfit ones."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
import time_machine
from flask import Flask
from hypothesis import given, settings
from sqlalchemy import select

from app import create_app
from app.database import transaction
from app.extensions import db
from app.models import (
    Lesson,
    LessonState,
    Question,
    QuestionKind,
    Substitution,
    SubstitutionState,
    Tutor,
    TutorAbsence,
    TutorState,
    Veto,
)
from app.services import changes, departures, silence, substitution, suspension
from app.services.attendance import note_lesson
from app.services.errors import ServiceError
from scheduler import clock
from tests.support import databases, people
from tests.support.groups import active_group

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = date(2026, 11, 9)
LESSONS = 2
OWN, FIT, UNFIT = 2, 4, 5

acts = st.one_of(
    st.tuples(st.just("seek"), st.integers(0, LESSONS - 1)),
    st.tuples(st.just("answer"), st.integers(0, FIT + UNFIT - 1), st.booleans()),
    st.tuples(st.just("answer"), st.integers(0, FIT - 1), st.booleans()),
    st.tuples(st.just("answer own"), st.integers(0, OWN - 1)),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 12, 26])),
    st.tuples(st.just("tick")),
    st.tuples(st.just("come"), st.integers(0, LESSONS - 1)),
    st.tuples(st.just("cancel"), st.integers(0, LESSONS - 1)),
    st.tuples(st.just("hand back"), st.integers(0, LESSONS - 1)),
    st.tuples(st.just("pause"), st.integers(0, FIT - 1)),
    st.tuples(st.just("suspend"), st.integers(0, FIT - 1)),
    st.tuples(st.just("note"), st.integers(0, LESSONS - 1)),
)


@pytest.fixture(scope="module")
def world(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Flask, Path, Path]:
    """Two groups that meet at one time, and volunteers who fit, or lack one thing each."""
    file = tmp_path_factory.mktemp("always") / "n9raw.db"
    app = create_app(databases.make_config(databases.copy_sqlite(sqlite_template, file)))
    with time_machine.travel(MONDAY, tick=False), app.app_context():
        people.make_programme()
        own = [people.make_tutor(name=f"Own {number}") for number in range(OWN)]
        for number in range(FIT):
            people.make_tutor(name=f"Fit {number}", most=1)
        vetoed = _unfit()
        for tutor_id in own:
            request = people.make_household().pupils[0].requests[0].id
            active_group(tutor_id, [request])
            with transaction():
                db.session.add(
                    Veto(request_id=request, tutor_id=vetoed, reason="no", created_at=MONDAY)
                )
        db.session.remove()
        db.engine.dispose()
    pristine = file.with_suffix(".pristine")
    shutil.copyfile(file, pristine)
    return app, file, pristine


def _unfit() -> int:
    """One who is ruled out, after who lacks the level, the way, the language, the day."""
    people.make_tutor(name="Unfit level", teaches=[("maths", "2AC")])
    people.make_tutor(name="Unfit channel", channels=("call",))
    people.make_tutor(name="Unfit language", languages=("fr",))
    away = people.make_tutor(name="Unfit away")
    with transaction():
        db.session.add(
            TutorAbsence(
                tutor_id=away, first_day=DAY, last_day=DAY, reason="away", created_at=MONDAY
            )
        )
    return people.make_tutor(name="Unfit vetoed")


@settings(max_examples=25)
@given(st.lists(acts, min_size=4, max_size=14))
def test_whatever_people_say(world: tuple[Flask, Path, Path], steps: list[tuple[str, ...]]) -> None:
    app, file, pristine = world
    with app.app_context(), time_machine.travel(MONDAY, tick=False) as now:
        db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(pristine, file)
        lessons = list(
            db.session.scalars(
                select(Lesson.id)
                .where(Lesson.wall_start == datetime(2026, 11, 9, 18))
                .order_by(Lesson.id)
            )
        )
        others = list(
            db.session.scalars(select(Tutor.id).where(Tutor.first_name != "Own").order_by(Tutor.id))
        )
        for step in steps:
            try:
                _act(step, lessons, others, now)
            except ServiceError:
                db.session.rollback()
            _check(lessons)
        substitution.keep_searches()
        silence.ask_whether_held()
        _check_no_search_is_left_behind()
        now.move_to(datetime(2026, 11, 10, 12, tzinfo=UTC))
        substitution.keep_searches()
        assert _asking() == []
        db.session.remove()


def _act(
    step: tuple[str, ...], lessons: list[int], others: list[int], now: time_machine.Traveller
) -> None:
    kind, *rest = step
    number = int(rest[0]) if rest else 0
    if kind == "wait":
        now.shift(timedelta(hours=number))
    elif kind == "tick":
        substitution.keep_searches()
        silence.ask_whether_held()
        _check_no_search_is_left_behind()
    elif kind == "answer":
        _answer(others[number], accepts=bool(rest[1]))
    elif kind == "answer own":
        _answer(db.session.get_one(Lesson, lessons[number]).group.tutor_id, accepts=True)
    elif kind in ("pause", "suspend"):
        do = departures.pause_tutor if kind == "pause" else suspension.suspend_tutor
        do(others[number], "a reason", None)
    else:
        _act_on(kind, db.session.get_one(Lesson, lessons[number]))


def _answer(tutor_id: int, *, accepts: bool) -> None:
    newest = select(Question.id).where(
        Question.tutor_id == tutor_id, Question.kind == QuestionKind.SUBSTITUTE
    )
    question = db.session.scalar(newest.order_by(Question.id.desc()).limit(1))
    if question is not None:
        substitution.answer_offer(question, accepts)


def _act_on(kind: str, lesson: Lesson) -> None:
    own, giver, lesson_id = lesson.group.tutor_id, lesson.given_by.id, lesson.id
    if kind in ("seek", "hand back"):
        changes.find_substitute(lesson_id, "ill", own if kind == "seek" else giver)
    elif kind == "come":
        substitution.come_after_all(lesson_id, tutor_id=own)
    elif kind == "cancel":
        changes.cancel_lesson(lesson_id, "ill", None)
    else:
        note_lesson(lesson_id, LessonState.NOT_HELD, [], "", tutor_id=giver)


def _check(lessons: list[int]) -> None:
    """What holds after each act, found out without the program's own rules."""
    db.session.rollback()
    planned = [
        lesson
        for lesson in db.session.scalars(select(Lesson).where(Lesson.id.in_(lessons)))
        if lesson.state is LessonState.PLANNED
    ]
    givers = [lesson.given_by.id for lesson in planned if lesson.wall_start.date() == DAY]
    assert len(set(givers)) == len(givers)
    for lesson in planned:
        if lesson.substitute is not None and lesson.starts_at > clock.now():
            assert _is_fit(lesson.substitute), lesson.substitute.name
    asking = [row.lesson_id for row in _asking()]
    assert len(set(asking)) == len(asking)


def _is_fit(tutor: Tutor) -> bool:
    return tutor.first_name == "Fit" and tutor.state is TutorState.VETTED and not tutor.absences


def _check_no_search_is_left_behind() -> None:
    for search in _asking():
        assert search.lesson.state is LessonState.PLANNED
        assert search.lesson.starts_at > clock.now()
        assert search.until > clock.now()


def _asking() -> list[Substitution]:
    db.session.rollback()
    asking = select(Substitution).where(Substitution.state == SubstitutionState.ASKING)
    return list(db.session.scalars(asking))
