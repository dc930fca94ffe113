"""The pages of the school calendar: days off, Ramadan and exams, set by a coordinator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import DayOff, Lesson, LessonState, PeriodStarts, Zone
from app.services import days_off, family_links
from tests.support import people
from tests.support.groups import active_group
from tests.support.pages import in_english, signed_in_tutor, words

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOME = "/coordinator/programme"
RAMADAN = {
    "name": "Ramadan 2027",
    "first_day": "2027-02-08",
    "last_day": "2027-03-08",
    "blackout_from": "17:15",
    "blackout_until": "20:00",
}


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    """A coordinator's browser, on Wednesday 2027-01-27, with a group on Mondays at 18:00."""
    with time_machine.travel(datetime(2027, 1, 27, 12, tzinfo=UTC), tick=False):
        client = in_english(app)
        with app.app_context():
            long = ("mon 14:00-22:00",)
            request = people.make_household(windows=long).pupils[0].requests[0].id
            active_group(people.make_tutor(windows=long), [request])
        yield client


def planned(app: Flask) -> list[str]:
    with app.app_context():
        rows = select(Lesson.wall_start).where(Lesson.state == LessonState.PLANNED)
        return [f"{wall:%m-%d %H:%M}" for wall in db.session.scalars(rows)]


def test_year_lists_what_stands_and_what_to_decide(app: Flask, client: FlaskClient) -> None:
    page = words(client.get(f"{HOME}/calendar").text)
    assert "Nothing stands in this school year yet" in page
    assert "probably from Monday 8 February to Monday 8 March" in page
    answer = client.post(f"{HOME}/calendar/public-holidays")
    page = words(client.get(answer.location).text)
    assert "9 public holidays are added." in page
    assert "May 2027 Labor Day public holiday Saturday 1 May" in page
    assert (
        "March 2027 Eid al-Fitr to be confirmed: lessons are held"
        " Tuesday 9 March – Wednesday 10 March" in page
    )
    assert "Labor Day" not in words(client.get(f"{HOME}/calendar?year=2029").text)
    desk = words(client.get("/coordinator/desk").text)
    assert "to decide in the school calendar Ramadan" in desk


def test_school_holidays_are_asked_about_and_then_shown_to_families_and_volunteers(
    app: Flask, client: FlaskClient
) -> None:
    data = {"name_fr": "Vacances", "first_day": "2027-02-14", "last_day": "2027-02-16"}
    question = client.post(f"{HOME}/days-off/new", data=data)
    assert "1 lesson would change" in words(question.text)
    assert "Monday 15 February 18:00 Mathematics, Rania Mounir" in words(question.text)
    assert len(planned(app)) == 4
    stale = client.post(f"{HOME}/days-off/new", data=data | {"agreed": "3"})
    assert stale.status_code == 200
    answer = client.post(f"{HOME}/days-off/new", data=data | {"agreed": "1"})
    assert answer.status_code == 303
    assert "02-15 18:00" not in planned(app)
    with app.app_context():
        household = people.make_household()
        _home, token = family_links.make_link(household.id, None)
        tutor_id = db.session.scalars(select(Lesson)).all()[0].group.tutor_id
    family = app.test_client().get(f"/f/{token}?lang=en")
    assert "Vacances" in words(family.text)
    week = signed_in_tutor(app, tutor_id).get("/volunteer/week")
    assert "Pas de séances : Vacances (du 14 février 2027 au 16 février 2027)" in words(week.text)
    gone = words(client.get(f"{HOME}/days-off/1/hold").text)
    assert "Take Vacances away?" in gone
    assert "1 lesson comes back." in gone
    client.post(f"{HOME}/days-off/1/hold", data={"agreed": "0"})
    assert len(planned(app)) == 4


def test_estimate_is_moved_by_a_day_and_not_by_more_than_three(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        days_off.propose_public_holidays()
        eid = db.session.scalars(select(DayOff).where(DayOff.name_en == "Eid al-Fitr")).one().id
    data = {"first_day": "2027-03-20", "last_day": "2027-03-21"}
    refused = client.post(f"{HOME}/days-off/{eid}", data=data)
    assert refused.status_code == 400
    assert "The moon moves these days by three days at most." in words(refused.text)
    data = {"first_day": "2027-03-10", "last_day": "2027-03-11"}
    assert client.post(f"{HOME}/days-off/{eid}", data=data).status_code == 303
    with app.app_context():
        row = db.session.get_one(DayOff, eid)
        assert (str(row.first_day), row.state.value) == ("2027-03-10", "confirmed")


def test_ramadan_is_set_from_its_proposal_and_its_times_published(
    app: Flask, client: FlaskClient
) -> None:
    form = client.get(f"{HOME}/periods/new/ramadan").text
    for value in RAMADAN.values():
        assert f'value="{value}"' in form
    answer = client.post(f"{HOME}/periods/new/ramadan", data=RAMADAN)
    times = answer.location
    assert times == f"{HOME}/periods/1/times"
    assert "not looked for yet" in words(client.get(times).text)
    client.post(f"{times}/look")
    page = words(client.get(times).text)
    assert "Monday 18:00 Monday 16:00 proposed" in page
    question = words(client.get(f"{HOME}/periods/1/publish").text)
    assert "Publish the times of Ramadan 2027? 3 lessons are moved by it." in question
    assert "18:00 Mathematics, Rania Mounir then: Monday 8 February at 16:00" in question
    answer = client.post(f"{HOME}/periods/1/publish", data={"agreed": "3"})
    page = words(client.get(answer.location).text)
    assert "3 lessons are moved, and their reminders with them." in page
    assert "Monday 16:00 published" in page
    assert planned(app) == ["02-01 18:00", "02-08 16:00", "02-15 16:00", "02-22 16:00"]


def test_time_agreed_by_telephone_is_entered_once_what_it_breaks_was_ticked(
    app: Flask, client: FlaskClient
) -> None:
    client.post(f"{HOME}/periods/new/ramadan", data=RAMADAN)
    page = f"{HOME}/periods/1/times/1"
    assert client.get(page).status_code == 200
    given = {"day1": "tue", "time1": "15:00"}
    asked = words(client.get(page, query_string=given).text)
    assert "Outside the hours of Rania Mounir: Tuesday 15:00." in asked
    assert client.post(page, data=given).status_code == 409
    ticked = given | {"overrule": ["tutor_hours", "family_hours"]}
    assert client.post(page, data=ticked).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(PeriodStarts)).one().starts == [["tue", "15:00"]]
    in_the_hours = client.get(page, query_string={"day1": "mon", "time1": "18:00"})
    assert in_the_hours.status_code == 400
    assert "No lesson is held from 17:15 to 20:00." in words(in_the_hours.text)
    assert client.post(f"{page}/dismiss").status_code == 303


def test_exams_that_suspend_lessons_ask_first(app: Flask, client: FlaskClient) -> None:
    data = {
        "name": "Examens",
        "first_day": "2027-02-08",
        "last_day": "2027-02-12",
        "effect": "suspend",
    }
    page = f"{HOME}/periods/new/exams"
    refused = client.post(page, data={"name": "Examens"})
    assert refused.status_code == 400
    assert "1 lesson would change" in words(client.post(page, data=data).text)
    assert client.post(page, data=data | {"agreed": "1"}).status_code == 303
    assert "02-08 18:00" not in planned(app)
    assert "No lessons: all levels." in words(client.get(f"{HOME}/calendar").text)


@pytest.mark.parametrize(
    ("latitude", "longitude", "said"),
    [
        ("32,9", "-6.9", None),
        ("", "", None),
        ("32.9", "", "Give both degrees, or neither."),
        ("32.9", "6.9", "This place is not in Morocco."),
        ("nan", "-6.9", "Give degrees as a number, such as 32.88."),
        ("north", "-6.9", "Give degrees as a number, such as 32.88."),
    ],
)
def test_zone_lies_in_morocco_or_nowhere(
    app: Flask, client: FlaskClient, latitude: str, longitude: str, said: str | None
) -> None:
    data = {"name": "Zone", "latitude": latitude, "longitude": longitude}
    answer = client.post(f"{HOME}/zones/new", data=data)
    if said is not None:
        assert answer.status_code == 400
        assert said in words(answer.text)
        return
    with app.app_context():
        zone = db.session.scalars(select(Zone).where(Zone.name == "Zone")).one()
        assert (zone.latitude, zone.longitude) == ((32.9, -6.9) if latitude else (None, None))
