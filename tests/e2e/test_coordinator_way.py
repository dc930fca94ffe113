"""The coordinator's way in a real browser: sign in, import, vet, match, read why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from pyotp.totp import TOTP

from config import ROOT
from scheduler import clock
from tests.support import people
from tests.support.workers import running_worker

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PILOT = ROOT / "app" / "data" / "pilot"
MATCHED_WITHIN = 90_000


@pytest.fixture
def page(app: Flask, address: str, database_url: str, browser: Browser) -> Iterator[Page]:
    """A visitor with a phone and no JavaScript, of a programme with one coordinator."""
    with app.app_context():
        people.make_programme()
        people.make_coordinator()
    with running_worker(database_url):
        context = browser.new_context(
            base_url=address, viewport={"width": 360, "height": 740}, java_script_enabled=False
        )
        yield context.new_page()
        context.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_coordinator_gets_from_two_files_to_a_proposal(page: Page) -> None:
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.get_by_role("button", name="English").click()

    page.goto("/coordinator/matching")
    page.get_by_label("E-mail address").fill("coordinator@example.org")
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    set_up_app(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Matching")

    import_list(page, "Volunteers", new=20)
    import_list(page, "Pupils", new=76)
    vet_everybody(page)
    match(page)

    expect(page.get_by_text("99 of 121")).to_be_visible()
    expect(page.get_by_text("245 of 281 points")).to_be_visible()
    expect(page.get_by_text("proved: no plan serves more").first).to_be_visible()
    expect(
        page.get_by_text("is free while the family's telephone is at home").first
    ).to_be_visible()
    assert fits(page)


def set_up_app(page: Page) -> None:
    """The first visit: the key goes into an authenticator app, whose code comes back."""
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    assert fits(page)
    key = page.locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code from the app").fill(TOTP(key).now())
    page.get_by_role("button", name="Sign in").click()


def import_list(page: Page, kind: str, new: int) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Lists").click()
    page.get_by_role("radio", name=kind).check()
    page.get_by_label("File").set_input_files(PILOT / f"{kind.lower()}.csv")
    page.get_by_role("button", name="Check the list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What this list would change")
    expect(page.locator(".stat").nth(1)).to_contain_text(f"{new} new")
    assert fits(page)
    page.get_by_role("button", name="Store", exact=True).click()


def vet_everybody(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Volunteers").click()
    links = page.locator("main tbody a[href*='/coordinator/volunteers/']")
    addresses = {link.get_attribute("href") or "" for link in links.all()}
    assert len(addresses) == 20
    today = clock.now().date().isoformat()
    for address in sorted(addresses):
        page.goto(address)
        for label in ("Identity card or passport seen on", "Interview held on"):
            page.get_by_label(label).fill(today)
        page.get_by_label("I have seen a certificate of good conduct").check()
        page.get_by_label("Certificate seen on").fill(today)
        page.get_by_label("Charter accepted on").fill(today)
        page.get_by_role("button", name="Yes, I vouch for").click()


def match(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Matching").click()
    page.get_by_label("How long to search, in seconds").fill("60")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Stop and keep the best so far")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "Proposal of matching", timeout=MATCHED_WITHIN
    )


def fits(page: Page) -> bool:
    """Whether the page is no wider than the phone."""
    return bool(page.locator("html").evaluate("html => html.scrollWidth <= html.clientWidth"))
