"""The machine's clock jumps, or it gets other time zone data, while workers deliver."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from app import create_app
from app.extensions import db
from app.services.lessons import keep_lessons
from scheduler import clock
from tests.faults.conftest import CrowdedUrl
from tests.support import people
from tests.support.databases import make_config
from tests.support.faults_clocks import WrongClock, nursery_with_wrong_clock, tz_data_with
from tests.support.faults_figures import FULL, figures
from tests.support.faults_ledger import Ledger
from tests.support.faults_plant import Plant, running_plant, sends_in, waits_for
from tests.support.mail import Mailbox, running_mail_server
from tests.support.outbox import make_weekly_group
from tests.support.workers import wait_for

# In full size alone: they wait for seconds that a busy machine doesn't keep.
pytestmark = FULL

HOUR, DAYS = timedelta(hours=1), timedelta(days=3)
JUMPS = (timedelta(0), -HOUR, timedelta(0), HOUR, timedelta(0))
"""Then three days ahead, where all that is left comes due."""
WARM_UP_SECONDS = 6.0
"""What a worker does first, on a new database, shall not be in the way."""
A_MAIL_SECONDS, ALL_MAILS_SECONDS = 6.0, 40.0


def test_jumps_of_the_clock_send_nothing_early_twice_or_stale(
    crowded: CrowdedUrl, tmp_path: Path
) -> None:
    """The last step is so long that what stands still after the clock is set back shows as late."""
    messages, steps = 1000, (8, 8, 8, 8, 30)
    url = crowded(messages)
    row = f"clock by -1 h, +1 h, +3 days, {messages} messages, {url.partition(':')[0]}"
    waits = waits_for(messages)
    with (
        nursery_with_wrong_clock(tmp_path) as (nursery, wrong_clock),
        running_plant(url, nursery, waits) as plant,
        figures(row, waits.in_words, f"each clock for {steps} s") as found,
    ):
        due, expires = _spread(plant, sum(steps))
        plant.start_workers(2)
        time.sleep(WARM_UP_SECONDS)
        for offset, seconds in zip(JUMPS, steps, strict=True):
            wrong_clock.set(offset)
            time.sleep(seconds)
        wrong_clock.set(DAYS)
        never = {number for number, at in due.items() if at > clock.now() + DAYS + HOUR}
        wait_for(lambda: plant.ledger.unsettled() <= len(never), "messages stay open", seconds=90)
        plant.nursery.end_all()
        found |= _judge(plant, wrong_clock, due, expires, soon=steps[-1] - 2)
        assert found["early"] == found["stale"] == found["twice"] == 0
        assert found["late"] == 0
        assert found["sent"] + found["left as expired"] == messages - len(never)


def _spread(plant: Plant, seconds: float) -> tuple[dict[int, datetime], dict[int, datetime]]:
    """Messages for each of the jumps: when each is due, and when it is of no use any more.

    Half come due one after the other during the jumps, and the others: in less than an hour; in two
    days, of no use in three; in just under three days; in a week.
    """
    now = clock.now() + timedelta(seconds=WARM_UP_SECONDS)
    ids = [row[0] for row in plant.ledger.rows("SELECT id FROM message ORDER BY id")]
    due, expires = {}, {}
    for place, number in enumerate(ids):
        kind = place % 8
        due[number] = now + timedelta(seconds=seconds * place / len(ids))
        expires[number] = now + timedelta(days=20)
        if kind == 4:
            due[number] = now + timedelta(minutes=30)
        elif kind == 5:
            due[number], expires[number] = now + 2 * DAYS / 3, now + 2 * DAYS / 3 + 10 * HOUR
        elif kind == 6:
            due[number] = now + DAYS - HOUR
        elif kind == 7:
            due[number] = now + timedelta(days=7)
    written = plant.ledger.written
    times = [(written(due[n]), written(expires[n]), n) for n in ids]
    plant.ledger.change_many(
        "UPDATE message SET next_try_at = ?, expires_at = ? WHERE id = ?", times
    )
    plant.ledger.change_many(
        "UPDATE reminder SET due_at = ?, expires_at = ? WHERE message_id = ?", times
    )
    plant.ledger.change("UPDATE message SET due_at = next_try_at")
    return due, expires


def _judge(
    plant: Plant,
    wrong_clock: WrongClock,
    due: dict[int, datetime],
    expires: dict[int, datetime],
    soon: float,
) -> dict[str, int]:
    """Hold what left against what the workers' clock showed then."""
    sends = sends_in(plant.sending)
    early = stale = late = 0
    for number, call in sends:
        shown = wrong_clock.shown(call.began, within=1.5)
        early += all(at < due[number] for at in shown)
        stale += all(at >= expires[number] for at in shown)
        late += call.began > wrong_clock.first_at(due[number]) + soon
    return {
        "sent": len(sends),
        "early": early,
        "stale": stale,
        "late": late,
        "twice": len(sends) - len({number for number, _call in sends}),
        "left as expired": plant.ledger.states().get("expired", 0),
    }


def test_other_time_zone_data_moves_lessons_and_reminders_by_their_hour(
    database_url: str, tmp_path: Path
) -> None:
    groups = 100
    ledger = Ledger(database_url)
    changes_on = (clock.now() + timedelta(days=10)).replace(hour=2, minute=0, second=0)
    rules = f"0:00 - +00 {changes_on:%Y %b %d} 2:00\n 1:00 - +01"
    other = tz_data_with(tmp_path, "Africa/Casablanca", rules, "2099z")
    row = f"tz data swapped mid-term, {groups} groups, {ledger.url.get_backend_name()}"
    with running_mail_server() as mailbox, figures(row, "an hour from the tenth day on") as found:
        addresses = _weekly_groups(database_url, groups)
        starts = _starts(ledger)
        moving = {number for number, at in starts.items() if at > changes_on}
        with nursery_with_wrong_clock(tmp_path, other) as (nursery, wrong_clock):
            nursery.start(database_url, mailbox.settings)
            wait_for(
                lambda: not _of_old_data(ledger), "lessons keep their old instants", seconds=60
            )
            now = _starts(ledger)
            off = [
                number
                for number, at in starts.items()
                if now[number] != at - (HOUR if number in moving else timedelta(0))
            ]
            lesson = min(at - HOUR for at in (starts[number] for number in moving))
            due = lesson - timedelta(hours=24)
            wrong_clock.set(due - timedelta(minutes=1) - clock.now())
            time.sleep(A_MAIL_SECONDS)
            before = _mails(mailbox, addresses)
            wrong_clock.set(due + timedelta(seconds=5) - clock.now())
            with suppress(AssertionError):
                wait_for(
                    lambda: _mails(mailbox, addresses) - before >= groups,
                    "some reminders stay behind",
                    seconds=ALL_MAILS_SECONDS,
                )
            after = _mails(mailbox, addresses) - before
        found["lessons"] = len(starts)
        found["of which moved"] = len(moving)
        found["an hour off"] = len(off)
        found["reminders a minute before their time"] = before
        found["at it"] = after
        assert off == []
        assert 0 < len(moving) < len(starts)
        assert before == 0
        assert after == groups
        assert ledger.rows(_TWICE) == []


_TWICE = (
    "SELECT recipient, kind, lesson_id FROM reminder WHERE cancelled_at IS NULL"
    " GROUP BY recipient, kind, lesson_id HAVING count(*) > 1"
)
"""Reminders that are owed twice."""


def _weekly_groups(database_url: str, groups: int) -> set[str]:
    """Groups that meet each Wednesday at 18:00, with four weeks of lessons; families' addresses."""
    app = create_app(make_config(database_url))
    with app.app_context():
        people.make_programme()
        addresses = {make_weekly_group("wed", "18:00")[1] for _ in range(groups)}
        keep_lessons()
        db.session.remove()
        db.engine.dispose()
    return addresses


def _starts(ledger: Ledger) -> dict[int, datetime]:
    rows = ledger.rows("SELECT id, starts_at FROM lesson WHERE state = 'planned'")
    return {number: ledger.read(at) for number, at in rows}


def _of_old_data(ledger: Ledger) -> bool:
    return bool(ledger.rows("SELECT id FROM lesson WHERE tz_version != '2099z' LIMIT 1"))


def _mails(mailbox: Mailbox, addresses: set[str]) -> int:
    """How many mails the families got."""
    return sum(1 for address in mailbox.recipients if address in addresses)
