"""Standing in, and missed lessons, as volunteers and coordinators see and do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    Flag,
    Household,
    HouseholdWindow,
    Lesson,
    LessonState,
    Tutor,
    TutorState,
    TutorWindow,
)
from app.services import attendance, calendar_feed, hours, substitution
from app.services.family import coming_lessons
from app.services.family_links import make_link
from tests.support.groups import active_group
from tests.support.pages import in_english, signed_in_tutor, views, words
from tests.support.people import make_household, make_programme, make_tutor, window

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
SECOND = datetime(2026, 11, 9, 18, tzinfo=UTC)
DAILY = ("mon 18:00-20:00", "tue 18:00-20:00")
PHONE = re.compile(r'href="tel:')


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def staff(app: Flask) -> FlaskClient:
    return in_english(app)


@pytest.fixture
def people(app: Flask, staff: FlaskClient) -> tuple[int, int, int]:
    """The ids of a volunteer, of one who could stand in, and of the lesson of next week."""
    with app.app_context():
        make_programme()
        own, other = make_tutor(name="Rania Mounir"), make_tutor(name="Nora Alami")
        group = active_group(own, [make_household().pupils[0].requests[0].id])
        ordered = select(Lesson.id).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
        return own, other, list(db.session.scalars(ordered))[1]


def browse(app: Flask, tutor: int) -> FlaskClient:
    client = signed_in_tutor(app, tutor)
    client.post("/language", data={"locale": "en"})
    return client


def seek(app: Flask, lesson_id: int) -> None:
    with app.app_context(), transaction():
        lesson = db.session.get_one(Lesson, lesson_id)
        substitution.seek(lesson, lesson.given_by)


def test_volunteer_is_asked_says_yes_and_sees_the_number(
    app: Flask, people: tuple[int, int, int]
) -> None:
    own, other, lesson = people
    seek(app, lesson)
    client = browse(app, other)
    before = client.get("/volunteer/week").text
    assert "Can you stand in?" in before
    assert "Hiba" in before
    assert "Touil" not in before
    assert not PHONE.search(before)
    action = re.findall(r'action="(/volunteer/questions/\d+/stand-in)"', before)[0]
    assert client.get(action).status_code == 405
    after = words(client.post(action, data={"answer": "yes"}, follow_redirects=True).text)
    assert "Thank you! You find the family's number and the time below." in after
    shown = client.get("/volunteer/week").text
    assert "Hiba Touil" in words(shown)
    assert PHONE.search(shown)
    assert views(app)[-1][1] == [1]
    again = client.post(action, data={"answer": "yes"})
    assert (again.status_code, again.location) == (303, "/volunteer/week")
    week = words(browse(app, own).get("/volunteer/week").text)
    assert "Nora gives it in your place" in week


def test_volunteer_says_no_or_comes_after_all(app: Flask, people: tuple[int, int, int]) -> None:
    own, other, lesson = people
    seek(app, lesson)
    client = browse(app, own)
    week = client.get("/volunteer/week").text
    assert "somebody else is being looked for" in week
    path = f"/volunteer/lessons/{lesson}/come-after-all"
    assert path in week
    answer = words(client.post(path, follow_redirects=True).text)
    assert "the lesson is yours again" in answer
    assert "Nobody is being looked for any more." in words(
        client.post(path, follow_redirects=True).text
    )
    assert "Can you stand in?" not in browse(app, other).get("/volunteer/week").text


def test_coordinator_sees_who_fits_why_others_do_not_and_gives_it_by_hand(
    app: Flask, staff: FlaskClient, people: tuple[int, int, int]
) -> None:
    _own, other, lesson = people
    with app.app_context():
        make_tutor(name="Omar Ziani", windows=("fri 10:00-12:00",), channels=("call",))
    path = f"/coordinator/lessons/{lesson}/substitute"
    assert path in staff.get("/coordinator/lessons").text
    page = words(staff.get(path).text)
    assert page.index("Nora Alami") < page.index("free then, and fits") < page.index("Omar Ziani")
    assert "does not hold lessons this way is not free at this hour of the week" in page
    page = words(staff.post(f"{path}/search", follow_redirects=True).text)
    assert "Volunteers are being asked" in page
    assert "Nora Alami is asked" in page
    page = words(staff.post(f"{path}/end", follow_redirects=True).text)
    assert "The lesson stays with its own volunteer." in page
    page = words(staff.post(path, data={"tutor": other}, follow_redirects=True).text)
    assert "Nora Alami gives it in the place of Rania Mounir." in page
    assert "in the place of Rania Mounir" in words(staff.get("/coordinator/lessons").text)
    page = words(staff.post(path, data={"tutor": "x"}, follow_redirects=True).text)
    assert "This volunteer does not exist." in page


def test_lesson_is_the_substitutes_wherever_it_is_counted_or_shown(
    app: Flask, people: tuple[int, int, int], clock: time_machine.Traveller
) -> None:
    own, other, lesson = people
    with app.app_context():
        with transaction():
            row = db.session.get_one(Lesson, lesson)
            substitution._give(row, db.session.get_one(Tutor, other), None)
        feeds = [
            calendar_feed.write_feed(db.session.get_one(Tutor, number)).decode()
            for number in (own, other)
        ]
        assert [f"lesson-{lesson}@n9raw" in feed for feed in feeds] == [False, True]
        household = db.session.scalars(select(Household)).one()
        clock.move_to(SECOND + timedelta(minutes=5))
        entries = {entry.lesson.id: entry for entry in coming_lessons(household)}
        assert entries[lesson].lesson.given_by.first_name == "Nora"
        attendance.note_lesson(lesson, LessonState.HELD, [], "", tutor_id=other)
        assert [hours.hours_of(number).lessons for number in (own, other)] == [0, 1]
    assert browse(app, own).get(f"/volunteer/lessons/{lesson}/note").status_code == 404


def test_flag_is_on_the_desk_until_a_coordinator_says_what_was_done(
    app: Flask, staff: FlaskClient, people: tuple[int, int, int], clock: time_machine.Traveller
) -> None:
    clock.move_to(SECOND + timedelta(hours=1))
    with app.app_context():
        for lesson in db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at)).all()[:2]:
            attendance.note_lesson(lesson, LessonState.PUPIL_ABSENT, [], "")
        flag_id = db.session.scalars(select(Flag.id)).one()
    page = words(staff.get("/coordinator/desk").text)
    assert "Hiba Touil : absent twice in a row" in page
    path = f"/coordinator/flags/{flag_id}/close"
    assert staff.get(path).status_code == 200
    assert staff.post(path, data={}).status_code == 400
    answer = staff.post(path, data={"note": "The telephone was broken."})
    assert (answer.status_code, answer.location) == (303, "/coordinator/desk")
    assert "absent twice in a row" not in staff.get("/coordinator/desk").text
    assert staff.get(path).status_code == 404


def test_family_agrees_to_another_time_on_its_page(
    app: Flask, people: tuple[int, int, int]
) -> None:
    own, other, lesson = people
    with app.app_context():
        with transaction():
            for tutor in (own, other):
                row = db.session.get_one(Tutor, tutor)
                row.windows = [TutorWindow(**window(text)) for text in DAILY]
            household = db.session.scalars(select(Household)).one()
            household.windows = [HouseholdWindow(**window(text)) for text in DAILY]
            db.session.get_one(Tutor, other).state = TutorState.PAUSED
        _household, token = make_link(household.id, None)
    seek(app, lesson)
    client = app.test_client()
    client.post(f"/f/{token}/language", data={"locale": "en"})
    page = client.get(f"/f/{token}").text
    assert "Can it be on Tuesday 3 November at 18:00?" in words(page)
    action = re.findall(r'action="(/f/[^"]+/times/\d+)"', page)[0]
    assert client.get(action).status_code == 405
    answer = client.post(action, data={"yes": ""}, follow_redirects=True)
    assert "Can it be on" not in words(answer.text)
    with app.app_context():
        planned = db.session.get_one(Lesson, lesson)
        assert (planned.state, planned.wall_start) == (
            LessonState.PLANNED,
            datetime(2026, 11, 3, 18),
        )
