"""How long a vetting holds: three years, by the programme's calendar. Asked wherever it counts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from flask import current_app

from app.models import Tutor, TutorState
from scheduler import clock

YEARS: Final = 3
NOTICE: Final = timedelta(days=60)
"""How long before its end it is said to everybody whom it concerns."""


def today() -> date:
    """The day of now on the programme's clocks."""
    day: date = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone).date()
    return day


def expires_on(tutor: Tutor) -> date | None:
    """The first day on which a tutor's vetting holds no more; None where there is none."""
    if tutor.vetted_at is None:
        return None
    vetted = clock.to_wall(tutor.vetted_at, current_app.config["N9RAW"].civil_zone).date()
    return years_after(vetted)


def years_after(day: date) -> date:
    """The same day `YEARS` later; 1 March where that year has no 29 February."""
    try:
        return day.replace(year=day.year + YEARS)
    except ValueError:
        return date(day.year + YEARS, 3, 1)


def is_vetted(tutor: Tutor) -> bool:
    """Whether a tutor may teach: vetted, and not too long ago, whatever the worker noted so far."""
    expiry = expires_on(tutor)
    return tutor.state is TutorState.VETTED and expiry is not None and today() < expiry


def ends_soon(tutor: Tutor) -> bool:
    """Whether a tutor's vetting, which holds, ends within the time of notice."""
    expiry = expires_on(tutor)
    return expiry is not None and today() < expiry <= today() + NOTICE


def clear_vetting(tutor: Tutor) -> None:
    """Forget a vetting with what was seen for it; part of the caller's transaction.

    The charter stays accepted: that was the volunteer's own act.
    """
    tutor.vetted_at = tutor.vetted_by_id = None
    tutor.identity_seen_on = tutor.interviewed_on = tutor.certificate_seen_on = None
