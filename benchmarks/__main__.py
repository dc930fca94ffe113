"""`python -m benchmarks`: measure the engine on every file, beside others and beside its goals.

Ends with 1 if a plan breaks a rule or contradicts what is known; a goal that is missed is printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import deeper_levels, growth, pilots, table
from benchmarks.baselines import NAMES, Entry, compare
from benchmarks.generator import Shape, generate
from benchmarks.goals import GENERATED, GOALS, PILOT, Goal, wrong
from benchmarks.known import KNOWN
from benchmarks.measure import Run, solve
from benchmarks.table import NOT_RUN, Row
from benchmarks.timeline import spent_in
from matching.io import write

INSTANCES = Path(__file__).parent / "instances"
PLOT = Path(__file__).parents[1] / "docs" / "growth.svg"
PILOTS = ("khouribga", *(f"pilot-{i}" for i in range(1, 21)))
FILES = ("lernfair", "k1", "k1-mixed", "k10", "k100")
# Other seeds than those of the files: few tutors, many tutors, two lessons a week.
MADE = {
    "made-tight": Shape(1_000, seed=11, tightness=4.0),
    "made-loose": Shape(1_000, seed=12, tightness=1.4),
    "made-twice": Shape(1_000, seed=13, tightness=2.5, two_lessons=0.4),
}
LEVELS_COMPARED = ("khouribga", "k1", "k1-mixed", "k10", "k100")
QUICK = ("khouribga", "pilot-1", "pilot-2", "k1", "made-tight")
QUICK_PILOT_SECONDS = 10.0
OTHERS_SECONDS = {"blossom": 60.0, "assignment": 60.0, "plain CP-SAT": 40.0}
QUICK_OTHERS_SECONDS = 10.0
WARM_UP = ("--iterations", "20")
LONGER, LONGER_SECONDS = "k1", 60.0
# Explaining and repairing are measured on this one.
LARGE = "k10"
REASONS_SECONDS = 0.5
ADVICE_SECONDS = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = [*PILOTS, *FILES, *MADE]
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--only", nargs="+", choices=known, metavar="NAME", help="some files alone")
    parser.add_argument("--no-baselines", action="store_true", help="the greedy alone beside")
    options = parser.parse_args()
    names = options.only or (QUICK if options.quick else known)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), quick=options.quick, baselines=not options.no_baselines)
        bench.warm_up()
        bench.print_rows(names)
        bench.print_longer()
        bench.print_pilots()
        bench.print_deeper_levels()
        bench.print_answers()
    if names == known:
        print_growth()
    for what in bench.wrong:
        print(f"WRONG {what}")
    return 1 if bench.wrong else 0


class Bench:
    """What was measured so far."""

    def __init__(self, folder: Path, *, quick: bool, baselines: bool) -> None:
        self.folder = folder
        self.quick = quick
        self.baselines = baselines
        self.rows: dict[str, Row] = {}
        self.wrong: list[str] = []

    def problem(self, name: str) -> Path:
        """The file of an instance; those that are made are written now."""
        if name not in MADE:
            return INSTANCES / f"{name}.json.gz"
        path = self.folder / f"{name}.json.gz"
        if not path.exists():
            write(path, generate(MADE[name]))
        return path

    def plan(self, name: str) -> Path:
        return self.folder / f"{name}.plan.json"

    def warm_up(self) -> None:
        """Fill the cache of compiled loops, and print what a machine without it has to wait."""
        problem = self.problem("k1")
        with tempfile.TemporaryDirectory() as empty:
            cold = solve(problem, *WARM_UP, cache=Path(empty))
        solve(problem, *WARM_UP)
        warm = solve(problem, *WARM_UP)
        print(
            f"compiling once on a new machine: {cold.seconds - warm.seconds:.1f} s (k1, 20"
            f" iterations: {cold.seconds:.1f} s cold, {warm.seconds:.1f} s warm)\n",
            flush=True,
        )

    # --- the table

    def print_rows(self, names: Sequence[str]) -> None:
        print(table.HEADINGS, flush=True)
        for name in names:
            self.rows[name] = row = self.row(name)
            print(row, flush=True)
            self.wrong += wrong(name, row.run)

    def row(self, name: str) -> Row:
        goal = self.goal(name)
        path = self.problem(name)
        run = solve(path, "--seconds", f"{goal.seconds:g}", out=self.plan(name))
        greedy = solve(path, "--iterations", "0")
        self.wrong += [f"{name}, greedy: {violation}" for violation in greedy.violations]
        others = tuple(self.others(name))
        return Row(name, run, greedy.weight, others, None if name in MADE else goal)

    def goal(self, name: str) -> Goal:
        if name in PILOTS:
            return replace(PILOT, seconds=QUICK_PILOT_SECONDS) if self.quick else PILOT
        return GENERATED if name in MADE else GOALS[name]

    def others(self, name: str) -> Iterator[Entry]:
        """The comparisons; of the pilots, on which everything is quick, one has them."""
        for other in NAMES:
            if not self.baselines or name in PILOTS[1:]:
                yield NOT_RUN
            else:
                seconds = QUICK_OTHERS_SECONDS if self.quick else OTHERS_SECONDS[other]
                yield compare(other, self.problem(name), seconds)

    # --- below the table

    def print_longer(self) -> None:
        """What the smallest of the large files comes to when it has time."""
        if LONGER not in self.rows or self.quick:
            return
        run = solve(self.problem(LONGER), "--seconds", f"{LONGER_SECONDS:g}")
        self.wrong += wrong(LONGER, run)
        best = KNOWN[LONGER].served
        met = "met" if run.weight >= best else "missed, 100% wanted"
        print(
            f"\n{LONGER}, {LONGER_SECONDS:g} s: {run.weight} served, bound {run.bound},"
            f" {run.weight / best:.2%} of the best known: {met}",
            flush=True,
        )

    def print_pilots(self) -> None:
        rows = [row for name, row in self.rows.items() if name in PILOTS]
        if rows:
            print("\npilots")
            print("\n".join(pilots.summary(rows)), flush=True)

    def print_deeper_levels(self) -> None:
        """Levels 2 to 4 on some files, against runs that skip them."""
        names = [name for name in LEVELS_COMPARED if name in self.rows]
        if names:
            print("\nlevels 2 to 4, against a run that skips them", flush=True)
        for name in names:
            first, full = deeper_levels.runs(self.problem(name))
            self.wrong += wrong(name, first) + wrong(name, full)
            for line in deeper_levels.compared(name, first, full):
                print(line, flush=True)

    def print_answers(self) -> None:
        """Reasons, advice and repair where 10,000 pupils are among the files."""
        if LARGE not in self.rows:
            return
        print(f"\nanswers, {LARGE}")
        run = self.rows[LARGE].run
        print(_timed(f"{run.unserved} reasons", run, "reasons", REASONS_SECONDS))
        print(_timed(f"{run.advice} lines of advice", run, "advice", ADVICE_SECONDS), flush=True)
        command = [sys.executable, "-m", "benchmarks.answers"]
        command += [str(self.problem(LARGE)), str(self.plan(LARGE))]
        if subprocess.run(command, check=False).returncode:
            self.wrong.append(f"{LARGE}: a repaired plan breaks a rule")


def _timed(what: str, run: Run, phase: str, most: float) -> str:
    seconds = spent_in(run.lines, phase)
    if seconds is None:
        return f"  {what}: not measured"
    return f"  {what}: {seconds:.2f} s: {'met' if seconds < most else f'missed, {most:g} s wanted'}"


def print_growth() -> None:
    print("\ngrowth", flush=True)
    points = list(growth.measure(growth.SIZES))
    print("\n".join(growth.report(points)), flush=True)
    growth.draw(points, PLOT)


if __name__ == "__main__":
    sys.exit(main())
