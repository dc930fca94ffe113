"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("account", __name__, url_prefix="/account")

# The views register themselves on the blueprint above.
from app.web.account import views  # noqa: E402, F401
