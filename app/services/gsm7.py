"""What a text loses on its way into GSM-7, the alphabet of which an SMS holds 160 letters."""

from __future__ import annotations

import unicodedata
from typing import Final

from app.gateways.sms_parts import is_gsm7, sms_parts

__all__ = ["dear_letters", "downgrade", "is_gsm7", "sms_parts"]

_OTHERWISE: Final = str.maketrans(
    {
        "œ": "oe", "Œ": "OE", "ı": "i", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
        "’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "«": '"', "»": '"', "…": "...",
        "–": "-", "—": "-", "‑": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
    }
)  # fmt: skip


def downgrade(text: str) -> str:
    """The text with its Latin letters and marks brought into GSM-7: Aïcha becomes Aicha.

    Letters that have no like there, such as Arabic ones, stay.
    """
    composed = unicodedata.normalize("NFC", text).translate(_OTHERWISE)
    return "".join(_plain(letter) for letter in composed)


def dear_letters(text: str) -> list[str]:
    """The letters that keep a text out of GSM-7, each once, as they come."""
    return [letter for letter in dict.fromkeys(text) if not is_gsm7(letter)]


def _plain(letter: str) -> str:
    if is_gsm7(letter):
        return letter
    base = unicodedata.normalize("NFKD", letter)
    kept = "".join(c for c in base if not unicodedata.combining(c))
    return kept if kept and is_gsm7(kept) else letter
