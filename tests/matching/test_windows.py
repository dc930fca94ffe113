"""Whose windows would help if they moved by an hour: small exact cases, and against trying all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import matching
from matching.plan import Group, Plan
from matching.problem import Problem, Request, Window
from tests.support.crowded_problems import Document, crowded_problems
from tests.support.plan_oracle import Oracle, Sittings

DAY = 1440
SVT = [{"subject": "svt", "levels": ["1AC"]}]

# What check finds wrong with a plan whose figures and reasons were not written anew.
ACCOUNT = {"objective", "zones", "reason", "addable", "held_by", "exchange", "bound", "advice"}


def window(day: int, first: int, last: int) -> Window:
    return Window(day * DAY + first * 60, day * DAY + last * 60)


def helpful(problem: Problem, limit: int = 10) -> list[matching.WindowMove]:
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    assert matching.check(problem, plan) == []
    return matching.helpful_windows(problem, plan, limit)


def test_tuesday_one_hour_later(make: Any) -> None:
    problem = make.problem(
        [make.tutor(available=[["tue", "19:00", "20:00"]])],
        [make.household(reachable=[["mon", "18:00", "19:00"], ["tue", "18:00", "19:00"]])],
        [make.request(weight=3)],
    )
    assert helpful(problem) == [
        matching.WindowMove("H1", window(1, 18, 19), window(1, 19, 20), 3, ("R1",))
    ]


def test_helps_who_was_taken_out_by_others_too(make: Any) -> None:
    problem = make.problem(
        [make.tutor(available=[["mon", "18:00", "20:00"]])],
        [
            make.household("H1", channels=["call"], reachable=[["mon", "19:00", "20:00"]]),
            make.household("H2", channels=["call"], reachable=[["mon", "19:00", "20:00"]]),
        ],
        [make.request("R1", "H1", weight=2), make.request("R2", "H2")],
    )
    assert helpful(problem) == [
        matching.WindowMove("H2", window(0, 19, 20), window(0, 18, 19), 1, ("R2",))
    ]


@pytest.mark.parametrize(
    ("reachable", "expected"),
    [
        # In use by R1's lesson at 18:00, which would lie outside.
        ([["mon", "18:00", "19:00"]], None),
        # Another window has the lesson as well.
        ([["mon", "18:00", "19:00"], ["mon", "17:30", "19:00"]], window(0, 19, 20)),
    ],
)
def test_window_that_a_lesson_needs_stays(
    make: Any, reachable: list[list[str]], expected: Window | None
) -> None:
    problem = make.problem(
        [
            make.tutor("V1", available=[["mon", "18:00", "19:00"]]),
            make.tutor("V2", available=[["mon", "19:00", "20:00"]], teaches=SVT),
        ],
        [make.household(reachable=reachable)],
        [make.request("R1"), make.request("R2", subject="svt")],
    )
    assert [line.moved for line in helpful(problem)] == ([expected] if expected else [])


def test_lesson_whose_time_is_pinned_needs_no_window(make: Any) -> None:
    problem = make.problem(
        [
            make.tutor("V1", available=[["mon", "18:00", "19:00"]]),
            make.tutor("V2", available=[["mon", "19:00", "20:00"]], teaches=SVT),
        ],
        [make.household(reachable=[["mon", "18:00", "19:00"]])],
        [make.request("R1"), make.request("R2", subject="svt")],
        pins=[{"request": "R1", "tutor": "V1", "starts": [["mon", "18:00"]]}],
    )
    assert [line.requests for line in helpful(problem)] == [("R2",)]


def test_no_window_crosses_midnight(make: Any) -> None:
    late, early = ["mon", "23:00", "24:00"], ["tue", "00:00", "01:00"]
    problem = make.problem(
        [make.tutor("V1", available=[early]), make.tutor("V2", available=[late])],
        [make.household("H1", reachable=[late]), make.household("H2", reachable=[early])],
        [make.request("R1", "H1"), make.request("R2", "H2")],
        vetoes=[{"request": "R1", "tutor": "V2"}, {"request": "R2", "tutor": "V1"}],
    )
    assert helpful(problem) == []


def test_two_lessons_a_week_gain_their_second_day(make: Any) -> None:
    problem = make.problem(
        [make.tutor(available=[["mon", "18:00", "19:00"], ["wed", "18:00", "19:00"]])],
        [make.household(reachable=[["mon", "18:00", "19:00"], ["wed", "17:00", "18:00"]])],
        [make.request(lessons_per_week=2)],
    )
    assert helpful(problem) == [
        matching.WindowMove("H1", window(2, 17, 18), window(2, 18, 19), 1, ("R1",))
    ]


def test_siblings_are_served_together_as_far_as_phones_go(make: Any) -> None:
    def problem(phones: int) -> Problem:
        return make.problem(
            [make.tutor("V1", available=[["mon", "19:00", "20:00"]])],
            [make.household(reachable=[["mon", "18:00", "19:00"]], phones=phones)],
            [make.request("R1"), make.request("R2", weight=2)],
        )

    assert [(line.adds, line.requests) for line in helpful(problem(1))] == [(2, ("R2",))]
    assert [(line.adds, line.requests) for line in helpful(problem(2))] == [(3, ("R1", "R2"))]


def test_best_lines_first_and_one_for_a_household(make: Any) -> None:
    problem = make.problem(
        [make.tutor(available=[["mon", "18:00", "19:00"], ["tue", "18:00", "19:00"]])],
        [
            make.household(
                f"H{i}", reachable=[["mon", "17:00", "18:00"], ["tue", "19:00", "20:00"]]
            )
            for i in range(1, 4)
        ],
        [make.request("R1", "H1"), make.request("R2", "H2", weight=3), make.request("R3", "H3")],
    )
    lines = helpful(problem)
    assert [(line.household, line.adds) for line in lines] == [("H2", 3), ("H1", 1), ("H3", 1)]
    assert {line.moved for line in lines} == {window(0, 18, 19)}
    assert helpful(problem, limit=1) == lines[:1]
    assert helpful(problem, limit=0) == []


def test_household_with_times_agreed_later_has_no_window_to_move(make: Any) -> None:
    problem = make.problem(
        [make.tutor(max_lessons_per_week=1)],
        [make.household("H1", reachable=None), make.household("H2", reachable=None)],
        [make.request("R1", "H1", weight=2), make.request("R2", "H2", level="2AC")],
    )
    assert helpful(problem) == []


def test_many_children_of_one_house_are_looked_at_one_by_one(make: Any) -> None:
    problem = make.problem(
        [make.tutor(f"V{i}", available=[["mon", "19:00", "20:00"]]) for i in range(6)],
        [make.household(reachable=[["mon", "18:00", "19:00"]], phones=10)],
        [make.request(f"R{i}", weight=i) for i in range(1, 13)],
    )
    (line,) = helpful(problem)
    assert (line.adds, line.requests) == (75, tuple(f"R{i}" for i in range(3, 13)))


def test_command_prints_one_object_a_line(make: Any, tmp_path: Path) -> None:
    problem, plan = tmp_path / "problem.json", tmp_path / "plan.json"
    document = make.document(
        [make.tutor(available=[["tue", "19:00", "20:00"]])],
        [make.household("بيت", reachable=[["tue", "18:00", "19:00"]])],
        [make.request(home="بيت", weight=3)],
    )
    problem.write_text(json.dumps(document))
    solved = matching.solve(matching.read_problem(document), stop=matching.MaxIterations(0))
    plan.write_text(json.dumps(matching.plan_to_json(solved)))
    command = [sys.executable, "-m", "matching", "windows", str(problem), str(plan)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {
            "household": "بيت",
            "window": ["tue", "18:00", "19:00"],
            "moved": ["tue", "19:00", "20:00"],
            "adds": 3,
            "requests": ["R1"],
        }
    ]
    assert "بيت" in done.stdout
    none = subprocess.run([*command, "--limit", "0"], capture_output=True, text=True, timeout=60)
    assert (none.returncode, none.stdout, none.stderr) == (0, "", "")


# --- against trying everything


def amended(problem: Problem, home: str, old: Window, new: Window) -> Problem:
    households = []
    for household in problem.households:
        if household.id == home:
            assert household.reachable is not None
            windows = list(household.reachable)
            windows[windows.index(old)] = new
            household = replace(household, reachable=tuple(windows))
        households.append(household)
    return replace(problem, households=tuple(households))


def with_groups(plan: Plan, sittings: Sittings) -> Plan:
    """The plan with these groups; whoever sits in one is not among the unserved."""
    groups = tuple(
        Group(f"G{i}", s.tutor, s.subject, s.level, s.channel, s.language, s.starts, s.members)
        for i, s in enumerate(sittings)
    )
    served = {member for sitting in sittings for member in sitting.members}
    unserved = tuple(one for one in plan.unserved if one.request not in served)
    return replace(plan, groups=groups, unserved=unserved)


def broken_rules(problem: Problem, plan: Plan) -> list[matching.Violation]:
    found = matching.check(problem, plan)
    return [violation for violation in found if violation.rule not in ACCOUNT]


def together(oracle: Oracle, requests: list[Request], sittings: Sittings) -> Iterator[Sittings]:
    """Every timetable that has all of these as well, with nobody moved."""
    if not requests:
        yield sittings
        return
    tutors, _ = oracle.filtered(requests[0])
    for tutor in tutors:
        for more in oracle.seatings(requests[0], tutor, sittings):
            yield from together(oracle, requests[1:], more)


def most_added(oracle: Oracle, requests: list[Request]) -> int:
    """The most weight of these that can be inserted together."""
    best = 0
    for chosen in range(1 << len(requests)):
        some = [request for i, request in enumerate(requests) if chosen >> i & 1]
        weight = sum(request.weight for request in some)
        if weight > best and next(together(oracle, some, oracle.sittings), None) is not None:
            best = weight
    return best


def apart(document: Document) -> Document:
    """Households two hours later than drawn, so that their windows are often the wrong ones."""
    for home in document["households"]:
        for span in home["reachable"] or ():
            span[1:] = [f"{int(clock[:2]) + 2}{clock[2:]}" for clock in span[1:]]
    for tutor in document["tutors"]:
        tutor["max_lessons_per_week"] = 4
    return document


slowly = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@slowly
@given(crowded_problems().map(apart))
def test_every_line_holds_by_the_check_of_the_problem_with_the_window_moved(
    document: Document,
) -> None:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    for line in matching.helpful_windows(problem, plan):
        after = amended(problem, line.household, line.window, line.moved)
        oracle = Oracle(after, plan)
        requests = [oracle.requests[name] for name in line.requests]
        assert line.adds == sum(request.weight for request in requests) > 0
        assert {request.household for request in requests} == {line.household}
        found = next(together(oracle, requests, oracle.sittings))
        assert broken_rules(after, with_groups(plan, found)) == []


@slowly
@given(st.one_of(crowded_problems(), crowded_problems().map(apart)))
def test_no_window_moved_by_an_hour_serves_more_of_a_household(document: Document) -> None:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    waiting = {unserved.request for unserved in plan.unserved}
    expected: dict[str, int] = {}
    for home in problem.households:
        requests = [r for r in problem.requests if r.household == home.id and r.id in waiting]
        for old in home.reachable or ():
            for minutes in (60, -60):
                new = Window(old.start + minutes, old.end + minutes)
                if new.start // DAY != old.start // DAY or (new.end - 1) // DAY != old.start // DAY:
                    continue
                after = amended(problem, home.id, old, new)
                if broken_rules(after, plan):
                    continue
                adds = most_added(Oracle(after, plan), requests)
                expected[home.id] = max(adds, expected.get(home.id, 0))
    lines = matching.helpful_windows(problem, plan, limit=1000)
    assert {line.household: line.adds for line in lines} == {
        home: adds for home, adds in expected.items() if adds
    }
    assert [line.adds for line in lines] == sorted((line.adds for line in lines), reverse=True)
