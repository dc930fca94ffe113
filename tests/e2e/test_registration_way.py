"""A volunteer registers: leaves midway, comes back on another device, is done, signs in."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Language, Subject, Tutor, TutorState
from tests.support.pages import newest_code, newest_contact_code
from tests.support.people import make_programme
from tests.support.ways import Visit, Visitor, Way, every_way

ADDRESS = "nadia.amrani@example.org"


@every_way
def test_volunteer_registers_and_changes_what_she_gives(way: Way, app: Flask, visit: Visit) -> None:
    with app.app_context():
        make_programme()
        maths = db.session.scalars(select(Subject).where(Subject.code == "maths")).one()
        maths_name = maths.name_in(way.language)
        darija = db.session.get_one(Language, "darija").name_in(way.language)
    page = visit("/")
    page.follow("Become a volunteer")
    page.look("start")
    page.follow("Begin")
    page.press("Continue")
    page.look("name-refused")
    tell_name_and_address(page, app)
    page.look("what-to-teach")
    page.page.get_by_label(maths_name).check()
    page.press("Choose the levels")
    page.look("levels")
    page.choose("Lowest level", "1AC")
    page.choose("Highest level", "3AC")
    page.press("Add")
    page.look("taught")

    elsewhere = visit("/volunteer/register")
    elsewhere.follow("Begin")
    tell_name_and_address(elsewhere, app)
    elsewhere.heading("In which languages can you teach?")
    elsewhere.page.get_by_label(darija, exact=True).check()
    elsewhere.look("languages")
    elsewhere.press("Continue")
    elsewhere.page.locator("input[value=call]").check()
    elsewhere.look("channels")
    elsewhere.press("Continue")
    elsewhere.choose(label="Country", value="Europe/Paris")
    elsewhere.look("place")
    elsewhere.press("Continue")
    give_times(elsewhere)
    elsewhere.fill("Lessons a week, at most", "2")
    elsewhere.look("most")
    elsewhere.press("Continue")
    elsewhere.look("charter")
    elsewhere.check("I have read the charter and will keep to it")
    elsewhere.press("Continue")
    elsewhere.heading("Check your answers")
    elsewhere.look("check")
    elsewhere.page.locator(".answers a").nth(7).click()
    elsewhere.fill("Lessons a week, at most", "3")
    elsewhere.press("Continue")
    elsewhere.press("Register me")
    elsewhere.heading("You are registered")
    elsewhere.look("done")

    with app.app_context():
        tutor = db.session.scalars(select(Tutor)).one()
        assert tutor.state is TutorState.REGISTERED
        assert tutor.max_lessons_per_week == 3
        assert tutor.message_language == ("ar" if way.language == "ar" else "fr")
        tutor_id = tutor.id
    page.open("/volunteer/sign-in")
    page.fill("E-mail address or telephone number", ADDRESS)
    page.press("Send me a code")
    page.look("sign-in-code")
    page.check("Stay signed in on this device")
    page.fill("Code", newest_code(app, tutor_id))
    page.press("Sign in")
    page.open("/volunteer/teaching")
    page.heading("What I give")
    page.look("given")
    page.page.locator(".answers a").nth(1).click()
    page.look("times-later")
    page.press("Keep")
    page.look("kept")


def tell_name_and_address(page: Visitor, app: Flask) -> None:
    """Name, address, code; what the volunteer then comes to is the first open question."""
    page.fill("First name", "Nadia")
    page.fill("Last name", "Amrani")
    page.look("name")
    page.press("Continue")
    page.fill("E-mail address or telephone number", ADDRESS)
    page.look("address")
    page.press("Send me a code")
    page.heading("Enter the code")
    page.look("code")
    page.fill("Code", newest_contact_code(app, ADDRESS))
    page.press("Continue")


def give_times(page: Visitor) -> None:
    """Refused while empty; then one day's evenings and an exact time, copied to the other days."""
    page.heading("When can you teach?")
    page.page.locator("main form button").last.click()
    page.look("times-refused")
    page.page.locator("#period0-evening").check()
    page.page.locator("summary").first.click()
    page.page.locator("#from0-0").fill("09:30")
    page.page.locator("#to0-0").fill("11:00")
    page.look("times-open")
    page.page.locator("button[name=copy]").first.click()
    page.look("times-copied")
    assert page.page.locator("#to6-0").input_value() == "11:00"
    page.page.locator("main form button").last.click()
    page.heading("How many lessons a week at most?")
