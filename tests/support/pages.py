"""What tests of pages share: signing in, and what a reader of a page sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.extensions import db
from tests.support.people import PASSWORD, make_coordinator, make_programme

EMAIL = "coordinator@example.org"


def signed_in(app: Flask) -> FlaskClient:
    """A browser in which a new coordinator signed in; the programme is loaded."""
    with app.app_context():
        make_programme()
        make_coordinator(EMAIL)
    client = app.test_client()
    answer = client.post("/account/sign-in", data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def words(html: str) -> str:
    """The text of a page, without markup, in single spaces."""
    body = html[html.index("<body") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@contextmanager
def counted_statements(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that the program sends to its database meanwhile."""
    statements: list[str] = []

    def collect(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", collect)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", collect)
