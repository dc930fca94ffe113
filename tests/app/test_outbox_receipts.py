"""Receipts that come by themselves: found by our id or the gateway's, believed where they fit."""

from __future__ import annotations

import pytest
import time_machine

from app.extensions import db
from app.gateways import DeliveryReceipt, Receipt, ReceiptState
from app.models import Message, MessageState
from app.services import outbox
from app.services.handing import begin_handings
from tests.support.gateways import QuietGateway
from tests.support.outbox import NOON, answer, make_due_reminder
from tests.support.programmes import programme_at

ACCEPTED, UNDELIVERED, DELIVERED = ReceiptState


time = programme_at(NOON)


@pytest.fixture
def message(time: time_machine.Traveller) -> Message:
    """One that is being handed over to the gateway "sms"."""
    message = make_due_reminder()
    assert len(begin_handings(outbox.claim_messages(1), [QuietGateway()])) == 1
    return message


def fresh(message: Message) -> Message:
    db.session.rollback()
    return db.session.get_one(Message, message.id)


def test_receipt_may_come_before_the_workers_own_word(message: Message) -> None:
    claimed = outbox.Claimed(message.id, fresh(message).claim or "")
    ours = f"n9raw-{message.id}"
    assert outbox.take_receipt("sms", DeliveryReceipt(ours, "their-7", DELIVERED))
    assert answer(claimed, Receipt(ACCEPTED, "their-7")) is None
    assert (fresh(message).state, message.provider_id) == (MessageState.DELIVERED, "their-7")


def test_receipt_is_found_by_the_gateways_own_id(message: Message) -> None:
    claimed = outbox.Claimed(message.id, fresh(message).claim or "")
    answer(claimed, Receipt(ACCEPTED, "their-7"))
    assert not outbox.take_receipt("other", DeliveryReceipt(None, "their-7", DELIVERED))
    assert outbox.take_receipt("sms", DeliveryReceipt(None, "their-7", DELIVERED))
    assert fresh(message).state is MessageState.DELIVERED


def test_reason_of_what_was_not_delivered_is_kept(message: Message) -> None:
    receipt = DeliveryReceipt(f"n9raw-{message.id}", None, UNDELIVERED, "the telephone is off")
    assert outbox.take_receipt("sms", receipt)
    assert (fresh(message).state, message.error) == (
        MessageState.UNDELIVERED,
        "the telephone is off",
    )
    assert not outbox.take_receipt("sms", receipt)


@pytest.mark.parametrize(
    "reference",
    ["n9raw-999", "n9raw-", "n9raw-0x1", "n9raw-99999999999999", "other-1", "", None],
)
def test_receipts_of_nothing_of_ours_are_ignored(message: Message, reference: str | None) -> None:
    assert not outbox.take_receipt("sms", DeliveryReceipt(reference, None, DELIVERED))
    assert not outbox.take_receipt("sms", DeliveryReceipt(reference, "unknown", DELIVERED))


def test_other_gateways_say_nothing_of_a_message(message: Message) -> None:
    receipt = DeliveryReceipt(f"n9raw-{message.id}", None, DELIVERED)
    assert not outbox.take_receipt("email", receipt)
    assert fresh(message).state is MessageState.HANDING
