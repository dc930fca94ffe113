"""A coordinator adds a family with two children in one sitting, finds it, and ends a request."""

from __future__ import annotations

from flask import Flask

from app.extensions import db
from app.models import Household, RequestState
from tests.support.groups import active_group
from tests.support.pages import signed_in
from tests.support.people import level, make_household, make_tutor, subject
from tests.support.ways import Visit, Visitor, Way, every_way


@every_way
def test_coordinator_adds_a_family_and_changes_it(app: Flask, way: Way, visit: Visit) -> None:
    client = signed_in(app)
    with app.app_context():
        taught = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
        zone_id, grade, maths = taught.zone_id, level("3AC").id, subject("maths").id
        active_group(make_tutor(name="Rania Mounir"), [taught.pupils[0].requests[0].id])
    page = visit("/coordinator/pupils", signed_in=client)
    page.follow("Add a family")
    page.fill("Guardian's full name", "سلمى الرامي")
    page.fill("Telephone of the family", "0612")
    page.choose("Zone", str(zone_id))
    page.press("Save, then add the children")
    page.look("family-refused")
    page.fill("Telephone of the family", "06 12 34 56 78")
    page.page.locator("#languages-darija").check()
    page.page.locator("#channels-call").check()
    page.page.locator("#message_language-ary").check()
    page.page.locator("#to-agree").check()
    page.press("Save, then add the children")

    page.sees(page.says("The family is added. Now its children."))
    page.look("child")
    _child(page, "يوسف", grade, maths)
    page.press("Save and add another child")
    page.sees(page.says("%(name)s is added.", name="يوسف"))
    _child(page, "Aïcha", grade, maths)
    page.press("Save and finish")
    page.heading("Family of %(name)s", name="سلمى الرامي")
    page.look("family")

    page.open("/coordinator/pupils")
    page.fill("Name or telephone", "youssef")
    page.press("Search")
    page.sees("سلمى الرامي")
    page.sees_not("Walid Touil")
    page.look("found")

    page.open("/coordinator/families/1")
    page.page.locator('a[href="/coordinator/requests/1/end"]').click()
    page.fill("Why does it end?", "déménagement")
    page.press("End the request")
    page.heading("This ends lessons")
    page.sees("Rania Mounir")
    page.look("ends")
    page.press("Yes, change it and end these lessons")
    page.sees(page.says("The request has ended."))
    page.look("ended")
    with app.app_context():
        assert len(db.session.get_one(Household, 2).pupils) == 2
        request = db.session.get_one(Household, 1).pupils[0].requests[0]
        assert (request.state, request.end_reason) == (RequestState.ENDED, "déménagement")


def _child(page: Visitor, first_name: str, grade: int, maths: int) -> None:
    page.fill("First name", first_name)
    page.fill("Last name", "Rami")
    page.choose("School year", str(grade))
    page.page.locator(f"#lessons_{maths}").select_option("2")
    page.page.locator("#lessons-yes").check()
    page.page.locator("#group_lessons-not_asked").check()
    page.page.locator("#means-told_coordinator").check()


@every_way
def test_coordinator_confirms_what_a_family_asked_for(app: Flask, way: Way, visit: Visit) -> None:
    client = signed_in(app)
    with app.app_context():
        household = make_household(
            guardian="Nadia Idrissi", pupils=[("Rim Idrissi", "1AC", ("maths", "french"))]
        )
        for request in household.pupils[0].requests:
            request.state = RequestState.TO_CONFIRM
        db.session.commit()
    page = visit("/coordinator/requests", signed_in=client)
    page.heading("Requests to confirm")
    page.look("requests")
    page.press("Confirm all of it for %(name)s", name="Nadia Idrissi")
    page.sees(page.says("No request waits to be confirmed."))
    page.look("none-left")
    with app.app_context():
        states = {row.state for row in db.session.get_one(Household, 1).pupils[0].requests}
        assert states == {RequestState.WAITING}
