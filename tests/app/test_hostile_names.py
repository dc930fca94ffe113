"""Whatever somebody types as a name or a reason is kept as it is or refused in words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import Select, func, select, union_all

from app.extensions import Base, db
from app.models import Guardian, ListKind, Tutor
from app.services import (
    addresses,
    by_hand,
    codes,
    coordinators,
    entered,
    family_links,
    help_request,
    hours,
    names,
    people,
    registration,
    timetable,
    zones,
)
from app.services.errors import ServiceError
from app.services.imports import apply_import, plan_import
from app.services.scope import EVERYWHERE
from tests.support.hostile import HOSTILE_NAMES
from tests.support.lists import HIBA, RANIA, make_list
from tests.support.people import level, make_coordinator, make_programme, subject
from tests.support.wordy import BROWSER, USE_CASES, UseCase, Wordy, make_wordy

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def seen(text: str) -> str:
    """What a reader sees of a text: no blanks, no marks without a shape, any script's digits."""
    plain = unicodedata.normalize("NFC", text.casefold())
    return "".join(
        str(unicodedata.decimal(sign, sign))
        for sign in plain
        if unicodedata.category(sign)[0] not in "CZ"
    )


def unkept(text: str) -> list[str]:
    """What must never be stored: control characters, halves of characters, overrides."""
    return [
        sign
        for sign in text
        if sign in OVERRIDES
        or unicodedata.category(sign) == "Cs"
        or (unicodedata.category(sign) == "Cc" and sign not in "\n\t")
    ]


def count_rows() -> int:
    """How many rows the whole database has."""
    return db.session.scalar(_count_of_all()) or 0


@cache
def _count_of_all() -> Select[int]:
    """Made once: SQLAlchemy takes longer to put it together than the database to count."""
    each = [
        select(func.count().label("n")).select_from(one) for one in Base.metadata.tables.values()
    ]
    return select(func.sum(union_all(*each).subquery().c.n))


@pytest.mark.parametrize(
    "each", [pytest.param(6, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_every_use_case_keeps_words_as_they_are_or_refuses_them(app: Flask, each: int) -> None:
    """Some take a sixth of the names for each use case, another one for the next."""
    faults: list[str] = []
    with app.app_context():
        at = make_wordy()
        for number, case in enumerate(USE_CASES):
            faults += faults_of(case, HOSTILE_NAMES[number % each :: each], at)
    assert not faults, "\n".join(faults)


def faults_of(case: UseCase, names: Sequence[str], at: Wordy) -> list[str]:
    """What a use case does with these names that it should not, in words."""
    faults, kept = [], 0
    for words in names:
        before = count_rows()
        try:
            stored = case.run(words, at)
        except ServiceError as refused:
            if not str(refused).strip() or count_rows() != before:
                faults.append(f"{case.name}: {words[:40]!a} is half refused")
            continue
        except Exception as error:
            faults.append(f"{case.name}: {words[:40]!a}: {error!a:.200}")
            db.session.rollback()
            continue
        kept += bool(stored)
        whole = seen(words) == seen(stored) or case.cut
        if unkept(stored) or len(stored) > case.most or not whole:
            faults.append(f"{case.name}: {words[:40]!a} is kept as {stored[:40]!a}")
    return faults if kept else [*faults, f"{case.name}: nothing is kept"]


@on_sqlite
def test_names_are_looked_for_whatever_they_are(app: Flask) -> None:
    with app.app_context():
        make_wordy()
        maths, third = subject("maths").id, level("3AC").id
        searches: tuple[Callable[[str], Any], ...] = (
            lambda typed: people.find_tutors(typed, None, 1),
            lambda typed: people.find_households(typed, None, 1, EVERYWHERE),
            lambda typed: timetable.find_groups(typed, None, None, 1, EVERYWHERE),
            lambda typed: zones.find_zones(typed, 1),
            lambda typed: by_hand.list_waiting(maths, third, typed, 1),
            lambda typed: names.rank(typed, "Hiba Touil"),
            lambda typed: names.rank("Hiba Touil", typed),
            lambda typed: hours.find_certificate(hours.plain_code(typed)),
        )
        for typed in filter(can_be_sent, HOSTILE_NAMES):
            for search in searches:
                search(typed)


@on_sqlite
def test_what_is_no_address_number_or_code_is_refused_in_words(app: Flask) -> None:
    refusing: tuple[Callable[[str], Any], ...] = (
        addresses.parse_address,
        entered.entered_phone,
        family_links.household_by_phone,
        coordinators.find_coordinator,
        coordinators.checked_address,
        lambda typed: help_request.ask_code(BROWSER, typed, "fr"),
        lambda typed: people.zones_called([typed]),
    )
    # Every try at a code takes the time that guessing is to take.
    slowly: tuple[Callable[[str], Any], ...] = (
        lambda typed: codes.take_code(BROWSER, typed),
        lambda typed: help_request.take_code(BROWSER, typed),
        lambda typed: registration.take_code(BROWSER, typed),
    )
    typed = [
        name
        for name in HOSTILE_NAMES
        if can_be_sent(name) and name not in ("0600000101", "Hiba@example.org")
    ]
    with app.app_context():
        make_programme()
        for refuse in refusing:
            assert all(is_refused(refuse, name) for name in typed)
        for refuse in slowly:
            assert all(is_refused(refuse, name) for name in typed[::40])


def is_refused(refuse: Callable[[str], Any], typed: str) -> bool:
    """Whether it is refused, and in words."""
    try:
        refuse(typed)
    except ServiceError as refused:
        return bool(str(refused).strip())
    return False


@on_sqlite
@pytest.mark.parametrize("kind", list(ListKind))
def test_lists_with_hostile_names_are_stored_whole_or_say_what_is_wrong(
    app: Flask, kind: ListKind
) -> None:
    first = HIBA if kind is ListKind.PUPILS else RANIA
    column = "tuteur_legal" if kind is ListKind.PUPILS else "prenom"
    rows = [
        {
            **first,
            next(iter(first)): f"X{number}",
            column: name,
            "telephone": f"06111{number:05d}",
            **({"email": f"x{number}@example.org"} if "email" in first else {}),
        }
        for number, name in enumerate(HOSTILE_NAMES)
        if can_be_sent(name)
    ]
    with app.app_context():
        make_programme()
        by = make_coordinator()
        report = plan_import(kind, make_list(*rows))
        assert len(report.rows) == len(rows)
        good = [row for row in report.rows if not row.problems]
        assert len(good) > len(rows) / 3
        apply_import(kind, make_list(*rows), by, leave_out_bad=True)
        kept = {seen(one) for one in stored_names(kind)}
        typed = {seen(row[column]) for row in rows}
        assert kept <= typed
        assert len(stored_names(kind)) == len(good)


def can_be_sent(name: str) -> bool:
    """Whether a form or a file can bring it: half a character has no bytes, NUL is refused."""
    return "\0" not in name and not any(unicodedata.category(sign) == "Cs" for sign in name)


def stored_names(kind: ListKind) -> list[str]:
    column = Guardian.name if kind is ListKind.PUPILS else Tutor.first_name
    return list(db.session.scalars(select(column)))
