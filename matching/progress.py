"""Telling another process how far the search is: one JSON object a line, twice a second."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HEARTBEAT_SECONDS = 0.5
STDERR = 2

Show = Callable[[str, int | None, int | None], None]


@contextmanager
def json_lines(elapsed: Callable[[], float]) -> Iterator[Show]:
    """Yields what shows a phase, its best figure and its bound on stderr.

    Nobody left to read means that the parent has died: then the process ends at once.
    """
    lock = threading.Lock()
    state: dict[str, int | str | None] = {"phase": "reading", "best": None, "bound": None}
    done = threading.Event()

    def write() -> None:
        line = json.dumps({**state, "seconds": round(elapsed(), 2)}) + "\n"
        try:
            os.write(STDERR, line.encode())
        except OSError:
            os._exit(1)

    def show(phase: str, best: int | None, bound: int | None) -> None:
        with lock:
            state.update(phase=phase, best=best, bound=bound)
            write()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            with lock:
                write()

    show("reading", None, None)
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield show
    finally:
        done.set()
        thread.join()
