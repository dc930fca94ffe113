"""A family asks to be called: who is told, how often, and that no number is shown to others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import MissedCall
from app.models import CallRequest, Household, Lesson, LessonState, Message, MessageKind, Tutor
from app.services import call_me, family, family_links, inbound
from app.services.call_requests import first_calls
from app.services.scope import EVERYWHERE
from tests.support.groups import active_group
from tests.support.people import make_coordinator, make_household, make_programme, make_tutor

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
LESSON = datetime(2026, 11, 2, 18, tzinfo=UTC)


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def taught(app: Flask, time: time_machine.Traveller) -> Iterator[Household]:
    """A family with a lesson this evening, a coordinator of its zone, and one of all zones."""
    with app.app_context():
        make_programme()
        household = make_household()
        make_coordinator("all@example.org", is_administrator=False)
        make_coordinator("zone@example.org", zone_ids=[household.zone_id])
        active_group(make_tutor(), [household.pupils[0].requests[0].id])
        yield household


def told() -> list[str]:
    """Who was told, each once for each time."""
    rows = db.session.scalars(
        select(Message).where(Message.kind == MessageKind.CALL_ME).order_by(Message.id)
    )
    return [row.coordinator.email if row.coordinator else f"tutor {row.tutor_id}" for row in rows]


def waiting() -> int:
    return first_calls(EVERYWHERE).total


def test_far_from_lessons_the_coordinators_of_the_zone_are_told_once_an_hour(
    taught: Household, time: time_machine.Traveller
) -> None:
    for _ in range(3):
        call_me.ask(taught.id)
        time.shift(timedelta(minutes=25))
    assert told() == ["zone@example.org"]
    time.shift(timedelta(minutes=20))
    call_me.ask(taught.id)
    assert told() == ["zone@example.org"] * 2
    assert waiting() == 1


@pytest.mark.parametrize("minutes", [-30, -1, 0, 59])
def test_near_a_lesson_its_volunteer_is_told(
    taught: Household, time: time_machine.Traveller, minutes: int
) -> None:
    time.move_to(LESSON + timedelta(minutes=minutes))
    inbound.take_call("kannel", MissedCall("c1", taught.phone))
    assert (told(), waiting()) == (["tutor 1"], 0)
    (message,) = db.session.scalars(select(Message).where(Message.kind == MessageKind.CALL_ME))
    assert "Hiba" in (message.text or "")
    assert "Touil" not in (message.text or "")
    assert taught.phone.removeprefix("+212") not in (message.text or "")
    shown = family.newest_call(taught)
    assert shown is not None
    assert shown.tutor is not None


@pytest.mark.parametrize("minutes", [-31, 60])
def test_not_so_near_the_coordinators_are_told(
    taught: Household, time: time_machine.Traveller, minutes: int
) -> None:
    time.move_to(LESSON + timedelta(minutes=minutes))
    call_me.ask(taught.id)
    assert (told(), waiting()) == (["zone@example.org"], 1)


def test_who_asks_again_is_passed_on_to_coordinators(
    taught: Household, time: time_machine.Traveller
) -> None:
    time.move_to(LESSON)
    call_me.ask(taught.id)
    time.shift(timedelta(minutes=5))
    call_me.ask(taught.id)
    assert told() == ["tutor 1"]
    time.shift(timedelta(minutes=6))
    call_me.ask(taught.id)
    assert (told(), waiting()) == (["tutor 1", "zone@example.org"], 1)


def test_a_volunteer_who_wants_no_messages_and_a_cancelled_lesson_are_passed_over(
    taught: Household, time: time_machine.Traveller
) -> None:
    time.move_to(LESSON)
    with transaction():
        db.session.get_one(Tutor, 1).messages_stopped_at = MONDAY
    call_me.ask(taught.id)
    assert told() == ["zone@example.org"]
    time.shift(timedelta(hours=-5))
    with transaction():
        db.session.get_one(Tutor, 1).messages_stopped_at = None
        for lesson in db.session.scalars(select(Lesson)):
            lesson.state = LessonState.CANCELLED
    time.move_to(LESSON + timedelta(minutes=1))
    call_me.ask(taught.id)
    assert told() == ["zone@example.org"]


def test_a_zone_without_coordinators_is_that_of_all_zones(
    taught: Household,
) -> None:
    other = make_household(zone="Boujniba")
    call_me.ask(other.id)
    assert told() == ["all@example.org"]


def test_the_familys_page_says_whom_it_told(app: Flask, taught: Household) -> None:
    _household, token = family_links.make_link(taught.id, None)
    client = app.test_client()
    client.post("/language", data={"locale": "fr"})
    with time_machine.travel(LESSON, tick=False):
        client.post(f"/f/{token}/call")
        assert "Rania sait que vous demandez un appel" in client.get(f"/f/{token}").text
    assert len(db.session.scalars(select(CallRequest)).all()) == 1
