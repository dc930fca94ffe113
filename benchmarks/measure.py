"""Run the command line in a process of its own, and measure it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# In these phases a progress line's best figure is the weight served.
WEIGHT_PHASES = ("greedy", "weight_served", "bound")
LEVELS = ("weight_served", "zones", "kept", "cost")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of `--progress json`; seconds since the process was started."""

    phase: str
    best: int | None
    bound: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """One `python -m matching solve`; seconds and megabytes are of the whole process.

    Of the plan, the figures are kept, and how many are unserved and lines of advice.
    """

    plan: Mapping[str, Any]
    unserved: int
    advice: int
    lines: Sequence[Line]
    seconds: float
    megabytes: float
    violations: Sequence[str]

    @property
    def asked(self) -> int:
        return sum(zone[2] for zone in self.plan["zones"])

    @property
    def weight(self) -> int:
        return int(self.plan["objective"]["weight_served"])

    @property
    def bound(self) -> int:
        return int(self.plan["bound"]["weight_served"])

    @property
    def gap(self) -> float:
        """How far the bound is above the weight, as a share of the bound."""
        return (self.bound - self.weight) / self.bound if self.bound else 0.0

    @property
    def levels_proved(self) -> int:
        return sum(level["proved"] for level in self.plan["levels"])

    def level(self, name: str) -> Any:
        """The value of a level."""
        return self.plan["levels"][LEVELS.index(name)]["value"]


def solve(problem: Path, *options: str, out: Path | None = None, cache: Path | None = None) -> Run:
    """Solve by the command line and check the plan. `cache`: a folder for compiled loops."""
    with tempfile.TemporaryDirectory() as folder:
        path = out or Path(folder) / "plan.json"
        command = [sys.executable, "-m", "matching", "solve", str(problem), "--out", str(path)]
        command += ["--progress", "json", *options]
        lines, seconds, megabytes = _measured(command, cache)
        checked = subprocess.run(
            [sys.executable, "-m", "matching", "check", str(problem), str(path)],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        violations = checked.stdout.splitlines()
        if checked.returncode and not violations:
            raise SystemExit(f"{problem.name}: checking ended with {checked.returncode}")
        plan = json.loads(path.read_bytes())
        unserved, advice = len(plan.pop("unserved")), len(plan.pop("advice"))
        del plan["groups"]  # of a large plan, hundreds of megabytes
        return Run(plan, unserved, advice, lines, seconds, megabytes, violations)


def _measured(command: Sequence[str], cache: Path | None) -> tuple[list[Line], float, float]:
    """Run a command; its progress, its wall time, and the most memory it had (MB)."""
    environment = {**os.environ, **({} if cache is None else {"NUMBA_CACHE_DIR": str(cache)})}
    began = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr
        lines, other = _parsed(process.stderr)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{''.join(other)}")
    return lines, time.monotonic() - began, used.ru_maxrss / 1024


def _parsed(stderr: Iterable[str]) -> tuple[list[Line], list[str]]:
    """The progress lines, and whatever else was said."""
    lines: list[Line] = []
    other: list[str] = []
    for text in stderr:
        if text.startswith("{"):
            found = json.loads(text)
            lines.append(
                Line(found["phase"], found["best"], found["bound"], float(found["seconds"]))
            )
        else:
            other.append(text)
    return lines, other
