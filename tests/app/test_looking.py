"""Looking at any page: it changes nothing but the trace, and the trace has every child shown."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import AuditEntry, Pupil
from tests.support.pages import words
from tests.support.world import World, arguments_of, build, make_world, methods_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HIDDEN = {
    "coordinator of the zone": {"Lina"},
    "coordinator of another zone": {"Hiba", "Adam", "Sara"},
    "coordinator of all zones": set(),
}
"""The children, by first name, whose zone is not of who reads."""


@pytest.mark.parametrize("role", ["stranger", "volunteer", "administrator"])
def test_looking_changes_nothing_but_the_trace(app: Flask, role: str) -> None:
    world = make_world(app)
    client = world.browser_of(role)
    before = rows_of(app)
    for _endpoint, _method, address in addresses(app, world, "GET"):
        client.get(address, buffered=True)
    assert rows_of(app) == before


@pytest.mark.parametrize("role", HIDDEN)
def test_trace_has_every_child_whom_a_page_of_staff_names(app: Flask, role: str) -> None:
    world = make_world(app)
    client = world.browser_of(role)
    cookie = client.get_cookie("session")
    assert cookie is not None
    world.keep()
    with app.app_context():
        children = {row.first_name: row.id for row in db.session.scalars(select(Pupil))}
    wrong, naming = [], 0
    for endpoint, method, address in addresses(app, world, "GET", "POST"):
        if not endpoint.startswith("coordinator."):
            continue
        client.set_cookie("session", cookie.value)
        known = newest_entry(app)
        answer = client.open(address, method=method, buffered=True)
        named = {name for name in children if re.search(rf"\b{name}\b", text_of(answer))}
        naming += bool(named)
        traced = shown_since(app, known)
        if named & HIDDEN[role] or not {children[name] for name in named} <= traced:
            wrong.append((method, endpoint, sorted(named), sorted(traced)))
        if method == "POST" and answer.status_code < 400:
            world.restore()
    assert wrong == []
    assert naming > 5


def addresses(app: Flask, world: World, *methods: str) -> Iterator[tuple[str, str, str]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            for method in methods_of(rule):
                if method in methods:
                    yield (
                        rule.endpoint,
                        method,
                        build(app, rule.endpoint, arguments_of(rule, world)),
                    )


def rows_of(app: Flask) -> list[str]:
    """All that the database holds, but for the trace."""
    with app.app_context():
        file = str(db.engine.url.database)
    with closing(sqlite3.connect(file)) as connection:
        return [line for line in connection.iterdump() if "audit_entry" not in line]


def newest_entry(app: Flask) -> int:
    with app.app_context():
        newest = select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(1)
        return db.session.scalar(newest) or 0


def shown_since(app: Flask, entry_id: int) -> set[int]:
    """The children whom somebody was shown after an entry of the trace."""
    with app.app_context():
        later = select(AuditEntry).where(
            AuditEntry.id > entry_id, AuditEntry.action.in_(("view", "export"))
        )
        return {number for entry in db.session.scalars(later) for number in entry.pupil_ids}


def text_of(answer: TestResponse) -> str:
    return words(answer.text) if answer.mimetype == "text/html" and "<body" in answer.text else ""
