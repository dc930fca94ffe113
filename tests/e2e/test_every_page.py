"""Every page that can be opened, as whoever may open it sees it: usable, and without faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, ConsoleMessage, Page

from app.i18n import LOCALE_COOKIE, PAGE_LOCALES
from tests.support.ways import LARGE, SCREENSHOTS, SMALL, faults, out_of_reach
from tests.support.world import make_world, pages_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.mark.slow  # the ways of the other files meet most pages, and look at them alike
@pytest.mark.parametrize(
    ("language", "width"),
    [
        pytest.param(language, width, id=f"{language}-{width}")
        for language in PAGE_LOCALES
        for width in (SMALL, LARGE)
    ],
)
def test_no_page_has_a_fault(
    app: Flask, address: str, browser: Browser, language: str, width: int
) -> None:
    world = make_world(app)
    found: list[str] = []
    for visitor in pages_of(app, world):
        with opened_browser(browser, address, visitor.client, language, width) as page:
            page.on("console", partial(_note, found))
            for endpoint, path in visitor.pages:
                answer = page.goto(path)
                assert answer is not None
                assert answer.status == 200, (endpoint, path, answer.status)
                page.screenshot(
                    path=SCREENSHOTS / "pages" / f"{endpoint}-{language}-{width}.png",
                    full_page=True,
                )
                found += faults(page, axe=True)
                if (language, width) == ("fr", SMALL):
                    found += out_of_reach(page)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@contextmanager
def opened_browser(
    browser: Browser, address: str, client: FlaskClient | None, language: str, width: int
) -> Iterator[Page]:
    """A page of a browser in which somebody is signed in, as in their test client."""
    context = browser.new_context(base_url=address, viewport={"width": width, "height": 800})
    cookies = {LOCALE_COOKIE: language}
    session = None if client is None else client.get_cookie("session")
    if session is not None:
        cookies["session"] = session.value
    context.add_cookies(
        [{"name": name, "value": value, "url": address} for name, value in cookies.items()]
    )
    yield context.new_page()
    context.close()


def _note(found: list[str], message: ConsoleMessage) -> None:
    """Keep what the browser complains of, such as a style that the policy forbids."""
    if message.type in ("error", "warning"):
        found.append(f"{message.text} ({message.location['url']})")
