"""The coordinators' first page, and the trace of what was seen and done."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_coordinator
from app.services import audit
from app.services.call_requests import mark_called as note_call
from app.services.desk import desk_figures, read_decisions
from app.services.flags import pupils_of
from app.services.masking import is_whole, shown_name
from app.services.trace import read_trace
from app.services.vetting import expires_on
from app.web.access import own_scope
from app.web.coordinator import blueprint, labels, stories, words
from app.web.incoming import asked_number


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """The short address of the desk."""
    return redirect(url_for(".desk"))


@blueprint.get("/desk")
def desk() -> ResponseReturnValue:
    """What waits for a decision, and how things stand; leaves a row where it names children."""
    scope = own_scope()
    decisions = read_decisions(scope)
    page = render_template(
        "coordinator/desk.html",
        decisions=decisions,
        figures=desk_figures(scope),
        scope=scope,
        shown_name=shown_name,
        is_whole=is_whole,
        pupils_of=pupils_of,
        requests_page=url_for(".requests_to_confirm"),
        expires_on=expires_on,
        labels=labels,
        stories=stories,
        words=words,
    )
    shown = decisions.pupil_ids(scope)
    if shown:
        audit.record_view(request.path, signed_in_coordinator(), shown)
    return page


@blueprint.post("/calls/<int:call_id>/called")
def mark_called(call_id: int) -> ResponseReturnValue:
    """Take a family that asked to be called off the desk, in the name of who is signed in."""
    note_call(call_id, signed_in_coordinator())
    flash(_("Thank you. Your name is kept beside this call."), "good")
    return redirect(url_for(".desk"), 303)


@blueprint.get("/trace")
def trace() -> ResponseReturnValue:
    """Who saw and did what, the newest first."""
    entries, page = read_trace(asked_number("page") or 1)
    return render_template("coordinator/trace.html", entries=entries, page=page, labels=labels)
