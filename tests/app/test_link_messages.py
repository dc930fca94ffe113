"""Families' links by message: made for one or for many, by day, and kept nowhere once sent."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Coordinator,
    FamilyLink,
    Household,
    Message,
    MessageKind,
    MessageState,
)
from app.services import family_links, link_messages, outbox
from app.services.errors import Conflict, NotFound
from app.services.handing import Handing
from app.services.households import MESSAGE_LANGUAGES
from app.services.scope import EVERYWHERE, Scope
from tests.support.gateways import QuietGateway
from tests.support.groups import active_group
from tests.support.outbox import answer, begin_handing
from tests.support.people import make_coordinator, make_household, make_programme, make_tutor

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 2, 23, tzinfo=UTC)
SITE = "https://lessons.example.org"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def here(app: Flask) -> Iterator[None]:
    """A program that knows its address and, as a demo's, reaches telephones."""
    app.config["N9RAW"] = dataclasses.replace(app.config["N9RAW"], public_url=SITE, demo=True)
    with app.app_context():
        make_programme()
        yield


@pytest.fixture
def by(here: None) -> Coordinator:
    return make_coordinator()


def messages() -> list[Message]:
    db.session.expire_all()
    return list(
        db.session.scalars(
            select(Message).where(Message.kind == MessageKind.FAMILY_LINK).order_by(Message.id)
        )
    )


def hand_over() -> Handing | None:
    (claimed,) = outbox.claim_messages(10)
    return begin_handing(claimed, [QuietGateway()])


def stop_messages(household: Household) -> None:
    with transaction():
        household.messages_stopped_at = NOON


def test_link_that_is_sent_opens_the_page_and_ends_the_one_before(by: Coordinator) -> None:
    household = make_household()
    former = family_links.make_link(household.id, by)[1]
    link_messages.send_link(household.id, by)
    (message,) = messages()
    assert (message.household_id, message.state) == (household.id, MessageState.PLANNED)
    found = re.search(rf"{SITE}/f/([\w-]{{22}})(?!\S)", message.text or "")
    assert found is not None
    assert family_links.open_link(found[1]).id == household.id
    with pytest.raises(NotFound):
        family_links.open_link(former)
    traces = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert traces[-1] == "send_family_link"


def test_text_is_forgotten_once_the_link_has_left(by: Coordinator) -> None:
    link_messages.send_link(make_household().id, by)
    handing = hand_over()
    assert handing is not None
    assert f"{SITE}/f/" in handing.outgoing.text
    receipt = handing.gateway.send(handing.outgoing)
    answer(handing.claimed, receipt)
    (message,) = messages()
    assert (message.state, message.text) == (MessageState.ACCEPTED, None)


def test_link_waits_for_the_day(by: Coordinator, clock: time_machine.Traveller) -> None:
    clock.move_to(NIGHT)
    link_messages.send_link(make_household().id, by)
    assert hand_over() is None
    (message,) = messages()
    assert message.next_try_at == datetime(2026, 11, 3, 8, tzinfo=UTC)
    clock.move_to(message.next_try_at)
    assert hand_over() is not None


def test_family_that_stops_its_messages_gets_no_link(by: Coordinator) -> None:
    household = make_household()
    link_messages.send_link(household.id, by)
    stop_messages(household)
    assert hand_over() is None
    (message,) = messages()
    assert (message.state, message.text) == (MessageState.SUPPRESSED, None)
    with pytest.raises(Conflict):
        link_messages.send_link(household.id, by)


def test_newer_link_stops_the_message_with_the_older(by: Coordinator) -> None:
    household = make_household()
    for _ in range(2):
        link_messages.send_link(household.id, by)
    first, second = messages()
    assert (first.state, first.text) == (MessageState.CANCELLED, None)
    assert second.state is MessageState.PLANNED
    family_links.end_links(household.id, by)
    assert messages()[1].state is MessageState.CANCELLED


def test_nothing_is_made_where_no_message_can_get_there(app: Flask, by: Coordinator) -> None:
    household = make_household()
    config = app.config["N9RAW"]
    for lacking in ({"public_url": None}, {"demo": False}):
        app.config["N9RAW"] = dataclasses.replace(config, **lacking)
        with pytest.raises(Conflict):
            link_messages.send_link(household.id, by)
    app.config["N9RAW"] = config
    with pytest.raises(NotFound):
        link_messages.send_link(999, by)
    assert messages() == []
    assert db.session.scalar(select(func.count()).select_from(FamilyLink)) == 0


def test_links_are_sent_to_all_who_lack_one_and_can_be_written_to(by: Coordinator) -> None:
    taught = make_household(zone="Boujniba")
    active_group(make_tutor(), [taught.pupils[0].requests[0].id])
    waiting = make_household(zone="Boujniba")
    elsewhere = make_household(zone="Aïn Kaïcher")
    linked, stopped, called = (make_household(zone="Boujniba") for _ in range(3))
    family_links.make_link(linked.id, by)
    stop_messages(stopped)
    with transaction():
        db.session.get_one(Household, called.id).reach_by_call = True
    zone = taught.zone_id
    assert link_messages.count_without_link(EVERYWHERE, None, with_lessons=False) == (5, 3)
    assert link_messages.count_without_link(EVERYWHERE, zone, with_lessons=False) == (4, 2)
    assert link_messages.count_without_link(EVERYWHERE, zone, with_lessons=True) == (1, 1)
    of_zone = Scope(frozenset({elsewhere.zone_id}))
    assert link_messages.count_without_link(of_zone, None, with_lessons=False) == (1, 1)
    assert link_messages.send_links(EVERYWHERE, zone, by, with_lessons=True) == 1
    assert link_messages.send_links(EVERYWHERE, zone, by, with_lessons=False) == 1
    assert [message.household_id for message in messages()] == [taught.id, waiting.id]
    assert link_messages.send_links(EVERYWHERE, zone, by, with_lessons=False) == 0


@pytest.mark.parametrize("language", MESSAGE_LANGUAGES)
def test_link_is_sent_in_every_language_and_script(by: Coordinator, language: str) -> None:
    household = make_household()
    with transaction():
        household.message_language = language
    link_messages.send_link(household.id, by)
    handing = hand_over()
    assert handing is not None
    assert handing.outgoing.language == language
    assert f"{SITE}/f/" in handing.outgoing.text
