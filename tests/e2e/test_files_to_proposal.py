"""The main job in one test: two spreadsheets go in, a proposal with its reasons comes out."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import (
    Household,
    MatchRun,
    Pupil,
    RequestState,
    RunState,
    Tutor,
    TutoringRequest,
    TutorState,
)
from app.services import proposals, runs
from app.worker import solve_next
from config import ROOT
from matching.check import check
from matching.io import read_plan, read_problem
from tests.support import people
from tests.support.vetting import form_of

PILOT = ROOT / "app" / "data" / "pilot"


@pytest.mark.slow  # test_files_to_reminders.py begins alike and goes on
def test_the_pilots_files_become_a_proved_proposal(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        people.make_programme()
        people.make_coordinator()

    # Both lists, as a coordinator would from a shell.
    for kind in ("volunteers", "pupils"):
        ran = app.test_cli_runner().invoke(
            args=["import", kind, str(PILOT / f"{kind}.csv"), "--by", "coordinator@example.org"]
        )
        assert ran.exit_code == 0, ran.output
    with app.app_context():
        assert len(db.session.scalars(select(Tutor)).all()) == 20
        assert len(db.session.scalars(select(Pupil)).all()) == 76
        assert len(db.session.scalars(select(Household)).all()) == 53
        tutor_ids = db.session.scalars(select(Tutor.id)).all()

    # Vetting, by name and one by one.
    assert people.sign_in(client).status_code == 302
    form = form_of(app)
    for tutor_id in tutor_ids:
        assert client.post(f"/coordinator/volunteers/{tutor_id}/vet", data=form).status_code == 303

    # A run, solved by the worker.
    started = client.post("/coordinator/matching", data={"seconds": "45", "seed": "0"})
    assert started.status_code == 302
    page = started.headers["Location"]
    assert 'http-equiv="refresh"' in client.get(page).text
    with app.app_context():
        solve_next(threading.Event())
        run = db.session.scalars(select(MatchRun)).one()
        assert run.state is RunState.DONE, run.failure
        check_proposal(run)

    # What the coordinator then sees.
    shown = client.get(page).text
    with app.app_context():
        for pupil in db.session.scalars(select(Pupil)):
            assert pupil.name in shown
    for other in ("+212", "0600", "example.org/"):
        assert other not in shown


def check_proposal(run: MatchRun) -> None:
    problem, plan = read_problem(runs.read_problem(run.id)), read_plan(runs.read_plan(run.id))
    assert check(problem, plan) == []
    proposal = proposals.read_proposal(run)
    coverage = proposal.levels[0]
    assert (coverage.name, coverage.proved) == ("weight_served", True)
    assert (run.best_weight, run.bound_weight, proposal.weight_asked) == (245, 245, 281)
    assert len(proposal.requests) == 121
    assert proposal.weight_served == 245
    # A run changes nothing until it is published.
    states = set(db.session.scalars(select(TutoringRequest.state)))
    assert states == {RequestState.WAITING}
    assert set(db.session.scalars(select(Tutor.state))) == {TutorState.VETTED}


def test_file_with_a_fault_stores_nothing_and_says_where(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        people.make_programme()
    text = (PILOT / "pupils.csv").read_text(encoding="utf-8")
    broken = tmp_path / "pupils.csv"
    broken.write_text(text.replace("lun 17:30-19:30", "lun 19:30-17:30", 1), encoding="utf-8")
    ran = app.test_cli_runner().invoke(args=["import", "pupils", str(broken)])
    assert ran.exit_code == 1
    assert "lun 19:30-17:30" in ran.output
    with app.app_context():
        assert db.session.scalars(select(Pupil)).all() == []
