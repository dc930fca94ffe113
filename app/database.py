"""How SQLite and PostgreSQL are made to behave alike: connections and write transactions."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, ExceptionContext, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app.extensions import db

BUSY_TIMEOUT_SECONDS = 10
_LOOK_EVERY_SECONDS = 0.002
_WRITES = "n9raw_writes"
_turns: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
_OTHERS_WERE_FASTER = ("40P01", "55P03")
"""What PostgreSQL calls a deadlock and a lock that it waited for too long."""


def engine_options(url: str) -> dict[str, Any]:
    """Options of the engine for this URL: a waiting SQLite, a PostgreSQL that speaks UTC."""
    # An error that reaches a log must not carry the names, numbers and texts of its statement.
    quiet = {"hide_parameters": True}
    if make_url(url).get_backend_name() == "sqlite":
        return quiet | {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}}
    return quiet | {"connect_args": {"options": "-c timezone=UTC"}, "pool_pre_ping": True}


def make_folder(url: str) -> None:
    """Make the folder that an SQLite file is to stand in."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)


def configure_engine(engine: Engine) -> None:
    """Give SQLite write-ahead logging, foreign keys, and transactions that we begin ourselves.

    From PostgreSQL's errors, take the values that they quote.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "handle_error", _drop_details)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Without this, sqlite3 begins transactions on its own terms, and late.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        _begin_to_write(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_to_write(connection: Connection) -> None:
    """Take SQLite's write lock, looking for it often.

    SQLite itself looks ten times a second after a while: beside others who write without a break,
    one then finds it taken for seconds.
    """
    raw: Any = connection.connection.dbapi_connection
    (milliseconds,) = raw.execute("PRAGMA busy_timeout").fetchone()
    deadline = time.monotonic() + milliseconds / 1000
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < deadline:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as busy:
                if busy.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(_LOOK_EVERY_SECONDS)
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last time, with an error as of others
    finally:
        raw.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _drop_details(context: ExceptionContext) -> None:
    """Keep the first line of a server's error: the next ones quote the row, telephones and all.

    Changed here, it says no more in any log, traceback or page, whoever writes them.
    """
    error, shown = context.original_exception, context.sqlalchemy_exception
    if getattr(error, "sqlstate", None) is None:
        return  # Not of the server, such as a connection that can't be made.
    said = str(error)
    first = said.partition("\n")[0]
    error.args = (first,)
    if shown is not None:
        shown.args = tuple(str(part).replace(said, first) for part in shown.args)


def for_writing(connection: Connection) -> Connection:
    """The connection, set so that its next transaction takes SQLite's write lock at once."""
    return connection.execution_options(**{_WRITES: True})


@contextmanager
def transaction(*, one_at_a_time: int | None = None) -> Iterator[None]:
    """One write: committed whole at the end, or rolled back whole on any exception.

    On SQLite it takes the write lock at once, since a read that grows into a write fails when
    another writer came between. On PostgreSQL, blocks with the same `one_at_a_time` number wait for
    each other. What the session read before is read anew.
    """
    session = db.session
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("a change was made outside transaction()")
    session.rollback()
    with _turn_among_threads():
        session.connection(execution_options={_WRITES: True})
        try:
            if one_at_a_time is not None:
                also_one_at_a_time(one_at_a_time)
            yield
            session.commit()
        except BaseException:
            session.rollback()
            raise


@contextmanager
def _turn_among_threads() -> Iterator[None]:
    """On SQLite, let the writers of this process come one after the other.

    They would have to anyway; so one of a process looks for SQLite's lock, instead of all.
    """
    engine = db.engine
    if engine.dialect.name != "sqlite":
        yield
        return
    turn = _turns.setdefault(engine, threading.Lock())
    is_ours = turn.acquire(timeout=BUSY_TIMEOUT_SECONDS)
    try:
        yield
    finally:
        if is_ours:
            turn.release()


def also_one_at_a_time(key: int) -> None:
    """From here to its end, have this transaction wait for others under the same number.

    Nothing is left to do on SQLite, where whole write transactions wait for each other.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def is_for_trying_again(error: OperationalError) -> bool:
    """Whether a transaction only failed because others held what it needed."""
    if isinstance(error.orig, sqlite3.OperationalError):
        return error.orig.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error.orig, "sqlstate", None) in _OTHERS_WERE_FASTER
