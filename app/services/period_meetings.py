"""Groups that meet, in a special period, at a time that the period gave to another group.

The matching knows one week for all year. A group that is offered or accepted after the times of a
period were published can fall on one of them: there it stands aside until it has another time too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from scheduler.calendar import DAY_MINUTES, Start

_WEEK = 7 * DAY_MINUTES
Starts = tuple[Start | None, ...]
Meeting = tuple[int, int]
"""A group, and which of its times of the period meets one that the period gave to another."""


@dataclass(frozen=True, slots=True)
class GroupInForce:
    """When a group meets, and who is in it; a family counts as one telephone."""

    id: int
    tutor_id: int
    starts: Starts
    homes: frozenset[int]

    @property
    def people(self) -> set[tuple[str, int]]:
        return {("tutor", self.tutor_id), *(("household", home) for home in self.homes)}


def meetings(
    given: Mapping[int, Starts],
    groups: Collection[GroupInForce],
    minutes: int,
    *,
    of_own: bool = False,
) -> set[Meeting]:
    """Which times of groups meet those that a period has given to others with the same people.

    `given` are its times as the calendar has them: by group, in place of its own, more after them.
    With `of_own`, a group's own weekly times are looked at, also those that it need not keep.
    """
    found = set()
    with_person: dict[tuple[str, int], list[GroupInForce]] = {}
    for group in groups:
        for person in group.people:
            with_person.setdefault(person, []).append(group)
    for other in groups:
        special = [start for start in given.get(other.id, ()) if start is not None]
        near = {group for person in other.people for group in with_person[person]} - {other}
        for group in near if special else ():
            times = group.starts if of_own else _held(group, given.get(group.id, ()))
            found |= {
                (group.id, place)
                for place, start in enumerate(times)
                if start is not None and any(_overlap(start, one, minutes) for one in special)
            }
    return found


def _held(group: GroupInForce, given: Starts) -> Starts:
    own = tuple(
        (given[place] if place < len(given) else None) or start
        for place, start in enumerate(group.starts)
    )
    return own + given[len(own) :]


def _overlap(one: Start, other: Start, minutes: int) -> bool:
    apart = (one[0] - other[0]) * DAY_MINUTES + one[1] - other[1]
    return min(apart % _WEEK, -apart % _WEEK) < minutes
