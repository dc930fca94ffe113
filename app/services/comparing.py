"""What a run would change: against what is in force, or against what another run proposes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, selectinload, subqueryload

from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Channel,
    Group,
    Household,
    MatchRun,
    Membership,
    ProposedGroup,
    ProposedSeat,
    Pupil,
    RunState,
    Tutor,
    TutoringRequest,
)
from app.services.errors import Invalid
from app.services.paging import Page, page_of
from app.services.pins import pins_in_force
from app.services.runs import get_run, read_problem

PER_PAGE = 50

Starts = tuple[tuple[str, str] | None, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """One group on one side of a comparison: whom with, when and how, and who sits in it."""

    tutor_id: int
    starts: Starts
    channel: str
    language: str
    request_ids: frozenset[int]

    def is_same_place(self, other: Standing) -> bool:
        """Whether whoever sits in both has not moved."""
        return (self.tutor_id, self.starts, self.channel, self.language) == (
            other.tutor_id,
            other.starts,
            other.channel,
            other.language,
        )


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """One zone: requests asked, and served on each side."""

    name: str
    asked: int
    before: int
    after: int

    @property
    def served_before(self) -> tuple[str, int]:
        return self.name, self.before


@dataclass(frozen=True, slots=True)
class Difference:
    """One request whose place differs; None where it has none on that side."""

    request: TutoringRequest
    before: Standing | None
    after: Standing | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs between two sides; `differences` are in the order of zones and names."""

    differences: list[Difference]
    new_pupils: int
    """Pupils who had no place at all, and get one."""
    further_pupils: int
    """Pupils who had a place, and get another one beside it."""
    families_moved: int
    """Families in which somebody gets another volunteer, time or way."""
    losing_pupils: int
    """Pupils who lose a place and get none for it."""
    new_groups: int
    joined_groups: int
    ended_groups: int
    zones: list[ZoneChange]

    @property
    def changes_nothing(self) -> bool:
        return not self.differences

    @property
    def pupil_ids(self) -> set[int]:
        return {row.request.pupil_id for row in self.differences}

    def page(self, number: int) -> tuple[list[Difference], Page]:
        """One page of the differences."""
        page = page_of(len(self.differences), number, PER_PAGE)
        return list(page.cut(self.differences)), page


@dataclass(frozen=True, slots=True)
class Names:
    """What the differences of a page are shown with."""

    tutors: dict[int, Tutor]
    channels: dict[str, Channel]


def compare_with_force(run: MatchRun) -> Comparison:
    """What a run would change in what is in force now.

    Of a run that was published it is what was in force when it was asked for.
    """
    known = _requests_of(run.id)
    if run.state in (RunState.PUBLISHED, RunState.UNDONE):
        before = _in_force_then(run.id)
    else:
        before = _in_force_now()
    return _compare(before, _proposed(run.id), known)


def compare_with_run(run: MatchRun, other_id: int) -> Comparison:
    """What a run proposes that another one doesn't; Invalid where that one proposes nothing."""
    other = get_run(other_id)
    if not other.has_plan or other.id == run.id:
        raise Invalid(_l("Choose another matching that has a proposal."))
    known = _requests_of(run.id) | _requests_of(other.id)
    return _compare(_proposed(other.id), _proposed(run.id), known)


def comparable_runs(run: MatchRun, most: int = 20) -> list[int]:
    """The numbers of the newest other runs that have a proposal."""
    others = (
        select(MatchRun.id)
        .where(MatchRun.has_plan, MatchRun.id != run.id)
        .order_by(MatchRun.id.desc())
        .limit(most)
    )
    return list(db.session.scalars(others))


def names_for(differences: Iterable[Difference]) -> Names:
    """The volunteers and ways that these differences speak of."""
    ids = {side.tutor_id for row in differences for side in (row.before, row.after) if side}
    tutors = select(Tutor).where(Tutor.id.in_(ids)).options(lazyload("*"))
    return Names(
        tutors={tutor.id: tutor for tutor in db.session.scalars(tutors)},
        channels={row.code: row for row in db.session.scalars(select(Channel))},
    )


def _compare(before: list[Standing], after: list[Standing], asked: set[int]) -> Comparison:
    old = {number: group for group in before for number in group.request_ids}
    new = {number: group for group in after for number in group.request_ids}
    people = _people(asked | old.keys() | new.keys())
    # A family that was erased since is in no row any more, but in the files of older runs.
    old = {number: group for number, group in old.items() if number in people}
    gained = [people[number] for number in new.keys() - old.keys()]
    lost = [people[number] for number in old.keys() - new.keys()]
    moved = [
        people[number]
        for number in old.keys() & new.keys()
        if not old[number].is_same_place(new[number])
    ]
    had_place = {people[number].pupil_id for number in old}
    same = [_continued(group, old) for group in after]
    return Comparison(
        differences=[
            Difference(request, old.get(request.id), new.get(request.id))
            for request in sorted([*gained, *lost, *moved], key=_order)
        ],
        new_pupils=len({row.pupil_id for row in gained} - had_place),
        further_pupils=len({row.pupil_id for row in gained} & had_place),
        families_moved=len({row.pupil.household_id for row in moved}),
        losing_pupils=len({row.pupil_id for row in lost}),
        new_groups=sum(group is None for group in same),
        joined_groups=sum(
            group is not None and bool(joined.request_ids - group.request_ids)
            for joined, group in zip(after, same, strict=True)
        ),
        ended_groups=sum(_continued(group, new) is None for group in before),
        zones=_zones(people, old, new),
    )


def _continued(group: Standing, others: dict[int, Standing]) -> Standing | None:
    """The group on the other side that is this one: the same place, and somebody in both."""
    met = (others.get(number) for number in group.request_ids)
    return next((other for other in met if other and group.is_same_place(other)), None)


def _zones(
    people: dict[int, TutoringRequest], old: dict[int, Standing], new: dict[int, Standing]
) -> list[ZoneChange]:
    counts: dict[str, Counter[str]] = {}
    for number, request in people.items():
        zone = counts.setdefault(request.pupil.household.zone.name, Counter())
        zone.update(asked=1, before=int(number in old), after=int(number in new))
    return [
        ZoneChange(name, counts[name]["asked"], counts[name]["before"], counts[name]["after"])
        for name in sorted(counts)
    ]


def _order(request: TutoringRequest) -> tuple[str, str, int]:
    return request.pupil.household.zone.name, request.pupil.name, request.id


def _people(request_ids: Iterable[int]) -> dict[int, TutoringRequest]:
    """These requests with pupil, zone, subject and level."""
    wanted = set(request_ids)
    rows = db.session.scalars(
        select(TutoringRequest).options(
            joinedload(TutoringRequest.subject),
            joinedload(TutoringRequest.level),
            joinedload(TutoringRequest.pupil)
            .joinedload(Pupil.household)
            .options(lazyload("*"), joinedload(Household.zone)),
        )
    )
    return {row.id: row for row in rows if row.id in wanted}


def _in_force_now() -> list[Standing]:
    groups = db.session.scalars(
        select(Group)
        .where(Group.state.in_(LIVE_GROUPS))
        .options(subqueryload(Group.memberships).options(lazyload(Membership.request)))
    )
    return [_standing(group, (member.request_id for member in group.members)) for group in groups]


def _in_force_then(run_id: int) -> list[Standing]:
    """The groups that were in force when a run was asked for, from its problem."""
    problem = read_problem(run_id)
    lessons = {row["id"]: row["lessons_per_week"] for row in problem["requests"]}
    seats: dict[str, list[dict[str, Any]]] = {}
    for pin in pins_in_force(problem):
        seats.setdefault(pin["group"], []).append(pin)
    return [
        Standing(
            tutor_id=int(pins[0]["tutor"][1:]),
            starts=_starts(pins[0].get("starts", [None] * lessons[pins[0]["request"]])),
            channel=pins[0]["channel"],
            language=pins[0]["language"],
            request_ids=frozenset(int(pin["request"][1:]) for pin in pins),
        )
        for pins in seats.values()
    ]


def _proposed(run_id: int) -> list[Standing]:
    groups = db.session.scalars(
        select(ProposedGroup)
        .where(ProposedGroup.run_id == run_id)
        .options(
            lazyload(ProposedGroup.tutor),
            selectinload(ProposedGroup.seats).options(lazyload(ProposedSeat.request)),
        )
    )
    return [_standing(group, (seat.request_id for seat in group.seats)) for group in groups]


def _requests_of(run_id: int) -> set[int]:
    """All requests that a run was asked to serve."""
    return {int(row["id"][1:]) for row in read_problem(run_id)["requests"]}


def _standing(group: Group | ProposedGroup, request_ids: Iterable[int]) -> Standing:
    return Standing(
        group.tutor_id,
        _starts(group.starts),
        group.channel,
        group.language,
        frozenset(request_ids),
    )


def _starts(starts: Iterable[Any]) -> Starts:
    listed = [None if start is None else (str(start[0]), str(start[1])) for start in starts]
    return tuple(sorted(listed, key=lambda start: (start is None, start or ("", ""))))
