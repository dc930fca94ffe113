"""Whether words look as French, Arabic or English writes them, or as a wrong character set does."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

# Whatever is not white space and not ASCII punctuation.
_WORD: Final = re.compile(r"[^\s!-/:-@\[-`{-~]+")
_LATIN: Final = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœúùûüýÿß")
_SIGNS: Final = frozenset("’‘“”«»‹›–—…°ºª•·€£§©®™²³½¼¾✓✔☑✗✘☐¿¡×\u00a0\u202f\ufeff")
_MOST_MIXED: Final = 2


def words(text: str) -> Iterator[str]:
    """The words of a text that hold more than ASCII."""
    return (word for word in _WORD.findall(text) if not word.isascii())


def odd_words(text: str) -> list[str]:
    """The words that no French, Arabic or English text would hold, in the order of the text."""
    return [word for word in words(text) if not looks_written(word)]


def looks_written(word: str) -> bool:
    """Whether a word with more than ASCII in it is one that somebody may have written."""
    if "\ufffd" in word:
        return False
    parts = re.split("[’·–—]", word)
    return all(_part_looks_written(part) for part in parts if part)


def _part_looks_written(part: str) -> bool:
    core = part.strip("".join(_SIGNS))
    if not core:
        return True
    letters = [sign for sign in core if sign.isalpha()]
    arabic = [sign for sign in letters if _is_arabic(sign)]
    if any(_is_arabic(sign) for sign in core):
        return len(arabic) == len(letters) and all(map(_fits_arabic, core))
    return _is_latin(core)


def _is_arabic(sign: str) -> bool:
    return "\u0600" <= sign <= "\u06ff" or "\ufb50" <= sign <= "\ufdff" or sign >= "\ufe70"


def _fits_arabic(sign: str) -> bool:
    # Direction marks and joiners stand inside Arabic words of every source.
    return _is_arabic(sign) or sign.isdecimal() or unicodedata.category(sign) in ("Cf", "Mn")


def _is_latin(core: str) -> bool:
    accented = [sign for sign in core if not sign.isascii()]
    plain = sum(sign.isascii() and sign.isalpha() for sign in core)
    if not all(_fits_latin(sign) for sign in accented):
        # Tifinagh and other scripts come in Unicode only, where nothing has to be guessed.
        # A sign such as "•" amid letters is none of them: it is another set's accent.
        return all(
            (ord(sign) > 0x6FF and sign.isalpha()) or unicodedata.category(sign) in ("Mn", "Cf")
            for sign in accented
        )
    if len(core) >= _MOST_MIXED and not plain and any(sign.isalpha() for sign in accented):
        return False
    # Capitals with accents begin a word, or the whole word is in capitals.
    capital = any(sign.isupper() and not sign.isascii() for sign in core[1:])
    return not (capital and any(sign.islower() for sign in core))


def _fits_latin(sign: str) -> bool:
    return sign.lower() in _LATIN or unicodedata.category(sign) in ("Mn", "Cf", "Nd")


def is_mostly_common(text: str) -> bool:
    """Whether nine signs of ten are such as French, Arabic and English texts are made of."""
    return 10 * sum(map(_is_common, text)) >= 9 * len(text)


def is_garbled(text: str) -> bool:
    """Whether a text was read in a wrong character set once, such as "PrÃ©nom", or lost letters."""
    return not text.isascii() and (
        "\ufffd" in text or any(_was_utf8(word) for word in text.split())
    )


def _was_utf8(word: str) -> bool:
    if word.isascii():
        return False
    for encoding in ("cp1252", "cp1256"):
        try:
            meant = _as_bytes(word, encoding).decode()
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
        if all(map(looks_written, words(meant))) and all(map(_is_common, meant)):
            return True
    return False


def _is_common(sign: str) -> bool:
    common = sign.isascii() or sign.lower() in _LATIN or sign in _SIGNS
    return common or "\u060c" <= sign <= "\u0669"


def _as_bytes(word: str, encoding: str) -> bytes:
    """The word in a one-byte character set; what the set leaves open stands for itself."""
    parts = []
    for sign in word:
        if encoding == "cp1252" and ord(sign) in (0x81, 0x8D, 0x8F, 0x90, 0x9D):
            parts.append(bytes([ord(sign)]))
        else:
            parts.append(sign.encode(encoding))
    return b"".join(parts)


def ascii_digits(text: str) -> str:
    """The text with the digits of every script as 0 to 9."""
    if text.isascii():
        return text
    return "".join(
        sign if sign.isascii() or not sign.isdecimal() else str(unicodedata.decimal(sign))
        for sign in text
    )
