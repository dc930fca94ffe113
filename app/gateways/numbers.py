"""Telephone numbers as gateways write them."""

from __future__ import annotations

import re

from app.gateways import Permanent

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_SEPARATORS = re.compile(r"[\s().-]+")
_SHORTEST_WITH_COUNTRY = 9
"""Digits; what has fewer is a short code."""
_PILOT = re.compile(r"\+212600000[12]\d\d", re.ASCII)
"""The numbers of the demo's people: made up, yet some may be somebody's."""


def check_number(address: str) -> None:
    """Refuse what is no number in E.164, and those of the demo's people."""
    if not _E164.fullmatch(address):
        raise Permanent("this is no telephone number that can be written to")
    if _PILOT.fullmatch(address):
        raise Permanent("the number is one of the demo's, which are made up")


def in_e164(written: str, country: str = "") -> str | None:
    """A sender's number in E.164; None for what is none, such as a name or a short code.

    A number without a calling code is one of `country`.
    """
    number = _SEPARATORS.sub("", written)
    if number.startswith("00"):
        number = "+" + number[2:]
    elif number.startswith("0") and country:
        number = f"+{country}{number[1:]}"
    elif number.isdecimal() and len(number) >= _SHORTEST_WITH_COUNTRY:
        number = "+" + number
    return number if _E164.fullmatch(number) else None
