"""What tests of pages share: signing in, and what a reader of a page sees."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.extensions import db
from app.models import AuditEntry, Message, MessageKind, Tutor
from tests.support.people import make_coordinator, make_programme, make_tutor, sign_in

EMAIL = "coordinator@example.org"


def signed_in(app: Flask) -> FlaskClient:
    """A browser in which a new coordinator is signed in; the programme is loaded."""
    with app.app_context():
        make_programme()
        key = make_coordinator(EMAIL).get_id()
    return browser_of(app, key)


def signed_in_by_password(app: Flask) -> FlaskClient:
    """As `signed_in`, in English, by password and app: for tests of what these open and end."""
    with app.app_context():
        make_programme()
        make_coordinator(EMAIL)
    client = app.test_client()
    client.post("/language", data={"locale": "en"})
    assert sign_in(client, EMAIL).status_code == 302
    return client


def signed_in_by_code(app: Flask, tutor_id: int) -> FlaskClient:
    """As `signed_in_tutor`, by the code in the outbox."""
    with app.app_context():
        address = db.session.get_one(Tutor, tutor_id).email
    client = app.test_client()
    client.post("/volunteer/sign-in", data={"address": address})
    answer = client.post("/volunteer/sign-in/code", data={"code": newest_code(app, tutor_id)})
    assert answer.status_code == 302
    return client


def browser_of(app: Flask, key: str) -> FlaskClient:
    """A browser with the session of whom `key` (their `get_id`) names.

    Passwords and codes are made slow to try; tests of signing in go that way, others need not.
    """
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = key, True
    return client


def in_english(app: Flask) -> FlaskClient:
    """As `signed_in`, with the pages in English."""
    client = signed_in(app)
    client.post("/language", data={"locale": "en"})
    return client


def signed_in_tutor(app: Flask, tutor_id: int | None = None) -> FlaskClient:
    """A browser in which a volunteer is signed in; a new one without id."""
    with app.app_context():
        if tutor_id is None:
            make_programme()
            tutor_id = make_tutor()
        return browser_of(app, db.session.get_one(Tutor, tutor_id).get_id())


def newest_code(app: Flask, tutor_id: int) -> str:
    """The sign-in code that a volunteer was sent last."""
    with app.app_context():
        sent = select(Message.text).where(
            Message.tutor_id == tutor_id, Message.kind == MessageKind.SIGN_IN_CODE
        )
        text = db.session.scalars(sent.order_by(Message.id.desc())).first() or ""
        found = re.search(r"\b\d{6}\b", text)
        assert found is not None
        return found[0]


def newest_contact_code(app: Flask, address: str) -> str:
    """The code that was sent last to an address without an account, as it is kept."""
    with app.app_context():
        sent = select(Message.text).where(Message.to_address == address)
        text = db.session.scalars(sent.order_by(Message.id.desc())).first() or ""
        found = re.search(r"\b\d{6}\b", text)
        assert found is not None
        return found[0]


def views(app: Flask) -> list[tuple[str, list[int]]]:
    """The pages that showed children, with the children's ids, in the order they were seen."""
    with app.app_context():
        rows = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "view").order_by(AuditEntry.id)
        )
        return [(row.subject, row.pupil_ids) for row in rows]


def words(html: str) -> str:
    """The text of a page, without markup, in single spaces."""
    body = html[html.index("<body") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@contextmanager
def counted_statements(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that the program sends to its database meanwhile.

    The garbage collector rests: a row that it takes out of SQLAlchemy's session in the middle of a
    page is read once more when the page comes back to it, at some instants and not at others.
    """
    statements: list[str] = []

    def collect(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", collect)
    gc.disable()
    try:
        yield statements
    finally:
        gc.enable()
        event.remove(engine, "before_cursor_execute", collect)
