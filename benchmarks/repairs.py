"""How long a repair takes beyond reading: a tutor leaves, a pupil arrives, a window changes.

    python -m benchmarks.repairs PROBLEM.json PLAN.json

The plan must be one of the problem. A repair with nothing changed comes first: it may compile.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import matching
from matching.plan import Plan
from matching.problem import Problem, Window

LIMIT = 10
GOAL_SECONDS = 1.0


def without_a_tutor(problem: Problem, plan: Plan) -> Problem:
    """The tutor with the most pupils leaves."""
    pupils: dict[str, int] = {}
    for group in plan.groups:
        pupils[group.tutor] = pupils.get(group.tutor, 0) + len(group.requests)
    leaving = max(pupils, key=lambda tutor: pupils[tutor])
    return replace(
        problem,
        tutors=tuple(tutor for tutor in problem.tutors if tutor.id != leaving),
        requests=tuple(
            replace(r, previous_tutor=None) if r.previous_tutor == leaving else r
            for r in problem.requests
        ),
        pins=tuple(pin for pin in problem.pins if pin.tutor != leaving),
        vetoes=tuple(veto for veto in problem.vetoes if veto.tutor != leaving),
    )


def with_a_pupil(problem: Problem, plan: Plan) -> Problem:
    """A sibling arrives in a served household, and asks the same."""
    asked = {request.id: request for request in problem.requests}
    elder = asked[plan.groups[0].requests[0]]
    newcomer = replace(elder, id="newcomer", pupil="newcomer", previous_tutor=None)
    return replace(problem, requests=(*problem.requests, newcomer))


def with_a_window_changed(problem: Problem, plan: Plan) -> Problem:
    """A served household can be reached an hour later than it said."""
    served = {name for group in plan.groups for name in group.requests if None not in group.starts}
    home = next(request.household for request in problem.requests if request.id in served)
    return replace(
        problem,
        households=tuple(
            replace(household, reachable=tuple(_later(w) for w in household.reachable or ()))
            if household.id == home
            else household
            for household in problem.households
        ),
    )


def _later(window: Window) -> Window:
    """An hour later, within the same day."""
    end_of_day = (window.start // 1440 + 1) * 1440
    late = min(60, end_of_day - window.end)
    return Window(window.start + late, window.end + late)


CHANGES: dict[str, Callable[[Problem, Plan], Problem]] = {
    "tutor leaves": without_a_tutor,
    "pupil arrives": with_a_pupil,
    "window changes": with_a_window_changed,
}


def timed(problem: Problem, plan: Plan) -> tuple[float, Plan]:
    """Seconds of one repair, and the new plan."""
    began = time.monotonic()
    repaired = matching.repair(problem, plan, limit=LIMIT)
    return time.monotonic() - began, repaired


def main(arguments: Sequence[str]) -> int:
    """Print a line for each change; 1 if a repaired plan breaks a rule."""
    problem = matching.read_problem(Path(arguments[0]))
    plan = matching.read_plan(Path(arguments[1]))
    wrong = False
    timed(problem, plan)
    for what, change in CHANGES.items():
        changed = change(problem, plan)
        seconds, repaired = timed(changed, plan)
        violations = matching.check(changed, repaired)
        wrong = wrong or bool(violations)
        verdict = violations[0] if violations else "met" if seconds < GOAL_SECONDS else "missed"
        gained = repaired.objective.weight_served - plan.objective.weight_served
        print(f"  repair, {what}: {seconds:.2f} s, weight {gained:+}: {verdict}", flush=True)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
