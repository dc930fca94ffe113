"""Publishing a run's proposal, and taking a publication back: each asked once more before."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _, ngettext
from app.models import MatchRun, RunState
from app.security import signed_in_coordinator
from app.services import audit, proposals, publishing, runs
from app.services.errors import Conflict, ServiceError
from app.web.coordinator import blueprint, words

PUBLISHABLE = (RunState.DONE, RunState.CANCELLED)


@blueprint.get("/matching/<int:run_id>/publish")
def confirm_publication(run_id: int) -> ResponseReturnValue:
    """What publishing a run would add, group by group, before anything is done."""
    run = runs.get_run(run_id)
    if run.state not in PUBLISHABLE or not run.has_plan:
        return redirect(url_for(".run", run_id=run_id))
    return _show_publication(run)


@blueprint.post("/matching/<int:run_id>/publish")
def publish(run_id: int) -> ResponseReturnValue:
    """Offer a run's groups to their volunteers; where that is refused, say why."""
    try:
        groups = publishing.publish_run(run_id, signed_in_coordinator())
    except Conflict as refusal:
        return _show_publication(runs.get_run(run_id), str(refusal)), refusal.status
    flash(
        ngettext(
            "Published: %(num)s offer waits for its volunteer's answer.",
            "Published: %(num)s offers wait for their volunteers' answers.",
            len(groups),
        ),
        "good",
    )
    return redirect(url_for(".run", run_id=run_id), 303)


def _show_publication(run: MatchRun, refused: str = "") -> str:
    # Read first, the proposal brings all that the additions are shown with.
    proposal = proposals.read_proposal(run)
    publication = publishing.preview_publication(run.id)
    html = render_template(
        "coordinator/publish.html",
        run=run,
        proposal=proposal,
        publication=publication,
        outdated=refused or (words.outdated() if publishing.is_outdated(run) else ""),
        words=words,
    )
    audit.record_view(request.path, signed_in_coordinator(), publication.pupil_ids)
    return html


@blueprint.route("/matching/<int:run_id>/take-back", methods=["GET", "POST"])
def take_back(run_id: int) -> ResponseReturnValue:
    """Ask before a publication is taken back, then take it back; where refused, say why."""
    run = runs.get_run(run_id)
    refused, status = "", 200
    if request.method == "POST":
        try:
            publishing.undo_publication(run_id, signed_in_coordinator())
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("The publication is taken back. Nothing is offered from it any more."), "good")
            return redirect(url_for(".run", run_id=run_id), 303)
    elif not publishing.can_be_undone(run):
        return redirect(url_for(".run", run_id=run_id))
    return render_template("coordinator/take_back.html", run=run, refused=refused), status
