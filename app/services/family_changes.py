"""Changes of a family by hand that may end seats in groups: said first, then done whole.

The same code finds the seats that is going to end them: a change that nobody has agreed to is made
inside a transaction, looked at, and rolled back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Coordinator,
    Group,
    Household,
    Membership,
    Pupil,
    TutoringRequest,
)
from app.services import audit, groups
from app.services.ending import goes_on, leave_groups
from app.services.errors import Conflict, NotFound
from app.services.lessons import future_lessons


class SeatsWouldEnd(Conflict):
    """A change would end these seats, and whoever makes it has not agreed to that yet."""

    def __init__(self, seats: list[Membership], ending: frozenset[int]) -> None:
        super().__init__(_l("This change ends places in groups."))
        self.seats = seats
        self.ending = ending
        """The ids of groups in which nobody would be left."""

    @property
    def seat_ids(self) -> list[int]:
        return [seat.id for seat in self.seats]


@contextmanager
def changing_family(
    household_id: int, by: Coordinator, agreed: Collection[int] = ()
) -> Iterator[Household]:
    """One change of a family and its children, with the end of the seats that it takes away.

    `agreed` are the ids of memberships that may end by it; SeatsWouldEnd where others would, and
    then nothing is changed.
    """
    with transaction(one_at_a_time=groups.ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        household = lock_family(household_id)
        asked = {seat.id: seat.request.lessons_per_week for seat in _seats(household)}
        yield household
        db.session.flush()
        ending = [seat for seat in _seats(household) if not _stays(seat, asked[seat.id])]
        if not {seat.id for seat in ending} <= set(agreed):
            raise SeatsWouldEnd(ending, _groups_that_end(ending))
        if ending:
            _leave(ending, by)


def household_of_pupil(pupil_id: int) -> int:
    """The id of a child's family; NotFound if there is no such child."""
    household_id = db.session.scalar(select(Pupil.household_id).where(Pupil.id == pupil_id))
    if household_id is None:
        raise NotFound(_l("This child does not exist."))
    return household_id


def household_of_request(request_id: int) -> int:
    """The id of the family that made a request; NotFound if there is no such request."""
    household_id = db.session.scalar(
        select(Pupil.household_id).join(Pupil.requests).where(TutoringRequest.id == request_id)
    )
    if household_id is None:
        raise NotFound(_l("This request does not exist."))
    return household_id


def lock_family(household_id: int) -> Household:
    """Lock what a change can touch, in everybody's order: groups, their lessons, the family.

    Part of a transaction under ONE_CHANGE_OF_GROUPS_AT_A_TIME.
    """
    seated = (
        select(Membership.group_id)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(Pupil.household_id == household_id, Membership.ended_at.is_(None))
    )
    sitting_in = db.session.scalars(
        select(Group.id)
        .where(Group.state.in_(LIVE_GROUPS), Group.id.in_(seated))
        .order_by(Group.id)
        .with_for_update()
    ).all()
    future_lessons(*sitting_in)
    household = db.session.get(Household, household_id, with_for_update=True)
    if household is None:
        raise NotFound(_l("This family does not exist."))
    return household


def _seats(household: Household) -> list[Membership]:
    rows = db.session.scalars(
        select(Membership)
        .join(Membership.group)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(
            Pupil.household_id == household.id,
            Membership.ended_at.is_(None),
            Group.state.in_(LIVE_GROUPS),
        )
        .order_by(Membership.id)
        .options(selectinload(Membership.group).selectinload(Group.memberships))
    )
    return list(rows)


def _stays(seat: Membership, asked_before: int) -> bool:
    """Whether a seat may be kept. One that a coordinator gave for another number of lessons than
    was asked for may, until another number is asked for.
    """
    asked = seat.request.lessons_per_week
    return groups.may_be_member(seat) and asked in (asked_before, len(seat.group.starts))


def _leave(seats: list[Membership], by: Coordinator) -> None:
    for group in sorted({seat.group for seat in seats}, key=lambda group: group.id):
        pupil_ids = [seat.request.pupil_id for seat in seats if seat.group is group]
        audit.note("end_seats", f"group:{group.id}", by, pupil_ids=pupil_ids)
    leave_groups(seats)


def _groups_that_end(ending: list[Membership]) -> frozenset[int]:
    left = {seat.group for seat in ending}
    return frozenset(
        group.id
        for group in left
        if not goes_on(group, [seat for seat in group.members if seat not in ending])
    )
