"""Lessons of the coming days."""

from __future__ import annotations

from itertools import groupby

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.security import signed_in_coordinator
from app.services import audit, masking, people
from app.services import lessons as calendar
from app.web.access import own_scope
from app.web.coordinator import blueprint, labels
from app.web.incoming import asked_number

DAYS_SHOWN = 14


@blueprint.get("/lessons")
def lessons() -> ResponseReturnValue:
    """The coming two weeks, day by day; leaves a row in the trace."""
    scope = own_scope()
    rows, page = calendar.list_coming_lessons(DAYS_SHOWN, scope, asked_number("page") or 1)
    html = render_template(
        "coordinator/lessons.html",
        page=page,
        days=[list(of_day) for _day, of_day in groupby(rows, lambda row: row.wall_start.date())],
        catalogue=people.read_catalogue(),
        scope=scope,
        masking=masking,
        labels=labels,
    )
    shown = {
        seat.request.pupil_id
        for row in rows
        for seat in row.group.members
        if seat.active_since and masking.is_shown(seat.request.pupil, scope)
    }
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html
