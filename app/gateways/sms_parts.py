"""What an SMS costs: the GSM-7 alphabet, and how many parts a text makes."""

from __future__ import annotations

from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""Letters that take two places: an escape stands before them."""

SEPTETS_ALONE, SEPTETS_A_PART = 160, 153
UNITS_ALONE, UNITS_A_PART = 70, 67


def is_gsm7(text: str) -> bool:
    """Whether every letter is in GSM-7, so that an SMS holds 160 of them and not 70."""
    return all(letter in _BASIC or letter in _EXTENDED for letter in text)


def sms_parts(text: str) -> int:
    """How many SMS a text is sent as, so how many are paid for; 0 for an empty one."""
    if is_gsm7(text):
        sizes = [2 if letter in _EXTENDED else 1 for letter in text]
        return _parts(sizes, SEPTETS_ALONE, SEPTETS_A_PART)
    sizes = [len(letter.encode("utf-16-be")) // 2 for letter in text]
    return _parts(sizes, UNITS_ALONE, UNITS_A_PART)


def _parts(sizes: list[int], alone: int, a_part: int) -> int:
    """Parts of letters of these sizes; no letter is split between two parts."""
    if not sizes:
        return 0
    if sum(sizes) <= alone:
        return 1
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > a_part:
            parts, filled = parts + 1, 0
        filled += size
    return parts
