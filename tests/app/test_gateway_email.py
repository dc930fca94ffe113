"""E-mail leaves over real SMTP, and every answer of a server has one meaning."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from app.gateways import OutgoingText, Permanent, ReceiptState, Retryable
from app.gateways.configured import configured_gateways
from app.gateways.console import ConsoleGateway
from app.gateways.email import EmailGateway
from config import ConfigError
from tests.support.databases import make_config
from tests.support.mail import SENDER, Mailbox, running_mail_server

TEXT = OutgoingText(
    reference="n9raw-12",
    address="family1@example.org",
    subject="نقراو: تذكير بدرس",
    text="نقراو، درس الثلاثاء 1 دجنبر:\n.\n18:00 Mathématiques، هبة",
    language="ar",
)
SETTINGS = {"N9RAW_SMTP_URL": "smtp://localhost:25", "N9RAW_MAIL_FROM": "a@n9raw.ma"}


@pytest.fixture(scope="module")
def server() -> Iterator[Mailbox]:
    with running_mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(server: Mailbox) -> Mailbox:
    """A server that has accepted nothing yet."""
    server.mails.clear()
    server.recipients.clear()
    server.refused_recipients.clear()
    return server


def gateway(url: str, **options: object) -> EmailGateway:
    options = {"timeout_seconds": 5.0, "per_second": 5.0, "allow_reserved": True} | options
    return EmailGateway(url=url, sender=SENDER, **options)  # type: ignore[arg-type]


def test_mail_arrives_with_our_reference_and_whole(mailbox: Mailbox) -> None:
    receipt = gateway(mailbox.url).send(TEXT)
    (mail,) = mailbox.mails
    assert receipt.state is ReceiptState.ACCEPTED
    assert receipt.provider_id == "2.0.0 queued as 1"
    assert mailbox.recipients == ["family1@example.org"]
    assert mailbox.texts == [TEXT.text]
    assert mail["Subject"] == TEXT.subject
    assert mail["From"] == SENDER
    assert mail["To"] == "family1@example.org"
    assert mail["Message-ID"] == "<n9raw-12@n9raw.example>"
    assert mail["X-N9raw-Reference"] == "n9raw-12"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "ar"


def test_subject_can_add_no_header(mailbox: Mailbox) -> None:
    gateway(mailbox.url).send(replace(TEXT, subject="Cours\r\nBcc: spy@example.org"))
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Cours Bcc: spy@example.org"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "family1",
        "a@b\r\nRCPT TO:<x@example.org>",
        "a b@example.org",
        "a@b@c",
        "هبة@example.org",
    ],
)
def test_unusable_address_is_refused_before_the_wire(mailbox: Mailbox, address: str) -> None:
    with pytest.raises(Permanent, match="no e-mail address"):
        gateway(mailbox.url).send(replace(TEXT, address=address))
    assert mailbox.mails == []


@pytest.mark.parametrize(
    "domain",
    ["example.org", "EXAMPLE.com.", "mail.example.net", "a.invalid", "test", "x.localhost"],
)
def test_made_up_domain_is_refused_unless_allowed(mailbox: Mailbox, domain: str) -> None:
    with pytest.raises(Permanent, match="reserved for examples"):
        gateway(mailbox.url, allow_reserved=False).send(replace(TEXT, address=f"a@{domain}"))
    assert mailbox.mails == []


@pytest.mark.parametrize("domain", ["n9raw.ma", "contest", "myexample.org", "example.org.ma"])
def test_other_domains_are_written_to(mailbox: Mailbox, domain: str) -> None:
    gateway(mailbox.url, allow_reserved=False).send(replace(TEXT, address=f"a@{domain}"))
    assert mailbox.recipients == [f"a@{domain}"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [("451 4.3.0 later", Retryable), ("452 full", Retryable), ("550 5.7.1 spam", Permanent)],
)
def test_answer_to_the_mail_decides(mailbox: Mailbox, answer: str, error: type[Exception]) -> None:
    mailbox.answers.append(answer)
    with pytest.raises(error, match=f"answered {answer[:3]} to DATA") as refusal:
        gateway(mailbox.url).send(TEXT)
    assert "spam" not in str(refusal.value)
    assert not getattr(refusal.value, "in_doubt", False)


@pytest.mark.parametrize(("code", "error"), [("450", Retryable), ("550", Permanent)])
def test_answer_to_the_recipient_decides_and_names_nobody(
    mailbox: Mailbox, code: str, error: type[Exception]
) -> None:
    mailbox.refused_recipients[TEXT.address] = f"{code} <{TEXT.address}> is not here"
    with pytest.raises(error, match=f"^the mail server answered {code} to RCPT$"):
        gateway(mailbox.url).send(TEXT)


def test_server_that_is_not_there_is_tried_again() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Retryable, match="ConnectionRefusedError while connecting") as refusal:
        gateway(f"smtp://127.0.0.1:{port}").send(TEXT)
    assert not refusal.value.in_doubt


def test_silence_after_the_mail_leaves_doubt() -> None:
    with running_mail_server() as slow:
        slow.pause_seconds = 1.0
        with pytest.raises(Retryable, match="while DATA") as refusal:
            gateway(slow.url, timeout_seconds=0.5).send(TEXT)
        assert refusal.value.in_doubt


@contextmanager
def scripted_server(*lines: bytes, every_seconds: float = 0.0) -> Iterator[str]:
    """A server that says these lines to whoever comes, whatever it hears, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                for line in lines:
                    time.sleep(every_seconds)
                    try:
                        connection.sendall(line)
                    except OSError:
                        return  # the other side had enough

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"smtp://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_whole_send_ends_within_its_time_however_slowly_a_server_talks() -> None:
    lines = [b"220 slow\r\n", *[b"250 OK\r\n"] * 10]
    began = time.monotonic()
    with scripted_server(*lines, every_seconds=0.4) as url:
        with pytest.raises(Retryable, match=r"Disconnected while|TimeoutError while"):
            gateway(url, timeout_seconds=1.0).send(TEXT)
        assert time.monotonic() - began < 2.0


def test_server_that_wants_nobody_is_no_fault_of_the_recipient() -> None:
    with (
        scripted_server(b"554 5.7.1 your address is on a list\r\n") as url,
        pytest.raises(Retryable, match="answered 554 to connecting"),
    ):
        gateway(url).send(TEXT)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_signs_in_with_the_name_and_password_of_the_address() -> None:
    logins: list[tuple[bytes, bytes]] = []

    def check(
        _server: object, _session: object, _envelope: object, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss word")

    with running_mail_server(
        authenticator=check, auth_required=True, auth_require_tls=False
    ) as closed:
        host = f"127.0.0.1:{closed.port}"
        gateway(f"smtp://n9raw:p%40ss%20word@{host}").send(TEXT)
        assert logins == [(b"n9raw", b"p@ss word")]
        assert len(closed.mails) == 1
        with pytest.raises(Retryable, match=r"AUTH$"):
            gateway(f"smtp://n9raw:wrong@{host}").send(TEXT)


def test_encryption_that_was_asked_for_is_never_left_out(mailbox: Mailbox) -> None:
    with pytest.raises(Retryable, match="SMTPNotSupportedError while STARTTLS"):
        gateway(f"smtp+starttls://127.0.0.1:{mailbox.port}").send(TEXT)
    with pytest.raises(Retryable, match="SSLError while connecting"):
        gateway(f"smtps://127.0.0.1:{mailbox.port}").send(TEXT)
    assert mailbox.mails == []


def test_nothing_that_is_sent_stands_in_a_repr() -> None:
    shown = repr(TEXT) + repr(gateway("smtp://n9raw:secret@localhost"))
    assert "example.org" not in shown
    assert "هبة" not in shown
    assert "secret" not in shown


def test_demo_has_the_console_alone() -> None:
    (only,) = configured_gateways(make_config("", N9RAW_DEMO="1"))
    assert isinstance(only, ConsoleGateway)
    assert only.send(TEXT).state is ReceiptState.DELIVERED
    with pytest.raises(ConfigError, match="the demo sends nothing"):
        make_config("", N9RAW_DEMO="1", **SETTINGS)


def test_other_installations_have_what_they_configured() -> None:
    assert configured_gateways(make_config("")) == ()
    (only,) = configured_gateways(make_config("", **SETTINGS))
    assert isinstance(only, EmailGateway)
    assert (only.timeout_seconds, only.per_second, only.allow_reserved) == (20.0, 5.0, False)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"N9RAW_SMTP_URL": "http://mail"}, "N9RAW_SMTP_URL must read"),
        ({"N9RAW_SMTP_URL": "smtp://mail:port"}, "N9RAW_SMTP_URL must read"),
        ({"N9RAW_MAIL_FROM": ""}, "N9RAW_MAIL_FROM must be an address"),
        ({"N9RAW_MAIL_FROM": "a@b\nBcc: c@d"}, "N9RAW_MAIL_FROM must be an address"),
        ({"N9RAW_SEND_TIMEOUT_SECONDS": "60"}, "must be less than N9RAW_MESSAGE_LEASE_SECONDS"),
        ({"N9RAW_RETRY_AT_SECONDS": "30,20"}, "must rise"),
        ({"N9RAW_RETRY_AT_SECONDS": "soon"}, "must be a number of seconds"),
    ],
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        make_config("", **SETTINGS | settings)


def test_tries_can_be_configured() -> None:
    assert make_config("", N9RAW_RETRY_AT_SECONDS="1, 5,60").retry_at_seconds == (1.0, 5.0, 60.0)
