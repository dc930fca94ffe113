"""The bound by prices: never below what can be served, and close to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import matching
from benchmarks.known import KNOWN
from matching.bound import Prices, verify
from matching.price_search import CLASS_ROUNDS, PriceSearch
from matching.rules import Rules
from tests.matching.test_bruteforce import BruteForce, problems

INSTANCES = Path("benchmarks/instances")

any_problem = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

# Few enough requests to try everything in no time.
small = problems().filter(lambda document: len(document["requests"]) <= 7)


def most_served(problem: matching.Problem) -> int:
    brute = BruteForce(problem)
    brute.take_pins()
    return brute.best()[0]


@any_problem
@given(small)
def test_bound_is_never_below_what_trying_everything_finds(document: dict[str, Any]) -> None:
    problem = matching.read_problem(document)
    rules = Rules(problem)
    search = PriceSearch(rules)
    search.step(1000)
    assert most_served(problem) <= verify(rules, search.prices()) == search.bound


@any_problem
@given(small, st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([1, 7, 1000]))
def test_any_prices_prove_a_true_bound(
    document: dict[str, Any], seed: int, dear: int, unit: int
) -> None:
    problem = matching.read_problem(document)
    rules = Rules(problem)
    shape = PriceSearch(rules).prices()
    chance = np.random.default_rng(seed)
    prices = Prices(
        unit,
        seat=chance.integers(0, dear * unit, len(shape.seat), endpoint=True),
        phone=chance.integers(0, dear * unit, len(shape.phone), endpoint=True),
    )
    assert most_served(problem) <= verify(rules, prices)


@any_problem
@given(problems(), st.integers(1, 2 * CLASS_ROUNDS))
def test_prices_prove_the_bound_of_the_search_at_any_moment(
    document: dict[str, Any], rounds: int
) -> None:
    rules = Rules(matching.read_problem(document))
    search = PriceSearch(rules)
    search.step(rounds)
    assert verify(rules, search.prices()) <= search.bound


PILOTS = sorted(name for name, known in KNOWN.items() if known.is_optimum)


@pytest.mark.parametrize("name", PILOTS)
def test_bound_of_a_pilot_is_within_two_percent_of_its_optimum(name: str) -> None:
    rules = Rules(matching.read_problem(INSTANCES / f"{name}.json.gz"))
    search = PriceSearch(rules)
    search.step(2000)
    served = KNOWN[name].served
    assert served <= verify(rules, search.prices()) == search.bound <= 1.02 * served


def test_same_rounds_give_the_same_prices_however_they_are_cut() -> None:
    rules = Rules(matching.read_problem(INSTANCES / "pilot-2.json.gz"))
    one, other = PriceSearch(rules), PriceSearch(rules)
    one.step(CLASS_ROUNDS + 50)
    for _ in range(CLASS_ROUNDS + 50):
        other.step()
    assert one.bound == other.bound
    assert one.prices().seat.tobytes() == other.prices().seat.tobytes()
    assert one.prices().phone.tobytes() == other.prices().phone.tobytes()


def bound_of(problem: matching.Problem) -> int:
    rules = Rules(problem)
    search = PriceSearch(rules)
    search.step(10_000)
    assert verify(rules, search.prices()) == search.bound
    return search.bound


def test_tutor_with_one_lesson_serves_the_heavier_of_two_subjects(make: Any) -> None:
    requests = [
        make.request("R1", weight=2),
        make.request("R2", "H2", level="2AC", weight=5),
    ]
    homes = [make.household("H1"), make.household("H2")]
    assert bound_of(make.problem([make.tutor(max_lessons_per_week=1)], homes, requests)) == 5


def test_lesson_has_no_more_seats_than_its_channel(make: Any) -> None:
    homes = [make.household(f"H{i}") for i in range(5)]
    requests = [make.request(f"R{i}", f"H{i}") for i in range(5)]
    tutor = make.tutor(max_lessons_per_week=1)
    assert bound_of(make.problem([tutor], homes, requests)) == 2
    assert bound_of(make.problem([{**tutor, "channels": ["call"]}], homes, requests)) == 1


def test_siblings_share_their_phone(make: Any) -> None:
    requests = [make.request("R1"), make.request("R2")]
    hour = [["mon", "18:00", "19:00"]]
    for phones in (1, 2):
        home = make.household(reachable=hour, phones=phones)
        assert bound_of(make.problem([make.tutor()], [home], requests)) == phones


def test_lessons_that_overlap_on_the_grid_use_phone_and_tutor_both_times(make: Any) -> None:
    requests = [make.request("R1"), make.request("R2")]
    ninety = [["mon", "18:00", "19:30"]]  # room for one lesson, though it may start twice
    home = make.household(reachable=ninety)
    assert bound_of(make.problem([make.tutor(), make.tutor("V2")], [home], requests)) == 1
    homes = [make.household(), make.household("H2")]
    apart = [make.request("R1"), make.request("R2", "H2")]
    tutor = make.tutor(available=ninety, channels=["call"])
    assert bound_of(make.problem([tutor], homes, apart)) == 1


def test_two_lessons_a_week_need_two_days(make: Any) -> None:
    both = [make.request(lessons_per_week=2)]
    assert bound_of(make.problem([make.tutor()], [make.household()], both)) == 0
    days = [["mon", "18:00", "20:00"], ["tue", "18:00", "20:00"]]
    tutor, home = make.tutor(available=days), make.household(reachable=days)
    assert bound_of(make.problem([tutor], [home], both)) == 1
    tutor["max_lessons_per_week"] = 1
    assert bound_of(make.problem([tutor], [home], both)) == 0


def test_lessons_without_a_start_count_against_the_most_lessons(make: Any) -> None:
    homes = [make.household("H1", reachable=None), make.household("H2")]
    requests = [make.request("R1", "H1"), make.request("R2", "H2", level="2AC")]
    for times in (None, make.tutor()["available"]):
        for most in (1, 2):
            tutor = make.tutor(available=times, max_lessons_per_week=most)
            assert bound_of(make.problem([tutor], homes, requests)) == most


def test_needs_are_met_by_those_who_have_the_tags(make: Any) -> None:
    requests = [make.request("R1", needs=["woman"]), make.request("R2", "H2")]
    homes = [make.household("H1"), make.household("H2")]
    tutors = [make.tutor("V1", max_lessons_per_week=1, channels=["call"])]
    assert bound_of(make.problem(tutors, homes, requests[:1])) == 0
    tutors.append(make.tutor("V2", tags=["woman"], max_lessons_per_week=1, channels=["call"]))
    assert bound_of(make.problem(tutors, homes, requests)) == 2


def test_nothing_asked_or_nobody_there_is_bound_by_nothing(make: Any) -> None:
    assert bound_of(make.problem([], [], [])) == 0
    assert bound_of(make.problem([make.tutor()], [make.household()], [])) == 0
    assert bound_of(make.problem([], [make.household()], [make.request()])) == 0


def test_largest_weight_is_bound_exactly(make: Any) -> None:
    requests = [make.request("R1", weight=10**9), make.request("R2", weight=1)]
    assert bound_of(make.problem([make.tutor()], [make.household()], requests)) == 10**9 + 1


def test_more_classes_than_can_be_listed_are_not_priced(make: Any) -> None:
    names = [f"L{i}" for i in range(600)]
    week = [[day, "00:00", "24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    tutor = make.tutor(languages=names, available=week)
    home = make.household(languages=names, reachable=week)
    requests = [make.request(f"R{i}") for i in range(30)]
    problem = make.problem([tutor], [home], requests, start_every=5)
    search = PriceSearch(Rules(problem))
    assert search.finished
    assert search.bound == 30


def test_prices_of_another_problem_are_refused(make: Any) -> None:
    rules = Rules(make.problem([make.tutor()], [make.household()], [make.request()]))
    prices = PriceSearch(rules).prices()
    with pytest.raises(ValueError, match="things to price"):
        verify(rules, Prices(prices.unit, prices.seat[1:], prices.phone))
    with pytest.raises(ValueError, match="negative"):
        verify(rules, Prices(prices.unit, prices.seat, prices.phone - 1))
    with pytest.raises(ValueError, match="positive"):
        verify(rules, Prices(0, prices.seat, prices.phone))
