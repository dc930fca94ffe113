"""Reminders around the instants at which clocks change: when each leaves, worked out by hand.

The instants below are what the decisions of the European Union and of Morocco come to, written
down in UTC; nothing of the program computes them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from app import create_app
from app.extensions import db
from app.services.delivery import deliver_due
from app.services.lessons import keep_lessons
from tests.support import people
from tests.support.databases import make_config
from tests.support.faults_figures import FULL, figures
from tests.support.mail import Mailbox, running_mail_server
from tests.support.outbox import make_weekly_group

PARIS, CASABLANCA = "Europe/Paris", "Africa/Casablanca"


@dataclass(frozen=True)
class Edge:
    """A lesson beside a change, and the instants of it and of its two reminders, in UTC."""

    name: str
    zone: str
    weekly: tuple[str, str]
    starts: str
    day_before: str
    hours_before: str


EDGES = (
    Edge("Paris, the day before summer time", PARIS, ("sat", "18:00"),
         "2027-03-27 17:00", "2027-03-26 17:00", "2027-03-27 15:00"),
    Edge("Paris, the day of summer time", PARIS, ("sun", "18:00"),
         "2027-03-28 16:00", "2027-03-27 16:00", "2027-03-28 14:00"),
    Edge("Paris, the morning after, at eight for the night", PARIS, ("mon", "09:00"),
         "2027-03-29 07:00", "2027-03-28 07:00", "2027-03-29 06:00"),
    Edge("Paris, the day before winter time", PARIS, ("sat", "20:00"),
         "2026-10-24 18:00", "2026-10-23 18:00", "2026-10-24 16:00"),
    Edge("Paris, the day of winter time", PARIS, ("sun", "10:00"),
         "2026-10-25 09:00", "2026-10-24 09:00", "2026-10-25 07:00"),
    Edge("Casablanca, the day before Ramadan's time", CASABLANCA, ("sat", "18:00"),
         "2026-02-14 17:00", "2026-02-13 17:00", "2026-02-14 15:00"),
    Edge("Casablanca, the day of Ramadan's time", CASABLANCA, ("sun", "18:00"),
         "2026-02-15 18:00", "2026-02-14 18:00", "2026-02-15 16:00"),
    Edge("Casablanca, the last day of Ramadan's time", CASABLANCA, ("sat", "18:00"),
         "2026-03-21 18:00", "2026-03-20 18:00", "2026-03-21 16:00"),
    Edge("Casablanca, the day after Ramadan's time", CASABLANCA, ("sun", "18:00"),
         "2026-03-22 17:00", "2026-03-21 17:00", "2026-03-22 15:00"),
    Edge("Casablanca, the last day at +1", CASABLANCA, ("sat", "18:00"),
         "2026-09-19 17:00", "2026-09-18 17:00", "2026-09-19 15:00"),
    Edge("Casablanca, the first day at +0 for good", CASABLANCA, ("sun", "18:00"),
         "2026-09-20 18:00", "2026-09-19 18:00", "2026-09-20 16:00"),
    Edge("Casablanca, New Year's Day", CASABLANCA, ("fri", "10:00"),
         "2027-01-01 10:00", "2026-12-31 10:00", "2027-01-01 08:00"),
    Edge("Casablanca, a month's end, at eight for the night", CASABLANCA, ("mon", "09:00"),
         "2027-03-01 09:00", "2027-02-28 09:00", "2027-03-01 08:00"),
    Edge("Casablanca, a leap day", CASABLANCA, ("tue", "18:00"),
         "2028-02-29 18:00", "2028-02-28 18:00", "2028-02-29 16:00"),
)  # fmt: skip
QUICK = ("Paris, the day of summer time", "Casablanca, the first day at +0 for good")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mail_server() as mailbox:
        yield mailbox


@pytest.mark.parametrize(
    "edges",
    [
        pytest.param([edge for edge in EDGES if edge.name in QUICK], id="few"),
        pytest.param(list(EDGES), id="many", marks=FULL),
    ],
)
def test_reminders_leave_at_their_instants_around_changes_of_clocks(
    database_url: str, mailbox: Mailbox, edges: list[Edge]
) -> None:
    database = database_url.partition(":")[0]
    row = f"{len(edges)} edges of clocks, {database}"
    with figures(row, "looked at each half hour, and at each instant") as found:
        wrong = {}
        for edge in edges:
            left = _when_reminders_leave(database_url, mailbox, edge)
            expected = [_at(edge.day_before), _at(edge.hours_before)]
            if left != expected:
                wrong[edge.name] = left
        found["reminders"] = 2 * len(edges)
        found["early, doubled or off"] = len(wrong)
        assert wrong == {}


def _when_reminders_leave(url: str, mailbox: Mailbox, edge: Edge) -> list[datetime]:
    """When the family of a weekly group got its mails, up to the start of the lesson."""
    starts = _at(edge.starts)
    begin = (starts - timedelta(days=3)).replace(hour=12, minute=0)
    instants = {begin + timedelta(minutes=30) * step for step in range(200)}
    for due in (_at(edge.day_before), _at(edge.hours_before)):
        instants |= {due - timedelta(seconds=30), due}
    app = create_app(make_config(url, **mailbox.settings, N9RAW_CIVIL_ZONE=edge.zone))
    found: list[datetime] = []
    with time_machine.travel(begin, tick=False) as clocks, app.app_context():
        people.make_programme()
        _group, address = make_weekly_group(*edge.weekly)
        keep_lessons()
        for instant in sorted(at for at in instants if at <= starts):
            clocks.move_to(instant, tick=False)
            before = len(mailbox.recipients)
            deliver_due(threading.Event())
            found += [instant] * mailbox.recipients[before:].count(address)
        db.session.remove()
        db.engine.dispose()
    return found


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
