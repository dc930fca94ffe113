"""The ways a message leaves: plain values in, a receipt or one of two errors out.

A gateway knows nothing of rows, recipients or reminders, and logs nothing of what it is handed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class AddressKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"


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


class GatewayError(Exception):
    """A text was not taken. The message is for operators: no address and no word of the text."""


class Retryable(GatewayError):
    """It may be taken later. `in_doubt` says that it may have been taken all the same."""

    def __init__(self, reason: str, *, in_doubt: bool = False) -> None:
        super().__init__(reason)
        self.in_doubt = in_doubt


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

    def send(self, outgoing: OutgoingText) -> Receipt:
        """Hand over one text and wait for the other side's word; Retryable or Permanent if no."""
