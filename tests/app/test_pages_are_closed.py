"""No page opens to a stranger or to people of another kind, whichever pages there will be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.support.pages import signed_in, signed_in_tutor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

OPEN_ENDPOINTS = {
    "static",
    "public.home",
    "public.choose_language",
    "public.health",
    "public.certificates",
    "public.certificate",
    "account.sign_in",
    "account.app_code",
    "account.sign_out",
    "volunteer_account.sign_in",
    "volunteer_account.enter_code",
    "registration.start",
    "registration.forget",
    "registration.name",
    "registration.address",
    "registration.code",
    "registration.teaches",
    "registration.levels",
    "registration.remove_subject",
    "registration.languages",
    "registration.channels",
    "registration.place",
    "registration.week",
    "registration.most",
    "registration.charter_of_conduct",
    "registration.check",
    "registration.done",
}
# The secret link is what opens these.
BY_LINK = {
    "family.week",
    "family.choose_language",
    "family.set_messages",
    "family.report_worry",
    "family.worry",
}
# So does a secret address, which test_calendar_feed.py tries.
CALENDAR = "public.calendar"
SIGN_IN = {"coordinator": "/account/sign-in", "volunteer": "/volunteer/sign-in"}


def requests_of(app: Flask, blueprint: str | None = None) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, address) of every closed page, or of those of one blueprint."""
    for rule in app.url_map.iter_rules():
        belongs = blueprint is None or rule.endpoint.startswith(f"{blueprint}.")
        if belongs and rule.endpoint not in OPEN_ENDPOINTS | BY_LINK | {CALENDAR}:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                for address in addresses(app, rule):
                    yield rule.endpoint, method, address


def addresses(app: Flask, rule: Rule) -> list[str]:
    """Addresses of a page: 1 for a variable that is a number, else each of the allowed words."""
    names = sorted(rule.arguments)
    choices = [getattr(rule._converters[name], "items", [1]) for name in names]
    routes = app.url_map.bind("localhost")
    return [
        routes.build(rule.endpoint, dict(zip(names, chosen, strict=True)))
        for chosen in product(*choices)
    ]


def test_strangers_are_sent_to_sign_in_from_every_other_page(
    app: Flask, client: FlaskClient
) -> None:
    closed = list(requests_of(app))
    assert len(closed) > 20
    for endpoint, method, address in closed:
        answer = client.open(address, method=method)
        assert answer.status_code == 302, (method, address)
        sign_in = SIGN_IN[endpoint.partition(".")[0]]
        assert answer.location.startswith(f"{sign_in}?next="), (method, address)


@pytest.mark.parametrize(
    ("sign_in", "closed"), [(signed_in, "volunteer"), (signed_in_tutor, "coordinator")]
)
def test_people_of_another_kind_are_refused_everywhere(
    app: Flask, sign_in: Callable[[Flask], FlaskClient], closed: str
) -> None:
    client = sign_in(app)
    requests = list(requests_of(app, closed))
    assert len(requests) > 5
    for _endpoint, method, address in requests:
        assert client.open(address, method=method).status_code == 403, (method, address)


def test_families_pages_do_not_open_without_a_link_that_holds(
    app: Flask, client: FlaskClient
) -> None:
    routes = app.url_map.bind("localhost")
    pages = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("family.")]
    assert {rule.endpoint for rule in pages} == BY_LINK
    for rule in pages:
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            address = routes.build(rule.endpoint, {"token": "A" * 22})
            assert client.open(address, method=method).status_code == 404, (method, address)


def test_every_open_page_is_one_that_exists(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= OPEN_ENDPOINTS
