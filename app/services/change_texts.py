"""The words of what becomes of lessons and groups, of offers and of questions.

The sentences stand in templates/messages/, as those of all messages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.models import Level, MessageKind, Question, QuestionKind, Subject, Zone
from app.services.message_texts import (
    channel_name,
    desk_address,
    join_names,
    long_date,
    own_words,
    short_date,
    standard_text,
    time_between,
    weekday_name,
)
from app.services.wordings import FAMILY, RULES, find_wording

_TO_AGREE: Final = {
    "fr": "horaire à convenir",
    "ar": "التوقيت يتفق عليه لاحقا",
    "ary": "lwe9t mazal ntfahmou 3lih",
}
_VOWELS: Final = "aeiou"
_CAPITAL: Final = re.compile(r"\b[^\W\d_](?=[^\W\d_A-Z])")
"""The first letter of a word, but for words like SVT."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of every lesson: of what, for whom, by whom, by what."""

    subject: Subject
    level: Level
    pupils: tuple[str, ...]
    """First names."""
    tutor: str
    """The first name of who gives it now."""
    channel: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one lesson (`act`), on the families' clocks and on the reader's own.

    To families: cancelled, moved, again (it takes place), given_by (somebody else). To tutors also
    given_away and taken, and left, where a group goes on without somebody; "weekly" where a
    group's times changed, "asked" within a question.
    """

    act: str
    told: Told
    before: str = ""
    """The first name of who gave it as far as the reader knew."""
    gives_other: bool = False
    was: datetime | None = None
    was_own: datetime | None = None
    now: datetime | None = None
    now_own: datetime | None = None
    weekly: Sequence[tuple[int, str]] = ()
    left: tuple[str, ...] = ()
    """The first names of those who left a group; none where not all may be named."""
    fewer: int = 0
    """How many they are."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A group in which a family's children begin."""

    told: Told
    weekly: Sequence[tuple[int, str]]
    first: datetime | None


@dataclass(frozen=True, slots=True)
class Offer:
    """Places that wait for a tutor's answer."""

    subject: Subject
    level: Level
    pupils: int
    zones: tuple[Zone, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A change in words, as the templates use it."""

    act: str
    subject: str
    of_subject: str
    level: str
    pupils: str
    of_pupils: str
    tutor: str
    before: str
    gives_other: bool
    channel: str
    was: str
    was_short: str
    now: str
    now_short: str
    weekly: str
    left: str
    fewer: int


@dataclass(frozen=True, slots=True)
class Lines:
    """The changes of one subject for the same children."""

    title: str
    changes: list[Line]


# --- what became of lessons


def changes_text(
    kind: MessageKind, language: str, changes: Sequence[Change], *, to_tutor: bool
) -> str:
    """The text that tells what became of lessons and weekly times; `kind` is the fitting one."""
    body = find_wording(kind, language, FAMILY) if kind in RULES and not to_tutor else None
    return changes_words(kind, language, body, changes, to_tutor=to_tutor)


def changes_words(
    kind: MessageKind,
    language: str,
    body: str | None,
    changes: Sequence[Change],
    *,
    to_tutor: bool = False,
) -> str:
    """As `changes_text`, in this wording; None is the standard one."""
    ordered = sorted(changes, key=_in_time)
    if body is not None:
        return own_words(
            kind, language, body, {}, [_placeholders(change, language) for change in ordered]
        )
    lines = [_line(change, language) for change in ordered]
    return standard_text(
        kind, language, changes=lines, groups=_by_title(lines, language), to_tutor=to_tutor
    )


def _in_time(change: Change) -> str:
    """The order of changes: by when the lessons were known to be, weekly times before all."""
    when = change.was or change.now
    return "" if when is None or change.act == "weekly" else when.isoformat()


def _placeholders(change: Change, language: str) -> dict[str, str]:
    when = change.was if change.act == "cancelled" else change.now
    assert when is not None
    told = change.told
    return {
        "date": long_date(when.date(), language),
        "time": f"{when:%H:%M}",
        "subject": _subject(told.subject, language),
        "level": told.level.name_in(language),
        "pupils": join_names(told.pupils, language) if told.pupils else "",
        "tutor": told.tutor,
        "before": change.before,
    }


def _line(change: Change, language: str) -> Line:
    told = change.told
    subject = _subject(told.subject, language)
    pupils = join_names(told.pupils, language) if told.pupils else ""
    return Line(
        act=change.act,
        subject=subject,
        of_subject=_of(subject, "h"),
        level=told.level.name_in(language),
        pupils=pupils,
        of_pupils=_of(pupils),
        tutor=told.tutor,
        before=change.before,
        gives_other=change.gives_other,
        channel=channel_name(told.channel, language),
        was=_when(change.was, change.was_own, language),
        was_short=_when(change.was, change.was_own, language, short=True),
        now=_when(change.now, change.now_own, language),
        now_short=_when(change.now, change.now_own, language, short=True),
        weekly=_weekly(change.weekly, language),
        left=join_names(change.left, language) if change.left else "",
        fewer=change.fewer,
    )


def _by_title(lines: Iterable[Line], language: str) -> list[Lines]:
    comma = "، " if language == "ar" else ", "
    found: dict[str, list[Line]] = {}
    for line in lines:
        title = comma.join(filter(None, (line.subject, line.pupils)))
        found.setdefault(title, []).append(line)
    return [Lines(title, changes) for title, changes in found.items()]


def _when(
    wall: datetime | None, own: datetime | None, language: str, *, short: bool = False
) -> str:
    if wall is None:
        return ""
    day = short_date(wall.date(), language) if short else long_date(wall.date(), language)
    between = " " if short else time_between(language)
    text = f"{day}{between}{wall:%H:%M}"
    if own is None:
        return text
    there = f"{own:%H:%M}"
    if own.date() != wall.date():
        there = f"{weekday_name(own.weekday(), language)} {there}"
    return f"{text} ({there} {'بتوقيتك' if language == 'ar' else 'chez vous'})"


def _weekly(times: Sequence[tuple[int, str]], language: str) -> str:
    if not times:
        return _TO_AGREE[language]
    between = time_between(language)
    return join_names(
        [f"{weekday_name(day, language)}{between}{time}" for day, time in times], language
    )


def _subject(subject: Subject, language: str) -> str:
    """Its name within a sentence: "mathématiques", but "SVT"."""
    return _CAPITAL.sub(lambda found: found[0].lower(), subject.name_in(language))


def _of(word: str, silent: str = "") -> str:
    """French: "de Sara", "d'Adam", "d'anglais"."""
    first = unicodedata.normalize("NFD", word[:1]).lower()[:1]
    return f"d'{word}" if first and first in _VOWELS + silent else f"de {word}"


# --- beginnings and offers


def new_group_text(language: str, beginnings: Sequence[Beginning]) -> str:
    """The text that tells a family of its children's lessons to come."""
    body = find_wording(MessageKind.NEW_GROUP, language, FAMILY)
    return new_group_words(language, body, beginnings)


def new_group_words(language: str, body: str | None, beginnings: Sequence[Beginning]) -> str:
    """As `new_group_text`, in this wording; None is the standard one."""
    if body is None:
        lines = [
            _line(Change("new", one.told, now=one.first, weekly=one.weekly), language)
            for one in beginnings
        ]
        return standard_text(MessageKind.NEW_GROUP, language, lines=lines)
    values = []
    for one in beginnings:
        told = one.told
        values.append(
            {
                "pupils": join_names(told.pupils, language),
                "subject": _subject(told.subject, language),
                "level": told.level.name_in(language),
                "times": _weekly(one.weekly, language),
                "first": _when(one.first, None, language) or _TO_AGREE[language],
                "tutor": told.tutor,
                "channel": channel_name(told.channel, language),
            }
        )
    return own_words(MessageKind.NEW_GROUP, language, body, {}, values)


def offers_text(language: str, offers: Sequence[Offer]) -> str:
    """The text that tells a tutor what waits for an answer."""
    lines = [
        {
            "pupils": offer.pupils,
            "subject": _subject(offer.subject, language),
            "level": offer.level.name_in(language),
            "zones": join_names([zone.name_in(language) for zone in offer.zones], language),
        }
        for offer in offers
    ]
    total = sum(offer.pupils for offer in offers)
    return standard_text(MessageKind.GROUP_OFFER, language, lines=lines, total=total)


def offers_withdrawn_text(language: str) -> str:
    """The text that tells a tutor that nothing of what was offered waits any more."""
    return standard_text(MessageKind.GROUP_OFFER, language, lines=[], total=0)


# --- questions


def question_text(
    language: str,
    question: Question,
    asked: Sequence[Change],
    *,
    answerable: bool,
    to_tutor: bool,
) -> str:
    """The text of a question; `asked` are the lessons that it is about, in their order."""
    times = [
        _when(datetime.fromisoformat(option[1]), None, language)
        for option in question.options
        if question.kind is QuestionKind.NEW_TIME and option[0] == "yes"
    ]
    is_which = question.kind is QuestionKind.WHICH_LESSON
    return standard_text(
        MessageKind.QUESTION,
        language,
        asks=question.kind.value,
        lines=[_line(change, language) for change in asked],
        coming=[bool(option[1]) for option in question.options] if is_which else [],
        times=times,
        answerable=answerable,
        to_tutor=to_tutor,
    )


# --- digests


def waiting_text(language: str, waiting: Mapping[str, int], site: str | None) -> str:
    """The digest of how much waits for a coordinator, by what it is."""
    return standard_text(
        MessageKind.DIGEST, language, waiting=dict(waiting), desk=desk_address(site)
    )


def week_text(language: str, lessons: Sequence[Change]) -> str:
    """The digest of a tutor's lessons to come, in the order of time."""
    return standard_text(
        MessageKind.DIGEST, language, lessons=[_line(lesson, language) for lesson in lessons]
    )
