"""The commands, with their options, exit codes and messages."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from matching import (
    FormatError,
    Problem,
    check,
    helpful_windows,
    plan_to_json,
    read_plan,
    read_problem,
    repair,
    solve,
)
from matching.io import window_to_json, write
from matching.plan import LEVEL_NAMES, Plan
from matching.progress import Show, json_lines
from matching.stop import Cancelled, FirstOf, MaxIterations, MaxRuntime, Stop

USAGE = 2
WRONG = 1
STARTED = time.monotonic()

# What comes after the search, bound and reasons and check and writing, takes so much of the time.
RESERVE_SECONDS = 0.5
RESERVE_SECONDS_A_REQUEST = {"solve": 0.0004, "repair": 0.0003}


def main(arguments: Sequence[str], ending: Collection[signal.Signals]) -> int:
    """Run a command; the signals in `ending` are blocked, and stop a search when they come."""
    options = _parser().parse_args(arguments)
    # Next to nothing made here refers to itself; looking for it again and again among the
    # millions of values of a large problem takes half the time.
    gc.disable()
    try:
        if options.command == "check":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ending)
            return _check(options)
        if options.command == "windows":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ending)
            return _windows(options)
        return _search(options, ending)
    except FormatError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
    return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m matching", description="Match tutors.")
    commands = parser.add_subparsers(dest="command", required=True)
    solving = commands.add_parser("solve", help="write the best plan found for a problem")
    solving.add_argument("problem", type=Path, metavar="PROBLEM.json")
    solving.add_argument(
        "--levels",
        type=int,
        choices=range(1, len(LEVEL_NAMES) + 1),
        default=len(LEVEL_NAMES),
        help="improve only the first so many levels",
    )
    _add_search_options(solving, "PLAN.json", seconds=50.0)
    repairing = commands.add_parser("repair", help="adapt a plan to a problem that has changed")
    repairing.add_argument("problem", type=Path, metavar="PROBLEM.json")
    repairing.add_argument("plan", type=Path, metavar="PLAN.json")
    repairing.add_argument(
        "--limit", type=_count, required=True, help="at most so many pairs that stand may change"
    )
    _add_search_options(repairing, "NEW.json", seconds=10.0)
    checking = commands.add_parser("check", help="verify a plan against every hard rule")
    checking.add_argument("problem", type=Path, metavar="PROBLEM.json")
    checking.add_argument("plan", type=Path, metavar="PLAN.json")
    windows = commands.add_parser("windows", help="tell which windows would help if they moved")
    windows.add_argument("problem", type=Path, metavar="PROBLEM.json")
    windows.add_argument("plan", type=Path, metavar="PLAN.json")
    windows.add_argument("--limit", type=_count, default=10, help="so many lines (default 10)")
    return parser


def _add_search_options(command: argparse.ArgumentParser, out: str, seconds: float) -> None:
    command.add_argument("--out", type=Path, required=True, metavar=out)
    limit = command.add_mutually_exclusive_group()
    limit.add_argument(
        "--seconds",
        type=_seconds,
        default=seconds,
        help=f"from process start to plan (default {seconds:g})",
    )
    limit.add_argument("--iterations", type=_count, help="a limit that involves no clock")
    command.add_argument("--seed", type=_count, default=0)
    command.add_argument("--progress", choices=["json"], help="one object a line on stderr")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError(text)
    return count


def _check(options: argparse.Namespace) -> int:
    problem = _read(options.problem)
    violations = check(problem, _read_plan(options.plan))
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    return WRONG if violations else 0


def _windows(options: argparse.Namespace) -> int:
    problem = _read(options.problem)
    for line in helpful_windows(problem, _read_plan(options.plan), options.limit):
        found = {
            "household": line.household,
            "window": window_to_json(line.window),
            "moved": window_to_json(line.moved),
            "adds": line.adds,
            "requests": line.requests,
        }
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    return 0


def _read(path: Path) -> Problem:
    try:
        return read_problem(path)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def _read_plan(path: Path) -> Plan:
    try:
        return read_plan(path)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def _search(options: argparse.Namespace, ending: Collection[signal.Signals]) -> int:
    cancelled = Cancelled()
    threading.Thread(target=_cancel_on, args=(ending, cancelled), daemon=True).start()
    with _progress(options.progress) as show:
        problem = _read(options.problem)
        old = _read_plan(options.plan) if options.command == "repair" else None
        if not options.out.parent.is_dir():
            raise FormatError(f"{options.out}: no such folder to write to")
        stop = FirstOf(cancelled, _limit(options, problem))
        if old is None:
            plan = solve(
                problem, stop=stop, seed=options.seed, progress=show, levels=options.levels
            )
        else:
            plan = repair(
                problem, old, limit=options.limit, stop=stop, seed=options.seed, progress=show
            )
        show("checking", plan.objective.weight_served, plan.bound)
        violations = check(problem, plan)
        if violations:
            raise RuntimeError(f"the plan found breaks a rule: {violations[0]}")
        if plan.seconds is not None:
            plan = replace(plan, seconds=round(elapsed(), 2))
        _write(options.out, plan)
        show("written", plan.objective.weight_served, plan.bound)
    if plan.seconds is not None and plan.seconds > options.seconds and not options.progress:
        sys.stderr.write(
            f"took {plan.seconds} s, not {options.seconds:g}: a first plan, its reasons and its"
            " check need that long\n"
        )
    return 0


def _write(path: Path, plan: Plan) -> None:
    write(path, plan_to_json(plan))


def _limit(options: argparse.Namespace, problem: Problem) -> Stop:
    if options.iterations is not None:
        return MaxIterations(options.iterations)
    a_request = RESERVE_SECONDS_A_REQUEST[options.command]
    reserve = RESERVE_SECONDS + a_request * len(problem.requests)
    return MaxRuntime(options.seconds - elapsed() - reserve)


def _cancel_on(ending: Collection[signal.Signals], cancelled: Cancelled) -> None:
    """Waits for a signal; the main thread may be deep in the solver and would not hear it."""
    signal.sigwait(ending)
    cancelled.cancel()


@contextmanager
def _progress(kind: str | None) -> Iterator[Show]:
    if kind is None:
        yield lambda phase, best, bound: None
    else:
        with json_lines(elapsed) as show:
            yield show


def elapsed() -> float:
    """Seconds since this process was started, or since this module was loaded, if unknown."""
    try:
        stat = Path("/proc/self/stat").read_text()
        up = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return time.monotonic() - STARTED
    ticks = int(stat.rpartition(")")[2].split()[19])
    return up - ticks / os.sysconf("SC_CLK_TCK")
