"""Delivering: what is due goes to a real mail server, once, at its pace, and nothing into a log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

import pytest
import time_machine

from app.database import transaction
from app.extensions import db
from app.gateways import OutgoingText, Receipt
from app.gateways.email import EmailGateway
from app.models import Message, MessageState
from app.services import outbox
from app.services.delivery import deliver_due
from scheduler import clock
from tests.support import people
from tests.support.apps import MakeApp
from tests.support.mail import Mailbox, running_mail_server
from tests.support.outbox import NOON, family_of, make_due_reminder


@pytest.fixture(scope="module")
def server() -> Iterator[Mailbox]:
    with running_mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(server: Mailbox) -> Mailbox:
    """A server that has accepted nothing yet, and will accept everything."""
    server.mails.clear()
    server.answers.clear()
    server.refused_recipients.clear()
    return server


@pytest.fixture(autouse=True)
def time(make_app: MakeApp, mailbox: Mailbox) -> Iterator[time_machine.Traveller]:
    """A programme that mails, on a Tuesday at noon; the fixture's value moves the clock."""
    app = make_app(**mailbox.settings)
    with time_machine.travel(NOON, tick=False) as time, app.app_context():
        people.make_programme()
        yield time


def fresh(message: Message) -> Message:
    db.session.rollback()
    return db.session.get_one(Message, message.id)


def test_due_reminders_arrive_and_are_on_record(mailbox: Mailbox) -> None:
    messages = [make_due_reminder() for _ in range(25)]  # more than one claim takes
    deliver_due(threading.Event())
    assert mailbox.references == {f"n9raw-{message.id}": 1 for message in messages}
    for message in messages:
        assert fresh(message).state is MessageState.ACCEPTED
        assert message.claim is None
        assert (message.provider_id or "").startswith("2.0.0 queued as")
    assert mailbox.texts[0] == messages[0].text
    deliver_due(threading.Event())
    assert len(mailbox.mails) == 25


def test_busy_server_is_asked_again_and_the_text_arrives_once(
    mailbox: Mailbox, time: time_machine.Traveller
) -> None:
    message = make_due_reminder()
    mailbox.answers += ["451 busy", "421 busy"]
    deliver_due(threading.Event())
    assert fresh(message).state is MessageState.PLANNED
    assert message.error == "the mail server answered 451 to DATA"
    deliver_due(threading.Event())
    assert mailbox.mails == []
    for tries in (2, 3):
        time.move_to(message.next_try_at)
        deliver_due(threading.Event())
        assert fresh(message).tries == tries
    assert message.state is MessageState.ACCEPTED
    assert message.error is None
    assert len(mailbox.mails) == 1


def test_refused_recipient_fails_alone(mailbox: Mailbox) -> None:
    bad, good = make_due_reminder(), make_due_reminder()
    mailbox.refused_recipients[family_of(bad).email or ""] = "550 no such mailbox"
    deliver_due(threading.Event())
    assert fresh(bad).state is MessageState.FAILED
    assert bad.error == "the mail server answered 550 to RCPT"
    assert fresh(good).state is MessageState.ACCEPTED


def test_after_a_downtime_what_is_still_of_use_leaves_and_the_rest_is_listed(
    mailbox: Mailbox, time: time_machine.Traveller
) -> None:
    useless = make_due_reminder(starts_in=timedelta(hours=2))
    useful = make_due_reminder(starts_in=timedelta(hours=5))
    time.shift(timedelta(hours=2))
    outbox.expire_messages()
    deliver_due(threading.Event())
    assert fresh(useless).state is MessageState.EXPIRED
    assert fresh(useful).state is MessageState.ACCEPTED
    assert list(mailbox.references) == [f"n9raw-{useful.id}"]


def test_gateway_is_not_handed_more_than_its_rate(mailbox: Mailbox, make_app: MakeApp) -> None:
    for _ in range(3):
        make_due_reminder()
    paced = make_app(**mailbox.settings | {"N9RAW_MAIL_PER_SECOND": "4"})
    with paced.app_context():
        began = monotonic()
        deliver_due(threading.Event())
        took = monotonic() - began
    assert len(mailbox.mails) == 3
    assert took >= 0.5


def test_stopped_worker_finishes_the_send_under_way_and_puts_the_others_back(
    mailbox: Mailbox,
) -> None:
    messages = [make_due_reminder() for _ in range(3)]
    stop = threading.Event()

    class StopsAtSecondTurn(threading.Event):
        turns = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.turns += 1
            if self.turns == 2:
                self.set()
            return self.is_set()

    deliver_due(StopsAtSecondTurn())
    states = [fresh(message).state for message in messages]
    assert states == [MessageState.ACCEPTED, MessageState.PLANNED, MessageState.PLANNED]
    assert [message.tries for message in messages] == [1, 0, 0]
    deliver_due(stop)
    assert mailbox.references == {f"n9raw-{message.id}": 1 for message in messages}


def test_without_a_gateway_messages_fail_with_the_reason(make_app: MakeApp) -> None:
    message = make_due_reminder()
    with make_app().app_context():
        deliver_due(threading.Event())
    assert fresh(message).state is MessageState.FAILED
    assert message.error == "no gateway reaches this recipient"


def test_demo_keeps_the_code_where_its_page_shows_it(make_app: MakeApp) -> None:
    tutor_id = people.make_tutor()
    with transaction():
        code = outbox.queue_code(tutor_id, "042917", clock.now() + timedelta(minutes=15))
    with make_app(N9RAW_DEMO="1").app_context():
        deliver_due(threading.Event())
    assert fresh(code).state is MessageState.DELIVERED
    assert "042917" in (code.text or "")


class Faulty(Exception):
    """Carries what it was given, as careless libraries do."""


@pytest.mark.parametrize("fault", ["send", "record"])
def test_no_log_holds_a_text_a_code_or_an_address(
    mailbox: Mailbox,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    tutor_id = people.make_tutor()
    message = make_due_reminder()
    with transaction():
        outbox.queue_code(tutor_id, "042917", clock.now() + timedelta(minutes=15))

    def broken(_gateway: EmailGateway, outgoing: OutgoingText) -> Receipt:
        raise Faulty(outgoing.address, outgoing.text)

    if fault == "send":
        monkeypatch.setattr(EmailGateway, "send", broken)
    else:
        mailbox.answers += ["451 busy", "550 go away"]
    deliver_due(threading.Event())
    mentioned = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("mail")
    )
    assert f"message {message.id}" in mentioned
    for secret in ("042917", "Hiba", "Mathématiques", family_of(message).email):
        assert secret is not None
        assert secret not in mentioned


def test_message_that_breaks_while_it_is_made_ready_does_not_hold_up_the_others(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, time: time_machine.Traveller
) -> None:
    first, second = make_due_reminder(), make_due_reminder()
    with transaction():
        family_of(first).message_language = "xx"  # no template is in it
    deliver_due(threading.Event())
    assert fresh(second).state is MessageState.ACCEPTED
    assert fresh(first).state is MessageState.PLANNED
    assert first.next_try_at == NOON + timedelta(seconds=10)
