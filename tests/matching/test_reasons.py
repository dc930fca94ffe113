"""Why a request is left out: each reason, on the problem that has it and nothing before it."""

from __future__ import annotations

from typing import Any

import pytest

import matching
from matching.plan import Exchange

SHORT = [["mon", "18:00", "19:00"]]


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("no_tutor", {"teaches": [{"subject": "maths", "levels": ["2AC"]}]}),
        ("needs_unmet", {"tags": []}),
        ("no_common_channel", {"channels": ["video"]}),
        ("no_common_language", {"languages": ["ar"]}),
        ("too_few_lessons", {"max_lessons_per_week": 1}),
        ("no_common_time", {"available": [["mon", "18:00", "20:00"], ["tue", "18:00", "20:00"]]}),
    ],
)
def test_first_filter_that_leaves_nobody_is_the_reason(
    make: Any, solved: Any, reason: str, changes: dict[str, Any]
) -> None:
    week = [["mon", "18:00", "20:00"], ["wed", "18:00", "20:00"]]
    teacher = make.tutor(**{"tags": ["woman"], "available": week, **changes})
    plan = solved(
        make.problem(
            [teacher],
            [make.household(reachable=week)],
            [make.request(needs=["woman"], lessons_per_week=2)],
            channels={name: {"max_group": 2, "cost": 1} for name in ("call", "whatsapp", "video")},
            vetoes=[{"request": "R1", "tutor": "V1"}],
        )
    )
    assert [(u.request, u.reason) for u in plan.unserved] == [("R1", reason)]


def test_filters_add_up_over_tutors(make: Any, solved: Any) -> None:
    """One tutor has the tag, another the channel: nobody is left after the second filter."""
    plan = solved(
        make.problem(
            [make.tutor("V1", tags=["woman"], channels=["call"]), make.tutor("V2")],
            [make.household(channels=["whatsapp"])],
            [make.request(needs=["woman"])],
        )
    )
    assert plan.unserved[0].reason == "no_common_channel"


def test_veto_is_the_last_filter(make: Any, solved: Any) -> None:
    plan = solved(
        make.problem(
            [make.tutor()],
            [make.household()],
            [make.request()],
            vetoes=[{"request": "R1", "tutor": "V1"}],
        )
    )
    assert plan.unserved[0].reason == "vetoed"


def test_own_lesson_of_the_household_is_phone_busy(make: Any, solved: Any) -> None:
    svt = [{"subject": "svt", "levels": ["1AC"]}]
    plan = solved(
        make.problem(
            [make.tutor("V1", available=SHORT), make.tutor("V2", available=SHORT, teaches=svt)],
            [make.household()],
            [make.request("R1", weight=2), make.request("R2", subject="svt")],
        )
    )
    assert [(u.request, u.reason, u.held_by) for u in plan.unserved] == [("R2", "phone_busy", ())]


def test_taken_names_the_lightest_exchange_and_who_holds_that_tutor(make: Any, solved: Any) -> None:
    homes = [make.household(f"H{i}", channels=["whatsapp"]) for i in range(1, 6)]
    plan = solved(
        make.problem(
            [make.tutor("V1", max_lessons_per_week=1), make.tutor("V2", available=SHORT)],
            homes,
            [make.request(f"R{i}", f"H{i}", weight=i) for i in range(1, 6)],
        )
    )
    (left,) = plan.unserved
    assert (left.request, left.reason) == ("R1", "taken")
    assert left.held_by == ("R2", "R3")
    assert left.exchange == Exchange(("R2",), 2)


def test_exchange_closes_the_lighter_group_when_lessons_run_out(make: Any, solved: Any) -> None:
    """A second level needs a lesson of its own: one whole group would have to leave."""
    homes = [make.household(f"H{i}", channels=["whatsapp"]) for i in range(1, 6)]
    requests = [make.request(f"R{i}", f"H{i}", weight=3) for i in range(1, 5)]
    requests[2]["level"] = requests[3]["level"] = "2AC"
    requests.append(make.request("R5", "H5", level="3AC", weight=5))
    levels = [{"subject": "maths", "levels": ["1AC", "2AC", "3AC"]}]
    plan = solved(
        make.problem([make.tutor(max_lessons_per_week=2, teaches=levels)], homes, requests)
    )
    (left,) = plan.unserved
    assert left.request == "R5"
    assert left.exchange == Exchange(("R1", "R2"), 6)


def test_exchange_is_null_when_no_single_tutor_can_make_room(make: Any, solved: Any) -> None:
    """The only time is both the tutor's with others and the household's with another tutor."""
    svt = [{"subject": "svt", "levels": ["1AC"]}]
    plan = solved(
        make.problem(
            [make.tutor("V1", available=SHORT), make.tutor("V2", available=SHORT, teaches=svt)],
            [make.household(), make.household("H2", channels=["call"])],
            [
                make.request("R1", "H1"),
                make.request("R2", "H2", weight=3),
                make.request("R3", "H1", subject="svt", weight=3),
            ],
        )
    )
    assert [(u.request, u.reason, u.exchange) for u in plan.unserved] == [("R1", "taken", None)]


def test_exchange_of_two_lessons_a_week_frees_two_days(make: Any) -> None:
    week = [["mon", "18:00", "19:00"], ["tue", "18:00", "19:00"], ["wed", "18:00", "19:00"]]
    homes = [make.household(f"H{i}", channels=["call"], reachable=week) for i in range(1, 5)]
    problem = make.problem(
        [make.tutor(available=week)],
        homes,
        [make.request(f"R{i}", f"H{i}", weight=i + 3) for i in range(1, 4)]
        + [make.request("R4", "H4", weight=1, lessons_per_week=2)],
    )
    plan = matching.solve(problem, stop=matching.MaxIterations(1000))
    assert matching.check(problem, plan) == []
    assert plan.unserved[0].exchange == Exchange(("R1", "R2"), 9)


def test_pupil_busy_in_another_household_alone_is_held_by_nobody(make: Any) -> None:
    """Its own lesson there is the only thing in the way, and nobody's place."""
    problem = make.problem(
        [make.tutor("V1", available=SHORT), make.tutor("V2", available=SHORT)],
        [make.household("H1"), make.household("H2")],
        [
            make.request("R1", "H1", weight=2, pupil="P"),
            make.request("R2", "H2", pupil="P"),
        ],
        vetoes=[{"request": "R1", "tutor": "V2"}, {"request": "R2", "tutor": "V1"}],
    )
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    assert matching.check(problem, plan) == []
    (left,) = plan.unserved
    assert (left.reason, left.held_by, left.exchange) == ("taken", (), None)
