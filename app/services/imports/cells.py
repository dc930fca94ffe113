"""The text of one cell to its meaning. Every parser raises BadCell on what it can't accept."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import cache
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from app.i18n import plain_key
from app.models import Window
from app.services import programme
from app.services.imports.problems import Accepted, BadCell, Code

HOME_REGION: Final = "MA"
MOST_LESSONS_A_WEEK: Final = 40
LONGEST_EMAIL: Final = 254

Windows = tuple[Window, ...] | None
"""Weekly windows in order, none touching another; None where times are to be agreed."""
Teaching = tuple[tuple[str, str], ...]
"""(subject, level) codes, in the programme's order."""

_DAYS: Final = {
    name: day
    for day, names in enumerate(
        (
            ("lun", "lundi"),
            ("mar", "mardi"),
            ("mer", "mercredi"),
            ("jeu", "jeudi"),
            ("ven", "vendredi"),
            ("sam", "samedi"),
            ("dim", "dimanche"),
        )
    )
    for name in names
}
_WINDOW: Final = re.compile(r"(\D+?)\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})", re.ASCII)
_RANGE: Final = re.compile(r"\s*[-–]\s*")
_WHOLE: Final = re.compile(r"\d{1,2}", re.ASCII)
# Marks that other programs leave in texts, and that nobody sees: they would make two names of one.
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\ufeff"))
_REFUSED_CATEGORIES: Final = ("Cc", "Co", "Cn", "Zl", "Zp")
_DIRECTION_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@cache
def _spellings(section: str) -> dict[str, str]:
    return programme.spellings(section)


def clean(text: str) -> str:
    """The cell in NFC, trimmed, with single spaces; BadCell on line breaks and the like."""
    trimmed = unicodedata.normalize("NFC", text.translate(_INVISIBLE)).strip()
    for character in trimmed:
        refused = unicodedata.category(character) in _REFUSED_CATEGORIES
        if refused or character in _DIRECTION_OVERRIDES:
            raise BadCell(Code.CONTROL_CHARACTER)
    return " ".join(trimmed.split())


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
    return _bounded(text, 40) or None


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
    if not plain_key(text):
        raise BadCell(Code.NO_LETTERS)
    return text


def parse_phone(text: str) -> str:
    """A telephone number in E.164; without a country it is a Moroccan one."""
    try:
        number = phonenumbers.parse(_filled(text), HOME_REGION)
    except phonenumbers.NumberParseException:
        raise BadCell(Code.NOT_A_PHONE) from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise BadCell(Code.NOT_A_PHONE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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
    """The code of a level."""
    code = _spellings("levels").get(plain_key(_filled(text)))
    if code is None:
        raise BadCell(Code.NOT_A_LEVEL, accepted=Accepted("levels"))
    return code


def parse_subjects(text: str) -> tuple[str, ...]:
    """Codes of subjects, in the programme's order, each once."""
    return _codes(text, "subjects")


def parse_languages(text: str) -> tuple[str, ...]:
    """Codes of languages, in the programme's order, each once."""
    return _codes(text, "languages")


def parse_channels(text: str) -> tuple[str, ...]:
    """Codes of channels, in the programme's order, each once."""
    return _codes(text, "channels")


def _codes(text: str, section: str) -> tuple[str, ...]:
    accepted = _spellings(section)
    found = set()
    for item in _items(text):
        code = accepted.get(plain_key(item))
        if code is None:
            raise BadCell(Code.NOT_AMONG, item=item, accepted=Accepted(section))
        found.add(code)
    return in_order(found, section)


def _items(text: str) -> list[str]:
    """The parts between semicolons; empty ones don't count."""
    items = [item.strip() for item in text.split(";")]
    return [item for item in items if item] or [_filled("")]


def in_order(codes: set[str], section: str) -> tuple[str, ...]:
    """Codes in the programme's order."""
    return tuple(code for code in _order(section) if code in codes)


def _order(section: str) -> dict[str, None]:
    return dict.fromkeys(_spellings(section).values())


def parse_teaching(text: str) -> Teaching:
    """Subjects with a level or a range of levels, such as "SVT: TC-2BAC; Arabe: 6AEP"."""
    subjects = _spellings("subjects")
    taught = set()
    for item in _items(text):
        subject_text, colon, level_text = item.partition(":")
        subject = subjects.get(plain_key(subject_text))
        if not colon or subject is None:
            raise _not_teaching(item)
        taught |= {(subject, level) for level in _levels(level_text, item)}
    return teaching_in_order(taught)


def _levels(text: str, item: str) -> list[str]:
    spellings = _spellings("levels")
    ends = [spellings.get(plain_key(end)) for end in _RANGE.split(text.strip())]
    if len(ends) > 2 or None in ends:
        raise _not_teaching(item)
    order = list(_order("levels"))
    first, last = (order.index(end) for end in (ends[0], ends[-1]) if end is not None)
    if last < first:
        raise BadCell(Code.RANGE_BACKWARDS, item=item)
    return order[first : last + 1]


def _not_teaching(item: str) -> BadCell:
    accepted = {section: Accepted(section) for section in ("subjects", "levels")}
    return BadCell(Code.NOT_TEACHING, item=item, **accepted)


def teaching_in_order(taught: set[tuple[str, str]]) -> Teaching:
    """(subject, level) codes in the programme's order."""
    return tuple(
        (subject, level)
        for subject in _order("subjects")
        for level in _order("levels")
        if (subject, level) in taught
    )


def parse_windows(text: str) -> Windows:
    """Weekly windows such as "lun 18:00-20:00; sam 09:00-11:30"; None where the cell is empty."""
    if not text.strip("; "):
        return None
    return joined([_window(item) for item in _items(text)])


def _window(item: str) -> Window:
    match = _WINDOW.fullmatch(item)
    if match is None:
        raise BadCell(Code.NOT_A_WINDOW, item=item)
    day = _DAYS.get(plain_key(match[1]))
    start = _minute(match[2], match[3])
    end = _minute(match[4], match[5])
    if day is None or start is None or end is None:
        raise BadCell(Code.NOT_A_WINDOW, item=item)
    if end <= start:
        raise BadCell(Code.WINDOW_BACKWARDS, item=item)
    return day, start, end


def _minute(hours: str, minutes: str) -> int | None:
    """The minute of the day; None past 24:00 or where no clock shows it."""
    minute = int(hours) * 60 + int(minutes)
    return minute if int(minutes) < 60 and minute <= 24 * 60 else None


def joined(windows: list[Window]) -> tuple[Window, ...]:
    """Windows in order, those that touch or overlap made one."""
    result: list[Window] = []
    for day, start, end in sorted(windows):
        if result and result[-1][0] == day and start <= result[-1][2]:
            result[-1] = (day, result[-1][1], max(end, result[-1][2]))
        else:
            result.append((day, start, end))
    return tuple(result)


class Answer(StrEnum):
    """What a cell of consent says. An empty one is a no that nobody is known to have said."""

    YES = "oui"
    NO = "non"
    EMPTY = ""


def parse_answer(text: str) -> Answer:
    """oui, non or nothing."""
    try:
        return Answer(plain_key(text))
    except ValueError:
        raise BadCell(Code.NOT_YES_OR_NO) from None


def parse_lessons_a_week(text: str) -> int:
    """The most lessons in a week."""
    if not _WHOLE.fullmatch(_filled(text)) or int(text) > MOST_LESSONS_A_WEEK:
        raise BadCell(Code.NOT_LESSONS_A_WEEK)
    return int(text)
