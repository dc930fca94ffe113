"""Signing in and out: coordinators with password and app, volunteers with a code that is sent."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("account", __name__, url_prefix="/account")
invitation_blueprint = Blueprint("invitation", __name__, url_prefix="/invitation")
volunteer_blueprint = Blueprint("volunteer_account", __name__, url_prefix="/volunteer/sign-in")

# The views register themselves on the blueprints above.
from app.web.account import codes, invitations, own, views  # noqa: E402, F401
