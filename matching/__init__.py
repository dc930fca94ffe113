"""Who teaches whom, and when in the week.

    import matching

    problem = matching.read_problem("problem.json")
    plan = matching.solve(problem, stop=matching.MaxRuntime(10))
    assert not matching.check(problem, plan)

Loading this package is light; `solve` and `repair` load the solver when they are called.
"""

from __future__ import annotations

from collections.abc import Callable

from matching.changes import Changes, changes
from matching.check import Violation, check
from matching.io import (
    FormatError,
    PlanError,
    ProblemError,
    plan_to_json,
    problem_to_json,
    read_plan,
    read_problem,
)
from matching.plan import Plan, WindowMove
from matching.problem import Problem
from matching.stop import (
    Cancelled,
    FirstOf,
    Gap,
    Left,
    MaxIterations,
    MaxRuntime,
    NoImprovement,
    Proved,
    Stop,
)

__all__ = [
    "Cancelled",
    "Changes",
    "FirstOf",
    "FormatError",
    "Gap",
    "Left",
    "MaxIterations",
    "MaxRuntime",
    "NoImprovement",
    "Plan",
    "PlanError",
    "Problem",
    "ProblemError",
    "Proved",
    "Stop",
    "Violation",
    "WindowMove",
    "changes",
    "check",
    "helpful_windows",
    "plan_to_json",
    "problem_to_json",
    "read_plan",
    "read_problem",
    "repair",
    "solve",
]

Progress = Callable[[str, int | None, int | None], None]


def solve(
    problem: Problem,
    *,
    stop: Stop,
    seed: int = 0,
    progress: Progress | None = None,
    levels: int = 4,
) -> Plan:
    """The best plan found before `stop` says so, or sooner if all four levels are proved.

    Of the levels the first so many are improved, the others left as they come.

    `progress` is called with the phase, the best figure so far and its bound; from any thread.
    The same problem, seed and MaxIterations give the same plan, whatever the machine.
    """
    from matching import solver

    return solver.solve(problem, stop, seed, progress or (lambda phase, best, bound: None), levels)


def repair(
    problem: Problem,
    plan: Plan,
    *,
    limit: int,
    stop: Stop | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Plan:
    """A plan for a problem that has changed since `plan` was made, changing few of its pairs.

    Of the pairs that still stand at most `limit` are changed (see `changes`) to serve the most
    weight. Without a `stop` it takes about a second at 10,000 pupils, and at most five where the
    best is found by proof. Bounds are those of any plan; the plan carries no advice. ValueError
    if the limit is negative.
    """
    from matching import repairer

    return repairer.repair(
        problem, plan, limit, stop, seed, progress or (lambda phase, best, bound: None)
    )


def helpful_windows(problem: Problem, plan: Plan, limit: int = 10) -> list[WindowMove]:
    """The windows of households that would serve them if they lay an hour later or earlier.

    Best first, one for a household at most. Each adds the weight that is really gained by
    inserting the household's unserved requests while nobody moves, and breaks none of its
    lessons; lines are independent of each other.
    """
    from matching import windows

    return windows.helpful_windows(problem, plan, limit)
