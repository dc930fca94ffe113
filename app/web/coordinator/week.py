"""The week as a timetable."""

from __future__ import annotations

from flask import render_template, request

from app.security import signed_in_coordinator
from app.services import audit, people
from app.services.masking import is_shown, shown_name
from app.services.vetting_term import today
from app.services.week_table import read_week
from app.web.access import own_scope
from app.web.coordinator import blueprint, labels
from app.web.incoming import asked_day, asked_number


@blueprint.get("/week")
def week() -> str:
    """The lessons of seven days, of all zones or one; leaves a row in the trace.

    `?from=` names any day of the week, `?day=` one day alone.
    """
    scope = own_scope()
    day = asked_day("day")
    zone_id = asked_number("zone")
    table = read_week(
        asked_day("from") or day or today(),
        scope,
        zone_id=zone_id,
        day=day,
        page_number=asked_number("page") or 1,
    )
    html = render_template(
        "coordinator/week.html",
        table=table,
        zone_id=zone_id,
        zones=people.list_zones(scope),
        catalogue=people.read_catalogue(),
        scope=scope,
        shown_name=shown_name,
        labels=labels,
    )
    shown = [pupil.id for pupil in table.pupils if is_shown(pupil, scope)]
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html
