"""Agreements: what they are exempt from, in which order they are taken, and why one can't hold."""

from __future__ import annotations

from typing import Any

import pytest

MON_18 = 18 * 60
AT_18, AT_1810 = [["mon", "18:00"]], [["mon", "18:10"]]


def pin(request: str, tutor: str = "V1", **named: Any) -> dict[str, Any]:
    return {"request": request, "tutor": tutor, **named}


def impossible(plan: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(p.request, p.why, p.beside) for p in plan.impossible_pins]


def test_what_a_pin_names_is_exempt(make: Any, solved: Any) -> None:
    """Off the grid, outside all windows, a channel, language and tag that nobody has."""
    plan = solved(
        make.problem(
            [make.tutor(channels=["call"], available=[["sun", "08:00", "09:00"]])],
            [make.household(channels=["call"], reachable=None)],
            [make.request(needs=["woman"])],
            pins=[pin("R1", starts=AT_1810, channel="whatsapp", language="ar", group="G7")],
        )
    )
    (group,) = plan.groups
    assert (group.id, group.starts, group.channel, group.language) == (
        "G7",
        (MON_18 + 10,),
        "whatsapp",
        "ar",
    )
    assert plan.impossible_pins == ()


def test_what_a_pin_leaves_open_keeps_the_rules(make: Any, solved: Any) -> None:
    plan = solved(
        make.problem([make.tutor()], [make.household()], [make.request()], pins=[pin("R1")])
    )
    (group,) = plan.groups
    assert group.starts in ((MON_18,), (MON_18 + 30,), (MON_18 + 60,))
    far = make.household(reachable=[["sun", "08:00", "09:00"]])
    plan = solved(make.problem([make.tutor()], [far], [make.request()], pins=[pin("R1")]))
    assert impossible(plan) == [("R1", "not_found", ())]
    assert plan.unserved[0].reason == "no_common_time"


def test_pin_with_starts_is_timed_even_with_a_tutor_without_times(make: Any, solved: Any) -> None:
    """The other request can't join it: its own lessons with this tutor have no starts."""
    plan = solved(
        make.problem(
            [make.tutor(available=None)],
            [make.household(), make.household("H2")],
            [make.request(), make.request("R2", "H2")],
            pins=[pin("R1", starts=AT_18)],
        )
    )
    assert [(g.starts, g.requests) for g in plan.groups] == [
        ((MON_18,), ("R1",)),
        ((None,), ("R2",)),
    ]


def test_others_join_a_pinned_group(make: Any, solved: Any) -> None:
    plan = solved(
        make.problem(
            [make.tutor(available=[["mon", "18:00", "19:00"]])],
            [make.household(), make.household("H2")],
            [make.request(), make.request("R2", "H2")],
            pins=[pin("R1", starts=AT_18)],
        )
    )
    assert [group.requests for group in plan.groups] == [("R1", "R2")]


def test_requests_of_one_pinned_group_stay_together_without_times(make: Any, solved: Any) -> None:
    """Two groups of two are filled by who belongs together, not by who comes first."""
    homes = [make.household(f"H{i}", reachable=None) for i in range(4)]
    requests = [make.request(f"R{i}", f"H{i}") for i in range(4)]
    plan = solved(
        make.problem(
            [make.tutor(available=None)],
            homes,
            requests,
            pins=[pin("R0", group="A"), pin("R3", group="A")],
        )
    )
    assert sorted(group.requests for group in plan.groups) == [("R0", "R3"), ("R1", "R2")]


def test_pins_with_starts_are_taken_before_the_others(make: Any, solved: Any) -> None:
    parts = (
        [make.tutor(available=[["mon", "18:00", "19:00"]])],
        [make.household("H1", channels=["call"]), make.household("H2", channels=["call"])],
        [make.request("R1", "H1"), make.request("R2", "H2")],
    )
    plan = solved(make.problem(*parts, pins=[pin("R1"), pin("R2", starts=AT_18)]))
    assert impossible(plan) == [("R1", "tutor_busy", ("R2",))]
    plan = solved(make.problem(*parts, pins=[pin("R2"), pin("R1")]))
    assert impossible(plan) == [("R1", "tutor_busy", ("R2",))]


def test_earlier_pin_moves_within_what_it_leaves_open(make: Any, solved: Any) -> None:
    """The first could sit anywhere; it makes way for one that can only come at six."""
    short = [["mon", "18:00", "19:00"]]
    plan = solved(
        make.problem(
            [make.tutor()],
            [
                make.household("H1", channels=["call"]),
                make.household("H2", channels=["call"], reachable=short),
            ],
            [make.request("R1", "H1"), make.request("R2", "H2")],
            pins=[pin("R1"), pin("R2")],
        )
    )
    assert plan.impossible_pins == ()
    assert sorted((g.starts, g.requests) for g in plan.groups) == [
        ((MON_18,), ("R2",)),
        ((MON_18 + 60,), ("R1",)),
    ]


def test_impossible_pin_is_matched_like_any_other(make: Any, solved: Any) -> None:
    plan = solved(
        make.problem(
            [make.tutor("V1"), make.tutor("V2", teaches=[])],
            [make.household()],
            [make.request()],
            pins=[pin("R1", "V2")],
        )
    )
    assert impossible(plan) == [("R1", "not_taught", ())]
    assert plan.groups[0].tutor == "V1"


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        ([pin("R1", starts=AT_18), pin("R2", starts=AT_1810)], ("R2", "tutor_busy", ("R1",))),
        (
            [pin(r, starts=AT_18, channel="whatsapp") for r in ("R1", "R2", "R3")],
            ("R3", "group_full", ("R1", "R2")),
        ),
        (
            [pin("R1", starts=AT_18), pin("R4", "V2", starts=AT_1810)],
            ("R4", "phone_busy", ("R1",)),
        ),
        (
            [pin("R1", starts=AT_18, group="A"), pin("R5", starts=AT_18, group="A")],
            ("R5", "members_differ", ("R1",)),
        ),
        (
            [pin("R1", starts=AT_18, group="A"), pin("R2", starts=AT_1810, group="A")],
            ("R2", "members_differ", ("R1",)),
        ),
        (
            [pin("R1", starts=AT_18, group="A"), pin("R2", "V2", starts=AT_18, group="A")],
            ("R2", "members_differ", ("R1",)),
        ),
        (
            [
                pin("R1", starts=AT_18),
                pin("R2", starts=[["tue", "18:00"]]),
                pin("R3", starts=[["wed", "18:00"]]),
            ],
            ("R3", "too_many_lessons", ("R1", "R2")),
        ),
        ([pin("R6")], ("R6", "too_many_lessons", ())),
        ([pin("R7")], ("R7", "vetoed", ())),
    ],
)
def test_impossible_pin_says_why_and_beside_whom(
    make: Any, solved: Any, pins: list[dict[str, Any]], expected: tuple[Any, ...]
) -> None:
    homes = [make.household(f"H{i}", phones=1) for i in range(1, 8)]
    requests = [make.request(f"R{i}", f"H{i}") for i in range(1, 8)]
    requests[3]["household"] = "H1"
    requests[4]["level"] = "2AC"
    requests[5]["lessons_per_week"] = 3
    plan = solved(
        make.problem(
            [make.tutor(max_lessons_per_week=2), make.tutor("V2")],
            homes,
            requests,
            pins=pins,
            vetoes=[{"request": "R7", "tutor": "V1"}],
        )
    )
    assert impossible(plan) == [expected]
