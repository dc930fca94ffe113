"""The ways a message leaves: plain values in, a receipt or one of two errors out.

A gateway knows nothing of rows, recipients or reminders, and logs nothing of what it is handed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from typing import Protocol


class AddressKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    """A number in E.164 that takes SMS."""
    WHATSAPP = "whatsapp"
    """A number in E.164 that is known to use WhatsApp."""


class ReceiptState(StrEnum):
    """How far the other side says a text got; a later receipt can only raise it."""

    ACCEPTED = "accepted"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One text on its way to one address. Neither stands in its repr, so neither reaches a log."""

    reference: str
    """Our id, at most 40 letters, digits and hyphens; the other side's receipts bear it."""
    address: str = field(repr=False)
    subject: str = field(repr=False)
    """For gateways whose texts have one."""
    text: str = field(repr=False)
    language: str
    """"fr" or "ar"."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side says of a text it was handed."""

    state: ReceiptState
    provider_id: str
    """What it calls the text."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one text costs by a gateway."""

    parts: int
    """How many messages the other side counts; 1 where it counts none."""
    thousandths: int
    """Thousandths of a dirham, all parts together."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A request that the other side made to us, untouched, since signatures are over its bytes."""

    method: str
    url: str
    """The exact public address that was called, with its query."""
    headers: Mapping[str, str]
    """By name in small letters."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """What became of a text that was handed over before; it names one of the two."""

    reference: str | None
    """Our id."""
    provider_id: str | None
    state: ReceiptState
    reason: str | None = None
    """Why it was not delivered, for operators."""


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text that somebody sent to us."""

    provider_id: str
    address: str = field(repr=False)
    """The sender's number in E.164."""
    text: str = field(repr=False)
    opted: bool | None = None
    """Whether the other side, by this text, lets us write to that number again (True) or hands on
    nothing more to it (False): some take STOP by themselves."""


@dataclass(frozen=True, slots=True)
class MissedCall:
    """That somebody let our number ring: it costs nothing and means "call me"."""

    provider_id: str
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What the other side wants to hear, once all it brought has been committed."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Received:
    """What a hook brought."""

    receipts: tuple[DeliveryReceipt, ...] = ()
    texts: tuple[InboundText, ...] = ()
    calls: tuple[MissedCall, ...] = ()
    answer: HookAnswer = HookAnswer()


class HookRefused(Exception):
    """A hook's signature or shape is wrong: nothing of it counts. The message is for operators."""

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(reason)
        self.status = status


class GatewayError(Exception):
    """A text was not taken. The message is for operators: no address and no word of the text."""


class Retryable(GatewayError):
    """It may be taken later. `in_doubt` says that it may have been taken all the same.

    `after_seconds` is how long the other side asked to be left alone, where it did.
    """

    def __init__(self, reason: str, *, in_doubt: bool = False, after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.in_doubt = in_doubt
        self.after_seconds = after_seconds


class Permanent(GatewayError):
    """It won't be taken, however often it is tried."""


class Gateway(Protocol):
    """A way out."""

    @property
    def name(self) -> str:
        """A short word for rows and logs."""

    @property
    def reaches(self) -> tuple[AddressKind, ...]:
        """The kinds of address it can send to, the best first."""

    @property
    def per_second(self) -> float | None:
        """How many texts it may be handed in a second; None for as many as there are."""

    @property
    def can_receive(self) -> bool:
        """Whether answers to its texts come in; else no text says "answer 1"."""

    @property
    def sends_at_once(self) -> int:
        """How many texts one worker may be handing over at the same time."""

    @property
    def quiet(self) -> tuple[time, time] | None:
        """When it takes nothing, by the clock of the civil zone, beyond the nights of all."""

    def cost(self, text: str) -> Cost:
        """What a text would cost."""

    def send(self, outgoing: OutgoingText) -> Receipt:
        """Hand over one text and wait for the other side's word; Retryable or Permanent if no."""


class HookedGateway(Gateway, Protocol):
    """A gateway that the other side calls with receipts, texts and calls."""

    def receive(self, hook: Hook) -> Received:
        """Verify and read what the other side brought; HookRefused where it is not its own."""
