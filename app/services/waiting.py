"""The first few of those that wait for somebody, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select, func

from app.extensions import db

FIRST_FEW: Final = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """Some of many: `first` stand at the head of the queue, `total` are in it."""

    first: Sequence[T]
    total: int

    @property
    def more(self) -> int:
        """How many wait behind the first."""
        return self.total - len(self.first)


def first_of(statement: Select[Any], most: int = FIRST_FEW) -> Waiting[Any]:
    """The first rows' first columns of an ordered statement, counted in the same query."""
    rows = db.session.execute(statement.add_columns(func.count().over()).limit(most)).all()
    return Waiting([row[0] for row in rows], rows[0][-1] if rows else 0)
