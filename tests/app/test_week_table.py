"""The week as a timetable, and its page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Group, Household, Lesson, LessonState, Zone
from app.services import groups, week_table
from app.services.scope import EVERYWHERE, Scope
from app.services.week_table import WeekTable, read_week
from scheduler import clock
from tests.support.groups import active_group
from tests.support.pages import counted_statements, in_english, views, words
from tests.support.people import (
    make_coordinator,
    make_household,
    make_programme,
    make_tutor,
    sign_in,
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
"""Of the week after that Saturday."""


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def family(name: str = "Hiba Touil", zone: str = "Aïn Kaïcher") -> Household:
    return make_household(pupils=[(name, "3AC", ("maths",))], zone=zone)


def taught(
    *families: Household, day: str = "mon", at: str = "18:00", name: str = "Rania Mounir"
) -> Group:
    """A group of these families that its volunteer has accepted."""
    requests = [household.pupils[0].requests[0].id for household in families]
    return active_group(make_tutor(name=name), requests, starts=[(day, at)])


def zone_id(name: str) -> int:
    return db.session.scalars(select(Zone.id).where(Zone.name == name)).one()


def shown(table: WeekTable) -> list[tuple[date, str, list[str]]]:
    """(day, time, first names) of each lesson that is shown."""
    return [
        (
            day.day,
            entry.lesson.wall_start.strftime("%H:%M"),
            [pupil.first_name for pupil in entry.pupils],
        )
        for day in table.days
        for entry in day.lessons
    ]


def test_week_holds_the_lessons_of_seven_days_from_monday(app: Flask) -> None:
    with app.app_context():
        make_programme()
        taught(family("Hiba Touil"), family("Wiam Tazi"))
        taught(family("Badr Ziani"), day="sun", at="10:00")
        taught(family("Aya Salhi"), day="mon", at="09:00")
        for wanted in (MONDAY, MONDAY + timedelta(days=6)):
            table = read_week(wanted, EVERYWHERE)
            assert (table.first_day, table.last_day) == (MONDAY, date(2026, 11, 29))
            assert shown(table) == [
                (MONDAY, "09:00", ["Aya"]),
                (MONDAY, "18:00", ["Hiba", "Wiam"]),
                (date(2026, 11, 29), "10:00", ["Badr"]),
            ]
        assert (table.previous, table.next) == (date(2026, 11, 16), date(2026, 11, 30))
        assert read_week(table.previous, EVERYWHERE).total == 1  # this Sunday's, tomorrow
        assert table.shown is None


def test_week_is_kept_to_the_zones_and_to_one_of_them(app: Flask) -> None:
    with app.app_context():
        make_programme()
        taught(family("Hiba Touil"), family("Wiam Tazi", "Boujniba"))
        taught(family("Badr Ziani", "Gfaf"), day="tue")
        own = Scope(frozenset({zone_id("Boujniba")}))
        assert read_week(MONDAY, own).total == 1
        assert read_week(MONDAY, EVERYWHERE, zone_id=zone_id("Gfaf")).total == 1
        assert read_week(MONDAY, own, zone_id=zone_id("Gfaf")).total == 0
        assert read_week(MONDAY, EVERYWHERE).total == 2


def test_lesson_names_who_sat_in_it_then(app: Flask, time: time_machine.Traveller) -> None:
    with app.app_context():
        make_programme()
        group = taught(family("Hiba Touil"))
        time.shift(timedelta(days=7))
        groups.end_group(group.id, "moved away")
        assert shown(read_week(MONDAY, EVERYWHERE)) == [(MONDAY, "18:00", ["Hiba"])]
        assert shown(read_week(MONDAY + timedelta(days=7), EVERYWHERE)) == [
            (MONDAY + timedelta(days=7), "18:00", [])
        ]


def test_full_week_is_shown_day_by_day_and_in_pages(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(week_table, "MOST_IN_A_WEEK", 3)
    monkeypatch.setattr(week_table, "PER_PAGE", 2)
    tuesday = MONDAY + timedelta(days=1)
    with app.app_context():
        make_programme()
        for hour in ("16:00", "17:00", "18:00"):
            taught(family(), day="tue", at=hour)
        table = read_week(MONDAY, EVERYWHERE)
        assert (table.shown, len(shown(table))) == (None, 3)
        taught(family(), day="wed")
        table = read_week(MONDAY, EVERYWHERE)
        assert (table.shown, table.page.pages) == (tuesday, 2)
        assert [day.total for day in table.days] == [0, 3, 1, 0, 0, 0, 0]
        assert [time for _day, time, _names in shown(table)] == ["16:00", "17:00"]
        table = read_week(MONDAY, EVERYWHERE, day=tuesday, page_number=2)
        assert [time for _day, time, _names in shown(table)] == ["18:00"]
        table = read_week(MONDAY, EVERYWHERE, day=tuesday + timedelta(days=1))
        assert [time for _day, time, _names in shown(table)] == ["18:00"]
        assert read_week(NOON.date(), EVERYWHERE, day=MONDAY).shown is None


@on_sqlite
def test_page_shows_the_week_with_states_in_words(app: Flask) -> None:
    client = in_english(app)
    assert "There are no lessons in this week." in words(client.get("/coordinator/week").text)
    with app.app_context():
        household = family("Hiba Touil")
        group_id = taught(household).id
        pupil_id = household.pupils[0].id
        with transaction():
            lesson = db.session.scalars(select(Lesson).order_by(Lesson.starts_at)).first()
            assert lesson is not None
            lesson.state = LessonState.NOT_HELD
    html = client.get("/coordinator/week?from=2026-11-25").text
    page = words(html)
    assert "Week from 23 November 2026 to 29 November 2026" in page
    assert (
        "Monday 23 November 18:00 Mathematics 3AC Rania Mounir Hiba Touil WhatsApp not held" in page
    )
    assert "Tuesday 24 November No lesson" in page
    assert f'href="/coordinator/groups/{group_id}"' in html
    assert 'href="/coordinator/week?from=2026-11-16"' in html
    assert 'href="/coordinator/week?from=2026-11-30"' in html
    assert views(app) == [("/coordinator/week", []), ("/coordinator/week", [pupil_id])]


@on_sqlite
@pytest.mark.parametrize(
    "query", ["from=never", "from=2026-13-01", "day=x", "from=1026-11-25", "zone=0"]
)
def test_address_that_names_no_week_shows_this_one(app: Flask, query: str) -> None:
    page = words(in_english(app).get(f"/coordinator/week?{query}").text)
    assert "Week from 16 November 2026 to 22 November 2026" in page


@on_sqlite
def test_zone_coordinator_reads_no_name_of_another_zone(app: Flask) -> None:
    with app.app_context():
        make_programme()
        own = family("Hiba Touil")
        taught(own, family("Wiam Tazi", "Boujniba"))
        own_id = own.pupils[0].id
        make_coordinator("zone@example.org", zone_ids=[own.zone_id])
    client = app.test_client()
    sign_in(client, "zone@example.org")
    client.post("/language", data={"locale": "en"})
    page = words(client.get(f"/coordinator/week?from={MONDAY}").text)
    assert "Hiba Touil , pupil of another zone" in page
    assert "Wiam" not in page
    assert "Boujniba" not in page
    assert views(app) == [("/coordinator/week", [own_id])]


@on_sqlite
def test_thousand_lessons_take_as_many_queries_as_one(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        group_id = taught(family()).id
    address = f"/coordinator/week?from={MONDAY}"
    asked = []
    for more in (0, 1000):
        with app.app_context(), transaction():
            model = db.session.scalars(select(Lesson).where(Lesson.group_id == group_id)).first()
            assert model is not None
            for number in range(more):
                wall = datetime(2026, 11, 23, 8) + timedelta(minutes=number * 8 + 1)
                db.session.add(
                    Lesson(
                        group_id=group_id,
                        wall_start=wall,
                        starts_at=clock.to_utc(wall, model.zone),
                        zone=model.zone,
                        tz_version=model.tz_version,
                        minutes=60,
                        state=LessonState.PLANNED,
                    )
                )
        with counted_statements(app) as statements:
            page = client.get(address).text
        asked.append(len(statements))
    assert asked[0] == asked[1]
    assert "shown day by day" in page
    assert len(page) < 100_000
