"""What families asked for themselves: read, corrected, confirmed or ended."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import ngettext
from app.security import signed_in_coordinator
from app.services import audit, people, pupils, requests
from app.services.errors import Conflict
from app.web.access import may_open, own_scope
from app.web.coordinator import blueprint, family_stories, labels
from app.web.coordinator.family_forms import message_languages
from app.web.incoming import asked_number, row_number


@blueprint.get("/requests")
def requests_to_confirm() -> ResponseReturnValue:
    """The families whose own requests wait; leaves a row in the trace."""
    return _show_requests([])


@blueprint.post("/families/<int:household_id>/confirm")
def confirm_requests(household_id: int) -> ResponseReturnValue:
    """Confirm what a family asked for: all of it, or one request."""
    chosen = row_number(request.form.get("request", ""))
    only = None if chosen is None else {chosen}
    try:
        confirmed = requests.confirm_requests(household_id, signed_in_coordinator(), only)
    except Conflict as refusal:
        return _show_requests([str(refusal)]), refusal.status
    flash(
        ngettext(
            "%(num)s request is confirmed and waits for the next matching.",
            "%(num)s requests are confirmed and wait for the next matching.",
            len(confirmed),
        ),
        "good",
    )
    return redirect(url_for(".requests_to_confirm"), 303)


def _show_requests(refused: list[str]) -> str:
    families, page = requests.requests_to_confirm(own_scope(), asked_number("page") or 1)
    html = render_template(
        "coordinator/requests.html",
        families=families,
        page=page,
        refused=refused,
        catalogue=people.read_catalogue(),
        tags={tag.code: tag for tag in pupils.list_tags()},
        labels=labels,
        stories=family_stories,
        message_languages=message_languages(),
        may_list_zones=may_open("coordinator.list_zone"),
    )
    shown = [pupil.id for family in families for pupil in family.household.pupils]
    if shown:
        audit.record_view(request.path, signed_in_coordinator(), shown)
    return html
