"""Somebody gives one lesson in its tutor's place: who is asked when, and the first yes has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import delete, select

from app.database import transaction
from app.extensions import db
from app.gateways.console import ConsoleGateway
from app.models import (
    AuditEntry,
    CallRequest,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Question,
    QuestionKind,
    Reminder,
    Substitution,
    SubstitutionState,
    Tutor,
    TutorState,
)
from app.services import new_times, substitution, suspension, volunteer
from app.services.errors import Conflict, NotFound
from app.services.handing import begin_handings
from app.services.outbox import claim_messages
from tests.support import people
from tests.support.groups import active_group
from tests.support.programmes import programme_at

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
SECOND = datetime(2026, 11, 9, 18, tzinfo=UTC)
"""The lesson of the week after: its search ends the evening before."""
UNTIL = datetime(2026, 11, 8, 20, 30, tzinfo=UTC)
DAILY = tuple(f"{day} 18:00-20:00" for day in ("mon", "tue", "wed", "thu"))


clock = programme_at(MONDAY)


@pytest.fixture
def tutor() -> int:
    return people.make_tutor(windows=DAILY)


@pytest.fixture
def lesson(tutor: int) -> int:
    """The second lesson of a group of one."""
    household = people.make_household(windows=DAILY)
    group = active_group(tutor, [household.pupils[0].requests[0].id])
    ordered = select(Lesson.id).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
    return list(db.session.scalars(ordered))[1]


def seek(lesson_id: int) -> Substitution:
    with transaction():
        lesson = db.session.get_one(Lesson, lesson_id, with_for_update=True)
        return substitution.seek(lesson, lesson.given_by)


def asked() -> list[int | None]:
    """The tutors who can answer a question now, in the order in which they were asked."""
    db.session.rollback()
    open_questions = select(Question.tutor_id).where(
        Question.kind == QuestionKind.SUBSTITUTE,
        Question.answered_at.is_(None),
        Question.ended_at.is_(None),
    )
    return list(db.session.scalars(open_questions.order_by(Question.id)))


def question_to(tutor_id: int) -> int:
    newest = select(Question.id).where(Question.tutor_id == tutor_id).order_by(Question.id.desc())
    number = db.session.scalar(newest.limit(1))
    assert number is not None
    return number


def state_of(lesson_id: int) -> SubstitutionState:
    db.session.rollback()
    newest = select(Substitution.state).where(Substitution.lesson_id == lesson_id)
    state = db.session.scalar(newest.order_by(Substitution.id.desc()).limit(1))
    assert state is not None
    return state


def reminded(lesson_id: int) -> set[tuple[str, int]]:
    db.session.rollback()
    owed = select(Reminder).where(Reminder.lesson_id == lesson_id, Reminder.cancelled_at.is_(None))
    return {
        (row.recipient.partition(":")[0], row.lesson_version) for row in db.session.scalars(owed)
    }


def told(kind: MessageKind) -> set[tuple[int | None, int | None]]:
    rows = select(Message).where(Message.kind == kind, Message.state == MessageState.PLANNED)
    return {(row.household_id, row.tutor_id) for row in db.session.scalars(rows)}


def test_family_is_not_reminded_of_a_volunteer_who_said_that_they_cannot(
    lesson: int, clock: time_machine.Traveller
) -> None:
    other = people.make_tutor(name="Nadia Alaoui")
    seek(lesson)
    begin_handings(claim_messages(99), [ConsoleGateway()])
    clock.move_to(SECOND - timedelta(hours=24))
    (text,) = leaving("درس الاثنين")
    assert "Hiba مع شخص آخر ما زلنا نبحث عنه" in text
    assert "Rania" not in text
    substitution.answer_offer(question_to(other), True)
    (text,) = leaving("درس الاثنين")
    assert "Hiba مع Nadia" in text


def leaving(words: str) -> list[str]:
    """The texts with these words that leave now."""
    sent = begin_handings(claim_messages(99), [ConsoleGateway()])
    return [one.outgoing.text for one in sent if words in one.outgoing.text]


def test_they_are_asked_one_after_the_other(lesson: int, clock: time_machine.Traveller) -> None:
    first, second, third = (people.make_tutor(name=f"Sub {number}") for number in "ABC")
    search = seek(lesson)
    assert search.until == UNTIL
    assert asked() == [first]
    clock.shift(timedelta(hours=5, minutes=59))
    assert substitution.keep_searches() == 0
    clock.shift(timedelta(minutes=1))
    assert substitution.keep_searches() == 1
    assert asked() == [first, second]
    substitution.answer_offer(question_to(second), False)
    # The first one's time is over, but a late yes of theirs would still count.
    assert asked() == [first, third]
    substitution.answer_offer(question_to(first), False)
    assert asked() == [third]


def test_night_is_no_time_to_answer_in(lesson: int, clock: time_machine.Traveller) -> None:
    first, second = (people.make_tutor(name=f"Sub {number}") for number in "AB")
    clock.move_to(datetime(2026, 11, 2, 20, tzinfo=UTC))
    seek(lesson)
    clock.move_to(datetime(2026, 11, 3, 12, 59, tzinfo=UTC))
    assert substitution.keep_searches() == 0
    assert asked() == [first]
    clock.shift(timedelta(minutes=1))
    substitution.keep_searches()
    assert asked() == [first, second]


def test_several_are_asked_at_once_where_time_is_short(
    lesson: int, clock: time_machine.Traveller
) -> None:
    subs = [people.make_tutor(name=f"Sub {number}") for number in "ABCDE"]
    # With a clock that goes on: those of one turn are not asked at quite the same instant.
    clock.move_to(UNTIL - timedelta(minutes=70), tick=True)
    seek(lesson)
    assert asked() == subs[:3]
    clock.shift(timedelta(minutes=34))
    substitution.keep_searches()
    assert asked() == subs[:3]
    clock.shift(timedelta(minutes=1))
    substitution.keep_searches()
    assert asked() == subs


def test_first_yes_has_it(lesson: int, tutor: int, clock: time_machine.Traveller) -> None:
    first, second = (people.make_tutor(name=f"Sub {number}") for number in "AB")
    seek(lesson)
    assert reminded(lesson) == {("household", 1)}
    clock.shift(timedelta(hours=6))
    substitution.keep_searches()
    taken = substitution.answer_offer(question_to(second), True)
    assert taken is not None
    assert (taken.substitute_id, taken.version, taken.given_by.id) == (second, 2, second)
    assert (state_of(lesson), asked()) == (SubstitutionState.TAKEN, [])
    family = taken.group.members[0].request.pupil.household_id
    assert told(MessageKind.SUBSTITUTION) == {(family, None), (None, tutor)}
    assert reminded(lesson) == {("household", 2), ("tutor", 2)}
    with pytest.raises(Conflict):
        substitution.answer_offer(question_to(first), True)
    assert substitution.answer_offer(question_to(first), False) is None
    # A text that comes twice is no fault.
    assert substitution.answer_offer(question_to(second), True) is taken


def test_who_is_busy_by_the_time_of_the_yes_does_not_get_it(lesson: int) -> None:
    sub = people.make_tutor(name="Sub A", most=5)
    seek(lesson)
    family = people.make_household()
    active_group(sub, [family.pupils[0].requests[0].id])
    with pytest.raises(Conflict):
        substitution.answer_offer(question_to(sub), True)
    assert db.session.get_one(Lesson, lesson).substitute_id is None


def test_nobody_left_tells_the_family_and_proposes_a_time(
    lesson: int, tutor: int, clock: time_machine.Traveller
) -> None:
    people.make_tutor(name="Sub A")
    seek(lesson)
    clock.move_to(UNTIL)
    assert substitution.keep_searches() == 1
    row = db.session.get_one(Lesson, lesson)
    assert (row.state, row.cancel_reason) == (LessonState.CANCELLED, substitution.NOBODY_FREE)
    assert state_of(lesson) is SubstitutionState.NOBODY
    family = row.group.members[0].request.pupil.household_id
    assert told(MessageKind.CANCELLATION) == {(family, None), (None, tutor)}
    asked_family = db.session.scalars(
        select(Question).where(Question.kind == QuestionKind.NEW_TIME)
    ).one()
    assert asked_family.household_id == family
    assert asked_family.options == [["yes", "2026-11-10T18:00"], ["no"]]
    assert substitution.keep_searches() == 0


def test_new_time_is_planned_once_all_families_agree(
    tutor: int, clock: time_machine.Traveller
) -> None:
    families = [people.make_household(windows=DAILY) for _ in range(2)]
    group = active_group(tutor, [family.pupils[0].requests[0].id for family in families])
    lesson = db.session.scalars(
        select(Lesson).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
    ).all()[1]
    clock.move_to(MONDAY, tick=True)
    seek(lesson.id)
    questions = db.session.scalars(
        select(Question).where(Question.kind == QuestionKind.NEW_TIME).order_by(Question.id)
    ).all()
    first, second = (question.id for question in questions)
    assert new_times.answer_new_time(first, True) is None
    assert db.session.get_one(Lesson, lesson.id).state is LessonState.CANCELLED
    planned = new_times.answer_new_time(second, True)
    assert planned is not None
    assert (planned.state, planned.wall_start, planned.slot_start, planned.version) == (
        LessonState.PLANNED,
        datetime(2026, 11, 3, 18),
        datetime(2026, 11, 9, 18),
        3,
    )
    assert reminded(lesson.id) == {("household", 3), ("tutor", 3)}


def test_first_no_ends_a_proposal(tutor: int) -> None:
    families = [people.make_household(windows=DAILY) for _ in range(2)]
    group = active_group(tutor, [family.pupils[0].requests[0].id for family in families])
    lesson = db.session.scalars(select(Lesson).where(Lesson.group_id == group.id)).all()[1]
    seek(lesson.id)
    first, second = db.session.scalars(
        select(Question.id).where(Question.kind == QuestionKind.NEW_TIME).order_by(Question.id)
    ).all()
    assert new_times.answer_new_time(first, False) is None
    with pytest.raises(Conflict):
        new_times.answer_new_time(second, True)


def test_families_without_a_common_time_are_called(tutor: int) -> None:
    family = people.make_household(windows=("mon 18:00-19:00",))
    group = active_group(tutor, [family.pupils[0].requests[0].id])
    lesson = db.session.scalars(select(Lesson).where(Lesson.group_id == group.id)).first()
    assert lesson is not None
    seek(lesson.id)
    assert db.session.scalar(select(Question)) is None
    calls = db.session.scalars(select(CallRequest.household_id)).all()
    assert calls == [family.id]


def test_tutor_comes_after_all(lesson: int, tutor: int) -> None:
    sub = people.make_tutor(name="Sub A")
    seek(lesson)
    with pytest.raises(NotFound):
        substitution.come_after_all(lesson, tutor_id=sub)
    substitution.come_after_all(lesson, tutor_id=tutor)
    assert (state_of(lesson), asked()) == (SubstitutionState.ENDED, [])
    assert reminded(lesson) == {("household", 1), ("tutor", 1)}
    with pytest.raises(Conflict):
        substitution.come_after_all(lesson, tutor_id=tutor)


def test_suspended_substitute_is_replaced(lesson: int) -> None:
    first, second = (people.make_tutor(name=f"Sub {number}") for number in "AB")
    seek(lesson)
    substitution.answer_offer(question_to(first), True)
    suspension.suspend_tutor(first, "a worry", None)
    row = db.session.get_one(Lesson, lesson)
    assert (row.substitute_id, row.state) == (None, LessonState.PLANNED)
    assert asked() == [second]


def test_substitute_who_cannot_after_all_is_not_asked_again(lesson: int) -> None:
    first, second = (people.make_tutor(name=f"Sub {number}") for number in "AB")
    seek(lesson)
    substitution.answer_offer(question_to(first), True)
    seek(lesson)
    assert asked() == [second]
    family = db.session.get_one(Lesson, lesson).group.members[0].request.pupil.household_id
    own = db.session.get_one(Lesson, lesson).group.tutor_id
    db.session.execute(delete(Message))  # as if all had left
    db.session.commit()
    substitution.come_after_all(lesson, tutor_id=own)
    assert told(MessageKind.SUBSTITUTION) == {(family, None)}


def test_numbers_are_shown_until_the_lesson_is_over(
    lesson: int, tutor: int, clock: time_machine.Traveller
) -> None:
    sub = people.make_tutor(name="Sub A")
    seek(lesson)
    week = volunteer.read_week(db.session.get_one(Tutor, sub))
    assert ([entry.entry.lesson.id for entry in week.asked], week.pupils_with_contact) == (
        [lesson],
        [],
    )
    substitution.answer_offer(question_to(sub), True)
    pupil = db.session.get_one(Lesson, lesson).group.members[0].request.pupil_id
    week = volunteer.read_week(db.session.get_one(Tutor, sub))
    assert (week.asked, week.pupils_with_contact) == ([], [pupil])
    clock.move_to(SECOND + timedelta(minutes=59))
    week = volunteer.read_week(db.session.get_one(Tutor, sub))
    assert week.pupils_with_contact == [pupil]
    clock.shift(timedelta(minutes=1))
    week = volunteer.read_week(db.session.get_one(Tutor, sub))
    assert (week.standing_in, week.pupils_with_contact) == ([], [])
    assert [entry.lesson.id for entry in week.to_note] == [lesson]
    own = volunteer.read_week(db.session.get_one(Tutor, tutor))
    assert lesson not in [entry.lesson.id for entry in own.to_note]


def test_coordinator_gives_it_by_hand_but_not_to_who_is_not_vetted(lesson: int) -> None:
    by = people.make_coordinator()
    away = people.make_tutor(name="Sub A", windows=("fri 10:00-11:00",))
    registered = people.make_tutor(name="Sub B", state=TutorState.REGISTERED)
    seek_by_hand = substitution.give_by_hand(lesson, away, by)
    assert seek_by_hand.substitute_id == away
    assert (None, away) in told(MessageKind.SUBSTITUTION)
    with pytest.raises(Conflict):
        substitution.give_by_hand(lesson, registered, by)
    acts = db.session.scalars(
        select(AuditEntry.coordinator_id).where(AuditEntry.action == "stand_in")
    ).all()
    assert acts == [by.id]


def test_search_ends_where_the_lesson_changed_otherwise(
    lesson: int, clock: time_machine.Traveller
) -> None:
    sub = people.make_tutor(name="Sub A")
    seek(lesson)
    with transaction():
        row = db.session.get_one(Lesson, lesson)
        row.version += 1
    with pytest.raises(Conflict):
        substitution.answer_offer(question_to(sub), True)
    assert substitution.keep_searches() == 1
    assert (state_of(lesson), asked()) == (SubstitutionState.ENDED, [])
