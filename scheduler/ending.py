"""Ctrl-C and SIGTERM, as a wish to end that no lock can hold up."""

from __future__ import annotations

import queue
import signal
import threading


def stop_when_told(stop: threading.Event) -> None:
    """Set `stop` soon after SIGINT or SIGTERM; call it from the main thread.

    A signal's handler runs between any two steps of the main thread. Were it to set `stop` itself
    while that thread enters `stop.wait()`, it would wait for a lock that its own thread holds, for
    ever. Putting into a `SimpleQueue` may interrupt itself; a thread beside does the rest.
    """
    told: queue.SimpleQueue[int] = queue.SimpleQueue()

    def wait() -> None:
        told.get()
        stop.set()

    threading.Thread(target=wait, name="ending", daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: told.put(received))
