"""How long questions about a finished plan take beyond reading: which windows to move, and repairs.

python -m benchmarks.answers PROBLEM.json PLAN.json
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import matching
from benchmarks import repairs
from matching.plan import Plan
from matching.problem import Problem


def windows(problem: Problem, plan: Plan) -> str:
    """A line about the families whose windows, moved by an hour, would serve them."""
    began = time.monotonic()
    moves = matching.helpful_windows(problem, plan)
    seconds = time.monotonic() - began
    adds = sum(move.adds for move in moves)
    return f"  {len(moves)} windows to move: {seconds:.2f} s (weight {adds:+} in all)"


def main(arguments: Sequence[str]) -> int:
    """Print a line for each question; 1 if a repaired plan breaks a rule."""
    problem = matching.read_problem(Path(arguments[0]))
    plan = matching.read_plan(Path(arguments[1]))
    print(windows(problem, plan), flush=True)
    wrong = False
    for line, violation in repairs.measure(problem, plan):
        print(line if violation is None else f"{line}; WRONG {violation}", flush=True)
        wrong = wrong or violation is not None
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
