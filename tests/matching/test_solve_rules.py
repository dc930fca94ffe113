"""Each rule and each level, on the smallest problem that shows it."""

from __future__ import annotations

from typing import Any

import pytest

import matching

MON_18 = 18 * 60


def served(plan: Any) -> list[list[str]]:
    return [list(group.requests) for group in plan.groups]


def test_heavier_request_wins_the_only_seat(make: Any, solved: Any) -> None:
    homes = [make.household("H1", channels=["call"]), make.household("H2", channels=["call"])]
    plan = solved(
        make.problem(
            [make.tutor(max_lessons_per_week=1)],
            homes,
            [make.request("R1", "H1"), make.request("R2", "H2", weight=3)],
        )
    )
    assert served(plan) == [["R2"]]
    assert plan.bound == 3
    assert [level.proved for level in plan.levels] == [True] * 4


def test_siblings_in_one_lesson_occupy_two_phones(make: Any, solved: Any) -> None:
    pupils = [make.request("R1", pupil="A"), make.request("R2", pupil="B")]
    short = [["mon", "18:00", "19:00"]]
    one = solved(make.problem([make.tutor(available=short)], [make.household()], pupils))
    two = solved(make.problem([make.tutor(available=short)], [make.household(phones=2)], pupils))
    assert served(one) == [["R1"]]
    assert one.unserved[0].reason == "phone_busy"
    assert served(two) == [["R1", "R2"]]


def test_pupil_is_in_one_lesson_at_a_time_even_with_two_phones(make: Any, solved: Any) -> None:
    short = [["mon", "18:00", "19:00"]]
    plan = solved(
        make.problem(
            [
                make.tutor(available=short),
                make.tutor("V2", available=short, teaches=[{"subject": "svt", "levels": ["1AC"]}]),
            ],
            [make.household(phones=2)],
            [make.request("R1", pupil="A"), make.request("R2", pupil="A", subject="svt")],
        )
    )
    assert len(plan.groups) == 1


def test_windows_that_touch_are_not_joined(make: Any, solved: Any) -> None:
    touching = [["mon", "18:00", "18:30"], ["mon", "18:30", "19:00"]]
    plan = solved(
        make.problem([make.tutor(available=touching)], [make.household()], [make.request()])
    )
    assert plan.unserved[0].reason == "no_common_time"


def test_lessons_of_45_minutes_on_a_15_minute_grid_overlap_as_intervals(
    make: Any, solved: Any
) -> None:
    """Two lessons need 90 minutes, whatever the grid."""
    parts = (
        [make.household("H1", channels=["call"]), make.household("H2", channels=["call"])],
        [make.request("R1", "H1"), make.request("R2", "H2")],
    )
    grid = {"lesson_minutes": 45, "start_every": 15}
    tight = make.tutor(available=[["mon", "18:00", "19:15"]])
    exact = make.tutor(available=[["mon", "18:00", "19:30"]])
    assert len(solved(make.problem([tight], *parts, **grid)).groups) == 1
    plan = solved(make.problem([exact], *parts, **grid))
    assert [group.starts for group in plan.groups] == [(MON_18,), (MON_18 + 45,)]


def test_weekly_lessons_fall_on_different_days_with_the_same_members(
    make: Any, solved: Any
) -> None:
    one_day = [["mon", "17:00", "21:00"]]
    two_days = [["mon", "18:00", "19:00"], ["wed", "18:00", "19:00"]]
    requests = [make.request("R1", "H1", lessons_per_week=2), make.request("R2", "H2")]
    requests[1]["lessons_per_week"] = 2
    homes = [make.household("H1", reachable=two_days), make.household("H2", reachable=two_days)]
    plan = solved(make.problem([make.tutor(available=two_days)], homes, requests))
    assert [(g.starts, g.requests) for g in plan.groups] == [
        ((MON_18, MON_18 + 2880), ("R1", "R2"))
    ]
    plan = solved(make.problem([make.tutor(available=one_day)], homes, requests))
    assert [u.reason for u in plan.unserved] == ["no_common_time"] * 2


def test_times_to_be_agreed_later_give_groups_without_starts(make: Any, solved: Any) -> None:
    homes = [make.household("H1"), make.household("H2", reachable=None)]
    requests = [make.request("R1", "H1"), make.request("R2", "H2")]
    whoever = solved(make.problem([make.tutor(available=None)], homes, requests))
    assert [(g.starts, g.requests) for g in whoever.groups] == [((None,), ("R1", "R2"))]
    apart = solved(make.problem([make.tutor()], homes, requests))
    assert sorted((g.starts, g.requests) for g in apart.groups if None in g.starts) == [
        ((None,), ("R2",))
    ]
    assert len(apart.groups) == 2


def test_lessons_without_start_count_against_the_weekly_maximum(make: Any, solved: Any) -> None:
    homes = [make.household(f"H{i}", channels=["call"], reachable=None) for i in range(3)]
    requests = [make.request(f"R{i}", f"H{i}") for i in range(3)]
    plan = solved(
        make.problem([make.tutor(available=None, max_lessons_per_week=2)], homes, requests)
    )
    assert len(plan.groups) == 2
    assert plan.unserved[0].reason == "taken"


def test_least_served_zone_comes_before_cost(make: Any, solved: Any) -> None:
    """Both pupils of one home weigh as much as one of each; the second serves both zones."""
    homes = [
        make.household("H1", zone="Lagfaf", phones=2),
        make.household("H2", zone="Braksa"),
    ]
    plan = solved(
        make.problem(
            [make.tutor(available=[["mon", "18:00", "19:00"]])],
            homes,
            [make.request("R1"), make.request("R2"), make.request("R3", "H2")],
        )
    )
    assert plan.levels[1].value == (500, 1000)
    assert plan.objective.min_zone_share == 500
    assert [(z.zone, z.served, z.asked) for z in plan.zones] == [("Braksa", 1, 1), ("Lagfaf", 1, 2)]


def test_previous_tutor_is_kept_where_nothing_better_is_lost(make: Any, solved: Any) -> None:
    plan = solved(
        make.problem(
            [make.tutor("V1"), make.tutor("V2", channels=["call"])],
            [make.household()],
            [make.request(previous_tutor="V2")],
        )
    )
    assert (plan.groups[0].tutor, plan.objective.kept) == ("V2", 1)
    assert plan.objective.cost == 3 + 1


def test_cost_prefers_liked_times_and_spreads_lessons_over_tutors(make: Any, solved: Any) -> None:
    homes = [make.household("H1", channels=["call"]), make.household("H2", channels=["call"])]
    plan = solved(
        make.problem(
            [make.tutor("V1"), make.tutor("V2")],
            homes,
            [
                make.request("R1", "H1", preferred=[["mon", "19:00", "20:00"]]),
                make.request("R2", "H2", preferred=[]),
            ],
        )
    )
    assert {group.tutor for group in plan.groups} == {"V1", "V2"}
    liked = next(group for group in plan.groups if group.requests == ("R1",))
    assert liked.starts == (MON_18 + 60,)
    assert plan.objective.cost == 3 + 3 + 1 + 1 + 1


def test_veto_needs_and_languages_hold(make: Any, solved: Any) -> None:
    parts = ([make.household()], [make.request(needs=["woman"])])
    tutors = [make.tutor("V1"), make.tutor("V2", tags=["woman"], languages=["fr"])]
    assert solved(make.problem(tutors, *parts)).unserved[0].reason == "no_common_language"
    tutors[1]["languages"] = ["darija"]
    assert solved(make.problem(tutors, *parts)).groups[0].tutor == "V2"
    veto = [{"request": "R1", "tutor": "V2"}]
    assert solved(make.problem(tutors, *parts, vetoes=veto)).unserved[0].reason == "vetoed"


def test_empty_problem_has_an_empty_plan(make: Any, solved: Any) -> None:
    plan = solved(make.problem([], [], []))
    assert (plan.groups, plan.bound, plan.objective.min_zone_share) == ((), 0, None)


def test_advice_names_the_lesson_that_would_serve_most(make: Any, solved: Any) -> None:
    homes = [make.household(f"H{i}", channels=["whatsapp"]) for i in range(3)]
    homes[2]["channels"] = ["call"]
    plan = solved(
        make.problem(
            [],
            homes,
            [make.request(f"R{i}", f"H{i}", weight=i + 1) for i in range(3)]
            + [make.request("R4", "H0", subject="svt", needs=["woman"])],
        )
    )
    assert [(a.adds, a.requests, a.channel) for a in plan.advice] == [(3, ("R0", "R1"), "whatsapp")]
    assert plan.advice[0].available[0].end - plan.advice[0].available[0].start == 60


def test_progress_names_the_phases_in_order(make: Any) -> None:
    phases: list[str] = []
    problem = make.problem([make.tutor()], [make.household()], [make.request()])
    matching.solve(
        problem,
        stop=matching.MaxIterations(1000),
        progress=lambda phase, best, bound: phases.append(phase),
    )
    assert list(dict.fromkeys(phases)) == [
        "greedy",
        "weight_served",
        "zones",
        "kept",
        "cost",
        "reasons",
        "advice",
    ]


def test_cancelled_before_it_began_still_gives_a_good_plan(make: Any) -> None:
    cancelled = matching.Cancelled()
    cancelled.cancel()
    problem = make.problem([make.tutor()], [make.household()], [make.request()])
    plan = matching.solve(problem, stop=cancelled)
    assert matching.check(problem, plan) == []
    assert served(plan) == [["R1"]]


def test_stops_combine_to_the_nearest() -> None:
    stop = matching.FirstOf(matching.MaxIterations(10), matching.MaxRuntime(100))
    left = stop.left(4)
    assert left.iterations == 6
    assert 90 < left.seconds <= 100
    assert stop.left(10).nothing


@pytest.mark.parametrize("seed", [0, 1])
def test_same_seed_and_iterations_give_the_same_plan(make: Any, seed: int) -> None:
    homes = [make.household(f"H{i}") for i in range(6)]
    problem = make.problem(
        [make.tutor("V1"), make.tutor("V2")],
        homes,
        [make.request(f"R{i}", f"H{i}", weight=1 + i % 3) for i in range(6)],
    )
    stop = matching.MaxIterations(50)
    first = matching.solve(problem, stop=stop, seed=seed)
    assert first.seconds is None
    assert matching.solve(problem, stop=stop, seed=seed) == first
