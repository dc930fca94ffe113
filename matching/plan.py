"""The plan as plain values: the groups, who is left out and why, and how good it is."""

from __future__ import annotations

from dataclasses import dataclass

from matching.problem import Minute, Window

LEVEL_NAMES = ("weight_served", "zones", "kept", "cost")

LevelValue = int | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the objective.

    `value` and `bound` are integers, except for zones: there they are the zones' shares (per
    thousand) in ascending order, compared as lists. No plan that keeps the levels above at
    their values does better than `bound`.
    """

    name: str
    value: LevelValue
    bound: LevelValue
    proved: bool


@dataclass(frozen=True, slots=True)
class Objective:
    """`min_zone_share` is per thousand, and None if nothing is asked at all."""

    weight_served: int
    requests_served: int
    min_zone_share: int | None
    kept: int
    cost: int


@dataclass(frozen=True, slots=True)
class ZoneFigure:
    zone: str
    served: int
    asked: int


@dataclass(frozen=True, slots=True)
class Group:
    """`starts` has one entry a weekly lesson; all are None where times are agreed later."""

    id: str
    tutor: str
    subject: str
    level: str
    channel: str
    language: str
    starts: tuple[Minute | None, ...]
    requests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The least weight of one tutor's pupils whose leaving would admit a request."""

    out: tuple[str, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Unserved:
    """`held_by` and `exchange` are filled when the reason is "taken".

    `exchange` is None where no single tutor's pupils could make room by leaving.
    """

    request: str
    reason: str
    held_by: tuple[str, ...] = ()
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class ImpossiblePin:
    """`beside`: the requests of the pins that this one can't hold beside."""

    request: str
    tutor: str
    why: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """A volunteer to look for: one weekly lesson, and the requests it would serve."""

    subject: str
    levels: tuple[str, ...]
    channel: str
    language: str
    available: tuple[Window, ...]
    adds: int
    requests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WindowMove:
    """A window of a household that would help if it were `moved`, and whom it would serve.

    Not a part of the plan: `matching.helpful_windows` finds them.
    """

    household: str
    window: Window
    moved: Window
    adds: int
    requests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` is None when no clock was involved; `bound` is a proved upper bound."""

    status: str
    levels: tuple[Level, ...]
    bound: int
    objective: Objective
    zones: tuple[ZoneFigure, ...]
    seconds: float | None
    seed: int
    groups: tuple[Group, ...]
    unserved: tuple[Unserved, ...]
    impossible_pins: tuple[ImpossiblePin, ...]
    advice: tuple[Advice, ...]
