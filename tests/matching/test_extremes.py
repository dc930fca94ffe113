"""Problems of shapes that nobody meant, large and small: a checked plan, and in reasonable time."""

from __future__ import annotations

from typing import Any

import pytest

import matching
from matching.plan import Plan
from tests.matching.conftest import document, household, request_of, tutor

WEEK = [[day, "08:00", "22:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
MANY = 10_000


def checked(document: dict[str, Any], iterations: int = 20) -> Plan:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(iterations))
    assert matching.check(problem, plan) == []
    return plan


def test_no_tutors_serve_nobody_and_that_is_proved() -> None:
    requests = [request_of(f"R{i}") for i in range(3)]
    plan = checked(document([], [household()], requests))
    assert (plan.objective.weight_served, plan.bound, plan.status) == (0, 0, "optimal")
    assert {one.reason for one in plan.unserved} == {"no_tutor"}


def test_tutors_without_requests_have_an_empty_plan() -> None:
    assert checked(document([tutor()], [household()], [])).groups == ()


@pytest.mark.slow
def test_ten_thousand_requests_for_one_tutor_fill_the_week_once() -> None:
    homes = [household(f"H{i}", reachable=WEEK) for i in range(MANY)]
    requests = [request_of(f"R{i}", f"H{i}") for i in range(MANY)]
    only = tutor(available=WEEK, max_lessons_per_week=MANY)
    plan = checked(document([only], homes, requests))
    # Fourteen lessons a day, two pupils in each.
    assert plan.objective.requests_served == 7 * 14 * 2


def test_ten_thousand_requests_without_times_count_against_the_weekly_maximum() -> None:
    homes = [household(f"H{i}", reachable=None) for i in range(MANY)]
    requests = [request_of(f"R{i}", f"H{i}") for i in range(MANY)]
    plan = checked(document([tutor(available=None, max_lessons_per_week=30)], homes, requests))
    assert (plan.objective.requests_served, plan.bound) == (60, 60)


@pytest.mark.slow
def test_one_giant_household_is_in_one_lesson_at_a_time() -> None:
    requests = [request_of(f"R{i}") for i in range(2_000)]
    tutors = [tutor(f"V{i}", available=WEEK, max_lessons_per_week=50) for i in range(20)]
    plan = checked(document(tutors, [household(reachable=WEEK)], requests))
    assert plan.objective.requests_served == 7 * 14


def test_largest_weights_are_added_up_exactly() -> None:
    homes = [household(f"H{i}") for i in range(5)]
    requests = [request_of(f"R{i}", f"H{i}", weight=10**9) for i in range(5)]
    plan = checked(document([tutor()], homes, requests))
    assert plan.objective.weight_served == 4 * 10**9


def test_weight_beyond_all_reason_is_refused_with_its_path() -> None:
    heavy = request_of(weight=2**70)
    with pytest.raises(matching.ProblemError, match=r"requests\[0\]\.weight: .* is more than"):
        matching.read_problem(document([tutor()], [household()], [heavy]))


def test_window_over_midnight_is_refused_with_its_path() -> None:
    late = household(reachable=[["mon", "23:00", "01:00"]])
    with pytest.raises(matching.ProblemError, match=r"households\[0\]\.reachable\[0\]"):
        matching.read_problem(document([tutor()], [late], [request_of()]))
