"""Lessons roll on whatever the calendar does, whoever makes them, whatever tz data say."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
import tzdata
from flask import Flask
from sqlalchemy import delete, select

from app.database import transaction
from app.extensions import db
from app.models import (
    DayOff,
    ExamEffect,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    PeriodKind,
    Reminder,
    Tutor,
)
from app.services import changes, days_off, lessons, period_starts, periods, term_changes
from app.services.calendar_changes import Effects
from app.services.days_off import NewDayOff
from app.services.periods import NewPeriod
from app.services.school_calendar import read_calendar
from app.services.term_changes import NewTerm
from app.services.terms import list_terms
from config import ROOT
from scheduler import clock
from tests.support import people
from tests.support.databases import SECRET_KEY
from tests.support.groups import active_group

NOW = datetime(2027, 1, 27, 12, tzinfo=UTC)
LONG = ("mon 14:00-22:00", "tue 14:00-22:00", "fri 14:00-22:00")


@pytest.fixture
def programme(app: Flask) -> Iterator[Flask]:
    """Wednesday 2027-01-27, noon, with groups at several hours."""
    with time_machine.travel(NOW, tick=False), app.app_context():
        people.make_programme()
        tutor = people.make_tutor(windows=LONG, most=9)
        for start in (("mon", "18:00"), ("tue", "15:00"), ("fri", "19:00")):
            household = people.make_household(windows=LONG)
            active_group(tutor, [household.pupils[0].requests[0].id], starts=[start])
        yield app


def planned() -> set[tuple[int, datetime]]:
    rows = select(Lesson.group_id, Lesson.wall_start).where(Lesson.state == LessonState.PLANNED)
    return {(group_id, wall) for group_id, wall in db.session.execute(rows)}


def assert_held_where_it_may_be() -> None:
    assert lessons.extend_lessons() == 0
    calendar = read_calendar()
    for row in db.session.scalars(select(Lesson).where(Lesson.state == LessonState.PLANNED)):
        assert calendar.ban(row.wall_start, row.minutes, row.group.level_id) is None
    for_cancelled = (
        select(Reminder.id)
        .join(Reminder.lesson)
        .where(Reminder.cancelled_at.is_(None), Lesson.state == LessonState.CANCELLED)
    )
    assert db.session.scalars(for_cancelled).all() == []


class Drawn:
    """Changes of the calendar drawn by chance, each with how it is taken back."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def stretch(self, longest: int) -> tuple[date, date]:
        first = date(2027, 1, 20) + timedelta(days=self.chance.randrange(50))
        return first, first + timedelta(days=self.chance.randrange(longest))

    def change(self, kind: str) -> Callable[[], object]:
        """Make a change; what undoes it."""
        return {"off": self.day_off, "term": self.term, "exams": self.exams}.get(
            kind, self.ramadan
        )()

    def day_off(self) -> Callable[[], object]:
        days = self.stretch(10)
        new = NewDayOff(f"Off {self.chance.random()}", "", "", *days)
        days_off.add_day_off(new, None, agreed=days_off.preview_day_off(days).touched)
        row = db.session.scalars(select(DayOff.id).order_by(DayOff.id.desc())).first()
        assert row is not None
        return lambda: days_off.dismiss_day_off(
            row, None, agreed=days_off.preview_lessons_held(row).touched
        )

    def term(self) -> Callable[[], object]:
        new = NewTerm("Term", date(2027, 1, 1), self.stretch(30)[1])
        term_changes.store_term(new, None, agreed=term_changes.preview_terms(new).touched)
        (row,) = list_terms()
        return lambda: term_changes.remove_term(
            row.id, None, agreed=term_changes.preview_terms(None, row.id).touched
        )

    def exams(self) -> Callable[[], object]:
        effect = self.chance.choice(list(ExamEffect))
        return self.period(NewPeriod(PeriodKind.EXAMS, "E", *self.stretch(14), effect=effect))

    def ramadan(self) -> Callable[[], object]:
        hours = (17 * 60, 20 * 60)
        return self.period(NewPeriod(PeriodKind.RAMADAN, "R", *self.stretch(29), blackout=hours))

    def period(self, new: NewPeriod) -> Callable[[], object]:
        seen: Effects = periods.preview_period(new)
        number = periods.store_period(new, None, agreed=seen.touched)[0].id
        if period_starts.wants_times(periods.get_period(number)):
            period_starts.propose_starts(number, None)
            seen = period_starts.preview_publication(number)
            period_starts.publish_starts(number, None, agreed=seen.touched)
        return lambda: periods.remove_period(
            number, None, agreed=periods.preview_removal(number).touched
        )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_calendar_that_is_taken_back_gives_back_all_that_people_had_not_cancelled(
    programme: Flask, seed: int
) -> None:
    drawn = Drawn(seed)
    chosen = sorted(planned())[drawn.chance.randrange(10)]
    by_hand = select(Lesson.id).where(Lesson.group_id == chosen[0], Lesson.wall_start == chosen[1])
    changes.cancel_lesson(db.session.scalars(by_hand).one(), "ill")
    before = planned()
    undo = []
    for kind in drawn.chance.sample(["off", "off", "term", "exams", "ramadan"], k=4):
        undo.append(drawn.change(kind))
        assert_held_where_it_may_be()
    drawn.chance.shuffle(undo)
    for take_back in undo:
        take_back()
        assert_held_where_it_may_be()
    assert planned() == before


def test_workers_that_make_lessons_at_once_make_each_once(programme: Flask) -> None:
    with transaction():
        db.session.execute(delete(Reminder))
        db.session.execute(delete(Lesson))
    made: list[int] = []

    def work() -> None:
        with programme.app_context():
            made.append(lessons.extend_lessons())

    workers = [threading.Thread(target=work) for _number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(made) == len(planned()) == 12


# --- tz data that change while the term runs


def two_offsets(at: datetime) -> bytes:
    """A TZif file of a zone that is at UTC until an instant, and an hour ahead from then on."""
    names = b"+00\0+01\0"
    types = struct.pack(">lBB", 0, 0, 0) + struct.pack(">lBB", 3600, 0, 4)
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 1, 2, len(names))
    second = int(at.timestamp())
    return (
        b"".join(
            header + struct.pack(">" + size, second) + b"\1" + types + names for size in ("l", "q")
        )
        + b"\n<+01>-1\n"
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tz_data_swapped_in_a_term_keep_the_families_clock_and_tell_the_volunteer_abroad(
    app: Flask, tmp_path: Path
) -> None:
    with app.app_context():
        people.make_programme()
        abroad, here = people.make_tutor(), people.make_tutor(name="Omar Ziani")
        with transaction():
            db.session.get_one(Tutor, abroad).time_zone = "Europe/Paris"
        for tutor in (abroad, here):
            active_group(tutor, [people.make_household().pupils[0].requests[0].id])
        before = {
            row.id: (row.wall_start, row.starts_at) for row in db.session.scalars(select(Lesson))
        }
        switch = clock.now() + timedelta(days=14)
        address = str(db.engine.url.render_as_string(hide_password=False))
    package = tmp_path / "tzdata"
    shutil.copytree(Path(tzdata.__file__).parent, package)
    (package / "zoneinfo" / "Africa" / "Casablanca").write_bytes(two_offsets(switch))
    (package / "__init__.py").write_text("IANA_VERSION = '2029z'\n")
    follow = (
        "from app import create_app; from app.services.lessons import follow_tz_data\n"
        "app = create_app()\n"
        "with app.app_context(): print(follow_tz_data(), follow_tz_data())"
    )
    environment = {
        "PYTHONPATH": str(tmp_path),
        "N9RAW_DATABASE_URL": address,
        "N9RAW_SECRET_KEY": SECRET_KEY,
    }
    ran = subprocess.run(
        [sys.executable, "-c", follow],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    moved = [number for number, (_wall, at) in before.items() if at > switch]
    assert ran.stdout.split() == [str(len(moved)), "0"], ran.stderr
    with app.app_context():
        for row in db.session.scalars(select(Lesson)):
            wall, at = before[row.id]
            hour = timedelta(hours=1 if row.id in moved else 0)
            assert (row.wall_start, row.starts_at) == (wall, at - hour)
            assert row.tz_version == "2029z"
        told = db.session.scalars(select(Message).where(Message.kind == MessageKind.CHANGE)).all()
        assert [message.tutor_id for message in told] == [abroad]
