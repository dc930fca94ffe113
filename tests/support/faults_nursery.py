"""Workers that are forked from a process which has imported the program already.

Importing takes two seconds and a fork some milliseconds, so that a hundred workers can be killed in
the time of two. A worker is a process of its own and runs what `flask worker` runs.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from config import ROOT
from tests.support.databases import SECRET_KEY

_SET_PARENT_DEATH_SIGNAL = 1


class Worker:
    """A worker process; `kill` is -9."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @property
    def runs(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Tell it to stop, and wait until it has."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + 60
        while self.runs:
            assert time.monotonic() < deadline, f"worker {self.pid} does not end"
            time.sleep(0.002)


class Nursery:
    """Starts workers, each with an environment of its own."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self.log = log
        self.workers: list[Worker] = []

    def start(self, database_url: str, settings: Mapping[str, str]) -> Worker:
        """A worker on a database, with these settings."""
        environment = {"N9RAW_DATABASE_URL": database_url, "N9RAW_SECRET_KEY": SECRET_KEY}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(environment | dict(settings)) + "\n")
        self._process.stdin.flush()
        worker = Worker(int(self._process.stdout.readline()))
        self.workers.append(worker)
        return worker

    def end(self, worker: Worker) -> None:
        worker.terminate()
        self.workers.remove(worker)

    def kill(self, worker: Worker) -> None:
        worker.kill()
        self.workers.remove(worker)

    def end_all(self) -> None:
        for worker in list(self.workers):
            self.end(worker)


@contextmanager
def running_nursery(
    folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Nursery]:
    """A nursery whose workers log into a file of `folder`; all of them end with it."""
    log = folder / "workers.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.faults_nursery"],
            cwd=ROOT,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    nursery = Nursery(process, log)
    try:
        yield nursery
    finally:
        for worker in list(nursery.workers):
            nursery.kill(worker)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=30)


def _raise_workers() -> None:
    import app.worker  # noqa: F401 - imported once, for all that are forked

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what ended leaves nothing behind
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _work(json.loads(line))
        answers.write(f"{pid}\n")
        answers.flush()


def _work(environment: dict[str, str]) -> None:
    """Be a worker, until told to stop."""
    from app import create_app
    from app.worker import run_worker

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    os.dup2(2, 1)
    os.environ.update(environment)
    code = 1
    try:
        run_worker(create_app())
        code = 0
    finally:
        if code:
            import traceback

            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _raise_workers()
