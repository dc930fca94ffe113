"""Digests: each morning what waits, on Sundays the week ahead; once each, whoever plans them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Household, Message, MessageKind, MessageState, Tutor
from app.services import telling
from app.services.coordinators import set_messages
from app.services.digests import plan_digests
from app.services.gsm7 import is_gsm7, sms_parts
from app.services.volunteer import set_preferences
from app.services.worries import report_worry
from tests.support import people
from tests.support.telling import Lessons, cancel, make_lessons, send_texts, substitute

SUNDAY_EVENING = datetime(2026, 11, 22, 18, 5, tzinfo=UTC)
MONDAY_MORNING = datetime(2026, 11, 23, 7, 35, tzinfo=UTC)


@pytest.fixture(autouse=True)
def time(app: Flask) -> Iterator[time_machine.Traveller]:
    """Friday 2026-11-20, noon, in a programme; the fixture's value moves the clock."""
    app.config["N9RAW"] = replace(app.config["N9RAW"], public_url="https://n9raw.example")
    with (
        time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=False) as time,
        app.app_context(),
    ):
        people.make_programme()
        yield time


def digests() -> list[Message]:
    rows = select(Message).where(Message.kind == MessageKind.DIGEST).order_by(Message.id)
    return list(db.session.scalars(rows))


def something_waits() -> Household:
    """A worry of a family, which also asks to be called."""
    household = people.make_household()
    report_worry(household.id, "Il crie.")
    with transaction():
        telling.put_among_calls([household.id])
    return household


def test_coordinator_reads_in_the_morning_how_much_waits_and_nobodys_name(
    time: time_machine.Traveller,
) -> None:
    coordinator = people.make_coordinator()
    something_waits()
    time.move_to(MONDAY_MORNING)
    assert plan_digests() == 1
    (message,) = digests()
    assert (message.coordinator_id, message.language) == (coordinator.id, "fr")
    assert message.text == (
        "N9raw, ce qui attend aujourd'hui :\ninquiétudes signalées : 1\nfamilles à appeler : 1\n"
        "https://n9raw.example/coordinator/desk"
    )
    assert is_gsm7(message.text)
    assert plan_digests() == 0
    time.shift(timedelta(days=1))
    assert plan_digests() == 1


def test_coordinator_reads_it_in_their_own_language(time: time_machine.Traveller) -> None:
    coordinator = people.make_coordinator()
    set_messages(coordinator, "ar", digest=True)
    household = something_waits()
    with transaction():
        call = telling.tell_call_me(household, coordinator)
    assert (call.language, call.text) == (
        "ar",
        "نقراو: أسرة تطلب الاتصال بها (Aïn Kaïcher). تجدها في المكتب:"
        " https://n9raw.example/coordinator/desk",
    )
    time.move_to(MONDAY_MORNING)
    assert plan_digests() == 1
    (message,) = digests()
    assert (message.language, message.text) == (
        "ar",
        "نقراو، ما ينتظر اليوم:\nتبليغات عن قلق: 1\nأسر تنتظر اتصالا: 1\n"
        "https://n9raw.example/coordinator/desk",
    )


def test_who_wants_no_digest_gets_none(time: time_machine.Traveller) -> None:
    lessons = make_lessons()
    set_preferences(lessons.tutor_id, "fr", None, digest=False)
    time.move_to(SUNDAY_EVENING)
    assert plan_digests() == 0
    coordinator = people.make_coordinator()
    set_messages(coordinator, "fr", digest=False)
    something_waits()
    time.move_to(MONDAY_MORNING)
    assert plan_digests() == 0


@pytest.mark.parametrize("hour", [0, 7, 8.6, 12, 23])
def test_no_digest_is_planned_at_other_hours(time: time_machine.Traveller, hour: float) -> None:
    people.make_coordinator()
    something_waits()
    time.move_to(datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour))
    assert plan_digests() == 0


def test_coordinator_for_whom_nothing_waits_is_left_in_peace(time: time_machine.Traveller) -> None:
    household = something_waits()
    people.make_coordinator()
    other = people.make_household(zone="Tilougguite").zone_id
    people.make_coordinator("other@example.org", zone_ids=[other])
    people.make_coordinator("own@example.org", zone_ids=[household.zone_id])
    time.move_to(MONDAY_MORNING)
    assert plan_digests() == 2
    assert [message.coordinator and message.coordinator.email for message in digests()] == [
        "coordinator@example.org",
        "own@example.org",
    ]


def test_tutor_reads_on_sunday_evening_what_is_to_come(time: time_machine.Traveller) -> None:
    lessons = make_lessons(["Sara Touil", "Adam Touil"])
    idle = make_lessons(["Hiba Alami"], tutor="Karim Alami")
    substitute(idle.first, lessons.tutor_id)
    send_texts()
    time.move_to(SUNDAY_EVENING)
    assert plan_digests() == 1
    assert plan_digests() == 0
    assert send_texts() == [
        (
            lessons.tutor,
            MessageKind.DIGEST,
            "N9raw, votre semaine :\n"
            "mar 24/11 17:00 mathématiques, Sara et Adam (WhatsApp)\n"
            "mar 24/11 17:00 mathématiques, Hiba (WhatsApp)",
        )
    ]
    time.shift(timedelta(days=7))
    assert plan_digests() == 2


def test_tutor_abroad_reads_it_on_their_own_evening_and_in_their_own_language(
    time: time_machine.Traveller,
) -> None:
    lessons = make_lessons(["سارة تويل"])
    with transaction():
        tutor = db.session.get_one(Tutor, lessons.tutor_id)
        tutor.time_zone, tutor.message_language = "America/Montreal", "ar"
    time.move_to(SUNDAY_EVENING)
    assert plan_digests() == 0
    time.shift(timedelta(hours=5))
    assert plan_digests() == 1
    ((_to, _kind, words),) = send_texts()
    assert words == (
        "نقراو، أسبوعك:\nالثلاثاء 24/11 17:00 (12:00 بتوقيتك) الرياضيات، سارة (واتساب)"
    )
    assert sms_parts(words) == 2


def _cancel_all(lessons: Lessons) -> None:
    cancel(*lessons.dated)


def _stop(lessons: Lessons) -> None:
    with transaction():
        db.session.get_one(Tutor, lessons.tutor_id).messages_stopped_at = SUNDAY_EVENING


@pytest.mark.parametrize("spoil", [_cancel_all, _stop])
def test_tutor_without_lessons_or_who_wants_no_messages_reads_none(
    time: time_machine.Traveller, spoil: object
) -> None:
    lessons = make_lessons()
    assert callable(spoil)
    spoil(lessons)
    time.move_to(SUNDAY_EVENING)
    assert plan_digests() == 0


def test_lesson_that_is_cancelled_before_the_digest_leaves_is_not_in_it(
    time: time_machine.Traveller,
) -> None:
    lessons = make_lessons()
    time.move_to(SUNDAY_EVENING)
    plan_digests()
    cancel(lessons.first, but=[lessons.tutor, lessons.family])
    assert send_texts() == []
    assert [message.state for message in digests()] == [MessageState.CANCELLED]


def test_workers_that_plan_at_once_plan_each_digest_once(
    app: Flask, time: time_machine.Traveller
) -> None:
    make_lessons()
    time.move_to(SUNDAY_EVENING)

    def plan() -> None:
        with app.app_context():
            planned.append(plan_digests())

    planned: list[int] = []
    threads = [threading.Thread(target=plan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(planned) == [0, 0, 0, 1]
    assert len(digests()) == 1
