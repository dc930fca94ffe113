"""The growth of the time: fitted, told and drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.growth import Point, draw, fit, report, seconds_given


def points(exponent: float) -> list[Point]:
    return [Point(n, 2e-4 * n**exponent, n, 10.0) for n in (1_000, 10_000, 100_000)]


def test_exponent_of_a_power_is_found() -> None:
    line = fit(points(1.1))
    assert line.exponent == pytest.approx(1.1)
    assert line.factor == pytest.approx(2e-4)
    assert line.seconds(10_000) == pytest.approx(2e-4 * 10_000**1.1)


def test_noise_is_evened_out_by_least_squares() -> None:
    noisy = [
        Point(p.pupils, p.seconds * f, 1, 1) for p, f in zip(points(1), (1, 2, 1), strict=True)
    ]
    assert fit(noisy).exponent == pytest.approx(1.0)


def test_no_time_at_all_counts_as_the_shortest_that_is_told() -> None:
    line = fit([Point(1_000, 0.0, 1, 1), Point(10_000, 0.1, 1, 1)])
    assert line.exponent == pytest.approx(1.0)


def test_larger_problems_are_given_what_the_goals_give() -> None:
    assert [round(seconds_given(n)) for n in (1_000, 10_000, 100_000)] == [10, 60, 300]
    assert 10 < seconds_given(3_162) < 60 < seconds_given(31_623) < 300


def test_report_says_whether_the_goal_is_met() -> None:
    assert list(report(points(1.1)))[-1] == "  grows as n^1.10: met"
    assert list(report(points(1.5)))[-1] == "  grows as n^1.50: missed, 1.2 wanted"
    assert len(list(report(points(1.1)[:1]))) == 1


def test_same_points_are_drawn_in_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for file in files:
        draw(points(1.1), file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert "n^1.10" in files[0].read_text()
