"""A volunteer pauses, is back, or stops: each told before it is done."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from app.i18n import _
from app.models import TutorState
from app.security import signed_in_tutor
from app.services import departures
from app.services.errors import Conflict, Invalid
from app.web.account.sessions import forget_session
from app.web.volunteer import blueprint
from app.web.volunteer.forms import PauseForm, ReasonForm


@blueprint.route("/pause", methods=["GET", "POST"])
def pause() -> ResponseReturnValue:
    """What pausing ends; then the pause, until a day or an open end."""
    tutor = signed_in_tutor()
    form = PauseForm(_reasons())
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            departures.pause_tutor(
                tutor.id, form.reason, None, until=form.until.data, by_tutor=True
            )
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("You pause now. We look forward to having you back."), "good")
            return redirect(url_for(".week"), 303)
    preview = departures.preview_departure(tutor.id)
    if request.method == "GET" and not preview.is_possible(TutorState.PAUSED):
        return redirect(url_for(".week"))
    html = render_template("volunteer/pause.html", departure=preview, form=form, refused=refused)
    return html, status


@blueprint.post("/back")
def come_back() -> ResponseReturnValue:
    """End a pause before its day."""
    departures.take_tutor_back(signed_in_tutor().id, None, by_tutor=True)
    flash(_("Welcome back! Pupils are proposed to you with the next matching."), "good")
    return redirect(url_for(".week"), 303)


@blueprint.route("/stop", methods=["GET", "POST"])
def stop() -> ResponseReturnValue:
    """What leaving ends, and why; asked once more; then it is done and the sign-in closes."""
    tutor = signed_in_tutor()
    form = ReasonForm(_reasons())
    status = 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        if "sure" in request.form:
            departures.let_tutor_leave(tutor.id, form.reason, None, by_tutor=True)
            logout_user()
            forget_session()
            flash(_("You have left. Thank you for all that you gave!"), "good")
            return redirect(url_for("public.home"), 303)
        preview = departures.preview_departure(tutor.id)
        return render_template("volunteer/stop_sure.html", departure=preview, form=form)
    preview = departures.preview_departure(tutor.id)
    return render_template("volunteer/stop.html", departure=preview, form=form), status


def _reasons() -> list[str]:
    return [
        _("I have too much to do"),
        _("I have exams"),
        _("I am ill"),
        _("I am moving or travelling"),
    ]
