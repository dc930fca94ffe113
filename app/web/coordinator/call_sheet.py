"""The call sheet: families to be told of their lessons by telephone, to print."""

from __future__ import annotations

from flask import render_template, request

from app.security import signed_in_coordinator
from app.services import audit, people
from app.services import call_sheet as calling
from app.web.access import own_scope
from app.web.coordinator import blueprint
from app.web.incoming import asked_day, asked_number


@blueprint.get("/call-sheet")
def call_sheet() -> str:
    """The families to call for a day, tomorrow unless `?day=` says otherwise; leaves a row."""
    sheet = calling.read_call_sheet(
        asked_day("day") or calling.tomorrow(), own_scope(), asked_number("page") or 1
    )
    html = render_template(
        "coordinator/call_sheet.html",
        sheet=sheet,
        catalogue=people.read_catalogue(),
        tomorrow=calling.tomorrow(),
    )
    audit.record_view(request.path, signed_in_coordinator(), sheet.pupil_ids)
    return html
