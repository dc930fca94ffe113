"""A real SMTP server for tests, which keeps what it accepts and can be told to refuse."""

from __future__ import annotations

import email
import email.policy
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.gateways.email import REFERENCE_HEADER

SENDER = "N9raw <rappels@n9raw.example>"


class Mailbox:
    """What a server accepted. `answers` are given first, one a mail, instead of accepting it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: list[str] = []
        self.refused_recipients: dict[str, str] = {}
        self.pause_seconds = 0.0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [mail.get_content().replace("\r\n", "\n").strip() for mail in self.mails]

    @property
    def references(self) -> Counter[str]:
        """How often each of our references came in."""
        return Counter(str(mail[REFERENCE_HEADER]) for mail in self.mails)

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a program that sends to this server."""
        return {
            "N9RAW_SMTP_URL": self.url,
            "N9RAW_MAIL_FROM": SENDER,
            "N9RAW_MAIL_ALLOW_RESERVED": "1",
            "N9RAW_MAIL_PER_SECOND": "10000",
        }


class _Handler:
    """What the server calls. Apart from the mailbox: each connection looks at all it has."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(  # noqa: N802 - the server calls it so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address in self._mailbox.refused_recipients:
            return self._mailbox.refused_recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        time.sleep(self._mailbox.pause_seconds)
        if self._mailbox.answers:
            return self._mailbox.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        self._mailbox.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        self._mailbox.recipients += envelope.rcpt_tos
        return f"250 2.0.0 queued as {len(self._mailbox.mails)}"


@contextmanager
def running_mail_server(**options: object) -> Iterator[Mailbox]:
    """A server on a free port of this machine; `options` are those of aiosmtpd's Controller."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        mailbox = Mailbox(probe.getsockname()[1])
    # A name of its own: without one it asks the network for it at every connection.
    controller = Controller(
        _Handler(mailbox),
        hostname="127.0.0.1",
        port=mailbox.port,
        server_hostname="mail.n9raw.example",
        **options,
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
