"""The migrations: they make what the models say, on both databases, and lose nothing."""

from __future__ import annotations

from pathlib import Path

import flask_migrate
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import CheckConstraint, inspect

from app import create_app
from app.extensions import db
from tests.support import databases


def test_migrations_match_the_models(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, db.metadata) == []


def test_checks_of_the_models_stand_in_the_database(app: Flask) -> None:
    # Alembic does not compare CHECK constraints by itself.
    with app.app_context():
        inspector = inspect(db.engine)
        for table in db.metadata.sorted_tables:
            meant = {c.name for c in table.constraints if isinstance(c, CheckConstraint)}
            there = {found["name"] for found in inspector.get_check_constraints(table.name)}
            assert there == meant, table.name


def test_downgrade_and_upgrade_again(app: Flask) -> None:
    with app.app_context():
        flask_migrate.downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
        flask_migrate.upgrade()
        assert set(inspect(db.engine).get_table_names()) >= set(db.metadata.tables)


def test_numbered_tables_never_reuse_an_id() -> None:
    for table in db.metadata.sorted_tables:
        if [column.name for column in table.primary_key] == ["id"]:
            assert table.dialect_options["sqlite"]["autoincrement"] is True, table.name


def test_new_sqlite_file_gets_its_folder(tmp_path: Path) -> None:
    url = databases.sqlite_url(tmp_path / "some" / "where" / "n9raw.db")
    databases.migrate(url)
    app = create_app(databases.make_config(url))
    with app.app_context():
        assert inspect(db.engine).has_table("pupil")
        db.engine.dispose()
