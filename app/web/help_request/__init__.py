"""Asking for help with lessons: a family's questions, one a page, open to everyone."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("help_request", __name__, url_prefix="/help")

# The views register themselves on the blueprint above.
from app.web.help_request import views  # noqa: E402, F401
