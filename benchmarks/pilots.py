"""The pilots in few lines: was coverage proved, how soon, and how far did the levels come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.measure import LEVELS
from benchmarks.table import Row
from benchmarks.timeline import coverage_proved

MEDIAN_SECONDS = 2.0
WORST_SECONDS = 10.0
ALL_LEVELS_SECONDS = 60.0
ALL_LEVELS_SHARE = 15 / 21


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """Lines about the pilots among the rows, goals included."""
    count = len(rows)
    took = sorted(t for row in rows if (t := coverage_proved(row.run)) is not None)
    yield _verdict(f"coverage proved on {len(took)} of {count}", len(took) == count)
    if took:
        soon = median(took) <= MEDIAN_SECONDS and took[-1] <= WORST_SECONDS
        what = f"median {median(took):.2f} s, worst {took[-1]:.2f} s beyond start-up"
        yield _verdict(what, soon and len(took) == count)
    full = sum(
        row.run.levels_proved == len(LEVELS) and row.run.seconds <= ALL_LEVELS_SECONDS
        for row in rows
    )
    what = f"all four levels proved within {ALL_LEVELS_SECONDS:g} s on {full} of {count}"
    yield _verdict(what, full >= ALL_LEVELS_SHARE * count)
    for depth, name in enumerate(LEVELS, start=1):
        proved = sum(row.run.levels_proved >= depth for row in rows)
        yield f"  {name:<13} proved on {proved} of {count}"


def _verdict(what: str, met: bool) -> str:
    return f"  {what}: {'met' if met else 'missed'}"
