"""Whether lessons were held and who was there: who may say so, when, and what counts as hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Attendance, AuditEntry, Lesson, LessonState, Membership, Tutor
from app.services import attendance, hours
from app.services.changes import cancel_lesson
from app.services.errors import Conflict, Invalid, NotFound
from tests.support import people
from tests.support.groups import active_group
from tests.support.pages import counted_statements
from tests.support.programmes import programme_at

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
FIRST = datetime(2026, 11, 2, 18, tzinfo=UTC)


clock = programme_at(MONDAY)


@pytest.fixture
def tutor() -> int:
    return people.make_tutor()


def requests_of(*names: str) -> list[int]:
    return [
        people.make_household(pupils=[(name, "3AC", ("maths",))]).pupils[0].requests[0].id
        for name in names
    ]


def lessons_of(group_id: int) -> list[Lesson]:
    ordered = select(Lesson).where(Lesson.group_id == group_id).order_by(Lesson.starts_at)
    return list(db.session.scalars(ordered))


def present() -> dict[int, bool]:
    db.session.rollback()
    return {row.request_id: row.present for row in db.session.scalars(select(Attendance))}


def test_held_lesson_of_a_group_may_lack_some(tutor: int, clock: time_machine.Coordinates) -> None:
    hiba, sara = requests_of("Hiba Touil", "Sara Rami")
    first = lessons_of(active_group(tutor, [hiba, sara]).id)[0]
    clock.move_to(FIRST + timedelta(minutes=5))
    noted = attendance.note_lesson(
        first.id, LessonState.HELD, [sara], "  Fractions. ", tutor_id=tutor
    )
    assert (noted.state, noted.note, noted.noted_at) == (
        LessonState.HELD,
        "Fractions.",
        FIRST + timedelta(minutes=5),
    )
    assert present() == {hiba: True, sara: False}
    act = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "note_lesson")).one()
    assert (act.subject, act.coordinator_id, len(act.pupil_ids), act.detail) == (
        f"lesson:{first.id}",
        None,
        2,
        {"state": "held", "absent": [sara], "tutor": tutor},
    )


def test_nobody_came_is_not_a_held_lesson(tutor: int, clock: time_machine.Coordinates) -> None:
    hiba, sara = requests_of("Hiba Touil", "Sara Rami")
    first = lessons_of(active_group(tutor, [hiba, sara]).id)[0]
    clock.move_to(FIRST)
    with pytest.raises(Invalid):
        attendance.note_lesson(first.id, LessonState.HELD, [hiba, sara], "", tutor_id=tutor)
    attendance.note_lesson(first.id, LessonState.PUPIL_ABSENT, [], "", tutor_id=tutor)
    assert present() == {hiba: False, sara: False}
    assert hours.hours_of(tutor).lessons == 0


def test_word_is_corrected_whole(tutor: int, clock: time_machine.Coordinates) -> None:
    hiba, sara = requests_of("Hiba Touil", "Sara Rami")
    first = lessons_of(active_group(tutor, [hiba, sara]).id)[0]
    clock.move_to(FIRST)
    attendance.note_lesson(first.id, LessonState.HELD, [sara], "short", tutor_id=tutor)
    clock.shift(timedelta(days=1))
    attendance.note_lesson(first.id, LessonState.NOT_HELD, [sara], "", tutor_id=tutor)
    lesson = db.session.get_one(Lesson, first.id)
    assert (lesson.state, lesson.note, lesson.noted_at) == (LessonState.NOT_HELD, None, FIRST)
    assert present() == {}


@pytest.mark.parametrize(
    "state", [LessonState.PLANNED, LessonState.CANCELLED], ids=lambda state: state.value
)
def test_word_is_one_of_three(
    tutor: int, clock: time_machine.Coordinates, state: LessonState
) -> None:
    first = lessons_of(active_group(tutor, requests_of("Hiba Touil")).id)[0]
    clock.move_to(FIRST)
    with pytest.raises(Invalid):
        attendance.note_lesson(first.id, state, [], "", tutor_id=tutor)


def test_nobody_notes_what_has_not_begun_was_cancelled_or_is_anothers(
    tutor: int, clock: time_machine.Coordinates
) -> None:
    first, second, third, *_rest = lessons_of(active_group(tutor, requests_of("Hiba Touil")).id)
    other = people.make_tutor(name="Ilyas Sabri")
    cancel_lesson(first.id, "ill", tutor_id=tutor)
    clock.move_to(FIRST + timedelta(weeks=1))
    with pytest.raises(Conflict):
        attendance.note_lesson(first.id, LessonState.HELD, [], "", tutor_id=tutor)
    with pytest.raises(Conflict):
        attendance.note_lesson(third.id, LessonState.HELD, [], "", tutor_id=tutor)
    with pytest.raises(NotFound):
        attendance.note_lesson(second.id, LessonState.HELD, [], "", tutor_id=other)
    with pytest.raises(NotFound):
        attendance.note_lesson(999, LessonState.HELD, [], "", tutor_id=tutor)
    assert {lesson.noted_at for lesson in lessons_of(first.group_id)} == {None}


def test_stranger_to_a_lesson_can_not_have_been_absent_from_it(
    tutor: int, clock: time_machine.Coordinates
) -> None:
    hiba, adam = requests_of("Hiba Touil", "Adam Zahra")
    first = lessons_of(active_group(tutor, [hiba]).id)[0]
    clock.move_to(FIRST)
    with pytest.raises(Invalid):
        attendance.note_lesson(first.id, LessonState.HELD, [adam], "", tutor_id=tutor)


def test_lesson_was_for_those_who_sat_in_it_when_it_began(
    tutor: int, clock: time_machine.Coordinates
) -> None:
    hiba, sara, late = requests_of("Hiba Touil", "Sara Rami", "Adam Zahra")
    group = active_group(tutor, [hiba, sara])
    first = lessons_of(group.id)[0].id
    clock.move_to(FIRST + timedelta(days=1))
    with transaction():
        left = db.session.scalars(select(Membership).where(Membership.request_id == sara)).one()
        left.ended_at = FIRST + timedelta(hours=3)
        db.session.add(
            Membership(group_id=group.id, request_id=late, active_since=FIRST + timedelta(hours=4))
        )
    attendance.note_lesson(first, LessonState.HELD, [], "", tutor_id=tutor)
    assert present() == {hiba: True, sara: True}


def test_tutor_corrects_for_two_weeks_and_a_coordinator_always(
    tutor: int, clock: time_machine.Coordinates
) -> None:
    coordinator = people.make_coordinator()
    first, second, *_rest = lessons_of(active_group(tutor, requests_of("Hiba Touil")).id)
    clock.move_to(FIRST + timedelta(weeks=3))
    attendance.note_lesson(first.id, LessonState.HELD, [], "", tutor_id=tutor)
    clock.shift(timedelta(days=14, minutes=-1))
    attendance.note_lesson(first.id, LessonState.NOT_HELD, [], "", tutor_id=tutor)
    clock.shift(timedelta(minutes=1))
    # The second lesson was four weeks ago, and nobody said anything of it.
    for lesson in (first, second):
        with pytest.raises(Conflict):
            attendance.note_lesson(lesson.id, LessonState.HELD, [], "", tutor_id=tutor)
        attendance.note_lesson(lesson.id, LessonState.HELD, [], "", by=coordinator)
    acts = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "note_lesson"))
    assert [(act.coordinator_id, act.detail.get("tutor")) for act in acts] == [
        (None, tutor),
        (None, tutor),
        (coordinator.id, None),
        (coordinator.id, None),
    ]


def test_past_lessons_begin_with_those_that_wait_for_a_word(
    tutor: int, clock: time_machine.Coordinates
) -> None:
    lessons = lessons_of(active_group(tutor, requests_of("Hiba Touil")).id)
    clock.move_to(FIRST + timedelta(weeks=2, hours=1))
    attendance.note_lesson(lessons[1].id, LessonState.HELD, [], "", tutor_id=tutor)
    row = db.session.get_one(Tutor, tutor)
    entries, page = attendance.list_past_lessons(row, 1)
    expected = [lessons[2].id, lessons[0].id, lessons[1].id]
    assert [entry.lesson.id for entry in entries] == expected
    assert page.total == 3
    assert attendance.count_unnoted(row) == 2
    assert [e.lesson.id for e in attendance.newest_unnoted(row, 1)] == [lessons[2].id]
    clock.move_to(FIRST + timedelta(weeks=4))
    assert [entry.lesson.id for entry in attendance.list_past_lessons(row, 1)[0]] == [
        *(lessons[number].id for number in (3, 2, 1)),
    ]


def test_list_of_past_lessons_takes_the_same_statements_for_one_and_for_many(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    active_group(tutor, requests_of("Hiba Touil"))
    clock.move_to(MONDAY + timedelta(days=6))

    def statements() -> int:
        db.session.remove()
        row = db.session.get_one(Tutor, tutor)
        with counted_statements(app) as sent:
            entries, _page = attendance.list_past_lessons(row, 1)
            assert {entry.own for entry in entries} == {None}
        return len(sent)

    before = statements()
    clock.move_to(MONDAY)
    for number, day in enumerate(("tue", "wed", "thu")):
        active_group(tutor, requests_of(f"Sara{number} Rami", "Aya Rami"), starts=[(day, "18:00")])
    clock.move_to(MONDAY + timedelta(days=6))
    assert statements() == before


def test_hours_count_lessons_that_were_held_and_children_who_came(
    tutor: int, clock: time_machine.Coordinates
) -> None:
    hiba, sara = requests_of("Hiba Touil", "Sara Rami")
    lessons = lessons_of(active_group(tutor, [hiba, sara]).id)
    assert hours.hours_of(tutor) == hours.Hours(0, 0, 0, None, None)
    clock.move_to(FIRST + timedelta(weeks=3))
    for lesson, state, absent in (
        (lessons[0], LessonState.HELD, [sara]),
        (lessons[1], LessonState.NOT_HELD, []),
        (lessons[2], LessonState.HELD, [sara]),
        (lessons[3], LessonState.PUPIL_ABSENT, []),
    ):
        attendance.note_lesson(lesson.id, state, absent, "", tutor_id=tutor)
    expected = hours.Hours(2, 120, 1, date(2026, 11, 2), date(2026, 11, 16))
    assert hours.hours_of(tutor) == expected
    assert hours.hours_of(people.make_tutor(name="Ilyas Sabri")).lessons == 0


def test_certificate_stays_what_it_was_and_is_found_by_its_code(
    tutor: int, clock: time_machine.Coordinates
) -> None:
    with pytest.raises(Conflict):
        hours.issue_certificate(tutor)
    lessons = lessons_of(active_group(tutor, requests_of("Hiba Touil")).id)
    clock.move_to(FIRST + timedelta(weeks=1))
    attendance.note_lesson(lessons[0].id, LessonState.HELD, [], "", tutor_id=tutor)
    first = hours.issue_certificate(tutor)
    assert hours.issue_certificate(tutor).id == first.id
    attendance.note_lesson(lessons[1].id, LessonState.HELD, [], "", tutor_id=tutor)
    second = hours.issue_certificate(tutor)
    assert (first.lessons, first.minutes, first.pupils) == (1, 60, 1)
    assert (second.lessons, second.minutes, second.last_day) == (2, 120, date(2026, 11, 9))
    assert [row.id for row in hours.list_certificates(tutor, 5)] == [second.id, first.id]
    assert len(first.code) == 10
    assert not set(first.code) & set("ILOU")
    typed = hours.shown_code(first).lower().replace("0", "o").replace("1", "l")
    found = hours.find_certificate(f" {typed} ")
    assert found is not None
    assert (found.id, found.tutor_name) == (first.id, "Rania Mounir")
    for wrong in ("", "7K3QM0RZ5B", first.code[:-1], first.code * 5, "' OR 1=1 --", "٤٥"):
        assert hours.find_certificate(wrong) is None
    with pytest.raises(NotFound):
        hours.get_certificate(people.make_tutor(name="Ilyas Sabri"), first.id)
