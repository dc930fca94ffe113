"""What the pages of the programme's settings call its lists and messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from app.i18n import _, format_minute, format_month, ngettext, page_locale
from app.models import (
    DayOff,
    DayOffKind,
    DayOffState,
    ExamEffect,
    Level,
    MessageKind,
    Period,
    PeriodKind,
    Term,
)
from app.services.calendar_year import Entry
from app.services.wordings import FAMILY


def section(name: str) -> str:
    """The name of a list."""
    return {
        "subjects": _("Subjects"),
        "levels": _("Levels"),
        "channels": _("Ways of holding lessons"),
        "languages": _("Languages of lessons"),
        "tags": _("Needs"),
    }[name]


def about(name: str) -> str:
    """What a list is for."""
    return {
        "subjects": _("What pupils ask for and volunteers teach."),
        "levels": _("School years, from the youngest to the oldest, and which of them sit exams."),
        "channels": _(
            "By telephone, by video and so on: how large groups may be, what each costs."
        ),
        "languages": _("The languages that volunteers and families speak in lessons."),
        "tags": _("What a pupil may need of a volunteer, such as a woman."),
    }[name]


def add(name: str) -> str:
    """The button that adds to a list."""
    return {
        "subjects": _("Add a subject"),
        "levels": _("Add a level"),
        "languages": _("Add a language"),
        "tags": _("Add a need"),
    }[name]


def families(name: str, number: int) -> str:
    """How many point at an entry of a list, beside volunteers."""
    if name == "subjects":
        return ngettext("%(num)d open request", "%(num)d open requests", number)
    if name in ("levels", "tags"):
        return ngettext("%(num)d pupil", "%(num)d pupils", number)
    return ngettext("%(num)d family", "%(num)d families", number)


def message(kind: MessageKind) -> str:
    """What a message is about."""
    return {
        MessageKind.LESSON_24H: _("Reminder the day before"),
        MessageKind.LESSON_2H: _("Reminder two hours before"),
        MessageKind.NEW_GROUP: _("Lessons begin"),
        MessageKind.CANCELLATION: _("Lessons are cancelled"),
        MessageKind.SUBSTITUTION: _("Somebody else gives a lesson"),
        MessageKind.FAMILY_LINK: _("The link to the family’s page"),
        MessageKind.LESSONS_END: _("Lessons with a volunteer have ended"),
    }[kind]


def audience(name: str) -> str:
    """Whom a message goes to."""
    return _("Families") if name == FAMILY else _("Volunteers")


def language(code: str) -> str:
    """The language of a message."""
    return {
        "fr": _("French"),
        "ar": _("Arabic"),
        "ary": _("Darija in Latin letters"),
    }[code]


def placeholder(name: str) -> str:
    """What a placeholder stands for."""
    return {
        "date": _("the day, such as “Tuesday 1 December”"),
        "day": _("“today” or “tomorrow”, else the day"),
        "time": _("when the lesson starts"),
        "subject": _("the subject"),
        "level": _("the level"),
        "pupils": _("the children’s first names"),
        "tutor": _("the volunteer’s first name"),
        "channel": _("how the lesson is held"),
        "times": _("the times of the week, such as “Tuesday at 17:00”"),
        "first": _("when the first lesson is"),
        "before": _("the first name of the volunteer who gives it otherwise"),
        "link": _("the address of the family’s page"),
    }[name]


def month(day: date) -> str:
    """The month that a day is in: "March 2027"."""
    return format_month(day)


def calendar_kind(entry: Entry) -> str:
    """What an entry of the school calendar is."""
    return {Term: "term", DayOff: "day_off", Period: "period"}[type(entry)]


def calendar_name(entry: Entry) -> str:
    """What an entry of the school calendar is called."""
    return entry.name_in(page_locale()) if isinstance(entry, DayOff) else entry.name


def calendar_tag(entry: Entry) -> tuple[str, str]:
    """(word, kind of tag) of an entry of the school calendar."""
    if isinstance(entry, Term):
        return _("term"), "good"
    if isinstance(entry, Period):
        if entry.published_at is None:
            return _("not published yet"), "warn"
        return (
            (_("Ramadan"), "neutral")
            if entry.kind is PeriodKind.RAMADAN
            else (_("exams"), "neutral")
        )
    return {
        DayOffState.PROPOSED: (_("to be confirmed: lessons are held"), "warn"),
        DayOffState.CONFIRMED: (
            _("school holidays") if entry.kind is DayOffKind.SCHOOL else _("public holiday"),
            "neutral",
        ),
        DayOffState.DISMISSED: (_("lessons are held"), "neutral"),
    }[entry.state]


def period_says(period: Period, levels: Mapping[int, Level]) -> str:
    """What becomes of lessons in a period."""
    if period.kind is PeriodKind.RAMADAN:
        return _(
            "No lessons from %(begins)s to %(ends)s.",
            begins=format_minute(period.blackout_from or 0),
            ends=format_minute(period.blackout_until or 0),
        )
    names = (
        _("all levels")
        if period.level_ids is None
        else _(", ").join(row.code for row in levels.values() if row.id in period.level_ids)
    )
    if period.effect is ExamEffect.SUSPEND:
        return _("No lessons: %(levels)s.", levels=names)
    return _("Twice as many lessons: %(levels)s.", levels=names)
