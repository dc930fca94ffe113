"""Civil time, on machines whose own time zone files are wrong."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ROOT
from scheduler import clock

CASABLANCA = "Africa/Casablanca"


def stale_zone_file() -> bytes:
    """A TZif file of a zone that is at +01:00 for ever, as Morocco's was before 2026-09-20."""
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    body = struct.pack(">lBB", 3600, 0, 0) + b"+01\0"
    return (header + body) * 2 + b"\n<+01>-1\n"


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_lesson_in_casablanca_keeps_its_hour_on_a_machine_with_stale_zone_files(
    tmp_path: Path,
) -> None:
    stale = tmp_path / CASABLANCA
    stale.parent.mkdir()
    stale.write_bytes(stale_zone_file())
    show = (
        "from datetime import datetime, UTC; from zoneinfo import ZoneInfo\n"
        "print(datetime(2026, 12, 1, 18, tzinfo=ZoneInfo('Africa/Casablanca')).astimezone(UTC))\n"
        "from scheduler import clock, reminders\n"
        "lesson = clock.to_utc(datetime(2026, 12, 1, 18), 'Africa/Casablanca')\n"
        "print(lesson)\n"
        "print(reminders.due_at(reminders.HOURS_BEFORE, lesson, 'Africa/Casablanca'))"
    )
    ran = python(show, PYTHONTZPATH=str(tmp_path), TZ=f":{stale}")
    assert ran.stdout.splitlines() == [
        "2026-12-01 17:00:00+00:00",
        "2026-12-01 18:00:00+00:00",
        "2026-12-01 16:00:00+00:00",
    ]


def test_program_refuses_to_start_on_tz_data_that_disagrees(tmp_path: Path) -> None:
    package = tmp_path / "tzdata"
    for folder in (package, package / "zoneinfo", package / "zoneinfo" / "Africa"):
        folder.mkdir()
        (folder / "__init__.py").touch()
    (package / "__init__.py").write_text("IANA_VERSION = '2026a'\n")
    (package / "zoneinfo" / CASABLANCA).write_bytes(stale_zone_file())
    ran = python(
        "from app import create_app; create_app()",
        PYTHONPATH=str(tmp_path),
        N9RAW_DEMO="1",
        N9RAW_DATABASE_URL=f"sqlite:///{tmp_path}/n9raw.db",
    )
    assert ran.returncode == 1
    assert "tz data 2026a puts Africa/Casablanca at 1:00:00 from UTC on 2026-10-01" in ran.stderr


def test_pinned_tz_data_is_at_least_2026c() -> None:
    clock.verify_tz_data()
    assert clock.tz_version() >= "2026c"


def test_repeated_hour_of_2026_09_20_is_two_instants() -> None:
    wall = datetime(2026, 9, 20, 1, 30)
    first = clock.to_utc(wall, CASABLANCA)
    second = clock.to_utc(wall.replace(fold=1), CASABLANCA)
    assert second - first == timedelta(hours=1)
    assert [clock.to_wall(t, CASABLANCA).fold for t in (first, second)] == [0, 1]


def test_hour_that_paris_skips_lands_an_hour_later() -> None:
    instant = clock.to_utc(datetime(2027, 3, 28, 2, 30), "Europe/Paris")
    assert clock.to_wall(instant, "Europe/Paris") == datetime(2027, 3, 28, 3, 30)


@pytest.mark.parametrize(
    ("day", "in_paris"),
    [
        ("2026-10-24", "20:00"),  # the last day of Paris' summer time
        ("2026-10-25", "19:00"),
        ("2027-03-27", "19:00"),
        ("2027-03-28", "20:00"),  # the first day of the next
    ],
)
def test_familys_six_o_clock_moves_on_the_clock_of_a_tutor_in_paris(
    day: str, in_paris: str
) -> None:
    lesson = clock.to_utc(datetime.fromisoformat(f"{day}T18:00"), CASABLANCA)
    assert f"{lesson:%H:%M}" == "18:00"
    assert f"{clock.to_wall(lesson, 'Europe/Paris'):%H:%M}" == in_paris


def test_aware_wall_time_and_naive_instant_are_refused() -> None:
    with pytest.raises(ValueError, match="wall time must be naive"):
        clock.to_utc(datetime(2026, 12, 1, 18, tzinfo=UTC), CASABLANCA)
    with pytest.raises(ValueError, match="an instant must be aware"):
        clock.to_wall(datetime(2026, 12, 1, 18), CASABLANCA)


@pytest.mark.parametrize("name", ["Africa/Khouribga", "", "../../etc/passwd"])
def test_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(clock.ClockError, match="no time zone is called"):
        clock.zone(name)


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2037, 1, 1)),
    st.sampled_from([CASABLANCA, "Europe/Paris", "America/Montreal", "UTC"]),
)
def test_every_instant_comes_back_from_wall_time(moment: datetime, zone: str) -> None:
    instant = moment.replace(tzinfo=UTC)
    assert clock.to_utc(clock.to_wall(instant, zone), zone) == instant


def test_changes_of_a_zones_clocks_are_found_to_the_second() -> None:
    year = datetime(2025, 12, 1, 7, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert clock.offset_changes("Africa/Casablanca", *year) == [
        clock.OffsetChange(datetime(2026, 2, 15, 2, tzinfo=UTC), hour, timedelta(0)),
        clock.OffsetChange(datetime(2026, 3, 22, 2, tzinfo=UTC), timedelta(0), hour),
        clock.OffsetChange(datetime(2026, 9, 20, 1, tzinfo=UTC), hour, timedelta(0)),
    ]
    assert [change.at for change in clock.offset_changes("Europe/Paris", *year)] == [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
    ]
    assert clock.offset_changes("Asia/Dubai", *year) == []


@pytest.mark.parametrize(("after", "until", "found"), [(-1, 0, 1), (0, 1, 0), (-1, -1, 0)])
def test_change_is_after_the_one_end_and_up_to_the_other(
    after: int, until: int, found: int
) -> None:
    change = datetime(2026, 9, 20, 1, tzinfo=UTC)
    span = change + timedelta(seconds=after), change + timedelta(seconds=until)
    assert len(clock.offset_changes("Africa/Casablanca", *span)) == found
