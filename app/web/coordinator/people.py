"""Families and their pupils."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.security import signed_in_coordinator
from app.services import audit, people
from app.web.access import own_scope
from app.web.coordinator import blueprint, labels
from app.web.incoming import asked_number

LONGEST_SEARCH = 80


@blueprint.get("/pupils")
def pupils() -> ResponseReturnValue:
    """The families with their children, by zone and name; leaves a row in the trace."""
    name = searched_name()
    zone_id = asked_number("zone")
    scope = own_scope()
    households, page = people.find_households(name, zone_id, asked_number("page") or 1, scope)
    html = render_template(
        "coordinator/pupils.html",
        households=households,
        catalogue=people.read_catalogue(),
        page=page,
        searched=name,
        zone_id=zone_id,
        zones=people.list_zones(scope),
        labels=labels,
    )
    shown = [pupil.id for household in households for pupil in household.pupils]
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html


def searched_name() -> str:
    return request.args.get("name", "").strip()[:LONGEST_SEARCH]
