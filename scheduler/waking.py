"""Time in which people can answer: what lies outside their nights."""

from __future__ import annotations

from datetime import datetime, timedelta

from scheduler import clock
from scheduler.reminders import EVENING, QUIET_FROM, is_quiet, next_waking


def waking_time(start: datetime, end: datetime, zone: str) -> timedelta:
    """How much of the time between two instants lies outside the nights of a zone."""
    awake = timedelta()
    at = next_waking(start, zone)
    while at < end:
        night = _nightfall(at, zone)
        awake += min(night, end) - at
        at = next_waking(night, zone)
    return awake


def after_waking(start: datetime, span: timedelta, zone: str) -> datetime:
    """The instant at which so much time outside the nights has gone by."""
    at = next_waking(start, zone)
    while at + span > (night := _nightfall(at, zone)):
        span -= night - at
        at = next_waking(night, zone)
    return at + span


def latest_waking(instant: datetime, zone: str) -> datetime:
    """The instant itself, or the evening before the night that it lies in."""
    if not is_quiet(instant, zone):
        return instant
    wall = clock.to_wall(instant, zone)
    evening = wall.date() - timedelta(days=0 if wall.time() >= QUIET_FROM else 1)
    return clock.to_utc(datetime.combine(evening, EVENING), zone)


def _nightfall(at: datetime, zone: str) -> datetime:
    """When the night begins that ends the waking time which the instant lies in."""
    day = clock.to_wall(at, zone).date()
    return clock.to_utc(datetime.combine(day, QUIET_FROM), zone)
