"""What gateways for telephones have in common: limits, costs, texts as templates take them."""

from __future__ import annotations

import re
from typing import Generic, TypeVar

from app.gateways import Cost
from app.gateways.sms_parts import sms_parts
from gateway_settings import KannelSettings, TwilioSettings, WhatsAppSettings

S = TypeVar("S", KannelSettings, TwilioSettings, WhatsAppSettings)


class ForTelephones(Generic[S]):
    """A gateway with its settings, and within the limits that stand there."""

    def __init__(self, settings: S, timeout_seconds: float) -> None:
        limits = settings.limits
        self.per_second = limits.per_second
        self.sends_at_once = limits.sends_at_once
        self.quiet = limits.quiet
        self.can_receive = limits.receives
        self._price = limits.price
        self._settings: S = settings
        self._timeout_seconds = timeout_seconds

    def _cost(self, parts: int) -> Cost:
        return Cost(parts, parts * self._price)

    def _cost_as_sms(self, text: str) -> Cost:
        return self._cost(max(1, sms_parts(text)))


def behind(path: str, name: str) -> str:
    """What stands behind /hooks/<name>/ in an address that was called, its query included."""
    return path.partition(f"/hooks/{name}/")[2]


def on_one_line(text: str) -> str:
    """A text as the variable of a WhatsApp template takes it: without line breaks and wide gaps."""
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    return " · ".join(line for line in lines if line)


def in_words(code: object, words: dict[int, str]) -> str:
    """What the other side's error code means, for operators; its own words may hold an address."""
    try:
        number = int(str(code))
    except ValueError:
        return "no reason was given"
    return f"{words[number]} (error {number})" if number in words else f"error {number}"
