"""What a volunteer's clocks show where they live by another zone than the families."""

from __future__ import annotations

from datetime import datetime

from app.models import Tutor
from scheduler import clock


def own_time(tutor: Tutor, instant: datetime, family_wall: datetime) -> datetime | None:
    """The tutor's wall time at an instant; None where it is what the family's clocks show."""
    if tutor.time_zone is None:
        return None
    own = clock.to_wall(instant, tutor.time_zone)
    return None if own == family_wall else own
