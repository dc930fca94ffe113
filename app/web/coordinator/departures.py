"""A volunteer pauses, leaves, or is taken back: each told before it is done."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import TutorState
from app.security import signed_in_coordinator
from app.services import audit, departures
from app.services.errors import Conflict, Invalid
from app.web.coordinator import blueprint, words
from app.web.coordinator.forms import DepartureForm

_STEPS = {"pause": TutorState.PAUSED, "leave": TutorState.LEFT}


@blueprint.route("/volunteers/<int:tutor_id>/<any(pause, leave):step>", methods=["GET", "POST"])
def departure(tutor_id: int, step: str) -> ResponseReturnValue:
    """What a volunteer's pausing or leaving would end; then its record, and the way to a repair."""
    form = DepartureForm()
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        record = departures.pause_tutor if step == "pause" else departures.let_tutor_leave
        try:
            ended = record(tutor_id, form.reason.data, signed_in_coordinator())
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            name = ended.tutor.name
            if step == "pause":
                flash(_("It is recorded that %(name)s pauses.", name=name), "good")
            else:
                flash(_("It is recorded that %(name)s has left.", name=name), "good")
            if ended.groups:
                return redirect(url_for(".repair"), 303)
            return redirect(url_for(".tutor", tutor_id=tutor_id), 303)
    preview = departures.preview_departure(tutor_id)
    if request.method == "GET" and not preview.is_possible(_STEPS[step]):
        return redirect(url_for(".tutor", tutor_id=tutor_id))
    html = render_template(
        "coordinator/departure.html",
        departure=preview,
        step=step,
        form=form,
        refused=refused,
        words=words,
    )
    if preview.pupil_ids:
        audit.record_view(request.path, signed_in_coordinator(), preview.pupil_ids)
    return html, status


@blueprint.post("/volunteers/<int:tutor_id>/take-back")
def take_tutor_back(tutor_id: int) -> ResponseReturnValue:
    """Take back a volunteer who paused or left."""
    row = departures.take_tutor_back(tutor_id, signed_in_coordinator())
    flash(_("%(name)s is back; no group comes back by itself.", name=row.name), "good")
    return redirect(url_for(".tutor", tutor_id=tutor_id), 303)
