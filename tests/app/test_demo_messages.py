"""The demo's outbox can be read by whoever started it, and by nobody anywhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.database import transaction
from app.models import MessageKind
from app.services import outbox
from app.services.delivery import deliver_due
from app.web.demo.views import KINDS
from scheduler import clock
from tests.support import people
from tests.support.apps import running_app
from tests.support.outbox import NOON, make_due_reminder
from tests.support.pages import counted_statements, words

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def demo(database_url: str) -> Iterator[Flask]:
    """The demo on a Tuesday at noon, with a programme."""
    with running_app(database_url, N9RAW_DEMO="1") as app, time_machine.travel(NOON, tick=False):
        with app.app_context():
            people.make_programme()
        yield app


def test_page_is_not_there_outside_the_demo(client: FlaskClient) -> None:
    assert client.get("/messages").status_code == 404
    assert "/messages" not in client.get("/").text


def test_every_kind_of_message_has_a_name(database_url: str) -> None:
    assert set(KINDS) == set(MessageKind)


def test_code_to_an_address_without_an_account_is_shown_with_the_address(demo: Flask) -> None:
    with demo.app_context():
        with transaction():
            until = clock.now() + timedelta(minutes=15)
            outbox.queue_contact_code("+212612345678", "ar", "042917", until)
        deliver_due(threading.Event())
    shown = words(demo.test_client().get("/messages").text)
    assert "+212612345678" in shown
    assert "042917" in shown


def test_newcomer_reads_texts_and_codes_without_signing_in(demo: Flask) -> None:
    with demo.app_context():
        make_due_reminder(language="ar")
        tutor_id = people.make_tutor(name="Karim Alami")
        with transaction():
            outbox.queue_code(tutor_id, "042917", clock.now() + timedelta(minutes=15))
        deliver_due(threading.Event())
    client = demo.test_client()
    assert 'href="/messages"' in client.get("/").text
    answer = client.get("/messages")
    shown = words(answer.text)
    assert answer.status_code == 200
    assert "votre code de connexion est 042917" in shown
    assert "Karim Alami" in shown
    assert "Walid Touil" in shown
    assert '<span lang="ar" dir="auto">نقراو، درس اليوم:</span>' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_nothing_due_is_said_in_words(demo: Flask) -> None:
    client = demo.test_client()
    client.post("/language", data={"locale": "en"})
    assert "No message is due yet." in words(client.get("/messages").text)


def test_longer_list_takes_no_more_statements(demo: Flask) -> None:
    client = demo.test_client()
    counts = []
    for more in (1, 3):
        with demo.app_context():
            for _ in range(more):
                make_due_reminder()
        with counted_statements(demo) as statements:
            assert client.get("/messages").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_other_machines_are_refused(demo: Flask) -> None:
    answer = demo.test_client().get("/messages", environ_base={"REMOTE_ADDR": "192.168.1.9"})
    assert answer.status_code == 403
