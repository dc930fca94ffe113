"""What a run proposes, read for its coordinator: the groups, who is left waiting, the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.extensions import db
from app.models import (
    Channel,
    Coordinator,
    Household,
    Language,
    MatchRun,
    Pin,
    ProposedGroup,
    ProposedSeat,
    Pupil,
    Subject,
    Tutor,
    TutoringRequest,
    UnservedRequest,
)
from app.models.weekly import DAYS
from app.services.pins import pins_in_force, wished_pins
from app.services.repairing import place_of_group, places_in_force
from app.services.runs import read_plan, read_problem


@dataclass(frozen=True, slots=True)
class TutorProposal:
    """One tutor and the groups proposed to them, in the order of the week."""

    tutor: Tutor
    groups: list[ProposedGroup]
    lessons: int
    """Weekly lessons in all."""


@dataclass(frozen=True, slots=True)
class ZoneFigures:
    """One zone: requests and weight, served and asked."""

    name: str
    served: int
    asked: int
    weight_served: int
    weight_asked: int

    @property
    def percent(self) -> int:
        """The zone's share of weight served, rounded down."""
        return 100 * self.weight_served // self.weight_asked


@dataclass(frozen=True, slots=True)
class LevelFigures:
    """One of the four aims of the matching: what was reached, the bound, whether it is proved."""

    name: str
    value: int | list[int]
    bound: int | list[int] | None
    proved: bool


@dataclass(frozen=True, slots=True)
class Recruit:
    """A volunteer whom it would pay to find next, and what they would add."""

    subject: Subject
    levels: list[str]
    channel: str
    language: str
    windows: list[list[str]]
    weight: int
    requests: int


@dataclass(frozen=True, slots=True)
class WindowMove:
    """A family's stretch of the week that would serve these requests if it lay elsewhere.

    `window` and `moved` are [day, from, to].
    """

    window: list[str]
    moved: list[str]
    requests: list[TutoringRequest]


@dataclass(frozen=True, slots=True)
class Place:
    """Whom a request learns with, when and how."""

    tutor: Tutor
    starts: list[Any]
    channel: str
    language: str


@dataclass(frozen=True, slots=True)
class Move:
    """A request that a repair takes from its place in force; `after` is None where it loses it."""

    request: TutoringRequest
    before: Place
    after: Place | None


@dataclass(frozen=True, slots=True)
class ImpossiblePin:
    """A place that the run could not keep beside others; `beside` are their requests.

    It is one in force, or one that a coordinator wanted kept: `wished`. `by` is who, where the pin
    still stands and was not set by a command.
    """

    request: TutoringRequest
    tutor: Tutor
    why: str
    beside: list[TutoringRequest]
    wished: bool
    by: Coordinator | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that the proposal page of a run shows."""

    tutors: list[TutorProposal]
    unserved: list[UnservedRequest]
    zones: list[ZoneFigures]
    levels: list[LevelFigures]
    recruits: list[Recruit]
    window_moves: list[WindowMove]
    moves: list[Move]
    """What a repair would change for those who have a place, those who lose it last."""
    weight_asked: int
    seconds: float | None
    requests: dict[int, TutoringRequest]
    """Every request of the run by id, with its pupil, subject and level."""
    in_force: set[int]
    """The ids of those requests that sat in a group when the run was asked for."""
    impossible_pins: list[ImpossiblePin]
    pins: dict[int, Pin]
    """What coordinators want kept now, by request."""
    channels: dict[str, Channel]
    languages: dict[str, Language]

    @property
    def lost_places(self) -> list[ImpossiblePin]:
        """The places in force that the run could not keep."""
        return [pin for pin in self.impossible_pins if not pin.wished]

    @property
    def lost_wishes(self) -> list[ImpossiblePin]:
        """The places that coordinators wanted kept, and that the run could not keep."""
        return [pin for pin in self.impossible_pins if pin.wished]

    @property
    def pupil_ids(self) -> set[int]:
        """The children whom the page shows."""
        return {request.pupil_id for request in self.requests.values()}

    @property
    def served(self) -> int:
        return len(self.requests) - len(self.unserved)

    @property
    def newly_served(self) -> int:
        """Requests that waited when the run was asked for, and would be served."""
        return len(self.requests.keys() - self.in_force - {e.request_id for e in self.unserved})

    @property
    def pupils_served(self) -> int:
        """Children with at least one group."""
        waiting = {entry.request_id for entry in self.unserved}
        return len({r.pupil_id for key, r in self.requests.items() if key not in waiting})

    @property
    def weight_served(self) -> int:
        return sum(zone.weight_served for zone in self.zones)

    @property
    def group_count(self) -> int:
        return sum(len(tutor.groups) for tutor in self.tutors)

    def is_in_force(self, group: ProposedGroup) -> bool:
        """Whether a proposed group is one that was in force, perhaps with pupils who join it."""
        moved = {pin.request.id for pin in self.lost_places} | self.moved_ids
        return any(seat.request_id in self.in_force - moved for seat in group.seats)

    @property
    def moved_ids(self) -> set[int]:
        """The requests that a repair would move, or leave without the place that they have."""
        return {move.request.id for move in self.moves}


def read_proposal(run: MatchRun) -> Proposal:
    """The proposal of a run that has a plan; NotFound for one that has none.

    The number of queries does not depend on the number of groups.
    """
    plan = read_plan(run.id)
    groups = _groups(run.id)
    unserved = _unserved(run.id)
    served = [seat.request for group in groups for seat in group.seats]
    waiting = [entry.request for entry in unserved]
    problem = read_problem(run.id)
    weights = {entry["id"]: entry["weight"] for entry in problem["requests"]}
    requests = {request.id: request for request in (*served, *waiting)}
    subjects = {row.code: row for row in db.session.scalars(select(Subject))}
    pins = {pin.request_id: pin for pin in db.session.scalars(_pins())}
    return Proposal(
        tutors=list(_by_tutor(groups)),
        unserved=sorted(unserved, key=lambda entry: _place(entry.request)),
        zones=list(_zone_figures(served, waiting, weights)),
        levels=[LevelFigures(**level) for level in plan["levels"]],
        recruits=[_recruit(line, subjects) for line in plan["advice"]],
        window_moves=[_window_move(line, requests) for line in run.window_moves or ()],
        moves=_moves(problem, groups, requests) if run.is_repair else [],
        weight_asked=sum(weights.values()),
        seconds=plan["seconds"],
        requests=requests,
        in_force={_number(pin["request"]) for pin in pins_in_force(problem)},
        impossible_pins=_impossible_pins(plan["impossible_pins"], problem, requests, pins),
        pins=pins,
        channels={row.code: row for row in db.session.scalars(select(Channel))},
        languages={row.code: row for row in db.session.scalars(select(Language))},
    )


def _groups(run_id: int) -> list[ProposedGroup]:
    return list(
        db.session.scalars(
            select(ProposedGroup)
            .where(ProposedGroup.run_id == run_id)
            .options(
                joinedload(ProposedGroup.tutor).options(lazyload("*")),
                joinedload(ProposedGroup.subject),
                joinedload(ProposedGroup.level),
                selectinload(ProposedGroup.seats)
                .joinedload(ProposedSeat.request)
                .options(*_with_family()),
            )
        )
    )


def _unserved(run_id: int) -> list[UnservedRequest]:
    return list(
        db.session.scalars(
            select(UnservedRequest)
            .where(UnservedRequest.run_id == run_id)
            .options(joinedload(UnservedRequest.request).options(*_with_family()))
        )
    )


def _pins() -> Select[Pin]:
    return select(Pin).options(joinedload(Pin.by), lazyload(Pin.tutor), lazyload(Pin.request))


def _impossible_pins(
    lines: list[dict[str, Any]],
    problem: dict[str, Any],
    requests: dict[int, TutoringRequest],
    pins: dict[int, Pin],
) -> list[ImpossiblePin]:
    wished = {pin["request"] for pin in wished_pins(problem)}
    ids = {_number(line["tutor"]) for line in lines}
    tutors = {
        tutor.id: tutor
        for tutor in db.session.scalars(
            select(Tutor).where(Tutor.id.in_(ids)).options(lazyload("*"))
        )
    }
    return [
        ImpossiblePin(
            request=requests[_number(line["request"])],
            tutor=tutors[_number(line["tutor"])],
            why=line["why"],
            beside=[requests[_number(name)] for name in line["with"]],
            wished=line["request"] in wished,
            by=_set_by(pins.get(_number(line["request"])), _number(line["tutor"])),
        )
        for line in lines
    ]


def _set_by(pin: Pin | None, tutor_id: int) -> Coordinator | None:
    return pin.by if pin is not None and pin.tutor_id == tutor_id else None


def _moves(
    problem: dict[str, Any], groups: list[ProposedGroup], requests: dict[int, TutoringRequest]
) -> list[Move]:
    """Whose place in force the proposal changes; a place without a time changes for nobody."""
    before = places_in_force(problem)
    after = {seat.request_id: group for group in groups for seat in group.seats}
    ids = {_number(place[0]) for place in before.values()}
    tutors = {
        row.id: row
        for row in db.session.scalars(select(Tutor).where(Tutor.id.in_(ids)).options(lazyload("*")))
    }
    moves = []
    for name, place in before.items():
        request = requests[_number(name)]
        group, new = after.get(request.id), None
        if group is not None:
            if place_of_group(group) == place:
                continue
            new = Place(group.tutor, group.starts, group.channel, group.language)
        tutor, starts, channel, language = place
        old = Place(tutors[_number(tutor)], [list(s) for s in starts], channel, language)
        moves.append(Move(request, old, new))
    return sorted(moves, key=lambda move: (move.after is None, _place(move.request)))


def _window_move(line: dict[str, Any], requests: dict[int, TutoringRequest]) -> WindowMove:
    return WindowMove(
        window=line["window"],
        moved=line["moved"],
        requests=[requests[_number(name)] for name in line["requests"]],
    )


def _number(name: str) -> int:
    """The id in a name of the problem, such as 12 in "R12"."""
    return int(name[1:])


def _with_family() -> tuple[Any, ...]:
    """What a request is shown with: subject, level, pupil, the household's zone."""
    return (
        joinedload(TutoringRequest.subject),
        joinedload(TutoringRequest.level),
        joinedload(TutoringRequest.pupil)
        .joinedload(Pupil.household)
        .options(lazyload("*"), joinedload(Household.zone)),
    )


def _by_tutor(groups: Iterable[ProposedGroup]) -> Iterator[TutorProposal]:
    listed: dict[int, list[ProposedGroup]] = {}
    for group in groups:
        listed.setdefault(group.tutor_id, []).append(group)
    for of_tutor in sorted(listed.values(), key=lambda them: (them[0].tutor.name, them[0].id)):
        yield TutorProposal(
            tutor=of_tutor[0].tutor,
            groups=sorted(of_tutor, key=_first_start),
            lessons=sum(len(group.starts) for group in of_tutor),
        )


def _first_start(group: ProposedGroup) -> tuple[int, str, int]:
    """Where a group stands in the week; those without a time come last."""
    starts = [(DAYS.index(start[0]), start[1]) for start in group.starts if start]
    return (*min(starts, default=(len(DAYS), "")), group.id)


def _place(request: TutoringRequest) -> tuple[str, str, int]:
    return request.pupil.household.zone.name, request.pupil.name, request.id


def _zone_figures(
    served: list[TutoringRequest], waiting: list[TutoringRequest], weights: dict[str, int]
) -> Iterator[ZoneFigures]:
    counts: dict[str, Counter[str]] = {}
    for requests, is_served in ((served, True), (waiting, False)):
        for request in requests:
            zone = counts.setdefault(request.pupil.household.zone.name, Counter())
            weight = weights[f"R{request.id}"]
            zone.update(asked=1, weight_asked=weight)
            if is_served:
                zone.update(served=1, weight_served=weight)
    for name in sorted(counts):
        zone = counts[name]
        yield ZoneFigures(
            name, zone["served"], zone["asked"], zone["weight_served"], zone["weight_asked"]
        )


def _recruit(line: dict[str, Any], subjects: dict[str, Subject]) -> Recruit:
    return Recruit(
        subject=subjects[line["subject"]],
        levels=line["levels"],
        channel=line["channel"],
        language=line["language"],
        windows=line["available"],
        weight=line["adds"],
        requests=len(line["requests"]),
    )
