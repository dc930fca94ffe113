"""Whether a plan keeps every rule of its problem, found out afresh.

Nothing here is shared with the solver but the plain values of problems and plans: times are
compared as minutes, tutors are filtered one by one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from matching.candidates import Candidates
from matching.plan import Advice, Exchange, Group, ImpossiblePin, Plan, Unserved
from matching.problem import (
    MINUTES_A_DAY,
    MINUTES_A_WEEK,
    Household,
    Minute,
    Pin,
    Problem,
    Request,
    Tutor,
    Window,
)

WHYS = (
    "group_full",
    "tutor_busy",
    "phone_busy",
    "too_many_lessons",
    "not_taught",
    "vetoed",
    "members_differ",
    "not_found",
)
MOST_ADVICE = 10
NOBODY: frozenset[str] = frozenset()

Kind = tuple[str, str, int]  # subject, level, lessons a week


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that the plan breaks, where, and how."""

    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Seat:
    """A lesson that somebody attends, at a known time."""

    start: Minute
    request: str
    group: str


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Everything that is wrong with the plan; empty if it is good."""
    checker = Checker(problem, plan)
    if checker.find_strangers():
        # The other rules speak of people and groups that must exist to be looked at.
        return checker.violations
    checker.check_groups()
    checker.check_people()
    checker.check_pins()
    checker.check_figures()
    if not checker.violations:
        # Who could be added is only a question to a plan that holds.
        checker.check_unserved()
        checker.check_advice()
    return checker.violations


class Checker:
    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem = problem
        self.plan = plan
        self.violations: list[Violation] = []
        self.tutors = {tutor.id: tutor for tutor in problem.tutors}
        self.households = {household.id: household for household in problem.households}
        self.requests = {request.id: request for request in problem.requests}
        self.pins = {pin.request: pin for pin in problem.pins}
        self.impossible = {pin.request for pin in plan.impossible_pins}
        self.vetoes = {(veto.request, veto.tutor) for veto in problem.vetoes}
        self.vetoed: dict[str, list[str]] = defaultdict(list)
        for veto in problem.vetoes:
            self.vetoed[veto.request].append(veto.tutor)
        self.tutor_starts = {tutor.id: self._starts(tutor.available) for tutor in problem.tutors}
        self.home_starts = {home.id: self._starts(home.reachable) for home in problem.households}
        self.candidates = self._candidates()

    def _wrong(self, rule: str, where: str, what: str) -> None:
        self.violations.append(Violation(rule, where, what))

    def _candidates(self) -> dict[tuple[str, str], Candidates]:
        teachers: dict[tuple[str, str], list[Tutor]] = defaultdict(list)
        for tutor in self.problem.tutors:
            for taught in {(t.subject, level) for t in tutor.teaches for level in t.levels}:
                teachers[taught].append(tutor)
        for request in self.problem.requests:
            teachers.setdefault((request.subject, request.level), [])
        return {
            taught: Candidates(tutors, self.tutor_starts) for taught, tutors in teachers.items()
        }

    def _teaches(self, tutor: Tutor, request: Request) -> bool:
        return tutor.id in self.candidates[request.subject, request.level].place

    # --- who and what the plan speaks of

    def find_strangers(self) -> bool:
        """Names that the problem does not have, or that come more often than they may."""
        plan = self.plan
        for group in plan.groups:
            where = f"group {group.id}"
            self._known("tutor", group.tutor, self.tutors, where)
            self._known("channel", group.channel, self.problem.channels, where)
            for request in group.requests:
                self._known("request", request, self.requests, where)
        for unserved in plan.unserved:
            where = f"unserved {unserved.request}"
            self._known("request", unserved.request, self.requests, where)
            out = unserved.exchange.out if unserved.exchange else ()
            for request in (*unserved.held_by, *out):
                self._known("request", request, self.requests, where)
        for pin in plan.impossible_pins:
            for request in (pin.request, *pin.beside):
                self._known("request", request, self.requests, f"impossible pin {pin.request}")
        for i, advice in enumerate(plan.advice):
            self._known("channel", advice.channel, self.problem.channels, f"advice {i + 1}")
            for request in advice.requests:
                self._known("request", request, self.requests, f"advice {i + 1}")
        self._once("group id", (group.id for group in plan.groups))
        served = [request for group in plan.groups for request in group.requests]
        self._once("served or unserved", [*served, *(u.request for u in plan.unserved)])
        self._once("impossible pin", (pin.request for pin in plan.impossible_pins))
        for request in self.requests.keys() - {*served, *(u.request for u in plan.unserved)}:
            self._wrong("unserved", request, "is neither in a group nor listed as unserved")
        return bool(self.violations)

    def _known(self, kind: str, name: str, names: Iterable[str], where: str) -> None:
        if name not in names:
            self._wrong("unknown", where, f"no {kind} {name!r}")

    def _once(self, what: str, names: Iterable[str]) -> None:
        for name, count in Counter(names).items():
            if count > 1:
                self._wrong("twice", name, f"{what}: {count} times")

    # --- each group by itself

    def check_groups(self) -> None:
        for group in self.plan.groups:
            self._check_size(group)
            self._check_lessons(group)
            for name in group.requests:
                self._check_member(group, self.requests[name])

    def _check_size(self, group: Group) -> None:
        most = self.problem.channels[group.channel].max_group
        if not group.requests:
            self._wrong("empty_group", f"group {group.id}", "has no members")
        if len(group.requests) > most:
            what = f"{len(group.requests)} members, at most {most} on {group.channel}"
            self._wrong("max_group", f"group {group.id}", what)

    def _check_lessons(self, group: Group) -> None:
        where = f"group {group.id}"
        given = [start for start in group.starts if start is not None]
        if given and len(given) < len(group.starts):
            self._wrong("starts", where, "some lessons have a start and others none")
        if len({start // MINUTES_A_DAY for start in given}) < len(given):
            self._wrong("distinct_days", where, "two lessons on one day")

    def _check_member(self, group: Group, request: Request) -> None:
        where = f"group {group.id}, request {request.id}"
        tutor, household = self.tutors[group.tutor], self.households[request.household]
        pin = self._held_pin(request.id)
        if (group.subject, group.level) != (request.subject, request.level):
            what = f"asks {request.subject} {request.level}, not {group.subject} {group.level}"
            self._wrong("members_differ", where, what)
        if not self._teaches(tutor, request):
            what = f"{tutor.id} does not teach {request.subject} {request.level}"
            self._wrong("teaches", where, what)
        if len(group.starts) != request.lessons_per_week:
            what = f"{request.lessons_per_week} lessons a week asked, {len(group.starts)} given"
            self._wrong("lessons_per_week", where, what)
        if (request.id, tutor.id) in self.vetoes:
            self._wrong("vetoed", where, f"not with {tutor.id}")
        if pin is None and not set(request.needs) <= set(tutor.tags):
            self._wrong("needs", where, f"{tutor.id} lacks a tag that is needed")
        if not (pin and pin.channel):
            self._check_shared("channel", group.channel, tutor.channels, household.channels, where)
        if not (pin and pin.language):
            self._check_shared(
                "language", group.language, tutor.languages, household.languages, where
            )
        if not (pin and pin.starts):
            self._check_times(group, tutor, household, where)

    def _held_pin(self, request: str) -> Pin | None:
        return None if request in self.impossible else self.pins.get(request)

    def _check_shared(
        self, rule: str, name: str, mine: tuple[str, ...], theirs: tuple[str, ...], where: str
    ) -> None:
        if name not in mine:
            self._wrong(rule, where, f"the tutor does not have {name}")
        if name not in theirs:
            self._wrong(rule, where, f"the household does not have {name}")

    def _check_times(self, group: Group, tutor: Tutor, household: Household, where: str) -> None:
        agreed_later = tutor.available is None or household.reachable is None
        for start in group.starts:
            if agreed_later != (start is None):
                what = "must have no start" if agreed_later else "must have a start"
                self._wrong("times_to_be_agreed", where, f"a lesson {what}")
            if start is None:
                continue
            if start % self.problem.start_every:
                self._wrong("grid", where, f"no lesson starts at {_clock(start)}")
            if not self._inside(start, tutor.available):
                self._wrong("tutor_window", where, f"{tutor.id} has no time at {_clock(start)}")
            if not self._inside(start, household.reachable):
                what = f"{household.id} has no time at {_clock(start)}"
                self._wrong("household_window", where, what)

    def _inside(self, start: Minute, windows: tuple[Window, ...] | None) -> bool:
        end = start + self.problem.lesson_minutes
        return windows is None or any(w.start <= start and end <= w.end for w in windows)

    # --- what each person can do at once and in a week

    def check_people(self) -> None:
        self.seats_of_home: dict[str, list[Seat]] = defaultdict(list)
        self.seats_of_pupil: dict[str, list[Seat]] = defaultdict(list)
        self.groups_of: dict[str, list[Group]] = defaultdict(list)
        self.group_of: dict[str, Group] = {}
        for group in self.plan.groups:
            self.groups_of[group.tutor].append(group)
            for name in group.requests:
                self.group_of[name] = group
                request = self.requests[name]
                for start in group.starts:
                    if start is not None:
                        seat = Seat(start, name, group.id)
                        self.seats_of_home[request.household].append(seat)
                        self.seats_of_pupil[request.pupil].append(seat)
        for tutor in self.problem.tutors:
            self._check_tutor(tutor)
        for household in self.problem.households:
            seats = self.seats_of_home[household.id]
            for seat in seats:
                busy = self.seats_at(seat.start, seats)
                if busy > household.phones:
                    what = f"{busy} seats at {_clock(seat.start)}, {household.phones} phones"
                    self._wrong("phones", household.id, what)
                    break
        for pupil, seats in self.seats_of_pupil.items():
            for one, other in combinations(seats, 2):
                if self.overlap(one.start, other.start):
                    what = f"{one.request} and {other.request} are at the same time"
                    self._wrong("pupil_busy", pupil, what)

    def _check_tutor(self, tutor: Tutor) -> None:
        groups = self.groups_of[tutor.id]
        lessons = sum(len(group.starts) for group in groups)
        if lessons > tutor.max_lessons_per_week:
            what = f"{lessons} lessons a week, at most {tutor.max_lessons_per_week}"
            self._wrong("max_lessons_per_week", tutor.id, what)
        timed = [(start, g.id) for g in groups for start in g.starts if start is not None]
        for (one, first), (other, second) in combinations(timed, 2):
            if self.overlap(one, other):
                self._wrong("tutor_busy", tutor.id, f"groups {first} and {second} overlap")

    def overlap(self, one: Minute, other: Minute) -> bool:
        apart = (one - other) % MINUTES_A_WEEK
        return min(apart, MINUTES_A_WEEK - apart) < self.problem.lesson_minutes

    def seats_at(self, moment: Minute, seats: Iterable[Seat]) -> int:
        """How many of the seats are occupied at a moment."""
        lesson = self.problem.lesson_minutes
        return sum((moment - seat.start) % MINUTES_A_WEEK < lesson for seat in seats)

    # --- pins

    def check_pins(self) -> None:
        for listed in self.plan.impossible_pins:
            self._check_impossible(listed)
        together: dict[str, set[str]] = defaultdict(set)
        for pin in self.problem.pins:
            if pin.request in self.impossible:
                continue
            group = self.group_of.get(pin.request)
            if group is None or not _holds(pin, group):
                what = "does not hold and is not listed as impossible"
                self._wrong("pin", pin.request, what)
            elif pin.group is not None:
                together[pin.group].add(group.id)
        for name, groups in together.items():
            if len(groups) > 1:
                what = f"its members are in {', '.join(sorted(groups))}"
                self._wrong("pin", f"group {name}", what)

    def _check_impossible(self, listed: ImpossiblePin) -> None:
        where = f"impossible pin {listed.request}"
        pin = self.pins.get(listed.request)
        if pin is None or pin.tutor != listed.tutor:
            self._wrong("impossible_pin", where, "there is no such pin")
            return
        group = self.group_of.get(listed.request)
        if group is not None and _holds(pin, group) and pin.starts:
            self._wrong("impossible_pin", where, "it holds in this plan")
        for name in listed.beside:
            if name not in self.pins or name in self.impossible:
                self._wrong("impossible_pin", where, f"{name} has no pin that holds")
            elif not self._comes_first(self.pins[name], pin):
                self._wrong("impossible_pin", where, f"the pin of {name} is taken later")
        if not self._is_why(pin, listed):
            self._wrong("impossible_pin", where, f"{listed.why!r} is not why")

    def _comes_first(self, one: Pin, other: Pin) -> bool:
        order = {pin.request: (pin.starts is None, i) for i, pin in enumerate(self.problem.pins)}
        return order[one.request] < order[other.request]

    def _is_why(self, pin: Pin, listed: ImpossiblePin) -> bool:
        request, tutor = self.requests[pin.request], self.tutors[pin.tutor]
        taught = self._teaches(tutor, request)
        vetoed = (pin.request, pin.tutor) in self.vetoes
        beside = [self.pins[name] for name in listed.beside if name in self.pins]
        if listed.why == "not_taught":
            return not taught
        if listed.why == "vetoed":
            return taught and vetoed
        if listed.why not in WHYS or not taught or vetoed:
            return False
        if listed.why == "too_many_lessons":
            groups = {self.group_of[p.request].id: self.group_of[p.request] for p in beside}
            given = sum(len(group.starts) for group in groups.values())
            one_tutor = all(p.tutor == pin.tutor for p in beside)
            return one_tutor and given + request.lessons_per_week > tutor.max_lessons_per_week
        if listed.why == "not_found":
            return True
        return bool(beside) and self._conflict(pin, request, listed.why, beside)

    def _conflict(self, pin: Pin, request: Request, why: str, beside: list[Pin]) -> bool:
        """Whether the pins taken first are in the way as `why` says."""
        groups = [self.group_of[other.request] for other in beside]
        if why == "phone_busy":
            return all(
                self._same_home(request, self.requests[other.request])
                and self._meets(pin, self.group_of[other.request])
                for other in beside
            )
        if why == "members_differ":
            return pin.group is not None and all(
                other.group == pin.group
                and self._cannot_join(pin, request, self.group_of[other.request])
                for other in beside
            )
        if any(other.tutor != pin.tutor for other in beside):
            return False
        if why == "tutor_busy":
            return all(self._meets(pin, group) for group in groups)
        one = groups[0]
        most = self.problem.channels[one.channel].max_group
        return all(group.id == one.id for group in groups) and len(beside) >= most

    def _same_home(self, one: Request, other: Request) -> bool:
        return one.household == other.household or one.pupil == other.pupil

    def _meets(self, pin: Pin, group: Group) -> bool:
        """Whether the group has a lesson during one of the pin's; any, if it names none."""
        return pin.starts is None or any(
            self.overlap(one, other)
            for one in pin.starts
            for other in group.starts
            if other is not None
        )

    def _cannot_join(self, pin: Pin, request: Request, group: Group) -> bool:
        """Whether the pinned request could not be a member, seats and phones left aside."""
        if not _holds(pin, group) or len(group.starts) != request.lessons_per_week:
            return True
        if (group.subject, group.level) != (request.subject, request.level):
            return True
        tutor, household = self.tutors[group.tutor], self.households[request.household]
        if not pin.channel and group.channel not in {*tutor.channels} & {*household.channels}:
            return True
        if not pin.language and group.language not in {*tutor.languages} & {*household.languages}:
            return True
        return not pin.starts and not self._times_suit(group, tutor, household)

    def _times_suit(self, group: Group, tutor: Tutor, household: Household) -> bool:
        if None in group.starts:
            return tutor.available is None or household.reachable is None
        return set(group.starts) <= self._common_starts(tutor, household)

    # --- figures

    def check_figures(self) -> None:
        asked: Counter[str] = Counter()
        served: Counter[str] = Counter()
        for request in self.problem.requests:
            zone = self.households[request.household].zone
            asked[zone] += request.weight
            served[zone] += request.weight * (request.id in self.group_of)
        zones = sorted((zone, served[zone], asked[zone]) for zone in asked)
        if [(zone.zone, zone.served, zone.asked) for zone in self.plan.zones] != zones:
            self._wrong("zones", "plan", f"should be {zones}")
        shares = tuple(sorted(1000 * done // wanted for _, done, wanted in zones))
        values = (served.total(), shares, self._kept(), self._cost())
        objective = self.plan.objective
        self._figure("weight_served", objective.weight_served, served.total())
        self._figure("requests_served", objective.requests_served, len(self.group_of))
        self._figure("min_zone_share", objective.min_zone_share, min(shares, default=None))
        self._figure("kept", objective.kept, values[2])
        self._figure("cost", objective.cost, values[3])
        for level, value in zip(self.plan.levels, values, strict=True):
            self._figure(f"level {level.name}", level.value, value)
        self._check_bounds()

    def _figure(self, name: str, claimed: object, found: object) -> None:
        if claimed != found:
            self._wrong("objective", name, f"the plan says {claimed}, it is {found}")

    def _kept(self) -> int:
        return sum(
            self.requests[name].previous_tutor == group.tutor
            for name, group in self.group_of.items()
        )

    def _cost(self) -> int:
        cost = 0
        for groups in self.groups_of.values():
            cost += sum(len(group.starts) for group in groups) ** 2
        for group in self.plan.groups:
            cost += self.problem.channels[group.channel].cost * len(group.starts)
            for name in group.requests:
                preferred = self.requests[name].preferred
                if preferred is not None:
                    cost += sum(
                        start is not None and not self._inside(start, preferred)
                        for start in group.starts
                    )
        return cost

    def _check_bounds(self) -> None:
        above = True
        for level in self.plan.levels:
            value, bound = level.value, level.bound
            if isinstance(value, tuple) and isinstance(bound, tuple):
                wrong = value > bound or len(value) != len(bound)
            else:
                least = level.name == "cost"
                wrong = bool(bound > value if least else bound < value)  # type: ignore[operator]
            if wrong:
                self._wrong("bound", level.name, f"{value} is beyond the bound {bound}")
            if level.proved and value != bound:
                self._wrong("bound", level.name, f"proved, but {value} is not {bound}")
            if level.proved and not above:
                self._wrong("bound", level.name, "proved, though a level above is not")
            above = above and level.proved
        if self.plan.bound != self.plan.levels[0].bound:
            self._wrong("bound", "plan", "differs from that of the first level")
        if (self.plan.status == "optimal") != above:
            self._wrong("status", "plan", f"{self.plan.status!r} does not fit the levels")

    # --- the unserved

    def check_unserved(self) -> None:
        self._collect_seats_and_prices()
        for unserved in self.plan.unserved:
            self._check_reason(unserved)

    def _collect_seats_and_prices(self) -> None:
        """The groups of a kind by what a seat costs and by first start, and each group's weight."""
        self.alike: dict[Kind, dict[int, dict[Minute | None, list[Group]]]] = {}
        for group in self.plan.groups:
            kind = group.subject, group.level, len(group.starts)
            by_start = self.alike.setdefault(kind, {}).setdefault(self._seat_price(group), {})
            by_start.setdefault(group.starts[0], []).append(group)
        self.weights_of = {
            tutor: [
                (group, sum(self.requests[name].weight for name in group.requests))
                for group in groups
            ]
            for tutor, groups in self.groups_of.items()
        }
        self._weight_at: dict[str, dict[Minute, int]] = {}

    def _prices(self, tutor: Tutor, lessons: int) -> tuple[int, dict[Minute, int]]:
        """What must leave at least for so many more lessons, and for each start to be free."""
        groups = self.weights_of.get(tutor.id, [])
        given = sum(len(group.starts) for group, _ in groups)
        lacking = given + lessons > tutor.max_lessons_per_week
        least = min((weight for _, weight in groups), default=0) if lacking else 0
        if tutor.id not in self._weight_at:
            self._weight_at[tutor.id] = {
                start: sum(
                    weight
                    for group, weight in groups
                    if any(s is not None and self.overlap(start, s) for s in group.starts)
                )
                for start in self.tutor_starts[tutor.id]
            }
        return least, self._weight_at[tutor.id]

    def _check_reason(self, unserved: Unserved) -> None:
        request = self.requests[unserved.request]
        home = self.households[request.household]
        where = f"unserved {request.id}"
        tutors, reason = self.candidates[request.subject, request.level].filter(
            request, home, self.home_starts[home.id], self.vetoed.get(request.id, ())
        )
        if reason is None:
            reason = "taken"
            if self._finds_place(request, tutors, Busy(self, request, NOBODY, alone=True)):
                reason = "phone_busy"
                if self._finds_place(request, tutors, Busy(self, request, NOBODY)):
                    self._wrong("addable", where, "could be added while nobody moves")
                    return
        if unserved.reason != reason:
            self._wrong("reason", where, f"is {reason}, not {unserved.reason}")
        elif reason == "taken":
            self._check_taken(unserved, request, tutors)
        elif unserved.held_by or unserved.exchange:
            self._wrong("reason", where, f"{reason} has no details")

    def _finds_place(self, request: Request, tutors: int, busy: Busy) -> bool:
        """Whether one of the tutors could take the request with nobody leaving."""
        return any(
            self._addable(request, tutor, NOBODY, busy)
            for tutor in self._possible(request, tutors, busy, 1)
        )

    def _possible(
        self, request: Request, tutors: int, busy: Busy, weight: int | None
    ) -> Iterator[Tutor]:
        """Those of the tutors with whom there might be room if pupils who weigh less than this
        (None: any) left, the household's own seats staying."""
        home = self.households[request.household]
        starts = [start for start in self.home_starts[home.id] if not busy.at(start)]
        candidates = self.candidates[request.subject, request.level]
        found = candidates.with_time_below(weight, request, home, starts, self._prices)
        kind = request.subject, request.level, request.lessons_per_week
        for price, by_start in self.alike.get(kind, {}).items():
            if weight is None or price < weight:
                for start in (None, *starts):
                    for group in by_start.get(start, ()):
                        if self._speaks(group, home):
                            found |= 1 << candidates.place[group.tutor]
        return candidates.named(found & tutors)

    def _seat_price(self, group: Group) -> int:
        """The lightest member, if there is no seat left; 0 for nobody."""
        if len(group.requests) < self.problem.channels[group.channel].max_group:
            return 0
        return min(self.requests[name].weight for name in group.requests)

    def _speaks(self, group: Group, home: Household) -> bool:
        return group.channel in home.channels and group.language in home.languages

    def _starts(self, windows: tuple[Window, ...] | None) -> frozenset[Minute]:
        """The starts whose lesson lies inside one of the windows; none where there are none."""
        every, lesson = self.problem.start_every, self.problem.lesson_minutes
        return frozenset(
            start
            for window in windows or ()
            for start in range(-(-window.start // every) * every, window.end, every)
            if start + lesson <= window.end
        )

    def _common_starts(self, tutor: Tutor, home: Household) -> frozenset[Minute]:
        return self.tutor_starts[tutor.id] & self.home_starts[home.id]

    def _addable(self, request: Request, tutor: Tutor, gone: frozenset[str], busy: Busy) -> bool:
        """Whether the tutor could take the request, those gone left and nobody else moving."""
        home = self.households[request.household]
        lessons = 0
        taken: list[Minute] = []
        for group in self.groups_of[tutor.id]:
            left = len(group.requests) - len(gone.intersection(group.requests))
            if left:
                lessons += len(group.starts)
                taken += [start for start in group.starts if start is not None]
                if self._joinable(request, tutor, group, left, busy):
                    return True
        if lessons + request.lessons_per_week > tutor.max_lessons_per_week:
            return False
        if tutor.available is None or home.reachable is None:
            return True
        free = [
            start
            for start in self._common_starts(tutor, home)
            if not any(self.overlap(start, other) for other in taken) and not busy.at(start)
        ]
        return _days(free) >= request.lessons_per_week

    def _joinable(
        self, request: Request, tutor: Tutor, group: Group, members: int, busy: Busy
    ) -> bool:
        home = self.households[request.household]
        if (group.subject, group.level) != (request.subject, request.level):
            return False
        if len(group.starts) != request.lessons_per_week:
            return False
        if members >= self.problem.channels[group.channel].max_group:
            return False
        if group.channel not in tutor.channels or group.channel not in home.channels:
            return False
        if group.language not in tutor.languages or group.language not in home.languages:
            return False
        if tutor.available is None or home.reachable is None:
            return None in group.starts
        common = self._common_starts(tutor, home)
        return all(start in common and not busy.at(start) for start in group.starts)

    def _check_taken(self, unserved: Unserved, request: Request, tutors: int) -> None:
        where = f"unserved {request.id}"
        place = self.candidates[request.subject, request.level].place
        for name in unserved.held_by:
            holder = place.get(self.group_of[name].tutor) if name in self.group_of else None
            if holder is None or not tutors >> holder & 1:
                self._wrong("held_by", where, f"{name} has no lesson that {request.id} could have")
        if not unserved.held_by and unserved.exchange is not None:
            self._wrong("held_by", where, "names nobody")
        if unserved.exchange is None:
            if self._lighter_room(request, tutors, None):
                self._wrong("exchange", where, "there is one")
            return
        self._check_exchange(unserved.exchange, request, tutors, where)

    def _check_exchange(
        self, exchange: Exchange, request: Request, tutors: int, where: str
    ) -> None:
        weight = sum(self.requests[name].weight for name in exchange.out)
        if weight != exchange.weight:
            self._wrong("exchange", where, f"weighs {weight}, not {exchange.weight}")
            return
        whose = {self.group_of[name].tutor for name in exchange.out if name in self.group_of}
        gone = frozenset(exchange.out)
        if len(whose) != 1 or any(name not in self.group_of for name in exchange.out):
            self._wrong("exchange", where, "must be pupils of one tutor")
        elif not self._admits_at(request, tutors, whose.pop(), gone):
            self._wrong("exchange", where, f"{request.id} would still find no place")
        elif weight > 1 and self._lighter_room(request, tutors, weight):
            self._wrong("exchange", where, "there is a lighter one")

    def _admits_at(self, request: Request, tutors: int, name: str, gone: frozenset[str]) -> bool:
        place = self.candidates[request.subject, request.level].place.get(name)
        if place is None or not tutors >> place & 1:
            return False
        return self._admits(request, self.tutors[name], gone)

    def _lighter_room(self, request: Request, tutors: int, weight: int | None) -> bool:
        """Whether pupils of one of the tutors who weigh less than this could make room.

        Tutors who give lessons to the household are looked at whatever the prices say: its own
        seats could be those that leave.
        """
        candidates = self.candidates[request.subject, request.level]
        seats = self.seats_of_home[request.household] + self.seats_of_pupil[request.pupil]
        near = {self.group_of[seat.request].tutor for seat in seats}
        looked_at = {
            t.id for t in self._possible(request, tutors, Busy(self, request, NOBODY), weight)
        }
        looked_at |= {name for name in near if name in candidates.place}
        return any(
            self._cheaper(request, self.tutors[name], weight)
            for name in looked_at
            if tutors >> candidates.place[name] & 1
        )

    def _cheaper(self, request: Request, tutor: Tutor, weight: int | None) -> bool:
        """Whether pupils of the tutor who weigh less than this could make room by leaving."""
        pupils = sorted(
            (name for group in self.groups_of[tutor.id] for name in group.requests),
            key=lambda name: self.requests[name].weight,
        )
        everybody = frozenset(pupils)
        if not self._admits(request, tutor, everybody):
            return False
        if weight is None:
            return True
        return any(self._admits(request, tutor, gone) for gone in self._lighter(pupils, weight))

    def _admits(self, request: Request, tutor: Tutor, gone: frozenset[str]) -> bool:
        return self._addable(request, tutor, gone, Busy(self, request, gone))

    def _lighter(self, pupils: list[str], weight: int) -> Iterator[frozenset[str]]:
        """Every set of these pupils, lightest pupil first, that weighs less than this."""
        stack: list[tuple[int, int, frozenset[str]]] = [(0, 0, frozenset())]
        while stack:
            first, total, gone = stack.pop()
            for i in range(first, len(pupils)):
                more = total + self.requests[pupils[i]].weight
                if more >= weight:
                    break
                bigger = gone | {pupils[i]}
                yield bigger
                stack.append((i + 1, more, bigger))

    # --- advice

    def check_advice(self) -> None:
        lines = self.plan.advice
        if len(lines) > MOST_ADVICE:
            self._wrong("advice", "plan", f"{len(lines)} lines, at most {MOST_ADVICE}")
        if any(one.adds < next_one.adds for one, next_one in pairwise(lines)):
            self._wrong("advice", "plan", "the best line does not come first")
        for i, line in enumerate(lines):
            for what in self._faults_of_advice(line):
                self._wrong("advice", f"line {i + 1}", what)

    def _faults_of_advice(self, line: Advice) -> Iterator[str]:
        """What speaks against inserting the requests with the new tutor, nobody moved."""
        requests = [self.requests[name] for name in line.requests]
        if sum(request.weight for request in requests) != line.adds:
            yield "adds another weight than its requests have"
        if len(set(line.requests)) < len(line.requests) or not line.requests:
            yield "must name each request once, and one at least"
        if len(line.requests) > self.problem.channels[line.channel].max_group:
            yield "has more requests than a group has seats"
        if len(line.available) != 1 or len(self._starts(line.available)) != 1:
            yield "must have one window for one lesson"
            return
        (start,) = self._starts(line.available)
        for request in requests:
            yield from self._faults_of_newcomer(line, request, start)
        homes = Counter(request.household for request in requests)
        for home, newcomers in homes.items():
            if not self._phones_free(home, start, newcomers):
                yield f"{home} has no phone free"
        if len({request.pupil for request in requests}) < len(requests):
            yield "has a pupil twice"

    def _faults_of_newcomer(self, line: Advice, request: Request, start: Minute) -> Iterator[str]:
        home = self.households[request.household]
        if request.id in self.group_of:
            yield f"{request.id} is served already"
        if request.subject != line.subject or (request.level,) != line.levels:
            yield f"{request.id} asks something else"
        if request.lessons_per_week != 1 or request.needs:
            yield f"{request.id} needs more than one lesson of anybody"
        if line.channel not in home.channels or line.language not in home.languages:
            yield f"{request.id} does not share channel and language"
        if start not in self.home_starts[home.id]:
            yield f"{request.id} can't be reached then"
        if any(self.overlap(start, seat.start) for seat in self.seats_of_pupil[request.pupil]):
            yield f"{request.id} has another lesson then"

    def _phones_free(self, home: str, start: Minute, newcomers: int) -> bool:
        seats = self.seats_of_home[home]
        return most_at_once(self, seats, start) + newcomers <= self.households[home].phones


class Busy:
    """When a request's phone or pupil is taken by lessons that stay."""

    def __init__(
        self, checker: Checker, request: Request, gone: frozenset[str], alone: bool = False
    ) -> None:
        self._checker = checker
        self._phones = checker.households[request.household].phones
        self._home = [
            seat
            for seat in checker.seats_of_home[request.household]
            if seat.request not in gone and not alone
        ]
        self._pupil = [
            seat
            for seat in checker.seats_of_pupil[request.pupil]
            if seat.request not in gone
            and not (alone and checker.requests[seat.request].household == request.household)
        ]

    def at(self, start: Minute | None) -> bool:
        """Whether a lesson at this start finds the pupil or every phone taken."""
        if start is None or not (self._home or self._pupil):
            return False
        checker = self._checker
        if any(checker.overlap(start, seat.start) for seat in self._pupil):
            return True
        return most_at_once(checker, self._home, start) >= self._phones


def most_at_once(checker: Checker, seats: list[Seat], start: Minute) -> int:
    """The most seats occupied at one moment of a lesson at this start."""
    lesson = checker.problem.lesson_minutes
    moments = [start, *(s.start for s in seats if (s.start - start) % MINUTES_A_WEEK < lesson)]
    return max(checker.seats_at(moment, seats) for moment in moments)


def _holds(pin: Pin, group: Group) -> bool:
    """Whether a group has all that a pin of a member names."""
    return (
        group.tutor == pin.tutor
        and (pin.starts is None or set(group.starts) == set(pin.starts))
        and (pin.channel is None or group.channel == pin.channel)
        and (pin.language is None or group.language == pin.language)
    )


def _days(starts: Iterable[Minute]) -> int:
    return len({start // MINUTES_A_DAY for start in starts})


def _clock(start: Minute) -> str:
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[start // MINUTES_A_DAY]
    return f"{day} {start % MINUTES_A_DAY // 60:02}:{start % 60:02}"
