"""A cancellation, a STOP or a change against a delivery under way, in every order there is.

What is committed before a message is on record as being handed over stops it; nothing leaves then.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from app import create_app
from app.database import transaction
from app.extensions import db
from app.models import OPEN_MESSAGES, Household, Lesson, LessonState, Message, MessageState
from app.services import changes, departures
from app.services.delivery import deliver_due
from scheduler import clock
from tests.support import people
from tests.support.databases import make_config
from tests.support.killing import daytime
from tests.support.mail import Mailbox, running_mail_server
from tests.support.outbox import lesson_of, make_due_reminder

Act = Callable[[int, int, int], None]
STOPPED = (MessageState.CANCELLED, MessageState.SUPPRESSED)


def cancel_the_lesson(lesson_id: int, _household_id: int, _tutor_id: int) -> None:
    changes.cancel_lesson(lesson_id, "the road is closed")


def stop_messages(_lesson_id: int, household_id: int, _tutor_id: int) -> None:
    with transaction():
        db.session.get_one(Household, household_id).messages_stopped_at = clock.now()


def change_the_lesson(lesson_id: int, _household_id: int, _tutor_id: int) -> None:
    with transaction():
        lesson = db.session.get_one(Lesson, lesson_id, with_for_update=True)
        lesson.version += 1
        lesson.state = LessonState.NOT_HELD


def let_the_volunteer_leave(_lesson_id: int, _household_id: int, tutor_id: int) -> None:
    departures.let_tutor_leave(tutor_id, "moved away", None)


RACES = 60

ACTS: tuple[Act, ...] = (
    cancel_the_lesson,
    stop_messages,
    change_the_lesson,
    let_the_volunteer_leave,
)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def mailing(database_url: str, mailbox: Mailbox) -> Iterator[Flask]:
    """A program that delivers to the mailbox, in a zone where it is day."""
    app = create_app(make_config(database_url, **mailbox.settings, **daytime()))
    with app.app_context():
        people.make_programme()
    yield app
    with app.app_context():
        db.engine.dispose()


def test_nothing_leaves_if_the_change_was_committed_before_handing(
    mailing: Flask, mailbox: Mailbox
) -> None:
    chance = random.Random(20261201)
    left: set[str] = set()
    reminders: set[str] = set()
    for each in range(RACES):
        message_id, act = _make_message(mailing, ACTS[each % len(ACTS)])
        open_after = _race(mailing, act, chance.uniform(-0.01, 0.02))
        state = _outcome(mailing, message_id)
        reminders.add(f"n9raw-{message_id}")
        if open_after:
            assert state in STOPPED
        if state is MessageState.ACCEPTED:
            left.add(f"n9raw-{message_id}")
        else:
            assert state in STOPPED
    print(f"{RACES} interleavings: {RACES - len(left)} stopped, {len(left)} had left")
    # Beside them, families are told of what was cancelled.
    arrived = {one: times for one, times in mailbox.references.items() if one in reminders}
    assert arrived == dict.fromkeys(left, 1)
    assert RACES // 10 <= len(left) <= RACES - RACES // 10  # both orders were met


def _make_message(app: Flask, act: Act) -> tuple[int, Callable[[], bool]]:
    """A due message, and what changes its lesson and says whether it was open still after that."""
    with app.app_context():
        message = make_due_reminder(starts_in=timedelta(hours=5))
        message_id, lesson = message.id, lesson_of(message)
        ids = (lesson.id, message.household_id or 0, lesson.group.tutor_id)

    def change() -> bool:
        with app.app_context():
            act(*ids)
            db.session.rollback()
            return db.session.get_one(Message, message_id).state in (*OPEN_MESSAGES, *STOPPED)

    return message_id, change


def _race(app: Flask, change: Callable[[], bool], head_start: float) -> bool:
    """Deliver and change at once, the one so many seconds before the other."""
    answers: list[bool] = []
    begin = threading.Barrier(2)

    def deliver() -> None:
        begin.wait()
        time.sleep(max(0.0, -head_start))
        with app.app_context():
            deliver_due(threading.Event())

    def act() -> None:
        begin.wait()
        time.sleep(max(0.0, head_start))
        answers.append(change())

    threads = [threading.Thread(target=run) for run in (deliver, act)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers, "the change itself failed"
    return answers[0]


def _outcome(app: Flask, message_id: int) -> MessageState:
    """How the message ended, once it is looked at again."""
    with app.app_context():
        deliver_due(threading.Event())
        db.session.rollback()
        return db.session.get_one(Message, message_id).state
