"""Pages that only the demo has."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("demo", __name__)

# The views register themselves on the blueprint above.
from app.web.demo import views  # noqa: E402, F401
