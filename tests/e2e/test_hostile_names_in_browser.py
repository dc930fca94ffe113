"""Ten hostile names in a real browser: nothing runs, nothing is wider than the screen."""

from __future__ import annotations

from itertools import cycle

import pytest
from flask import Flask
from playwright.sync_api import Browser, Dialog, Page

from app.database import transaction
from app.extensions import db
from app.models import (
    Coordinator,
    Group,
    Guardian,
    HoursCertificate,
    Household,
    Lesson,
    Note,
    Pupil,
    Subject,
    Tutor,
    Veto,
    Worry,
    Zone,
)
from app.services.coordinators import find_coordinator
from scheduler import clock
from tests.e2e.test_every_page import opened_browser
from tests.support.hostile import SHOWN_NAMES
from tests.support.pages import EMAIL
from tests.support.ways import LARGE, SCREENSHOTS, SMALL, faults
from tests.support.world import World, make_world, pages_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

NAMED = {
    Tutor: ("first_name", "last_name"),
    Pupil: ("first_name", "last_name"),
    Guardian: ("name",),
    Zone: ("name", "name_ar"),
    Coordinator: ("name",),
    HoursCertificate: ("tutor_name",),
    Note: ("text",),
    Worry: ("text",),
    Lesson: ("note", "cancel_reason"),
    Group: ("decline_reason",),
    Veto: ("reason",),
    Subject: ("name_fr", "name_ar"),
}
OPENED = (
    "coordinator.pupils",
    "coordinator.family",
    "coordinator.tutors",
    "coordinator.tutor",
    "coordinator.groups",
    "coordinator.group",
    "coordinator.lessons",
    "coordinator.week",
    "coordinator.desk",
    "coordinator.call_sheet",
    "coordinator.trace",
    "coordinator.run",
    "coordinator.figures",
    "volunteer.week",
    "volunteer.lessons",
    "volunteer.certificate",
    "public.certificate",
    "family.week",
)


def name_all(world: World) -> None:
    """Call everybody and everything by the ten names in turn."""
    names = cycle(SHOWN_NAMES)
    by = find_coordinator(EMAIL)
    household_id = world.arguments["household_id"]
    with transaction():
        note = Note(household_id=household_id, text="x", by_id=by.id, at=clock.now())
        db.session.add(note)
        db.session.get_one(Household, household_id).reach_by_call = True
        db.session.flush()
        for table, columns in NAMED.items():
            for row in db.session.query(table):
                for column in columns:
                    setattr(row, column, next(names))


@pytest.mark.slow  # test_hostile_names_shown.py reads the same pages without a browser
@pytest.mark.parametrize(
    ("language", "width"),
    [pytest.param("fr", SMALL, id="fr-small"), pytest.param("ar", LARGE, id="ar-large")],
)
def test_ten_names_are_shown_and_do_nothing(
    app: Flask, address: str, browser: Browser, language: str, width: int
) -> None:
    world = make_world(app)
    visitors = pages_of(app, world)
    with app.app_context():
        name_all(world)
    found: list[str] = []
    opened: set[str] = set()
    shown = ""
    for visitor in visitors:
        with opened_browser(browser, address, visitor.client, language, width) as page:
            listen(page, found)
            for endpoint, path in visitor.pages:
                if endpoint not in OPENED:
                    continue
                page.goto(path)
                opened.add(endpoint)
                picture = SCREENSHOTS / "hostile-names" / f"{endpoint}-{language}-{width}.png"
                page.screenshot(path=picture, full_page=True)
                found += faults(page, axe=True)
                shown += page.content()
    assert not found, "\n".join(found)
    assert opened == set(OPENED)
    assert all(as_html(name) in shown for name in SHOWN_NAMES)


def listen(page: Page, found: list[str]) -> None:
    """Take down whatever a name makes the browser do."""

    def dialog(opened: Dialog) -> None:
        found.append(f"{page.url} opened a dialog: {opened.message}")
        opened.dismiss()

    page.on("dialog", dialog)
    page.on("console", lambda message: found.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))


def as_html(name: str) -> str:
    """A name as a browser writes the text of an element."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
