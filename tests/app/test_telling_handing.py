"""Changes against delivery: what is told at the instant at which a text leaves."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.database import is_for_trying_again, transaction
from app.extensions import db
from app.gateways import Gateway, Receipt, ReceiptState
from app.gateways.console import ConsoleGateway
from app.models import (
    OPEN_MESSAGES,
    CallRequest,
    Household,
    Lesson,
    Message,
    MessageKind,
    MessageState,
    Notice,
    Question,
    QuestionKind,
)
from app.services import telling
from app.services.handing import begin_handings
from app.services.outbox import claim_messages, give_back
from app.services.reminders import Recipient
from app.services.telling import Reply
from scheduler import clock
from tests.support import people
from tests.support.outbox import answer
from tests.support.programmes import programme_at
from tests.support.telling import cancel, make_lessons, move, restore

WEDNESDAY = datetime(2026, 11, 25, 18)


class OneWay(ConsoleGateway):
    """A gateway by which no answers come in."""

    can_receive = False


time = programme_at(datetime(2026, 11, 20, 12, tzinfo=UTC))
"""Friday, noon."""


def hand_over(gateways: Sequence[Gateway] = (ConsoleGateway(),)) -> list[str]:
    """The texts that leave now, in their order."""
    return [one.outgoing.text for one in begin_handings(claim_messages(99), gateways)]


def test_text_is_written_from_what_holds_when_it_leaves() -> None:
    lessons = make_lessons()
    move(lessons.first, WEDNESDAY, but=[lessons.tutor])
    claimed = claim_messages(9)
    cancel(lessons.first, but=[lessons.tutor])
    (handing,) = begin_handings(claimed, [ConsoleGateway()])
    assert handing.outgoing.text == (
        "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 17:00 est annulé."
    )
    assert handing.outgoing.subject == "N9raw : cours annulé"
    assert hand_over() == []


def test_at_night_only_what_is_urgent_leaves_and_the_rest_is_told_in_the_morning(
    time: time_machine.Traveller,
) -> None:
    lessons = make_lessons(start=("tue", "08:30"))
    time.move_to(datetime(2026, 11, 23, 22, tzinfo=UTC))
    cancel(*lessons.dated[:3], but=[lessons.tutor])
    (urgent,) = begin_handings(claim_messages(9), [ConsoleGateway()])
    answer(urgent.claimed, Receipt(ReceiptState.ACCEPTED, "1"))
    assert urgent.outgoing.text == (
        "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 08:30 est annulé."
    )
    time.move_to(datetime(2026, 11, 24, 7, 59, tzinfo=UTC))
    cancel(lessons.dated[3], but=[lessons.tutor])
    assert hand_over() == []
    time.move_to(datetime(2026, 11, 24, 8, tzinfo=UTC))
    (rest,) = hand_over()
    assert rest == (
        "N9raw, cours annulés :\n"
        "mathématiques, Sara : mar 1/12 08:30, mar 8/12 08:30, mar 15/12 08:30"
    )


def test_at_night_what_is_urgent_no_more_draws_nothing_else_out(
    time: time_machine.Traveller,
) -> None:
    lessons = make_lessons(start=("tue", "08:30"))
    time.move_to(datetime(2026, 11, 23, 22, tzinfo=UTC))
    cancel(*lessons.dated[:2], but=[lessons.tutor])
    claimed = claim_messages(9)
    restore(lessons.first, but=[lessons.tutor])
    assert begin_handings(claimed, [ConsoleGateway()]) == []
    time.move_to(datetime(2026, 11, 24, 8, tzinfo=UTC))
    (rest,) = hand_over()
    assert "mardi 1er décembre" in rest


def test_what_is_as_it_was_before_a_claimed_text_leaves_is_cancelled() -> None:
    lessons = make_lessons()
    cancel(lessons.first, but=[lessons.tutor])
    claimed = claim_messages(9)
    restore(lessons.first, but=[lessons.tutor])
    assert begin_handings(claimed, [ConsoleGateway()]) == []
    assert db.session.scalars(select(Message.state).where(Message.id == claimed[0].id)).all() == [
        MessageState.CANCELLED
    ]


def test_change_waits_for_the_morning_but_not_where_the_lesson_is_sooner(
    time: time_machine.Traveller,
) -> None:
    lessons = make_lessons()
    time.move_to(datetime(2026, 11, 23, 22, tzinfo=UTC))
    cancel(lessons.dated[1], but=[lessons.tutor])
    assert hand_over() == []
    move(lessons.first, datetime(2026, 11, 24, 8, 30), but=[lessons.tutor])
    assert hand_over() == [
        "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 17:00 est déplacé au"
        " mardi 24 novembre à 08:30."
    ]


def question(kind: QuestionKind, lesson: Lesson, options: list[object], whom: Recipient) -> int:
    with transaction():
        row = Question(
            kind=kind,
            lesson_id=lesson.id,
            options=options,
            asked_at=clock.now(),
            expires_at=clock.now() + timedelta(days=1),
            **whom.columns,
        )
        db.session.add(row)
        db.session.flush()
        telling.tell_question(row)
    return row.id


def test_question_asks_for_a_key_where_answers_come_in_and_ends_with_its_answer() -> None:
    lessons = make_lessons()
    held: list[object] = ["held", "not_held"]
    question(QuestionKind.WAS_IT_HELD, lessons.first, held, lessons.family)
    (words,) = hand_over([ConsoleGateway()])
    assert words.endswith("a-t-il eu lieu ? Répondez 1 pour oui, 2 pour non.")
    question(QuestionKind.WAS_IT_HELD, lessons.first, held, lessons.tutor)
    (words,) = hand_over([OneWay()])
    assert words.endswith("a-t-il eu lieu ? Répondez sur votre page N9raw.")
    number = question(QuestionKind.WAS_IT_HELD, lessons.first, held, lessons.family)
    with transaction():
        db.session.get_one(Question, number).ended_at = clock.now()
    assert hand_over([ConsoleGateway()]) == []


def test_who_cannot_answer_by_text_has_a_page_and_a_family_is_called_besides() -> None:
    lessons = make_lessons()
    times: list[object] = [["yes", "2026-11-25T18:00"], ["no"]]
    calls = select(CallRequest.household_id).where(CallRequest.called_at.is_(None))
    question(QuestionKind.NEW_TIME, lessons.first, times, lessons.tutor)
    (words,) = hand_over([OneWay()])
    assert words.endswith("à 18:00 ? Répondez sur votre page N9raw.")
    question(QuestionKind.NEW_TIME, lessons.first, times, lessons.family)
    (words,) = hand_over([ConsoleGateway()])
    assert words.endswith("à 18:00 ? Répondez 1 pour oui, 2 pour non.")
    assert db.session.scalars(calls).all() == []
    question(QuestionKind.NEW_TIME, lessons.first, times, lessons.family)
    (words,) = hand_over([OneWay()])
    assert words.endswith("à 18:00 ? Répondez sur votre page, ou attendez notre appel.")
    assert db.session.scalars(calls).all() == [lessons.household_id]


def test_family_that_is_called_is_asked_no_question_by_text() -> None:
    lessons = make_lessons()
    with transaction():
        db.session.get_one(Household, lessons.household_id).reach_by_call = True
    times: list[object] = [["yes", "2026-11-25T18:00"], ["no"]]
    number = question(QuestionKind.NEW_TIME, lessons.first, times, lessons.family)
    assert db.session.get_one(Question, number).message_id is None
    assert hand_over() == []


def test_replies_notes_and_calls_leave_as_they_were_written() -> None:
    lessons = make_lessons()
    by = people.make_coordinator()
    with transaction():
        household = db.session.get_one(Household, lessons.household_id)
        telling.tell_note(lessons.family, "Bonne rentrée.", by)
        telling.tell_call_me(household, lessons.group.tutor)
        telling.reply(household, Reply.THANKS, "console")
        telling.reply("+212600000999", "unknown_number", "console")
    assert sorted(hand_over()) == [
        "N9raw : Bonne rentrée.",
        "N9raw : la famille de Sara vous demande de l'appeler. Son numéro est sur votre page.",
        "N9raw : merci, numéro inconnu ici.\nنقراو: شكرا، لا نعرف هذا الرقم.",
        "N9raw : merci, votre réponse est notée.",
    ]


def test_changes_while_texts_leave_end_with_everybody_knowing_what_is(app: Flask) -> None:
    """Two who change and one who delivers, each as fast as they can."""
    lessons = make_lessons()
    ids = [lesson.id for lesson in lessons.dated[:2]]
    texts: list[tuple[int | None, str]] = []
    done = threading.Event()

    def change(which: int) -> None:
        with app.app_context():
            for turn in range(8):
                lesson = db.session.get_one(Lesson, ids[which])
                (cancel if turn % 2 == 0 else restore)(lesson)

    def deliver() -> None:
        with app.app_context():
            while not done.is_set():
                deliver_once()

    def deliver_once() -> None:
        claimed = claim_messages(9)
        try:
            handings = begin_handings(claimed, [ConsoleGateway()])
        except OperationalError as fault:
            if not is_for_trying_again(fault):
                raise
            give_back(claimed[0].claim)  # who changes lessons goes first
            return
        for handing in handings:
            with transaction():
                message = db.session.get_one(Message, handing.claimed.id)
                message.state = MessageState.DELIVERED
                texts.append((message.household_id, handing.outgoing.text))

    changers = [threading.Thread(target=change, args=(which,)) for which in (0, 1)]
    delivery = threading.Thread(target=deliver)
    for thread in (*changers, delivery):
        thread.start()
    for thread in changers:
        thread.join()
    done.set()
    delivery.join()
    with app.app_context():
        deliver_once()
        unsent = (
            select(Notice.id)
            .join(Notice.message)
            .where(Message.state.in_(OPEN_MESSAGES), Notice.cancelled_at.is_(None))
        )
        assert db.session.scalars(unsent).all() == []
        known = {"mar 24/11": True, "mar 1/12": True}
        for household, text in texts:
            if household is not None:
                read(text, known)
        assert known == {"mar 24/11": True, "mar 1/12": True}  # as at the beginning, and as it is


def read(text: str, known: dict[str, bool]) -> None:
    """Learn from a text which lessons take place; none says what is known already."""
    spelt = text.replace("mardi 24 novembre à", "mar 24/11").replace(
        "mardi 1er décembre à", "mar 1/12"
    )
    for day in known:
        if day in spelt:
            said = spelt.split(day)[1].split(",")[0].split(".")[0]
            takes_place = "annulé" not in said and "annulés" not in spelt
            assert known[day] is not takes_place, text
            known[day] = takes_place


def test_kinds_that_are_planned_here_have_an_end() -> None:
    make_lessons()
    longest = max(message.expires_at for message in db.session.scalars(select(Message)))
    assert longest <= clock.now() + timedelta(weeks=4)
    assert set(db.session.scalars(select(Message.kind))) >= {
        MessageKind.GROUP_OFFER,
        MessageKind.NEW_GROUP,
    }


def test_family_that_stops_messages_while_a_change_waits_is_called_instead() -> None:
    lessons = make_lessons()
    cancel(lessons.first, but=[lessons.tutor])
    with transaction():
        db.session.get_one(Household, lessons.household_id).messages_stopped_at = clock.now()
    assert hand_over() == []
    assert db.session.scalars(select(CallRequest.household_id)).all() == [lessons.household_id]
