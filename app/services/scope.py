"""Which zones a coordinator answers for, and what lies in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import InstrumentedAttribute

from app.extensions import db
from app.models import (
    CallRequest,
    Coordinator,
    Flag,
    Group,
    Household,
    InboundMessage,
    Lesson,
    Membership,
    Message,
    Pupil,
    TutoringRequest,
    Worry,
    Zone,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The zones that somebody sees and edits; None stands for all of them."""

    zone_ids: frozenset[int] | None

    @property
    def is_everywhere(self) -> bool:
        return self.zone_ids is None

    def includes(self, zone_id: int) -> bool:
        """Whether a zone is among them."""
        return self.zone_ids is None or zone_id in self.zone_ids

    def limits(self, zone_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """The condition that a column of zones' ids lies within."""
        return true() if self.zone_ids is None else zone_id.in_(self.zone_ids)


EVERYWHERE: Final = Scope(None)


def scope_of(coordinator: Coordinator) -> Scope:
    """The zones of a coordinator; an administrator has all of them."""
    if coordinator.is_administrator or coordinator.all_zones:
        return EVERYWHERE
    return Scope(frozenset(row.zone_id for row in coordinator.zones))


def is_within(scope: Scope, kind: str, row_id: int) -> bool:
    """Whether what a page is about lies in the scope, and exists; `kind` is a key of PLACES.

    A group, and a lesson, can be seen with one pupil of the zones in it, and be changed only where
    all who sit in it are of the zones.
    """
    zones = set(db.session.scalars(PLACES[kind](row_id)))
    if scope.is_everywhere:
        return True  # what doesn't exist is told by its own page
    inside = [scope.includes(zone_id) for zone_id in zones]
    return all(inside) and bool(inside) if kind in _WHOLE else any(inside)


def seated(zone_ids: Iterable[int]) -> Select[int]:
    """The ids of the groups that a pupil of these zones ever sat in."""
    return (
        select(Membership.group_id)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .join(Pupil.household)
        .where(Household.zone_id.in_(list(zone_ids)))
    )


def _of_group(group_id: int) -> Select[int]:
    return (
        select(Household.zone_id)
        .join(Household.pupils)
        .join(Pupil.requests)
        .join(Membership, Membership.request_id == TutoringRequest.id)
        .where(Membership.group_id == group_id)
    )


def _of_lesson(lesson_id: int) -> Select[int]:
    return (
        select(Household.zone_id)
        .join(Household.pupils)
        .join(Pupil.requests)
        .join(Membership, Membership.request_id == TutoringRequest.id)
        .join(Group, Group.id == Membership.group_id)
        .join(Lesson, Lesson.group_id == Group.id)
        .where(Lesson.id == lesson_id)
    )


def _of_flag(flag_id: int) -> Select[int]:
    return (
        select(Household.zone_id)
        .join(Household.pupils)
        .join(Pupil.requests)
        .join(Membership, Membership.request_id == TutoringRequest.id)
        .join(Flag, Flag.group_id == Membership.group_id)
        .where(Flag.id == flag_id)
    )


PLACES: Final[dict[str, Callable[[int], Select[int]]]] = {
    "household": lambda number: select(Household.zone_id).where(Household.id == number),
    "pupil": lambda number: (
        select(Household.zone_id).join(Household.pupils).where(Pupil.id == number)
    ),
    "request": lambda number: (
        select(Household.zone_id)
        .join(Household.pupils)
        .join(Pupil.requests)
        .where(TutoringRequest.id == number)
    ),
    "worry": lambda number: (
        select(Household.zone_id)
        .join(Worry, Worry.household_id == Household.id)
        .where(Worry.id == number)
    ),
    "call_request": lambda number: (
        select(Household.zone_id)
        .join(CallRequest, CallRequest.household_id == Household.id)
        .where(CallRequest.id == number)
    ),
    "inbound": lambda number: (
        select(Household.zone_id)
        .join(InboundMessage, InboundMessage.household_id == Household.id)
        .where(InboundMessage.id == number)
    ),
    "message": lambda number: (
        select(Household.zone_id)
        .join(Message, Message.household_id == Household.id)
        .where(Message.id == number)
    ),
    "zone": lambda number: select(Zone.id).where(Zone.id == number),
    "group": _of_group,
    "whole_group": _of_group,
    "lesson": _of_lesson,
    "whole_lesson": _of_lesson,
    "whole_flag": _of_flag,
}
"""The zones that something lies in, by what kind of thing it is."""
_WHOLE: Final = ("whole_group", "whole_lesson", "whole_flag")
