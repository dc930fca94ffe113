"""Fresh databases for tests: each one a copy of a template to which the migrations were applied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import flask_migrate
import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from app import create_app
from app.extensions import db
from config import Config

SECRET_KEY = "a secret that is known to all, for tests only: 0123456789"


def make_config(database_url: str, **settings: str) -> Config:
    """The Config of a test's app; `settings` are further environment variables (N9RAW_...)."""
    environment = {
        "N9RAW_DATABASE_URL": database_url,
        "N9RAW_SECRET_KEY": SECRET_KEY,
        "N9RAW_INSECURE_COOKIES": "1",  # the test client speaks plain http
    }
    return Config.from_environment({**environment, **settings})


def migrate(database_url: str) -> None:
    """Bring a database to the newest migration, leaving no connection open."""
    app = create_app(make_config(database_url))
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()


def sqlite_url(file: Path) -> str:
    """The URL of an SQLite file."""
    return f"sqlite:///{file}"


def copy_sqlite(template: Path, file: Path) -> str:
    """Copy a database that nobody has open, over one that may be there; the URL of the copy."""
    for old in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        old.unlink(missing_ok=True)
    shutil.copyfile(template, file)
    return sqlite_url(file)


@contextmanager
def temporary_postgres_database(
    server: URL, template: str = "template1", name: str | None = None
) -> Iterator[URL]:
    """Create a database as a copy of `template` and drop it at the end, whoever is still in it."""
    name = name or new_postgres_name()
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    _execute(server, create.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield server.set(database=name)
    finally:
        _execute(server, drop.format(sql.Identifier(name)))


def new_postgres_name() -> str:
    """A name that no database has."""
    return f"n9raw_test_{uuid4().hex}"


def _execute(server: URL, statement: sql.Composed) -> None:
    libpq_url = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(libpq_url, autocommit=True)) as connection:
        connection.execute(statement)


def parse_server_url(text: str) -> URL:
    """Read N9RAW_PG_URL, in libpq's spelling or SQLAlchemy's."""
    return make_url(text).set(drivername="postgresql+psycopg")
