"""How long a repair takes beyond reading: a tutor leaves, a pupil arrives, a window changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import matching
from matching import Violation
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


def measure(problem: Problem, plan: Plan) -> Iterator[tuple[str, Violation | None]]:
    """A line for each change, and the first rule that the repaired plan breaks, if any.

    A repair with nothing changed comes first: it may compile.
    """
    matching.repair(problem, plan, limit=LIMIT)
    for what, change in CHANGES.items():
        changed = change(problem, plan)
        began = time.monotonic()
        repaired = matching.repair(changed, plan, limit=LIMIT)
        seconds = time.monotonic() - began
        gained = repaired.objective.weight_served - plan.objective.weight_served
        verdict = "met" if seconds < GOAL_SECONDS else f"missed, {GOAL_SECONDS:g} s wanted"
        line = f"  repair, {what}: {seconds:.2f} s (weight {gained:+}): {verdict}"
        yield line, next(iter(matching.check(changed, repaired)), None)
