"""Storing a list: whole or not at all, once, and as it was shown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from app.extensions import db
from app.models import AuditEntry, Household, ListKind, Pupil, Tutor
from app.services.errors import Conflict
from app.services.imports import BadRows, PlanChanged, Status, apply_import, plan_import
from app.services.programme import load_programme
from tests.support.databases import SECRET_KEY
from tests.support.lists import (
    HIBA,
    PILOT_PUPILS,
    PILOT_VOLUNTEERS,
    RANIA,
    SARA,
    WALID,
    contents,
    count,
    make_list,
    statuses,
)

BAD = {**SARA, "niveau": "?"}


@pytest.fixture
def _programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        load_programme()
        yield


@pytest.mark.usefixtures("_programme")
def test_one_bad_row_keeps_the_whole_list_out() -> None:
    before = contents(without_tables=())
    with pytest.raises(BadRows) as refused:
        apply_import(ListKind.PUPILS, make_list(HIBA, BAD), None)
    assert statuses(refused.value.report) == ["new", "bad"]
    assert contents(without_tables=()) == before


@pytest.mark.usefixtures("_programme")
def test_bad_rows_are_left_out_when_that_is_chosen() -> None:
    report = apply_import(ListKind.PUPILS, make_list(HIBA, BAD, WALID), None, leave_out_bad=True)
    assert statuses(report) == ["new", "bad", "new"]
    assert {pupil.ref for pupil in db.session.scalars(select(Pupil))} == {"P1", "P2"}
    entry = db.session.scalars(select(AuditEntry)).one()
    assert entry.detail["rows"] == {"new": 2, "changed": 0, "same": 0, "bad": 1}


@pytest.mark.usefixtures("_programme")
def test_known_family_stays_as_it_is_when_its_rows_disagree() -> None:
    apply_import(ListKind.PUPILS, make_list(HIBA, WALID), None)
    before = contents()
    content = make_list({**HIBA, "niveau": "TC"}, {**WALID, "canaux": "visio"})
    report = apply_import(ListKind.PUPILS, content, None, leave_out_bad=True)
    assert statuses(report) == ["bad", "bad"]
    assert contents() == before


@pytest.mark.usefixtures("_programme")
@pytest.mark.parametrize("leave_out_bad", [True, False])
def test_file_that_is_no_list_is_refused_even_when_bad_rows_may_stay_out(
    leave_out_bad: bool,
) -> None:
    with pytest.raises(BadRows) as refused:
        apply_import(ListKind.PUPILS, b"hello\nworld", None, leave_out_bad=leave_out_bad)
    assert not refused.value.report.readable
    assert count(AuditEntry) == 0


@pytest.mark.usefixtures("_programme")
def test_list_that_would_now_do_something_else_is_shown_anew() -> None:
    content = make_list(HIBA, WALID)
    seen = plan_import(ListKind.PUPILS, content)
    apply_import(ListKind.PUPILS, make_list({**HIBA, "niveau": "TC"}), None)
    before = contents(without_tables=())
    with pytest.raises(PlanChanged) as refused:
        apply_import(ListKind.PUPILS, content, None, expected=seen.digest)
    now = refused.value.report
    assert statuses(now) == ["changed", "new"]
    assert contents(without_tables=()) == before
    apply_import(ListKind.PUPILS, content, None, expected=now.digest)
    assert set(statuses(plan_import(ListKind.PUPILS, content))) == {"same"}


def test_empty_programme_is_said_before_anything_is_stored(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(Conflict, match="flask programme load"):
            apply_import(ListKind.PUPILS, make_list(HIBA), None)
        assert count(Household) == 0


@pytest.mark.usefixtures("_programme")
def test_telephone_taken_in_the_middle_of_an_import_leaves_nothing_behind() -> None:
    content = make_list(SARA, HIBA)
    before = contents(without_tables=())

    taken = False

    def take_telephone(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal taken
        if statement.startswith("INSERT INTO household (") and not taken:
            taken = True
            connection.exec_driver_sql(
                "INSERT INTO household (phone, zone_id, times_to_agree, created_at) "
                "SELECT '+212600000102', id, true, '2026-10-01 00:00:00' FROM zone"
            )

    event.listen(db.engine, "before_cursor_execute", take_telephone)
    with pytest.raises(PlanChanged):
        apply_import(ListKind.PUPILS, content, None)
    assert contents(without_tables=()) == before


@pytest.mark.usefixtures("_programme")
@pytest.mark.parametrize(
    ("kind", "content", "table"),
    [
        ("pupils", PILOT_PUPILS, "consent"),
        ("volunteers", PILOT_VOLUNTEERS, "tutor_subject"),
    ],
)
def test_process_killed_while_storing_leaves_nothing_behind(
    database_url: str, kind: str, content: bytes, table: str
) -> None:
    before = contents(without_tables=())
    program = f"""
        import os, signal, sys
        from sqlalchemy import event
        from app import create_app
        from app.extensions import db
        from app.models import ListKind
        from app.services.imports import apply_import

        def die(connection, cursor, statement, *rest):
            if statement.startswith("INSERT INTO {table} ("):
                os.kill(os.getpid(), signal.SIGKILL)

        with create_app().app_context():
            event.listen(db.engine, "after_cursor_execute", die)
            apply_import(ListKind("{kind}"), sys.stdin.buffer.read(), None)
    """
    environment = {
        **os.environ,
        "N9RAW_DATABASE_URL": database_url,
        "N9RAW_SECRET_KEY": SECRET_KEY,
    }
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        input=content,
        env=environment,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert contents(without_tables=()) == before


@pytest.mark.usefixtures("_programme")
def test_two_imports_of_one_file_at_once_store_it_once(app: Flask) -> None:
    def store(_turn: int) -> list[str]:
        with app.app_context():
            return statuses(apply_import(ListKind.PUPILS, PILOT_PUPILS, None))

    with ThreadPoolExecutor(2) as threads:
        seen = sorted(threads.map(store, range(2)))
    assert seen == [["new"] * 76, ["same"] * 76]
    assert count(Household) == 53
    assert count(Pupil) == 76


def many_pupils(number: int) -> bytes:
    return make_list(
        *(
            {
                **HIBA,
                "pupil": f"P{one}",
                "prenom": f"Enfant {one}",
                "telephone": f"06{one // 2:08d}",
            }
            for one in range(number)
        )
    )


@pytest.mark.usefixtures("_programme")
def test_looking_at_a_list_takes_as_many_queries_for_two_rows_as_for_two_hundred() -> None:
    apply_import(ListKind.PUPILS, many_pupils(200), None)
    apply_import(ListKind.VOLUNTEERS, make_list(RANIA), None)
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    numbers = []
    for content in (many_pupils(2), many_pupils(200)):
        db.session.rollback()
        asked.clear()
        assert set(statuses(plan_import(ListKind.PUPILS, content))) == {"same"}
        numbers.append(len(asked))
    event.remove(db.engine, "before_cursor_execute", note)
    assert numbers[0] == numbers[1] <= 12


@pytest.mark.slow
@pytest.mark.usefixtures("_programme")
def test_ten_thousand_rows_are_stored_and_found_the_same() -> None:
    content = many_pupils(10_000)
    report = apply_import(ListKind.PUPILS, content, None)
    assert report.count(Status.NEW) == 10_000
    assert count(Household) == 5_000
    assert plan_import(ListKind.PUPILS, content).count(Status.SAME) == 10_000


@pytest.mark.usefixtures("_programme")
def test_volunteers_are_stored_whole_or_not_at_all() -> None:
    before = contents(without_tables=())
    with pytest.raises(BadRows):
        apply_import(
            ListKind.VOLUNTEERS, make_list(RANIA, {**RANIA, "benevole": "V9", "email": "x"}), None
        )
    assert count(Tutor) == 0
    assert contents(without_tables=()) == before
