"""A volunteer's weeks: accept, note what happened, be away, and print what was given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests.support.groups import active_group, offer_group
from tests.support.pages import signed_in_tutor
from tests.support.people import make_household, make_programme, make_tutor
from tests.support.ways import Visit, Way, every_way

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture
def volunteer(app: Flask) -> FlaskClient:
    """Somebody who has given two lessons of which nothing is noted, and has an offer."""
    now = datetime.now(UTC)
    day, next_day = DAYS[now.weekday() - 1], DAYS[now.weekday()]
    with app.app_context():
        with time_machine.travel(now - timedelta(days=16)):
            make_programme()
            tutor = make_tutor(windows=(f"{day} 17:00-21:00", f"{next_day} 17:00-21:00"))
            windows = (f"{day} 17:00-21:00",)
            taught = make_household(windows=windows)
            active_group(tutor, [taught.pupils[0].requests[0].id], starts=[(day, "18:00")])
        asking = make_household(
            pupils=[("Adam Zahra", "3AC", ("maths",))],
            guardian="Karima Zahra",
            windows=(f"{next_day} 17:00-21:00",),
            channels=("call",),
        )
        offer_group(
            tutor,
            [asking.pupils[0].requests[0].id],
            starts=[(next_day, "18:00")],
            channel="call",
        )
    return signed_in_tutor(app, tutor)


@every_way
def test_volunteer_accepts_notes_is_away_and_prints_a_certificate(
    way: Way, visit: Visit, volunteer: FlaskClient
) -> None:
    page = visit("/volunteer/week", signed_in=volunteer)
    page.look("week")
    page.press("Accept")
    page.sees(page.says("You call this number when the lesson begins."))
    page.look("accepted")

    page.press("It was held")
    page.sees(page.says("Noted. Thank you!"))
    page.follow("Past lessons")
    page.heading("Past lessons")
    page.look("past-lessons")
    page.page.get_by_role("link", name=page.says("Say more")).first.click()
    page.press("Keep")
    page.look("note-refused")
    page.check("The pupil was not there")
    page.fill("Note", "Deux appels, personne.")
    page.press("Keep")
    page.sees("Deux appels, personne.")

    page.follow("Days off")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    page.fill("First day off", str(tomorrow))
    page.fill("Last day off", str(tomorrow + timedelta(days=6)))
    page.check("I have exams")
    page.look("days-off")
    page.press("Go on")
    page.heading("Take these days off?")
    page.look("days-off-sure")
    page.press("Take these days off")
    page.sees(page.says("Your days off are planned."))
    page.look("days-off-planned")
    page.press("I can after all")
    page.sees(
        page.counts(
            "The days off are taken back. %(num)s lesson is planned again; the family is told.",
            "The days off are taken back. %(num)s lessons are planned again;"
            " the families are told.",
            2,
        )
    )

    page.follow("Hours")
    page.look("hours")
    page.press("Make a certificate")
    page.heading("Certificate of volunteering")
    page.look("certificate")
    code = page.page.locator(".certificate .code").inner_text()
    school = visit("/certificate")
    school.fill("Code of the certificate", code.lower())
    school.press("Check")
    school.sees(
        school.says("The certificate %(code)s is genuine. Compare what it says:", code=code)
    )
    school.look("checked")

    page.open("/volunteer/calendar")
    page.press("Make the address")
    page.sees(page.says("Use it or copy it now: it is shown this once."))
    page.look("calendar")

    page.open("/volunteer/pause")
    page.look("pause")
    page.check("I am ill")
    page.press("Pause")
    page.look("paused")
    page.press("I am back")
    page.open("/volunteer/stop")
    page.check("I am ill")
    page.look("stop")
    page.press("Go on")
    page.heading("Do you really want to stop?")
    page.look("stop-sure")
    page.press("Yes, I stop")
    page.sees(page.says("You have left. Thank you for all that you gave!"))
