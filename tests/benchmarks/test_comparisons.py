"""The comparisons keep every hard rule, and say so where they have no figure."""

from __future__ import annotations

from pathlib import Path

import pytest

import matching
from benchmarks import baselines, plain_model
from benchmarks.baselines import NAMES, Entry, compare, serve
from benchmarks.generator import Shape, generate
from benchmarks.seating import Seating
from matching.problem import Problem

INSTANCES = Path(baselines.__file__).parent / "instances"
PILOT_OPTIMUM = 174


@pytest.fixture(scope="module")
def pilot() -> Problem:
    return matching.read_problem(INSTANCES / "pilot-1.json.gz")


@pytest.fixture(scope="module")
def mixed() -> Problem:
    """Everything that the format knows, in small."""
    shape = Shape(
        pupils=60,
        seed=5,
        every=30,
        two_lessons=0.3,
        needs=0.2,
        untimed=0.2,
        two_phones=0.2,
        pins=12,
        vetoes=0.1,
    )
    return matching.read_problem(generate(shape))


@pytest.mark.parametrize("name", NAMES)
def test_comparison_on_a_pilot_serves_by_the_rules(name: str, pilot: Problem) -> None:
    seating = Seating(pilot)
    entry = serve(name, seating, 2)
    assert entry.weight == seating.served()
    assert 100 <= seating.served() <= PILOT_OPTIMUM
    assert seating.violations() == []


@pytest.mark.parametrize("name", NAMES)
def test_comparison_keeps_agreements_phones_and_untimed_lessons(name: str, mixed: Problem) -> None:
    seating = Seating(mixed)
    pinned = {name: group.tutor for group in seating.groups() for name in group.requests}
    assert len(pinned) + len(seating.impossible) == 12
    serve(name, seating, 2)
    assert seating.violations() == []
    tutors = {name: group.tutor for group in seating.groups() for name in group.requests}
    assert tutors.items() > pinned.items()
    assert any(None in group.starts for group in seating.groups())
    assert any(len(group.starts) == 2 for group in seating.groups())


def test_a_broken_rule_is_found(pilot: Problem) -> None:
    seating = Seating(pilot)
    serve("assignment", seating, 1)
    group = next(group for group in seating.table.groups() if group.starts)
    stranger = next(r for r in seating.waiting() if seating.table.rules.subject_key(r) != group.key)
    seating.table.join(stranger, group)
    assert "members_differ" in {violation.rule for violation in seating.violations()}


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_served_where_nobody_asks(name: str, pilot: Problem) -> None:
    empty = Problem(60, 60, pilot.channels, pilot.tutors, pilot.households, ())
    assert serve(name, Seating(empty), 1) == Entry(0)


def test_comparison_of_its_own_process_has_the_same_figure(pilot: Problem) -> None:
    entry = compare("assignment", INSTANCES / "pilot-1.json.gz", 20)
    assert entry == serve("assignment", Seating(pilot), 20)


def test_comparison_that_takes_too_long_is_ended() -> None:
    entry = compare("blossom", INSTANCES / "k10.json.gz", 0.5)
    assert entry == Entry(None, "not in 0.5 s")
    assert str(entry) == "not in 0.5 s"


def test_model_that_is_too_large_is_skipped_with_a_word(
    pilot: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_model, "MOST_BOOLEANS", 1_000)
    assert serve("plain CP-SAT", Seating(pilot), 1) == Entry(None, "too large")
