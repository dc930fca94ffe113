"""What every template can use beside Flask's own: names and times in the reader's language."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import phonenumbers
from flask import Flask, current_app, request, url_for
from flask_babel.speaklater import LazyString
from flask_login import UserMixin
from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context

from app import i18n
from app.i18n import _l
from app.models import Coordinator
from app.models.programme import Named
from app.models.weekly import WeeklyWindow
from app.web.access import may_open


def init_templates(app: Flask) -> None:
    """Give the templates their functions and filters; an unknown name in one is an error."""
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals.update(
        main_menu=main_menu,
        may_open=may_open,
        format_day=i18n.format_day,
        format_moment=i18n.format_moment,
        format_weekday=i18n.format_weekday,
        locale_names=i18n.LOCALE_NAMES,
        page_locale=i18n.page_locale,
        static_url=static_url,
        text_direction=i18n.text_direction,
        weekday_name=i18n.weekday_name,
    )
    texts: dict[str, Any] = environment.globals
    for written in ("gettext", "ngettext"):
        texts[written] = _with_isolated_values(texts[written])
    texts["_"] = texts["gettext"]
    environment.filters.update(
        name=local_name,
        national_phone=national_phone,
        windows=windows_by_day,
    )


def _with_isolated_values(translate: Callable[..., str]) -> Callable[..., str]:
    """A template's function for texts that lets no name turn the words around it."""

    @pass_context
    def translated(context: Context, *texts: Any, **values: object) -> str:
        return translate(context, *texts, **i18n.isolated(values))

    return translated


class MenuEntry(NamedTuple):
    """An entry of a menu, and a pattern of the paths of what belongs to it."""

    endpoint: str
    text: LazyString
    paths: str

    @property
    def is_here(self) -> bool:
        """Whether the page that is being shown belongs to this entry."""
        own = rf"/((coordinator|volunteer)/)?({self.paths})(/|$)"
        return re.match(own, request.path) is not None


def main_menu(user: UserMixin) -> list[MenuEntry]:
    """The menu of who is signed in."""
    menu = coordinator_menu() if isinstance(user, Coordinator) else volunteer_menu()
    return [entry for entry in menu if may_open(entry.endpoint)]


def volunteer_menu() -> list[MenuEntry]:
    """The volunteer's menu, as `main_menu`; a lesson to come belongs to the week."""
    week = "week|groups|calendar|lessons/[0-9]+/(cancel|move)"
    return [
        MenuEntry("volunteer.week", _l("My week"), week),
        MenuEntry("volunteer.lessons", _l("Past lessons"), "lessons(?!/[0-9]+/(cancel|move))"),
        MenuEntry("volunteer.days_off", _l("Days off"), "days-off|pause|stop"),
        MenuEntry("volunteer.hours", _l("Hours"), "hours|certificates"),
        MenuEntry("volunteer.settings", _l("Settings"), "settings|teaching"),
    ]


def coordinator_menu() -> list[MenuEntry]:
    """The coordinator's menu, as `main_menu`."""
    return [
        MenuEntry("coordinator.desk", _l("Desk"), "desk|flags|figures|exports|call-sheet"),
        MenuEntry("coordinator.imports", _l("Lists"), "import"),
        MenuEntry("coordinator.tutors", _l("Volunteers"), "volunteers|tutors"),
        MenuEntry("coordinator.pupils", _l("Pupils"), "pupils|families|requests"),
        MenuEntry("coordinator.matching", _l("Matching"), "matching"),
        MenuEntry("coordinator.groups", _l("Groups"), "groups"),
        MenuEntry("coordinator.lessons", _l("Lessons"), "lessons"),
        MenuEntry("coordinator.week", _l("Week"), "week"),
        MenuEntry("coordinator.messages", _l("Messages"), "messages|inbox|zones"),
        MenuEntry("coordinator.coordinators", _l("Coordinators"), "team"),
        MenuEntry("account.own", _l("My account"), "account"),
        MenuEntry("coordinator.programme_start", _l("Programme"), "programme"),
    ]


def static_url(filename: str) -> str:
    """The address of a static file. It changes with the content, so it may be kept for ever."""
    file = Path(str(current_app.static_folder)) / filename
    return url_for("static", filename=filename, v=_digest(file, file.stat().st_mtime_ns))


@cache
def _digest(file: Path, _changed_at: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def local_name(row: Named) -> str:
    """A subject's, level's, channel's or language's name in the reader's language."""
    return i18n.apart(row.name_in(i18n.page_locale()))


def national_phone(number: str) -> str:
    """An E.164 number as people of its country write it, such as "0600-000101"."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def windows_by_day(windows: Iterable[WeeklyWindow]) -> list[tuple[str, list[str]]]:
    """Weekly windows in order, as (name of the weekday, ["17:30–19:30", "20:00–21:00"])."""
    days: dict[int, list[str]] = {}
    for day, start, end in sorted(window.as_window() for window in windows):
        stretch = f"{i18n.format_minute(start)}–{i18n.format_minute(end)}"
        days.setdefault(day, []).append(stretch)
    return [(i18n.weekday_name(day), stretches) for day, stretches in days.items()]
