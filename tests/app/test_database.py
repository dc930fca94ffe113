"""Write transactions behave alike on both databases."""

from __future__ import annotations

import io
import logging
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from app.extensions import db
from app.models import AuditEntry, Household, Zone
from app.services import audit
from tests.support.people import make_household, make_programme


def add_zone(name: str) -> None:
    add_zones(name)


def add_zones(*names: str) -> None:
    with transaction():
        for name in names:
            db.session.add(Zone(name=name, key=name))
            db.session.flush()


def test_failed_transaction_leaves_nothing(app: Flask) -> None:
    with app.app_context():
        add_zone("Braksa")
        with pytest.raises(IntegrityError):
            add_zones("El Foqra", "Braksa")
        assert db.session.scalars(select(Zone.name)).all() == ["Braksa"]


def test_change_made_outside_a_transaction_is_refused(app: Flask) -> None:
    with app.app_context():
        db.session.add(Zone(name="Braksa", key="braksa"))
        with pytest.raises(RuntimeError, match="outside transaction"), transaction():
            pass


def test_reader_that_begins_to_write_waits_for_the_writer_before(app: Flask) -> None:
    """On SQLite a read that grows into a write fails where another wrote between."""
    begun, read = threading.Event(), threading.Event()

    def other_writer() -> None:
        with app.app_context(), transaction():
            db.session.add(Zone(name="Braksa", key="braksa"))
            begun.set()
            read.wait(timeout=5)

    thread = threading.Thread(target=other_writer)
    thread.start()
    with app.app_context():
        assert begun.wait(timeout=5)
        assert db.session.scalars(select(Zone)).all() == []
        read.set()
        add_zone("El Foqra")
        thread.join()
        assert db.session.scalars(select(Zone.name).order_by(Zone.name)).all() == [
            "Braksa",
            "El Foqra",
        ]


def test_twenty_writers_at_once_all_succeed(app: Flask) -> None:
    def write(number: int) -> None:
        with app.app_context():
            add_zone(f"Zone {number}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Zone)) == 20


def test_one_at_a_time_blocks_do_not_interleave(app: Flask) -> None:
    def add_if_none() -> None:
        with app.app_context(), transaction(one_at_a_time=7):
            if db.session.scalar(select(Zone.id).limit(1)) is None:
                threading.Event().wait(0.05)
                db.session.add(Zone(name="Braksa", key="braksa"))

    threads = [threading.Thread(target=add_if_none) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Zone)) == 1


def test_instants_come_back_aware_and_in_utc(app: Flask) -> None:
    with app.app_context():
        moment = datetime(2026, 12, 1, 18, tzinfo=timezone(timedelta(hours=1)))
        with transaction():
            audit.note("test", "clock", None)
            db.session.flush()
            entry = db.session.scalars(select(AuditEntry)).one()
            entry.at = moment
        db.session.expire_all()
        at = db.session.scalars(select(AuditEntry.at)).one()
        assert at == moment
        assert at.tzinfo is UTC


def test_naive_instant_is_refused(app: Flask) -> None:
    with app.app_context():
        with transaction():
            audit.note("test", "clock", None)
        with pytest.raises(Exception, match="an instant must be aware"):
            db.session.scalars(
                select(AuditEntry).where(AuditEntry.at == datetime(2026, 12, 1))
            ).all()


def test_error_of_the_database_quotes_nobodys_telephone(app: Flask) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    with app.app_context():
        make_programme()
        family = make_household()
        phone, zone_id = family.phone, family.zone_id
        twin = Household(phone=phone, zone_id=zone_id, created_at=datetime.now(UTC))
        with pytest.raises(IntegrityError) as caught, transaction():
            db.session.add(twin)
    logger = logging.getLogger("a library that logs")
    logger.addHandler(handler)
    logger.error("It failed", exc_info=caught.value)
    logger.removeHandler(handler)
    assert "IntegrityError" in written.getvalue()
    assert "household" in written.getvalue()
    assert phone not in written.getvalue()
    assert phone not in str(caught.value)
