"""Small problems, written as far as a test needs to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import matching
from matching.plan import Plan
from matching.problem import Problem

Document = dict[str, Any]


def tutor(name: str = "V1", **changes: Any) -> Document:
    return {
        "id": name,
        "teaches": [{"subject": "maths", "levels": ["1AC", "2AC"]}],
        "channels": ["call", "whatsapp"],
        "languages": ["darija"],
        "available": [["mon", "18:00", "20:00"]],
        "max_lessons_per_week": 4,
        **changes,
    }


def household(name: str = "H1", **changes: Any) -> Document:
    return {
        "id": name,
        "zone": "Lagfaf",
        "channels": ["call", "whatsapp"],
        "languages": ["darija"],
        "reachable": [["mon", "18:00", "20:00"]],
        **changes,
    }


def request_of(name: str = "R1", home: str = "H1", **changes: Any) -> Document:
    return {
        "id": name,
        "pupil": f"P{name}",
        "household": home,
        "subject": "maths",
        "level": "1AC",
        **changes,
    }


def document(
    tutors: list[Document], households: list[Document], requests: list[Document], **changes: Any
) -> Document:
    return {
        "format": "n9raw-problem/1",
        "lesson_minutes": 60,
        "start_every": 30,
        "channels": {
            "call": {"max_group": 1, "cost": 3},
            "whatsapp": {"max_group": 2, "cost": 1},
        },
        "tutors": tutors,
        "households": households,
        "requests": requests,
        **changes,
    }


class Make:
    tutor = staticmethod(tutor)
    household = staticmethod(household)
    request = staticmethod(request_of)
    document = staticmethod(document)

    @staticmethod
    def problem(*parts: Any, **changes: Any) -> Problem:
        return matching.read_problem(document(*parts, **changes))


@pytest.fixture
def make() -> type[Make]:
    return Make


@pytest.fixture
def solved() -> Callable[[Problem], Plan]:
    """Solves to proved optimality, and checks."""

    def solve(problem: Problem) -> Plan:
        plan = matching.solve(problem, stop=matching.MaxIterations(100_000))
        assert matching.check(problem, plan) == []
        assert plan.status == "optimal"
        return plan

    return solve
