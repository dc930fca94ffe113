"""Real worker processes for tests, and the children that solve under them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psutil

from config import ROOT
from tests.support.databases import SECRET_KEY

T = TypeVar("T")


@contextmanager
def running_worker(database_url: str, *, lease_seconds: float = 2.0) -> Iterator[psutil.Process]:
    """`flask worker` on a database, ended at the end if it still runs."""
    environment = os.environ | {
        "N9RAW_DATABASE_URL": database_url,
        "N9RAW_SECRET_KEY": SECRET_KEY,
        "N9RAW_RUN_LEASE_SECONDS": str(lease_seconds),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "worker"], cwd=ROOT, env=environment
    ) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=20)


def solving_child(worker: psutil.Process) -> psutil.Process:
    """The process that solves for a worker, once there is one."""

    def look() -> psutil.Process | None:
        # Other children, such as the tests' own PostgreSQL, may stand beside it.
        return next((c for c in worker.children() if "matching" in c.cmdline()), None)

    return wait_for(look, "the worker has no child that solves")


def wait_for(look: Callable[[], T | None], otherwise: str, seconds: float = 30.0) -> T:
    """What `look` finds once it finds something; fails with `otherwise` after so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(otherwise)


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
