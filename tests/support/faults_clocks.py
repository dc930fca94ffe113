"""A machine whose clock is wrong (time-machine), or which has other time zone data."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

from tests.support.nursery import CLOCK_OFFSET_FILE, Nursery, running_nursery


class WrongClock:
    """The clock of the processes of a nursery: so far ahead of, or behind, the right one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._jumps: list[tuple[float, timedelta]] = []
        self._right = datetime.now(UTC) - timedelta(seconds=time.monotonic())
        self.set(timedelta(0))

    def set(self, offset: timedelta) -> None:
        """Have the clock jump."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset.total_seconds():+.0f}\n")
        new.replace(self._file)
        self._jumps.append((time.monotonic(), offset))

    def first_at(self, instant: datetime) -> float:
        """When the clock first showed an instant or more, by the monotonic clock."""
        for place, (since, offset) in enumerate(self._jumps):
            until = self._jumps[place + 1][0] if place + 1 < len(self._jumps) else float("inf")
            at = max(since, (instant - self._right - offset).total_seconds())
            if at < until:
                return at
        raise AssertionError("unreachable")

    def shown(self, at: float, within: float = 0.0) -> list[datetime]:
        """What the clock showed at an instant of the monotonic one; both, near a jump."""
        shown = []
        for place, (since, offset) in enumerate(self._jumps):
            until = self._jumps[place + 1][0] if place + 1 < len(self._jumps) else float("inf")
            if since - within <= at <= until + within:
                shown.append(self._right + timedelta(seconds=at) + offset)
        return shown


@contextmanager
def nursery_with_wrong_clock(
    folder: Path, environment: dict[str, str] | None = None
) -> Iterator[tuple[Nursery, WrongClock]]:
    """A nursery whose processes have a clock that can be set."""
    clock = WrongClock(folder / "offset")
    settings = {CLOCK_OFFSET_FILE: str(folder / "offset")}
    with running_nursery(folder, settings | (environment or {})) as nursery:
        yield nursery, clock


def tz_data_with(folder: Path, zone: str, rules: str, version: str) -> dict[str, str]:
    """An environment in which the tzdata package has another zone and is of another version."""
    if shutil.which("zic") is None and not Path("/usr/sbin/zic").exists():
        pytest.skip("no zic; install: apt-get install libc-bin")
    package = folder / "other" / "tzdata"
    with resources.as_file(resources.files("tzdata")) as ours:
        shutil.copytree(ours, package, ignore=shutil.ignore_patterns("__pycache__"))
    init = package / "__init__.py"
    init.write_text(f'{init.read_text()}\nIANA_VERSION = "{version}"\n')
    source = folder / "rules"
    source.write_text(f"Zone {zone} {rules}\n")
    zic = shutil.which("zic") or "/usr/sbin/zic"
    subprocess.run([zic, "-b", "fat", "-d", package / "zoneinfo", source], check=True)
    return {"PYTHONPATH": str(package.parent)}
