"""The demo's gateway: nothing leaves; the text stays in the outbox, where /messages shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.gateways import AddressKind, OutgoingText, Receipt, ReceiptState


@dataclass(frozen=True)
class ConsoleGateway:
    """Takes everything and sends nothing."""

    name: ClassVar[str] = "console"
    reaches: ClassVar[tuple[AddressKind, ...]] = (AddressKind.PHONE, AddressKind.EMAIL)
    per_second: ClassVar[float | None] = None

    def send(self, outgoing: OutgoingText) -> Receipt:
        return Receipt(ReceiptState.DELIVERED, provider_id=outgoing.reference)
