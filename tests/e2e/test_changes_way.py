"""Lessons change: a volunteer moves one, a family asks for a time, a coordinator puts one back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import Lesson
from app.services import family_links
from tests.support.groups import active_group
from tests.support.pages import browser_of, signed_in_tutor
from tests.support.people import make_coordinator, make_household, make_programme, make_tutor
from tests.support.ways import Visit, Way, every_way

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = tuple(f"{day} 09:00-20:00" for day in DAYS)


@pytest.fixture
def lesson_id(app: Flask) -> int:
    """The second lesson of a group of one, in four days and a week at the soonest."""
    day = DAYS[(datetime.now(UTC) + timedelta(days=4)).weekday()]
    with app.app_context():
        make_programme()
        tutor = make_tutor(windows=HOURS)
        household = make_household(windows=HOURS)
        active_group(tutor, [household.pupils[0].requests[0].id], starts=[(day, "18:00")])
        return db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at)).all()[1]


@pytest.fixture
def volunteer(app: Flask, lesson_id: int) -> FlaskClient:
    return signed_in_tutor(app, 1)


@pytest.fixture
def coordinator(app: Flask, lesson_id: int) -> FlaskClient:
    with app.app_context():
        key = make_coordinator().get_id()
    return browser_of(app, key)


@pytest.fixture
def link(app: Flask, lesson_id: int) -> str:
    with app.app_context():
        return "/f/" + family_links.make_link(1, None)[1]


@every_way
def test_volunteer_moves_a_lesson_and_the_weekly_time(
    way: Way, visit: Visit, volunteer: FlaskClient
) -> None:
    page = visit("/volunteer/week", signed_in=volunteer)
    page.page.get_by_role("link", name=page.says("I can't, or want to move it")).last.click()
    page.look("cannot")
    page.follow("Move it to another time")
    page.look("move")
    page.press("Move the lesson")
    page.look("move-refused")
    page.page.get_by_role("radio").first.check()
    page.press("Move the lesson")
    page.sees(page.says("The lesson is moved, and the family is told by message."))
    page.page.get_by_text(page.says("Change something")).first.click()
    page.page.get_by_role("link", name=page.says("Other weekly times")).click()
    page.fill("Hour", "10:00")
    page.look("times")
    page.press("Go on")
    page.heading("Other weekly times")
    page.look("times-preview")
    page.press("Change the weekly times")
    page.sees(page.says("The weekly times are changed, and the families are told."))


@every_way
def test_family_asks_for_another_time_and_is_away(
    way: Way, visit: Visit, link: str, lesson_id: int, volunteer: FlaskClient
) -> None:
    page = visit(f"{link}/lessons/{lesson_id}")
    page.look("lesson")
    page.page.locator("button[name=time]").first.click()
    page.sees(page.says("At another time?"))
    page.look("asked")
    page.open(link)
    page.follow("We are away for a week")
    page.look("away")
    page.page.get_by_role("button", name=page.says("We are away this week")).first.click()
    page.sees(page.says("cancelled"))


@every_way
def test_coordinator_cancels_a_lesson_puts_it_back_and_moves_it(
    way: Way, visit: Visit, coordinator: FlaskClient, lesson_id: int
) -> None:
    page = visit(f"/coordinator/lessons/{lesson_id}", signed_in=coordinator)
    page.look("lesson")
    page.follow("Cancel it")
    page.fill("Why?", "La salle est fermée.")
    page.look("cancel")
    page.press("Cancel the lesson")
    page.sees("La salle est fermée.")
    page.look("cancelled")
    page.press("Put the lesson back")
    page.follow("Move it")
    page.look("move")
    page.page.locator("main ul a").first.click()
    page.look("sure")
    page.press("Move the lesson")
    page.sees(page.says("The lesson is moved, and those concerned are told."))
