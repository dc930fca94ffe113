"""A family that nobody knows asks for help, on a telephone that it shows to be its own."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Household, Language, RequestState
from tests.support.pages import newest_contact_code
from tests.support.people import level, make_programme, subject
from tests.support.ways import Visit, Visitor, Way, every_way

PHONE = "+212612345678"


@pytest.fixture
def web_settings() -> dict[str, str]:
    """A demo's, whose gateway takes every message."""
    return {"N9RAW_DEMO": "1"}


@every_way
def test_family_asks_for_help(way: Way, app: Flask, visit: Visit) -> None:
    with app.app_context():
        make_programme()
        darija = db.session.get_one(Language, "darija").name_in(way.language)
    page = visit("/")
    page.follow("Ask for help with lessons")
    page.look("start")
    page.follow("Begin")
    page.press("Continue")
    page.look("name-refused")
    page.fill("Your name", "Karima Rami")
    page.press("Continue")
    page.fill("Telephone number", "0612 345678")
    page.look("phone")
    page.press("Send me a code")
    page.fill("Code", newest_contact_code(app, PHONE))
    page.look("code")
    page.press("Continue")
    page.choose("Commune", "-1")
    page.fill("Name of your commune, if it is not in the list", "Oulad Azzouz")
    page.look("commune")
    page.press("Continue")
    page.page.get_by_label(darija, exact=True).check()
    page.look("languages")
    page.press("Continue")
    page.page.locator("input[value=call]").check()
    page.look("ways")
    page.press("Continue")
    page.check("I don't know yet")
    page.look("hours")
    page.button("Continue").last.click()
    tell_children(page, app)
    page.check("Yes")
    page.field("No").nth(1).check()
    page.look("agreement")
    page.press("Continue")
    page.heading("Check your answers")
    page.look("check")
    page.press("Send my request")
    page.heading("Your request is sent")
    page.look("sent")
    check_what_is_kept(app)


def tell_children(page: Visitor, app: Flask) -> None:
    with app.app_context():
        year, maths = level("3AC").id, subject("maths").name_in(page.way.language)
    page.heading("Who needs help?")
    page.press("Add this child")
    page.look("child-refused")
    for name in ("Sara", "Adam"):
        page.fill("First name of the child", name)
        page.fill("Family name of the child", "Rami")
        page.choose("Level", str(year))
        page.page.get_by_label(maths, exact=True).check()
        page.press("Add this child")
        page.sees(f"{name} Rami")
    page.look("children")
    page.page.get_by_role("button", name=page.says("Remove")).first.click()
    page.sees_not("Sara Rami")
    page.follow("These are all: continue")


def check_what_is_kept(app: Flask) -> None:
    with app.app_context():
        household = db.session.scalars(select(Household)).one()
        assert (household.phone, household.guardian.name) == (PHONE, "Karima Rami")
        assert (household.zone.name, household.zone.listed) == ("Oulad Azzouz", False)
        assert [pupil.name for pupil in household.pupils] == ["Adam Rami"]
        request = household.pupils[0].requests[0]
        assert request.state is RequestState.TO_CONFIRM
