"""Matching: starting a run, watching it, reading what it proposes."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import MatchRun, RunState
from app.security import signed_in_coordinator
from app.services import audit, choices, comparing, proposals, publishing, runs
from app.services.desk import desk_figures
from app.services.errors import ServiceError
from app.services.paging import page_of
from app.services.scope import EVERYWHERE
from app.web.coordinator import blueprint, words
from app.web.coordinator.forms import StartRepairForm, StartRunForm
from app.web.incoming import asked_number

RUNS_SHOWN = 50
TUTORS_SHOWN = 50
WAITING_SHOWN = 100


@blueprint.route("/matching", methods=["GET", "POST"])
def matching() -> ResponseReturnValue:
    """The runs so far, and a form to start one."""
    form = StartRunForm()
    if request.method == "GET":
        form.seconds.data = current_app.config["N9RAW"].solve_seconds
    refused: list[str] = []
    if form.validate_on_submit():
        try:
            run = runs.start_run(
                signed_in_coordinator(),
                seconds=form.seconds.data,
                seed=form.seed.data,
                iterations=form.iterations.data,
            )
            return redirect(url_for(".run", run_id=run.id))
        except ServiceError as error:
            refused = [str(error)]
    page = render_template(
        "coordinator/runs.html",
        form=form,
        refused=refused,
        runs=runs.list_runs(RUNS_SHOWN),
        words=words,
    )
    return page, 400 if form.errors or refused else 200


@blueprint.route("/matching/repair", methods=["GET", "POST"])
def repair() -> ResponseReturnValue:
    """Ask how much a repair may change, and start it; where that is refused, say why."""
    form = StartRepairForm()
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            run = runs.start_repair(signed_in_coordinator(), may_move=form.may_move.data)
            return redirect(url_for(".run", run_id=run.id), 303)
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
    figures = desk_figures(EVERYWHERE)
    page = render_template("coordinator/repair.html", form=form, refused=refused, figures=figures)
    return page, status


@blueprint.get("/matching/latest")
def latest_run() -> ResponseReturnValue:
    """On to the newest run, or to where one is started."""
    run_id = runs.newest_run_id()
    return redirect(url_for(".matching") if run_id is None else url_for(".run", run_id=run_id))


@blueprint.get("/matching/<int:run_id>")
def run(run_id: int) -> ResponseReturnValue:
    """How far a run is; once it has a plan, what it proposes."""
    row = runs.get_run(run_id)
    if row.state in runs.ACTIVE:
        return render_template("coordinator/run_progress.html", run=row, words=words)
    if not row.has_plan:
        return render_template("coordinator/run_without_plan.html", run=row)
    proposal = proposals.read_proposal(row)
    page = render_template(
        "coordinator/run_proposal.html",
        run=row,
        proposal=proposal,
        page=page_of(len(proposal.tutors), asked_number("page") or 1, TUTORS_SHOWN),
        waiting=page_of(len(proposal.unserved), 1, WAITING_SHOWN),
        publication=publishing.preview_publication(run_id),
        outdated=publishing.is_outdated(row),
        can_be_undone=publishing.can_be_undone(row),
        comparison=comparing.compare_with_force(row),
        others=comparing.comparable_runs(row),
        chosen_since=choices.made_since(row.requested_at),
        words=words,
    )
    audit.record_view(request.path, signed_in_coordinator(), proposal.pupil_ids)
    return page


@blueprint.post("/matching/<int:run_id>/cancel")
def cancel_run(run_id: int) -> ResponseReturnValue:
    """End a run now, with the best plan that it has."""
    row = runs.cancel_run(run_id, signed_in_coordinator())
    if row.state is RunState.RUNNING:
        flash(_("The search is told to stop and to keep the best that it has found."), "good")
    return redirect(url_for(".run", run_id=run_id))


@blueprint.get("/matching/<int:run_id>/waiting")
def left_waiting(run_id: int) -> ResponseReturnValue:
    """All whom a run leaves waiting, each with why."""
    row = runs.get_run(run_id)
    if row.state in runs.ACTIVE or not row.has_plan:
        return redirect(url_for(".run", run_id=run_id))
    proposal = proposals.read_proposal(row)
    page = page_of(len(proposal.unserved), asked_number("page") or 1, WAITING_SHOWN)
    html = render_template(
        "coordinator/left_waiting.html", run=row, proposal=proposal, page=page, words=words
    )
    # The reasons name others too: whoever holds the place.
    audit.record_view(request.path, signed_in_coordinator(), proposal.pupil_ids)
    return html


@blueprint.post("/matching/<int:run_id>/again")
def solve_again(run_id: int) -> ResponseReturnValue:
    """Search as this run did, for the people and the choices of now."""
    runs.get_run(run_id)
    try:
        row = runs.solve_again(run_id, signed_in_coordinator())
    except ServiceError as refusal:
        flash(str(refusal), "warn")
        return redirect(url_for(".run", run_id=run_id), 303)
    return redirect(url_for(".run", run_id=row.id), 303)


@blueprint.get("/matching/<int:run_id>/compare")
def compare(run_id: int) -> ResponseReturnValue:
    """Who would gain, move or lose a place, against what is in force or another run (`?with=`)."""
    row, other_id = runs.get_run(run_id), asked_number("with")
    if not row.has_plan:
        return redirect(url_for(".run", run_id=run_id))
    refused, status = "", 200
    comparison = comparing.compare_with_force(row)
    try:
        if other_id is not None:
            comparison = comparing.compare_with_run(row, other_id)
    except ServiceError as refusal:
        refused, status, other_id = str(refusal), refusal.status, None
    differences, page = comparison.page(asked_number("page") or 1)
    html = render_template(
        "coordinator/compare.html",
        run=row,
        other_id=other_id,
        others=comparing.comparable_runs(row),
        refused=refused,
        comparison=comparison,
        differences=differences,
        page=page,
        names=comparing.names_for(differences),
        words=words,
    )
    shown = {difference.request.pupil_id for difference in differences}
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html, status


@blueprint.get("/matching/<int:run_id>/<any(problem, plan, parameters):document>.json")
def run_file(run_id: int, document: str) -> ResponseReturnValue:
    """A run's problem, plan or parameters, to keep or to solve elsewhere."""
    row = runs.get_run(run_id)
    problem = runs.read_problem(run_id)
    content = _document(row, document, problem)
    audit.record_view(
        request.path,
        signed_in_coordinator(),
        {int(asked["pupil"][1:]) for asked in problem["requests"]},
    )
    return Response(
        json.dumps(content, ensure_ascii=False, indent=1),
        mimetype="application/json",
        headers={"Content-Disposition": f"attachment; filename=n9raw-{run_id}-{document}.json"},
    )


def _document(row: MatchRun, document: str, problem: dict[str, Any]) -> dict[str, Any]:
    if document == "problem":
        return problem
    if document == "plan":
        return runs.read_plan(row.id)
    return runs.parameters(row)
