"""The local search, on problems of every shape, however small."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matching
from matching import compiled
from matching.account import account, levels_of
from matching.advice import advise
from matching.arrays import Arrays
from matching.found import Found
from matching.local_search import LocalSearch
from matching.objective import Worth, worth
from matching.pins import take_pins
from matching.plan import Plan
from matching.reasons import why_unserved
from matching.rules import Rules
from matching.search import fill
from matching.seating import seats_of, timetable_of
from matching.stop import MaxIterations
from matching.timetable import Timetable
from tests.matching.conftest import document, household, request_of, tutor
from tests.support.crowded_problems import crowded_problems

K1_MIXED = Path("benchmarks/instances/k1-mixed.json.gz")


def searched(problem: matching.Problem, iterations: int, levels: int = 4) -> tuple[Plan, Worth]:
    table = Timetable(Rules(problem))
    impossible = take_pins(table)
    fill(table)
    search = LocalSearch(
        table, MaxIterations(iterations), 0, lambda phase, best, bound: None, lambda used: None
    )
    table = search.climb(levels).table
    fill(table)
    value = worth(table)
    accounts = levels_of(table, value, Found(table).bounds, Found(table).proved)
    plan = account(table, value, accounts, impossible, why_unserved(table), advise(table), None, 0)
    return plan, value


@settings(deadline=None)
@given(crowded_problems(), st.integers(0, 12))
def test_plans_found_keep_every_rule(document: dict[str, Any], iterations: int) -> None:
    problem = matching.read_problem(document)
    plan, _ = searched(problem, iterations)
    assert matching.check(problem, plan) == []


def test_tags_are_told_apart_whatever_is_in_their_names() -> None:
    teacher = tutor(tags=["patient", "woman"])
    asking = request_of(needs=["patient\nwoman"])
    plan, _ = searched(matching.read_problem(document([teacher], [household()], [asking])), 5)
    assert plan.groups == ()


@settings(deadline=None)
@given(crowded_problems())
def test_levels_below_never_cost_those_above(document: dict[str, Any]) -> None:
    problem = matching.read_problem(document)
    reached = [searched(problem, 10, levels)[1] for levels in (1, 2, 3, 4)]
    for fewer, more in itertools.pairwise(reached):
        assert more.weight >= fewer.weight
    assert _ordered(reached[3], 2) >= _ordered(reached[1], 2)
    assert _ordered(reached[3], 3) >= _ordered(reached[2], 3)


def _ordered(value: Worth, levels: int) -> tuple[Any, ...]:
    return (value.weight, value.shares, value.kept, -value.cost)[:levels]


@settings(deadline=None)
@given(crowded_problems(), st.integers(1, 2**31))
def test_trial_undone_leaves_no_trace(document: dict[str, Any], seed: int) -> None:
    rules = Rules(matching.read_problem(document))
    table = Timetable(rules)
    take_pins(table)
    fill(table)
    arrays = Arrays(rules)
    seats = seats_of(arrays, table, seed)
    before = _standing(arrays, seats, table)
    never = np.array([-(2**40)], dtype=np.int64)  # a trial would have to gain more than all
    compiled.improve(arrays.given, seats, 20, never)
    assert _standing(arrays, seats, table) == before


def _standing(arrays: Arrays, seats: compiled.Seats, table: Timetable) -> Any:
    """All that a trial changes, but for the order within lists."""
    groups = [
        (group.tutor, group.key, group.starts, sorted(group.members))
        for group in timetable_of(arrays, seats, table).groups()
    ]
    waiting = seats.waiting[: seats.counts[compiled.WAITING]]
    return (
        sorted(groups, key=repr),
        sorted(waiting.tolist()),
        seats.demand.tolist(),
        seats.busy.tolist(),
        seats.gives[:, compiled.LESSONS_LEFT].tolist(),
        seats.zone_served.tolist(),
        seats.value[: compiled.SPENT].tolist(),
        int(seats.counts[compiled.FREE_GROUPS]),
    )


@settings(deadline=None)
@given(crowded_problems(), st.integers(1, 2**31))
def test_figures_kept_along_the_way_are_those_of_the_timetable(
    document: dict[str, Any], seed: int
) -> None:
    rules = Rules(matching.read_problem(document))
    table = Timetable(rules)
    take_pins(table)
    fill(table)
    arrays = Arrays(rules)
    seats = seats_of(arrays, table, seed)
    compiled.keep_account_of_costs(arrays.given, seats)
    started = int(seats.value[compiled.SPENT]) - worth(timetable_of(arrays, seats, table)).cost
    everybody = np.flatnonzero(seats.sits[:, compiled.PINNED] == 0)
    if len(everybody):
        compiled.refine(arrays.given, seats, 30, compiled.COSTS, everybody)
    value = worth(timetable_of(arrays, seats, table))
    assert seats.value[compiled.SERVED] == value.weight
    assert seats.value[compiled.KEPT] == value.kept
    assert seats.value[compiled.SPENT] - value.cost == started
    assert sorted(seats.zone_served.tolist()) == sorted(zone.served for zone in value.zones)


@pytest.fixture(scope="module")
def mixed() -> matching.Problem:
    return matching.read_problem(K1_MIXED)


def test_each_level_improves_what_the_one_before_left(mixed: matching.Problem) -> None:
    weight, zones, kept, cost = (searched(mixed, 300, levels)[1] for levels in (1, 2, 3, 4))
    assert zones.weight >= weight.weight
    assert (zones.weight, zones.shares) > (weight.weight, weight.shares)
    assert (kept.weight, kept.shares, kept.kept) > (zones.weight, zones.shares, zones.kept)
    assert _ordered(cost, 4) > _ordered(kept, 4)


def test_search_serves_more_than_the_greedy_by_a_twentieth(mixed: matching.Problem) -> None:
    greedy = matching.solve(mixed, stop=matching.MaxIterations(0))
    plan, _ = searched(mixed, 200)
    assert matching.check(mixed, plan) == []
    assert plan.objective.weight_served >= 1.05 * greedy.objective.weight_served


def test_search_goes_on_while_it_serves_more(mixed: matching.Problem) -> None:
    asked = Asked(matching.NoImprovement(10))
    matching.solve(mixed, stop=asked, levels=1)
    gains = [b for (_, a), (b, w) in itertools.pairwise(asked.reached) if w > a]
    assert len(gains) > 20
    assert gains[-1] > 50


class Asked:
    """A stop, and how the best weight rose with the iterations."""

    def __init__(self, stop: matching.Stop) -> None:
        self.stop = stop
        self.reached = [(0.0, 0)]

    def left(
        self, iterations: float, weight: int | None = None, bound: int | None = None
    ) -> matching.Left:
        if weight is not None and weight > self.reached[-1][1]:
            self.reached.append((iterations, weight))
        return self.stop.left(iterations, weight, bound)


def test_gap_ends_the_search_also_without_a_clock(mixed: matching.Problem) -> None:
    phases = []
    plan = matching.solve(
        mixed,
        stop=matching.FirstOf(matching.Gap(0.2), matching.MaxIterations(200)),
        progress=lambda phase, best, bound: phases.append(phase),
    )
    assert plan.bound - plan.objective.weight_served <= 0.2 * plan.bound
    assert "weight_served" in phases
    assert "zones" not in phases


def test_same_seed_and_iterations_give_the_same_bytes(mixed: matching.Problem) -> None:
    plans = [
        matching.plan_to_json(matching.solve(mixed, stop=matching.MaxIterations(60), seed=seed))
        for seed in (3, 3, 4)
    ]
    assert plans[0] == plans[1]
    assert plans[0]["groups"] != plans[2]["groups"]
