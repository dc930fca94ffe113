"""Languages: nothing is left untranslated, and dates and times come from one source only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po
from flask import Flask, session

from app import i18n
from config import ROOT

APP = ROOT / "app"
TRANSLATED = ("fr", "ar")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")
# Nothing of Flask-Babel that knows of time zones: it would be a second source of them.
TAKEN_FROM_FLASK_BABEL = {
    "Babel",
    "LazyString",
    "get_locale",
    "gettext",
    "lazy_gettext",
    "ngettext",
}
ZONED_FILTERS = re.compile(r"\b(date|time|datetime|timedelta)format\b|\bto_(user|utc)_?timezone\b")


@pytest.fixture(scope="module")
def texts() -> set[str | tuple[str, ...]]:
    """The texts of the program, as `make messages` collects them."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping, "babel.cfg")
    added = re.findall(r"-k (\S+)", (ROOT / "tools" / "messages.sh").read_text("utf-8"))
    keywords = {**parse_keywords(["_", "gettext", "ngettext:1,2"]), **parse_keywords(added)}
    found = extract_from_dir(str(APP), methods, options, keywords=keywords)
    return {message for _file, _line, message, _comments, _context in found}


def catalogue(locale: str) -> Catalog:
    with (APP / "translations" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=locale)


def messages(locale: str) -> Iterator[tuple[Message, list[str], list[str]]]:
    """Each message with its English forms and its translated forms."""
    for message in catalogue(locale):
        if message.id:
            plural = message.pluralizable
            yield (
                message,
                list(message.id) if plural else [message.id],
                list(message.string) if plural else [message.string],
            )


def placeholders(text: str) -> list[str]:
    return sorted(match[0] for match in PLACEHOLDER.finditer(text))


@pytest.mark.parametrize("locale", TRANSLATED)
def test_catalogue_has_exactly_the_texts_of_the_program(
    locale: str, texts: set[str | tuple[str, ...]]
) -> None:
    known = {tuple(m.id) if m.pluralizable else m.id for m in catalogue(locale) if m.id}
    assert known == texts, "run `make messages` and translate what is new"


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_text_is_translated(locale: str) -> None:
    missing = [m.id for m, _, translated in messages(locale) if m.fuzzy or not all(translated)]
    assert missing == []


@pytest.mark.parametrize("locale", TRANSLATED)
def test_translations_fill_in_what_their_texts_fill_in(locale: str) -> None:
    differing = []
    for message, english, translated in messages(locale):
        wanted = placeholders(english[-1])
        for form in translated:
            left_out = set(wanted) - set(placeholders(form)) if message.pluralizable else set()
            # "One family" and "two families" need no figure; the other forms do.
            may_leave_out = form in translated[:3] and left_out <= {"%(num)s", "%(num)d"}
            if placeholders(form) != wanted and not (left_out and may_leave_out):
                differing.append((message.id, form))
    assert differing == []


@pytest.mark.parametrize(
    ("locale", "count", "expected"),
    [
        ("fr", 0, "0 famille"),
        ("fr", 1, "1 famille"),
        ("fr", 2, "2 familles"),
        ("ar", 1, "أسرة واحدة"),
        ("ar", 2, "أسرتان"),
        ("ar", 3, "3 أسر"),
        ("ar", 11, "11 أسرة"),
        ("ar", 99, "99 أسرة"),
        ("ar", 103, "103 أسر"),
        ("en", 1, "1 family"),
        ("en", 2, "2 families"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_numbers_take_the_form_of_the_language(
    app: Flask, locale: str, count: int, expected: str
) -> None:
    with app.test_request_context():
        session["locale"] = locale
        assert i18n.ngettext("%(num)s family", "%(num)s families", count) == expected


def test_forms_of_numbers_stand_in_the_order_in_which_translators_know_them() -> None:
    # Babel's own rule for Arabic has the last two the other way round.
    rule = Locale("ar").plural_form
    forms = c2py(catalogue("ar").plural_expr)
    order = ("zero", "one", "two", "few", "many", "other")
    assert [order[forms(count)] for count in range(250)] == [rule(count) for count in range(250)]
    for message, _singular, translated in messages("ar"):
        if message.pluralizable:
            many, other = (form.split() for form in translated[-2:])
            assert not {f"{word}ا" for word in many} & set(other), message.id


@pytest.mark.parametrize(
    ("locale", "moment", "day", "weekday"),
    [
        ("fr", "1er déc. 2026, 18:00", "1er décembre 2026", "mardi"),
        ("ar", "1 دجنبر 2026، 18:00", "1 دجنبر 2026", "الثلاثاء"),
        ("en", "1 Dec 2026, 18:00", "1 December 2026", "Tuesday"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_moments_read_in_the_language_and_at_the_clocks_of_the_programme(
    app: Flask, locale: str, moment: str, day: str, weekday: str
) -> None:
    winter = datetime(2026, 12, 1, 18, tzinfo=UTC)
    before_the_change = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    with app.test_request_context():
        session["locale"] = locale
        assert i18n.format_moment(winter) == moment
        assert i18n.format_day(winter) == day
        assert i18n.weekday_name(1) == weekday
        assert i18n.format_moment(before_the_change).endswith("23:30")


@pytest.mark.parametrize(
    ("locale", "first", "second", "eleventh"),
    [
        ("fr", "dimanche 1er novembre", "lundi 2 novembre", "mercredi 11 novembre"),
        ("ar", "الأحد 1 نونبر", "الاثنين 2 نونبر", "الأربعاء 11 نونبر"),
        ("en", "Sunday 1 November", "Monday 2 November", "Wednesday 11 November"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_the_first_of_a_month_has_a_name_of_its_own_in_french(
    app: Flask, locale: str, first: str, second: str, eleventh: str
) -> None:
    days = [datetime(2026, 11, day) for day in (1, 2, 11)]
    with app.test_request_context():
        session["locale"] = locale
        assert [i18n.format_weekday(day) for day in days] == [first, second, eleventh]


def test_only_texts_are_taken_from_flask_babel() -> None:
    taken = {name for file in APP.rglob("*.py") for name in _names_from_flask_babel(file)}
    assert taken <= TAKEN_FROM_FLASK_BABEL


def _names_from_flask_babel(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flask_babel"):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("flask_babel"))


def test_no_template_uses_a_filter_that_moves_times_between_zones() -> None:
    templates = list((APP / "templates").rglob("*.html"))
    assert len(templates) > 10
    using = [file.name for file in templates if ZONED_FILTERS.search(file.read_text("utf-8"))]
    assert using == []
