"""Workers and web servers, forked from a process which has imported the program already.

Importing takes two seconds and a fork some milliseconds, so that a hundred workers can be killed in
the time of two. Each is a process of its own and runs what `flask worker` or gunicorn runs.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import time_machine

from config import ROOT
from tests.support.databases import SECRET_KEY
from tests.support.workers import free_port, wait_for

CLOCK_OFFSET_FILE = "N9RAW_TESTS_CLOCK_OFFSET_FILE"
"""The environment's name for a file that says by how many seconds the clock is wrong."""
WEB_THREADS = 8
_SET_PARENT_DEATH_SIGNAL = 1


class Process:
    """A process of the nursery's; `kill` is -9."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @property
    def runs(self) -> bool:
        return psutil.pid_exists(self.pid)

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
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGUSR1)  # into the log, where it stands
                raise AssertionError(f"process {self.pid} does not end")
            time.sleep(0.002)


class Nursery:
    """Starts workers, each with an environment of its own."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self.log = log
        self.workers: list[Process] = []

    def start(self, database_url: str, settings: Mapping[str, str]) -> Process:
        """A worker on a database, with these settings."""
        worker = self._fork(database_url, settings, None)
        self.workers.append(worker)
        return worker

    @contextmanager
    def running_web(
        self,
        database_url: str,
        settings: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
    ) -> Iterator[str]:
        """The web server on a database and a port of this machine; yields its address."""
        port = port or free_port()
        web = self._fork(database_url, {"N9RAW_INSECURE_COOKIES": "1"} | dict(settings or {}), port)
        try:
            wait_for(lambda: _answers(port), "the web server does not come up", seconds=60)
            yield f"http://127.0.0.1:{port}"
        finally:
            web.terminate()

    def _fork(self, database_url: str, settings: Mapping[str, str], port: int | None) -> Process:
        environment = {"N9RAW_DATABASE_URL": database_url, "N9RAW_SECRET_KEY": SECRET_KEY}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"environment": environment | dict(settings), "port": port}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Process(int(self._process.stdout.readline()))

    def end(self, worker: Process) -> None:
        worker.terminate()
        self.workers.remove(worker)

    def kill(self, worker: Process) -> None:
        worker.kill()
        self.workers.remove(worker)

    def end_all(self) -> None:
        for worker in list(self.workers):
            self.end(worker)

    def kill_all(self) -> None:
        for worker in list(self.workers):
            self.kill(worker)


@contextmanager
def running_nursery(
    folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Nursery]:
    """A nursery whose workers log into a file of `folder`; all of them end with it."""
    log = folder / "workers.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
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
        nursery.kill_all()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=30)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _raise_children() -> None:
    # Imported once, for all that are forked.
    import gunicorn.arbiter
    import gunicorn.workers.gthread  # noqa: F401

    import app.worker  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what ended leaves nothing behind
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(json.loads(line))
        answers.write(f"{pid}\n")
        answers.flush()


def _live(asked: dict[str, Any]) -> None:
    """Be a worker or a web server, until told to stop."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    os.dup2(2, 1)
    os.environ.update(asked["environment"])
    _have_wrong_clock()
    code = 1
    try:
        _work() if asked["port"] is None else _serve(asked["port"])
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _have_wrong_clock() -> None:
    """Set this process's clock wrong, if it is to be, and again whenever the file says so."""
    name = os.environ.get(CLOCK_OFFSET_FILE)
    if name is None:
        return
    offset = Path(name).read_text()
    traveller = time_machine.travel(_right_now() + _seconds(offset), tick=True).start()

    def follow() -> None:
        nonlocal offset
        while True:
            wanted = Path(name).read_text()
            if wanted != offset:
                traveller.move_to(_right_now() + _seconds(wanted))
                offset = wanted
            time.sleep(0.01)

    threading.Thread(target=follow, daemon=True).start()


def _right_now() -> datetime:
    hatch = time_machine.escape_hatch
    return hatch.datetime.datetime.now(UTC) if hatch.is_travelling() else datetime.now(UTC)


def _seconds(offset: str) -> timedelta:
    return timedelta(seconds=float(offset))


def _work() -> None:
    from app import create_app
    from app.worker import run_worker

    run_worker(create_app())


def _serve(port: int) -> None:
    from gunicorn.app.base import BaseApplication

    from app import create_app

    class Pages(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            assert self.cfg is not None
            self.cfg.set("bind", f"127.0.0.1:{port}")
            self.cfg.set("threads", WEB_THREADS)
            self.cfg.set("loglevel", "warning")
            # A fork has its parent's clock, and no thread that sets it.
            self.cfg.set("post_fork", lambda _server, _worker: _have_wrong_clock())

        def load(self) -> Any:
            return create_app()

    Pages().run()


if __name__ == "__main__":
    _raise_children()
