"""Pages for everyone."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("public", __name__)

# The views register themselves on the blueprint above.
from app.web.public import calendar, certificates, views  # noqa: E402, F401
