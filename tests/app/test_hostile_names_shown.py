"""Every page shows hostile names as what they are: text, that changes nothing around it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.database import transaction
from app.extensions import db
from app.i18n import LOCALE_COOKIE, PAGE_LOCALES
from app.models import (
    Consent,
    Coordinator,
    Group,
    Guardian,
    HoursCertificate,
    Invitation,
    Lesson,
    Level,
    Note,
    Pupil,
    Subject,
    Term,
    Tutor,
    TutorAbsence,
    Veto,
    Worry,
    Zone,
)
from app.services import invitations
from app.services.asking import read_name
from app.services.coordinators import Role, find_coordinator
from app.services.errors import Invalid
from app.services.free_text import read_reason
from app.services.vetting_term import today
from scheduler import clock
from tests.support.drawn import Drawn, read_page
from tests.support.hostile import HOSTILE_NAMES
from tests.support.pages import EMAIL
from tests.support.world import World, make_world, pages_of

NAMED: Final = (
    (Tutor, ("first_name", "last_name")),
    (Pupil, ("first_name", "last_name")),
    (Guardian, ("name",)),
    (Zone, ("name", "name_ar")),
    (Coordinator, ("name",)),
    (Subject, ("name_fr", "name_ar", "name_en")),
    (Level, ("name_fr", "name_ar", "name_en")),
    (Term, ("name",)),
    (Invitation, ("name",)),
    (HoursCertificate, ("tutor_name",)),
    (Consent, ("guardian_name",)),
)
TOLD: Final = (
    (Note, ("text",)),
    (Worry, ("text",)),
    (Lesson, ("note", "cancel_reason")),
    (Group, ("decline_reason",)),
    (Veto, ("reason",)),
    (TutorAbsence, ("reason",)),
    (Tutor, ("suspend_reason",)),
)


def kept(read: Any) -> Iterator[str]:
    """The hostile names as they are stored, those that are."""
    for name in HOSTILE_NAMES:
        if any(unicodedata.category(sign) == "Cs" for sign in name):
            continue
        try:
            stored = read(name)
        except Invalid:
            continue
        if stored:
            yield stored


ISOLATED: Final = re.compile("\u2068[^\u2068\u2069]*\u2069")
NAMES: Final = tuple(dict.fromkeys(kept(read_name)))
REASONS: Final = tuple(dict.fromkeys(kept(read_reason)))


def fill(world: World) -> None:
    """Give the world what `make_world` leaves out and that has words of people."""
    by = find_coordinator(EMAIL)
    now = clock.now()
    tutor_id, household_id = world.arguments["tutor_id"], world.arguments["household_id"]
    invitations.invite("new@example.org", "New", Role(False, None), by)
    with transaction():
        db.session.execute(update(Zone).values(name_ar=Zone.name))
        db.session.add_all(
            [
                Note(household_id=household_id, text="x", by_id=by.id, at=now),
                Note(tutor_id=tutor_id, text="x", by_id=by.id, at=now),
                TutorAbsence(
                    tutor_id=tutor_id,
                    first_day=today() + timedelta(days=40),
                    last_day=today() + timedelta(days=41),
                    reason="x",
                    created_at=now,
                ),
            ]
        )


def rename(first: int) -> None:
    """Give everybody and everything other names, from the `first` on, and around."""
    names, reasons = (cycle((*all_[first:], *all_[:first])) for all_ in (NAMES, REASONS))
    with transaction():
        for table, columns in NAMED:
            for row in db.session.scalars(select(table)):
                for column in columns:
                    setattr(row, column, next(names))
        for table, columns in TOLD:
            for row in db.session.scalars(select(table)):
                for column in columns:
                    setattr(row, column, next(reasons))


def test_names_are_kept_by_the_hundred() -> None:
    assert len(NAMES) > 130
    assert len(REASONS) > 180


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_hostile_names_change_nothing_on_any_page(app: Flask) -> None:
    world = make_world(app)
    with app.app_context():
        fill(world)
    visitors = pages_of(app, world)
    shapes: dict[str, set[tuple[str, str]]] = {}
    faults: dict[str, str] = {}
    seen: set[str] = set()
    locales = cycle(PAGE_LOCALES)
    for first in (None, *range(0, len(NAMES), 25)):
        locale = next(locales)
        if first is not None:
            with app.app_context():
                rename(first)
        for visitor in visitors:
            client = visitor.client or app.test_client()
            client.set_cookie(LOCALE_COOKIE, locale)
            for endpoint, path in visitor.pages:
                answer = client.get(path)
                assert answer.status_code == 200, (endpoint, first)
                page = read_page(answer.text)
                if first is None:
                    shapes[endpoint] = page.shapes
                    continue
                added = page.shapes - set().union(*shapes.values())
                if added:
                    faults[endpoint] = f"has {sorted(added)[:5]}"
                for text in turning(page, locale):
                    faults.setdefault(endpoint, f"in {locale}: {text[:80]!a}")
                shown = "\n".join([*(text for text, _apart in page.texts), *page.values])
                seen |= {name for name in NAMES if name in shown}
    assert not faults, "\n".join(f"{endpoint}: {what}" for endpoint, what in faults.items())
    assert seen == set(NAMES)


def turning(page: Drawn, locale: str) -> Iterator[str]:
    """Texts in which a name against the page's direction stands among other words."""
    against = {"L"} if locale == "ar" else {"R", "AL"}
    for text, apart in page.texts:
        if apart or text in NAMES:
            continue
        bare = text
        while ISOLATED.search(bare):
            bare = ISOLATED.sub("", bare)
        for name in NAMES:
            if name in bare and name != text and len(name) > 4 and runs(name) & against:
                yield bare
                break


def runs(text: str) -> set[str]:
    """The directions of a text's letters."""
    return {unicodedata.bidirectional(sign) for sign in text}
