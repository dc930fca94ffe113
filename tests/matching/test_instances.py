"""Instances whose optimum is known: the weight must be found and proved, not just approached."""

from __future__ import annotations

from pathlib import Path

import pytest

import matching
from benchmarks.known import OPTIMA
from matching.stop import Left

INSTANCES = Path("benchmarks/instances")
QUICK = ["khouribga", "pilot-2", "pilot-5", "pilot-10"]


class OnceProved:
    """Stops as soon as the search leaves the first level."""

    def __init__(self) -> None:
        self.left_first_level = False

    def watch(self, phase: str, best: int | None, bound: int | None) -> None:
        self.left_first_level |= phase == "zones"

    def left(self, iterations: float) -> Left:
        return Left(iterations=0 if self.left_first_level else 10_000 - iterations)


def prove(name: str) -> None:
    problem = matching.read_problem(INSTANCES / f"{name}.json.gz")
    stop = OnceProved()
    plan = matching.solve(problem, stop=stop, progress=stop.watch)
    assert matching.check(problem, plan) == []
    assert sum(request.weight for request in problem.requests) == OPTIMA[name].asked
    assert plan.levels[0].proved
    assert (plan.objective.weight_served, plan.bound) == (OPTIMA[name].served,) * 2


@pytest.mark.parametrize("name", QUICK)
def test_optimum_is_proved(name: str) -> None:
    prove(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OPTIMA if name not in QUICK])
def test_optimum_of_every_pilot_is_proved(name: str) -> None:
    prove(name)


@pytest.mark.parametrize("name", ["lernfair", "k1", "k1-mixed"])
def test_large_problem_ends_with_a_good_plan(name: str) -> None:
    problem = matching.read_problem(INSTANCES / f"{name}.json.gz")
    plan = matching.solve(problem, stop=matching.MaxRuntime(5))
    assert matching.check(problem, plan) == []
    assert plan.objective.weight_served <= plan.bound
