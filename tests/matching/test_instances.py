"""Instances whose optimum is known: the weight must be found and proved, not just approached."""

from __future__ import annotations

from pathlib import Path

import pytest

import matching
from benchmarks.known import KNOWN

INSTANCES = Path("benchmarks/instances")
PILOTS = [name for name, known in KNOWN.items() if known.is_optimum and name != "lernfair"]
QUICK = ["khouribga", "pilot-2", "pilot-5", "pilot-10"]


def prove(name: str) -> None:
    problem = matching.read_problem(INSTANCES / f"{name}.json.gz")
    stop = matching.FirstOf(matching.Proved(), matching.MaxIterations(10_000))
    plan = matching.solve(problem, stop=stop)
    assert matching.check(problem, plan) == []
    assert sum(request.weight for request in problem.requests) == KNOWN[name].asked
    assert plan.levels[0].proved
    assert (plan.objective.weight_served, plan.bound) == (KNOWN[name].served,) * 2


@pytest.mark.parametrize("name", QUICK)
def test_optimum_is_proved(name: str) -> None:
    prove(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PILOTS if name not in QUICK])
def test_optimum_of_every_pilot_is_proved(name: str) -> None:
    prove(name)


@pytest.mark.parametrize(("name", "gap"), [("lernfair", 0), ("k1", 0.06), ("k1-mixed", 0.12)])
def test_large_problem_ends_with_a_plan_near_its_bound(name: str, gap: float) -> None:
    problem = matching.read_problem(INSTANCES / f"{name}.json.gz")
    plan = matching.solve(problem, stop=matching.MaxIterations(150))
    assert matching.check(problem, plan) == []
    weight = plan.objective.weight_served
    assert weight <= plan.bound <= sum(request.weight for request in problem.requests)
    assert plan.bound - weight <= gap * plan.bound
