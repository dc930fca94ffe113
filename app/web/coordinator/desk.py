"""The coordinators' first page, and the trace of what was seen and done."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.security import signed_in_coordinator
from app.services import audit
from app.services.people import desk_figures
from app.services.trace import read_trace
from app.services.worries import list_open
from app.web.coordinator import blueprint, labels, words
from app.web.incoming import asked_number


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """The short address of the desk."""
    return redirect(url_for(".desk"))


@blueprint.get("/desk")
def desk() -> ResponseReturnValue:
    """How things stand, and what to do next."""
    worries = list_open()
    page = render_template(
        "coordinator/desk.html", figures=desk_figures(), words=words, worries=worries
    )
    shown = [pupil.id for worry in worries for pupil in worry.household.pupils]
    if shown:
        audit.record_view(request.path, signed_in_coordinator(), shown)
    return page


@blueprint.get("/trace")
def trace() -> ResponseReturnValue:
    """Who saw and did what, the newest first."""
    entries, page = read_trace(asked_number("page") or 1)
    return render_template("coordinator/trace.html", entries=entries, page=page, labels=labels)
