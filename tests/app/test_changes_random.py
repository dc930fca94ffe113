"""Whatever tutors, coordinators and families do to lessons, in any order, these things hold."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.extensions import db
from app.models import (
    Group,
    GroupState,
    Lesson,
    LessonAnswer,
    LessonState,
    Reminder,
)
from app.services import (
    absences,
    asked_times,
    change_policy,
    changes,
    group_moves,
    groups,
    lesson_answers,
    weeks,
)
from app.services.clashes import Clash
from app.services.errors import ServiceError
from app.services.examining import Rule
from app.services.lessons import extend_lessons
from app.services.reminders import TIMINGS, Recipient, recipients_of
from app.services.school_calendar import read_calendar, weekly_of
from app.services.searches import search_for
from scheduler import clock, reminders
from tests.support import people
from tests.support.groups import active_group

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAYS = ("mon", "tue", "wed", "thu")
HOURS = tuple(f"{day} 16:00-20:00" for day in DAYS)
FIRST = date(2026, 11, 2)

ACTS = st.tuples(
    st.integers(0, 11), st.integers(0, 40), st.integers(0, 27), st.sampled_from([16, 17, 18, 19])
)


@pytest.fixture
def pristine(app: Flask) -> Iterator[Callable[[], None]]:
    """Two tutors, three families, three groups; called, it brings them back as they were."""
    with time_machine.travel(MONDAY, tick=False), app.app_context():
        people.make_programme()
        own, other = people.make_tutor(windows=HOURS, most=9), people.make_tutor(windows=HOURS)
        two = people.make_household(
            windows=HOURS,
            pupils=[("Hiba Touil", "3AC", ("maths",)), ("Adam Touil", "3AC", ("maths",))],
        )
        homes = [people.make_household(windows=HOURS) for _each in range(2)]
        hiba, adam = (pupil.requests[0].id for pupil in two.pupils)
        rest = [home.pupils[0].requests[0].id for home in homes]
        active_group(own, [hiba], starts=[("mon", "18:00")])
        active_group(own, rest, starts=[("tue", "18:00")])
        active_group(other, [adam], starts=[("wed", "18:00")])
        db.session.remove()
        file = Path(str(db.engine.url.database))
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        kept = file.with_suffix(".pristine")
        shutil.copyfile(file, kept)

        def restore() -> None:
            db.session.remove()
            db.engine.dispose()
            for suffix in ("-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(kept, file)

        yield restore


@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(ACTS, min_size=3, max_size=10))
def test_lessons_and_reminders_agree_after_any_acts(
    pristine: Callable[[], None], acts: list[tuple[int, int, int, int]]
) -> None:
    pristine()
    with time_machine.travel(MONDAY, tick=False) as traveller:
        for act in acts:
            with suppress(ServiceError):
                do(*act, traveller)
            db.session.rollback()
            extend_lessons()
            nobody_is_in_two_lessons()
            each_lesson_has_its_reminders()
            no_slot_is_lost()


def do(act: int, which: int, day: int, hour: int, traveller: time_machine.Traveller) -> None:
    lessons = db.session.scalars(select(Lesson).order_by(Lesson.id)).all()
    lesson = lessons[which % len(lessons)]
    group, giver = lesson.group, lesson.given_by.id
    home = sorted(changes.homes_of(lesson) or {1})[0]
    wall = datetime(2026, 11, 2, hour) + timedelta(days=day)
    monday = FIRST + timedelta(weeks=day % 5)
    starts = [[DAYS[day % 4], f"{hour}:00"]]
    match act:
        case 0:
            changes.move_lesson(lesson.id, wall, change_policy.tutor(giver))
        case 1:
            overruled = [Clash.TOO_FAR, Clash.TUTOR_HOURS, Clash.FAMILY_HOURS]
            changes.move_lesson(lesson.id, wall, change_policy.coordinator(None), overruled)
        case 2:
            changes.cancel_lesson(lesson.id, "ill", tutor_id=giver)
        case 3 if cancelled := [row.id for row in lessons if row.state is LessonState.CANCELLED]:
            changes.restore_lesson(cancelled[which % len(cancelled)], None)
        case 4:
            changes.cancel_lesson(lesson.id, "", household_id=home)
        case 5:
            question = asked_times.ask_for_time(home, lesson.id, wall)
            asked_times.answer_asked_time(question.id, day % 2 == 0)
        case 6:
            weeks.cancel_week(group.id, monday, "holidays", None)
        case 7:
            weeks.family_away(home, monday, change_policy.family(home))
        case 8:
            group_moves.move_group(group.id, starts, list(Rule))
        case 9 if (planned := absences.list_absences(giver)) and day % 2:
            absences.take_absence_back(giver, planned[0].id)
        case 9:
            absences.plan_absence(
                giver, wall.date(), wall.date() + timedelta(days=2), "ill", seek=day % 3 == 0
            )
        case 10 if day == 0:
            groups.end_group(group.id, "over")
        case 10:
            lesson_answers.answer_lesson(home, lesson.id, coming=day % 2 == 0)
        case _:
            traveller.shift(timedelta(hours=7 + hour))


def coming(state: LessonState) -> list[Lesson]:
    return list(
        db.session.scalars(
            select(Lesson).where(Lesson.state == state, Lesson.starts_at > clock.now())
        )
    )


def nobody_is_in_two_lessons() -> None:
    rows = sorted(coming(LessonState.PLANNED), key=lambda row: row.starts_at)
    for number, first in enumerate(rows):
        ends = first.starts_at + timedelta(minutes=first.minutes)
        for second in rows[number + 1 :]:
            if second.starts_at < ends:
                assert first.given_by is not second.given_by
                assert changes.homes_of(first).isdisjoint(changes.homes_of(second))


def each_lesson_has_its_reminders() -> None:
    for lesson in coming(LessonState.PLANNED):
        expected = {
            (one.key, kind.value, lesson.version)
            for one in recipients_of(lesson)
            for kind, timing in TIMINGS.items()
            if reminders.expires_at(timing, lesson.starts_at) > clock.now()
            and not _is_not_owed(lesson, one)
        }
        owed = {one for one in _owed(lesson) if _is_of_use(lesson, one[1])}
        assert owed == expected, lesson.id
    for lesson in coming(LessonState.CANCELLED):
        assert not _owed(lesson)


def _owed(lesson: Lesson) -> list[tuple[str, str, int]]:
    rows = db.session.scalars(
        select(Reminder).where(Reminder.lesson_id == lesson.id, Reminder.cancelled_at.is_(None))
    )
    return [(row.recipient, row.kind.value, row.lesson_version) for row in rows]


def _is_of_use(lesson: Lesson, kind: str) -> bool:
    timing = next(timing for one, timing in TIMINGS.items() if one.value == kind)
    return reminders.expires_at(timing, lesson.starts_at) > clock.now()


def _is_not_owed(lesson: Lesson, one: Recipient) -> bool:
    """To a tutor for whom somebody is sought, or a family that said that it can't come."""
    if one.table == "tutor":
        return search_for(lesson) is not None
    answer = db.session.get(LessonAnswer, (lesson.id, one.id))
    return answer is not None and not answer.coming


def no_slot_is_lost() -> None:
    """Each weekly slot that may be held has its one lesson, wherever that is by now."""
    calendar = read_calendar()
    now = clock.to_wall(clock.now(), "Africa/Casablanca")
    for group in db.session.scalars(select(Group).where(Group.state == GroupState.ACTIVE)):
        slots = calendar.slots(weekly_of(group), now + timedelta(hours=3), now + timedelta(weeks=4))
        away = [(one.first_day, one.last_day) for one in group.tutor.absences]
        known = set(
            db.session.scalars(select(Lesson.slot_start).where(Lesson.group_id == group.id))
        )
        for wall in slots.values():
            if not any(first <= wall.date() <= last for first, last in away):
                assert wall in known
        planned = [
            lesson.slot_start
            for lesson in coming(LessonState.PLANNED)
            if lesson.group_id == group.id and lesson.slot_start > now
        ]
        assert set(planned) <= set(
            calendar.slots(weekly_of(group), now, now + timedelta(weeks=9)).values()
        )
