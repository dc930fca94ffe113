"""What gateways for telephones have in common: their limits, and what they cost."""

from __future__ import annotations

from app.gateways import Cost
from app.gateways.sms_parts import sms_parts
from gateway_settings import Limits


class Paced:
    """A gateway whose limits come from its settings."""

    def __init__(self, limits: Limits) -> None:
        self.per_second = limits.per_second
        self.sends_at_once = limits.sends_at_once
        self.quiet = limits.quiet
        self.can_receive = limits.receives
        self._price = limits.price

    def _cost(self, parts: int) -> Cost:
        return Cost(parts, parts * self._price)

    def _cost_as_sms(self, text: str) -> Cost:
        return self._cost(max(1, sms_parts(text)))
