"""The coordinators' pages. Every one of them is closed to others."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("coordinator", __name__, url_prefix="/coordinator")

# The views register themselves on the blueprint above.
from app.web.coordinator import (  # noqa: E402
    attendance,  # noqa: F401
    by_hand,  # noqa: F401
    call_sheet,  # noqa: F401
    choices,  # noqa: F401
    departures,  # noqa: F401
    desk,  # noqa: F401
    exports,  # noqa: F401
    families,  # noqa: F401
    family_edit,  # noqa: F401
    family_links,  # noqa: F401
    figures,  # noqa: F401
    flags,  # noqa: F401
    group_changes,  # noqa: F401
    groups,  # noqa: F401
    imports,  # noqa: F401
    inbox,  # noqa: F401
    lesson_changes,  # noqa: F401
    lessons,  # noqa: F401
    messages,  # noqa: F401
    people,  # noqa: F401
    programme,  # noqa: F401
    publishing,  # noqa: F401
    requests,  # noqa: F401
    runs,  # noqa: F401
    substitutes,  # noqa: F401
    suspensions,  # noqa: F401
    team,  # noqa: F401
    tutor_edit,  # noqa: F401
    tutors,  # noqa: F401
    week,  # noqa: F401
    worries,  # noqa: F401
)
