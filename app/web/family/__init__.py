"""A family's page, opened by its secret link. No account, no script, few bytes."""

from __future__ import annotations

from flask import Blueprint

from app.extensions import csrf

blueprint = Blueprint("family", __name__, url_prefix="/f/<token>")
# A forged form would need the link, and who has the link needs no forgery. Families without
# cookies, and pages that send no referrer, could not pass the check.
csrf.exempt(blueprint)

# The views register themselves on the blueprint above.
from app.web.family import changes, children, new_times, views  # noqa: E402, F401
