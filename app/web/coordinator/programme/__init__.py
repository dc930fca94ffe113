"""The programme's settings, for administrators."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from app.services import programme, programme_lists, terms, wordings, zones
from app.web.coordinator import blueprint

# The views register themselves on the coordinators' blueprint.
from app.web.coordinator.programme import (  # noqa: F401
    calendar_pages,
    lists,
    matching,
    messages,
    period_pages,
    period_time_pages,
    term_pages,
    words,
    zone_pages,
)


@blueprint.get("/programme")
def programme_start() -> ResponseReturnValue:
    """All that can be set, with how it stands."""
    sections = {
        section: sum(not entry.retired for entry in programme.entries(section))
        for section in programme.TABLES
    }
    return render_template(
        "coordinator/programme/start.html",
        sections=sections,
        levels=programme_lists.undated_levels(),
        terms=terms.list_terms(),
        zones=zones.count_zones(),
        rules=programme.matching_rules(),
        own=len(wordings.own_wordings()),
        words=words,
    )
