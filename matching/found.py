"""What a climb through the levels hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from matching.plan import LevelValue
from matching.timetable import Timetable

Report = Callable[[str, int | None, int | None], None]


@dataclass(slots=True)
class Found:
    """The best timetable, and for each level improved so far its bound and whether proved."""

    table: Timetable
    bounds: dict[str, LevelValue] = field(default_factory=dict)
    proved: dict[str, bool] = field(default_factory=dict)
