"""`flask match`: choices for the runs to come, set and taken back from a shell."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from app.extensions import db
from app.models import AuditEntry, MatchRun
from tests.support import people
from tests.support.groups import propose

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def pair(app: Flask) -> tuple[int, int]:
    """A request, and a tutor who could have it."""
    with app.app_context():
        people.make_programme()
        people.make_coordinator()
        return people.make_household().pupils[0].requests[0].id, people.make_tutor()


def said(runner: FlaskCliRunner, *words: object) -> str:
    answer = runner.invoke(args=["match", *map(str, words)])
    assert answer.exit_code == 0, answer.output
    return str(answer.output)


def test_pin_and_veto_are_set_listed_and_taken_back(app: Flask, pair: tuple[int, int]) -> None:
    request, tutor = pair
    runner = app.test_cli_runner()
    by = ("--by", "coordinator@example.org")
    pin = said(
        runner, "pin", request, tutor, "--start", "mon 18:30", "--channel", "call", *by
    ).strip()
    assert said(runner, "choices") == f"pin\t{pin}\t{request}\t{tutor}\tmon 18:30\tcall\t\n"
    said(runner, "unpin", pin, *by)
    veto = said(runner, "veto", request, tutor, "--reason", "cousins", *by).strip()
    assert said(runner, "choices") == f"veto\t{veto}\t{request}\t{tutor}\tcousins\n"
    said(runner, "unveto", veto, *by)
    assert said(runner, "choices") == ""
    with app.app_context():
        acts = db.session.scalars(
            select(AuditEntry).where(AuditEntry.subject == f"request:{request}")
        )
        assert [(act.action, act.coordinator_id is None) for act in acts] == [
            ("pin", False), ("unpin", False), ("veto", False), ("unveto", False),
        ]  # fmt: skip


def test_pin_at_no_time_is_refused_in_one_line(app: Flask, pair: tuple[int, int]) -> None:
    request, tutor = pair
    for start in ("monday", "mon 25:00"):
        answer = app.test_cli_runner().invoke(
            args=["match", "pin", str(request), str(tutor), "--start", start]
        )
        assert answer.exit_code != 0


def test_run_is_solved_again_from_a_shell(app: Flask, pair: tuple[int, int]) -> None:
    assert pair
    with app.app_context():
        run_id = propose()
    said(app.test_cli_runner(), "again", run_id)
    with app.app_context():
        assert len(db.session.scalars(select(MatchRun)).all()) == 2
