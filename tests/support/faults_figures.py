"""What a test of faults tells: one line a row, as docs/faults.md has them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

FULL = pytest.mark.faults
"""The mark of full-size tests, which `make faults` runs."""


@contextmanager
def figures(row: str, *settings: str) -> Iterator[dict[str, object]]:
    """Collect the figures of a run; they are printed in one line, whether it passes or not."""
    found: dict[str, object] = {}
    began = time.monotonic()
    outcome = "FAILED"
    try:
        yield found
        outcome = "held"
    finally:
        told = ", ".join(f"{what} {number}" for what, number in found.items())
        seconds = f"{time.monotonic() - began:.0f} s"
        print(f"\n| {row} | {'; '.join(settings)} | {told} | {seconds} | {outcome} |")
