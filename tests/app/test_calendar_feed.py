"""A volunteer's calendar: its secret address, what it says, and that its times are right."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar, Component, Timezone
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import AuditEntry, Group, Lesson, LessonState, Pupil, Tutor, TutorState
from app.security import HideSecretLinks
from app.services import calendar_feed, departures
from app.services.changes import cancel_lesson
from app.services.errors import NotFound
from tests.support import people
from tests.support.groups import active_group
from tests.support.hostile import HOSTILE_NAMES

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(MONDAY, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def tutor(app: Flask) -> int:
    with app.app_context():
        people.make_programme()
        return people.make_tutor()


def teach(tutor: int, *names: str) -> Group:
    """A group on Mondays at 18:00 of children with these names."""
    requests = [
        people.make_household(pupils=[(name, "3AC", ("maths",))]).pupils[0].requests[0].id
        for name in names or ("Hiba Touil",)
    ]
    return active_group(tutor, requests)


def read(tutor: int) -> Component:
    return Calendar.from_ical(calendar_feed.write_feed(db.session.get_one(Tutor, tutor)))


def instants(feed: Component) -> list[tuple[datetime, datetime]]:
    """Starts and ends, by the time zone that the feed itself describes and by nothing else."""
    zones = {str(zone["TZID"]): zone.to_tz() for zone in feed.walk("VTIMEZONE")}
    assert all(isinstance(zone, Timezone) for zone in feed.walk("VTIMEZONE"))
    found = []
    for event in feed.walk("VEVENT"):
        times = []
        for name in ("DTSTART", "DTEND"):
            zone = zones[event[name].params["TZID"]]
            wall = datetime.fromisoformat(event[name].to_ical().decode())
            times.append(wall.replace(tzinfo=zone).astimezone(UTC))
        found.append((times[0], times[1]))
    return found


def test_feed_holds_the_lessons_with_subject_and_first_names(app: Flask, tutor: int) -> None:
    with app.app_context():
        teach(tutor, "Hiba Touil", "Sara Rami")
        lessons = db.session.scalars(select(Lesson).order_by(Lesson.starts_at)).all()
        cancel_lesson(lessons[1].id, "ill", tutor_id=tutor)
        feed = read(tutor)
        events = feed.walk("VEVENT")
        assert [str(event["UID"]) for event in events] == [
            f"lesson-{lesson.id}@n9raw" for lesson in lessons
        ]
        assert {str(event["SUMMARY"]) for event in events} == {"Mathématiques – Hiba, Sara"}
        assert [(event["SEQUENCE"], str(event["STATUS"])) for event in events] == [
            (0, "CONFIRMED"),
            (1, "CANCELLED"),
            (0, "CONFIRMED"),
            (0, "CONFIRMED"),
        ]
        assert events[0]["DTSTART"].params["TZID"] == "Africa/Casablanca"
        assert events[0]["DTSTART"].to_ical() == b"20261102T180000"
        assert events[0]["DTEND"].to_ical() == b"20261102T190000"
        written = calendar_feed.write_feed(db.session.get_one(Tutor, tutor)).decode()
        for hidden in ("Touil", "Rami", "Mounir", "Walid", "+212"):
            assert hidden not in written
        assert feed.errors == []


def test_feed_of_an_arab_reader_is_in_arabic_and_survives_hostile_names(
    app: Flask, tutor: int
) -> None:
    with app.app_context():
        teach(tutor, "A;b,c\\n\nEND:VCALENDAR Touil", "هبة الطويل")
        with transaction():
            db.session.get_one(Tutor, tutor).message_language = "ar"
        event = read(tutor).walk("VEVENT")[0]
        assert str(event["SUMMARY"]).startswith("الرياضيات – ")
        assert str(event["SUMMARY"]).endswith("، هبة")
        assert len(read(tutor).walk("VEVENT")) == 4


@on_sqlite
def test_no_name_breaks_the_calendar(app: Flask, tutor: int) -> None:
    with app.app_context():
        teach(tutor)
        pupil = db.session.scalars(select(Pupil)).one()
        names = [name[:80] for name in HOSTILE_NAMES if is_storable(name)]
        assert len(names) > 150
        row = db.session.get_one(Tutor, tutor)
        for name in names:
            with db.session.no_autoflush:
                pupil.first_name = name
                written = calendar_feed.write_feed(row)
            assert max(map(len, written.split(b"\r\n"))) <= 75, name
            assert written.count(b"\nBEGIN:VEVENT") == 4, name
            event = Calendar.from_ical(written).walk("VEVENT")[0]
            shown = " ".join(str(event["SUMMARY"]).split())
            expected = f"Mathématiques – {calendar_feed.on_one_line(name)}"
            assert shown == " ".join(expected.split()), name
        db.session.rollback()


def is_storable(name: str) -> bool:
    """Whether a database keeps such a name; forms refuse the others."""
    return (
        name != "" and "\0" not in name and not any("\ud800" <= sign <= "\udfff" for sign in name)
    )


def test_times_in_morocco_are_right_on_both_sides_of_the_change_of_2026(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    clock.move_to(datetime(2026, 9, 7, 9, tzinfo=UTC))
    with app.app_context():
        teach(tutor)
        feed = read(tutor)
        # 18:00 is 17:00 UTC until the clocks are put back for good on Sunday 20 September.
        assert [start for start, _end in instants(feed)] == [
            datetime(2026, 9, 7, 17, tzinfo=UTC),
            datetime(2026, 9, 14, 17, tzinfo=UTC),
            datetime(2026, 9, 21, 18, tzinfo=UTC),
            datetime(2026, 9, 28, 18, tzinfo=UTC),
        ]
        zone = feed.walk("VTIMEZONE")[0]
        assert [
            (
                part["DTSTART"].to_ical().decode(),
                part["TZOFFSETFROM"].to_ical(),
                part["TZOFFSETTO"].to_ical(),
            )
            for part in zone.walk("STANDARD")
        ] == [("20260906T180000", "+0100", "+0100"), ("20260920T020000", "+0100", "+0000")]


def test_times_in_morocco_are_right_around_a_past_ramadan(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    clock.move_to(datetime(2026, 2, 9, 9, tzinfo=UTC))
    with app.app_context():
        teach(tutor)
        stored = [row.starts_at for row in db.session.scalars(select(Lesson).order_by(Lesson.id))]
        assert stored[0] == datetime(2026, 2, 9, 17, tzinfo=UTC)
        assert stored[1] == datetime(2026, 2, 16, 18, tzinfo=UTC)
        assert [start for start, _end in instants(read(tutor))] == stored


@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Europe/Paris", "America/New_York"])
def test_instants_are_those_of_the_lessons_whatever_the_families_zone(
    app: Flask, tutor: int, clock: time_machine.Coordinates, zone: str
) -> None:
    with app.app_context():
        teach(tutor)
        clock.move_to(datetime(2027, 3, 10, 9, tzinfo=UTC))
        with transaction():
            for number, lesson in enumerate(db.session.scalars(select(Lesson))):
                lesson.zone = zone
                lesson.wall_start = datetime(2027, 3, 3, 18) + timedelta(weeks=2 * number)
                lesson.starts_at = calendar_feed.clock.to_utc(lesson.wall_start, zone)
        expected = [
            (row.starts_at, row.starts_at + timedelta(minutes=60))
            for row in db.session.scalars(select(Lesson).order_by(Lesson.starts_at))
        ]
        assert instants(read(tutor)) == expected
        assert len({start.hour for start, _end in expected}) == (1 if "Casa" in zone else 2)


def test_volunteer_abroad_gets_the_same_instants(app: Flask, tutor: int) -> None:
    with app.app_context():
        teach(tutor)
        at_home = instants(read(tutor))
        with transaction():
            db.session.get_one(Tutor, tutor).time_zone = "America/Toronto"
        assert instants(read(tutor)) == at_home
        assert at_home[0][0] == datetime(2026, 11, 2, 18, tzinfo=UTC)


def test_feed_reaches_four_weeks_back_and_eight_ahead(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    with app.app_context():
        teach(tutor)
        clock.move_to(MONDAY + timedelta(weeks=4, hours=8))
        assert len(read(tutor).walk("VEVENT")) == 4
        clock.move_to(MONDAY + timedelta(weeks=4, hours=9, minutes=1))
        assert len(read(tutor).walk("VEVENT")) == 3
        clock.move_to(MONDAY - timedelta(weeks=7))
        assert len(read(tutor).walk("VEVENT")) == 1
        other = people.make_tutor(name="Ilyas Sabri")
        assert read(other).walk("VEVENT") == []


def test_address_is_shown_once_kept_as_a_hash_and_ended_by_the_next(app: Flask, tutor: int) -> None:
    with app.app_context():
        first = calendar_feed.make_feed(tutor)
        row = db.session.get_one(Tutor, tutor)
        assert row.calendar_token_hash == hashlib.sha256(first.encode()).hexdigest()
        assert len(first) == 22
        second = calendar_feed.make_feed(tutor)
        assert calendar_feed.open_feed(second).id == tutor
        for token in (first, "", second[:-1]):
            with pytest.raises(NotFound):
                calendar_feed.open_feed(token)
        calendar_feed.end_feed(tutor)
        with pytest.raises(NotFound):
            calendar_feed.open_feed(second)
        acts = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        made = [act for act in acts if act.action.endswith("_calendar")]
        assert [act.action for act in made] == ["make_calendar", "make_calendar", "end_calendar"]
        assert second not in str([act.detail for act in acts])


@pytest.mark.parametrize("state", list(TutorState), ids=lambda state: state.value)
def test_only_who_may_come_in_has_a_calendar(app: Flask, tutor: int, state: TutorState) -> None:
    with app.app_context():
        token = calendar_feed.make_feed(tutor)
        with transaction():
            db.session.get_one(Tutor, tutor).state = state
    answer = app.test_client().get(f"/calendar/{token}.ics")
    closed = state in (TutorState.SUSPENDED, TutorState.LEFT)
    assert answer.status_code == (404 if closed else 200)


def test_who_left_and_came_back_has_no_calendar(app: Flask, tutor: int) -> None:
    with app.app_context():
        token = calendar_feed.make_feed(tutor)
        departures.let_tutor_leave(tutor, "moved", None, by_tutor=True)
        departures.take_tutor_back(tutor, None)
        with pytest.raises(NotFound):
            calendar_feed.open_feed(token)


@on_sqlite
def test_phone_hears_when_nothing_changed(
    app: Flask, client: FlaskClient, tutor: int, clock: time_machine.Coordinates
) -> None:
    with app.app_context():
        teach(tutor)
        path = f"/calendar/{calendar_feed.make_feed(tutor)}.ics"
    answer = client.get(path)
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in answer.headers
    clock.shift(timedelta(hours=3))
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with app.app_context():
        lesson_id = db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at)).first()
        assert lesson_id is not None
        cancel_lesson(lesson_id, "ill", tutor_id=tutor)
        assert db.session.get_one(Lesson, lesson_id).state is LessonState.CANCELLED
    changed = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert changed.status_code == 200
    assert b"STATUS:CANCELLED" in changed.data
    for method in ("POST", "PUT", "DELETE"):
        assert client.open(path, method=method).status_code == 405


@on_sqlite
def test_addresses_of_unknown_calendars_do_not_exist(client: FlaskClient) -> None:
    for path in ("/calendar/x.ics", "/calendar/.ics", f"/calendar/{'A' * 22}.ics", "/calendar/x"):
        assert client.get(path).status_code == 404


def test_secret_part_stays_out_of_logs() -> None:
    written = io.StringIO()
    logger = logging.Logger("such as gunicorn.access")
    logger.addHandler(logging.StreamHandler(written))
    logger.addFilter(HideSecretLinks())
    token = "uyCXq-_Zs0rS4cXQwXk3Wg"
    logger.error("Exception on %s [GET]", f"/calendar/{token}.ics")
    logger.error('"GET %(path)s" 200', {"path": f"/calendar/{token}.ics"})
    assert token not in written.getvalue()
    assert written.getvalue().count("/calendar/....ics") == 2
