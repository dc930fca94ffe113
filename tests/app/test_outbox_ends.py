"""Messages that must not leave twice, and batches that must come to an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from time import sleep

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import (
    AddressKind,
    DeliveryReceipt,
    OutgoingText,
    Receipt,
    ReceiptState,
    Retryable,
)
from app.models import Message, MessageKind, MessageState, Tutor
from app.services import delivery, outbox
from app.services.handing import begin_handings
from scheduler import clock
from tests.support import people
from tests.support.databases import make_config
from tests.support.gateways import QuietGateway
from tests.support.mail import SENDER
from tests.support.outbox import NOON, answer, family_of, make_due_reminder, receive_receipt

BY_MAIL_AND_SMS = {
    "N9RAW_SMTP_URL": "smtp://127.0.0.1:9",
    "N9RAW_MAIL_FROM": SENDER,
    "N9RAW_KANNEL_URL": "http://127.0.0.1:9/cgi-bin/sendsms",
    "N9RAW_KANNEL_USERNAME": "tutor",
    "N9RAW_KANNEL_PASSWORD": "secret",
    "N9RAW_KANNEL_FROM": "N9RAW",
    "N9RAW_KANNEL_HOOK_SECRET": "known-to-all-for-tests-only-0123456789",
    "N9RAW_KANNEL_HOOKS_URL": "http://127.0.0.1:9",
}
MAIL = QuietGateway("email", (AddressKind.EMAIL,))
SMS = QuietGateway("kannel")


@pytest.fixture(autouse=True)
def at_noon(app: Flask, database_url: str) -> Iterator[time_machine.Traveller]:
    app.config["N9RAW"] = make_config(database_url, **BY_MAIL_AND_SMS)
    with time_machine.travel(NOON, tick=False) as moved, app.app_context():
        people.make_programme()
        yield moved


def hand_over(*gateways: QuietGateway) -> list[tuple[int, str]]:
    """What leaves now, and by which gateway."""
    handings = begin_handings(outbox.claim_messages(50), gateways)
    db.session.rollback()
    return [(handing.claimed.id, handing.gateway.name) for handing in handings]


def test_what_was_given_up_and_arrived_after_all_is_not_said_again(
    at_noon: time_machine.Traveller,
) -> None:
    message = make_due_reminder()
    for _ in range(2):
        assert hand_over(MAIL, SMS) == [(message.id, "email")]
        at_noon.shift(181)
    assert outbox.expire_messages() == 1
    assert receive_receipt(message, ReceiptState.ACCEPTED)
    assert receive_receipt(message, ReceiptState.DELIVERED)
    assert hand_over(MAIL, SMS) == []
    states = db.session.scalars(select(Message.state).order_by(Message.id)).all()
    assert states == [MessageState.DELIVERED, MessageState.CANCELLED]


def test_code_that_has_no_time_for_another_try_goes_by_the_next_way(
    at_noon: time_machine.Traveller,
) -> None:
    tutor_id = people.make_tutor()
    with transaction():
        db.session.get_one(Tutor, tutor_id).phone = "+212612345678"
        code = outbox.queue_code(tutor_id, "042917", clock.now() + timedelta(minutes=15))
    for minutes in (1, 3, 11):
        (claimed,) = outbox.claim_messages(1)
        begin_handings([claimed], (MAIL, SMS))
        answer(claimed, Retryable("the mail server is out of order"))
        at_noon.move_to(NOON + timedelta(minutes=minutes))
    assert hand_over(MAIL, SMS) == [(code.id, "email")]
    claimed = outbox.Claimed(code.id, db.session.get_one(Message, code.id).claim or "")
    assert answer(claimed, Retryable("the mail server is out of order")) is MessageState.EXPIRED
    assert hand_over(MAIL, SMS) == [(code.id + 1, "kannel")]
    assert db.session.get_one(Message, code.id).text is None


def test_text_that_is_lost_as_it_is_taken_goes_by_the_next_way() -> None:
    make_due_reminder()
    (claimed,) = outbox.claim_messages(1)
    begin_handings([claimed], (MAIL, SMS))
    lost = Receipt(ReceiptState.UNDELIVERED, "SM1")
    assert answer(claimed, lost) is MessageState.UNDELIVERED
    assert [name for _number, name in hand_over(MAIL, SMS)] == ["kannel"]


def test_text_with_a_very_long_id_of_its_gateways_is_written_as_taken() -> None:
    message = make_due_reminder()
    (claimed,) = outbox.claim_messages(1)
    begin_handings([claimed], (MAIL,))
    theirs = "wamid." + "A" * 200
    assert answer(claimed, Receipt(ReceiptState.ACCEPTED, theirs)) is MessageState.ACCEPTED
    assert outbox.take_receipt("email", DeliveryReceipt(None, theirs, ReceiptState.DELIVERED))
    db.session.rollback()
    assert db.session.get_one(Message, message.id).state is MessageState.DELIVERED


def test_gateway_that_is_awake_while_its_recipient_sleeps_holds_nobody_up(
    at_noon: time_machine.Traveller,
) -> None:
    at_noon.move_to(datetime(2026, 12, 1, 8, 30, tzinfo=UTC))
    tutor_id = people.make_tutor()
    with transaction():
        tutor = db.session.get_one(Tutor, tutor_id)
        tutor.time_zone, tutor.phone, tutor.email = "Asia/Tokyo", "+212612345678", None
        now = clock.now()
        note = Message(
            tutor_id=tutor_id, kind=MessageKind.NOTE, text="Bonjour", language="fr", due_at=now,
            next_try_at=now, expires_at=now + timedelta(days=3), created_at=now,
        )  # fmt: skip
        db.session.add(note)
    reminder = make_due_reminder()
    # From 12:00 to 23:00 people sleep in Tokyo; else the gateway rests.
    resting = QuietGateway("kannel", quiet=(time(22), time(13)))
    assert hand_over(MAIL, resting) == [(reminder.id, "email")]
    assert db.session.get_one(Message, note.id).state is MessageState.EXPIRED


def test_gateway_that_hangs_is_left_alone_while_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Hanging(QuietGateway):
        def send(self, outgoing: OutgoingText) -> Receipt:
            self.sent.append(outgoing)
            sleep(0.2)
            raise Retryable("no whole answer came in time", in_doubt=True)

    reminders = [make_due_reminder() for _ in range(6)]
    with transaction():
        for reminder in reminders[3:]:
            family_of(reminder).email = None
    mail = Hanging("email", (AddressKind.EMAIL,), sends_at_once=1)
    sms = QuietGateway("kannel", sends_at_once=1)
    monkeypatch.setattr(delivery, "_TOO_LONG_SECONDS", 0.1)
    monkeypatch.setattr(delivery, "configured_gateways", lambda _config: (mail, sms))
    delivery.deliver_due(threading.Event())
    assert (len(mail.sent), len(sms.sent)) == (1, 3)


def test_others_do_not_wait_for_a_gateway_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[str] = []
    others_have_left = threading.Event()

    class Hanging(QuietGateway):
        def send(self, outgoing: OutgoingText) -> Receipt:
            others_have_left.wait(20)
            ends.append(self.name)
            return super().send(outgoing)

    class Quick(QuietGateway):
        def send(self, outgoing: OutgoingText) -> Receipt:
            ends.append(self.name)
            if len(ends) == 4:
                others_have_left.set()
            return super().send(outgoing)

    reminders = [make_due_reminder() for _ in range(6)]
    with transaction():
        for reminder in reminders[2:]:
            family_of(reminder).email = None
    mail = Hanging("email", (AddressKind.EMAIL,), sends_at_once=1)
    sms = Quick("kannel", sends_at_once=1)
    monkeypatch.setattr(delivery, "_TOO_LONG_SECONDS", 0.1)
    monkeypatch.setattr(delivery, "configured_gateways", lambda _config: (mail, sms))
    delivery.deliver_due(threading.Event())
    assert ends == ["kannel"] * 4 + ["email"]
    states = select(Message.state).order_by(Message.id)
    assert db.session.scalars(states).all() == [
        MessageState.ACCEPTED,
        MessageState.PLANNED,
        *[MessageState.ACCEPTED] * 4,
    ]
