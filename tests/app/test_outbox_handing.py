"""Just before the wire: what changed since a message was planned stops it, or its part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import OutgoingText
from app.gateways.console import ConsoleGateway
from app.gateways.email import EmailGateway
from app.models import (
    ConsentKind,
    GroupState,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Pupil,
    Tutor,
    TutorState,
)
from app.services import changes, outbox
from app.services.handing import Handing
from scheduler import clock
from tests.support import people
from tests.support.groups import active_group
from tests.support.mail import SENDER
from tests.support.outbox import (
    NOON,
    ZONE,
    begin_handing,
    family_of,
    lesson_of,
    make_due_reminder,
    refuse,
    tutor_of,
)

MAIL = EmailGateway("smtp://127.0.0.1:9", SENDER, timeout_seconds=1, per_second=1000)


@pytest.fixture(autouse=True)
def time(app: Flask) -> Iterator[time_machine.Traveller]:
    """A programme on Tuesday 2026-12-01 at noon; the fixture's value moves the clock."""
    with time_machine.travel(NOON, tick=False) as time, app.app_context():
        people.make_programme()
        yield time


def hand_over_due(gateways: tuple[EmailGateway | ConsoleGateway, ...] = (MAIL,)) -> list[Handing]:
    """What of all that is due leaves now."""
    handings = [begin_handing(claimed, gateways) for claimed in outbox.claim_messages(50)]
    db.session.rollback()
    return [handing for handing in handings if handing is not None]


def forget_beginnings() -> None:
    """Say nothing of groups that were offered, or have just begun."""
    with transaction():
        for message in db.session.scalars(
            select(Message).where(
                Message.kind.in_((MessageKind.GROUP_OFFER, MessageKind.NEW_GROUP))
            )
        ):
            outbox.end(message, MessageState.CANCELLED)


def fresh(message: Message) -> Message:
    db.session.rollback()
    return db.session.get_one(Message, message.id)


def test_words_address_and_gateway_are_written_before_anything_leaves() -> None:
    message = make_due_reminder()
    (handing,) = hand_over_due()
    assert fresh(message).state is MessageState.HANDING
    assert message.text == (
        "N9raw, cours d'aujourd'hui :\n14:00 Mathématiques, Hiba avec Rania (appel)"
    )
    assert handing.outgoing == OutgoingText(
        reference=f"n9raw-{message.id}",
        address=family_of(message).email or "",
        subject="N9raw : rappel de cours",
        text=message.text,
        language="fr",
    )
    assert (message.gateway, message.address) == ("email", family_of(message).email)
    assert (message.tries, message.handed_at) == (1, NOON)
    assert message.lease_until == NOON + timedelta(seconds=60)


def cancel_the_lesson(message: Message) -> None:
    changes.cancel_lesson(lesson_of(message).id, "the road is closed")


def change(act: Callable[[Message], None]) -> Callable[[Message], None]:
    def commit(message: Message) -> None:
        with transaction():
            act(message)

    return commit


def move_the_lesson(message: Message) -> None:
    lesson_of(message).version += 1


def end_the_lesson(message: Message) -> None:
    lesson_of(message).state = LessonState.NOT_HELD


def end_the_group(message: Message) -> None:
    lesson_of(message).group.state = GroupState.ENDED


def end_the_membership(message: Message) -> None:
    lesson_of(message).group.memberships[0].ended_at = clock.now()


def only_offer_the_membership(message: Message) -> None:
    lesson_of(message).group.memberships[0].active_since = None


def withdraw_consent(message: Message) -> None:
    family_of(message).pupils[0].consents.append(people.say(ConsentKind.LESSONS, False))


def suspend_the_tutor(message: Message) -> None:
    tutor_of(message).state = TutorState.SUSPENDED


def cancel_the_reminder(message: Message) -> None:
    message.reminders[0].cancelled_at = clock.now()


@pytest.mark.parametrize(
    "act",
    [
        cancel_the_lesson,
        change(move_the_lesson),
        change(end_the_lesson),
        change(end_the_group),
        change(end_the_membership),
        change(only_offer_the_membership),
        change(withdraw_consent),
        change(suspend_the_tutor),
        change(cancel_the_reminder),
    ],
)
@pytest.mark.parametrize("claimed_before", [False, True])
def test_reminder_that_no_longer_holds_does_not_leave(
    act: Callable[[Message], None], claimed_before: bool
) -> None:
    message = make_due_reminder()
    if claimed_before:
        (claimed,) = outbox.claim_messages(1)
        act(message)
        assert begin_handing(claimed, [MAIL]) is None
    else:
        act(message)
        # What became of the lesson is told by a message of its own.
        assert message.id not in {handing.claimed.id for handing in hand_over_due()}
    assert fresh(message).state is MessageState.CANCELLED
    assert (message.text, message.address) == (None, None)


@pytest.mark.parametrize("claimed_before", [False, True])
def test_family_that_said_stop_is_left_alone(claimed_before: bool) -> None:
    message = make_due_reminder()
    claimed = outbox.claim_messages(1) if claimed_before else None
    with transaction():
        family_of(message).messages_stopped_at = clock.now()
    if claimed:
        assert begin_handing(claimed[0], [MAIL]) is None
    else:
        assert hand_over_due() == []
    assert fresh(message).state is MessageState.SUPPRESSED


def test_expired_message_does_not_leave(time: time_machine.Traveller) -> None:
    message = make_due_reminder(starts_in=timedelta(minutes=20))
    time.shift(timedelta(minutes=5))
    assert hand_over_due() == []
    assert fresh(message).state is MessageState.EXPIRED


def test_message_that_became_due_later_is_put_back() -> None:
    message = make_due_reminder()
    (claimed,) = outbox.claim_messages(1)
    later = NOON + timedelta(minutes=10)
    with transaction():
        message.next_try_at = later
    assert begin_handing(claimed, [MAIL]) is None
    assert (fresh(message).state, message.next_try_at) == (MessageState.PLANNED, later)


@pytest.mark.parametrize("gateways", [(), (MAIL,)])
def test_family_that_no_gateway_reaches_fails_with_the_reason(
    gateways: tuple[EmailGateway, ...],
) -> None:
    message = make_due_reminder()
    with transaction():
        family_of(message).email = None
    assert hand_over_due(gateways) == []
    assert fresh(message).state is MessageState.FAILED
    assert message.error == "no gateway reaches this recipient"


def test_console_takes_the_telephone_before_the_mail() -> None:
    message = make_due_reminder()
    (handing,) = hand_over_due((ConsoleGateway(),))
    assert handing.outgoing.address == family_of(message).phone


def test_children_without_consent_are_left_out_of_the_tutors_text(
    time: time_machine.Traveller,
) -> None:
    tutor_id = people.make_tutor(channels=["whatsapp"])
    families = [
        people.make_household(pupils=[(name, "3AC", ["maths"])], channels=["whatsapp"])
        for name in ("Hiba Touil", "Adam Sabri", "Sami Naciri")
    ]
    requests = [family.pupils[0].requests[0].id for family in families]
    active_group(tutor_id, requests, starts=[("wed", "18:00")])
    with transaction():
        adam = db.session.scalars(select(Pupil).where(Pupil.first_name == "Adam")).one()
        adam.consents.append(people.say(ConsentKind.LESSONS, False))
        families[0].email = "family0@example.org"
        families[0].message_language = "fr"
    time.move_to(NOON + timedelta(hours=6))
    forget_beginnings()
    texts = {handing.outgoing.address: handing.outgoing.text for handing in hand_over_due()}
    tutor = db.session.get_one(Tutor, tutor_id)
    assert texts == {
        tutor.email: "N9raw, vos cours du mercredi 2 décembre :\n"
        "18:00 Mathématiques, 3e année collège, Hiba et Sami (WhatsApp)",
        "family0@example.org": "N9raw, cours du mercredi 2 décembre :\n"
        "18:00 Mathématiques, Hiba avec Rania (WhatsApp)",
    }


def test_cancelled_lesson_drops_out_of_a_shared_text(time: time_machine.Traveller) -> None:
    tutor_id = people.make_tutor(channels=["call"])
    family = people.make_household(
        pupils=[("Hiba Touil", "3AC", ["maths"]), ("Adam Touil", "3AC", ["maths"])]
    )
    with transaction():
        family.email, family.message_language = "family@example.org", "fr"
    for pupil, hour in zip(family.pupils, ("18:00", "19:30"), strict=True):
        active_group(tutor_id, [pupil.requests[0].id], starts=[("wed", hour)], channel="call")
    first = db.session.scalars(select(Lesson).order_by(Lesson.starts_at)).first()
    assert first is not None
    forget_beginnings()
    time.move_to(NOON + timedelta(hours=6))
    claimed = outbox.claim_messages(50)
    assert len(claimed) == 2
    changes.cancel_lesson(first.id, "the tutor is ill")
    time.move_to(NOON + timedelta(hours=7, minutes=30))
    # Claimed before, and due later by now: put back, and taken up again in its time.
    for one in claimed:
        begin_handing(one, [MAIL])
    hand_over_due()
    texts = db.session.scalars(
        select(Message.text).where(
            Message.text.is_not(None), Message.kind != MessageKind.CANCELLATION
        )
    ).all()
    assert sorted(texts)[0] == (
        "N9raw, cours du mercredi 2 décembre :\n19:30 Mathématiques, Adam avec Rania (appel)"
    )
    assert not any("18:00" in (text or "") for text in texts)


def at(hours: int, minutes: int = 0, day: int = 1) -> datetime:
    """An instant of 2026-12 by Casablanca's clocks."""
    return clock.to_utc(datetime(2026, 12, day, hours, minutes), ZONE)


@pytest.mark.parametrize(
    ("now", "starts", "state", "next_try"),
    [
        (at(20, 59), at(22, 30), MessageState.HANDING, None),
        (at(21, 0), at(22, 30), MessageState.EXPIRED, None),
        (at(21, 0), at(9, 0, day=2), MessageState.PLANNED, at(8, 0, day=2)),
        (at(3, 0), at(9, 0), MessageState.PLANNED, at(8, 0)),
        (at(7, 59), at(9, 0), MessageState.PLANNED, at(8, 0)),
        (at(8, 0), at(9, 0), MessageState.HANDING, None),
        (at(7, 0), at(8, 10), MessageState.EXPIRED, None),
    ],
)
def test_message_waits_for_the_morning_if_the_morning_is_in_time(
    time: time_machine.Traveller,
    now: datetime,
    starts: datetime,
    state: MessageState,
    next_try: datetime | None,
) -> None:
    time.move_to(now)
    message = make_due_reminder(starts_in=starts - now)
    hand_over_due()
    assert fresh(message).state is state
    if next_try is not None:
        assert message.next_try_at == next_try


def test_nights_are_those_of_a_tutor_abroad(time: time_machine.Traveller) -> None:
    tutor_id = people.make_tutor(channels=["call"])
    family = people.make_household()
    with transaction():
        db.session.get_one(Tutor, tutor_id).time_zone = "America/Montreal"
    active_group(
        tutor_id, [family.pupils[0].requests[0].id], starts=[("wed", "14:00")], channel="call"
    )
    forget_beginnings()
    time.move_to(at(12, 0, day=2))  # two hours before the lesson, 07:00 in Montreal
    assert [handing.outgoing.address for handing in hand_over_due()] == []
    waiting = db.session.scalars(
        select(Message)
        .where(Message.tutor_id == tutor_id, Message.state == MessageState.PLANNED)
        .order_by(Message.next_try_at)
    ).first()
    assert waiting is not None
    assert waiting.next_try_at == at(13, 0, day=2)
    time.move_to(at(13, 0, day=2))
    (handing,) = hand_over_due()
    assert "14:00 (09:00 chez vous)" in handing.outgoing.text


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    now=st.datetimes(datetime(2026, 9, 1), datetime(2027, 4, 30), timezones=st.just(UTC)),
    ahead=st.timedeltas(timedelta(minutes=1), timedelta(hours=30)),
    tries=st.integers(0, 3),
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_reminder_ever_leaves_at_night_or_too_late(
    time: time_machine.Traveller, now: datetime, ahead: timedelta, tries: int
) -> None:
    time.move_to(now)
    message = make_due_reminder(starts_in=ahead)
    with transaction():
        message.tries = tries
    for _ in range(3):
        for handing in hand_over_due():
            wall = clock.to_wall(clock.now(), ZONE)
            assert 8 <= wall.hour < 21
            assert clock.now() < fresh(message).expires_at
            refuse(handing.claimed)
        if fresh(message).state is not MessageState.PLANNED:
            break
        time.move_to(max(message.next_try_at, clock.now()))
    with transaction():
        outbox.end(fresh(message), MessageState.CANCELLED)


def queue_code(state: TutorState = TutorState.VETTED) -> Message:
    tutor_id = people.make_tutor(state=state)
    with transaction():
        return outbox.queue_code(tutor_id, "042917", clock.now() + timedelta(minutes=15))


@pytest.mark.parametrize("hour", [3, 12, 23])
def test_code_just_asked_for_leaves_at_any_hour(time: time_machine.Traveller, hour: int) -> None:
    time.move_to(at(hour))
    code = queue_code()
    (handing,) = hand_over_due()
    assert fresh(code).state is MessageState.HANDING
    assert handing.outgoing.subject == "N9raw : votre code de connexion"
    assert "042917" in handing.outgoing.text
    assert "042917" not in handing.outgoing.subject


@pytest.mark.parametrize("state", [TutorState.SUSPENDED, TutorState.LEFT])
def test_code_of_a_tutor_who_may_not_sign_in_does_not_leave(state: TutorState) -> None:
    code = queue_code()
    with transaction():
        db.session.get_one(Tutor, code.tutor_id).state = state
    assert hand_over_due() == []
    assert fresh(code).state is MessageState.CANCELLED
    assert code.text is None


def test_kinds_of_reminder_read_differently() -> None:
    make_due_reminder(kind=MessageKind.LESSON_24H, language="ar")
    (handing,) = hand_over_due()
    assert handing.outgoing.text.startswith("نقراو، درس الثلاثاء 1 دجنبر:\n14:00 ")
    assert handing.outgoing.language == "ar"
