"""The outbox: who may hand a message over, and what becomes of it, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import create_app
from app.database import transaction
from app.extensions import db
from app.gateways import Receipt, ReceiptState
from app.gateways.email import EmailGateway
from app.models import Message, MessageKind, MessageState
from app.services import outbox
from app.services.outbox import Claimed
from scheduler import clock
from scheduler.clock_watch import ClockWatch
from tests.support import people
from tests.support.databases import make_config
from tests.support.mail import SENDER
from tests.support.outbox import (
    NOON,
    answer,
    begin_handing,
    make_due_reminder,
    receive_receipt,
    refuse,
    refuse_for_good,
)

ACCEPTED = Receipt(ReceiptState.ACCEPTED, "q1")
# Nothing is sent in these tests: what a gateway would say is written by hand.
MAIL = EmailGateway("smtp://127.0.0.1:9", SENDER, timeout_seconds=1, per_second=1000)


@pytest.fixture(autouse=True)
def time(app: Flask) -> Iterator[time_machine.Traveller]:
    """A programme on a Tuesday at noon; the fixture's value moves the clock."""
    with time_machine.travel(NOON, tick=False) as time, app.app_context():
        people.make_programme()
        yield time


def fresh(message: Message) -> Message:
    db.session.rollback()
    return db.session.get_one(Message, message.id)


def claim_one() -> Claimed:
    (claimed,) = outbox.claim_messages(10)
    return claimed


def hand_one() -> Claimed:
    """Claim the one message that is due, and begin to hand it over."""
    handing = begin_handing(claim_one(), [MAIL])
    assert handing is not None
    return handing.claimed


def claimed_ids(limit: int = 10) -> list[int]:
    return [claimed.id for claimed in outbox.claim_messages(limit)]


def test_message_is_claimed_once(time: time_machine.Traveller) -> None:
    message = make_due_reminder()
    claimed = claim_one()
    assert claimed.id == message.id
    assert outbox.claim_messages(10) == []
    assert fresh(message).state is MessageState.CLAIMED
    assert message.lease_until == NOON + timedelta(seconds=60)


def test_message_is_not_claimed_before_it_is_due(time: time_machine.Traveller) -> None:
    message = make_due_reminder()
    time.move_to(NOON - timedelta(seconds=1))
    assert claimed_ids() == []
    time.move_to(NOON)
    assert claimed_ids() == [message.id]


def test_oldest_go_first_and_no_more_than_asked_for(time: time_machine.Traveller) -> None:
    ids = []
    for minutes in (2, 0, 1):
        time.move_to(NOON + timedelta(minutes=minutes))
        ids.append(make_due_reminder().id)
    time.move_to(NOON + timedelta(minutes=5))
    assert claimed_ids(2) == [ids[1], ids[2]]
    assert claimed_ids(2) == [ids[0]]


def test_code_goes_before_older_reminders(time: time_machine.Traveller) -> None:
    reminder = make_due_reminder()
    time.shift(60)
    code = queue_code()
    assert claimed_ids(1) == [code.id]
    assert claimed_ids(1) == [reminder.id]


def test_silent_workers_message_is_taken_over_and_its_word_not_written(
    time: time_machine.Traveller,
) -> None:
    message = make_due_reminder()
    silent = claim_one()
    time.shift(60)
    assert claimed_ids() == []
    time.shift(1)
    active = claim_one()
    assert begin_handing(silent, [MAIL]) is None
    handing = begin_handing(active, [MAIL])
    assert handing is not None
    assert answer(silent, ACCEPTED) is None
    assert refuse(silent) is None
    assert refuse_for_good(silent, "late") is None
    assert answer(silent, None) is None
    outbox.hold_back(silent, 10)
    assert fresh(message).state is MessageState.HANDING
    assert answer(active, ACCEPTED) is MessageState.ACCEPTED
    assert fresh(message).state is MessageState.ACCEPTED
    assert not message.resent


def test_message_in_doubt_is_resent_once_after_a_wait_and_labelled(
    time: time_machine.Traveller,
) -> None:
    message = make_due_reminder()
    hand_one()
    time.shift(60 + 120)
    assert claimed_ids() == []
    time.shift(1)
    hand_one()
    assert fresh(message).resent
    assert (message.state, message.tries) == (MessageState.HANDING, 2)
    time.shift(60 + 120 + 1)
    assert claimed_ids() == []
    assert outbox.expire_messages() == 1
    assert fresh(message).state is MessageState.FAILED
    assert message.error == outbox.IN_DOUBT


def test_clock_that_is_set_ahead_has_no_text_on_the_wire_sent_again_or_given_up(
    time: time_machine.Traveller,
) -> None:
    message = make_due_reminder(starts_in=timedelta(days=4))
    watch = ClockWatch()
    hand_one()
    time.shift(timedelta(days=3))
    assert outbox.claim_messages(9, watch) == []
    time.shift(timedelta(days=3))
    assert outbox.expire_messages(watch) == 0
    assert fresh(message).state is MessageState.HANDING
    assert outbox.expire_messages() == 1  # as a worker sees it that never saw another clock


def test_label_survives_a_worker_that_dies_before_it_resends(
    time: time_machine.Traveller,
) -> None:
    message = make_due_reminder()
    hand_one()
    time.shift(181)
    claim_one()
    time.shift(61)
    hand_one()
    assert fresh(message).resent


def test_message_in_doubt_past_its_expiry_is_not_resent(time: time_machine.Traveller) -> None:
    message = make_due_reminder(starts_in=timedelta(minutes=17))
    hand_one()
    time.shift(181)
    assert claimed_ids() == []
    outbox.expire_messages()
    assert fresh(message).state is MessageState.FAILED
    assert message.error == outbox.IN_DOUBT


def test_receipt_that_comes_by_itself_ends_the_doubt(time: time_machine.Traveller) -> None:
    message = make_due_reminder()
    hand_one()
    time.shift(100)
    assert receive_receipt(message, ReceiptState.DELIVERED)
    time.shift(1000)
    assert claimed_ids() == []
    assert fresh(message).state is MessageState.DELIVERED


def test_receipt_stops_a_resend_that_is_claimed_already(time: time_machine.Traveller) -> None:
    message = make_due_reminder()
    hand_one()
    time.shift(181)
    again = claim_one()
    assert receive_receipt(message, ReceiptState.ACCEPTED)
    assert begin_handing(again, [MAIL]) is None
    assert fresh(message).state is MessageState.ACCEPTED


def test_receipt_for_what_was_never_handed_over_is_not_believed() -> None:
    message = make_due_reminder()
    assert not receive_receipt(message, ReceiptState.DELIVERED)
    claim_one()
    assert not receive_receipt(message, ReceiptState.DELIVERED)
    assert fresh(message).state is MessageState.CLAIMED


@pytest.mark.parametrize(
    ("receipts", "state"),
    [
        ("accepted undelivered delivered", MessageState.DELIVERED),
        ("delivered accepted undelivered", MessageState.DELIVERED),
        ("undelivered accepted", MessageState.UNDELIVERED),
        ("accepted accepted", MessageState.ACCEPTED),
        ("delivered undelivered", MessageState.DELIVERED),
    ],
)
def test_receipts_never_lower_a_state(receipts: str, state: MessageState) -> None:
    message = make_due_reminder()
    hand_one()
    for receipt in receipts.split():
        receive_receipt(message, ReceiptState(receipt))
    assert fresh(message).state is state
    assert message.provider_id == "q1"


@pytest.mark.parametrize(
    "state", [MessageState.FAILED, MessageState.EXPIRED, MessageState.CANCELLED]
)
def test_receipt_moves_no_message_that_ended_otherwise(state: MessageState) -> None:
    message = make_due_reminder()
    with transaction():
        outbox.end(message, state)
    assert not receive_receipt(message, ReceiptState.ACCEPTED)
    assert fresh(message).state is state


def test_tries_follow_their_plan_with_jitter_and_then_end(time: time_machine.Traveller) -> None:
    message = make_due_reminder(starts_in=timedelta(hours=3))
    for wait in (30, 90, 360, 1320):
        claimed = hand_one()
        assert refuse(claimed) is MessageState.PLANNED
        planned = (fresh(message).next_try_at - clock.now()).total_seconds()
        assert wait <= planned <= wait * 1.2
        assert message.error == "busy"
        time.move_to(message.next_try_at - timedelta(milliseconds=1))
        assert claimed_ids() == []
        time.move_to(message.next_try_at)
    assert refuse(hand_one()) is MessageState.FAILED
    assert (fresh(message).tries, message.error) == (5, "busy")
    assert claimed_ids() == []


def test_jitter_spreads_what_failed_together() -> None:
    messages = [make_due_reminder() for _ in range(8)]
    for claimed in outbox.claim_messages(10):
        assert begin_handing(claimed, [MAIL]) is not None
        refuse(claimed)
    assert len({fresh(message).next_try_at for message in messages}) > 1


def test_try_that_would_come_too_late_expires_the_message() -> None:
    message = make_due_reminder(starts_in=timedelta(minutes=15, seconds=20))
    assert refuse(hand_one()) is MessageState.EXPIRED
    assert (fresh(message).state, message.error) == (MessageState.EXPIRED, "busy")


def test_refusal_for_good_ends_a_message() -> None:
    message = make_due_reminder()
    assert refuse_for_good(hand_one(), "the mail server answered 550 to RCPT")
    assert fresh(message).state is MessageState.FAILED
    assert message.error == "the mail server answered 550 to RCPT"
    assert message.ended_at == NOON


def test_late_messages_expire_and_no_others(time: time_machine.Traveller) -> None:
    late, claimed_late, coming = (
        make_due_reminder(starts_in=timedelta(minutes=minutes)) for minutes in (20, 19, 40)
    )
    time.shift(timedelta(minutes=1))
    with transaction():
        late.next_try_at = clock.now() + timedelta(minutes=3)
        coming.next_try_at = clock.now() + timedelta(minutes=3)
    assert claimed_ids() == [claimed_late.id]
    assert outbox.expire_messages() == 0
    time.shift(timedelta(minutes=4))
    assert outbox.expire_messages() == 2
    states = [fresh(message).state for message in (late, claimed_late, coming)]
    assert states == [MessageState.EXPIRED, MessageState.EXPIRED, MessageState.PLANNED]
    assert outbox.expire_messages() == 0


def test_message_being_handed_over_does_not_expire(time: time_machine.Traveller) -> None:
    message = make_due_reminder(starts_in=timedelta(minutes=16))
    hand_one()
    time.shift(61)
    assert outbox.expire_messages() == 0
    assert fresh(message).state is MessageState.HANDING


def test_what_was_claimed_together_is_put_back_together(time: time_machine.Traveller) -> None:
    messages = [make_due_reminder() for _ in range(3)]
    first, *_rest = outbox.claim_messages(10)
    assert begin_handing(first, [MAIL]) is not None
    outbox.give_back(first.claim)
    states = [fresh(message).state for message in messages]
    assert states == [MessageState.HANDING, MessageState.PLANNED, MessageState.PLANNED]
    assert claimed_ids() == [messages[1].id, messages[2].id]


def test_message_that_could_not_be_made_ready_waits(time: time_machine.Traveller) -> None:
    message = make_due_reminder()
    outbox.hold_back(claim_one(), 10)
    assert claimed_ids() == []
    time.shift(10)
    assert claimed_ids() == [message.id]


def test_waits_are_settings(database_url: str, time: time_machine.Traveller) -> None:
    message = make_due_reminder()
    quick = create_app(
        make_config(
            database_url,
            N9RAW_MESSAGE_LEASE_SECONDS="2",
            N9RAW_SEND_TIMEOUT_SECONDS="1",
            N9RAW_RESEND_WAIT_SECONDS="3",
            N9RAW_RETRY_AT_SECONDS="4",
        )
    )
    db.session.rollback()
    with quick.app_context():
        hand_one()
        time.shift(5.1)
        again = hand_one()
        assert refuse(again) is MessageState.FAILED
        db.session.remove()
        db.engine.dispose()
    assert fresh(message).state is MessageState.FAILED


def queue_code(language: str = "fr") -> Message:
    tutor_id = people.make_tutor()
    with transaction():
        from app.models import Tutor

        db.session.get_one(Tutor, tutor_id).message_language = language
        return outbox.queue_code(tutor_id, "042917", clock.now() + timedelta(minutes=15))


def test_code_is_due_at_once_and_expires_with_the_code() -> None:
    code = queue_code("ar")
    assert fresh(code).kind is MessageKind.SIGN_IN_CODE
    assert (code.due_at, code.next_try_at) == (NOON, NOON)
    assert code.expires_at == NOON + timedelta(minutes=15)
    assert code.language == "ar"
    assert "042917" in (code.text or "")
    assert re.search(r"15 دقيقة", code.text or "")


@pytest.mark.parametrize("ending", ["receipt", "failed", "out of tries", "expired"])
def test_code_is_erased_from_the_row_once_it_has_left_or_ended(
    time: time_machine.Traveller, ending: str
) -> None:
    code = queue_code()
    claimed = hand_one()
    assert "042917" in (fresh(code).text or "")
    if ending == "receipt":
        answer(claimed, ACCEPTED)
    elif ending == "failed":
        refuse_for_good(claimed, "no such address")
    elif ending == "out of tries":
        while refuse(claimed) is MessageState.PLANNED:
            assert "042917" in (fresh(code).text or "")
            time.move_to(code.next_try_at)
            claimed = hand_one()
    else:
        refuse(claimed)
        time.shift(timedelta(minutes=15))
        outbox.expire_messages()
    assert fresh(code).text is None
    assert code.ended_at is not None
