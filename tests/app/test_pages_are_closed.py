"""No page of the coordinators opens to a stranger, whichever pages there will be."""

from __future__ import annotations

from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

OPEN_ENDPOINTS = {
    "static",
    "public.home",
    "public.choose_language",
    "public.health",
    "account.sign_in",
    "account.sign_out",
}


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
    closed = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in OPEN_ENDPOINTS]
    assert len(closed) > 10
    for rule in closed:
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for address in addresses(app, rule):
                answer = client.open(address, method=method)
                assert answer.status_code == 302, (method, address)
                assert answer.location.startswith("/account/sign-in?next="), (method, address)


def test_every_open_page_is_one_that_exists(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= OPEN_ENDPOINTS
