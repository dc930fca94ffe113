"""The words of messages, in French and Arabic; the sentences stand in templates/messages/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from babel.dates import format_date
from babel.lists import format_list
from flask import current_app

from app.extensions import db
from app.models import Channel, Lesson, MessageKind
from app.services.gsm7 import downgrade
from scheduler import clock

LANGUAGES: Final = ("fr", "ar")
_LOCALES: Final = {"fr": "fr", "ar": "ar_MA"}
_SUBJECTS: Final = {
    "fr": {
        MessageKind.LESSON_24H: "N9raw : rappel de cours",
        MessageKind.LESSON_2H: "N9raw : rappel de cours",
        MessageKind.SIGN_IN_CODE: "N9raw : votre code de connexion",
        MessageKind.CONTACT_CODE: "N9raw : votre code",
        MessageKind.FAMILY_LINK: "N9raw : la page de votre famille",
        MessageKind.LESSONS_END: "N9raw : fin de cours",
    },
    "ar": {
        MessageKind.LESSON_24H: "نقراو: تذكير بدرس",
        MessageKind.LESSON_2H: "نقراو: تذكير بدرس",
        MessageKind.SIGN_IN_CODE: "نقراو: رمز الدخول",
        MessageKind.CONTACT_CODE: "نقراو: رمزكم",
        MessageKind.FAMILY_LINK: "نقراو: صفحة أسرتكم",
        MessageKind.LESSONS_END: "نقراو: انتهاء دروس",
    },
}


@dataclass(frozen=True, slots=True)
class ToldLesson:
    """A lesson that a text speaks of, and the first names of the children it names."""

    lesson: Lesson
    pupils: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """What the templates say of one lesson. `day` is set where it is not the heading's."""

    day: str
    time: str
    own_time: str
    subject: str
    level: str
    pupils: str
    tutor: str
    channel: str


def subject_line(kind: MessageKind, language: str) -> str:
    """What stands above a message where its gateway has subjects; it names nobody."""
    return _SUBJECTS[language][kind]


def code_text(
    language: str, code: str, minutes: int, kind: MessageKind = MessageKind.SIGN_IN_CODE
) -> str:
    """The text that brings a code of six digits; `kind` is one of CODE_KINDS."""
    return _render(kind, language, code=code, minutes=minutes)


def family_link_text(language: str, link: str) -> str:
    """The text that brings a family the address of its page."""
    return _render(MessageKind.FAMILY_LINK, language, link=link)


def lessons_end_text(language: str, pupils: Sequence[str], tutor: str) -> str:
    """The text that tells a family that its children's lessons with a volunteer have ended."""
    names = format_list(list(pupils), locale=_LOCALES[language])
    return _render(MessageKind.LESSONS_END, language, pupils=names, tutor=tutor)


def reminder_text(
    kind: MessageKind,
    language: str,
    lessons: Sequence[ToldLesson],
    *,
    to_tutor: bool,
    own_zone: str | None = None,
) -> str:
    """The text that reminds of these lessons, in the order of time.

    Times are those of the family's clock; a tutor who lives by another, `own_zone`, is told both.
    """
    ordered = sorted(lessons, key=lambda told: (told.lesson.starts_at, told.lesson.id))
    first = ordered[0].lesson
    day = first.wall_start.date()
    return _render(
        kind,
        language,
        to_tutor=to_tutor,
        date=_long_date(day, language),
        day_is=_nearness(day, clock.to_wall(clock.now(), first.zone).date()),
        lines=[_line(told, day, language, own_zone) for told in ordered],
    )


def _line(told: ToldLesson, day: date, language: str, own_zone: str | None) -> _Line:
    lesson = told.lesson
    group = lesson.group
    wall = lesson.wall_start
    return _Line(
        day="" if wall.date() == day else _long_date(wall.date(), language) + " ",
        time=f"{wall:%H:%M}",
        own_time=_own_time(lesson, own_zone, language),
        subject=group.subject.name_in(language),
        level=group.level.name_in(language),
        pupils=format_list(list(told.pupils), locale=_LOCALES[language]),
        tutor=group.tutor.first_name,
        channel=_channel_name(group.channel, language),
    )


def _own_time(lesson: Lesson, own_zone: str | None, language: str) -> str:
    """The time on a tutor's own clock where it shows another than the family's; else nothing."""
    if own_zone is None:
        return ""
    own: datetime = clock.to_wall(lesson.starts_at, own_zone).replace(fold=0)
    if own == lesson.wall_start:
        return ""
    if own.date() == lesson.wall_start.date():
        return f"{own:%H:%M}"
    return f"{format_date(own.date(), 'EEEE', locale=_LOCALES[language])} {own:%H:%M}"


def _channel_name(code: str, language: str) -> str:
    """The way the lesson is held; that a variant is one-to-one needs no word."""
    channel = db.session.get_one(Channel, code)
    if channel.variant_of is not None:
        channel = db.session.get_one(Channel, channel.variant_of)
    return channel.name_in(language)


def _long_date(day: date, language: str) -> str:
    text = str(format_date(day, "EEEE d MMMM", locale=_LOCALES[language]))
    return text.replace(" 1 ", " 1er ") if language == "fr" else text


def _nearness(day: date, today: date) -> str:
    return {today: "today", today + timedelta(days=1): "tomorrow"}.get(day, "")


def _render(kind: MessageKind, language: str, **values: object) -> str:
    template = current_app.jinja_env.get_template(f"messages/{language}/{kind.value}.txt")
    text = template.render(values).strip()
    # One ê in a French text would make it three SMS where two do. Arabic has no such choice.
    return downgrade(text) if language == "fr" else text
