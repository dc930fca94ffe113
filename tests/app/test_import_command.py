"""`flask import`: the same report in a shell, and exit statuses that a script can trust."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import AuditEntry, Consent, Pupil, Tutor
from app.services.programme import load_programme
from tests.support.lists import (
    HIBA,
    PILOT_PUPILS,
    PILOT_VOLUNTEERS,
    SARA,
    WALID,
    count,
    make_list,
)
from tests.support.people import make_coordinator

# Services are tested on both databases; what is said of them is the same on each.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BAD = {**SARA, "niveau": "9", "telephone": "\x1b[2J"}


@pytest.fixture(autouse=True)
def _programme(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N9RAW_LANG", "en")
    with app.app_context():
        load_programme()


def run(app: Flask, *arguments: str | os.PathLike[str], content: bytes = b"") -> Result:
    """Run `flask import`, the content as its standard input."""
    command = ["import", *map(os.fspath, arguments)]
    return app.test_cli_runner().invoke(args=command, input=content)


def test_file_is_stored_and_its_report_printed(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "pupils.csv"
    file.write_bytes(PILOT_PUPILS)
    result = run(app, "pupils", file)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[:2] == ["Read as text in UTF-8.", "Row 2, Wiam Lamrani: new"]
    assert "121 requests added" in lines
    assert lines[-2:] == ["0 bad rows · 76 new rows · 0 changed rows · 0 rows as before", "Stored."]
    with app.app_context():
        assert count(Pupil) == 76


def test_volunteers_come_from_standard_input(app: Flask) -> None:
    assert run(app, "volunteers", "-", content=PILOT_VOLUNTEERS).exit_code == 0
    again = run(app, "volunteers", "-", content=PILOT_VOLUNTEERS)
    assert again.output.splitlines() == [
        "Read as text in UTF-8.",
        "0 bad rows · 0 new rows · 0 changed rows · 20 rows as before",
        "Stored.",
    ]
    with app.app_context():
        assert count(Tutor) == 20


def test_dry_run_stores_nothing(app: Flask) -> None:
    run(app, "pupils", "-", content=make_list(HIBA, WALID))
    result = run(app, "pupils", "-", "--dry-run", content=make_list({**HIBA, "niveau": "TC"}, SARA))
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Read as text in UTF-8.",
        "Row 2, Hiba Touil: changed: niveau from “3AC” to “TC”",
        "Row 3, Sara Rami: new",
        "1 family added",
        "2 requests added",
        "2 consents given",
        "0 bad rows · 1 new row · 1 changed row · 0 rows as before",
        "Nothing was stored: this was a dry run.",
    ]
    with app.app_context():
        assert count(Pupil) == 2


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_bad_rows_end_with_an_error_and_nothing_stored(
    app: Flask, options: tuple[str, ...]
) -> None:
    result = run(app, "pupils", "-", *options, content=make_list(HIBA, BAD))
    assert result.exit_code == 1
    assert (
        "Row 3, column “telephone”, read “�[2J”: Expected: plain text on one line, without line "
        "breaks, tabs or invisible characters."
    ) in result.output
    assert "Error: Some rows can't be stored." in result.output
    assert "\x1b" not in result.output
    with app.app_context():
        assert count(Pupil) == 0


def test_bad_rows_can_be_left_out(app: Flask) -> None:
    result = run(app, "pupils", "-", "--leave-out-bad", content=make_list(HIBA, BAD))
    assert result.exit_code == 0
    assert "1 bad row · 1 new row" in result.output
    with app.app_context():
        assert count(Pupil) == 1


def test_file_that_is_no_list_or_not_there_is_an_error(app: Flask, tmp_path: Path) -> None:
    result = run(app, "pupils", "-", "--leave-out-bad", content=b"PK\x03\x04")
    assert result.exit_code == 1
    assert "can't be read as a workbook (.xlsx)" in result.output
    result = run(app, "pupils", tmp_path / "none.csv")
    assert result.exit_code == 1
    assert "No such file or directory" in result.output


def test_a_coordinator_may_answer_for_the_consents(app: Flask) -> None:
    with app.app_context():
        by = make_coordinator("salma@example.org").id
    content = make_list(HIBA)
    assert run(app, "pupils", "-", "--by", "nobody@example.org", content=content).exit_code == 1
    assert run(app, "pupils", "-", "--by", "Salma@example.org", content=content).exit_code == 0
    with app.app_context():
        assert set(db.session.scalars(select(Consent.declared_by_id))) == {by}
        imported = select(AuditEntry.coordinator_id).where(AuditEntry.action == "import")
        assert db.session.scalars(imported).all() == [by]
