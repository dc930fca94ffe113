"""The volunteers' pages. Every one of them is closed to others."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("volunteer", __name__, url_prefix="/volunteer")

# The views register themselves on the blueprint above.
from app.web.volunteer import (  # noqa: E402
    attendance,  # noqa: F401
    calendar,  # noqa: F401
    changes,  # noqa: F401
    days_off,  # noqa: F401
    departures,  # noqa: F401
    hours,  # noqa: F401
    standing_in,  # noqa: F401
    teaching,  # noqa: F401
    views,  # noqa: F401
)
