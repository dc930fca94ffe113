"""Words that people write in their own way: reasons, notes, worries, and what a thing is called."""

from __future__ import annotations

import unicodedata
from typing import Final

from app.i18n import _l
from app.services.errors import Invalid

LONGEST_REASON: Final = 500
# They turn the order of whatever is shown after them; telephones leave them beside numbers.
_DIRECTION_OVERRIDES: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LINE_ENDS: Final = str.maketrans(dict.fromkeys("\r\v\f\u2028\u2029", "\n"))
_NOT_KEPT: Final = ("Cc", "Cs")
"""Control characters, and halves of characters, which no database takes."""


def read_text(text: str, most: int) -> str:
    """The words without signs that nobody sees and blanks around them; "" where nothing is left.

    Invalid where there are more than `most` characters: nothing is cut.
    """
    said = _without_unseen(text)
    if len(said) > most:
        raise Invalid(_l("At most %(most)d characters, please.", most=most))
    return said


def read_reason(text: str) -> str:
    """As `read_text`, of the length that reasons may have."""
    return read_text(text, LONGEST_REASON)


def read_line(text: str) -> str:
    """As `read_text`, on one line with single blanks, however long it is."""
    return " ".join(_without_unseen(text).split())


def _without_unseen(text: str) -> str:
    said = text.replace("\r\n", "\n").translate(_LINE_ENDS)
    said = "".join(filter(_is_kept, said)).strip()
    return said if any(map(_is_seen, said)) else ""


def _is_kept(sign: str) -> bool:
    if sign.isprintable() or sign in "\n\t":
        return True
    return sign not in _DIRECTION_OVERRIDES and unicodedata.category(sign) not in _NOT_KEPT


def _is_seen(sign: str) -> bool:
    return unicodedata.category(sign)[0] not in "CZ"
