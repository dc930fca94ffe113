"""Levels 2 to 4 against a run that skips them: they must cost level 1 nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Run, solve

# Not seconds: the same iterations take both runs to the same place before the second level begins.
ITERATIONS = 1_000


def runs(problem: Path) -> tuple[Run, Run]:
    """A run that seeks level 1 alone, and one that goes on from there through all levels."""
    limit = "--iterations", str(ITERATIONS)
    return solve(problem, *limit, "--levels", "1"), solve(problem, *limit)


def compared(name: str, first: Run, full: Run) -> Iterator[str]:
    """Two lines: what each run reached on every level, and what came of it."""
    yield f"  {name:<12} level 1 alone  {_reached(first)}"
    verdicts = [
        "level 1 kept" if full.weight >= first.weight else f"level 1 -{first.weight - full.weight}",
        "zones better" if full.level("zones") > first.level("zones") else "zones not better",
        _change("kept", full.level("kept") - first.level("kept")),
        _change("cost", full.level("cost") - first.level("cost")),
    ]
    yield f"  {'':<12} all levels     {_reached(full)}  {', '.join(verdicts)}"


def _reached(run: Run) -> str:
    least = ",".join(map(str, run.level("zones")[:3]))
    return (
        f"weight {run.weight:>6}  least zones {least:<12} kept {run.level('kept'):>5}"
        f"  cost {run.level('cost'):>7}"
    )


def _change(name: str, change: int) -> str:
    return f"{name} {change:+}"
