"""Whom to recruit next: each line is what that volunteer really brings, and none is better."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import combinations, product
from typing import Any

from hypothesis import HealthCheck, given, settings

import matching
from matching.plan import Advice, Plan
from matching.problem import Pin, Problem, Request, Teaching, Tutor, Veto, Window
from tests.support.crowded_problems import Document, crowded_problems
from tests.support.plan_oracle import Oracle

NEW = "the new one"


def advised(problem: Problem) -> tuple[Advice, ...]:
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    assert matching.check(problem, plan) == []
    return plan.advice


def test_heaviest_that_fit_into_one_lesson_are_named(make: Any) -> None:
    problem = make.problem(
        [],
        [
            make.household("H1", reachable=[["mon", "18:00", "19:00"]]),
            make.household("H2", reachable=[["mon", "18:00", "19:00"]], channels=["whatsapp"]),
            make.household("H3", reachable=[["mon", "18:00", "20:00"]], channels=["whatsapp"]),
        ],
        [
            make.request("R1", "H1", weight=2),
            make.request("R2", "H2", weight=1),
            make.request("R3", "H3", weight=3),
            make.request("R4", "H3", weight=3, level="2AC"),
        ],
    )
    monday = (Window(1080, 1140),)
    assert advised(problem) == (
        Advice("maths", ("1AC",), "whatsapp", "darija", monday, 5, ("R1", "R3")),
        Advice("maths", ("2AC",), "whatsapp", "darija", monday, 3, ("R4",)),
    )


def test_one_lesson_of_anybody_helps_none_of_these(make: Any) -> None:
    """Who needs a tag, two lessons a week, or times still to be agreed is in no line."""
    problem = make.problem(
        [],
        [make.household("H1"), make.household("H2", reachable=None)],
        [
            make.request("R1", "H1", needs=["woman"]),
            make.request("R2", "H1", lessons_per_week=2),
            make.request("R3", "H2"),
        ],
    )
    assert advised(problem) == ()


def test_lesson_of_the_household_is_kept_clear(make: Any) -> None:
    problem = make.problem(
        [make.tutor(available=[["mon", "18:00", "19:00"]])],
        [make.household(reachable=[["mon", "18:00", "19:30"]])],
        [make.request("R1"), make.request("R2", subject="svt")],
    )
    assert advised(problem) == ()


def test_child_of_two_households_takes_the_seat_that_costs_the_others_least(make: Any) -> None:
    problem = make.problem(
        [],
        [
            make.household("H1", reachable=[["mon", "18:00", "19:00"]]),
            make.household("H2", reachable=[["mon", "18:00", "19:00"]]),
        ],
        [
            make.request("R1", "H1", pupil="P", weight=3),
            make.request("R2", "H1", pupil="Q", weight=3),
            make.request("R3", "H2", pupil="P", weight=3),
        ],
    )
    assert [(line.adds, line.requests) for line in advised(problem)] == [(6, ("R2", "R3"))]


def test_ten_lines_at_most(make: Any) -> None:
    subjects = [f"S{i:02}" for i in range(12)]
    problem = make.problem(
        [],
        [make.household(f"H{i}") for i in range(12)],
        [make.request(f"R{i}", f"H{i}", subject=subject) for i, subject in enumerate(subjects)],
    )
    assert [line.subject for line in advised(problem)] == subjects[:10]


# --- against solving again, and against trying every volunteer


def with_volunteer(problem: Problem, plan: Plan, line: Advice) -> Problem:
    """The volunteer added, and all that the plan has agreed on pinned.

    The lesson is at the line's time, so whoever has yet to agree on times is kept from it.
    """
    volunteer = Tutor(
        id=NEW,
        teaches=(Teaching(line.subject, line.levels),),
        channels=(line.channel,),
        languages=(line.language,),
        available=line.available,
        max_lessons_per_week=1,
    )
    pins = tuple(
        Pin(
            request=name,
            tutor=group.tutor,
            starts=tuple(start for start in group.starts if start is not None) or None,
            channel=group.channel,
            language=group.language,
            group=group.id,
        )
        for group in plan.groups
        for name in group.requests
    )
    untimed = {home.id for home in problem.households if home.reachable is None}
    vetoes = tuple(Veto(r.id, NEW) for r in problem.requests if r.household in untimed)
    return replace(
        problem,
        tutors=(*problem.tutors, volunteer),
        pins=pins,
        vetoes=(*problem.vetoes, *vetoes),
    )


def most_served(oracle: Oracle, requests: list[Request], seats: int, start: int) -> int:
    """The most weight of these that fits into one new lesson then."""
    best = 0
    for count in range(1, seats + 1):
        for chosen in combinations(requests, count):
            weight = sum(request.weight for request in chosen)
            if weight > best and _fit(oracle, chosen, start):
                best = weight
    return best


def _fit(oracle: Oracle, chosen: tuple[Request, ...], start: int) -> bool:
    if len({request.pupil for request in chosen}) < len(chosen):
        return False
    phones = defaultdict(list)
    for request in chosen:
        phones[request.household].append(request)
    for name, newcomers in phones.items():
        home = oracle.homes[name]
        alone = replace(home, phones=home.phones - len(newcomers) + 1)
        oracle.homes[name] = alone
        free = all(oracle.home_free(r, (start,), oracle.sittings) for r in newcomers)
        oracle.homes[name] = home
        if not free:
            return False
    return True


slowly = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@slowly
@given(crowded_problems())
def test_solving_again_with_the_volunteer_gains_what_the_line_says(document: Document) -> None:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    for line in plan.advice:
        after = with_volunteer(problem, plan, line)
        again = matching.solve(after, stop=matching.MaxIterations(10_000))
        assert again.impossible_pins == ()
        assert again.levels[0].proved
        gained = again.objective.weight_served - plan.objective.weight_served
        assert (line, gained) == (line, line.adds)


@slowly
@given(crowded_problems())
def test_no_other_volunteer_for_the_subject_and_level_adds_more(document: Document) -> None:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    oracle = Oracle(problem, plan)
    left = [oracle.requests[unserved.request] for unserved in plan.unserved]
    expected: dict[tuple[str, str], int] = defaultdict(int)
    languages = {name for home in problem.households for name in home.languages}
    grid = range(0, 7 * 1440, problem.start_every)
    for start, channel, language in product(grid, problem.channels, sorted(languages)):
        coming = defaultdict(list)
        for request in left:
            home = oracle.homes[request.household]
            if (
                request.lessons_per_week == 1
                and not request.needs
                and oracle.inside(start, home.reachable or ())
                and channel in home.channels
                and language in home.languages
            ):
                coming[request.subject, request.level].append(request)
        for taught, requests in coming.items():
            seats = problem.channels[channel].max_group
            adds = most_served(oracle, requests, seats, start)
            expected[taught] = max(expected[taught], adds)
    found = {(line.subject, *line.levels): line.adds for line in plan.advice}
    assert found == {taught: adds for taught, adds in expected.items() if adds}
    assert [line.adds for line in plan.advice] == sorted(found.values(), reverse=True)
