"""A coordinator closes for some days, sets Ramadan and publishes its times: in a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask

from app.models import DAYS
from tests.support.groups import active_group
from tests.support.pages import signed_in
from tests.support.people import make_household, make_tutor
from tests.support.ways import Visit, Way, every_way


@every_way
def test_coordinator_sets_days_off_and_ramadan(way: Way, app: Flask, visit: Visit) -> None:
    client = signed_in(app)
    today = datetime.now(UTC).date()
    lesson = today + timedelta(days=3)
    day = DAYS[lesson.weekday()]
    hours = (f"{day} 14:00-22:00",)
    with app.app_context():
        request = make_household(windows=hours).pupils[0].requests[0].id
        active_group(make_tutor(windows=hours), [request], starts=[(day, "18:00")])

    page = visit("/coordinator/desk", signed_in=client)
    page.follow("School calendar")
    page.press("Add public holidays")
    page.look("year")
    page.follow("Add school holidays")
    page.fill("Name", "Vacances")
    page.fill("First day", str(lesson))
    page.fill("Last day", str(lesson + timedelta(days=1)))
    page.press("Go on")
    page.sees(page.says("Families and volunteers are told, in one message each."))
    page.look("lessons-that-fall-out")
    page.page.locator("button.danger").click()
    page.sees(page.says("Kept."))

    page.follow("Set Ramadan")
    page.fill("First day", str(lesson + timedelta(days=5)))
    page.fill("Last day", str(lesson + timedelta(days=25)))
    page.fill("No lessons from", "17:00")
    page.fill("until", "20:00")
    page.press("Go on")
    page.press("Look for times")
    page.sees(page.says("proposed"))
    page.follow("Publish")
    page.look("publish")
    page.press("Publish")
    page.sees(page.says("published"))
    page.look("published")
