"""What gateways call: receipts, texts and missed calls. No page, no session, no person."""

from __future__ import annotations

from flask import Blueprint

from app.extensions import csrf

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")
# Callers have no form of ours: they prove themselves by a signature or a secret.
csrf.exempt(blueprint)

# The view registers itself on the blueprint above.
from app.web.hooks import views  # noqa: E402, F401
