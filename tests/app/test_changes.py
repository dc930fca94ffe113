"""Lessons moved, cancelled, put back by each role: what follows for reminders and messages."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    DayOff,
    DayOffKind,
    DayOffState,
    Group,
    Household,
    Lesson,
    LessonAnswer,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Question,
    Reminder,
    RequestState,
    TutorAbsence,
    TutoringRequest,
    Veto,
)
from app.services import (
    absences,
    asked_times,
    change_policy,
    changes,
    family_children,
    free_times,
    groups,
    lesson_answers,
    weeks,
)
from app.services.change_policy import Role
from app.services.clashes import Clash
from app.services.errors import Conflict, Invalid, NotFound
from app.services.lessons import extend_lessons
from tests.support import people
from tests.support.groups import active_group
from tests.support.programmes import programme_at

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOURS = tuple(f"{day} 16:00-21:00" for day in ("mon", "tue", "wed", "thu"))
NEXT = datetime(2026, 11, 9, 18)
TUESDAY = datetime(2026, 11, 10, 18)


clock = programme_at(MONDAY)


@pytest.fixture
def tutor() -> int:
    return people.make_tutor(windows=HOURS, most=9)


@pytest.fixture
def household() -> Household:
    return people.make_household(windows=HOURS)


@pytest.fixture
def group(tutor: int, household: Household) -> Group:
    """A group of one, each Monday at 18:00."""
    return active_group(tutor, [household.pupils[0].requests[0].id])


def at(wall: datetime, group_id: int | None = None) -> Lesson:
    db.session.rollback()
    query = select(Lesson).where(Lesson.wall_start == wall)
    if group_id is not None:
        query = query.where(Lesson.group_id == group_id)
    return db.session.scalars(query).one()


def reminders(lesson: Lesson) -> list[tuple[str, str, int]]:
    """The reminders owed for a lesson: to whom, of which kind, of which version."""
    owed = select(Reminder).where(Reminder.lesson_id == lesson.id, Reminder.cancelled_at.is_(None))
    rows = db.session.scalars(owed).all()
    return sorted((row.recipient.split(":")[0], row.kind.value, row.lesson_version) for row in rows)


def of_version(version: int) -> list[tuple[str, str, int]]:
    return [
        (who, kind, version)
        for who in ("household", "tutor")
        for kind in ("lesson_24h", "lesson_2h")
    ]


def told() -> list[tuple[str, str]]:
    """Who is to be told something besides reminders and offers: (kind, whom), in order."""
    db.session.rollback()
    passing = (
        MessageKind.LESSON_24H,
        MessageKind.LESSON_2H,
        MessageKind.NEW_GROUP,
        MessageKind.GROUP_OFFER,
    )
    rows = db.session.scalars(
        select(Message).where(Message.kind.not_in(passing), Message.state == MessageState.PLANNED)
    )
    return sorted((row.kind.value, "family" if row.household_id else "tutor") for row in rows)


def families_have_heard_of_the_beginning() -> None:
    with transaction():
        for message in db.session.scalars(
            select(Message).where(
                Message.kind.in_([MessageKind.NEW_GROUP, MessageKind.GROUP_OFFER])
            )
        ):
            message.state = MessageState.DELIVERED
            message.handed_at = MONDAY


@pytest.fixture
def heard(group: Group) -> Group:
    families_have_heard_of_the_beginning()
    return group


# --- one lesson


def test_tutor_moves_one_lesson_and_the_family_alone_is_told(heard: Group, tutor: int) -> None:
    lesson_answers.answer_lesson(1, at(NEXT).id, coming=False)
    moved = changes.move_lesson(at(NEXT).id, TUESDAY, change_policy.tutor(tutor))
    assert (moved.wall_start, moved.slot_start, moved.version) == (TUESDAY, NEXT, 2)
    assert moved.starts_at == TUESDAY.replace(tzinfo=UTC)
    assert reminders(moved) == of_version(2)
    assert told() == [("change", "family")]
    assert db.session.scalars(select(LessonAnswer)).all() == []
    assert extend_lessons() == 0


def test_moved_back_before_anybody_was_told_is_told_to_nobody(heard: Group, tutor: int) -> None:
    by = change_policy.tutor(tutor)
    lesson = changes.move_lesson(at(NEXT).id, TUESDAY, by)
    changes.move_lesson(lesson.id, NEXT, by)
    assert told() == []
    assert reminders(at(NEXT)) == of_version(3)


@pytest.mark.parametrize(
    ("wall", "clash"),
    [
        (datetime(2026, 11, 2, 11), Clash.TOO_SOON),
        (datetime(2026, 11, 17, 18), Clash.TOO_FAR),
        (datetime(2026, 11, 13, 18), Clash.TUTOR_HOURS),
        (datetime(2026, 11, 9, 6), Clash.NIGHT),
        (datetime(2026, 11, 11, 18), Clash.NO_LESSONS),
        (datetime(2026, 11, 12, 18), Clash.TUTOR_AWAY),
    ],
)
def test_what_stands_against_a_time_stops_a_tutor(
    heard: Group, tutor: int, wall: datetime, clash: Clash
) -> None:
    with transaction():
        db.session.add(
            DayOff(
                kind=DayOffKind.SCHOOL, state=DayOffState.CONFIRMED,
                name_fr="F", name_ar="F", name_en="F",
                first_day=date(2026, 11, 11), last_day=date(2026, 11, 11),
            )
        )  # fmt: skip
        db.session.add(
            TutorAbsence(
                tutor_id=tutor, first_day=date(2026, 11, 12), last_day=date(2026, 11, 12),
                reason="ill", created_at=MONDAY,
            )
        )  # fmt: skip
    assert clash in changes.clashes_of(at(NEXT), wall, Role.TUTOR)
    with pytest.raises(Conflict):
        changes.move_lesson(at(NEXT).id, wall, change_policy.tutor(tutor))
    assert at(NEXT).version == 1


def test_tutor_pupil_and_telephone_are_in_one_lesson_at_a_time(tutor: int) -> None:
    home = people.make_household(
        windows=HOURS,
        pupils=[("Hiba Touil", "3AC", ("maths", "french")), ("Adam Touil", "3AC", ("maths",))],
    )
    (maths, french), (adam,) = (pupil.requests for pupil in home.pupils)
    other = people.make_tutor(windows=HOURS, teaches=(("french", "3AC"), ("maths", "3AC")))
    own = active_group(tutor, [maths.id])
    active_group(other, [french.id], starts=[("tue", "18:00")])
    active_group(people.make_tutor(windows=HOURS), [adam.id], starts=[("wed", "18:00")])
    stranger = people.make_household(windows=HOURS).pupils[0].requests[0]
    active_group(tutor, [stranger.id], starts=[("thu", "18:00")])
    lesson = at(NEXT, own.id)

    def against(day: int, hour: int) -> list[Clash]:
        return changes.clashes_of(lesson, datetime(2026, 11, day, hour), Role.COORDINATOR)

    assert against(10, 18) == [Clash.PUPIL_BUSY]
    assert against(11, 18) == [Clash.PHONE_BUSY]
    assert against(12, 18) == [Clash.TUTOR_BUSY]
    assert against(10, 19) == against(11, 17) == against(12, 19) == []
    assert free_times.free_times(lesson, Role.TUTOR, 30)[:4] == [
        datetime(2026, 11, 2, 16),
        datetime(2026, 11, 2, 17),
        datetime(2026, 11, 2, 19),
        datetime(2026, 11, 3, 16),
    ]


def test_coordinator_overrules_hours_by_name_but_no_other_lesson(heard: Group) -> None:
    by = change_policy.coordinator(people.make_coordinator())
    friday = datetime(2026, 11, 13, 18)
    with pytest.raises(Conflict):
        changes.move_lesson(at(NEXT).id, friday, by, [Clash.TUTOR_HOURS])
    overruled = [Clash.TUTOR_HOURS, Clash.FAMILY_HOURS]
    changes.move_lesson(at(NEXT).id, friday, by, overruled)
    assert told() == [("change", "family"), ("change", "tutor")]
    with pytest.raises(Conflict):
        changes.move_lesson(at(friday).id, datetime(2026, 11, 16, 18), by, [*overruled, *Clash])


def test_nobody_moves_a_lesson_of_others(heard: Group) -> None:
    stranger = people.make_tutor(name="Omar Ziani", windows=HOURS)
    with pytest.raises(NotFound):
        changes.move_lesson(at(NEXT).id, TUESDAY, change_policy.tutor(stranger))
    home = people.make_household(pupils=[("Lina Zahra", "3AC", ("maths",))])
    with pytest.raises(NotFound):
        changes.cancel_lesson(at(NEXT).id, "", household_id=home.id)
    with pytest.raises(NotFound):
        asked_times.ask_for_time(home.id, at(NEXT).id, TUESDAY)


def test_too_late_is_said(heard: Group, tutor: int, clock: time_machine.Traveller) -> None:
    clock.move_to(datetime(2026, 11, 9, 15, 30, tzinfo=UTC))
    with pytest.raises(Conflict):
        changes.move_lesson(at(NEXT).id, TUESDAY, change_policy.tutor(tutor))
    with pytest.raises(Conflict):
        asked_times.ask_for_time(1, at(NEXT).id, TUESDAY)
    changes.cancel_lesson(at(NEXT).id, "ill", tutor_id=tutor)


def test_cancelled_by_mistake_is_put_back_and_told(heard: Group) -> None:
    lesson = changes.cancel_lesson(at(NEXT).id, "ill")
    assert (reminders(lesson), told()) == (
        [],
        [("cancellation", "family"), ("cancellation", "tutor")],
    )
    changes.restore_lesson(lesson.id, None)
    assert told() == []
    assert reminders(at(NEXT)) == of_version(3)
    with pytest.raises(Conflict):
        changes.restore_lesson(lesson.id, None)


def test_nothing_is_put_back_where_somebody_is_in_another_lesson(heard: Group, tutor: int) -> None:
    lesson_id = changes.cancel_lesson(at(NEXT).id, "ill").id
    other = people.make_household(windows=HOURS).pupils[0].requests[0].id
    thursday = active_group(tutor, [other], starts=[("thu", "18:00")])
    second = at(datetime(2026, 11, 12, 18), thursday.id)
    changes.move_lesson(second.id, NEXT, change_policy.tutor(tutor))
    with pytest.raises(Conflict):
        changes.restore_lesson(lesson_id, None)


# --- families


def test_only_family_of_a_lesson_cancels_it_and_its_tutor_is_told(
    heard: Group, household: Household
) -> None:
    lesson = changes.cancel_lesson(at(NEXT).id, "", household_id=household.id)
    assert (lesson.state, lesson.cancel_reason) == (LessonState.CANCELLED, changes.FAMILY_CANT)
    assert told() == [("cancellation", "tutor")]


def test_family_among_others_can_not_cancel_nor_move(tutor: int) -> None:
    homes = [people.make_household(windows=HOURS) for _each in range(2)]
    active_group(tutor, [home.pupils[0].requests[0].id for home in homes])
    with pytest.raises(Conflict):
        changes.cancel_lesson(at(NEXT).id, "", household_id=homes[0].id)
    assert asked_times.times_to_ask(at(NEXT), homes[0].id) == []
    with pytest.raises(Conflict):
        asked_times.ask_for_time(homes[0].id, at(NEXT).id, TUESDAY)


def test_time_that_a_family_asks_for_moves_the_lesson_with_the_tutors_yes(
    heard: Group, tutor: int, household: Household
) -> None:
    assert TUESDAY in free_times.free_times(at(NEXT), Role.FAMILY, 30)
    first = asked_times.ask_for_time(household.id, at(NEXT).id, TUESDAY)
    question = asked_times.ask_for_time(household.id, at(NEXT).id, TUESDAY + timedelta(hours=1))
    assert [row.id for row in asked_times.asked_of(tutor)] == [question.id]
    assert told() == [("question", "tutor")]
    with pytest.raises(Conflict):
        asked_times.answer_asked_time(first.id, True)
    with pytest.raises(NotFound):
        asked_times.answer_asked_time(question.id, True, tutor_id=tutor + 1)
    moved = asked_times.answer_asked_time(question.id, True, tutor_id=tutor)
    assert moved is not None
    assert moved.wall_start == TUESDAY + timedelta(hours=1)
    assert ("change", "family") in told()
    assert asked_times.asked_of(tutor) == []


def test_tutors_no_leaves_the_lesson_and_a_change_ends_the_question(
    heard: Group, tutor: int, household: Household
) -> None:
    question = asked_times.ask_for_time(household.id, at(NEXT).id, TUESDAY)
    assert asked_times.answer_asked_time(question.id, False) is None
    assert at(NEXT).version == 1
    again = asked_times.ask_for_time(household.id, at(NEXT).id, TUESDAY).id
    changes.cancel_lesson(at(NEXT).id, "ill", tutor_id=tutor)
    assert db.session.get_one(Question, again).ended_at is not None


def test_family_away_cancels_what_is_its_own_and_says_no_to_the_rest(
    heard: Group, tutor: int, household: Household
) -> None:
    neighbours = people.make_household(windows=HOURS).pupils[0].requests[0].id
    with transaction():
        pupil = household.pupils[0]
        second = TutoringRequest(
            subject=people.subject("french"), level=pupil.level, created_at=MONDAY
        )
        pupil.requests.append(second)
    french = people.make_tutor(windows=HOURS, teaches=(("french", "3AC"),))
    with transaction():
        request = db.session.get_one(TutoringRequest, neighbours)
        request.subject = people.subject("french")
    shared = active_group(french, [second.id, neighbours], starts=[("tue", "18:00")])
    families_have_heard_of_the_beginning()
    by = change_policy.family(household.id)
    others, alone = weeks.family_away(household.id, date(2026, 11, 9), by)
    assert [lesson.group_id for lesson in others] == [shared.id]
    assert [lesson.wall_start for lesson in alone] == [NEXT]
    assert lesson_answers.answers_of(household.id, [others[0].id]) == {others[0].id: False}
    assert [who for who, _kind, _version in reminders(others[0])].count("household") == 2
    assert told() == [("cancellation", "tutor")]


def test_family_stops_one_subject_and_keeps_its_consent(heard: Group, household: Household) -> None:
    request = household.pupils[0].requests[0]
    family_children.stop_subject(household.id, request.id)
    db.session.rollback()
    assert db.session.get_one(TutoringRequest, request.id).state is RequestState.ENDED
    assert {row.state for row in db.session.scalars(select(Lesson))} == {LessonState.CANCELLED}
    assert told() == [("cancellation", "tutor")]
    with pytest.raises(NotFound):
        family_children.stop_subject(household.id, request.id)


# --- weeks and ends


def test_week_of_a_group_is_cancelled_in_one_message_each(tutor: int) -> None:
    home = people.make_household(windows=HOURS)
    with transaction():
        home.pupils[0].requests[0].lessons_per_week = 2
    twice = active_group(
        tutor, [home.pupils[0].requests[0].id], starts=[("mon", "18:00"), ("wed", "18:00")]
    )
    families_have_heard_of_the_beginning()
    assert [len(week.lessons) for week in weeks.weeks_of_group(twice.id)] == [2, 2, 2, 2]
    with pytest.raises(Invalid):
        weeks.cancel_week(twice.id, date(2026, 11, 9), " ", None)
    gone = weeks.cancel_week(twice.id, date(2026, 11, 9), "holidays", None)
    assert [lesson.wall_start.day for lesson in gone] == [9, 11]
    assert told() == [("cancellation", "family"), ("cancellation", "tutor")]
    with pytest.raises(Conflict):
        weeks.cancel_week(twice.id, date(2026, 11, 9), "holidays", None, tutor_id=tutor)
    with pytest.raises(Invalid):
        weeks.cancel_week(twice.id, date(2026, 12, 7), "holidays", None)


def test_days_off_are_told_and_taken_back_before_they_left_are_not(
    heard: Group, tutor: int
) -> None:
    absences.plan_absence(tutor, date(2026, 11, 9), date(2026, 11, 10), "ill")
    assert told() == [("cancellation", "family")]
    absences.take_absence_back(tutor, absences.list_absences(tutor)[0].id)
    assert told() == []
    assert reminders(at(NEXT)) == of_version(3)


def test_somebody_else_is_looked_for_on_days_off_and_no_more_when_they_are_taken_back(
    heard: Group, tutor: int
) -> None:
    people.make_tutor(name="Omar Ziani", windows=HOURS)
    planned = absences.plan_absence(tutor, date(2026, 11, 9), date(2026, 11, 10), "ill", seek=True)
    assert ([*planned.lessons], [row.wall_start for row in planned.sought]) == ([], [NEXT])
    assert told() == [("question", "tutor")]
    absences.take_absence_back(tutor, absences.list_absences(tutor)[0].id)
    assert told() == []
    assert reminders(at(NEXT)) == of_version(1)


def test_tutor_who_ends_a_group_tells_the_family_and_does_not_get_it_again(
    heard: Group, tutor: int
) -> None:
    groups.end_group(heard.id, "too much", tutor_id=tutor)
    assert told() == [("lessons_end", "family")]
    assert db.session.scalars(select(Veto.tutor_id)).all() == [tutor]
    assert db.session.scalars(select(TutoringRequest.state)).all() == [RequestState.WAITING]


def test_coordinator_who_ends_a_group_has_both_told_once(heard: Group) -> None:
    groups.end_group(heard.id, "too much")
    assert told() == [("cancellation", "tutor"), ("lessons_end", "family")]


# --- two at one instant


def test_two_changes_at_one_instant_do_not_take_one_hour_both(
    app: Flask, heard: Group, tutor: int
) -> None:
    other = people.make_household(windows=HOURS).pupils[0].requests[0].id
    wednesday = active_group(tutor, [other], starts=[("wed", "18:00")])
    ids = [at(NEXT, heard.id).id, at(datetime(2026, 11, 11, 18), wednesday.id).id]
    db.session.remove()
    ready = threading.Barrier(2)
    outcomes: list[str] = []

    def move(lesson_id: int) -> None:
        with app.app_context():
            ready.wait(10)
            try:
                changes.move_lesson(lesson_id, TUESDAY, change_policy.tutor(tutor))
                outcomes.append("moved")
            except Conflict:
                outcomes.append("refused")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=move, args=(number,)) for number in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["moved", "refused"]
    assert len(db.session.scalars(select(Lesson).where(Lesson.wall_start == TUESDAY)).all()) == 1
