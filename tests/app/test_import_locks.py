"""Imports among others who change the same rows at the same time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.database import is_for_trying_again, transaction
from app.extensions import db
from app.models import Group, GroupState, Household, ListKind, Pupil, Tutor, TutorState
from app.services import groups, lessons, reminders
from app.services.errors import Conflict
from app.services.imports import apply_import
from app.services.imports.apply import one_import
from scheduler import clock
from tests.support.groups import active_group
from tests.support.lists import HIBA, RANIA, make_list
from tests.support.people import make_programme

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
TUTOR = RANIA | {"enseigne": "Mathématiques: 3AC", "canaux": "whatsapp"}
CHILD = HIBA | {"matieres": "Mathématiques", "niveau": "3AC"}


def make_group() -> int:
    make_programme()
    apply_import(ListKind.VOLUNTEERS, make_list(TUTOR), None)
    apply_import(ListKind.PUPILS, make_list(CHILD), None)
    with transaction():
        tutor = db.session.scalars(select(Tutor)).one()
        tutor.state, tutor.vetted_at = TutorState.VETTED, clock.now()
    request = db.session.scalars(select(Pupil)).one().requests[0]
    # A week ago, so that the worker has lessons of another week to make.
    with time_machine.travel(clock.now() - timedelta(days=8), tick=True):
        return active_group(tutor.id, [request.id]).id


@on_postgresql
def test_import_waits_for_who_makes_lessons_of_the_same_group(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker holds the group and wants the family; the import must not hold the family yet."""
    with app.app_context():
        group_id = make_group()
    holds_group, family_is_written = threading.Event(), threading.Event()
    plan_reminders, leave_without_right = reminders.plan_reminders, groups.leave_without_right

    def plan(made: Any) -> None:
        holds_group.set()
        family_is_written.wait(timeout=1)
        plan_reminders(made)

    def leave(pupil_ids: Iterable[int]) -> int:
        family_is_written.set()
        return leave_without_right(pupil_ids)

    monkeypatch.setattr(lessons, "plan_reminders", plan)
    monkeypatch.setattr(groups, "leave_without_right", leave)
    made = []

    def work() -> None:
        with app.app_context():
            made.append(lessons.extend_lessons())

    worker = threading.Thread(target=work)
    worker.start()
    assert holds_group.wait(timeout=10)
    with app.app_context():
        withdrawn = CHILD | {"consentement": "non", "email": "touil@example.org"}
        apply_import(ListKind.PUPILS, make_list(withdrawn), None)
    worker.join()
    with app.app_context():
        assert made == [1]
        assert db.session.get_one(Group, group_id).state is GroupState.ENDED
        assert db.session.scalars(select(Household)).one().email == "touil@example.org"


def test_import_that_loses_a_race_asks_to_try_again(app: Flask) -> None:
    lost = OperationalError("", None, psycopg.errors.DeadlockDetected())
    with app.app_context(), pytest.raises(Conflict), one_import():
        raise lost


def test_lost_connection_is_no_race(app: Flask) -> None:
    gone = OperationalError("", None, psycopg.errors.AdminShutdown())
    assert not is_for_trying_again(gone)
    with app.app_context(), pytest.raises(OperationalError), one_import():
        raise gone


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_import_that_waited_too_long_for_sqlite_asks_to_try_again(
    app: Flask, database_url: str
) -> None:
    with app.app_context():
        make_programme()
    other_process = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    with closing(other_process), app.app_context():
        other_process.execute("BEGIN IMMEDIATE")
        db.session.connection().exec_driver_sql("PRAGMA busy_timeout = 10")
        with pytest.raises(Conflict):
            apply_import(ListKind.PUPILS, make_list(CHILD), None)
