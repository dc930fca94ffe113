"""A gateway for tests, which sends nothing and says what it is told to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time

from app.gateways import (
    AddressKind,
    Cost,
    GatewayError,
    OutgoingText,
    Receipt,
    ReceiptState,
)


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
