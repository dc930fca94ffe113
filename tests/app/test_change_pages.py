"""The pages on which lessons are changed: what is said before, and what the buttons do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import (
    Group,
    GroupState,
    Lesson,
    LessonState,
    Question,
    RequestState,
    Substitution,
    TutorAbsence,
    TutoringRequest,
)
from app.services import family_links
from tests.support import people
from tests.support.groups import active_group
from tests.support.pages import browser_of, signed_in_tutor, words

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOURS = tuple(f"{day} 16:00-21:00" for day in ("mon", "tue", "wed", "thu"))


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def link(app: Flask) -> str:
    """A family of one child in a group of one, each Monday at 18:00; ids are all 1."""
    with app.app_context():
        people.make_programme()
        tutor = people.make_tutor(windows=HOURS, most=9)
        household = people.make_household(windows=HOURS)
        active_group(tutor, [household.pupils[0].requests[0].id])
        return "/f/" + family_links.make_link(household.id, None)[1]


def english(client: FlaskClient) -> FlaskClient:
    client.post("/language", data={"locale": "en"})
    return client


@pytest.fixture
def volunteer(app: Flask, link: str) -> FlaskClient:
    return english(signed_in_tutor(app, 1))


@pytest.fixture
def coordinator(app: Flask, link: str) -> FlaskClient:
    with app.app_context():
        key = people.make_coordinator().get_id()
    return english(browser_of(app, key))


def lesson(app: Flask, number: int = 2) -> Lesson:
    with app.app_context():
        return db.session.get_one(Lesson, number)


def test_volunteer_who_can_not_has_somebody_else_sought_unless_they_cancel(
    app: Flask, volunteer: FlaskClient
) -> None:
    path = "/volunteer/lessons/2/cancel"
    page = words(volunteer.get(path).text)
    assert "Look for somebody else who gives it" in page
    assert volunteer.post(path, data={"chosen": "I am ill"}).location == "/volunteer/week"
    with app.app_context():
        assert db.session.scalars(select(Substitution.lesson_id)).all() == [2]
    path = "/volunteer/lessons/1/cancel"
    assert "Look for somebody else" not in words(volunteer.get(path).text)
    volunteer.post(path, data={"chosen": "I am ill"})
    assert lesson(app, 1).state is LessonState.CANCELLED


def test_volunteer_moves_a_lesson_to_a_free_time_and_no_other(
    app: Flask, volunteer: FlaskClient
) -> None:
    path = "/volunteer/lessons/2/move"
    assert "Tuesday 10 November, 18:00" in words(volunteer.get(path).text)
    for data in ({}, {"free": "2026-11-10T03:00"}, {"day": "2026-11-10"}):
        assert volunteer.post(path, data=data).status_code == 400
    refused = volunteer.post(path, data={"day": "2026-11-14", "hour": "18:00"})
    assert refused.status_code == 409
    assert "That is outside the hours that you gave." in words(refused.text)
    assert volunteer.post(path, data={"free": "2026-11-10T18:00"}).status_code == 303
    assert lesson(app).wall_start == datetime(2026, 11, 10, 18)


def test_volunteer_moves_a_group_takes_a_week_off_and_ends_it(
    app: Flask, volunteer: FlaskClient
) -> None:
    path = "/volunteer/groups/1/times"
    page = words(volunteer.get(f"{path}?day1=fri&time1=18:00").text)
    assert "This time does not suit everybody" in page
    times = {"day1": "tue", "time1": "17:00"}
    page = words(volunteer.get(path, query_string=times).text)
    assert "Monday 9 November 18:00 becomes Tuesday 10 November 17:00" in page
    assert lesson(app).version == 1
    assert volunteer.post(path, data=times).location == "/volunteer/week"
    assert lesson(app).wall_start == datetime(2026, 11, 10, 17)
    week = {"week": "2026-11-09", "own": "holidays"}
    assert volunteer.post("/volunteer/groups/1/week-off", data=week).status_code == 303
    assert lesson(app).state is LessonState.CANCELLED
    assert volunteer.post("/volunteer/groups/1/end", data={}).status_code == 400
    assert volunteer.post("/volunteer/groups/1/end", data={"own": "exams"}).status_code == 303
    with app.app_context():
        assert db.session.get_one(Group, 1).state is GroupState.ENDED


def test_family_asks_for_a_time_and_the_volunteer_says_yes_with_one_button(
    app: Flask, client: FlaskClient, link: str, volunteer: FlaskClient
) -> None:
    client.post(f"{link}/language", data={"locale": "en"})
    assert "Another time" in words(client.get(link).text)
    page = words(client.get(f"{link}/lessons/2").text)
    assert "Tuesday 10 November 18:00" in page
    answer = client.post(f"{link}/lessons/2/time", data={"time": "2026-11-10T18:00"})
    assert answer.location == f"{link}/lessons/2"
    page = words(client.get(answer.location).text)
    assert "You asked for Tuesday 10 November, 18:00." in page
    assert "A family asks for another time" in words(volunteer.get("/volunteer/week").text)
    with app.app_context():
        number = db.session.scalars(select(Question.id)).one()
    path = f"/volunteer/questions/{number}/other-time"
    assert volunteer.get(path).status_code == 405
    assert volunteer.post(path, data={"answer": "yes"}).status_code == 303
    assert lesson(app).wall_start == datetime(2026, 11, 10, 18)
    for nonsense in ("", "soon", "2026-11-10T18:00+01:00"):
        assert client.post(f"{link}/lessons/2/time", data={"time": nonsense}).status_code == 303


def test_family_cancels_is_away_and_stops_one_subject(
    app: Flask, client: FlaskClient, link: str
) -> None:
    client.post(f"{link}/language", data={"locale": "en"})
    for path in ("lessons/2", "away", "subjects/1/stop"):
        assert client.get(f"{link}/{path}").status_code == 200
    assert lesson(app).state is LessonState.PLANNED
    client.post(f"{link}/lessons/2/cancel")
    assert lesson(app).state is LessonState.CANCELLED
    assert "cancelled" in words(client.get(f"{link}/lessons/2").text)
    client.post(f"{link}/away", data={"week": "2026-11-16"})
    assert lesson(app, 3).state is LessonState.CANCELLED
    client.post(f"{link}/away", data={"week": "2026-01-05"})
    assert lesson(app, 4).state is LessonState.PLANNED
    client.post(f"{link}/subjects/1/stop")
    with app.app_context():
        assert db.session.get_one(TutoringRequest, 1).state is RequestState.ENDED
    assert client.get(f"{link}/lessons/2").status_code == 404


def test_coordinator_moves_a_lesson_after_what_it_breaks_was_said(
    app: Flask, coordinator: FlaskClient
) -> None:
    assert "Move it" in words(coordinator.get("/coordinator/lessons/2").text)
    path = "/coordinator/lessons/2/move"
    assert "Times that suit everybody" in words(coordinator.get(path).text)
    assert coordinator.get(f"{path}?day=soon&hour=25:00").status_code == 400
    wanted = {"day": "2026-11-14", "hour": "18:00"}
    page = words(coordinator.get(path, query_string=wanted).text)
    assert "That is outside the volunteer’s hours." in page
    assert coordinator.post(path, data=wanted).status_code == 409
    overruled = wanted | {"overrule": ["tutor_hours", "family_hours", "nonsense"]}
    assert coordinator.post(path, data=overruled).location == "/coordinator/lessons/2"
    assert lesson(app).wall_start == datetime(2026, 11, 14, 18)
    page = words(coordinator.get("/coordinator/lessons/2").text)
    assert "moved the lesson of Monday 9 November 18:00 to Saturday 14 November 18:00" in page


def test_coordinator_cancels_and_puts_back(app: Flask, coordinator: FlaskClient) -> None:
    coordinator.post("/coordinator/lessons/2/cancel", data={"reason": "by mistake"})
    page = words(coordinator.get("/coordinator/lessons/2").text)
    assert "by mistake" in page
    assert "Put the lesson back" in page
    coordinator.post("/coordinator/lessons/2/restore")
    assert lesson(app).state is LessonState.PLANNED
    again = coordinator.post("/coordinator/lessons/2/restore", follow_redirects=True)
    assert "Only a cancelled lesson can be put back." in words(again.text)


def test_coordinator_moves_a_group_and_takes_weeks_and_days_off(
    app: Flask, coordinator: FlaskClient
) -> None:
    path = "/coordinator/groups/1/move"
    times = {"day1": "fri", "time1": "18:00"}
    assert "Outside the hours of" in words(coordinator.get(path, query_string=times).text)
    assert coordinator.post(path, data=times).status_code == 409
    ticked = times | {"overrule": ["tutor_hours", "family_hours"]}
    assert coordinator.post(path, data=ticked).location == "/coordinator/groups/1"
    assert lesson(app).wall_start == datetime(2026, 11, 13, 18)
    week = {"week": "2026-11-09", "why": "school feast"}
    assert coordinator.post("/coordinator/groups/1/week", data=week).status_code == 303
    assert lesson(app).state is LessonState.CANCELLED
    away = {"week": "2026-11-16", "why": "they travel"}
    assert coordinator.post("/coordinator/families/1/away", data=away).status_code == 303
    assert lesson(app, 3).state is LessonState.CANCELLED
    days = {"first_day": "2026-11-27", "last_day": "2026-11-28", "why": "ill", "what": "cancel"}
    path = "/coordinator/tutors/1/days-off"
    assert "1 lesson is cancelled:" in words(coordinator.post(path, data=days).text)
    assert lesson(app, 4).state is LessonState.PLANNED
    assert coordinator.post(path, data=days | {"sure": "yes"}).status_code == 303
    assert lesson(app, 4).state is LessonState.CANCELLED
    with app.app_context():
        number = db.session.scalars(select(TutorAbsence.id)).one()
    assert coordinator.post(f"{path}/{number}/take-back").status_code == 303
    assert lesson(app, 4).state is LessonState.PLANNED
