"""Ctrl-C and SIGTERM end a process, whatever its main thread does at that instant."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from config import ROOT

_LOOKS_AGAIN_AND_AGAIN = """
import threading
from scheduler.ending import stop_when_told

stop = threading.Event()
stop_when_told(stop)
print("ready", flush=True)
while not stop.wait(0):
    pass
print("ended", flush=True)
"""
"""At nearly every instant the main thread holds the lock of the event that the signal sets."""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_a_thread_that_is_about_to_wait(ending: signal.Signals) -> None:
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", _LOOKS_AGAIN_AND_AGAIN],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(ending)
            try:
                said, _ = process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert (process.returncode, said) == (0, "ended\n")


def test_second_signal_while_ending_changes_nothing() -> None:
    program = _LOOKS_AGAIN_AND_AGAIN + "import time; time.sleep(0.5)\n"
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "ended\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
