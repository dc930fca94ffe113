"""Civil time: the only place where wall time becomes an instant or the other way round.

Morocco went to permanent UTC+0 on 2026-09-20 (tz 2026c). A machine's own tz files can be older and
are then an hour wrong, so the pinned `tzdata` package is the only source: importing this module
empties zoneinfo's search path for the whole process.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import tzdata

zoneinfo.reset_tzpath(to=())
ZoneInfo.clear_cache()

_LOOK_EVERY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_WITNESS = ("Africa/Casablanca", datetime(2026, 10, 1, 12, tzinfo=UTC), timedelta(0))


class ClockError(RuntimeError):
    """The time zone data disagrees with a known fact, so every lesson could be an hour off."""


def tz_version() -> str:
    """The version of the tz database in use, such as "2026f"."""
    return str(tzdata.IANA_VERSION)


def verify_tz_data() -> None:
    """Raise ClockError unless Casablanca is at UTC+0 on 2026-10-01, as Morocco decided."""
    name, instant, expected = _WITNESS
    offset = instant.astimezone(zone(name)).utcoffset()
    if offset != expected:
        raise ClockError(
            f"tz data {tz_version()} puts {name} at {offset} from UTC on {instant:%Y-%m-%d}, but "
            f"it is at {expected}: install the pinned tzdata package (pip install -r "
            "requirements.txt). N9raw does not start, since lessons would be an hour off."
        )


def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; ClockError if there is none."""
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ClockError(f"no time zone is called {name!r}") from None


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def to_utc(wall: datetime, zone_name: str) -> datetime:
    """The instant at which the clocks of a zone show `wall` (naive).

    A repeated hour means its first pass, unless `wall.fold` is 1. An hour that a zone skips is read
    with the offset before the change, so it lands as much later as clocks jumped.
    """
    if wall.tzinfo is not None:
        raise ValueError(f"wall time must be naive, not {wall!r}")
    return wall.replace(tzinfo=zone(zone_name)).astimezone(UTC)


def to_wall(instant: datetime, zone_name: str) -> datetime:
    """What the clocks of a zone show at an aware instant; naive, with `fold` set where repeated."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant must be aware, not {instant!r}")
    return instant.astimezone(zone(zone_name)).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class OffsetChange:
    """An instant at which a zone's clocks are set, and their distance from UTC on either side."""

    at: datetime
    before: timedelta
    after: timedelta


def offset(instant: datetime, zone_name: str) -> timedelta:
    """How far a zone's clocks are ahead of UTC at an aware instant."""
    found = instant.astimezone(zone(zone_name)).utcoffset()
    assert found is not None
    return found


def offset_changes(zone_name: str, after: datetime, until: datetime) -> list[OffsetChange]:
    """Every change of a zone's clocks with after < it <= until (aware), in order.

    Two changes that undo each other within a day would go unseen; no zone has such.
    """
    found = []
    start = after.astimezone(UTC)
    while start < until:
        end = min(start + _LOOK_EVERY, until.astimezone(UTC))
        before, then = offset(start, zone_name), offset(end, zone_name)
        if before != then:
            found.append(OffsetChange(_first_with(then, start, end, zone_name), before, then))
        start = end
    return found


def _first_with(wanted: timedelta, low: datetime, high: datetime, zone_name: str) -> datetime:
    """The first second after `low`, up to `high`, at which a zone has that offset."""
    while high - low > _SECOND:
        middle = low + _SECOND * ((high - low) // _SECOND // 2)
        if offset(middle, zone_name) == wanted:
            high = middle
        else:
            low = middle
    return high
