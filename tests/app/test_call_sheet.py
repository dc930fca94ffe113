"""The call sheet: whom to call for a day's lessons, and what the sheet says of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Household, Lesson, LessonState, Message, MessageKind, MessageState
from app.services import call_sheet
from app.services.call_sheet import CalledFamily, read_call_sheet, tomorrow
from app.services.scope import EVERYWHERE, Scope
from tests.support.groups import active_group
from tests.support.pages import counted_statements, in_english, views, words
from tests.support.people import make_household, make_programme, make_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(SUNDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _mail(app: Flask) -> None:
    """The installation writes to families by e-mail."""
    app.config["N9RAW"] = dataclasses.replace(
        app.config["N9RAW"], smtp_url="smtp://127.0.0.1:2525", mail_from="N9raw <n@example.org>"
    )


def family(
    name: str = "Hiba Touil",
    *,
    guardian: str = "Walid Touil",
    zone: str = "Aïn Kaïcher",
    call: bool = False,
    email: str | None = "family@example.org",
    taught: bool = True,
) -> Household:
    """A family whose child has lessons on Mondays at 18:00."""
    household = make_household(pupils=[(name, "3AC", ("maths",))], zone=zone, guardian=guardian)
    with transaction():
        row = db.session.get_one(Household, household.id)
        row.reach_by_call, row.email = call, email
    if taught:
        active_group(make_tutor(), [household.pupils[0].requests[0].id])
    return household


def lose_message(household: Household, state: MessageState = MessageState.FAILED) -> None:
    with transaction():
        at = SUNDAY - timedelta(days=1)
        db.session.add(
            Message(
                household_id=household.id,
                kind=MessageKind.LESSON_24H,
                state=state,
                due_at=at,
                next_try_at=at,
                expires_at=at,
                created_at=at,
                handed_at=at,
                ended_at=at,
            )
        )


def ids(families: list[CalledFamily]) -> list[int]:
    return [called.household.id for called in families]


def test_marked_families_come_first_then_those_no_message_reached(app: Flask) -> None:
    with app.app_context():
        make_programme()
        marked = family(call=True)
        lost, without = family(), family(email=None)
        stopped, fine = family(), family()
        for household in (lost, stopped):
            lose_message(household)
        lose_message(fine, MessageState.DELIVERED)
        with transaction():
            db.session.get_one(Household, stopped.id).messages_stopped_at = SUNDAY
        family(call=True, taught=False)
        sheet = read_call_sheet(tomorrow(), EVERYWHERE)
        assert sheet.day == MONDAY
        assert ids(sheet.marked) == [marked.id]
        assert ids(sheet.unreached) == [lost.id, without.id]
        assert sheet.page.total == 3


def test_siblings_lessons_stand_together_in_the_order_of_the_day(app: Flask) -> None:
    with app.app_context():
        make_programme()
        household = make_household(
            pupils=[("Hiba Touil", "3AC", ("maths",)), ("Walid Touil", "3AC", ("maths", "french"))]
        )
        hiba, walid = household.pupils
        with transaction():
            db.session.get_one(Household, household.id).reach_by_call = True
        active_group(make_tutor(), [hiba.requests[0].id, walid.requests[0].id])
        active_group(make_tutor(), [walid.requests[1].id], starts=[("mon", "17:00")])
        (called,) = read_call_sheet(MONDAY, EVERYWHERE).marked
        assert [
            (entry.lesson.wall_start.hour, [pupil.first_name for pupil in entry.pupils])
            for entry in called.lessons
        ] == [(17, ["Walid"]), (18, ["Hiba", "Walid"])]


def test_cancelled_lessons_and_other_days_are_not_called_for(app: Flask) -> None:
    with app.app_context():
        make_programme()
        family(call=True)
        assert read_call_sheet(MONDAY + timedelta(days=1), EVERYWHERE).page.total == 0
        assert read_call_sheet(MONDAY + timedelta(days=7), EVERYWHERE).page.total == 1
        with transaction():
            for lesson in db.session.scalars(select(Lesson)):
                lesson.state = LessonState.CANCELLED
        sheet = read_call_sheet(MONDAY, EVERYWHERE)
        assert (sheet.page.total, sheet.has_lessons) == (0, False)


def test_sheet_is_sorted_by_zone_and_guardian_and_kept_to_the_zones(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_sheet, "PER_PAGE", 2)
    with app.app_context():
        make_programme()
        second = family(call=True, zone="Boujniba", guardian="Aziz")
        third = family(call=True, zone="Boujniba", guardian="Zineb")
        first = family(call=True, guardian="Samir")
        assert ids(read_call_sheet(MONDAY, EVERYWHERE).marked) == [first.id, second.id]
        assert ids(read_call_sheet(MONDAY, EVERYWHERE, 2).marked) == [third.id]
        only = read_call_sheet(MONDAY, Scope(frozenset({first.zone_id})))
        assert ids(only.marked) == [first.id]
        assert only.pupil_ids == {first.pupils[0].id}


@on_sqlite
def test_page_says_whom_to_call_and_what_to_tell(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        household = family(call=True)
        pupil_id, phone = household.pupils[0].id, household.phone
    html = client.get("/coordinator/call-sheet").text
    page = words(html)
    assert "Call sheet for Monday 23 November" in page
    assert "Families to remind by telephone" in page
    assert "18:00 Hiba : Mathematics, with Rania, WhatsApp" in page
    assert f'href="tel:{phone}"' in html
    assert "Touil" in page  # the guardian
    assert "Mounir" not in page
    assert "Families whom no message reached" not in page
    assert views(app) == [("/coordinator/call-sheet", [pupil_id])]


@on_sqlite
def test_day_without_calls_or_lessons_says_so(app: Flask) -> None:
    client = in_english(app)
    page = words(client.get("/coordinator/call-sheet?day=2026-11-24").text)
    assert "Call sheet for Tuesday 24 November" in page
    assert "Nobody has to be called for this day. There are no lessons on it." in page
    with app.app_context():
        family()
    page = words(client.get("/coordinator/call-sheet?day=nonsense").text)
    assert "Call sheet for Monday 23 November" in page
    assert "Nobody has to be called for this day." in page
    assert "There are no lessons on it." not in page


@on_sqlite
def test_sheet_asks_the_database_as_often_for_many_families_as_for_one(app: Flask) -> None:
    client = in_english(app)
    asked = []
    for more in (1, 3):
        with app.app_context():
            for _ in range(more):
                family(call=True)
                lose_message(family())
        with counted_statements(app) as statements:
            assert client.get("/coordinator/call-sheet").status_code == 200
        asked.append(len(statements))
    assert asked[0] == asked[1]
