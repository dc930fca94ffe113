"""Some messages at a time: the same checks for each, one rate for all workers, and rests."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from flask import Flask

from app.database import transaction
from app.extensions import db
from app.gateways import AddressKind, Gateway, Receipt, ReceiptState, Retryable
from app.models import (
    Coordinator,
    GatewayPace,
    Household,
    Message,
    MessageKind,
    MessageState,
    Tutor,
    TutorState,
)
from app.services import delivery, outbox, telling
from app.services.handing import Handing, begin_handings
from app.services.reminders import Recipient
from scheduler import clock
from tests.support import people
from tests.support.gateways import QuietGateway
from tests.support.outbox import (
    NOON,
    ZONE,
    answer,
    family_of,
    make_due_reminder,
    make_many_due_reminders,
    refuse,
)
from tests.support.pages import counted_statements
from tests.support.programmes import programme_at
from tests.support.telling import cancel, make_lessons

MAIL_KIND = (AddressKind.EMAIL,)


at_noon = programme_at(NOON)


def hand_over(*gateways: Gateway, most: int = 50) -> list[Handing]:
    handings = begin_handings(outbox.claim_messages(most), gateways)
    db.session.rollback()
    return handings


def fresh(message: Message) -> Message:
    db.session.rollback()
    return db.session.get_one(Message, message.id)


def ids_of(handings: Sequence[Handing]) -> list[int]:
    return [handing.claimed.id for handing in handings]


def plan(kind: MessageKind, text: str = "Bonjour", **columns: object) -> Message:
    now = clock.now()
    message = Message(
        kind=kind,
        text=text,
        language="fr",
        due_at=now,
        next_try_at=now,
        expires_at=now + timedelta(days=1),
        created_at=now,
        **columns,
    )
    with transaction():
        db.session.add(message)
    return message


# --- together


def test_batch_takes_as_many_statements_for_thirty_as_for_one(app: Flask) -> None:
    make_many_due_reminders(31)
    gateway = QuietGateway()
    sent = []
    for most in (1, 30):
        db.session.remove()
        with counted_statements(app) as statements:
            handings = begin_handings(outbox.claim_messages(most), [gateway])
            outbox.record_answers(
                [
                    outbox.Answer(each.claimed, Receipt(ReceiptState.ACCEPTED, "q1"))
                    for each in handings
                ]
            )
        assert len(handings) == most
        sent.append(len(statements))
    assert sent[0] == sent[1]


def test_parts_and_cost_are_written_before_the_text_leaves() -> None:
    message = make_due_reminder()
    (handing,) = hand_over(QuietGateway(price=80))
    parts = 1 + len(handing.outgoing.text) // 10
    assert (fresh(message).parts, message.cost) == (parts, 80 * parts)


# --- the rate


def test_rate_is_that_of_all_workers_together(at_noon: time_machine.Traveller) -> None:
    messages = [make_due_reminder() for _ in range(5)]
    paced = QuietGateway(per_second=2)
    first = hand_over(paced, most=3)
    assert [each.leaves_at - NOON for each in first] == [timedelta(0), timedelta(seconds=0.5)]
    assert hand_over(paced) == []  # another worker, at once
    assert outbox.claim_messages(50) == []  # those that wait for the gateway are left alone
    at_noon.shift(0.5)
    second = hand_over(paced)
    assert [each.leaves_at - NOON for each in second] == [timedelta(seconds=1)]
    at_noon.shift(1)
    assert ids_of(first + second + hand_over(paced)) == [message.id for message in messages]


def test_gateway_at_its_rate_holds_up_no_other() -> None:
    by_mail, by_sms = make_due_reminder(), make_due_reminder()
    with transaction():
        family_of(by_sms).email = None
    mail, sms = QuietGateway("mail", MAIL_KIND, per_second=0.1), QuietGateway("sms", price=80)
    with transaction():
        db.session.add(GatewayPace(gateway="mail", free_at=NOON + timedelta(seconds=9)))
    assert ids_of(hand_over(mail, sms)) == [by_sms.id]
    assert (fresh(by_mail).state, by_mail.gateway) == (MessageState.PLANNED, "mail")


def test_server_that_asks_for_rest_is_left_alone_by_all(at_noon: time_machine.Traveller) -> None:
    first, second = make_due_reminder(), make_due_reminder()
    gateway = QuietGateway()
    (handing,) = hand_over(gateway, most=1)
    answer(handing.claimed, Retryable("it answered 429", after_seconds=90))
    assert fresh(first).next_try_at >= NOON + timedelta(seconds=90)
    assert hand_over(gateway) == []
    at_noon.shift(89.5)
    assert ids_of(hand_over(gateway)) == [second.id]


def test_clock_that_is_set_back_silences_no_gateway() -> None:
    make_due_reminder()
    with transaction():
        db.session.add(GatewayPace(gateway="sms", free_at=NOON + timedelta(hours=1)))
    assert len(hand_over(QuietGateway(per_second=5))) == 1


# --- quiet hours


def night(hour: int, minute: int = 0, day: int = 1) -> datetime:
    return clock.to_utc(datetime(2026, 12, day, hour, minute), ZONE)


def test_gateways_own_quiet_hours_are_waited_for_or_got_round(
    at_noon: time_machine.Traveller,
) -> None:
    resting = QuietGateway("mail", MAIL_KIND, quiet=(time(11), time(13)))
    waits = make_due_reminder(starts_in=timedelta(hours=3))
    goes_round = make_due_reminder(starts_in=timedelta(hours=1))
    assert ids_of(hand_over(resting, QuietGateway(price=80))) == [goes_round.id]
    assert fresh(waits).next_try_at == NOON + timedelta(hours=1)
    assert fresh(goes_round).gateway == "sms"


@pytest.mark.parametrize(
    ("hour", "start", "leaves"),
    [(23, ("wed", "08:30"), True), (23, ("wed", "09:00"), False), (23, ("wed", "17:00"), False)],
)
def test_only_a_lesson_before_the_morning_is_cancelled_at_night(
    at_noon: time_machine.Traveller, hour: int, start: tuple[str, str], leaves: bool
) -> None:
    lessons = make_lessons(start=start)
    at_noon.move_to(night(hour))
    cancel(lessons.first)
    kinds = {
        fresh(db.session.get_one(Message, number)).kind
        for number in ids_of(hand_over(QuietGateway()))
    }
    assert kinds == ({MessageKind.CANCELLATION} if leaves else set())


@pytest.mark.parametrize("kind", [MessageKind.REPLY, MessageKind.NOTE])
def test_at_night_leaves_what_answers_a_text_and_nothing_else(
    at_noon: time_machine.Traveller, kind: MessageKind
) -> None:
    at_noon.move_to(night(23))
    message = plan(kind, household_id=people.make_household().id)
    hand_over(QuietGateway())
    assert fresh(message).state is (
        MessageState.HANDING if kind is MessageKind.REPLY else MessageState.PLANNED
    )
    if kind is not MessageKind.REPLY:
        assert message.next_try_at == night(8, day=2)


# --- who it goes to


def test_stop_keeps_everything_from_a_volunteer_but_codes() -> None:
    tutor_id = people.make_tutor()
    with transaction():
        db.session.get_one(Tutor, tutor_id).messages_stopped_at = NOON
        telling.tell_note(Recipient("tutor", tutor_id), "Bonjour", None)
        code = outbox.queue_code(tutor_id, "042917", NOON + timedelta(minutes=15))
    assert ids_of(hand_over(QuietGateway("mail", MAIL_KIND))) == [code.id]


def test_family_that_said_stop_is_answered_that_it_has() -> None:
    household = people.make_household()
    with transaction():
        db.session.get_one(Household, household.id).messages_stopped_at = NOON
    reply = plan(MessageKind.REPLY, household_id=household.id, gateway="sms")
    note = plan(MessageKind.NOTE, household_id=household.id)
    assert ids_of(hand_over(QuietGateway())) == [reply.id]
    assert fresh(note).state is MessageState.SUPPRESSED


@pytest.mark.parametrize("state", [TutorState.SUSPENDED, TutorState.LEFT])
def test_volunteer_who_may_not_sign_in_hears_of_no_family(state: TutorState) -> None:
    tutor_id = people.make_tutor(state=state)
    message = plan(MessageKind.CALL_ME, tutor_id=tutor_id)
    assert hand_over(QuietGateway("mail", MAIL_KIND)) == []
    assert fresh(message).state is MessageState.CANCELLED


def test_coordinators_are_written_to_by_mail_while_they_are_there() -> None:
    there, gone = (people.make_coordinator(email=f"{name}@example.org") for name in "ab")
    with transaction():
        db.session.get_one(Coordinator, gone.id).closed_at = NOON
    message = plan(MessageKind.CALL_ME, coordinator_id=there.id)
    plan(MessageKind.CALL_ME, coordinator_id=gone.id)
    (handing,) = hand_over(QuietGateway(), QuietGateway("mail", MAIL_KIND))
    assert (handing.claimed.id, handing.outgoing.address) == (message.id, "a@example.org")
    assert handing.outgoing.language == "fr"


# --- sending


def deliver(monkeypatch: pytest.MonkeyPatch, gateway: QuietGateway) -> None:
    monkeypatch.setattr(delivery, "configured_gateways", lambda _config: (gateway,))
    delivery.deliver_due(threading.Event())


def test_several_texts_are_on_their_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        make_due_reminder()
    together = threading.Barrier(4)

    class Slow(QuietGateway):
        def send(self, outgoing: object) -> Receipt:
            together.wait(timeout=10)
            return Receipt(ReceiptState.ACCEPTED, "q1")

    deliver(monkeypatch, Slow())
    db.session.rollback()
    assert {row.state for row in db.session.query(Message)} == {MessageState.ACCEPTED}


def test_no_more_are_on_record_as_handed_over_than_leave_at_once() -> None:
    messages = [make_due_reminder() for _ in range(3)]
    assert ids_of(hand_over(QuietGateway(sends_at_once=2))) == [each.id for each in messages[:2]]
    assert fresh(messages[2]).state is MessageState.PLANNED


def test_refusals_of_a_batch_are_each_written(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [make_due_reminder() for _ in range(3)]
    deliver(monkeypatch, QuietGateway(sends_at_once=1, errors=[Retryable("busy")]))
    states = [fresh(message).state for message in messages]
    assert states == [MessageState.PLANNED, MessageState.ACCEPTED, MessageState.ACCEPTED]


def test_downtime_ends_with_codes_then_the_oldest_and_the_rest_is_listed(
    at_noon: time_machine.Traveller,
) -> None:
    stale = [make_due_reminder(starts_in=timedelta(hours=2)) for _ in range(3)]
    old = make_due_reminder(starts_in=timedelta(hours=40))
    at_noon.shift(timedelta(hours=24))
    tutor_id = people.make_tutor()
    with transaction():
        code = outbox.queue_code(tutor_id, "042917", clock.now() + timedelta(minutes=15))
    assert outbox.expire_messages() == 3
    assert {fresh(message).state for message in stale} == {MessageState.EXPIRED}
    handings = hand_over(QuietGateway(), QuietGateway("mail", MAIL_KIND))
    assert ids_of(handings) == [code.id, old.id]
    assert refuse(handings[1].claimed) is MessageState.PLANNED
    assert clock.now() == datetime(2026, 12, 2, 12, tzinfo=UTC)
