"""The comparisons, each in a process of its own with a limit of time and memory.

    python -m benchmarks.baselines blossom benchmarks/instances/k1.json.gz --seconds 60

prints the weight served as JSON. The fourth comparison, the scarcest-first greedy, is the engine's
own first plan: `python -m matching solve --iterations 0`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matching
from benchmarks.seating import Seating

NAMES = ("blossom", "assignment", "plain CP-SAT")
MOST_BYTES = 2 * 1024**3
# Beyond the search of plain CP-SAT: loading, reading, building the model and writing it down.
BUILDING_SECONDS = 60.0


class RuleBroken(Exception):
    """A comparison broke a hard rule: its weight would say nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a comparison served, or why there is no figure."""

    weight: int | None
    why: str = ""

    def __str__(self) -> str:
        return self.why if self.weight is None else str(self.weight)


def compare(name: str, problem: Path, seconds: float) -> Entry:
    """The weight that the comparison serves in so many seconds; raises RuleBroken."""
    command = [sys.executable, "-m", "benchmarks.baselines", name, problem, "--seconds", seconds]
    most = seconds + BUILDING_SECONDS if name == "plain CP-SAT" else seconds
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, timeout=most, check=False
        )
    except subprocess.TimeoutExpired:
        return Entry(None, f"not in {seconds:g} s")
    if b"MemoryError" in done.stderr or b"bad_alloc" in done.stderr:
        return Entry(None, "over 2 GB")
    if done.returncode:
        raise RuleBroken(f"{problem.name}, {name}: {done.stderr.decode()}")
    answer = json.loads(done.stdout)
    return Entry(answer.get("weight"), answer.get("why", ""))


def serve(name: str, seating: Seating, seconds: float) -> Entry:
    """Run a comparison here and now; raises RuleBroken, and takes as long as it takes."""
    if name == "blossom":
        from benchmarks.blossom import match_in_rounds

        match_in_rounds(seating)
    elif name == "assignment":
        from benchmarks.assignment import assign_to_seats

        assign_to_seats(seating)
    else:
        from benchmarks.plain_model import TooLarge, solve_plainly

        try:
            solve_plainly(seating, seconds)
        except TooLarge:
            return Entry(None, "too large")
    violations = seating.violations()
    if violations:
        raise RuleBroken(str(violations[0]))
    return Entry(seating.served())


def main(arguments: Sequence[str]) -> int:
    """Print the entry of one comparison as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baselines", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("problem", type=Path, metavar="PROBLEM.json")
    parser.add_argument("--seconds", type=float, default=40.0, help="search of plain CP-SAT")
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    seating = Seating(matching.read_problem(options.problem))
    entry = serve(options.name, seating, options.seconds)
    print(json.dumps({"weight": entry.weight, "why": entry.why}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
