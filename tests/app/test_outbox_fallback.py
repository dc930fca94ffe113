"""What doesn't arrive by one way goes by the next, checked like the first, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import Gateway, Permanent, Receipt, ReceiptState
from app.gateways.configured import configured_gateways
from app.models import (
    HouseholdWay,
    Lesson,
    LessonState,
    Message,
    MessageState,
    Reminder,
    Tutor,
)
from app.services import message_desk, outbox
from app.services.handing import Handing, begin_handings
from app.services.reminders import cancel_reminders, plan_reminders
from scheduler import clock
from tests.support import people
from tests.support.databases import make_config
from tests.support.mail import SENDER
from tests.support.outbox import (
    NOON,
    answer,
    family_of,
    lesson_of,
    make_due_reminder,
    receive_receipt,
    refuse_for_good,
)

# Nothing is sent in these tests: what gateways would say is written by hand.
BY_MAIL_AND_SMS = {
    "N9RAW_SMTP_URL": "smtp://127.0.0.1:9",
    "N9RAW_MAIL_FROM": SENDER,
    "N9RAW_MAIL_PER_SECOND": "1000",
    "N9RAW_KANNEL_URL": "http://127.0.0.1:9/cgi-bin/sendsms",
    "N9RAW_KANNEL_USERNAME": "tutor",
    "N9RAW_KANNEL_PASSWORD": "secret",
    "N9RAW_KANNEL_FROM": "N9RAW",
    "N9RAW_KANNEL_HOOK_SECRET": "known-to-all-for-tests-only-0123456789",
    "N9RAW_KANNEL_HOOKS_URL": "http://127.0.0.1:9",
    "N9RAW_KANNEL_PRICE": "0.25",
}
UNDELIVERED, DELIVERED = ReceiptState.UNDELIVERED, ReceiptState.DELIVERED


@pytest.fixture(autouse=True)
def time(app: Flask, database_url: str) -> Iterator[time_machine.Traveller]:
    """A programme that reaches families by mail and by SMS, on a Tuesday at noon."""
    app.config["N9RAW"] = make_config(database_url, **BY_MAIL_AND_SMS)
    with time_machine.travel(NOON, tick=False) as time, app.app_context():
        people.make_programme()
        yield time


@pytest.fixture
def gateways(app: Flask) -> tuple[Gateway, ...]:
    return configured_gateways(app.config["N9RAW"])


def hand_over(gateways: tuple[Gateway, ...]) -> list[Handing]:
    handings = begin_handings(outbox.claim_messages(50), gateways)
    db.session.rollback()
    return handings


def accepted(gateways: tuple[Gateway, ...]) -> Handing:
    """The one message that is due, taken by its gateway."""
    (handing,) = hand_over(gateways)
    answer(handing.claimed, Receipt(ReceiptState.ACCEPTED, "q1"))
    return handing


def fresh(message: Message) -> Message:
    db.session.rollback()
    return db.session.get_one(Message, message.id)


def fallback_of(message: Message) -> Message | None:
    db.session.rollback()
    return db.session.scalar(select(Message).where(Message.fallback_of_id == message.id))


def test_text_that_was_not_delivered_by_mail_goes_by_sms(gateways: tuple[Gateway, ...]) -> None:
    message = make_due_reminder()
    assert accepted(gateways).outgoing.address == family_of(message).email
    assert receive_receipt(message, UNDELIVERED)
    again = accepted(gateways)
    assert (again.gateway.name, again.outgoing.address) == ("kannel", family_of(message).phone)
    assert again.outgoing.text.startswith("N9raw, cours d'aujourd'hui :\n14:00")
    fallback = fallback_of(message)
    assert fallback is not None
    assert (fresh(message).state, fallback.state) == (
        MessageState.UNDELIVERED,
        MessageState.ACCEPTED,
    )
    assert (fallback.parts, (fallback.cost or 0) > 0) == (1, True)
    assert receive_receipt(fallback, UNDELIVERED, "kannel")
    assert fallback_of(fallback) is None
    assert hand_over(gateways) == []


def test_text_that_a_gateway_refuses_for_good_goes_by_the_next(
    gateways: tuple[Gateway, ...],
) -> None:
    message = make_due_reminder()
    (handing,) = hand_over(gateways)
    assert refuse_for_good(handing.claimed, "no such mailbox") is MessageState.FAILED
    (again,) = hand_over(gateways)
    assert again.gateway.name == "kannel"
    assert answer(again.claimed, Permanent("no such number")) is MessageState.FAILED
    assert hand_over(gateways) == []
    assert fresh(message).error == "no such mailbox"


def test_fallback_is_checked_as_the_first_was(gateways: tuple[Gateway, ...]) -> None:
    message = make_due_reminder()
    accepted(gateways)
    receive_receipt(message, UNDELIVERED)
    with transaction():
        lesson_of(fallback_of(message) or message).state = LessonState.CANCELLED
    assert hand_over(gateways) == []
    fallback = fallback_of(message)
    assert fallback is not None
    assert fallback.state is MessageState.CANCELLED


def test_late_receipt_stops_the_fallback_and_the_first_has_told(
    gateways: tuple[Gateway, ...],
) -> None:
    message, fallback = said_again(gateways)
    assert receive_receipt(message, DELIVERED)
    assert_only_the_first_tells(gateways, message, fallback)


def test_reminder_that_joins_later_shares_no_text_that_is_said_again(
    gateways: tuple[Gateway, ...],
) -> None:
    message, fallback = said_again(gateways)
    with transaction():
        late = lesson_an_hour_after(lesson_of(fallback))
        plan_reminders([late])
    owed = select(Reminder.message_id).where(
        Reminder.household_id == message.household_id, Reminder.kind == message.kind
    )
    told_by = db.session.scalars(owed.order_by(Reminder.id)).all()
    assert told_by[0] == fallback.id
    assert told_by[1] not in (None, fallback.id)
    assert receive_receipt(message, DELIVERED)
    assert db.session.scalars(owed.order_by(Reminder.id)).all() == [message.id, told_by[1]]
    assert db.session.get_one(Message, told_by[1]).state is MessageState.PLANNED
    with transaction():
        cancel_reminders([late])
    assert db.session.get_one(Message, told_by[1]).state is MessageState.CANCELLED


def test_text_said_again_is_cancelled_with_its_last_reminder(
    gateways: tuple[Gateway, ...],
) -> None:
    _message, fallback = said_again(gateways)
    with transaction():
        cancel_reminders([lesson_of(fallback)])
    assert fresh(fallback).state is MessageState.CANCELLED


def test_late_receipt_stops_what_a_coordinator_had_sent_again(
    gateways: tuple[Gateway, ...],
) -> None:
    message = lost_by_its_only_way(gateways)
    again = message_desk.send_again(message.id, people.make_coordinator())
    assert receive_receipt(message, DELIVERED)
    assert_only_the_first_tells(gateways, message, again)


def test_what_is_sent_again_begins_with_the_first_way_and_falls_back_once_more(
    gateways: tuple[Gateway, ...],
) -> None:
    message = lost_by_its_only_way(gateways)
    with transaction():
        family_of(message).ways = [HouseholdWay(way=way, rank=1) for way in ("email", "sms")]
    again = message_desk.send_again(message.id, people.make_coordinator())
    assert accepted(gateways).gateway.name == "email"
    assert receive_receipt(again, UNDELIVERED)
    assert accepted(gateways).gateway.name == "kannel"
    last = fallback_of(again)
    assert last is not None
    assert receive_receipt(last, UNDELIVERED, "kannel")
    assert hand_over(gateways) == []


def said_again(gateways: tuple[Gateway, ...]) -> tuple[Message, Message]:
    """A reminder that was not delivered by its first way, and its fallback."""
    message = make_due_reminder()
    accepted(gateways)
    receive_receipt(message, UNDELIVERED)
    fallback = fallback_of(message)
    assert fallback is not None
    return message, fallback


def assert_only_the_first_tells(
    gateways: tuple[Gateway, ...], first: Message, again: Message
) -> None:
    assert fresh(first).state is MessageState.DELIVERED
    assert fresh(again).state is MessageState.CANCELLED
    assert db.session.scalars(select(Reminder.message_id)).all() == [first.id]
    assert hand_over(gateways) == []


def lost_by_its_only_way(gateways: tuple[Gateway, ...]) -> Message:
    """A reminder that a mailbox took, and that was not delivered; the family has no other way."""
    message = make_due_reminder()
    with transaction():
        family_of(message).ways = [HouseholdWay(way="email", rank=1)]
    accepted(gateways)
    receive_receipt(message, UNDELIVERED)
    return message


def lesson_an_hour_after(lesson: Lesson) -> Lesson:
    """One more of the same group, so that one text could remind of both."""
    late = Lesson(
        group=lesson.group,
        wall_start=lesson.wall_start + timedelta(hours=1),
        zone=lesson.zone,
        tz_version=lesson.tz_version,
        starts_at=lesson.starts_at + timedelta(hours=1),
        minutes=60,
    )
    db.session.add(late)
    db.session.flush()
    return late


@pytest.mark.parametrize("why", ["its only way", "no use any more"])
def test_nothing_follows_where_there_is_no_way_left_or_no_use(
    gateways: tuple[Gateway, ...], time: time_machine.Traveller, why: str
) -> None:
    message = make_due_reminder()
    if why == "its only way":
        with transaction():
            family_of(message).ways = [HouseholdWay(way="email", rank=1)]
    accepted(gateways)
    if why == "no use any more":
        time.shift(timedelta(minutes=105))
    receive_receipt(message, UNDELIVERED)
    assert fallback_of(message) is None
    assert fresh(message).state is MessageState.UNDELIVERED


def test_message_in_doubt_to_the_end_goes_by_the_next_way_once(
    gateways: tuple[Gateway, ...], time: time_machine.Traveller
) -> None:
    message = make_due_reminder()
    for _ in range(2):
        hand_over(gateways)
        time.shift(181)
    assert outbox.expire_messages() == 1
    assert fresh(message).error == outbox.IN_DOUBT
    assert receive_receipt(message, UNDELIVERED)
    (again,) = hand_over(gateways)
    assert again.gateway.name == "kannel"


def test_code_that_mail_refuses_goes_by_sms(gateways: tuple[Gateway, ...]) -> None:
    tutor_id = people.make_tutor()
    with transaction():
        db.session.get_one(Tutor, tutor_id).phone = "+212612345678"
        code = outbox.queue_code(tutor_id, "042917", clock.now() + timedelta(minutes=15))
    (handing,) = hand_over(gateways)
    refuse_for_good(handing.claimed, "no such mailbox")
    (again,) = hand_over(gateways)
    assert again.outgoing.address == "+212612345678"
    assert "042917" in again.outgoing.text
    assert fresh(code).text is None
