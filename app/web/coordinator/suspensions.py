"""Suspending a volunteer at once, after a page that says what ends; lifting a suspension."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import TutorState
from app.security import signed_in_coordinator
from app.services import audit, departures, masking
from app.services.errors import Conflict, Invalid
from app.services.suspension import lift_suspension as lift
from app.services.suspension import suspend_tutor
from app.services.telling import taught_pupils
from app.web.access import own_scope
from app.web.coordinator import blueprint, words
from app.web.coordinator.tutor_forms import SuspensionForm


@blueprint.route("/volunteers/<int:tutor_id>/suspend", methods=["GET", "POST"])
def suspension(tutor_id: int) -> ResponseReturnValue:
    """What a suspension ends and whom it tells; then the suspension itself."""
    form = SuspensionForm()
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            ended = suspend_tutor(tutor_id, form.reason.data, signed_in_coordinator())
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("%(name)s is suspended.", name=ended.tutor.name), "good")
            return redirect(url_for(".tutor", tutor_id=tutor_id), 303)
    preview = departures.preview_departure(tutor_id)
    if request.method == "GET" and preview.tutor.state is TutorState.SUSPENDED:
        return redirect(url_for(".tutor", tutor_id=tutor_id))
    scope = own_scope()
    families = {pupil.household_id for pupil in taught_pupils(preview.groups)}
    html = render_template(
        "coordinator/suspension.html",
        departure=preview,
        families=len(families),
        form=form,
        refused=refused,
        scope=scope,
        shown_name=masking.shown_name,
        words=words,
    )
    shown = [
        seat.request.pupil_id
        for group in preview.groups
        for seat in group.members
        if masking.is_shown(seat.request.pupil, scope)
    ]
    if shown:
        audit.record_view(request.path, signed_in_coordinator(), shown)
    return html, status


@blueprint.post("/volunteers/<int:tutor_id>/lift-suspension")
def lift_suspension(tutor_id: int) -> ResponseReturnValue:
    """Let a suspended volunteer come in again, to be vetted anew."""
    row = lift(tutor_id, signed_in_coordinator())
    flash(_("The suspension of %(name)s is lifted; vet them anew.", name=row.name), "good")
    return redirect(url_for(".tutor", tutor_id=tutor_id), 303)
