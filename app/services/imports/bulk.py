"""Writes of many rows in few statements, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert, update

from app.extensions import db
from app.services.imports.times import Windows

_AT_ONCE: Final = 500

Owner = dict[str, int]
"""The column that says whose row it is, and the owner's id."""


def add(table: Any, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows and return their ids, in the same order."""
    if not rows:
        return []
    statement = insert(table).returning(table.id, sort_by_parameter_order=True)
    return list(db.session.scalars(statement, rows))


def add_all(table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows whose ids nobody needs."""
    if rows:
        db.session.execute(insert(table), rows)


def change(table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Update rows by their "id"."""
    if rows:
        db.session.execute(update(table), rows)


def remove_of(table: Any, owner: Any, ids: Sequence[int]) -> None:
    """Delete the rows of these owners; `owner` is the table's column that names them."""
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        statement = delete(table).where(owner.in_(chunk))
        db.session.execute(statement.execution_options(synchronize_session=False))


def codes_of(owner: Owner, column: str, codes: Iterable[str]) -> list[dict[str, Any]]:
    """One row for each code."""
    return [{**owner, column: code} for code in codes]


def windows_of(owner: Owner, windows: Windows) -> list[dict[str, Any]]:
    """One row for each window; none where times are to be agreed."""
    return [
        {**owner, "day": day, "start_minute": start, "end_minute": end}
        for day, start, end in windows or ()
    ]
