"""Fixtures of the tests of faults: databases full of messages, and the works around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.databases import (
    copy_sqlite,
    make_config,
    migrate,
    sqlite_url,
    temporary_postgres_database,
)

CrowdedUrl = Callable[[int, int], str]


LONGER = (
    "again_and_again",
    "answer_was_cut",
    "full_disk",
    "killed_kannel",
    "killed_postgresql",
    "mail_server",
    "test_nothing_leaves_of_a_lesson",
    "test_nothing_leaves_to_a_family",
    "what_a_provider_answers",
)
"""Of the tests in small numbers, those that `make test` leaves to `make test-full`: each takes a
quarter of a minute and more, and a shorter one stands beside it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In small numbers, `make test` takes SQLite alone, and a part."""
    here = Path(__file__).parent
    for item in (item for item in items if item.path.is_relative_to(here)):
        callspec = getattr(item, "callspec", None)
        asked = callspec.params.get("crowded") if callspec is not None else None
        if asked == "postgresql" or any(part in item.name for part in LONGER):
            item.add_marker(pytest.mark.slow)


def fill(database_url: str, messages: int, share_a_group: int) -> None:
    """Put so many due messages into a migrated database."""
    from app import create_app
    from app.extensions import db
    from tests.support import people
    from tests.support.outbox import make_many_due_reminders

    app = create_app(make_config(database_url))
    with app.app_context():
        people.make_programme()
        make_many_due_reminders(messages, share_a_group=share_a_group)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_crowds(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], Path]:
    """An SQLite file with so many due messages; filled once."""
    made: dict[tuple[int, int], Path] = {}

    def crowd(messages: int, share_a_group: int) -> Path:
        key = (messages, share_a_group)
        if key not in made:
            file = tmp_path_factory.mktemp("crowd") / "n9raw.db"
            migrate(sqlite_url(file))
            fill(sqlite_url(file), messages, share_a_group)
            made[key] = file
        return made[key]

    return crowd


@pytest.fixture(scope="session")
def _postgres_crowds(
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[int, int], str]]:
    """The name of a PostgreSQL database with so many due messages; filled once."""
    made: dict[tuple[int, int], str] = {}
    with ExitStack() as databases:

        def crowd(messages: int, share_a_group: int) -> str:
            key = (messages, share_a_group)
            if key not in made:
                server = request.getfixturevalue("postgres_server")
                template = request.getfixturevalue("postgres_template")
                url = databases.enter_context(temporary_postgres_database(server, template))
                fill(url.render_as_string(hide_password=False), messages, share_a_group)
                assert url.database
                made[key] = url.database
            return made[key]

        yield crowd


@pytest.fixture(params=["sqlite", "postgresql"])
def crowded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CrowdedUrl]:
    """`crowded(messages, share_a_group)`: the URL of a database with so many due messages."""
    with ExitStack() as databases:

        def make(messages: int, share_a_group: int = 20) -> str:
            if request.param == "sqlite":
                crowd = request.getfixturevalue("_sqlite_crowds")
                return copy_sqlite(crowd(messages, share_a_group), tmp_path / "n9raw.db")
            server = request.getfixturevalue("postgres_server")
            name = request.getfixturevalue("_postgres_crowds")(messages, share_a_group)
            url = databases.enter_context(temporary_postgres_database(server, name))
            return url.render_as_string(hide_password=False)

        yield make
