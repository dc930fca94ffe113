"""The text of one cell to its meaning. Every parser raises BadCell on what it can't accept."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from app.i18n import plain_key
from app.services import programme
from app.services.imports.letters import ascii_digits, is_garbled
from app.services.imports.naming import find_code, parse_codes
from app.services.imports.problems import Accepted, BadCell, Code
from scheduler import clock

HOME_REGION: Final = "MA"
MOST_LESSONS_A_WEEK: Final = 40
LONGEST_EMAIL: Final = 254
MESSAGE_LANGUAGES: Final = ("ar", "fr")

_WHOLE: Final = re.compile(r"\d{1,2}")
_WHOLE_AS_DECIMAL: Final = re.compile(r"(\d+)[.,]0+")
_TIME_ZONE: Final = re.compile(r"UTC|[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_+-]+){1,2}")
# Marks that other programs leave in texts, and that nobody sees: they would make two names of one.
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff"))
_REFUSED_CATEGORIES: Final = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
_DIRECTION_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_END: Final = re.compile(r"\s*(?:\r\n|[\r\n\v\f\u2028])\s*")
_SPREADSHEET_ERROR: Final = re.compile(
    r"#(?:N/A|REF!|NAME\?|NOM\?|VALUE!|VALEUR!|DIV/0!|NUL+!|NUM!|NOMBRE!|SPILL!|CALC!)",
    re.IGNORECASE,
)
_LOST_LETTERS: Final = re.compile(r"[^\W\d_]\?[^\W\d_]|\?\?")


def clean(text: str) -> str:
    """The cell in NFC, trimmed, with single spaces; BadCell on line breaks, lost letters, #REF!."""
    trimmed = unicodedata.normalize("NFC", text.translate(_INVISIBLE)).strip()
    if is_garbled(trimmed):
        raise BadCell(Code.GARBLED)
    if _SPREADSHEET_ERROR.fullmatch(trimmed):
        raise BadCell(Code.ERROR_CELL)
    if _LOST_LETTERS.search(trimmed):
        raise BadCell(Code.LOST_LETTERS)
    # What can be printed is in none of these categories, and quickly told.
    for character in "" if trimmed.isprintable() else trimmed:
        refused = unicodedata.category(character) in _REFUSED_CATEGORIES
        if refused or character in _DIRECTION_OVERRIDES:
            raise BadCell(Code.CONTROL_CHARACTER)
    return " ".join(trimmed.split())


def clean_list(text: str) -> str:
    """As `clean`, where each line of the cell is one thing and ends as with a semicolon."""
    return clean(_LINE_END.sub("; ", text.strip()).replace("\t", " "))


def clean_number(text: str) -> str:
    """As `clean`, without the direction marks that telephones keep when they are copied."""
    return clean("".join(sign for sign in text if unicodedata.category(sign) != "Cf"))


def _bounded(text: str, most: int) -> str:
    if len(text) > most:
        raise BadCell(Code.TOO_LONG, most=most, length=len(text))
    return text


def _filled(text: str) -> str:
    if not text:
        raise BadCell(Code.EMPTY_CELL)
    return text


def parse_ref(text: str) -> str | None:
    """The list's own number of a person; None where the cell is empty."""
    ref = ascii_digits(text)
    # A column of numbers with an empty cell in it is kept by some programs as 1.0, 2.0.
    whole = _WHOLE_AS_DECIMAL.fullmatch(ref)
    return _bounded(whole[1] if whole else ref, 40) or None


def parse_name(text: str) -> str:
    """A first or last name."""
    return _name(text, 80)


def parse_guardian(text: str) -> str:
    """A guardian's full name."""
    return _name(text, 160)


def parse_zone(text: str) -> str:
    """A zone's name; any name will do."""
    name = _name(text, 80)
    # A single sign can stand for a whole phrase, and the key spells it out.
    _bounded(plain_key(name), 80)
    return name


def _name(text: str, most: int) -> str:
    _bounded(_filled(text), most)
    if not any(sign.isalpha() for sign in plain_key(text)):
        raise BadCell(Code.NO_LETTERS)
    return text


_SCIENTIFIC: Final = re.compile(r"(\d)(?:[.,](\d+))?e\+?(\d{1,2})", re.IGNORECASE)
_WITHOUT_COUNTRY: Final = re.compile(r"[567]\d{8}")
_PLUS_LOST: Final = re.compile(r"[1-9]\d{10,14}")
_NUMBER_ALONE: Final = re.compile(r"[+\d][\d\s()./\-‐-―]*")


def parse_phone(text: str) -> str:
    """A telephone number in E.164; without a country it is a Moroccan one.

    Takes what spreadsheets make of one: a lost leading zero, a lost plus, 6.00000101E8.
    """
    written = "".join(s for s in ascii_digits(text) if unicodedata.category(s) != "Cf").strip()
    plain = _whole_number(_filled(written).replace("＋", "+"))
    if plain.startswith("("):
        # (+212) 06..., (0537)...
        plain = plain[1:].replace(")", " ", 1)
    if not _NUMBER_ALONE.fullmatch(plain):
        raise BadCell(Code.NOT_A_PHONE)
    for candidate in _candidates(plain):
        try:
            number = phonenumbers.parse(candidate, HOME_REGION)
        except phonenumbers.NumberParseException:
            continue
        if not number.extension and phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise BadCell(Code.NOT_A_PHONE)


def _whole_number(text: str) -> str:
    """A number that a spreadsheet wrote as a decimal or with an exponent, as its digits."""
    whole = _WHOLE_AS_DECIMAL.fullmatch(text)
    if whole:
        return whole[1]
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific is None:
        return text
    decimals, exponent = (scientific[2] or "").rstrip("0"), int(scientific[3])
    shown = len(scientific[2] or "")
    if shown < exponent or len(decimals) > exponent:
        raise BadCell(Code.LOST_DIGITS)
    return scientific[1] + decimals.ljust(exponent, "0")


def _candidates(text: str) -> list[str]:
    digits = re.sub(r"\D", "", text)
    if _WITHOUT_COUNTRY.fullmatch(digits) and "+" not in text:
        return [f"0{digits}"]
    lost_plus = "+" not in text and _PLUS_LOST.fullmatch(digits)
    return [text, f"+{digits}"] if lost_plus else [text]


def parse_optional_phone(text: str) -> str | None:
    """As `parse_phone`; None where the cell is empty."""
    return parse_phone(text) if text else None


def parse_email(text: str) -> str | None:
    """An e-mail address in small letters; None where the cell is empty."""
    if not text:
        return None
    try:
        address = validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise BadCell(Code.NOT_AN_EMAIL) from None
    return _bounded(address, LONGEST_EMAIL)


def parse_level(text: str) -> str:
    """The code of one level."""
    code = find_code(_filled(text), "levels")
    if code is None:
        raise BadCell(Code.NOT_A_LEVEL, accepted=Accepted("levels"))
    return code


def parse_subjects(text: str) -> tuple[str, ...]:
    """Codes of subjects, in the programme's order, each once."""
    return parse_codes(text, "subjects")


def parse_languages(text: str) -> tuple[str, ...]:
    """Codes of languages, in the programme's order, each once."""
    return parse_codes(text, "languages")


def parse_channels(text: str) -> tuple[str, ...]:
    """Codes of channels, in the programme's order, each once."""
    return parse_codes(text, "channels")


def parse_message_language(text: str) -> str | None:
    """The language of what is sent to a volunteer, "ar" or "fr"; None where the cell is empty."""
    if not text:
        return None
    code = _any_language(text)
    if code not in MESSAGE_LANGUAGES:
        raise BadCell(Code.NOT_A_MESSAGE_LANGUAGE)
    return code


def parse_family_language(text: str) -> str | None:
    """As `parse_message_language`, for a family, which may have "ary": Darija in Latin letters."""
    code = _any_language(text)
    if text and code != "darija" and code not in MESSAGE_LANGUAGES:
        raise BadCell(Code.NOT_A_FAMILY_LANGUAGE)
    return "ary" if code == "darija" else code


def _any_language(text: str) -> str | None:
    """Messages may well be in a language that no lessons are offered in any more."""
    return programme.spellings("languages").get(plain_key(text))


def parse_time_zone(text: str) -> str | None:
    """The IANA name of a time zone; None where the cell is empty."""
    if not text:
        return None
    name = text.replace(" ", "_")
    if len(name) > 64 or not _TIME_ZONE.fullmatch(name):
        raise BadCell(Code.NOT_A_TIME_ZONE)
    try:
        clock.zone(name)
    except (clock.ClockError, OSError):
        # OSError: a folder of zones, such as America/Argentina.
        raise BadCell(Code.NOT_A_TIME_ZONE) from None
    return name


class Answer(StrEnum):
    """What a cell of consent says. An empty one is a no that nobody is known to have said."""

    YES = "oui"
    NO = "non"
    EMPTY = ""


_ANSWERS: Final = {
    plain_key(word) or word: answer
    for answer, words in (
        (Answer.YES, "oui o yes y نعم true vrai 1 ✓ ✔ ☑ ✅"),
        (Answer.NO, "non n no لا false faux 0 ✗ ✘ ☐ ❌"),
        (Answer.EMPTY, "- – —"),
    )
    for word in words.split()
}


def parse_answer(text: str) -> Answer:
    """Yes, no or nothing. "x" is refused: it ticks for some and crosses out for others."""
    if not text:
        return Answer.EMPTY
    answer = _ANSWERS.get(plain_key(ascii_digits(text)) or text.replace("\ufe0f", ""))
    if answer is None:
        raise BadCell(Code.NOT_YES_OR_NO)
    return answer


def parse_lessons_a_week(text: str) -> int:
    """The most lessons in a week."""
    number = ascii_digits(_filled(text))
    whole = _WHOLE_AS_DECIMAL.fullmatch(number)
    number = whole[1] if whole else number
    if not _WHOLE.fullmatch(number) or int(number) > MOST_LESSONS_A_WEEK:
        raise BadCell(Code.NOT_LESSONS_A_WEEK)
    return int(number)
