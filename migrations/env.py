"""Alembic's way into the application: one script for SQLite and PostgreSQL, in batch mode.

On SQLite a batch rebuild drops the old table, which with foreign keys on would empty its children
through ON DELETE CASCADE; so they are off while migrating, and checked before the commit.
"""

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from app.database import for_writing
from app.extensions import db
from app.models.types import UTCDateTime


class BrokenReferences(RuntimeError):
    """A migration left rows that point at nothing; it was rolled back."""


def _render_item(kind: str, item: object, _context: object) -> str | bool:
    # A released migration must not change when the application's own types do.
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _compare_options() -> dict[str, object]:
    return {
        "target_metadata": db.metadata,
        "compare_type": True,
        "compare_server_default": True,
        "render_as_batch": True,
        "render_item": _render_item,
    }


def _migrate_sqlite(connection: Connection) -> None:
    # A pragma is ignored inside a transaction, so it is given on the driver's own connection.
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        context.configure(connection=connection, transactional_ddl=True, **_compare_options())
        with context.begin_transaction():
            context.run_migrations()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise BrokenReferences(f"rows that point at nothing: {broken[:5]}")
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, **_compare_options())
    with context.begin_transaction():
        context.run_migrations()


with db.engine.connect() as connection:
    if current_app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        _migrate_sqlite(for_writing(connection))
    else:
        _migrate(connection)
