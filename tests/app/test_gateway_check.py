"""`flask gateway`: one test text by one gateway, followed to its receipt, or words and an error."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from app.extensions import db
from app.models import Message, MessageKind, MessageState
from tests.support.apps import MakeApp
from tests.support.fake_provider import Fault
from tests.support.fake_twilio import FakeTwilio, running_twilio
from tests.support.mail import Mailbox, running_mail_server

PHONE = "+212612345678"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeTwilio]:
    with running_twilio() as twilio:
        yield twilio


@pytest.fixture
def twilio(server: FakeTwilio) -> FakeTwilio:
    server.sent.clear()
    server.calls_back = False
    return server


@pytest.fixture
def served(make_app: MakeApp, twilio: FakeTwilio) -> Iterator[Flask]:
    """The program with Twilio, and its web server, which Twilio can call."""
    with make_server("127.0.0.1", 0, lambda *given: app(*given), threaded=True) as web:
        app = make_app(**twilio.settings(f"http://127.0.0.1:{web.server_port}"))
        thread = threading.Thread(target=web.serve_forever, args=(0.02,))
        thread.start()
        yield app
        web.shutdown()
        thread.join()


def check(app: Flask, name: str, to: str = PHONE, wait: float = 0.5, *more: str) -> Result:
    arguments = ["gateway", "check", name, "--to", to, "--wait", str(wait), *more]
    return app.test_cli_runner().invoke(args=arguments)


def steps(result: Result) -> list[str]:
    """The states that were printed, without the times of day that each line begins with."""
    lines = [line for line in result.output.splitlines() if not line.startswith("Error")]
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3}\t", line) for line in lines)
    return [line.split("\t")[1] for line in lines]


def test_text_is_followed_to_its_receipt(served: Flask, twilio: FakeTwilio) -> None:
    twilio.calls_back = True
    result = check(served, "twilio", "0612 34 56 78", 10.0)
    assert result.exit_code == 0, result.output
    assert steps(result) == ["planned", "delivered"]
    assert [(fields["To"], fields["Body"]) for fields in twilio.sent] == [(PHONE, _text(served))]


def _text(app: Flask) -> str:
    with app.app_context():
        message = db.session.scalars(select(Message)).one()
        assert (message.kind, message.gateway) == (MessageKind.CHECK, "twilio")
        assert (message.state, message.tries) == (MessageState.DELIVERED, 1)
        assert message.text is not None
        return message.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_missing_receipt_is_an_error(make_app: MakeApp, twilio: FakeTwilio) -> None:
    result = check(make_app(**twilio.settings("http://127.0.0.1:9")), "twilio")
    assert result.exit_code == 1
    assert steps(result) == ["planned", "accepted"]
    assert "twilio l’a accepté, mais aucun accusé n’est venu en 0.5 secondes." in result.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("how", "words"),
    [
        (
            (400, 21211),
            "twilio ne l’a pas transmis\u00a0: Twilio answered 400: this is no telephone number",
        ),
        (503, "Twilio answered 503: error 20500"),
        (Fault.CUT_AFTER, "accepté après 0.5 secondes\u00a0: handing"),
    ],
)
def test_refusal_is_said_in_words(
    make_app: MakeApp, twilio: FakeTwilio, how: Fault | int | tuple[int, int], words: str
) -> None:
    twilio.fail_next(how)
    result = check(make_app(**twilio.settings("http://127.0.0.1:9")), "twilio")
    assert result.exit_code == 1
    assert words in result.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_mail_ends_with_the_servers_word(make_app: MakeApp) -> None:
    with running_mail_server() as mailbox:
        app = make_app(**mailbox.settings)
        result = check(app, "email", "coordinator@example.org", 5.0)
        assert result.exit_code == 0, result.output
        assert steps(result) == ["planned", "accepted"]
        assert len(mailbox.mails) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "to", "words"),
    [
        (
            "kannel",
            PHONE,
            "Il n’y a pas de passerelle kannel\u00a0; sont configurées\u00a0: twilio.",
        ),
        ("twilio", "a@example.org", "twilio n’envoie pas à ce genre d’adresse."),
        ("twilio", "12", "Ce n’est ni une adresse e-mail ni un numéro de téléphone."),
    ],
)
def test_what_can_not_be_tried_is_refused(
    make_app: MakeApp, twilio: FakeTwilio, name: str, to: str, words: str
) -> None:
    result = check(make_app(**twilio.settings("http://127.0.0.1:9")), name, to)
    assert (result.exit_code, result.output) == (1, result.output)
    assert words in result.output
    assert twilio.sent == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_list_says_what_is_configured(make_app: MakeApp, twilio: FakeTwilio) -> None:
    more = {
        "N9RAW_TWILIO_PRICE": "1.05",
        "N9RAW_TWILIO_QUIET": "20:00-09:00",
        "N9RAW_TWILIO_RECEIVES": "1",
        "N9RAW_TWILIO_PER_SECOND": "2.5",
    }
    app = make_app(**twilio.settings("http://127.0.0.1:9", **more), **Mailbox(2525).settings)
    result = app.test_cli_runner().invoke(args=["gateway", "list"])
    assert result.output.splitlines() == [
        "email\temail\t10000/s\t1\t-\t0.00\t-",
        "twilio\tphone\t2.5/s\t4\t20:00-09:00\t1.05\tanswers",
    ]
