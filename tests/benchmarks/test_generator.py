"""The generator of problems: valid, the same for the same arguments, and of the shape asked."""

from __future__ import annotations

from pathlib import Path

import pytest

import matching
from benchmarks.generator import Shape, generate, main
from matching.problem import Problem


def made(**changes: float) -> Problem:
    return matching.read_problem(generate(Shape(**{"pupils": 300, **changes})))  # type: ignore[arg-type]


def share(part: int, whole: int) -> float:
    return part / whole


def test_files_of_the_same_arguments_have_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "one.json.gz", tmp_path / "two.json.gz"]
    for file in files:
        assert main(["--pupils", "80", "--seed", "3", "--needs", "0.2", "--out", str(file)]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(matching.read_problem(files[0]).requests) > 80


def test_another_seed_makes_another_problem() -> None:
    assert generate(Shape(80, seed=1)) != generate(Shape(80, seed=2))


@pytest.mark.parametrize("pupils", [1, 2, 76, 1000])
def test_every_size_is_valid_and_has_as_many_pupils(pupils: int) -> None:
    problem = made(pupils=pupils)
    assert len({request.pupil for request in problem.requests}) == pupils
    assert all(1 <= len(household.reachable or ()) <= 7 for household in problem.households)
    assert all(tutor.max_lessons_per_week in (3, 4, 5) for tutor in problem.tutors)


@pytest.mark.parametrize("tightness", [1.2, 2.5, 4.0])
def test_tightness_is_lessons_asked_over_lessons_given(tightness: float) -> None:
    problem = made(pupils=1000, tightness=tightness)
    given = sum(tutor.max_lessons_per_week for tutor in problem.tutors)
    assert len(problem.requests) / given == pytest.approx(tightness, rel=0.02)


def test_plain_problem_is_on_hours_with_one_lesson_and_one_phone() -> None:
    problem = made()
    assert problem.start_every == 60
    assert {request.lessons_per_week for request in problem.requests} == {1}
    assert {household.phones for household in problem.households} == {1}
    assert problem.pins == ()
    assert {request.weight for request in problem.requests} == {1, 3}


def test_first_subject_is_asked_most() -> None:
    subjects = [request.subject for request in made(pupils=1000).requests]
    assert subjects.count("s0") > subjects.count("s1") > subjects.count("s4") > 0


def test_shares_of_requests_are_those_asked_for() -> None:
    problem = made(pupils=1000, two_lessons=0.3, previous=0.25, preferred=0.5, vetoes=0.1)
    requests = problem.requests
    twice = sum(request.lessons_per_week == 2 for request in requests)
    known = sum(request.previous_tutor is not None for request in requests)
    liked = sum(request.preferred is not None for request in requests)
    assert share(twice, len(requests)) == pytest.approx(0.3, abs=0.05)
    assert share(known, len(requests)) == pytest.approx(0.25, abs=0.05)
    assert share(liked, len(requests)) == pytest.approx(0.5, abs=0.05)
    assert share(len(problem.vetoes), len(requests)) == pytest.approx(0.1, abs=0.04)


def test_shares_of_people_are_those_asked_for() -> None:
    problem = made(pupils=1000, needs=0.2, untimed=0.1, two_phones=0.3)
    homes = problem.households
    needy = {request.pupil for request in problem.requests if request.needs == ("woman",)}
    assert share(len(needy), 1000) == pytest.approx(0.2, abs=0.05)
    assert share(sum(home.reachable is None for home in homes), len(homes)) == pytest.approx(
        0.1, abs=0.05
    )
    assert share(sum(home.phones == 2 for home in homes), len(homes)) == pytest.approx(
        0.3, abs=0.05
    )
    assert {tutor.tags for tutor in problem.tutors} == {(), ("woman",)}


def test_half_hour_grid_has_windows_at_half_hours() -> None:
    problem = made(every=30)
    assert problem.start_every == 30
    assert any(w.start % 60 == 30 for home in problem.households for w in home.reachable or ())
    assert any(w.start % 60 == 30 for tutor in problem.tutors for w in tutor.available or ())


def test_pins_are_as_many_as_asked_and_mostly_possible() -> None:
    problem = made(pins=20)
    assert len({pin.request for pin in problem.pins}) == 20
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    assert len(plan.impossible_pins) < 10
    assert matching.check(problem, plan) == []
