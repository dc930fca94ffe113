"""Workers that deliver, as processes that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys

from config import ROOT
from scheduler import clock
from tests.support.databases import SECRET_KEY

QUICK = {
    "N9RAW_SEND_TIMEOUT_SECONDS": "0.9",
    "N9RAW_MESSAGE_LEASE_SECONDS": "1",
    "N9RAW_RESEND_WAIT_SECONDS": "1",
}
"""Waits short enough to be waited for."""


def daytime() -> dict[str, str]:
    """The setting of a zone in which it is early afternoon, since nothing leaves at night."""
    ahead = 14 - clock.now().hour
    return {"N9RAW_CIVIL_ZONE": f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"}


def start_worker(database_url: str, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    """`flask worker` on a database, with these settings."""
    environment = os.environ | settings
    environment |= {"N9RAW_DATABASE_URL": database_url, "N9RAW_SECRET_KEY": SECRET_KEY}
    command = [sys.executable, "-m", "flask", "--app", "app", "worker"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def end_workers(workers: list[subprocess.Popen[bytes]]) -> None:
    """Tell them all to stop, and wait until they have."""
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait(timeout=30)
