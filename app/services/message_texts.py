"""The words of messages, in French, Arabic and, for families, Darija in Latin letters.

The standard sentences stand in templates/messages/; a programme may have a wording of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from babel.dates import format_date
from babel.lists import format_list
from flask import current_app

from app.extensions import db
from app.models import Channel, Lesson, MessageKind
from app.services.gsm7 import downgrade
from app.services.wordings import FAMILY, RULES, TUTOR, fill, find_wording
from scheduler import clock

LANGUAGES: Final = ("fr", "ar", "ary")
"""What families may be written to in; "ary" is Darija in Latin letters. Volunteers: fr and ar."""
_LOCALES: Final = {"fr": "fr", "ar": "ar_MA"}
_IN_LATIN_LETTERS: Final = ("fr", "ary")
_WEEKDAYS_ARY: Final = ("tnin", "tlat", "larb3", "lkhmis", "jjem3a", "ssebt", "l7ed")
_MONTHS_ARY: Final = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin",
    "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
)  # fmt: skip
_NEARNESS: Final = {
    "fr": {"today": "aujourd'hui", "tomorrow": "demain"},
    "ar": {"today": "اليوم", "tomorrow": "غدا"},
    "ary": {"today": "lyoum", "tomorrow": "ghedda"},
}
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
    "ary": {
        MessageKind.LESSON_24H: "N9raw: tfkira b l7issa",
        MessageKind.LESSON_2H: "N9raw: tfkira b l7issa",
        MessageKind.SIGN_IN_CODE: "N9raw: lcode bach tdekhlou",
        MessageKind.CONTACT_CODE: "N9raw: lcode dyalkom",
        MessageKind.FAMILY_LINK: "N9raw: la page dyal l3a2ila dyalkom",
        MessageKind.LESSONS_END: "N9raw: drous salaw",
    },
}


@dataclass(frozen=True, slots=True)
class ToldLesson:
    """A lesson that a text speaks of, and the first names of the children it names."""

    lesson: Lesson
    pupils: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
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
    return _standard(kind, language, code=code, minutes=minutes)


def family_link_text(language: str, link: str) -> str:
    """The text that brings a family the address of its page."""
    body = find_wording(MessageKind.FAMILY_LINK, language, FAMILY)
    return plain_words(MessageKind.FAMILY_LINK, language, body, {"link": link})


def lessons_end_text(language: str, pupils: Sequence[str], tutor: str) -> str:
    """The text that tells a family that its children's lessons with a volunteer have ended."""
    body = find_wording(MessageKind.LESSONS_END, language, FAMILY)
    values = {"pupils": join_names(pupils, language), "tutor": tutor}
    return plain_words(MessageKind.LESSONS_END, language, body, values)


def plain_words(
    kind: MessageKind, language: str, body: str | None, values: Mapping[str, str]
) -> str:
    """A message that speaks of no dated lesson, in this wording; None is the standard one."""
    if body is None:
        return _standard(kind, language, **values)
    return _spelt(fill(kind, body, values), language)


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
    return reminder_words(
        kind,
        language,
        find_wording(kind, language, TUTOR if to_tutor else FAMILY),
        [_line(told, day, language, own_zone) for told in ordered],
        day=day,
        today=clock.to_wall(clock.now(), first.zone).date(),
        to_tutor=to_tutor,
    )


def reminder_words(
    kind: MessageKind,
    language: str,
    body: str | None,
    lines: Sequence[Line],
    *,
    day: date,
    today: date,
    to_tutor: bool,
) -> str:
    """A reminder of what these lines say, in this wording; None is the standard one."""
    written, nearness = long_date(day, language), _nearness(day, today)
    if body is None:
        return _standard(
            kind, language, to_tutor=to_tutor, date=written, day_is=nearness, lines=lines
        )
    once = {"date": written, "day": _NEARNESS[language].get(nearness, written)}
    return _spelt(
        fill(kind, body, once, [_of_a_lesson(line, language) for line in lines]), language
    )


def standard_body(kind: MessageKind, language: str, *, to_tutor: bool) -> str:
    """The standard wording with placeholders, to begin one's own from."""
    names = {name: f"{{{name}}}" for name in (*RULES[kind].once, *RULES[kind].each_lesson)}
    line = names | {"day": "", "own_time": ""}
    return _standard(
        kind, language, **{"to_tutor": to_tutor, "day_is": "", "lines": [line], **names}
    )


def join_names(names: Sequence[str], language: str) -> str:
    """Names as a list in a sentence."""
    if language == "ary":
        return " w ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return str(format_list(list(names), locale=_LOCALES[language]))


def long_date(day: date, language: str) -> str:
    """A day with weekday and month in words."""
    if language == "ary":
        return f"nhar {_WEEKDAYS_ARY[day.weekday()]} {day.day} {_MONTHS_ARY[day.month - 1]}"
    text = str(format_date(day, "EEEE d MMMM", locale=_LOCALES[language]))
    return text.replace(" 1 ", " 1er ") if language == "fr" else text


def _of_a_lesson(line: Line, language: str) -> dict[str, str]:
    """What the placeholders of a lesson stand for; a time brings its day and a tutor's own time."""
    own = ""
    if line.own_time:
        own = f" ({line.own_time} بتوقيتك)" if language == "ar" else f" ({line.own_time} chez vous)"
    return {
        "time": f"{line.day}{line.time}{own}",
        "subject": line.subject,
        "level": line.level,
        "pupils": line.pupils,
        "tutor": line.tutor,
        "channel": line.channel,
    }


def _line(told: ToldLesson, day: date, language: str, own_zone: str | None) -> Line:
    lesson = told.lesson
    group = lesson.group
    wall = lesson.wall_start
    return Line(
        day="" if wall.date() == day else long_date(wall.date(), language) + " ",
        time=f"{wall:%H:%M}",
        own_time=_own_time(lesson, own_zone, language),
        subject=group.subject.name_in(language),
        level=group.level.name_in(language),
        pupils=join_names(told.pupils, language),
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


def _nearness(day: date, today: date) -> str:
    return {today: "today", today + timedelta(days=1): "tomorrow"}.get(day, "")


def _standard(kind: MessageKind, language: str, **values: object) -> str:
    template = current_app.jinja_env.get_template(f"messages/{language}/{kind.value}.txt")
    return _spelt(template.render(values).strip(), language)


def _spelt(text: str, language: str) -> str:
    """One ê in a French text would make it three SMS where two do. Arabic has no such choice."""
    return downgrade(text) if language in _IN_LATIN_LETTERS else text
