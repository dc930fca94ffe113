"""What gateways call: kept before it is answered, heard only with its secret or signature."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import create_app
from app.database import transaction
from app.extensions import db
from app.models import InboundMessage, Message, MessageKind, MessageState
from app.security import HideSecretLinks
from scheduler import clock
from tests.support import fake_meta, fake_twilio, people
from tests.support.databases import make_config

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SITE = "https://n9raw.ma"
SECRET = "kannel-calls-us-with-this"
KANNEL = f"/hooks/kannel/{SECRET}"
PHONE = "+212612345678"
SETTINGS = {
    "N9RAW_PUBLIC_URL": SITE,
    "N9RAW_KANNEL_URL": "http://127.0.0.1:9",
    "N9RAW_KANNEL_USERNAME": "tutor",
    "N9RAW_KANNEL_PASSWORD": "secret",
    "N9RAW_KANNEL_HOOK_SECRET": SECRET,
    "N9RAW_KANNEL_FROM": "N9raw",
}


@pytest.fixture
def configured(database_url: str) -> Iterator[Flask]:
    """A program with Kannel, Twilio and Meta."""
    settings = SETTINGS | fake_twilio.FakeTwilio().settings(SITE) | fake_meta.FakeMeta().settings()
    app = create_app(make_config(database_url, **settings))
    with app.app_context():
        people.make_programme()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(configured: Flask) -> FlaskClient:
    return configured.test_client()


def handed(gateway: str, provider_id: str | None = None) -> int:
    """A text that is on its way by a gateway; its number."""
    now = clock.now()
    with transaction():
        message = Message(
            kind=MessageKind.CHECK,
            state=MessageState.HANDING,
            to_address=PHONE,
            gateway=gateway,
            provider_id=provider_id,
            language="fr",
            text="essai",
            due_at=now,
            next_try_at=now,
            expires_at=now,
            handed_at=now,
            created_at=now,
        )
        db.session.add(message)
        db.session.flush()
        return message.id


def state_of(number: int) -> MessageState:
    db.session.rollback()
    return db.session.get_one(Message, number).state


def inbound() -> list[tuple[str, str, str]]:
    db.session.rollback()
    rows = db.session.scalars(select(InboundMessage).order_by(InboundMessage.id))
    return [(row.gateway, row.provider_id, row.text) for row in rows]


def test_receipts_of_kannel_raise_the_message_and_never_lower_it(client: FlaskClient) -> None:
    number = handed("kannel")
    receipt = f"{KANNEL}/receipt?reference=n9raw-{number}&reason=&state="
    for state, expected in [
        (8, MessageState.ACCEPTED),
        (1, MessageState.DELIVERED),
        (2, MessageState.DELIVERED),
        (8, MessageState.DELIVERED),
    ]:
        assert client.get(f"{receipt}{state}").status_code == 200
        assert state_of(number) is expected


def test_receipt_counts_for_texts_of_its_own_gateway_alone(client: FlaskClient) -> None:
    number = handed("twilio", "SM1")
    answer = client.get(f"{KANNEL}/receipt?reference=n9raw-{number}&state=1&reason=")
    assert (answer.status_code, state_of(number)) == (200, MessageState.HANDING)


def test_signed_receipts_of_twilio_and_meta_find_their_message(client: FlaskClient) -> None:
    by_twilio, by_meta = handed("twilio"), handed("whatsapp")
    hook = f"{SITE}/hooks/twilio/receipt?reference=n9raw-{by_twilio}"
    fields = {"Sid": "SM7", "To": PHONE, "StatusCallback": hook}
    assert fake_twilio.FakeTwilio().receipt(fields, "delivered").to(client).data == b"<Response/>"
    sent = {"id": "wamid.7", "to": PHONE, "biz_opaque_callback_data": f"n9raw-{by_meta}"}
    call = fake_meta.FakeMeta().receipts(f"{SITE}/hooks/whatsapp", (sent, "failed", 131026))
    assert call.to(client).status_code == 200
    assert state_of(by_twilio) is MessageState.DELIVERED
    failed = db.session.get_one(Message, by_meta)
    assert (failed.state, failed.provider_id) == (MessageState.UNDELIVERED, "wamid.7")
    assert failed.error == (
        "nobody uses WhatsApp at this number, or it can't be written to (error 131026)"
    )


def test_texts_are_kept_once_however_often_they_come(client: FlaskClient) -> None:
    arabic = "%06F%069%06E%00+%001"  # UTF-16BE, NUL bytes and all
    for _ in range(2):
        address = f"{KANNEL}/text?from=212612345678&text={arabic}&charset=UTF-16BE&id=b3-1"
        answer = client.get(address)
        assert (answer.status_code, answer.data) == (200, b"")
    meta = fake_meta.FakeMeta()
    texts = [fake_meta.text_of(PHONE, "STOP", 1), fake_meta.text_of(PHONE, "2", 2)]
    assert meta.texts_in(f"{SITE}/hooks/whatsapp", *texts).to(client).status_code == 200
    assert inbound() == [
        ("kannel", "b3-1", "نعم 1"),
        ("whatsapp", "wamid.in1", "STOP"),
        ("whatsapp", "wamid.in2", "2"),
    ]


def test_missed_calls_are_kept_and_answered_without_cost(client: FlaskClient) -> None:
    posted = client.post(f"{KANNEL}/call", data={"from": "0612345678", "id": "1795326352.7"})
    assert posted.status_code == 200
    rings = fake_twilio.FakeTwilio().ring(f"{SITE}/hooks/twilio/call", PHONE, "CA7")
    assert rings.to(client).data == b"<Response><Reject/></Response>"
    assert [row[:2] for row in inbound()] == [("kannel", "1795326352.7"), ("twilio", "CA7")]


def test_meta_is_greeted(client: FlaskClient) -> None:
    meta = fake_meta.FakeMeta()
    assert meta.greeting(f"{SITE}/hooks/whatsapp", "42").to(client).data == b"42"
    assert meta.greeting(f"{SITE}/hooks/whatsapp", "42", "guess").to(client).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/hooks/kannel/guess/receipt?reference=n9raw-1&state=1", 403),
        (f"/hooks/twilio/{SECRET}/receipt?reference=n9raw-1&state=1", 403),
        ("/hooks/console/receipt", 404),
        ("/hooks/email", 404),
        ("/hooks/nobody/text", 404),
        (f"{KANNEL}/other", 404),
    ],
)
def test_others_are_not_heard(client: FlaskClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status
    assert inbound() == []


def test_hooks_need_no_form_token_and_leave_no_cookie(client: FlaskClient) -> None:
    answer = client.post(f"{KANNEL}/call", data={"from": "0612345678", "id": "1"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_hook_is_longer_than_what_meta_may_bring(client: FlaskClient) -> None:
    assert client.post("/hooks/whatsapp", data=b"a" * 3_000_001).status_code == 413


def test_fault_is_not_answered_as_if_it_were_kept(
    client: FlaskClient, configured: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction():
        db.session.connection().exec_driver_sql("ALTER TABLE inbound_message RENAME TO gone")
    caplog.handler.addFilter(HideSecretLinks())
    configured.config["PROPAGATE_EXCEPTIONS"] = False
    with caplog.at_level(logging.DEBUG):
        answer = client.get(f"{KANNEL}/text?from=212612345678&text=STOP&id=1")
    assert answer.status_code == 500
    assert SECRET not in caplog.text
    assert "212612345678" not in caplog.text
