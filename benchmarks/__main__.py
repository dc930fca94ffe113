"""`python -m benchmarks`: solve every instance as a user would, and print what came out.

Each is solved twice by the command line in a process of its own: once with no search at all
(the plain greedy), once with a time limit; the largest, which is not searched, only once. Plans
are checked, and optimal weights that are known are compared; a difference ends in exit code 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.known import OPTIMA

INSTANCES = Path(__file__).parent / "instances"
PILOTS = [f"pilot-{i}" for i in range(1, 21)]
LARGE = ["k1", "k1-mixed", "lernfair", "k10"]
LARGEST = ["k100"]
QUICK = ["khouribga", "pilot-1", "pilot-2", "k1"]


@dataclass(frozen=True, slots=True)
class Run:
    plan: dict[str, Any]
    seconds: float
    megabytes: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--seconds", type=float, default=15, help="for each instance (default 15)")
    options = parser.parse_args()
    names = QUICK if options.quick else ["khouribga", *PILOTS, *LARGE, *LARGEST]
    print(
        f"{'instance':<10} {'asked':>6} {'greedy':>6} {'weight':>6} {'bound':>6} {'gap':>6}"
        f" {'s':>6} {'MB':>5}  proved"
    )
    wrong = []
    for name in names:
        path = INSTANCES / f"{name}.json.gz"
        best = run(path, "--seconds", str(options.seconds))
        greedy = best if name in LARGEST else run(path, "--iterations", "0")
        print(line(name, greedy, best), flush=True)
        known = OPTIMA.get(name)
        if known and best.plan["objective"]["weight_served"] != known.served:
            wrong.append(f"{name}: the optimum is {known.served}")
    for what in wrong:
        print(what)
    return 1 if wrong else 0


def line(name: str, greedy: Run, best: Run) -> str:
    plan = best.plan
    asked = sum(zone[2] for zone in plan["zones"])
    weight, bound = plan["objective"]["weight_served"], plan["bound"]["weight_served"]
    proved = [level["name"] for level in plan["levels"] if level["proved"]]
    return (
        f"{name:<10} {asked:>6} {greedy.plan['objective']['weight_served']:>6} {weight:>6}"
        f" {bound:>6} {(bound - weight) / bound:>6.1%} {best.seconds:>6.1f}"
        f" {best.megabytes:>5.0f}  {' '.join(proved) or '-'}"
    )


def run(problem: Path, *limit: str) -> Run:
    """Solve in a child process, check its plan, and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "plan.json"
        solving = [sys.executable, "-m", "matching", "solve", problem, "--out", out, *limit]
        began = time.monotonic()
        with subprocess.Popen([str(part) for part in solving]) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        if process.returncode:
            raise SystemExit(f"{problem.name}: solving ended with {process.returncode}")
        subprocess.run([sys.executable, "-m", "matching", "check", problem, out], check=True)
        return Run(json.loads(out.read_bytes()), seconds, used.ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
