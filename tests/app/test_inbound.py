"""Texts and missed calls: taken once, bound to what was asked, answered with measure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import time_machine
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import InboundText, MissedCall
from app.models import (
    Household,
    InboundMessage,
    Lesson,
    LessonState,
    Meaning,
    Message,
    MessageKind,
    MessageState,
    Question,
    QuestionKind,
    Reminder,
    Tutor,
    Worry,
)
from app.services import inbound, lesson_answers, senders
from app.services.message_texts import reply_text
from app.services.telling import Reply
from scheduler import clock
from tests.support.groups import active_group
from tests.support.people import make_household, make_tutor
from tests.support.programmes import programme_at

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
BEFORE_THE_LESSON = datetime(2026, 11, 9, 16, 5, tzinfo=UTC)
"""Lessons are on Mondays at 18:00; the second reminder of the second one has left."""
_ids = count(1)


time = programme_at(MONDAY)


def says(household: Household | Tutor | str, text: str) -> InboundMessage:
    """Have a text come in from somebody's telephone; what was kept of it."""
    address = household if isinstance(household, str) else household.phone
    assert address is not None
    name = f"id-{next(_ids)}"
    assert inbound.take_text("kannel", InboundText(name, address, text))
    return db.session.scalars(
        select(InboundMessage).where(InboundMessage.provider_id == name)
    ).one()


def says_before_a_crash(
    household: Household, text: str, monkeypatch: pytest.MonkeyPatch
) -> InboundMessage:
    """Have a text come in that is kept, though the program ends before it acts on it."""
    with monkeypatch.context() as cut:
        cut.setattr(inbound, "_act", lambda number: None)
        return says(household, text)


def replies() -> list[Message]:
    return list(
        db.session.scalars(
            select(Message).where(Message.kind == MessageKind.REPLY).order_by(Message.id)
        )
    )


def lesson_of(household: Household, place: int = 0) -> Lesson:
    """A lesson that the family's page shows, by its place in time."""
    request_ids = {request.id for pupil in household.pupils for request in pupil.requests}
    lessons = db.session.scalars(select(Lesson).order_by(Lesson.starts_at, Lesson.id)).all()
    mine = [
        lesson
        for lesson in lessons
        if any(seat.request_id in request_ids for seat in lesson.group.memberships)
    ]
    return [lesson for lesson in mine if lesson.starts_at > MONDAY + timedelta(days=2)][place]


def remind(household: Household, kind: MessageKind = MessageKind.LESSON_2H) -> Message:
    """The family's next reminder of a kind, as it is once it has left."""
    with transaction():
        message = db.session.scalars(
            select(Message)
            .where(
                Message.household_id == household.id,
                Message.kind == kind,
                Message.state == MessageState.PLANNED,
                Message.due_at > MONDAY + timedelta(days=2),
            )
            .order_by(Message.due_at)
        ).first()
        assert message is not None
        message.state, message.handed_at = MessageState.DELIVERED, message.due_at
    return message


def taught(
    *pupils: tuple[str, str, tuple[str, ...]], evenings: tuple[str, ...] = ("18:00",)
) -> Household:
    """A family whose children have a lesson each on Mondays, at these times."""
    windows = ("mon 17:00-22:00",)
    household = make_household(
        pupils=pupils or (("Sara Touil", "3AC", ("maths",)),), windows=windows
    )
    requests = [request.id for pupil in household.pupils for request in pupil.requests]
    for request_id, start in zip(requests, evenings, strict=True):
        active_group(make_tutor(windows=windows), [request_id], starts=(("mon", start),))
    return household


def said(lesson: Lesson, household: Household) -> bool | None:
    return lesson_answers.answers_of(household.id, [lesson.id]).get(lesson.id)


def test_two_says_that_the_child_of_the_reminder_can_not_come(
    time: time_machine.Traveller,
) -> None:
    household = taught()
    lesson, reminder = lesson_of(household), remind(household)
    time.move_to(BEFORE_THE_LESSON)
    row = says(household, "٢")
    assert said(lesson, household) is False
    assert (row.meaning, row.lesson_id, row.message_id) == (
        Meaning.NOT_COMING, lesson.id, reminder.id,
    )  # fmt: skip
    assert (row.read_at, row.act_at) == (BEFORE_THE_LESSON, None)
    assert [(one.household_id, one.gateway) for one in replies()] == [(household.id, "kannel")]
    time.shift(timedelta(minutes=2))
    assert says(household, "1").meaning is Meaning.COMING
    assert said(lesson, household) is True


def test_a_number_is_the_familys_however_the_gateway_writes_it(
    time: time_machine.Traveller,
) -> None:
    household = taught()
    lesson = lesson_of(household)
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    national = "0" + household.phone.removeprefix("+212")
    for number, coming in ((national, "2"), ("whatsapp:" + household.phone, "1"),
                           (household.phone.removeprefix("+"), "2")):  # fmt: skip
        assert says(number, coming).household_id == household.id
        assert said(lesson, household) is (coming == "1")


def test_a_text_that_comes_twice_is_taken_once() -> None:
    household = make_household()
    text = InboundText("SM1", household.phone, "Bonjour, à quelle heure ?")
    assert inbound.take_text("kannel", text)
    assert not inbound.take_text("kannel", text)
    assert inbound.take_text("twilio", text)
    assert len(db.session.scalars(select(InboundMessage)).all()) == 2
    assert len(replies()) == 1


def test_ids_that_are_missing_or_long_lose_no_text() -> None:
    household = make_household()
    for name in ("", "", "x" * 300, "x" * 299 + "y", "x" * 300):
        inbound.take_text("kannel", InboundText(name, household.phone, "Bonjour"))
    assert len(db.session.scalars(select(InboundMessage)).all()) == 4


def test_stop_and_start_are_done_as_they_are_taken(time: time_machine.Traveller) -> None:
    household = taught()
    message = remind(household)
    with transaction():
        message.state, message.handed_at = MessageState.PLANNED, None
    time.move_to(BEFORE_THE_LESSON)
    says(household, "قِف")
    assert household.messages_stopped_at == BEFORE_THE_LESSON
    assert [one.household_id for one in replies()] == [household.id]
    with transaction():  # as delivery does
        message.state = MessageState.SUPPRESSED
    time.shift(timedelta(seconds=5))
    says(household, "stop")  # again: nothing is said twice
    says(household, "Bonjour ?")
    assert len(replies()) == 1
    says(household, "START")
    assert household.messages_stopped_at is None
    assert len(replies()) == 2
    reminder = db.session.scalars(
        select(Reminder).where(
            Reminder.household_id == household.id,
            Reminder.kind == MessageKind.LESSON_2H,
            Reminder.lesson_id == lesson_of(household).id,
        )
    ).one()
    assert reminder.message_id != message.id
    assert reminder.message is not None
    assert reminder.message.state is MessageState.PLANNED


def test_what_twilio_took_as_stop_and_start_is_so_here_too(time: time_machine.Traveller) -> None:
    household = taught()
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    read = [
        (row.meaning, row.read_at is not None, household.messages_stopped_at is not None)
        for word, opted in (("YES", True), ("CANCEL", False), ("YES", True), ("STOP", False))
        if (row := says_by_twilio(household, word, opted=opted))
    ]
    assert read == [
        (Meaning.COMING, True, False),  # nothing was stopped: the answer to the reminder
        (Meaning.STOP, False, True),  # it may have meant the lesson: a coordinator reads it
        (Meaning.START, True, False),
        (Meaning.STOP, True, True),
    ]
    assert [one.text for one in replies()] == [reply_text("ar", Reply.STARTED, to_tutor=False)]


def says_by_twilio(household: Household, text: str, *, opted: bool) -> InboundMessage:
    """Have a text come in that Twilio itself has obeyed."""
    name = f"id-{next(_ids)}"
    assert inbound.take_text("twilio", InboundText(name, household.phone, text, opted))
    return db.session.scalars(
        select(InboundMessage).where(InboundMessage.provider_id == name)
    ).one()


def test_a_stop_also_holds_back_the_answers_of_before() -> None:
    household = make_household()
    says(household, "Bonjour")
    says(household, "STOP")
    states = [one.state for one in replies()]
    assert states == [MessageState.SUPPRESSED, MessageState.PLANNED]


def test_a_volunteers_stop_is_theirs() -> None:
    tutor = db.session.get_one(Tutor, make_tutor())
    with transaction():
        tutor.phone = "+212611223344"
    says(tutor, "ARRÊT")
    assert tutor.messages_stopped_at == MONDAY
    assert [one.tutor_id for one in replies()] == [tutor.id]


def two_children(time: time_machine.Traveller) -> tuple[Household, Lesson, Lesson]:
    """A family with two children's lessons of one evening, of which one text reminded."""
    household = taught(
        ("Sara Touil", "3AC", ("maths",)), ("Omar Touil", "3AC", ("maths",)),
        evenings=("18:00", "19:00"),
    )  # fmt: skip
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    return household, lesson_of(household, 0), lesson_of(household, 1)


def ask(household: Household) -> Question:
    """The question that is put to the family, as it is once it has left."""
    question = db.session.scalars(
        select(Question).where(Question.household_id == household.id)
    ).one()
    with transaction():
        assert question.message is not None
        question.message.state = MessageState.DELIVERED
        question.message.handed_at = BEFORE_THE_LESSON
    return question


def test_two_children_are_asked_about_once(time: time_machine.Traveller) -> None:
    household, sara, omar = two_children(time)
    assert says(household, "2").meaning is Meaning.NOT_COMING
    says(household, "2 !")  # impatient: the question has not even left
    assert (said(sara, household), said(omar, household)) == (None, None)
    question = ask(household)
    assert question.kind is QuestionKind.WHICH_LESSON
    assert question.options == [[sara.id, False], [omar.id, False]]
    row = says(household, "2")
    assert (row.meaning, row.question_id, row.lesson_id) == (Meaning.ANSWER, question.id, omar.id)
    assert (said(sara, household), said(omar, household)) == (None, False)
    assert question.answered_at == BEFORE_THE_LESSON
    says(household, "1")
    assert said(sara, household) is False


@pytest.mark.parametrize("words", ["3", "les deux", "بجوج"])
def test_both_children_can_be_meant(time: time_machine.Traveller, words: str) -> None:
    household, sara, omar = two_children(time)
    says(household, "2")
    ask(household)
    says(household, words)
    assert (said(sara, household), said(omar, household)) == (False, False)


def test_a_childs_name_is_an_answer(time: time_machine.Traveller) -> None:
    household, sara, omar = two_children(time)
    says(household, "1")
    ask(household)
    assert says(household, "OMAR").meaning is Meaning.ANSWER
    assert (said(sara, household), said(omar, household)) == (None, True)


def test_lessons_of_one_child_are_answered_together(time: time_machine.Traveller) -> None:
    household = taught(("Sara Touil", "3AC", ("maths", "french")), evenings=("18:00", "19:00"))
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    says(household, "2")
    assert [said(lesson_of(household, place), household) for place in (0, 1)] == [False, False]


def test_an_answer_that_comes_too_late_is_told_so(time: time_machine.Traveller) -> None:
    household = taught()
    lesson = lesson_of(household)
    remind(household)
    time.move_to(lesson.starts_at + timedelta(minutes=1))
    row = says(household, "1")
    assert (row.meaning, said(lesson, household)) == (Meaning.COMING, None)
    assert len(replies()) == 1


def test_an_answer_to_a_cancelled_lesson_is_told_so(time: time_machine.Traveller) -> None:
    household = taught()
    lesson = lesson_of(household)
    remind(household)
    with transaction():
        lesson.state = LessonState.CANCELLED
    time.move_to(BEFORE_THE_LESSON)
    assert says(household, "2").read_at is not None
    assert said(lesson, household) is None
    assert len(replies()) == 1


def test_what_was_said_of_a_time_that_changed_is_left_to_a_coordinator(
    time: time_machine.Traveller,
) -> None:
    household = taught()
    lesson = lesson_of(household)
    remind(household)
    with transaction():
        lesson.version += 1
    time.move_to(BEFORE_THE_LESSON)
    row = says(household, "2")
    assert (row.read_at, said(lesson, household)) == (None, None)


def test_other_words_go_to_the_inbox_with_one_thank_you(time: time_machine.Traveller) -> None:
    household = make_household()
    first = says(household, "Bonjour, Sara est à l'hôpital")
    time.shift(timedelta(minutes=5))
    second = says(household, "On vous rappelle demain")
    assert (first.meaning, first.read_at) == (Meaning.FREE_TEXT, None)
    assert second.read_at is None
    assert len(replies()) == 1


def test_a_key_without_anything_asked_is_left_to_a_coordinator() -> None:
    row = says(make_household(), "1")
    assert (row.meaning, row.read_at) == (Meaning.FREE_TEXT, None)


def test_words_beside_an_answer_are_read_too(time: time_machine.Traveller) -> None:
    household = taught()
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    row = says(household, "2 Sara est malade")
    assert (row.meaning, row.read_at) == (Meaning.NOT_COMING, None)
    assert said(lesson_of(household), household) is False


def test_a_worry_is_reported_by_text() -> None:
    household = make_household()
    row = says(household, "SOS il crie sur elle")
    assert row.meaning is Meaning.WORRY
    worry = db.session.scalars(select(Worry)).one()
    assert (worry.household_id, worry.text) == (household.id, "SOS il crie sur elle")


def test_unknown_numbers_get_one_polite_answer_a_day(time: time_machine.Traveller) -> None:
    stranger = "+212661234567"
    rows = [says(stranger, text) for text in ("Allo", "2", "qui est-ce ?")]
    assert {row.meaning for row in rows} == {Meaning.UNKNOWN_NUMBER}
    assert {row.read_at for row in rows} == {None}
    assert [one.to_address for one in replies()] == [stranger]
    time.shift(timedelta(hours=25))
    says(stranger, "Allo")
    assert len(replies()) == 2


@pytest.mark.parametrize("address", ["1234", "INWI", "+33612345678", "+96012345", "", "٣٤٥"])
def test_machines_and_foreign_numbers_get_no_answer(address: str) -> None:
    assert says(address, "Votre solde est de 10 dh").meaning is Meaning.UNKNOWN_NUMBER
    assert replies() == []


def test_a_stranger_who_wants_none_gets_none() -> None:
    says("+212661234567", "STOP")
    says("+212661234567", "Allo")
    assert replies() == []


def test_two_machines_that_answer_each_other_come_to_an_end(time: time_machine.Traveller) -> None:
    household = make_household()
    for number in range(40):
        says(household, "STOP" if number % 2 else "START")
        time.shift(timedelta(minutes=2))
    assert len(replies()) == senders.MOST_REPLIES_A_DAY


def test_one_answer_a_minute(time: time_machine.Traveller) -> None:
    household = taught()
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    for text in ("2", "1", "2", "1"):
        says(household, text)
    assert len(replies()) == 1


def put(kind: QuestionKind, lesson: Lesson, options: list[object], **to: int) -> Question:
    """A question that has left to somebody."""
    now = clock.now()
    with transaction():
        question = Question(
            kind=kind, lesson_id=lesson.id, options=options, asked_at=now,
            expires_at=now + timedelta(days=1), **to,
            message=Message(
                kind=MessageKind.QUESTION, state=MessageState.DELIVERED, due_at=now,
                next_try_at=now, expires_at=now + timedelta(days=1), created_at=now,
                handed_at=now, **to,
            ),
        )  # fmt: skip
        db.session.add(question)
    return question


@pytest.mark.parametrize(
    ("words", "state"), [("1", LessonState.HELD), ("لا", LessonState.NOT_HELD)]
)
def test_a_volunteer_says_whether_a_lesson_was_held(
    time: time_machine.Traveller, words: str, state: LessonState
) -> None:
    lesson = lesson_of(taught())
    tutor = lesson.group.tutor
    with transaction():
        tutor.phone = "+212611223344"
    time.move_to(lesson.starts_at + timedelta(hours=3))
    question = put(QuestionKind.WAS_IT_HELD, lesson, ["held", "not_held"], tutor_id=tutor.id)
    row = says(tutor, words)
    assert (lesson.state, row.meaning, row.question_id) == (state, Meaning.ANSWER, question.id)
    assert [reply.tutor_id for reply in replies()] == [tutor.id]
    time.shift(timedelta(minutes=5))
    says(tutor, "1")  # it is noted by now
    assert (lesson.state, len(replies())) == (state, 2)


def test_a_family_says_that_another_time_does_not_suit(time: time_machine.Traveller) -> None:
    household = taught()
    lesson = lesson_of(household)
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    with transaction():
        lesson.state = LessonState.CANCELLED
    options: list[object] = [["yes", "2026-11-12T17:00"], ["no"]]
    question = put(QuestionKind.NEW_TIME, lesson, options, household_id=household.id)
    assert says(household, "3").read_at is None  # no such key
    row = says(household, "2")
    assert (row.meaning, row.question_id) == (Meaning.ANSWER, question.id)
    assert (question.answer, lesson.state) == (2, LessonState.CANCELLED)


def test_a_volunteer_who_says_yes_when_it_is_settled_is_told_so(
    time: time_machine.Traveller,
) -> None:
    lesson = lesson_of(taught())
    other = db.session.get_one(Tutor, make_tutor(name="Omar Ziani"))
    with transaction():
        other.phone = "+212611223344"
    put(QuestionKind.SUBSTITUTE, lesson, ["yes", "no"], tutor_id=other.id)
    row = says(other, "oui")
    assert (row.meaning, lesson.substitute_id) == (Meaning.ANSWER, None)
    assert [reply.tutor_id for reply in replies()] == [other.id]


def test_what_was_cut_off_is_done_by_the_worker(
    time: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    household = taught()
    lesson = lesson_of(household)
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    cut_off = says_before_a_crash(household, "2", monkeypatch)
    assert said(lesson, household) is None
    assert inbound.finish_cut_off() == 0  # whoever took it may still be at it
    time.shift(timedelta(minutes=2))
    assert inbound.finish_cut_off() == 1
    assert said(lesson, household) is False
    assert cut_off.meaning is Meaning.NOT_COMING
    assert inbound.finish_cut_off() == 0


def test_a_word_that_was_cut_off_does_not_undo_a_later_one(
    time: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    household = taught()
    lesson = lesson_of(household)
    remind(household)
    time.move_to(BEFORE_THE_LESSON)
    says_before_a_crash(household, "1", monkeypatch)
    says(household, "2")
    time.shift(timedelta(minutes=2))
    inbound.finish_cut_off()
    assert said(lesson, household) is False


def test_a_missed_call_is_a_wish_to_be_called() -> None:
    household = make_household()
    assert inbound.take_call("kannel", MissedCall("call-1", household.phone))
    assert not inbound.take_call("kannel", MissedCall("call-1", household.phone))
    row = db.session.scalars(select(InboundMessage)).one()
    assert (row.meaning, row.text, row.household_id) == (Meaning.CALL_ME, "", household.id)
    assert db.session.scalars(select(Reminder)).all() == []
