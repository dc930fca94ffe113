"""The program on a test's database, made once for all tests of a process on the same place.

To make it takes as long as most tests do, and to compile its statements again even longer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event

from app import create_app
from app.extensions import db
from config import Config
from tests.support.databases import make_config

MakeApp = Callable[..., Flask]
"""Makes the program with further settings."""

_made: dict[tuple[str, frozenset[tuple[str, str]]], Flask] = {}


@contextmanager
def running_app(database_url: str, **settings: str) -> Iterator[Flask]:
    """The program on a fresh database at this URL; `settings` as for `make_config`.

    Forms need no CSRF token. What a test sets in its config is undone at the end, and no connection
    stays open. A test that changes more, such as its routes, makes a program of its own.
    """
    place = (database_url, frozenset(settings.items()))
    if place not in _made:
        _made[place] = _make(make_config(database_url, **settings))
    app = _made[place]
    config = dict(app.config)
    try:
        yield app
    finally:
        app.config.clear()
        app.config.update(config)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _make(config: Config) -> Flask:
    app = create_app(config)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            # No test pulls the plug: thousands of transactions need not wait for the disk.
            event.listen(db.engine, "connect", _hurry)
            db.engine.dispose()
    return app


def _hurry(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")
