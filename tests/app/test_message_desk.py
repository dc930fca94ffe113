"""The inbox and the message desk: who sees what, stories, costs, sending again, writing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import InboundText
from app.i18n import show_page_in
from app.models import (
    AuditEntry,
    Household,
    InboundMessage,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Reminder,
    Tutor,
)
from app.services import inbound, message_costs, message_desk, writing
from app.services.errors import Conflict, Invalid
from app.services.message_costs import Spent
from app.services.message_desk import Filters
from app.services.scope import EVERYWHERE, Scope
from app.services.writing import Target
from scheduler import clock
from tests.support.databases import make_config
from tests.support.groups import active_group
from tests.support.outbox import family_of, lesson_of, make_due_reminder
from tests.support.pages import browser_of, counted_statements, in_english
from tests.support.people import make_coordinator, make_household, make_programme, make_tutor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return in_english(app)


@pytest.fixture(autouse=True)
def _sends_sms(app: Flask, database_url: str) -> None:
    app.config["N9RAW"] = make_config(
        database_url,
        N9RAW_KANNEL_URL="http://127.0.0.1:1/cgi-bin/sendsms",
        N9RAW_KANNEL_USERNAME="n9raw",
        N9RAW_KANNEL_PASSWORD="n9raw",
        N9RAW_KANNEL_HOOK_SECRET="x" * 24,
        N9RAW_KANNEL_HOOKS_URL="https://n9raw.example",
        N9RAW_KANNEL_FROM="N9raw",
        N9RAW_KANNEL_PRICE="0.25",
    )


def write_in(household: Household, text: str) -> int:
    """Have a text come in; its id."""
    inbound.take_text("kannel", InboundText(f"{household.id}:{text}", household.phone, text))
    return (
        db.session.scalars(select(InboundMessage.id).order_by(InboundMessage.id.desc())).first()
        or 0
    )


def lost(**values: object) -> Message:
    """A reminder that no gateway could bring."""
    message = make_due_reminder(starts_in=timedelta(hours=3))
    with transaction():
        message.state, message.error = MessageState.FAILED, "Kannel refused it: it answered 404"
        message.gateway, message.handed_at, message.ended_at = "kannel", NOON, NOON
        message.text, message.parts, message.cost = "N9raw : rappel", 1, 250
        for name, value in values.items():
            setattr(message, name, value)
    return message


def to_go_at(due_at: datetime) -> int:
    """A reminder that leaves then; its id."""
    message = make_due_reminder(starts_in=timedelta(days=2))
    with transaction():
        message.due_at = message.next_try_at = due_at
    return message.id


def read(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.text


def viewed() -> list[int]:
    """The children of the last view that left a row."""
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "view").order_by(AuditEntry.id.desc())
    ).first()
    return [] if entry is None else entry.pupil_ids


def test_the_inbox_shows_what_nobody_read_and_takes_answers(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        household = make_household()
        number = write_in(household, "Sara est <malade>")
        write_in(household, "STOP")
        inbound.take_text("kannel", InboundText("s", "+212661000000", "Qui est là ?"))
        household_id, pupils = household.id, [pupil.id for pupil in household.pupils]
    page = read(client, "/coordinator/inbox")
    assert "Sara est &lt;malade&gt;" in page
    assert "Walid Touil" in page
    assert "Qui est là ?" in page
    assert "STOP</bdi>" not in page
    assert "STOP</bdi>" in read(client, "/coordinator/inbox?all=yes")
    with app.app_context():
        assert viewed() == pupils
    stopped = client.post(f"/coordinator/inbox/{number}/answer", data={"text": "Merci !"})
    assert (stopped.status_code, "They want no messages" in stopped.text) == (409, True)
    client.post(f"/coordinator/families/{household_id}/messages/send")
    assert client.post(f"/coordinator/inbox/{number}/answer", data={"text": " "}).status_code == 400
    client.post(f"/coordinator/inbox/{number}/answer", data={"text": "Bon rétablissement !"})
    with app.app_context():
        note = db.session.scalars(select(Message).where(Message.kind == MessageKind.NOTE)).one()
        assert note.household_id == household_id
        assert "Bon rétablissement" in (note.text or "")
        row = db.session.get_one(InboundMessage, number)
        assert (row.read_at, row.read_by_id, note.by_id) == (NOON, 1, 1)
    assert "malade" not in read(client, "/coordinator/inbox")


def test_coordinators_of_a_zone_see_their_families_alone(app: Flask) -> None:
    with app.app_context():
        make_programme()
        mine, other = make_household(), make_household(zone="Boujniba", guardian="Amal Zahra")
        key = make_coordinator(zone_ids=[mine.zone_id]).get_id()
        write_in(mine, "de chez moi")
        write_in(other, "de là-bas")
        inbound.take_text("kannel", InboundText("s", "+212661000000", "inconnu"))
        ours, theirs = lost(), lost()
        with transaction():
            family_of(theirs).zone_id = other.zone_id
        scope = Scope(frozenset({mine.zone_id}))
        rows, _page = message_desk.read_messages(scope, message_desk.Filters(states="lost"), 1)
        assert [row.id for row in rows] == [ours.id]
        assert message_desk.count_states(scope, NOON - timedelta(days=7))["lost"] == 1
        (spent,) = message_costs.read_costs(scope).spent
        assert (spent.messages, spent.thousandths) == (1, 250)
        assert message_costs.read_costs(EVERYWHERE).spent_in_all == 500
        other_zone_id = other.zone_id
    client = browser_of(app, key)
    page = read(client, "/coordinator/inbox")
    assert "de chez moi" in page
    assert "de là-bas" not in page
    assert "inconnu" not in page
    assert "de là-bas" not in read(client, "/coordinator/desk")
    assert client.get(f"/coordinator/messages?zone={other_zone_id}").text.count("<tbody>") == 0


def test_the_desk_shows_texts_that_wait(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        write_in(make_household(), "Bonjour à tous")
    page = read(client, "/coordinator/desk")
    assert re.search(r'<b class="count">1</b> text to read', page)
    assert "Bonjour à tous" in page


def test_filters_and_reasons_in_words(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        message = lost()
        lost(kind=MessageKind.LESSON_24H, state=MessageState.DELIVERED, error=None)
        zone_id = family_of(message).zone_id
    path = "/coordinator/messages"
    page = read(
        client, f"{path}?state=lost&kind=lesson_2h&gateway=kannel&zone={zone_id}&day=2026-12-01"
    )
    assert page.count("<tr>") == 2  # the heading's, and one message
    assert "The gateway refused it: the number may be wrong, or out of use." in page
    assert "it answered 404" not in page
    for query in ("state=went&kind=lesson_2h", "gateway=twilio", "day=2026-12-02", "zone=999"):
        assert "No message fits." in read(client, f"{path}?{query}"), query
    assert read(client, f"{path}?state=nonsense&kind=x&day=y&zone=z").count("<tr>") == 3


def test_what_went_stands_before_what_is_to_go_in_weeks(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        went = lost().id
        soon, later = (to_go_at(NOON + timedelta(hours=24, minutes=late)) for late in (0, 1))
        planned = Filters(states="to_go")
        last_day = Filters(day=NOON.date() + timedelta(days=1))
        for filters, expected in (
            (Filters(), [soon, went]),
            (planned, [soon, later]),
            (last_day, [later, soon]),
        ):
            rows, page = message_desk.read_messages(EVERYWHERE, filters, 1)
            assert ([row.id for row in rows], page.total) == (expected, 2), filters
    html = read(client, "/coordinator/messages")
    assert "What is to go later than in a day is not in this list." in html
    assert re.search(r'<a href="[^"]*state=to_go">All that is planned', html)


def test_a_story_tells_tries_cost_and_answers(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        message = lost(tries=3, state=MessageState.UNDELIVERED, error=None)
        number = message.id
        with transaction():
            db.session.add(
                Message(
                    household_id=message.household_id, kind=message.kind, due_at=NOON,
                    next_try_at=NOON, expires_at=NOON, created_at=NOON, fallback_of_id=number,
                    state=MessageState.DELIVERED, gateway="email",
                )
            )  # fmt: skip
        row_id = write_in(family_of(message), "1")
        with transaction():
            db.session.get_one(InboundMessage, row_id).message_id = number
    page = read(client, f"/coordinator/messages/{number}")
    for words in ("N9raw : rappel", "0.25 dirhams", "3 tries", "by another way", "e-mail",
                  "the telephone may be off", "What was answered"):  # fmt: skip
        assert words in page, words
    assert client.get("/coordinator/messages/999999").status_code == 404


@pytest.mark.parametrize("kind", [MessageKind.SIGN_IN_CODE, MessageKind.FAMILY_LINK])
def test_codes_and_links_are_shown_to_nobody(
    app: Flask, client: FlaskClient, kind: MessageKind
) -> None:
    with app.app_context():
        number = lost(kind=kind, text="123456 https://n9raw.ma/f/abc").id
    for path in (f"/coordinator/messages/{number}", "/coordinator/messages"):
        assert "123456" not in read(client, path)
    assert client.post(f"/coordinator/messages/{number}/again").status_code == 409


def test_what_did_not_arrive_is_sent_again_once(app: Flask) -> None:
    with app.test_request_context():
        show_page_in("en")
        make_programme()
        by = make_coordinator()
        message = lost()
        again = message_desk.send_again(message.id, by)
        assert (again.state, again.by_id, again.text, again.due_at) == (
            MessageState.PLANNED, by.id, None, NOON,
        )  # fmt: skip
        assert again.expires_at == lesson_of(again).starts_at - timedelta(minutes=15)
        assert db.session.scalars(select(Reminder.message_id)).all() == [again.id]
        with pytest.raises(Conflict, match="sent again already"):
            message_desk.send_again(message.id, by)
        with pytest.raises(Conflict, match="did not arrive"):
            message_desk.send_again(again.id, by)
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "resend_message")
        ).one()
        assert (entry.subject, entry.detail) == (f"message:{message.id}", {"again": again.id})


def test_what_is_of_no_use_any_more_is_not_sent_again(
    app: Flask, time: time_machine.Traveller
) -> None:
    with app.test_request_context():
        show_page_in("en")
        make_programme()
        by = make_coordinator()
        cancelled, stopped, late = lost(), lost(), lost()
        with transaction():
            lesson_of(cancelled).state = LessonState.CANCELLED
            family_of(stopped).messages_stopped_at = NOON
        with pytest.raises(Conflict, match="of no use"):
            message_desk.send_again(cancelled.id, by)
        with pytest.raises(Conflict, match="no messages"):
            message_desk.send_again(stopped.id, by)
        time.shift(timedelta(hours=3))
        with pytest.raises(Conflict, match="of no use"):
            message_desk.send_again(late.id, by)


def test_words_to_a_zone_are_counted_first_and_sent_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        families = [make_household() for _ in range(4)]
        with transaction():
            families[1].messages_stopped_at = NOON
            families[2].reach_by_call = True
        zone_id, reached = families[0].zone_id, [families[0].id, families[3].id]
        make_household(zone="Boujniba")
    path = f"/coordinator/zones/{zone_id}/write"
    words = {"text": "Pas de cours lundi."}
    page = client.post(path, data=words | {"step": "check"})
    assert (page.status_code, written(app)) == (200, [])
    for said in ("2 messages leave.", "2 SMS or texts in all, for 0.50 dirhams.",
                 "1 wants no messages.", "1 family is told by telephone"):  # fmt: skip
        assert said in page.text, said
    for _ in range(2):  # a button that is pressed twice
        assert client.post(path, data=words | {"step": "send"}).status_code == 303
    assert written(app) == reached


def written(app: Flask) -> list[int | None]:
    """Whom notes go to."""
    with app.app_context():
        return list(
            db.session.scalars(
                select(Message.household_id)
                .where(Message.kind == MessageKind.NOTE)
                .order_by(Message.id)
            )
        )


def test_words_to_a_group_reach_its_families_and_its_volunteer_if_wanted(app: Flask) -> None:
    with app.app_context():
        make_programme()
        by, household, tutor_id = make_coordinator(), make_household(), make_tutor()
        with transaction():
            db.session.get_one(Tutor, tutor_id).phone = "+212612121212"
        group = active_group(tutor_id, [household.pupils[0].requests[0].id])
        assert writing.send(Target("group", group.id), "Bonjour", by) == 1
        assert writing.send(Target("group", group.id, with_tutor=True), "Bonsoir", by) == 2
        assert writing.send(Target("tutor", tutor_id), "Merci", by) == 1
        notes = db.session.scalars(select(Message).where(Message.kind == MessageKind.NOTE)).all()
        assert [(note.household_id, note.tutor_id, note.by_id) for note in notes] == [
            (household.id, None, by.id), (household.id, None, by.id), (None, tutor_id, by.id),
            (None, tutor_id, by.id),
        ]  # fmt: skip


@pytest.mark.parametrize(("text", "status"), [("", 400), (" \u200f ", 400), ("x" * 501, 400)])
def test_empty_and_long_words_are_refused(
    app: Flask, client: FlaskClient, text: str, status: int
) -> None:
    with app.app_context():
        household_id = make_household().id
    answer = client.post(
        f"/coordinator/families/{household_id}/write", data={"text": text, "step": "check"}
    )
    assert answer.status_code == status
    assert written(app) == []


def test_words_that_reach_nobody_are_not_sent(app: Flask) -> None:
    with app.app_context():
        make_programme()
        by, household = make_coordinator(), make_household()
        with transaction():
            household.messages_stopped_at = NOON
        with pytest.raises(Conflict):
            writing.send(Target("household", household.id), "Bonjour", by)
        with pytest.raises(Invalid):
            writing.preview(Target("household", household.id), "")


def test_reminders_to_come_are_forecast_by_the_first_way(app: Flask) -> None:
    with app.app_context():
        make_programme()
        for _ in range(2):
            make_due_reminder()
        silent = make_due_reminder()
        with transaction():
            family_of(silent).messages_stopped_at = NOON
        costs = message_costs.read_costs(EVERYWHERE)
        assert costs.expected == [Spent("kannel", 2, 2, 500)]
        assert costs.unreached == 1
        # Once some have left, what those cost counts.
        lost(state=MessageState.DELIVERED, language="fr", parts=3, cost=900)
        costs = message_costs.read_costs(EVERYWHERE)
        assert costs.expected == [Spent("kannel", 2, 6, 1800)]
        assert costs.spent == [Spent("kannel", 1, 3, 900)]
        assert costs.since == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "path", ["/coordinator/inbox", "/coordinator/messages", "/coordinator/messages/costs"]
)
def test_pages_ask_as_much_of_the_database_for_many_as_for_few(
    app: Flask, client: FlaskClient, path: str
) -> None:
    def add(number: int) -> None:
        with app.app_context():
            for _ in range(number):
                write_in(family_of(lost()), "Bonjour")
            make_due_reminder()

    add(2)
    with counted_statements(app) as few:
        client.get(path)
    add(12)
    with counted_statements(app) as many:
        client.get(path)
    assert len(many) <= len(few)


def test_silence_of_a_household_names_who_did_it(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        household_id = make_household().id
    client.post(f"/coordinator/families/{household_id}/messages/stop")
    with app.app_context():
        household = db.session.get_one(Household, household_id)
        assert (household.messages_stopped_at, household.messages_stopped_by_id) == (clock.now(), 1)
        assert db.session.scalars(select(Tutor)).all() == []
    client.post(f"/coordinator/families/{household_id}/messages/send")
    with app.app_context():
        household = db.session.get_one(Household, household_id)
        assert (household.messages_stopped_at, household.messages_stopped_by_id) == (None, None)
