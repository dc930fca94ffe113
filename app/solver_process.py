"""The child process that solves: `python -m matching`, fed by files, heard on its stderr.

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
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from app.services.repairing import solvable
from app.services.solving import ClaimedRun, Progress
from config import ROOT
from matching import FormatError

_LAST_WORDS = 20
_STARTING = "starting"
_WINDOWS = "windows"
_WINDOWS_TOLD = 10
_NOT_OF_WEIGHT = ("zones", "kept", "cost")
"""The phases whose figures are not weights."""
_SETTINGS = "N9RAW_"
"""How the names of our settings begin; the child needs none, and some hold passwords."""


class SolveFailed(RuntimeError):
    """The child ended without a plan; the message is what it said last."""


class SolverProcess:
    """A child solving one run, as a context manager; leaving it ends the child.

    In a repair, the requests in `staying` keep their places.
    """

    def __init__(self, run: ClaimedRun, staying: Collection[str] = ()) -> None:
        self._run = run
        self._staying = staying
        self._progress = Progress(_STARTING, None, None, 0.0)
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="n9raw-run-")
        try:
            self._spawn(*self._search())
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child.poll() is None:
            self._child.kill()
        self._see_off()
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
        if self._child.returncode != 0 or not self._path("plan").exists():
            said = " ".join(self._last_words) or "nothing"
            raise SolveFailed(f"the solver ended with {self._child.returncode}, saying: {said}")
        plan: dict[str, Any] = json.loads(self._path("plan").read_text(encoding="utf-8"))
        return plan

    def look_for_windows(self) -> None:
        """Have another child say whose hours would serve them an hour later or earlier.

        Called once the first has ended with a plan.
        """
        self._see_off()
        self._progress = replace(self._progress, phase=_WINDOWS)
        files = str(self._path("problem")), str(self._path("plan"))
        self._spawn("windows", *files, "--limit", str(_WINDOWS_TOLD))

    def windows(self) -> list[dict[str, Any]] | None:
        """The lines that the ended child wrote; None if it failed."""
        if self._child.returncode != 0:
            return None
        lines = self._path("said").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def _path(self, name: str) -> Path:
        return Path(self._folder.name) / f"{name}.json"

    def _write(self, name: str, document: dict[str, Any]) -> str:
        path = self._path(name)
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        return str(path)

    def _search(self) -> list[str]:
        """The command that searches, its files written."""
        run = self._run
        limit = (
            ["--seconds", str(run.seconds)]
            if run.iterations is None
            else ["--iterations", str(run.iterations)]
        )
        out = ["--out", str(self._path("plan"))]
        options = [*out, *limit, "--seed", str(run.seed), "--progress", "json"]
        if run.may_move is None:
            return ["solve", self._write("problem", run.problem), *options]
        try:
            problem, in_force = solvable(run.problem, self._staying)
        except FormatError as error:
            raise SolveFailed(str(error)) from error
        files = [self._write("problem", problem), self._write("in_force", in_force)]
        return ["repair", *files, "--limit", str(run.may_move), *options]

    def _spawn(self, *command: str) -> None:
        with self._path("said").open("wb") as said:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "matching", *command],
                cwd=ROOT,
                env={k: value for k, value in os.environ.items() if not k.startswith(_SETTINGS)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.PIPE,
                text=True,
                # Ctrl-C in a terminal is for the worker, which then ends its child in its own way.
                start_new_session=True,
            )
        assert self._child.stderr is not None
        self._listener = threading.Thread(target=self._listen, args=(self._child.stderr,))
        self._listener.start()

    def _see_off(self) -> None:
        """Wait for the child, and put down what listened to it."""
        self._child.wait()
        self._listener.join()
        assert self._child.stderr is not None
        self._child.stderr.close()

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
    if said["phase"] not in _NOT_OF_WEIGHT:
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
