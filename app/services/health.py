"""Whether the program can work."""

from __future__ import annotations

from sqlalchemy import text

from app.extensions import db


def check_database() -> None:
    """Ask the database for one row; raises SQLAlchemy's error where it doesn't answer."""
    db.session.execute(text("SELECT 1"))
