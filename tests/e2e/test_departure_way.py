"""A volunteer leaves, in a real browser: what ends, the repair, whom it places elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from pyotp.totp import TOTP

from app.models import TutorState
from tests.support import people
from tests.support.groups import active_group
from tests.support.vetting import vet_tutor
from tests.support.workers import running_worker

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
SOLVED_WITHIN = 60_000


@pytest.fixture
def page(app: Flask, address: str, database_url: str, browser: Browser) -> Iterator[Page]:
    """A visitor with a phone and no JavaScript; a pupil of one volunteer could have another."""
    with app.app_context():
        people.make_programme()
        coordinator = people.make_coordinator()
        leaving, other = (
            people.make_tutor(name=name, channels=["call"], most=1, state=TutorState.REGISTERED)
            for name in ("Rania Mounir", "Nora Alami")
        )
        for tutor in (leaving, other):
            vet_tutor(tutor, coordinator)
        household = people.make_household(channels=["call"])
        active_group(leaving, [household.pupils[0].requests[0].id], channel="call")
    with running_worker(database_url):
        context = browser.new_context(
            base_url=address, viewport={"width": 360, "height": 740}, java_script_enabled=False
        )
        yield context.new_page()
        context.close()


def test_coordinator_gets_from_a_departure_to_a_published_repair(page: Page) -> None:
    page.goto("/coordinator/groups")
    page.get_by_role("button", name="English").click()
    page.get_by_label("E-mail address").fill("coordinator@example.org")
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    key = page.locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code from the app").fill(TOTP(key).now())
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("navigation").get_by_role("link", name="Volunteers").click()
    page.get_by_role("link", name="Rania Mounir").first.click()
    page.get_by_role("link", name="For good: leave").click()
    expect(page.get_by_text("1 pupil waits again.")).to_be_visible()
    assert fits(page)
    page.get_by_label("Why?").fill("moved away")
    page.get_by_role("button", name="Record the leaving").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Repair the timetable")
    expect(page.get_by_text("1 request waits.")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Look for places").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "Proposal of matching", timeout=SOLVED_WITHIN
    )
    expect(page.get_by_text("newly served")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Check and publish").click()
    expect(page.get_by_role("cell", name="Nora Alami")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: 1 offer waits")).to_be_visible()


def fits(page: Page) -> bool:
    """Whether the page is no wider than the phone."""
    return bool(page.locator("html").evaluate("html => html.scrollWidth <= html.clientWidth"))
