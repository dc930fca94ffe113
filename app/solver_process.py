"""The child process that solves: `python -m matching solve`, fed by a file, heard on its stderr.

It never touches the database, and ends when its parent does: the pipe that it reports to breaks.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from app.services.solving import ClaimedRun, Progress
from config import ROOT

_LAST_WORDS = 20
_STARTING = "starting"
_SETTINGS = "N9RAW_"
"""How the names of our settings begin; the child needs none, and some hold passwords."""


class SolveFailed(RuntimeError):
    """The child ended without a plan; the message is what it said last."""


class SolverProcess:
    """A child solving one run, as a context manager; leaving it ends the child."""

    def __init__(self, run: ClaimedRun) -> None:
        self._run = run
        self._progress = Progress(_STARTING, None, None, 0.0)
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="n9raw-run-")
        problem, self._plan = (Path(self._folder.name) / n for n in ("problem.json", "plan.json"))
        problem.write_text(json.dumps(self._run.problem, ensure_ascii=False), encoding="utf-8")
        self._child = subprocess.Popen(
            self._command(problem),
            cwd=ROOT,
            env={k: value for k, value in os.environ.items() if not k.startswith(_SETTINGS)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C in a terminal is for the worker, which then ends its child in its own way.
            start_new_session=True,
        )
        assert self._child.stderr is not None
        self._listener = threading.Thread(target=self._listen, args=(self._child.stderr,))
        self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        self._listener.join()
        assert self._child.stderr is not None
        self._child.stderr.close()
        self._folder.cleanup()

    def progress(self) -> Progress:
        """How far the child said that it is."""
        return self._progress

    def ended(self, within_seconds: float) -> bool:
        """Wait so long at most; True once the child has ended."""
        try:
            self._child.wait(timeout=within_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def ask_to_stop(self) -> None:
        """Have the child write the best plan that it has, and end.

        One that has not spoken yet might not be listening either, and would die of the signal; it
        is left alone, so ask again.
        """
        if self._progress.phase != _STARTING:
            self._child.send_signal(signal.SIGTERM)

    def plan(self) -> dict[str, Any]:
        """The plan that an ended child wrote; SolveFailed if it wrote none."""
        self._listener.join()
        if self._child.returncode != 0 or not self._plan.exists():
            said = " ".join(self._last_words) or "nothing"
            raise SolveFailed(f"the solver ended with {self._child.returncode}, saying: {said}")
        plan: dict[str, Any] = json.loads(self._plan.read_text(encoding="utf-8"))
        return plan

    def _command(self, problem: Path) -> list[str]:
        run = self._run
        limit = (
            ["--seconds", str(run.seconds)]
            if run.iterations is None
            else ["--iterations", str(run.iterations)]
        )
        options = [*limit, "--seed", str(run.seed), "--progress", "json"]
        return [
            sys.executable, "-m", "matching", "solve", str(problem), "--out", str(self._plan),
            *options,
        ]  # fmt: skip

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            try:
                said = json.loads(line)
                self._progress = _heard(self._progress, said)
            except (ValueError, KeyError, TypeError):
                self._last_words.append(line.strip())


def _heard(before: Progress, said: dict[str, Any]) -> Progress:
    """The progress after one more line of the child; weights stay once known."""
    heard = replace(before, phase=said["phase"], seconds=said["seconds"])
    if said["phase"] in ("greedy", "weight_served"):
        best, bound = said["best"], said["bound"]
        heard = replace(
            heard,
            best_weight=_keep(max, before.best_weight, best),
            bound_weight=_keep(min, before.bound_weight, bound),
        )
    return heard


def _keep(better: Callable[[int, int], int], known: int | None, said: int | None) -> int | None:
    """The better of what was known and what is said; a search may speak of a lesser plan."""
    if known is None or said is None:
        return said if known is None else known
    return better(known, said)
