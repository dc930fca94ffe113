"""The demo's gateway: nothing leaves; the text stays in the outbox, where /messages shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import ClassVar

from app.gateways import AddressKind, Cost, OutgoingText, Receipt, ReceiptState


@dataclass(frozen=True)
class ConsoleGateway:
    """Takes everything and sends nothing."""

    name: ClassVar[str] = "console"
    reaches: ClassVar[tuple[AddressKind, ...]] = (AddressKind.PHONE, AddressKind.EMAIL)
    per_second: ClassVar[float | None] = None

    can_receive: ClassVar[bool] = True
    sends_at_once: ClassVar[int] = 50
    quiet: ClassVar[tuple[time, time] | None] = None

    def cost(self, text: str) -> Cost:
        return Cost(parts=1, thousandths=0)

    def send(self, outgoing: OutgoingText) -> Receipt:
        return Receipt(ReceiptState.DELIVERED, provider_id=outgoing.reference)
