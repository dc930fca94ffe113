"""Fixtures that every room's tests share: databases, the app on them, a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from config import ROOT
from tests.support.chromium import FLAGS, find_chromium
from tests.support.postgres import running_server

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser
    from sqlalchemy import URL

    from tests.support.apps import MakeApp
    from tests.support.nursery import Nursery
    from tests.support.ways import Visit, Way

pytest_plugins = ["tests.support.skips"]

# A machine under load is slow at times: that is no failure, so there is no deadline per example.
# CI judges a change by the same examples each time; at a desk every run tries new ones.
_SAME = bool(os.environ.get("CI"))
hypothesis.settings.register_profile("default", deadline=None, max_examples=50, derandomize=_SAME)
hypothesis.settings.register_profile("full", deadline=None, max_examples=500, derandomize=_SAME)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


WHERE_DATABASES_DIFFER = (
    "test_absences",
    "test_contact_codes",
    "test_database",
    "test_groups_and_lessons",
    "test_households",
    "test_import_locks",
    "test_inbound_at_once",
    "test_migrations",
    "test_outbox",
    "test_publishing",
    "test_runs",
    "test_substitution_together",
    "test_suspension",
    "test_telling_handing",
    "test_upgrades",
    "test_zones",
)
"""Files whose tests take PostgreSQL in `make test` too: locks, claims, time, tables. The others
do so in `make test-full`, or `make test` would take a quarter of an hour."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call slow what asks PostgreSQL the same as SQLite."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        on_both = callspec is not None and callspec.params.get("database_url") == "postgresql"
        differ = item.path.stem.startswith(WHERE_DATABASES_DIFFER)
        if on_both and not differ and not _asks_postgresql_alone(item):
            item.add_marker(pytest.mark.slow)


def _asks_postgresql_alone(item: pytest.Item) -> bool:
    given = [mark for mark in item.iter_markers("parametrize") if mark.args[0] == "database_url"]
    return any(list(mark.args[1]) == ["postgresql"] for mark in given)


@pytest.fixture(scope="session", autouse=True)
def _compiled_translations() -> None:
    """Compile the catalogues that were edited since; what git holds is their source."""
    for source in (ROOT / "app" / "translations").rglob("*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            with source.open("rb") as read, compiled.open("wb") as write:
                write_mo(write, read_po(read))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The URL of a running PostgreSQL: the one N9RAW_PG_URL names, else a throwaway one."""
    from tests.support import databases

    named = os.environ.get("N9RAW_PG_URL")
    if named:
        yield databases.parse_server_url(named)
    else:
        with running_server() as url:
            yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL) -> Iterator[str]:
    """The name of a PostgreSQL database with all migrations applied and no rows."""
    from tests.support import databases

    with databases.temporary_postgres_database(postgres_server) as url:
        databases.migrate(url.render_as_string(hide_password=False))
        assert url.database
        yield url.database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all migrations applied and no rows."""
    from tests.support import databases

    file = tmp_path_factory.mktemp("template") / "n9raw.db"
    databases.migrate(databases.sqlite_url(file))
    return file


@dataclass(frozen=True)
class Places:
    """Where the databases of tests stand, one test after another: an app is made once for each."""

    sqlite: Path
    postgres: str


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    from tests.support import databases

    folder = tmp_path_factory.mktemp("database")
    return Places(folder / "n9raw.db", databases.new_postgres_name())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, places: Places) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh migrated database of the test's own; each test runs on both.

    A test for which one is enough says so:
    `@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)`.
    """
    from tests.support import databases

    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        yield databases.copy_sqlite(template, places.sqlite)
    else:
        server = request.getfixturevalue("postgres_server")
        template = request.getfixturevalue("postgres_template")
        with databases.temporary_postgres_database(server, template, places.postgres) as url:
            yield url.render_as_string(hide_password=False)


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """The program on a fresh database. Forms need no CSRF token; no app context is pushed.

    Tests that call services open one: `with app.app_context():`. One that stayed open around the
    test client would leak a login from one client to the next.
    """
    from tests.support.apps import running_app

    with running_app(database_url) as app:
        yield app


@pytest.fixture
def make_app(database_url: str) -> Iterator[MakeApp]:
    """Makes the program with further settings on a fresh database, as often as a test wants."""
    from tests.support.apps import running_app

    with ExitStack() as running:
        yield lambda **settings: running.enter_context(running_app(database_url, **settings))


@pytest.fixture(scope="module")
def listed_programme(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The programme that a database begins with, for a module of tests that only read lists."""
    from app import create_app
    from app.extensions import db
    from app.services.programme import load_programme
    from tests.support import databases

    file = tmp_path_factory.mktemp("programme") / "n9raw.db"
    app = create_app(databases.make_config(databases.copy_sqlite(sqlite_template, file)))
    with app.app_context():
        load_programme()
        yield
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser of nobody in particular, without JavaScript."""
    return app.test_client()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of Debian's Chromium; without one, tests that ask for it are skipped."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium; install: apt-get install chromium")
    return program


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A running Chromium that calls nobody; `browser.new_page()` is a visitor without cookies."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Where workers and web servers come from, quickly; a test ends its own."""
    from tests.support.nursery import running_nursery

    with running_nursery(tmp_path_factory.mktemp("nursery")) as nursery:
        yield nursery


@pytest.fixture
def web_settings() -> dict[str, str]:
    """The environment of the running program beyond its database; a file may have its own."""
    return {}


@pytest.fixture
def address(
    nursery: Nursery, app: Flask, database_url: str, web_settings: dict[str, str]
) -> Iterator[str]:
    """The address of the program that runs on the test's database; what it logs is shown."""
    logged = nursery.log.stat().st_size
    with nursery.running_web(database_url, web_settings) as address:
        yield address
    with nursery.log.open() as log:
        log.seek(logged)
        print(log.read())


@pytest.fixture
def visit(
    request: pytest.FixtureRequest, browser: Browser, address: str, way: Way
) -> Iterator[Visit]:
    """Open pages of the running program in the language and width of `way`; see support/ways.py."""
    from tests.support.ways import visit_factory

    yield from visit_factory(browser, address, way, request.node.originalname)
