"""The volunteers' pages. Every one of them is closed to others."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("volunteer", __name__, url_prefix="/volunteer")

# The views register themselves on the blueprint above.
from app.web.volunteer import views  # noqa: E402, F401
