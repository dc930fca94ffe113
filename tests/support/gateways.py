"""Gateways for tests: one that sends nothing and says what it is told to, and configured ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time

from app.gateways import (
    AddressKind,
    Cost,
    GatewayError,
    HookedGateway,
    OutgoingText,
    Receipt,
    ReceiptState,
)
from app.gateways.configured import hooked_gateway
from tests.support.databases import make_config


@dataclass
class QuietGateway:
    """Takes every text and keeps it, unless `errors` are left: those are raised first."""

    name: str = "sms"
    reaches: tuple[AddressKind, ...] = (AddressKind.PHONE,)
    per_second: float | None = None
    can_receive: bool = True
    sends_at_once: int = 50
    quiet: tuple[time, time] | None = None
    price: int = 0
    """Thousandths of a dirham for each 10 letters."""
    sent: list[OutgoingText] = field(default_factory=list)
    errors: list[GatewayError] = field(default_factory=list)

    def cost(self, text: str) -> Cost:
        parts = 1 + len(text) // 10
        return Cost(parts, parts * self.price)

    def send(self, outgoing: OutgoingText) -> Receipt:
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(outgoing)
        return Receipt(ReceiptState.ACCEPTED, provider_id=outgoing.reference)


def configured(name: str, settings: Mapping[str, str]) -> HookedGateway:
    """The gateway of that name of a program with these settings."""
    found = hooked_gateway(make_config("", **settings), name)
    assert found is not None
    return found
