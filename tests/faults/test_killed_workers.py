"""Workers that die or work side by side lose no message, and send none twice that was settled."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import Message, MessageState
from app.services import outbox
from tests.support import people
from tests.support.databases import make_config
from tests.support.killing import QUICK, daytime, end_workers, start_worker
from tests.support.mail import Mailbox, running_mail_server
from tests.support.outbox import make_many_due_reminders
from tests.support.workers import wait_for

IN_FLIGHT = 1
"""A worker hands over one message at a time."""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mail_server() as mailbox:
        mailbox.pause_seconds = 0.003
        yield mailbox


def wait_for_mails(mailbox: Mailbox, number: int) -> None:
    wait_for(lambda: len(mailbox.mails) >= number, "delivery stands still", seconds=60)


def unsettled(app: Flask) -> int:
    open_states = (MessageState.PLANNED, MessageState.CLAIMED, MessageState.HANDING)
    with app.app_context():
        found = db.session.scalar(
            select(func.count()).select_from(Message).where(Message.state.in_(open_states))
        )
    return found or 0


def by_state(app: Flask) -> dict[MessageState, set[str]]:
    """Our references of the messages, by the state that they ended in."""
    found: dict[MessageState, set[str]] = {}
    with app.app_context():
        for message in db.session.scalars(select(Message)):
            found.setdefault(message.state, set()).add(f"n9raw-{message.id}")
    return found


def settle(app: Flask) -> None:
    """Wait until no message is open or in doubt any more."""

    def is_settled() -> bool:
        with app.app_context():
            outbox.expire_messages()
        return unsettled(app) == 0

    wait_for(is_settled, "messages stay open", seconds=60)


def test_worker_that_is_killed_again_and_again_loses_nothing(
    app: Flask, database_url: str, mailbox: Mailbox
) -> None:
    messages, kills = 120, 4
    with app.app_context():
        people.make_programme()
        make_many_due_reminders(messages)
        app.config["N9RAW"] = make_config(database_url, **QUICK)
    chance = random.Random(20261201)
    settings = mailbox.settings | QUICK | daytime()
    # A replacement warms up while the one before it works, so that killing takes less time.
    workers = [start_worker(database_url, settings) for _ in range(2)]
    try:
        for kill in range(kills):
            wanted = (kill + 1) * messages // (kills + 2)
            wait_for_mails(mailbox, wanted)
            time.sleep(chance.uniform(0, 0.02))
            killed = workers.pop(0)
            killed.kill()
            killed.wait()
            workers.append(start_worker(database_url, settings))
        settle(app)
    finally:
        end_workers(workers)
    ended = by_state(app)
    arrived = mailbox.references
    twice = sum(times - 1 for times in arrived.values())
    accepted = ended.pop(MessageState.ACCEPTED)
    in_doubt = ended.pop(MessageState.FAILED, set())
    print(
        f"{messages} messages, {kills} kills: {twice} twice, {len(in_doubt)} left in doubt, "
        f"of which {len(in_doubt & set(arrived))} had arrived"
    )
    assert ended == {}
    assert accepted <= set(arrived)
    assert len(accepted | in_doubt) == messages
    assert len(in_doubt) <= kills // 10  # killed twice over the same message
    assert max(arrived.values()) <= 2
    assert twice <= kills * IN_FLIGHT


def test_two_workers_send_no_message_twice(app: Flask, database_url: str, mailbox: Mailbox) -> None:
    messages = 60
    with app.app_context():
        people.make_programme()
        make_many_due_reminders(messages)
    settings = mailbox.settings | daytime()
    workers: list[subprocess.Popen[bytes]] = [
        start_worker(database_url, settings) for _ in range(2)
    ]
    try:
        wait_for(lambda: unsettled(app) == 0, "messages stay open", seconds=400)
    finally:
        end_workers(workers)
    assert mailbox.references == {f"n9raw-{number}": 1 for number in range(1, messages + 1)}
    assert set(by_state(app)) == {MessageState.ACCEPTED}
