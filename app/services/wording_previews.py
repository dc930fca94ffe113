"""What a wording makes of sample lessons, and what that costs as SMS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from flask import current_app
from flask_babel.speaklater import LazyString

from app.extensions import db
from app.i18n import _l
from app.models import Channel, Level, MessageKind, Subject
from app.services.change_texts import (
    Beginning,
    Change,
    Told,
    changes_words,
    new_group_words,
)
from app.services.gsm7 import dear_letters, downgrade, is_gsm7, sms_parts
from app.services.message_texts import Line, join_names, plain_words, reminder_words
from app.services.wordings import REMINDERS, TUTOR
from scheduler import clock

_LINK: Final = "https://n9raw.example/f/kT3vZ0aQxW9rYb2LmN5cHg"
_LATIN: Final = (("Adam",), ("Fatima-Ezzahra",), ("Aïcha", "Mohamed-Amine", "Salma"))
_ARABIC: Final = (("آدم",), ("فاطمة الزهراء",), ("عائشة", "محمد أمين", "سلمى"))
_TUTORS: Final = {"latin": ("Zoé", "Abderrahmane"), "arabic": ("زينب", "عبد الرحمان")}
_TIMES: Final = (time(17, 30), time(18, 30), time(19, 30))


@dataclass(frozen=True, slots=True)
class Sample:
    """A text as it would leave, and what it costs."""

    title: LazyString
    text: str
    parts: int
    is_gsm7: bool

    @property
    def letters(self) -> int:
        return len(self.text)


@dataclass(frozen=True, slots=True)
class Preview:
    """A wording on samples; which of its own letters make it dearer, and which are replaced."""

    samples: list[Sample]
    dear: list[str]
    replaced: list[tuple[str, str]]


def preview(kind: MessageKind, language: str, audience: str, body: str | None) -> Preview:
    """What a checked wording makes of samples; None is the standard wording."""
    titles = (_l("Short names"), _l("Long names"), _l("Three brothers and sisters"))
    names = _ARABIC if language == "ar" else _LATIN
    samples = []
    for title, pupils in zip(titles, names, strict=True):
        text = _words(kind, language, audience, body, pupils)
        samples.append(Sample(title, text, sms_parts(text), is_gsm7(text)))
        if kind is MessageKind.FAMILY_LINK:
            break  # it names nobody: all three would be the same
    if kind is MessageKind.FAMILY_LINK:
        samples = [Sample(_l("The text"), samples[0].text, samples[0].parts, samples[0].is_gsm7)]
    own = body or ""
    if language == "ar":
        return Preview(samples, [], [])
    replaced = [
        (letter, downgrade(letter)) for letter in dict.fromkeys(own) if downgrade(letter) != letter
    ]
    return Preview(samples, dear_letters(downgrade(own)), replaced)


def _words(
    kind: MessageKind, language: str, audience: str, body: str | None, pupils: tuple[str, ...]
) -> str:
    short, long = _TUTORS["arabic" if language == "ar" else "latin"]
    tutor = short if pupils in (_LATIN[0], _ARABIC[0]) else long
    if kind is MessageKind.FAMILY_LINK:
        return plain_words(kind, language, body, {"link": _LINK})
    if kind is MessageKind.LESSONS_END:
        values = {"pupils": join_names(pupils, language), "tutor": tutor}
        return plain_words(kind, language, body, values)
    today = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone).date()
    if kind is MessageKind.NEW_GROUP:
        return new_group_words(language, body, _beginnings(language, pupils, tutor, today))
    if kind not in REMINDERS:
        return changes_words(kind, language, body, _changes(kind, language, pupils, tutor, today))
    return reminder_words(
        kind,
        language,
        body,
        _lines(language, pupils, tutor),
        day=today + timedelta(days=1),
        today=today,
        to_tutor=audience == TUTOR,
    )


def _lines(language: str, pupils: tuple[str, ...], tutor: str) -> list[Line]:
    """One lesson a pupil."""
    subject, level, channel = _things(language, pupils)
    return [
        Line(
            "",
            f"{start:%H:%M}",
            "",
            subject.name_in(language),
            level.name_in(language),
            pupil,
            tutor,
            channel.name_in(language),
        )
        for start, pupil in zip(_TIMES, pupils, strict=False)
    ]


def _changes(
    kind: MessageKind, language: str, pupils: tuple[str, ...], tutor: str, today: date
) -> list[Change]:
    act = "cancelled" if kind is MessageKind.CANCELLATION else "given_by"
    day = today + timedelta(days=1)
    return [
        Change(act, told, before=tutor, was=start, now=start)
        for told, start in _told(language, pupils, tutor, day)
    ]


def _beginnings(language: str, pupils: tuple[str, ...], tutor: str, today: date) -> list[Beginning]:
    day = today + timedelta(days=1)
    return [
        Beginning(told, [(day.weekday(), f"{start:%H:%M}")], start)
        for told, start in _told(language, pupils, tutor, day)
    ]


def _told(
    language: str, pupils: tuple[str, ...], tutor: str, day: date
) -> list[tuple[Told, datetime]]:
    """One lesson a pupil, and when it is."""
    subject, level, channel = _things(language, pupils)
    return [
        (Told(subject, level, (pupil,), tutor, channel.code), datetime.combine(day, start))
        for start, pupil in zip(_TIMES, pupils, strict=False)
    ]


def _things(language: str, pupils: tuple[str, ...]) -> tuple[Subject, Level, Channel]:
    """Those of the programme with the shortest names, for one pupil alone with a short one, else
    with the longest.

    The program's own names of things are as dear as those of people.
    """
    choose = min if len(pupils) == 1 and len(pupils[0]) < 6 else max

    def length(row: Subject | Level | Channel) -> int:
        return len(row.name_in(language))

    channels = db.select(Channel).where(~Channel.retired, Channel.variant_of.is_(None))
    return (
        choose(db.session.scalars(db.select(Subject).where(~Subject.retired)).all(), key=length),
        choose(db.session.scalars(db.select(Level).where(~Level.retired)).all(), key=length),
        choose(db.session.scalars(channels).all(), key=length),
    )
