"""The coordinators' pages. Every one of them is closed to others."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import login_required

blueprint = Blueprint("coordinator", __name__, url_prefix="/coordinator")


@blueprint.before_request
@login_required
def require_coordinator() -> ResponseReturnValue | None:
    """Send anyone who isn't signed in to the sign-in page."""
    return None


# The views register themselves on the blueprint above.
from app.web.coordinator import desk, imports, people, runs  # noqa: E402, F401
