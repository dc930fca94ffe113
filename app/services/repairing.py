"""What a repair is given: the places in force as a plan, and the problem with them free to change.

A run stores its problem with every place in force pinned, so that it can be published only onto
what it knew. A repair takes the pins away, and the solver keeps the places by itself, but for so
many as may change. Pins stay on places without a time, which are the families' own agreement, and
on those that would break a rule of today, such as hours that changed since: nothing but their pin
allows them. They come back on whoever would lose a place for others, since a repair moves people
and puts nobody out. What a coordinator wants kept is pinned in a repair as in any run.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import matching
from app.models import Group, ProposedGroup
from app.services.pins import pins_in_force, wished_pins

Place = tuple[str, tuple[tuple[str, str], ...], str, str]
"""What makes a place the same to a family: whom with, when and how."""


def solvable(
    problem: dict[str, Any], staying: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The problem and the plan for `python -m matching repair`, from a run's stored problem.

    The requests in `staying` keep their places, besides those that can't do otherwise.
    """
    plan = plan_in_force(problem)
    held = {pin["request"] for pin in pins_in_force(problem) if "starts" not in pin} | {*staying}
    held |= {pin["request"] for pin in wished_pins(problem)}
    while True:
        pins = [pin for pin in problem["pins"] if pin["request"] in held]
        freed = problem | {"pins": pins}
        old = matching.read_plan(plan)
        fallen = set(matching.changes(matching.read_problem(freed), old, old).fallen)
        if fallen <= held:
            return freed, plan
        held |= fallen


def plan_in_force(problem: dict[str, Any]) -> dict[str, Any]:
    """The groups in force as a plan; its figures are left at nothing, since nobody reads them."""
    wanted = {row["id"]: row for row in problem["requests"]}
    groups: dict[str, dict[str, Any]] = {}
    for pin in pins_in_force(problem):
        request = wanted[pin["request"]]
        group = groups.setdefault(
            pin["group"],
            {
                "id": pin["group"],
                "tutor": pin["tutor"],
                "subject": request["subject"],
                "level": request["level"],
                "channel": pin["channel"],
                "language": pin["language"],
                "starts": pin.get("starts", [None] * request["lessons_per_week"]),
                "requests": [],
            },
        )
        group["requests"].append(pin["request"])
    return {
        "format": "n9raw-plan/1",
        "status": "feasible",
        "levels": [
            {"name": "weight_served", "value": 0, "bound": 0, "proved": False},
            {"name": "zones", "value": [], "bound": [], "proved": False},
            {"name": "kept", "value": 0, "bound": 0, "proved": False},
            {"name": "cost", "value": 0, "bound": 0, "proved": False},
        ],
        "bound": {"weight_served": 0},
        "objective": {
            "weight_served": 0,
            "requests_served": 0,
            "min_zone_share": None,
            "kept": 0,
            "cost": 0,
        },
        "zones": [],
        "seconds": None,
        "seed": 0,
        "groups": list(groups.values()),
        "unserved": [],
        "impossible_pins": [],
        "advice": [],
    }


def put_out(problem: dict[str, Any], plan: dict[str, Any]) -> set[str]:
    """The requests that have a place in force, and none in a plan that was found."""
    served = {name for group in plan["groups"] for name in group["requests"]}
    return {pin["request"] for pin in pins_in_force(problem)} - served


def places_in_force(problem: dict[str, Any]) -> dict[str, Place]:
    """Where each request sat when the run was asked for; those without a time are left out."""
    return {
        pin["request"]: _place(pin["tutor"], pin["starts"], pin["channel"], pin["language"])
        for pin in pins_in_force(problem)
        if "starts" in pin
    }


def place_of_group(group: Group | ProposedGroup) -> Place | None:
    """The place that a group's members have; None for a group without times."""
    if not all(group.starts):
        return None
    return _place(f"T{group.tutor_id}", group.starts, group.channel, group.language)


def _place(tutor: str, starts: list[Any], channel: str, language: str) -> Place:
    return tutor, tuple(sorted((day, time) for day, time in starts)), channel, language
