"""The matching problem as plain values: who asks, who teaches, and what has been agreed.

Times are minutes of the week, counted from Monday 00:00 (`Minute`), in the programme's own
wall time. The file form of a problem is read by `matching.io`, which also checks it.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTES_A_DAY = 1440
MINUTES_A_WEEK = 7 * MINUTES_A_DAY

Minute = int


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open minutes of the week; a window never crosses midnight."""

    start: Minute
    end: Minute


@dataclass(frozen=True, slots=True)
class Channel:
    """How a lesson is held. `cost` is paid for each weekly lesson of a group."""

    max_group: int
    cost: int


@dataclass(frozen=True, slots=True)
class Teaching:
    subject: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tutor:
    """`available` is None when the times are to be agreed later."""

    id: str
    teaches: tuple[Teaching, ...]
    channels: tuple[str, ...]
    languages: tuple[str, ...]
    available: tuple[Window, ...] | None
    max_lessons_per_week: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Household:
    """`reachable` is None when the times are to be agreed later."""

    id: str
    zone: str
    channels: tuple[str, ...]
    languages: tuple[str, ...]
    reachable: tuple[Window, ...] | None
    phones: int = 1


@dataclass(frozen=True, slots=True)
class Request:
    """A pupil wants a subject at a level. `preferred` None: every time is as good."""

    id: str
    pupil: str
    household: str
    subject: str
    level: str
    lessons_per_week: int = 1
    weight: int = 1
    needs: tuple[str, ...] = ()
    previous_tutor: str | None = None
    preferred: tuple[Window, ...] | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """An agreement: the request stays with the tutor, and with whatever else is named."""

    request: str
    tutor: str
    starts: tuple[Minute, ...] | None = None
    channel: str | None = None
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Veto:
    request: str
    tutor: str


@dataclass(frozen=True, slots=True)
class Problem:
    lesson_minutes: int
    start_every: int
    channels: dict[str, Channel]
    tutors: tuple[Tutor, ...]
    households: tuple[Household, ...]
    requests: tuple[Request, ...]
    pins: tuple[Pin, ...] = ()
    vetoes: tuple[Veto, ...] = ()
