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
from app.i18n import date_pattern
from app.models import Channel, Lesson, MessageKind
from app.services.gsm7 import downgrade
from app.services.wordings import FAMILY, RULES, TUTOR, fill, find_wording
from scheduler import clock

LANGUAGES: Final = ("fr", "ar", "ary")
"""What families may be written to in; "ary" is Darija in Latin letters. Volunteers: fr and ar."""
_LOCALES: Final = {"fr": "fr", "ar": "ar_MA"}
_IN_LATIN_LETTERS: Final = ("fr", "ary")
_WEEKDAYS_ARY: Final = ("tnin", "tlat", "larb3", "lkhmis", "jjem3a", "ssebt", "l7ed")
_SHORT_FR: Final = ("lun", "mar", "mer", "jeu", "ven", "sam", "dim")
_MONTHS_ARY: Final = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin",
    "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
)  # fmt: skip
_MONDAY: Final = date(2026, 11, 30)
ANSWERS: Final = {
    "fr": "1 = nous serons là, 2 = nous ne pouvons pas",
    "ar": "1 = سنحضر، 2 = لن نستطيع",
    "ary": "1 = ghadi n7edrou, 2 = ma n9edrouch",
}
"""How families answer a reminder, said where their answers come in."""
_SOUGHT: Final = {
    "fr": "une autre personne, que nous cherchons encore",
    "ar": "شخص آخر ما زلنا نبحث عنه",
    "ary": "wa7ed akhor, mazal kan9elbou 3lih",
}
"""Who gives a lesson that its volunteer can't give, while nobody else is found."""
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
        MessageKind.GROUP_OFFER: "N9raw : des élèves vous attendent",
        MessageKind.NEW_GROUP: "N9raw : les cours commencent",
        MessageKind.CHANGE: "N9raw : changement de cours",
        MessageKind.CANCELLATION: "N9raw : cours annulé",
        MessageKind.SUBSTITUTION: "N9raw : remplacement",
        MessageKind.QUESTION: "N9raw : une question",
        MessageKind.DIGEST: "N9raw : en bref",
        MessageKind.NOTE: "N9raw : un message de la coordination",
        MessageKind.CALL_ME: "N9raw : une famille demande un appel",
        MessageKind.REPLY: "N9raw : réponse",
        MessageKind.CHECK: "N9raw : essai",
    },
    "ar": {
        MessageKind.LESSON_24H: "نقراو: تذكير بدرس",
        MessageKind.LESSON_2H: "نقراو: تذكير بدرس",
        MessageKind.SIGN_IN_CODE: "نقراو: رمز الدخول",
        MessageKind.CONTACT_CODE: "نقراو: رمزكم",
        MessageKind.FAMILY_LINK: "نقراو: صفحة أسرتكم",
        MessageKind.LESSONS_END: "نقراو: انتهاء دروس",
        MessageKind.GROUP_OFFER: "نقراو: تلاميذ في انتظارك",
        MessageKind.NEW_GROUP: "نقراو: بداية الدروس",
        MessageKind.CHANGE: "نقراو: تغيير في الدروس",
        MessageKind.CANCELLATION: "نقراو: إلغاء درس",
        MessageKind.SUBSTITUTION: "نقراو: تعويض",
        MessageKind.QUESTION: "نقراو: سؤال",
        MessageKind.DIGEST: "نقراو: ملخص",
        MessageKind.NOTE: "نقراو: رسالة من التنسيق",
        MessageKind.CALL_ME: "نقراو: أسرة تطلب الاتصال بها",
        MessageKind.REPLY: "نقراو: جواب",
        MessageKind.CHECK: "نقراو: تجربة",
    },
    "ary": {
        MessageKind.LESSON_24H: "N9raw: tfkira b l7issa",
        MessageKind.LESSON_2H: "N9raw: tfkira b l7issa",
        MessageKind.SIGN_IN_CODE: "N9raw: lcode bach tdekhlou",
        MessageKind.CONTACT_CODE: "N9raw: lcode dyalkom",
        MessageKind.FAMILY_LINK: "N9raw: la page dyal l3a2ila dyalkom",
        MessageKind.LESSONS_END: "N9raw: drous salaw",
        MessageKind.GROUP_OFFER: "N9raw: tlamed kaytsennaw",
        MessageKind.NEW_GROUP: "N9raw: drous ghadi ybdaw",
        MessageKind.CHANGE: "N9raw: tbeddel lwe9t",
        MessageKind.CANCELLATION: "N9raw: l7issa tlghat",
        MessageKind.SUBSTITUTION: "N9raw: wa7ed akhor ghadi y9erri",
        MessageKind.QUESTION: "N9raw: sou2al",
        MessageKind.DIGEST: "N9raw: molakhas",
        MessageKind.NOTE: "N9raw: message mn l2idara",
        MessageKind.CALL_ME: "N9raw: 3a2ila bghat l2ittissal",
        MessageKind.REPLY: "N9raw: jawab",
        MessageKind.CHECK: "N9raw: tajriba",
    },
}


@dataclass(frozen=True, slots=True)
class ToldLesson:
    """A lesson that a text speaks of, and the first names of the children it names."""

    lesson: Lesson
    pupils: tuple[str, ...]
    is_sought: bool = False
    """Whether its volunteer can't give it, and nobody who can is found yet."""


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
    return standard_text(kind, language, code=code, minutes=minutes)


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
        return standard_text(kind, language, **values)
    return own_words(kind, language, body, values)


def own_words(
    kind: MessageKind,
    language: str,
    body: str,
    once: Mapping[str, str],
    lessons: Sequence[Mapping[str, str]] = (),
) -> str:
    """A programme's own wording, filled in."""
    return _spelt(fill(kind, body, once, lessons), language)


def note_text(language: str, text: str) -> str:
    """A coordinator's own words, as they leave."""
    return standard_text(MessageKind.NOTE, language, text=text.strip())


def reply_text(language: str, key: str, *, to_tutor: bool = False) -> str:
    """The answer to a text that came in; `key` is a value of telling.Reply."""
    return standard_text(MessageKind.REPLY, language, key=key, to_tutor=to_tutor)


def unknown_number_text() -> str:
    """The answer to a number that nobody here has, in French and Arabic."""
    return "\n".join(reply_text(language, "unknown_number") for language in ("fr", "ar"))


def call_me_text(language: str, pupils: Sequence[str], zone: str, site: str | None) -> str:
    """The text that asks for a call: to a tutor, who knows the children, or to a coordinator."""
    names = join_names(pupils, language) if pupils else ""
    return standard_text(
        MessageKind.CALL_ME, language, pupils=names, zone=zone, desk=desk_address(site)
    )


def check_text(language: str) -> str:
    """A gateway's test text."""
    return standard_text(MessageKind.CHECK, language)


def desk_address(site: str | None) -> str:
    """Where coordinators find their desk; nothing where the installation doesn't know its own."""
    return "" if site is None else f"{site}/coordinator/desk"


def reminder_text(
    kind: MessageKind,
    language: str,
    lessons: Sequence[ToldLesson],
    *,
    to_tutor: bool,
    own_zone: str | None = None,
    answerable: bool = False,
) -> str:
    """The text that reminds of these lessons, in the order of time.

    `answerable` says that an answer by text would come in: a family is told how to give it. Times
    are those of the family's clock; a tutor who lives by another, `own_zone`, is told both.
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
        answerable=answerable and not to_tutor,
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
    answerable: bool = False,
) -> str:
    """A reminder of what these lines say, in this wording; None is the standard one."""
    written, nearness = long_date(day, language), _nearness(day, today)
    if body is None:
        text = standard_text(
            kind, language, to_tutor=to_tutor, date=written, day_is=nearness, lines=lines
        )
        return f"{text}\n{ANSWERS[language]}" if answerable else text
    once = {"date": written, "day": _NEARNESS[language].get(nearness, written)}
    text = own_words(kind, language, body, once, [_of_a_lesson(line, language) for line in lines])
    return f"{text}\n{ANSWERS[language]}" if answerable else text


def standard_body(kind: MessageKind, language: str, *, to_tutor: bool) -> str:
    """The standard wording with placeholders, to begin one's own from."""
    names = {name: f"{{{name}}}" for name in (*RULES[kind].once, *RULES[kind].each_lesson)}
    when = (
        "{first}" if kind is MessageKind.NEW_GROUP else f"{{date}}{time_between(language)}{{time}}"
    )
    line = names | {
        "day": "",
        "own_time": "",
        "act": "given_by",
        "of_subject": "de {subject}",
        "of_pupils": "de {pupils}",
        "was": when,
        "now": when,
        "weekly": "{times}",
    }
    of_all = {"to_tutor": to_tutor, "day_is": "", "lines": [line], "changes": [line]}
    return standard_text(kind, language, **of_all, **names)


def join_names(names: Sequence[str], language: str) -> str:
    """Names as a list in a sentence."""
    if language == "ary":
        return " w ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return str(format_list(list(names), locale=_LOCALES[language]))


def long_date(day: date, language: str) -> str:
    """A day with weekday and month in words."""
    if language == "ary":
        return f"nhar {_WEEKDAYS_ARY[day.weekday()]} {day.day} {_MONTHS_ARY[day.month - 1]}"
    pattern = date_pattern("EEEE d MMMM", day, language)
    return str(format_date(day, pattern, locale=_LOCALES[language]))


def short_date(day: date, language: str) -> str:
    """A day with its weekday, as short as it is understood."""
    return f"{weekday_name(day.weekday(), language, short=True)} {day.day}/{day.month}"


def weekday_name(day: int, language: str, *, short: bool = False) -> str:
    """A day of the week, 0 for Monday."""
    if language == "ary":
        return _WEEKDAYS_ARY[day]
    if language == "fr" and short:
        return _SHORT_FR[day]
    return str(format_date(_MONDAY + timedelta(days=day), "EEEE", locale=_LOCALES[language]))


def time_between(language: str) -> str:
    """What stands between a day and a time in a sentence."""
    return {"fr": " à ", "ar": " على ", "ary": " f "}[language]


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
        tutor=_SOUGHT[language] if told.is_sought else lesson.given_by.first_name,
        channel=channel_name(group.channel, language),
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


def channel_name(code: str, language: str) -> str:
    """The way the lesson is held; that a variant is one-to-one needs no word."""
    channel = db.session.get_one(Channel, code)
    if channel.variant_of is not None:
        channel = db.session.get_one(Channel, channel.variant_of)
    return channel.name_in(language)


def _nearness(day: date, today: date) -> str:
    return {today: "today", today + timedelta(days=1): "tomorrow"}.get(day, "")


def standard_text(kind: MessageKind, language: str, **values: object) -> str:
    """A kind's standard sentences, from its template."""
    template = current_app.jinja_env.get_template(f"messages/{language}/{kind.value}.txt")
    return _spelt(template.render(values).strip(), language)


def _spelt(text: str, language: str) -> str:
    """One ê in a French text would make it three SMS where two do. Arabic has no such choice."""
    return downgrade(text) if language in _IN_LATIN_LETTERS else text
