"""A database of the version before upgrades without loss, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import flask_migrate
from flask import Flask
from sqlalchemy import Connection, MetaData, Table, insert, select, text

from app.extensions import db
from app.models import (
    Consent,
    ConsentMeans,
    Coordinator,
    Group,
    Household,
    Lesson,
    Level,
    Membership,
    Message,
    Reminder,
    RequestOrigin,
    Tutor,
    TutoringRequest,
    Veto,
    Zone,
)

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
ROWS: list[tuple[str, dict[str, object]]] = [
    ("coordinator", {"email": "c@example.org", "name": "Salma", "password_hash": "x",
                     "wrong_passwords": 0, "created_at": NOON}),
    ("zone", {"name": "Aïn Kaïcher", "key": "ainkaicher"}),
    ("subject", {"code": "maths", "name_fr": "Maths", "name_ar": "رياضيات", "name_en": "Maths"}),
    ("level", {"code": "3AC", "rank": 1, "exam": True, "weight": 3,
               "name_fr": "3AC", "name_ar": "3AC", "name_en": "3AC"}),
    ("channel", {"code": "call", "rank": 1, "max_group": 1, "cost": 3,
                 "name_fr": "Appel", "name_ar": "مكالمة", "name_en": "Call"}),
    ("language", {"code": "darija", "rank": 1,
                  "name_fr": "Darija", "name_ar": "الدارجة", "name_en": "Darija"}),
    ("household", {"phone": "+212600000101", "zone_id": 1, "times_to_agree": False,
                   "message_language": "ar", "created_at": NOON}),
    ("guardian", {"household_id": 1, "name": "Walid"}),
    ("pupil", {"household_id": 1, "first_name": "Hiba", "last_name": "Touil", "level_id": 1,
               "created_at": NOON}),
    ("consent", {"pupil_id": 1, "kind": "lessons", "given": True, "guardian_name": "Walid",
                 "means": "declared_by_import", "text_version": "2026-10", "at": NOON}),
    ("tutoring_request", {"pupil_id": 1, "subject_id": 1, "level_id": 1, "lessons_per_week": 1,
                          "state": "served", "created_at": NOON}),
    ("tutor", {"first_name": "Rania", "last_name": "Mounir", "email": "r@example.org",
               "message_language": "fr", "max_lessons_per_week": 3, "times_to_agree": False,
               "state": "vetted", "vetted_at": NOON, "vetted_by_id": 1, "created_at": NOON}),
    ("match_run", {"state": "published", "requested_at": NOON, "seed": 0, "seconds": 5,
                   "attempts": 1, "problem_gz": b"x"}),
    ("tutoring_group", {"run_id": 1, "tutor_id": 1, "subject_id": 1, "level_id": 1,
                        "channel": "call", "language": "darija",
                        "starts": [["mon", "18:00"]], "state": "active", "offered_at": NOON}),
    ("membership", {"group_id": 1, "request_id": 1, "run_id": 1, "active_since": NOON}),
    ("veto", {"request_id": 1, "tutor_id": 1, "reason": "time", "created_at": NOON}),
    ("lesson", {"group_id": 1, "wall_start": datetime(2026, 10, 12, 18),
                "zone": "Africa/Casablanca",
                "tz_version": "2026f", "starts_at": NOON, "minutes": 60, "state": "planned",
                "version": 1}),
    ("message", {"household_id": 1, "kind": "lesson_24h", "state": "planned", "due_at": NOON,
                 "expires_at": NOON, "next_try_at": NOON, "tries": 0, "resent": False,
                 "created_at": NOON}),
    ("reminder", {"lesson_id": 1, "lesson_version": 1, "recipient": "household:1",
                  "household_id": 1, "kind": "lesson_24h", "due_at": NOON, "expires_at": NOON,
                  "message_id": 1}),
]  # fmt: skip


def test_rows_of_the_version_before_are_kept_and_mean_the_same(app: Flask) -> None:
    with app.app_context():
        flask_migrate.downgrade(revision="0003")
        with db.engine.begin() as connection:
            for table, values in ROWS:
                _insert(connection, table, values)
        flask_migrate.upgrade()

        def only(model: type) -> object:
            return db.session.scalars(select(model)).one()

        coordinator = only(Coordinator)
        assert (coordinator.is_administrator, coordinator.all_zones) == (True, True)
        assert coordinator.closed_at is None
        assert (only(Zone).name, only(Zone).listed) == ("Aïn Kaïcher", True)
        assert (only(Level).weight, only(Level).retired) == (3, False)
        assert (only(Household).phone, only(Household).reach_by_call) == ("+212600000101", False)
        assert only(Consent).means is ConsentMeans.DECLARED_BY_IMPORT
        assert only(TutoringRequest).origin is RequestOrigin.STAFF
        assert only(Tutor).vetted_at == NOON
        assert (only(Group).run_id, only(Membership).active_since) == (1, NOON)
        assert only(Veto).by_id is None
        assert only(Lesson).wall_start == datetime(2026, 10, 12, 18)
        assert only(Reminder).message_id == only(Message).id == 1
        assert only(Message).to_address is None


def test_ids_are_not_given_twice_after_the_upgrade(app: Flask) -> None:
    # A table that SQLite builds again loses that, unless it is told.
    with app.app_context():
        flask_migrate.downgrade(revision="0003")
        with db.engine.begin() as connection:
            for table, values in ROWS:
                _insert(connection, table, values)
            connection.execute(text("DELETE FROM reminder"))
            connection.execute(text("DELETE FROM message"))
        flask_migrate.upgrade()
        with db.engine.begin() as connection:
            _insert(connection, "message", dict(ROWS)["message"])
            assert connection.scalar(text("SELECT id FROM message")) == 2


def _insert(connection: Connection, name: str, values: dict[str, object]) -> None:
    table = Table(name, MetaData(), autoload_with=connection)
    given = {
        key: json.dumps(value)
        if isinstance(value, list) and connection.dialect.name == "sqlite"
        else value
        for key, value in values.items()
    }
    connection.execute(insert(table).values(given))
