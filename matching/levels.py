"""Improving a timetable level by level with CP-SAT, each level kept while the next is improved."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from ortools.sat.python import cp_model

from matching.found import Found, Report
from matching.model import Class, Linear, Model, Var
from matching.objective import FULL, asked_by_zone, keeps_tutor, share_of, worth, zone_of
from matching.stop import Left, Stop
from matching.timetable import Timetable

ITERATIONS_A_SECOND = 100  # of CP-SAT's deterministic clock
POLL_SECONDS = 0.05
EPSILON = 1e-6

# What a level may use of what is left, so that those below get their turn; the last takes all.
SHARES = {"weight_served": 0.7, "zones": 0.7, "kept": 0.4, "cost": 1.0}


def _unheard(phase: str, best: int | None, bound: int | None) -> None:
    """Takes the reports of what is solved to prove or to count."""


class Levels:
    """One climb through the levels."""

    def __init__(
        self,
        table: Timetable,
        stop: Stop,
        seed: int,
        report: Report,
        model: Model | None = None,
    ) -> None:
        self.stop = stop
        self.seed = seed
        self.used = 0.0
        self.weight: int | None = None
        self.bound: int | None = None

        def report_and_remember(phase: str, best: int | None, bound: int | None) -> None:
            if phase == "weight_served":
                self.weight, self.bound = best, bound
            report(phase, best, bound)

        self.report: Report = report_and_remember
        self.found = Found(table)
        self.model = model or Model(table)
        self.rules = table.rules

    def climb(self, levels: int = 4) -> Found:
        """Improve so many levels, in order, until all are proved or nothing is left to spend."""
        proved = True
        improving = (
            ("weight_served", self._weight),
            ("zones", self._zones),
            ("kept", self._kept),
            ("cost", self._cost),
        )
        for name, improve in improving[:levels]:
            if self.left().nothing:
                break
            bound, reached = improve()
            if name == "weight_served":
                self.weight = worth(self.found.table).weight
                self.bound = self.weight if reached else self.bound
            if proved:
                # Below a level that is not proved, this climb speaks of its own plans alone.
                self.found.bounds[name] = bound
            proved = proved and reached
            self.found.proved[name] = proved
        return self.found

    def left(self) -> Left:
        return self.stop.left(self.used, self.weight, self.bound)

    # --- the four levels; each leaves the model with the constraint that keeps it

    def _weight(self) -> tuple[int, bool]:
        rules, model = self.rules, self.model
        weight = sum(rules.requests[r].weight * served for r, served in model.served.items())
        most = sum(rules.requests[r].weight for r in model.served)
        return self._raise("weight_served", weight, lambda: worth(self.found.table).weight, most)

    def _kept(self) -> tuple[int, bool]:
        terms = [
            var
            for r, at in self.model.at.items()
            for place, var in at.items()
            if keeps_tutor(self.rules, r, place.tutor)
        ]
        most = len(self.rules.requests)
        return self._raise("kept", sum(terms), lambda: worth(self.found.table).kept, most)

    def _raise(
        self, phase: str, figure: Linear, now: Callable[[], int], most: int
    ) -> tuple[int, bool]:
        """Maximise a figure, then hold it; returns its bound and whether it is proved."""
        self.model.cp.maximize(figure)
        solved = self.solve(phase, now(), self.allowance(phase)(), most=most)
        self.model.cp.add(figure >= now())
        return (now() if solved.proved else min(most, solved.bound_or(most))), solved.proved

    def _cost(self) -> tuple[int, bool]:
        self.model.cp.minimize(self._cost_expression())
        before = worth(self.found.table).cost
        solved = self.solve("cost", before, self.allowance("cost")(), self._step_hints, least=True)
        now = worth(self.found.table).cost
        return (now if solved.proved else max(0, solved.bound_or(0))), solved.proved

    def _cost_expression(self) -> Linear:
        rules, model = self.rules, self.model
        terms: list[Linear] = [
            rules.channels[cls.channel].cost * cls.key[2] * var for cls, var in model.open.items()
        ]
        for r, at in model.at.items():
            for place, var in at.items():
                terms.append(rules.not_preferred(r, place.starts or ()) * var)
        self._steps = {t: self._lesson_steps(t, found) for t, found in model.groups_of.items()}
        for steps in self._steps.values():
            terms += [(2 * k + 1) * step for k, step in enumerate(steps)]
        return sum(terms)

    def _lesson_steps(self, t: int, classes: list[Class]) -> list[Var]:
        """A boolean for each lesson of the tutor; a square is the sum of the first odd numbers."""
        model = self.model
        most = min(
            self.rules.tutors[t].max_lessons_per_week,
            sum(cls.key[2] * len(model.users[cls]) for cls in classes),
        )
        steps = [model.cp.new_bool_var("") for _ in range(most)]
        model.cp.add(sum(cls.key[2] * model.open[cls] for cls in classes) == sum(steps))
        for step, following in pairwise(steps):
            model.cp.add_implication(following, step)
        return steps

    def _step_hints(self) -> list[tuple[Var, int]]:
        lessons = self.found.table.lessons_of
        return [
            (step, int(k < lessons[t]))
            for t, steps in self._steps.items()
            for k, step in enumerate(steps)
        ]

    def _zones(self) -> tuple[tuple[int, ...], bool]:
        return ZoneLevel(self).improve()

    # --- one call of the solver

    def allowance(self, phase: str) -> Callable[[], Left]:
        """What the level may still spend, from now on."""
        first = self.left()
        reserve = 1 - SHARES[phase]

        def left() -> Left:
            now = self.left()
            return Left(
                _all_but(reserve, first.seconds, now.seconds),
                _all_but(reserve, first.iterations, now.iterations),
            )

        return left

    def solve(
        self,
        phase: str,
        value: int,
        limits: Left,
        hints: Callable[[], list[tuple[Var, int]]] = list,
        least: bool = False,
        adopt: bool = True,
        most: int | None = None,
        report: Report | None = None,
    ) -> Solved:
        """Solve the model as it stands; a solution as good becomes, if asked, the one found.

        `most` is what the figure can't exceed anyhow; bounds are reported no higher.
        """
        self.model.hint(self.found.table)
        for var, hint in hints():
            self.model.cp.add_hint(var, hint)
        solver = _solver(limits, self.seed)
        watch = _Watch(phase, value, min if least else max, most, report or self.report)
        watch.begin()
        solver.best_bound_callback = watch.on_bound
        with _interrupted(solver, lambda: self.left().nothing):
            status = solver.solve(self.model.cp, watch)
        self.used += solver.response_proto.deterministic_time * ITERATIONS_A_SECOND
        if status in (cp_model.MODEL_INVALID, cp_model.INFEASIBLE):
            raise RuntimeError(f"the model of a timetable at hand is {solver.status_name(status)}")
        if status == cp_model.UNKNOWN:
            return Solved(False, None, value)
        objective = round(solver.objective_value)
        if (objective <= value) if least else (objective >= value):
            value = objective
            if adopt:
                self.found.table = self.model.timetable(list(solver.response_proto.solution))
        bound = solver.best_objective_bound
        whole = math.ceil(bound - EPSILON) if least else math.floor(bound + EPSILON)
        return Solved(status == cp_model.OPTIMAL, whole, value)


@dataclass(frozen=True, slots=True)
class Solved:
    proved: bool
    bound: int | None
    value: int

    def bound_or(self, trivial: int) -> int:
        return trivial if self.bound is None else self.bound


class ZoneLevel:
    """Leximin over the zones' shares: the least share as high as can be, and so on.

    `settled` holds the ascending shares proved so far, `stuck` the zones known to have one of
    them in every plan that is still allowed. The other zones are free; as many of them as
    there are further settled shares (`_loose`) may stay behind, whichever they are.
    """

    def __init__(self, levels: Levels) -> None:
        self.levels = levels
        self.cp = levels.model.cp
        self.allowed = levels.allowance("zones")
        rules = levels.rules
        self.asked = asked_by_zone(rules)
        served: dict[str, list[Linear]] = {zone: [] for zone in self.asked}
        for r, is_served in levels.model.served.items():
            served[zone_of(rules, r)].append(rules.requests[r].weight * is_served)
        self.served: dict[str, Linear] = {zone: sum(terms) for zone, terms in served.items()}
        self.most = dict.fromkeys(self.asked, 0)
        for r in levels.model.served:
            self.most[zone_of(rules, r)] += rules.requests[r].weight
        self.settled: list[int] = []
        self.stuck: set[str] = set()
        self._reached: dict[tuple[str, int], Var] = {}

    def improve(self) -> tuple[tuple[int, ...], bool]:
        """The bound of the shares, and whether they reach it; kept from here on either way."""
        while self._unsettled:
            raised = self._raise_least()
            share = raised.value
            if not raised.proved:
                first = min(FULL, raised.bound_or(FULL))
                return self._give_up([first] + [FULL] * (self._unsettled - 1))
            self._hold(share, self._unsettled)
            if share >= FULL:
                self.settled += [FULL] * self._unsettled
                break
            most = self._most_above(share)
            if not most.proved:
                above = min(self._unsettled, most.bound_or(self._unsettled))
                return self._give_up([share] * (self._unsettled - above) + [FULL] * above)
            self._hold(share + 1, most.value)
            self.settled += [share] * (self._unsettled - most.value)
        return tuple(self.settled), True

    @property
    def _unsettled(self) -> int:
        return len(self.asked) - len(self.settled)

    @property
    def _loose(self) -> int:
        return len(self.settled) - len(self.stuck)

    @property
    def _free(self) -> list[str]:
        return [zone for zone in self.asked if zone not in self.stuck]

    def _raise_least(self) -> Solved:
        """The highest share that all zones but the settled ones can reach together."""
        now = self._shares()
        least = sorted(now.values())[len(self.settled)]
        share = self.cp.new_int_var(least, FULL, "")
        own: list[tuple[Var, int]] = [(share, least)]
        counted = []
        for zone in self._free:
            counts = self.cp.new_bool_var("")
            reaches = self.cp.add(FULL * self.served[zone] >= self.asked[zone] * share)
            if self._loose:
                reaches.only_enforce_if(counts)
            counted.append(counts)
            own.append((counts, int(now[zone] >= least)))
        self.cp.add(sum(counted) >= self._unsettled)
        self.cp.maximize(share)
        return self._solve(least, own, report=self.levels.report)

    def _most_above(self, share: int) -> Solved:
        """How many zones can get beyond the share that all unsettled ones reach.

        Most often each zone that stays at it can't do otherwise, which is quick to prove one
        by one and leaves nothing to count.
        """
        if not self._loose:
            behind = [zone for zone in self._free if self._shares()[zone] == share]
            stuck = {zone for zone in behind if self._is_stuck(zone, share)}
            self.stuck |= stuck
            if len(stuck) == len(behind):
                return Solved(True, None, len(self._free))
        reached = [self._reach(zone, share + 1) for zone in self._free]
        self.cp.maximize(sum(reached))
        above = sum(now > share for zone, now in self._shares().items() if zone in self._free)
        return self._solve(above, [])

    def _is_stuck(self, zone: str, share: int) -> bool:
        """Whether the zone is proved unable to get beyond the share."""
        if FULL * self.most[zone] // self.asked[zone] <= share:
            return True
        beyond = self._reach(zone, share + 1)
        self.cp.maximize(beyond)
        solved = self._solve(int(self._shares()[zone] > share), [], adopt=False)
        return solved.proved and not solved.value

    def _solve(
        self,
        value: int,
        own: list[tuple[Var, int]],
        adopt: bool = True,
        report: Report = _unheard,
    ) -> Solved:
        def hints() -> list[tuple[Var, int]]:
            return own + self._hints()

        left = self.allowed()
        return self.levels.solve("zones", value, left, hints, adopt=adopt, most=FULL, report=report)

    def _shares(self) -> dict[str, int]:
        return {zone.zone: share_of(zone) for zone in worth(self.levels.found.table).zones}

    def _hints(self) -> list[tuple[Var, int]]:
        shares = self._shares()
        return [(var, int(shares[zone] >= share)) for (zone, share), var in self._reached.items()]

    def _reach(self, zone: str, share: int) -> Var:
        """A boolean that may be true only if the zone's share is at least this."""
        if (zone, share) not in self._reached:
            var = self.cp.new_bool_var("")
            needed = -(-share * self.asked[zone] // FULL)
            self.cp.add(self.served[zone] >= needed * var)
            self._reached[zone, share] = var
        return self._reached[zone, share]

    def _hold(self, share: int, zones: int) -> None:
        """From here on at least so many of the free zones reach the share."""
        self.cp.add(sum(self._reach(zone, share) for zone in self._free) >= zones)

    def _give_up(self, rest: list[int]) -> tuple[tuple[int, ...], bool]:
        """Keep what each zone has, and tell what is not ruled out for those unsettled."""
        for zone in worth(self.levels.found.table).zones:
            self.cp.add(self.served[zone.zone] >= zone.served)
        return tuple(self.settled + rest), False


def _all_but(reserve: float, first: float, now: float) -> float:
    """Of what was left at first, a part stays reserved; the rest may be spent."""
    return now if math.isinf(first) or math.isinf(now) else max(0.0, now - reserve * first)


def _solver(limits: Left, seed: int) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.catch_sigint_signal = False
    if not math.isinf(limits.seconds):
        solver.parameters.max_time_in_seconds = max(0.0, limits.seconds)
    if not math.isinf(limits.iterations):
        solver.parameters.max_deterministic_time = limits.iterations / ITERATIONS_A_SECOND
    return solver


class _Watch(cp_model.CpSolverSolutionCallback):
    """Reports every better figure and every better bound."""

    def __init__(
        self,
        phase: str,
        value: int,
        better: Callable[[int, int], int],
        most: int | None,
        report: Report,
    ) -> None:
        super().__init__()
        self._better = better
        self._most = most
        self._phase = phase
        self._report = report
        self._best = value
        self._bound: int | None = None

    def begin(self) -> None:
        self._report(self._phase, self._best, self._bound)

    def on_solution_callback(self) -> None:
        self._best = self._better(self._best, round(self.objective_value))
        self._report(self._phase, self._best, self._bound)

    def on_bound(self, bound: float) -> None:
        if math.isfinite(bound):
            self._bound = round(bound) if self._most is None else min(round(bound), self._most)
            self._report(self._phase, self._best, self._bound)


@contextmanager
def _interrupted(solver: cp_model.CpSolver, over: Callable[[], bool]) -> Iterator[None]:
    """Ends the search as soon as nothing is left: the solver reads only its own clock."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            if over():
                solver.stop_search()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
