"""E-mail over SMTP: one connection a text, and no more seconds than a send may take."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from datetime import time
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from functools import cache
from time import monotonic
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

from app.gateways import (
    AddressKind,
    Cost,
    OutgoingText,
    Permanent,
    Receipt,
    ReceiptState,
    Retryable,
)
from scheduler import clock

REFERENCE_HEADER: Final = "X-N9raw-Reference"
DEFAULT_PORTS: Final = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}

# RFC 2606 and 6761: nobody can be reached there, so who stands there is made up.
_RESERVED = re.compile(r"(^|\.)(example\.(com|net|org)|example|invalid|test|localhost)$")
_ADDRESS = re.compile(r"[!-?A-~]+@[A-Za-z0-9.-]+")
_LONGEST_PROVIDER_ID = 120


@dataclass(frozen=True)
class EmailGateway:
    """Hands texts to one SMTP server: smtp://user:password@host:25, smtps:// or smtp+starttls://"""

    url: str = field(repr=False)
    sender: str
    """What stands in From, such as "N9raw <rappels@n9raw.ma>"."""
    timeout_seconds: float
    per_second: float
    allow_reserved: bool = False
    """Whether domains that nobody can be reached at, such as example.org, are written to."""

    name: ClassVar[str] = "email"
    reaches: ClassVar[tuple[AddressKind, ...]] = (AddressKind.EMAIL,)

    can_receive: ClassVar[bool] = False
    sends_at_once: ClassVar[int] = 1
    quiet: ClassVar[tuple[time, time] | None] = None

    def cost(self, text: str) -> Cost:
        return Cost(parts=1, thousandths=0)

    def send(self, outgoing: OutgoingText) -> Receipt:
        """Hand over one mail; accepted means that the server took it on, not that it was read."""
        self._check_address(outgoing.address)
        composed = self._compose(outgoing).as_bytes(policy=SMTP_POLICY)
        conversation = _Conversation(self.url, self.timeout_seconds)
        try:
            queued_as = conversation.hand_over(self._sender_address(), outgoing.address, composed)
        finally:
            conversation.close()
        return Receipt(ReceiptState.ACCEPTED, provider_id=queued_as)

    def _check_address(self, address: str) -> None:
        if not _ADDRESS.fullmatch(address):
            raise Permanent("this is no e-mail address that can be written to")
        domain = address.rpartition("@")[2].lower().rstrip(".")
        if _RESERVED.search(domain) and not self.allow_reserved:
            raise Permanent("the address is of a domain reserved for examples and tests")

    def _compose(self, outgoing: OutgoingText) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self.sender
        mail["To"] = outgoing.address
        mail["Subject"] = " ".join(outgoing.subject.split())
        mail["Date"] = format_datetime(clock.now())
        # The same for a second try: mailboxes that know it already show one mail.
        mail["Message-ID"] = f"<{outgoing.reference}@{self._sender_address().rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail[REFERENCE_HEADER] = outgoing.reference
        mail.set_content(outgoing.text, charset="utf-8")
        mail["Content-Language"] = outgoing.language
        return mail

    def _sender_address(self) -> str:
        return parseaddr(self.sender)[1]


@cache
def _own_name() -> str:
    """What this machine calls itself. smtplib would ask the network at every connection."""
    return socket.getfqdn()


class _Conversation:
    """One SMTP conversation under one deadline, its faults put in words without any address."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._parts = urlsplit(url)
        self._deadline = monotonic() + timeout_seconds
        self._smtp: smtplib.SMTP | None = None
        self._step = "connecting"

    def hand_over(self, sender: str, recipient: str, composed: bytes) -> str:
        """Do all of it; what the server called the mail. Raises Retryable or Permanent."""
        try:
            self._open()
            self._next("MAIL")
            self._expect(self._connection.mail(sender), permanent=False)
            self._next("RCPT")
            self._expect(self._connection.rcpt(recipient))
            self._next("DATA")
            return self._expect(self._connection.data(composed))
        except smtplib.SMTPDataError as error:
            raise self._refused(int(error.smtp_code), permanent=True) from None
        except smtplib.SMTPResponseException as error:
            # A server that doesn't want to talk to us at all says nothing of the recipient.
            raise self._refused(int(error.smtp_code), permanent=False) from None
        except (smtplib.SMTPException, OSError) as error:
            reason = f"{type(error).__name__} while {self._step}"
            raise Retryable(reason, in_doubt=self._step == "DATA") from None

    def close(self) -> None:
        if self._smtp is None:
            return
        try:
            self._next("QUIT")
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            self._smtp.close()  # whether the mail was taken is known by now

    def _open(self) -> None:
        host = self._parts.hostname or ""
        port = self._parts.port or DEFAULT_PORTS[self._parts.scheme]
        left = self._seconds_left()
        if self._parts.scheme == "smtps":
            encryption = ssl.create_default_context()
            self._smtp = smtplib.SMTP_SSL(host, port, _own_name(), timeout=left, context=encryption)
        else:
            self._smtp = smtplib.SMTP(host, port, _own_name(), timeout=left)
        self._next("EHLO")
        self._smtp.ehlo_or_helo_if_needed()
        if self._parts.scheme == "smtp+starttls":
            self._next("STARTTLS")
            self._smtp.starttls(context=ssl.create_default_context())
            self._smtp.ehlo_or_helo_if_needed()
        if self._parts.username is not None:
            self._next("AUTH")
            self._smtp.login(unquote(self._parts.username), unquote(self._parts.password or ""))

    def _next(self, step: str) -> None:
        left = self._seconds_left()
        self._step = step
        if self._connection.sock is not None:
            self._connection.sock.settimeout(left)

    def _seconds_left(self) -> float:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @property
    def _connection(self) -> smtplib.SMTP:
        assert self._smtp is not None
        return self._smtp

    def _expect(self, reply: tuple[int, bytes], *, permanent: bool = True) -> str:
        code, words = reply
        if 200 <= code < 300:
            return words.decode("ascii", "replace")[:_LONGEST_PROVIDER_ID]
        raise self._refused(code, permanent=permanent)

    def _refused(self, code: int, *, permanent: bool) -> Retryable | Permanent:
        reason = f"the mail server answered {code} to {self._step}"
        return Permanent(reason) if permanent and code >= 500 else Retryable(reason)
