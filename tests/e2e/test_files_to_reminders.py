"""The whole way in one test: from two files to the texts that families and tutors receive."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from app import create_app
from app.extensions import db
from app.models import (
    OPEN_MESSAGES,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    RequestState,
    TutoringRequest,
)
from app.services.delivery import deliver_due
from app.services.outbox import expire_messages
from app.worker import solve_next
from config import ROOT
from scheduler.reminders import is_quiet
from tests.support import people
from tests.support.databases import make_config

PILOT = ROOT / "app" / "data" / "pilot"
SATURDAY_NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BY = ("--by", "coordinator@example.org")
CHECKED = tuple(
    word
    for check in ("--identity", "--interview", "--certificate", "--charter")
    for word in (check, f"{SATURDAY_NOON:%Y-%m-%d}")
)
SENT = (MessageState.ACCEPTED, MessageState.DELIVERED)


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """The program in demo mode, whose console takes every message."""
    app = create_app(make_config(database_url, N9RAW_DEMO="1"))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def shell(app: Flask) -> FlaskCliRunner:
    with app.app_context():
        people.make_programme()
        people.make_coordinator()
    return app.test_cli_runner()


def run(shell: FlaskCliRunner, *words: str) -> str:
    ran = shell.invoke(args=list(words))
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_two_files_become_reminded_lessons(app: Flask, shell: FlaskCliRunner) -> None:
    with time_machine.travel(SATURDAY_NOON, tick=True) as time:
        for kind in ("volunteers", "pupils"):
            run(shell, "import", kind, str(PILOT / f"{kind}.csv"), *BY)
        numbers = [line.split("\t")[0] for line in run(shell, "tutor", "list").splitlines()]
        run(shell, "tutor", "vet", *numbers, *CHECKED, *BY)
        run(shell, "match", "start", "--iterations", "100", *BY)
        with app.app_context():
            solve_next(threading.Event())
        assert run(shell, "match", "list").split("\t")[1] == "done"
        run(shell, "match", "publish", "1", *BY)
        offered = [line.split("\t")[0] for line in run(shell, "group", "list").splitlines()]
        for number in offered:
            run(shell, "group", "accept", number, *BY)
        assert "new groups: 0" in run(shell, "match", "publish", "1", "--dry-run")
        with app.app_context():
            check_lessons()
            cancelled = cancel_one(shell)
            deliver_two_weeks(time)
            check_texts(cancelled)


def check_lessons() -> None:
    groups = db.session.scalars(select(Group)).all()
    assert {group.state for group in groups} == {GroupState.ACTIVE}
    served = {member.request_id for group in groups for member in group.members}
    states = Counter(db.session.scalars(select(TutoringRequest.state)))
    assert states == {RequestState.SERVED: len(served), RequestState.WAITING: 121 - len(served)}
    per_group = Counter(db.session.scalars(select(Lesson.group_id)))
    assert {per_group[group.id] for group in groups} <= {3, 4}


def cancel_one(shell: FlaskCliRunner) -> int:
    """Cancel the first lesson of next Monday; its id."""
    db.session.rollback()
    first = select(Lesson.id).where(Lesson.starts_at > SATURDAY_NOON + timedelta(days=1, hours=14))
    lesson_id = db.session.scalars(first.order_by(Lesson.starts_at, Lesson.id)).first()
    db.session.rollback()
    run(shell, "lesson", "cancel", str(lesson_id), "--reason", "ill", *BY)
    assert lesson_id is not None
    return lesson_id


def deliver_two_weeks(time: time_machine.Traveller) -> None:
    """Let the worker look whenever a message comes due, for two weeks."""
    horizon = SATURDAY_NOON + timedelta(days=14)
    next_due = select(func.min(Message.next_try_at)).where(Message.state.in_(OPEN_MESSAGES))
    while (moment := db.session.scalar(next_due)) is not None and moment < horizon:
        db.session.rollback()
        time.move_to(moment + timedelta(seconds=5))
        expire_messages()
        deliver_due(threading.Event())


def check_texts(cancelled: int) -> None:
    db.session.rollback()
    sent = db.session.scalars(select(Message).where(Message.state.in_(SENT))).all()
    assert sent
    for message in sent:
        assert message.handed_at is not None
        assert not is_quiet(message.handed_at, "Africa/Casablanca")
        assert message.due_at <= message.handed_at < message.expires_at
        assert all(reminder.lesson_id != cancelled for reminder in message.reminders)
        assert message.text
    horizon = SATURDAY_NOON + timedelta(days=13)
    coming = select(Lesson).where(
        Lesson.state == LessonState.PLANNED,
        Lesson.starts_at > SATURDAY_NOON + timedelta(days=1),
        Lesson.starts_at < horizon,
    )
    reminded = {
        (reminder.lesson_id, reminder.recipient, reminder.kind)
        for message in sent
        for reminder in message.reminders
    }
    for lesson in db.session.scalars(coming):
        households = {m.request.pupil.household_id for m in lesson.group.members}
        for recipient in [
            f"tutor:{lesson.group.tutor_id}",
            *(f"household:{h}" for h in households),
        ]:
            for kind in (MessageKind.LESSON_24H, MessageKind.LESSON_2H):
                assert (lesson.id, recipient, kind) in reminded
    check_words(sent)


def check_words(sent: list[Message]) -> None:
    """Every child of a text is named in it, and no text says a number or an address."""
    for message in sent:
        text = message.text or ""
        assert "http" not in text
        assert "+212" not in text
        if message.household_id is None:
            continue
        household = db.session.get_one(Household, message.household_id)
        for reminder in message.reminders:
            names = {
                member.request.pupil.first_name
                for member in reminder.lesson.group.members
                if member.request.pupil.household_id == household.id
            }
            assert any(name.split("-")[0].split()[0] in text for name in names), text
