"""Every page that can be opened, as whoever may open it sees it: usable, and without faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page
from werkzeug.routing import Rule

from app.i18n import LOCALE_COOKIE, PAGE_LOCALES
from app.web.access import RULES, STAFF, Who
from tests.support.ways import LARGE, SCREENSHOTS, SMALL, faults
from tests.support.workers import running_web
from tests.support.world import World, make_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
NOT_PAGES = {"static", "public.health"}
CHOICES = {"document": "problem", "kind": "pupils", "format_": "csv"}


@pytest.mark.parametrize(
    ("language", "width"),
    [
        pytest.param("fr", SMALL, id="fr-small"),
        pytest.param("ar", LARGE, id="ar-large"),
        *(
            pytest.param(language, width, id=f"{language}-{width}", marks=pytest.mark.slow)
            for language in PAGE_LOCALES
            for width in (SMALL, LARGE)
            if (language, width) not in {("fr", SMALL), ("ar", LARGE)}
        ),
    ],
)
def test_no_page_has_a_fault(
    app: Flask, database_url: str, browser: Browser, language: str, width: int
) -> None:
    world = make_world(app)
    found = []
    with running_web(database_url) as address:
        for client, endpoints in _visitors(app, world):
            with _browser(browser, address, client, language, width) as page:
                for endpoint, path in endpoints:
                    answer = page.goto(path)
                    assert answer is not None
                    assert answer.status == 200, (endpoint, path, answer.status)
                    page.screenshot(
                        path=SCREENSHOTS / "pages" / f"{endpoint}-{language}-{width}.png",
                        full_page=True,
                    )
                    found += faults(page, axe=True)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def _visitors(
    app: Flask, world: World
) -> Iterator[tuple[FlaskClient | None, list[tuple[str, str]]]]:
    """Who opens which pages, as (endpoint, path): only those that answer with a page."""
    stranger = app.test_client()
    visitors: list[tuple[FlaskClient | None, FlaskClient, list[tuple[str, str]]]] = [
        (world.staff, world.staff, []),
        (world.volunteer, world.volunteer, []),
        (None, stranger, []),
    ]
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        if rule.endpoint in NOT_PAGES or "GET" not in (rule.methods or ()):
            continue
        who = RULES[rule.endpoint].who
        _given, client, pages = visitors[0 if who <= STAFF else 1 if who == {Who.VOLUNTEER} else 2]
        path = _path(app, rule, world.arguments)
        answer = client.get(path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            pages.append((rule.endpoint, path))
    for given, _client, pages in visitors:
        yield given, pages


def _path(app: Flask, rule: Rule, arguments: dict[str, Any]) -> str:
    values = {name: CHOICES.get(name, arguments.get(name)) for name in rule.arguments}
    if rule.endpoint == "volunteer.decline":
        values["group_id"] = arguments["offered_id"]
    missing = [name for name, value in values.items() if value is None]
    assert not missing, f"tests/support/world.py has no {missing} for {rule.endpoint}"
    with app.test_request_context():
        return app.url_for(rule.endpoint, **values)


@contextmanager
def _browser(
    browser: Browser, address: str, client: FlaskClient | None, language: str, width: int
) -> Iterator[Page]:
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
