"""The checker: a good plan passes, and a plan broken in any one rule is caught for that rule."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import matching

Document = dict[str, Any]
MON, TUE = ["mon", "18:00"], ["tue", "18:00"]


@pytest.fixture
def problem(make: Any) -> Document:
    """Two tutors, five homes; what each test breaks is there to be broken."""
    week = [["mon", "18:00", "20:00"], ["tue", "18:00", "20:00"]]
    homes = [make.household(f"H{i}", reachable=week) for i in range(1, 5)]
    homes.append(make.household("H5", reachable=None, zone="Braksa"))
    homes.append(make.household("H6", languages=["fr"]))
    homes.append(make.household("H7", channels=["whatsapp"], reachable=[["mon", "18:00", "19:00"]]))
    return make.document(
        [
            make.tutor("V1", available=week, tags=["woman"], max_lessons_per_week=3),
            make.tutor("V2", available=week, teaches=[{"subject": "svt", "levels": ["1AC"]}]),
        ],
        homes,
        [
            make.request("R1", "H1", needs=["woman"], previous_tutor="V1"),
            make.request("R2", "H2"),
            make.request("R3", "H3", subject="svt"),
            make.request("R4", "H4", subject="svt", lessons_per_week=2),
            make.request("R5", "H5"),
            make.request("R6", "H6"),
            make.request("R7", "H7", weight=2, preferred=[]),
            make.request("R8", "H1", subject="svt", pupil="PR1"),
            make.request("R9", "H7", needs=["doctor"]),
        ],
        vetoes=[{"request": "R2", "tutor": "V2"}],
        pins=[
            {"request": "R1", "tutor": "V1", "starts": [MON], "group": "A"},
            {"request": "R2", "tutor": "V1", "group": "A"},
            {"request": "R6", "tutor": "V1", "starts": [["mon", "18:30"]]},
        ],
    )


def group(name: str, tutor: str, requests: list[str], *starts: Any, **changes: Any) -> Document:
    return {
        "id": name,
        "tutor": tutor,
        "subject": "maths",
        "level": "1AC",
        "channel": "whatsapp",
        "language": "darija",
        "starts": list(starts),
        "requests": requests,
        **changes,
    }


@pytest.fixture
def plan() -> Document:
    svt = {"subject": "svt"}
    return {
        "format": "n9raw-plan/1",
        "status": "feasible",
        "levels": [
            {"name": "weight_served", "value": 6, "bound": 9, "proved": False},
            {"name": "zones", "value": [555, 1000], "bound": [1000, 1000], "proved": False},
            {"name": "kept", "value": 1, "bound": 1, "proved": False},
            {"name": "cost", "value": 26, "bound": 0, "proved": False},
        ],
        "bound": {"weight_served": 9},
        "objective": {
            "weight_served": 6,
            "requests_served": 6,
            "min_zone_share": 555,
            "kept": 1,
            "cost": 26,
        },
        "zones": [["Braksa", 1, 1], ["Lagfaf", 5, 9]],
        "seconds": 0.5,
        "seed": 0,
        "groups": [
            group("A", "V1", ["R1", "R2"], MON),
            group("G1", "V1", ["R5"], None),
            group("G2", "V2", ["R3"], MON, **svt),
            group("G3", "V2", ["R4"], ["mon", "19:00"], TUE, **svt),
            group("G4", "V2", ["R8"], ["tue", "19:00"], **svt),
        ],
        "unserved": [
            {"request": "R6", "reason": "no_common_language", "detail": {}},
            {
                "request": "R7",
                "reason": "taken",
                "detail": {
                    "held_by": ["R1", "R2"],
                    "exchange": {"out": ["R1"], "weight": 1},
                },
            },
            {"request": "R9", "reason": "needs_unmet", "detail": {}},
        ],
        "impossible_pins": [{"request": "R6", "tutor": "V1", "why": "tutor_busy", "with": ["R1"]}],
        "advice": [
            {
                "subject": "maths",
                "levels": ["1AC"],
                "channel": "whatsapp",
                "language": "darija",
                "available": [["mon", "18:00", "19:00"]],
                "adds": 2,
                "requests": ["R7"],
            }
        ],
    }


def violations(problem: Document, plan: Document) -> list[matching.Violation]:
    return matching.check(matching.read_problem(problem), matching.read_plan(plan))


def rules(problem: Document, plan: Document) -> set[str]:
    return {violation.rule for violation in violations(problem, plan)}


def recount(plan: Document, served: int, requests: int, cost: int, zones: list[Any]) -> None:
    shares = sorted(1000 * zone[1] // zone[2] for zone in zones)
    for level, value in zip(plan["levels"], (served, shares, 1, cost), strict=True):
        level["value"] = value
    plan["zones"] = zones
    plan["objective"].update(
        weight_served=served, requests_served=requests, min_zone_share=shares[0], cost=cost
    )


Break = Callable[[Document, Document], None]


def set_in(*path: Any) -> Break:
    """Put the last item at the path before it, in the plan."""

    def apply(problem: Document, plan: Document) -> None:
        place: Any = plan
        for step in path[:-2]:
            place = place[step]
        place[path[-2]] = path[-1]

    return apply


def in_problem(*path: Any) -> Break:
    return lambda problem, plan: set_in(*path)(plan, problem)


BROKEN: list[tuple[str, Break]] = [
    ("unknown", set_in("groups", 0, "tutor", "V9")),
    ("unknown", set_in("groups", 0, "channel", "fax")),
    ("unknown", set_in("groups", 0, "requests", ["R1", "R99"])),
    ("unknown", set_in("unserved", 1, "detail", "held_by", ["R99"])),
    ("unknown", set_in("impossible_pins", 0, "with", ["R99"])),
    ("unknown", set_in("advice", 0, "requests", ["R99"])),
    ("twice", set_in("groups", 1, "id", "A")),
    ("twice", set_in("groups", 1, "requests", ["R5", "R1"])),
    ("twice", set_in("unserved", 0, "request", "R7")),
    ("unserved", lambda problem, plan: plan["unserved"].pop()),
    ("empty_group", lambda _, plan: plan["groups"].append(group("G9", "V1", [], MON))),
    ("max_group", in_problem("channels", "whatsapp", "max_group", 1)),
    ("starts", set_in("groups", 3, "starts", [["mon", "19:00"], None])),
    ("distinct_days", set_in("groups", 3, "starts", [["tue", "18:00"], ["tue", "19:00"]])),
    ("members_differ", set_in("groups", 2, "level", "2AC")),
    ("teaches", set_in("groups", 1, "tutor", "V2")),
    ("lessons_per_week", set_in("groups", 3, "starts", [TUE])),
    ("vetoed", in_problem("vetoes", 0, {"request": "R3", "tutor": "V2"})),
    ("needs", in_problem("requests", 2, "needs", ["woman"])),
    ("channel", in_problem("tutors", 1, "channels", ["call"])),
    ("channel", in_problem("households", 2, "channels", ["call"])),
    ("language", in_problem("tutors", 1, "languages", ["fr"])),
    ("language", in_problem("households", 2, "languages", ["fr"])),
    ("times_to_be_agreed", set_in("groups", 1, "starts", [["tue", "18:00"]])),
    ("times_to_be_agreed", set_in("groups", 2, "starts", [None])),
    ("grid", set_in("groups", 4, "starts", [["tue", "19:10"]])),
    ("tutor_window", in_problem("tutors", 1, "available", [["mon", "18:00", "20:00"]])),
    ("household_window", in_problem("households", 2, "reachable", [["tue", "18:00", "20:00"]])),
    ("max_lessons_per_week", in_problem("tutors", 1, "max_lessons_per_week", 3)),
    ("tutor_busy", set_in("groups", 4, "starts", [["tue", "18:30"]])),
    ("phones", in_problem("requests", 2, "household", "H1")),
    ("pupil_busy", in_problem("requests", 2, "pupil", "PR1")),
    ("pin", set_in("groups", 0, "starts", [["mon", "19:00"]])),
    ("pin", lambda problem, plan: problem["pins"].append({"request": "R3", "tutor": "V1"})),
    (
        "pin",
        lambda problem, plan: problem["pins"].append(
            {"request": "R8", "tutor": "V2", "language": "fr"}
        ),
    ),
    (
        "pin",
        lambda problem, plan: problem["pins"].extend(
            {"request": r, "tutor": "V2", "group": "B"} for r in ("R3", "R8")
        ),
    ),
    ("impossible_pin", set_in("impossible_pins", 0, "why", "vetoed")),
    ("impossible_pin", set_in("impossible_pins", 0, "why", "because")),
    ("impossible_pin", set_in("impossible_pins", 0, "why", "group_full")),
    ("impossible_pin", set_in("impossible_pins", 0, "why", "not_taught")),
    ("impossible_pin", set_in("impossible_pins", 0, "why", "phone_busy")),
    ("impossible_pin", set_in("impossible_pins", 0, "why", "members_differ")),
    ("impossible_pin", set_in("impossible_pins", 0, "why", "too_many_lessons")),
    ("impossible_pin", set_in("impossible_pins", 0, "tutor", "V2")),
    ("impossible_pin", set_in("impossible_pins", 0, "with", ["R3"])),
    ("impossible_pin", set_in("impossible_pins", 0, "with", ["R1", "R2"])),
    ("impossible_pin", set_in("impossible_pins", 0, "with", [])),
    (
        "impossible_pin",
        lambda _, plan: plan["impossible_pins"].append(
            {"request": "R1", "tutor": "V1", "why": "not_found", "with": []}
        ),
    ),
    ("zones", set_in("zones", 0, 1, 0)),
    ("zones", lambda problem, plan: plan["zones"].reverse()),
    ("objective", set_in("objective", "weight_served", 8)),
    ("objective", set_in("objective", "requests_served", 8)),
    ("objective", set_in("objective", "min_zone_share", 700)),
    ("objective", set_in("objective", "kept", 0)),
    ("objective", set_in("objective", "cost", 1)),
    ("objective", set_in("levels", 0, "value", 8)),
    ("objective", set_in("levels", 1, "value", [667, 1000])),
    ("bound", set_in("bound", "weight_served", 8)),
    ("bound", set_in("levels", 0, "bound", 5)),
    ("bound", set_in("levels", 1, "bound", [500, 1000])),
    ("bound", set_in("levels", 2, "bound", 0)),
    ("bound", set_in("levels", 3, "bound", 27)),
    ("bound", set_in("levels", 0, "proved", True)),
    ("bound", set_in("levels", 2, "proved", True)),
    ("status", set_in("status", "optimal")),
    ("reason", set_in("unserved", 0, "reason", "no_tutor")),
    ("reason", set_in("unserved", 0, "detail", {"held_by": ["R1"]})),
    ("held_by", set_in("unserved", 1, "detail", "held_by", ["R3"])),
    ("held_by", set_in("unserved", 1, "detail", "held_by", [])),
    ("exchange", set_in("unserved", 1, "detail", "exchange", None)),
    ("exchange", set_in("unserved", 1, "detail", "exchange", "weight", 2)),
    ("exchange", set_in("unserved", 1, "detail", "exchange", {"out": ["R5"], "weight": 1})),
    ("exchange", set_in("unserved", 1, "detail", "exchange", {"out": ["R6"], "weight": 1})),
    ("exchange", set_in("unserved", 1, "detail", "exchange", {"out": ["R1", "R2"], "weight": 2})),
    ("exchange", set_in("unserved", 1, "detail", "exchange", {"out": ["R1", "R3"], "weight": 2})),
    ("advice", set_in("advice", 0, "adds", 3)),
    ("advice", set_in("advice", 0, "available", [["mon", "18:00", "20:00"]])),
    ("advice", set_in("advice", 0, "available", [["mon", "19:00", "20:00"]])),
    ("advice", set_in("advice", 0, "subject", "svt")),
    ("advice", set_in("advice", 0, "levels", ["1AC", "2AC"])),
    ("advice", set_in("advice", 0, "channel", "call")),
    ("advice", set_in("advice", 0, "language", "fr")),
    ("advice", set_in("advice", 0, "requests", [])),
    ("advice", lambda _, plan: plan["advice"][0].update(adds=3, requests=["R7", "R9"])),
    ("advice", lambda _, plan: plan["advice"][0].update(adds=3, requests=["R7", "R1"])),
    ("advice", lambda _, plan: plan["advice"].extend(plan["advice"] * 10)),
    (
        "advice",
        lambda _, plan: plan["advice"].insert(
            0,
            {
                **plan["advice"][0],
                "language": "fr",
                "adds": 1,
                "requests": ["R6"],
            },
        ),
    ),
]


def test_good_plan_passes(problem: Document, plan: Document) -> None:
    assert violations(problem, plan) == []


@pytest.mark.parametrize(("rule", "breaking"), BROKEN)
def test_broken_plan_is_caught(
    problem: Document, plan: Document, rule: str, breaking: Break
) -> None:
    problem, plan = copy.deepcopy(problem), copy.deepcopy(plan)
    breaking(problem, plan)
    assert rule in rules(problem, plan)


def test_request_that_could_be_added_while_nobody_moves_is_caught(
    problem: Document, plan: Document
) -> None:
    """R7 could join R1 alone, once R2 is out of the group, and R2 could open its own."""
    problem["pins"].pop(1)
    plan["groups"][0]["requests"] = ["R1"]
    plan["impossible_pins"][0]["with"] = ["R1"]
    plan["unserved"].append({"request": "R2", "reason": "taken", "detail": {}})
    recount(plan, 5, 5, 26, [["Braksa", 1, 1], ["Lagfaf", 4, 9]])
    found = {(v.rule, v.where) for v in violations(problem, plan)}
    assert {("addable", "unserved R2"), ("addable", "unserved R7")} <= found


def test_added_lesson_counts_as_addable_when_it_opens_a_group(
    problem: Document, plan: Document
) -> None:
    del plan["groups"][4]
    plan["unserved"].append({"request": "R8", "reason": "taken", "detail": {}})
    recount(plan, 5, 5, 26 - 1 - 16 + 9, [["Braksa", 1, 1], ["Lagfaf", 4, 9]])
    assert [(v.rule, v.where) for v in violations(problem, plan)] == [("addable", "unserved R8")]
