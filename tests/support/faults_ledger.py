"""What the database holds, read by plain SQL: nothing of the program's own code judges itself.

`watch` has the database itself keep every state that a message passes through, and every lesson
that is cancelled and every STOP, in the order of their commits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy import make_url

SETTLED = ("accepted", "undelivered", "delivered", "failed", "expired", "cancelled", "suppressed")
RECEIPTS = ("accepted", "undelivered", "delivered")
"""In the order in which a receipt may raise them."""

_SQLITE_WATCH = """
CREATE TABLE watched (
    id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, subject INTEGER, was TEXT, became TEXT, at REAL
);
CREATE TRIGGER watch_message AFTER UPDATE OF state ON message WHEN old.state IS NOT new.state
BEGIN INSERT INTO watched (what, subject, was, became, at) VALUES
    ('message', new.id, old.state, new.state, (julianday('now') - 2440587.5) * 86400.0); END;
CREATE TRIGGER watch_lesson AFTER UPDATE OF state ON lesson WHEN old.state IS NOT new.state
BEGIN INSERT INTO watched (what, subject, was, became, at) VALUES
    ('lesson', new.id, old.state, new.state, (julianday('now') - 2440587.5) * 86400.0); END;
CREATE TRIGGER watch_household AFTER UPDATE OF messages_stopped_at ON household
WHEN (old.messages_stopped_at IS NULL) != (new.messages_stopped_at IS NULL)
BEGIN INSERT INTO watched (what, subject, was, became, at) VALUES
    ('household', new.id, '', CASE WHEN new.messages_stopped_at IS NULL THEN 'on' ELSE 'off' END,
     (julianday('now') - 2440587.5) * 86400.0); END;
"""

_POSTGRES_WATCH = """
CREATE TABLE watched (
    id bigserial PRIMARY KEY, what text, subject bigint, was text, became text,
    at double precision DEFAULT extract(epoch FROM clock_timestamp())
);
CREATE FUNCTION watch_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state IS DISTINCT FROM new.state THEN
        INSERT INTO watched (what, subject, was, became)
        VALUES (TG_TABLE_NAME, new.id, old.state, new.state);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION watch_stop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (old.messages_stopped_at IS NULL) != (new.messages_stopped_at IS NULL) THEN
        INSERT INTO watched (what, subject, was, became) VALUES ('household', new.id, '',
            CASE WHEN new.messages_stopped_at IS NULL THEN 'on' ELSE 'off' END);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER watch_message AFTER UPDATE ON message FOR EACH ROW EXECUTE FUNCTION watch_state();
CREATE TRIGGER watch_lesson AFTER UPDATE ON lesson FOR EACH ROW EXECUTE FUNCTION watch_state();
CREATE TRIGGER watch_household AFTER UPDATE ON household
    FOR EACH ROW EXECUTE FUNCTION watch_stop();
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """A change of state that was committed, in the order of the commits."""

    order: float
    what: str
    subject: int
    was: str
    became: str
    at: float
    """The machine's clock when it was written, shortly before its commit."""


class Ledger:
    """The rows of one database."""

    def __init__(self, database_url: str) -> None:
        self.url = make_url(database_url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"

    @property
    def plain_url(self) -> str:
        """As PostgreSQL's own library spells it."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def connection(self) -> Iterator[Any]:
        if self.is_sqlite:
            assert self.url.database
            with closing(sqlite3.connect(self.url.database, timeout=60)) as connection:
                yield connection
                connection.commit()
        else:
            with closing(psycopg.connect(self.plain_url)) as connection:
                yield connection
                connection.commit()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds; values stand as ?."""
        with self.connection() as connection:
            return list(connection.execute(self._spelled(query), values).fetchall())

    def change(self, statement: str, *values: Any) -> None:
        with self.connection() as connection:
            connection.execute(self._spelled(statement), values)

    def change_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with self.connection() as connection:
            connection.cursor().executemany(self._spelled(statement), rows)

    def _spelled(self, statement: str) -> str:
        return statement if self.is_sqlite else statement.replace("?", "%s")

    def written(self, instant: datetime) -> Any:
        """An instant as the database's column holds it."""
        return f"{instant:%Y-%m-%d %H:%M:%S.%f}" if self.is_sqlite else instant

    def read(self, value: Any) -> datetime:
        """An instant of a column, in UTC."""
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(value).replace(tzinfo=UTC)

    def states(self) -> dict[str, int]:
        """How many messages there are in each state."""
        return dict(self.rows("SELECT state, count(*) FROM message GROUP BY state ORDER BY state"))

    def unsettled(self) -> int:
        """How many messages are open, or in doubt."""
        found = self.states()
        return sum(number for state, number in found.items() if state not in SETTLED)

    def half_states(self) -> list[int]:
        """The messages whose columns contradict each other."""
        return [
            row[0]
            for row in self.rows(
                "SELECT id FROM message WHERE"
                " (state IN ('claimed', 'handing')) != (claim IS NOT NULL)"
                " OR (claim IS NULL) != (lease_until IS NULL)"
                " OR (state IN ('handing', 'accepted', 'undelivered', 'delivered')"
                " AND (handed_at IS NULL OR tries = 0 OR gateway IS NULL OR address IS NULL))"
                " OR (state IN ('planned', 'claimed', 'handing')) != (ended_at IS NULL)"
            )
        ]

    def watch(self) -> None:
        """From here on, keep every change of state."""
        with self.connection() as connection:
            if self.is_sqlite:
                connection.executescript(_SQLITE_WATCH)
            else:
                connection.execute(_POSTGRES_WATCH)

    def passed(self, what: str) -> list[Passed]:
        """The changes of one table that were kept, in the order of their commits.

        SQLite has one writer at a time, so its rows stand in that order; PostgreSQL says when each
        transaction committed, where `track_commit_timestamp` is on, and else the order of writing.
        """
        order = "id" if self.is_sqlite or not self._has_commit_times() else _COMMITTED
        found = self.rows(
            f"SELECT {order}, what, subject, was, became, at FROM watched WHERE what = ?"
            " ORDER BY 1, id",
            what,
        )
        return [Passed(float(row[0]), *row[1:]) for row in found]

    def _has_commit_times(self) -> bool:
        return self.rows("SHOW track_commit_timestamp") == [("on",)]


_COMMITTED = "extract(epoch FROM pg_xact_commit_timestamp(xmin))"
