"""Languages of the pages: which one a reader gets, which way it runs, how dates and times read."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime

from babel.dates import format_date, format_datetime, get_day_names
from flask import Response, current_app, g, has_request_context, request, session
from flask_babel import get_locale as _babel_locale
from flask_babel import gettext as _gettext
from flask_babel import ngettext as _ngettext
from flask_babel.speaklater import LazyString

from scheduler import clock

PAGE_LOCALES = ("fr", "ar", "en")
LOCALE_NAMES = {"fr": "Français", "ar": "العربية", "en": "English"}
LOCALE_COOKIE = "n9raw_locale"
_DATE_LOCALES = {"fr": "fr", "ar": "ar_MA", "en": "en_GB"}
_MOMENTS = {"fr": "d MMM y, HH:mm", "ar": "d MMM y، HH:mm", "en": "d MMM y, HH:mm"}


def _(message: str, **values: object) -> str:
    """The message in the reader's language, with its %(name)s filled in."""
    return str(_gettext(message, **isolated(values)))


def _l(message: str, **values: object) -> LazyString:
    """As `_`, for a text that is translated when it is shown, not when it is made."""
    return LazyString(_, message, **values)


def ngettext(singular: str, plural: str, num: int, **values: object) -> str:
    """The message in the reader's language, in the form that `num` takes there."""
    return str(_ngettext(singular, plural, num, **isolated(values)))


def isolated(
    values: Mapping[str, object], *, right_to_left: bool | None = None
) -> dict[str, object]:
    """Values of a message, each kept from turning the words around it.

    A name that runs against the page's direction is put between marks that nobody sees. Markup has
    elements for that, and stays as it is. `right_to_left`: the page runs so; else by its language.
    """
    if right_to_left is None:
        right_to_left = text_direction() == "rtl"
    against = {"L"} if right_to_left else {"R", "AL"}
    return {
        key: f"\u2068{value}\u2069"
        if type(value) is str and any(unicodedata.bidirectional(sign) in against for sign in value)
        else value
        for key, value in values.items()
    }


def apart(text: str) -> str:
    """A name for a line of text, so that it can't turn the words around it."""
    return str(isolated({"text": text})["text"])


def select_locale() -> str:
    """The language that the reader chose; else, in a shell, its LANG; else the programme's."""
    if has_request_context():
        known = (g.get("page_locale"), request.cookies.get(LOCALE_COOKIE), session.get("locale"))
        chosen = next((locale for locale in known if locale in PAGE_LOCALES), "")
    else:
        chosen = os.environ.get("N9RAW_LANG", os.environ.get("LANG", ""))[:2]
    if chosen in PAGE_LOCALES:
        return str(chosen)
    return str(current_app.config["N9RAW"].default_locale)


def remember_locale(response: Response, locale: str) -> None:
    """Have this browser keep the language that its reader chose, for a year."""
    response.set_cookie(
        LOCALE_COOKIE,
        locale,
        max_age=365 * 24 * 3600,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def show_page_in(locale: str) -> None:
    """Show this request's page in a language of its own; before anything of it is translated."""
    g.page_locale = locale


def page_locale() -> str:
    """The language of the text being written: "fr", "ar" or "en"."""
    return str(_babel_locale() or "fr")[:2]


def text_direction() -> str:
    """ "rtl" for Arabic, else "ltr"."""
    return "rtl" if page_locale() == "ar" else "ltr"


def format_moment(instant: datetime) -> str:
    """An instant as the programme's clocks show it, such as "21 nov. 2026, 18:00"."""
    wall = clock.to_wall(instant, current_app.config["N9RAW"].civil_zone)
    locale = page_locale()
    pattern = date_pattern(_MOMENTS[locale], wall, locale)
    return str(format_datetime(wall, pattern, locale=_DATE_LOCALES[locale]))


def format_day(when: datetime | date) -> str:
    """A date, or the programme's date at an instant, such as "21 novembre 2026"."""
    if isinstance(when, datetime):
        when = clock.to_wall(when, current_app.config["N9RAW"].civil_zone).date()
    locale = page_locale()
    pattern = date_pattern("d MMMM y", when, locale)
    return str(format_date(when, pattern, locale=_DATE_LOCALES[locale]))


def format_weekday(when: datetime | date) -> str:
    """A day, or that of a wall time, such as "lundi 7 décembre"."""
    day = when.date() if isinstance(when, datetime) else when
    locale = page_locale()
    pattern = date_pattern("EEEE d MMMM", day, locale)
    return str(format_date(day, pattern, locale=_DATE_LOCALES[locale]))


def date_pattern(pattern: str, day: date, locale: str) -> str:
    """Babel's pattern of a date, so that the first of a month reads "1er" in French."""
    return pattern.replace("d ", "d'er' ") if locale == "fr" and day.day == 1 else pattern


def format_month(day: date) -> str:
    """The month of a day, such as "mars 2027"."""
    return str(format_date(day, "LLLL y", locale=_DATE_LOCALES[page_locale()]))


def weekday_name(day: int) -> str:
    """The name of weekday 0 (Monday) to 6."""
    names = get_day_names("wide", locale=_DATE_LOCALES[page_locale()])
    return str(names[day])


def format_minute(minute: int) -> str:
    """A minute of the day as wall time, such as "18:30"; 1440 is "24:00"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def plain_key(text: str) -> str:
    """A name as a key: no accents, case, spaces or punctuation. "Aïn  Kaïcher" gives "ainkaicher".

    Arabic loses its vowel signs and lengthening; alef forms, ya and ta marbuta become one each.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in decomposed if c.isalnum() and not unicodedata.combining(c))
    return kept.translate(_ARABIC_FORMS)


_ARABIC_FORMS = str.maketrans({"ى": "ي", "ة": "ه", "ـ": None, "ٱ": "ا"})

__all__ = [
    "LOCALE_COOKIE",
    "LOCALE_NAMES",
    "PAGE_LOCALES",
    "_",
    "_l",
    "apart",
    "date_pattern",
    "format_day",
    "format_minute",
    "format_moment",
    "format_month",
    "format_weekday",
    "isolated",
    "ngettext",
    "page_locale",
    "plain_key",
    "remember_locale",
    "select_locale",
    "show_page_in",
    "text_direction",
    "weekday_name",
]
