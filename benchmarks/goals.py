"""What the engine is to reach on each file, and whether a run did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.known import KNOWN
from benchmarks.measure import Run


@dataclass(frozen=True, slots=True)
class Goal:
    """Limits of one file. `seconds` is given to the run, and may be passed by a tenth."""

    seconds: float
    megabytes: float | None = None
    of_best: float | None = None  # least share of the best weight known
    gap: float | None = None  # largest distance to the run's own bound, as a share of it
    over_greedy: float | None = None  # least multiple of the greedy's weight
    whole_command: float | None = None  # seconds from start to end, where they are a goal


# From process start to plan written, the interpreter's end and the clock's reading not included.
TOLERANCE = 1.1

PILOT = Goal(seconds=60, of_best=1.0)
GOALS = {
    "k1": Goal(seconds=10, megabytes=300, of_best=0.99),
    "k10": Goal(seconds=60, megabytes=600, of_best=0.99, gap=0.03),
    "k100": Goal(seconds=300, megabytes=1500, of_best=0.98, gap=0.03),
    "k1-mixed": Goal(seconds=10, over_greedy=1.05),
    "lernfair": Goal(seconds=10, of_best=1.0, whole_command=3),
}
GENERATED = Goal(seconds=10)


def missed(name: str, goal: Goal, run: Run, greedy: int) -> list[str]:
    """What of its goal a run missed, in words; empty if it met all."""
    return list(_missed(name, goal, run, greedy))


def _missed(name: str, goal: Goal, run: Run, greedy: int) -> Iterator[str]:
    best = KNOWN[name].served if name in KNOWN else None
    if goal.of_best is not None and best and run.weight < goal.of_best * best:
        yield f"{run.weight / best:.2%} of the best, not {goal.of_best:.0%}"
    if goal.gap is not None and run.gap > goal.gap:
        yield f"gap {run.gap:.1%}, not {goal.gap:.0%}"
    if goal.over_greedy is not None and run.weight < goal.over_greedy * greedy:
        yield f"greedy x {run.weight / greedy:.3f}, not {goal.over_greedy}"
    if goal.megabytes is not None and run.megabytes > goal.megabytes:
        yield f"{run.megabytes:.0f} MB, not {goal.megabytes:g}"
    most = goal.whole_command or goal.seconds * TOLERANCE
    if run.seconds > most:
        yield f"{run.seconds:.1f} s, not {goal.whole_command or goal.seconds:g}"


def wrong(name: str, run: Run) -> list[str]:
    """What cannot be right, whatever the goals: each makes the benchmark fail."""
    found = [f"{name}: {violation}" for violation in run.violations]
    if run.weight > run.bound:
        found.append(f"{name}: {run.weight} served, above its own bound {run.bound}")
    known = KNOWN.get(name)
    if known is None:
        return found
    if run.asked != known.asked:
        found.append(f"{name}: {run.asked} asked, not {known.asked}: not the file it was")
    if run.weight > known.bound:
        found.append(f"{name}: {run.weight} served, but no plan serves more than {known.bound}")
    if run.bound < known.served:
        found.append(f"{name}: bound {run.bound}, but a plan serves {known.served}")
    if known.is_optimum and run.weight != known.served:
        found.append(f"{name}: {run.weight} served, the optimum is {known.served}")
    return found
