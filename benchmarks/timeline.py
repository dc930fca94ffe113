"""When things happened in a run, by its progress lines. Seconds beyond start-up begin when the
problem has been read: Python, its modules and the file are there by then, and what only the search
needs is loaded later."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import WEIGHT_PHASES, Line, Run


def start_up(lines: Sequence[Line]) -> float:
    """Seconds until the problem was read."""
    return next((line.seconds for line in lines if line.phase != "reading"), 0.0)


def loading(lines: Sequence[Line]) -> float:
    """Seconds from the greedy's plan to the first line of the search."""
    greedy = [line for line in lines if line.phase == "greedy"]
    search = next((line for line in lines if line.phase == "weight_served"), None)
    if search is None or not greedy:
        return 0.0
    done = next(line for line in greedy if line.best == greedy[-1].best)
    return search.seconds - done.seconds


def spent_in(lines: Sequence[Line], phase: str) -> float | None:
    """Seconds from the first line of a phase to the first of the next; None if there is none."""
    began = next((line.seconds for line in lines if line.phase == phase), None)
    if began is None:
        return None
    seen = False
    for line in lines:
        if line.phase == phase:
            seen = True
        elif seen:
            return line.seconds - began
    return lines[-1].seconds - began


def reached(run: Run, share: float) -> float | None:
    """Seconds beyond start-up until this share of the weight finally served was served."""
    wanted = share * run.weight
    for line in run.lines:
        if line.phase in WEIGHT_PHASES and line.best is not None and line.best >= wanted:
            return line.seconds - start_up(run.lines)
    return None


def coverage_proved(run: Run) -> float | None:
    """Seconds beyond start-up until the weight served was proved the most; None if it wasn't.

    That is when best and bound meet, or when the search goes on to the zones.
    """
    if not run.levels_proved:
        return None
    searched = False
    for line in run.lines:
        weighing = line.phase in WEIGHT_PHASES
        if searched and not weighing:
            return line.seconds - start_up(run.lines)
        if weighing and line.best is not None and line.best == line.bound:
            return line.seconds - start_up(run.lines)
        searched = searched or weighing
    return None
