"""Matching: starting a run, watching it, reading what it proposes."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import MatchRun, RunState
from app.security import signed_in_coordinator
from app.services import audit, proposals, publishing, runs
from app.services.desk import desk_figures
from app.services.errors import ServiceError
from app.services.scope import EVERYWHERE
from app.web.coordinator import blueprint, words
from app.web.coordinator.forms import StartRepairForm, StartRunForm

RUNS_SHOWN = 50


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
        publication=publishing.preview_publication(run_id),
        outdated=publishing.is_outdated(row),
        can_be_undone=publishing.can_be_undone(row),
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
