"""Rows of a list that are one person, or claim what belongs to one: all of them are bad."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final

from app.services.imports.problems import Code
from app.services.imports.rows import Row

_TOLD: Final = {Code.SAME_ID, Code.SAME_CHILD, Code.SAME_EMAIL, Code.SAME_PHONE}
"""Problems that name the other row already."""


def refuse_shared(rows: Iterable[Row], code: Code, heading: str) -> None:
    """Add a problem to all rows that have the same value in a column; empty ones don't count."""
    for group in groups(rows, lambda row: row.values.get(heading)).values():
        refuse_all(group, code, heading)


def groups(rows: Iterable[Row], key: Callable[[Row], Hashable | None]) -> dict[Hashable, list[Row]]:
    """Rows by a key, in the file's order; rows whose key is None are in no group."""
    found: defaultdict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        value = key(row)
        if value is not None:
            found[value].append(row)
    return found


def refuse_all(group: list[Row], code: Code, heading: str | None = None) -> None:
    """Each row of the group names the first one; the first one names the second."""
    if len(group) > 1:
        for row in group:
            other = group[1] if row is group[0] else group[0]
            row.refuse(code, heading, other=other.number)


def refuse_same_person(rows: Iterable[Row], found: dict[int, Any]) -> None:
    """Add a problem to rows that turn out to be the same known person."""
    for group in groups(rows, lambda row: _id_of(found.get(row.number))).values():
        if len(group) == 1:
            continue
        for row in group:
            if not _TOLD & {problem.code for problem in row.problems}:
                other = group[1] if row is group[0] else group[0]
                row.refuse(Code.SAME_PERSON, other=other.number, name=found[row.number].name)


def _id_of(person: Any) -> int | None:
    return None if person is None else person.id
