"""Becoming a volunteer: one question a page, open to everyone."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("registration", __name__, url_prefix="/volunteer/register")

# The views register themselves on the blueprint above.
from app.web.registration import views  # noqa: E402, F401
