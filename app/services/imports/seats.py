"""Seats in groups that a list takes away, found beforehand and ended when it is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Select, select

from app.extensions import db
from app.models import (
    LIVE_GROUPS,
    Channel,
    ConsentKind,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Level,
    Membership,
    Pupil,
    RequestState,
    TutoringRequest,
)
from app.services import groups, lessons, reminders
from scheduler import clock

if TYPE_CHECKING:
    from app.services.imports.known import KnownFamily
    from app.services.imports.pupils import PlannedFamily

OPEN_REQUESTS = (RequestState.WAITING, RequestState.SERVED)


@dataclass(frozen=True, slots=True)
class KnownSeat:
    """A request's seat in a group that is offered or active."""

    group_id: int
    group_active: bool
    pupil_id: int
    request_id: int
    level: str
    """The group's level."""
    shared: bool
    """Whether families of the group see each other's number."""
    active: bool
    """Whether the tutor has accepted the seat."""


def load_seats() -> list[KnownSeat]:
    """Every seat in a group that is offered or active."""
    rows = db.session.execute(
        select(
            Membership.group_id,
            Group.state,
            TutoringRequest.pupil_id,
            TutoringRequest.id,
            Level.code,
            Channel.max_group,
            Membership.active_since,
        )
        .join(Group, Group.id == Membership.group_id)
        .join(TutoringRequest, TutoringRequest.id == Membership.request_id)
        .join(Level, Level.id == Group.level_id)
        .join(Channel, Channel.code == Group.channel)
        .where(Group.state.in_(LIVE_GROUPS), Membership.ended_at.is_(None))
        .order_by(Membership.id)
    )
    return [
        KnownSeat(
            group, state is GroupState.ACTIVE, pupil, request, level, most > 1, since is not None
        )
        for group, state, pupil, request, level, most, since in rows
    ]


@dataclass(frozen=True, slots=True)
class SeatChanges:
    """What becomes of seats once a list is stored."""

    ended: tuple[KnownSeat, ...] = ()
    moved: tuple[tuple[KnownSeat, int], ...] = ()
    """Seats that stay while their child moves to another family, and the id of the one before."""
    groups_ended: int = 0

    @property
    def group_ids(self) -> set[int]:
        """Groups whose seats or reminders change."""
        return {seat.group_id for seat in (*self.ended, *(seat for seat, _home in self.moved))}

    @property
    def leavers(self) -> set[int]:
        """The ids of children who lose a seat."""
        return {seat.pupil_id for seat in self.ended}


def seat_changes(
    seats: Sequence[KnownSeat],
    planned: Iterable[PlannedFamily],
    families: Iterable[KnownFamily],
) -> SeatChanges:
    """Which seats the guardians' consent and the requests no longer allow after a plan."""
    after = _After(planned, families)
    ended = tuple(seat for seat in seats if not after.allows(seat))
    staying = [seat for seat in seats if after.allows(seat)]
    moved = tuple(
        (seat, after.moved_from[seat.pupil_id])
        for seat in staying
        if seat.pupil_id in after.moved_from
    )
    left = {seat.group_id for seat in ended}
    goes_on = {seat.group_id for seat in staying if seat.active or not seat.group_active}
    return SeatChanges(ended, moved, groups_ended=len(left - goes_on))


class _After:
    """Consents, homes and requests as they will stand once a plan is stored."""

    def __init__(self, planned: Iterable[PlannedFamily], families: Iterable[KnownFamily]) -> None:
        self.homes: dict[int, Hashable] = {}
        self.consents: dict[Hashable, dict[ConsentKind, bool]] = {}
        self.requests: dict[int, tuple[RequestState, str]] = {}
        self.moved_from: dict[int, int] = {}
        for home in families:
            for pupil in home.pupils:
                self.homes[pupil.id] = home.id
                said = {kind: statement.given for kind, statement in pupil.statements.items()}
                self.consents[pupil.id] = said
                for request in pupil.requests.values():
                    self.requests[request.id] = request.state, request.level
        newcomers: list[tuple[Hashable, Hashable]] = []
        for family in planned:
            home_after: Hashable = family.phone if family.known is None else family.known.id
            newcomers += self._add_family(family, home_after)
        self.members: defaultdict[Hashable, list[Hashable]] = defaultdict(list)
        for pupil_id, home_id in (*self.homes.items(), *newcomers):
            self.members[home_id].append(pupil_id)

    def _add_family(
        self, family: PlannedFamily, home: Hashable
    ) -> Iterable[tuple[Hashable, Hashable]]:
        """Take the plan of one family over; yields its children yet unknown with their home."""
        for pupil in family.pupils:
            who: Hashable = ("row", pupil.row.number) if pupil.known is None else pupil.known.id
            said = self.consents.setdefault(who, {})
            said |= {statement.kind: statement.given for statement in pupil.statements}
            if pupil.known is None:
                yield who, home
                continue
            if pupil.moves:
                before = self.homes[pupil.known.id]
                assert isinstance(before, int)
                self.moved_from[pupil.known.id] = before
            self.homes[pupil.known.id] = home
            for request in pupil.requests:
                if request.known_id is not None:
                    state = request.state_after(self.requests[request.known_id][0])
                    self.requests[request.known_id] = state, pupil.row.values["niveau"]

    def allows(self, seat: KnownSeat) -> bool:
        state, level = self.requests[seat.request_id]
        return (
            self._said(seat.pupil_id, ConsentKind.LESSONS)
            and (not seat.shared or self._shares_number(self.homes[seat.pupil_id]))
            and state in OPEN_REQUESTS
            and level == seat.level
        )

    def _shares_number(self, home: Hashable) -> bool:
        return all(
            self._said(pupil, ConsentKind.GROUP_LESSONS)
            for pupil in self.members[home]
            if self._said(pupil, ConsentKind.LESSONS)
        )

    def _said(self, pupil: Hashable, kind: ConsentKind) -> bool:
        return self.consents[pupil].get(kind, False)


def lock_seats(changes: SeatChanges, household_ids: set[int]) -> None:
    """Lock what storing a list will touch, in the order that everybody keeps.

    First the groups in which children of these households sit, then the lessons of those whose
    seats change, then the households. Messages come later, by whoever cancels reminders.
    """
    sitting = (
        select(Membership.group_id)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(Membership.ended_at.is_(None), Pupil.household_id.in_(household_ids))
    )
    in_order: tuple[Select[int], ...] = (
        select(Group.id).where(Group.state.in_(LIVE_GROUPS), Group.id.in_(sitting)),
        select(Lesson.id).where(
            Lesson.group_id.in_(changes.group_ids),
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > clock.now(),
        ),
        select(Household.id).where(Household.id.in_(household_ids)),
    )
    for rows in in_order:
        db.session.execute(rows.order_by(rows.selected_columns.id).with_for_update())


def store_seats(changes: SeatChanges) -> None:
    """End the seats, and have reminders go where the children who moved live now."""
    groups.leave_without_right(changes.leavers)
    for group_id in sorted({seat.group_id for seat, _home in changes.moved}):
        group = db.session.get_one(Group, group_id)
        coming = lessons.future_lessons(group_id)
        homes = {member.request.pupil.household_id for member in group.members}
        before = {home for seat, home in changes.moved if seat.group_id == group_id}
        gone = [reminders.Recipient("household", home) for home in sorted(before - homes)]
        reminders.cancel_reminders(coming, only=gone)
        if group.state is GroupState.ACTIVE:
            reminders.plan_reminders(coming)
