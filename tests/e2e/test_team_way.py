"""An administrator invites a coordinator of one zone, vets a volunteer and suspends another."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import Tutor, TutorState
from tests.support.groups import active_group
from tests.support.pages import signed_in
from tests.support.people import PASSWORD, make_household, make_tutor, sign_in
from tests.support.vetting import form_of
from tests.support.ways import Visit, Way, every_way

EMAIL = "amal@example.org"


def state_of(app: Flask, tutor_id: int) -> TutorState:
    with app.app_context():
        return db.session.get_one(Tutor, tutor_id).state


@every_way
def test_team_zones_vetting_and_suspension(app: Flask, way: Way, visit: Visit) -> None:
    administrator = signed_in(app)
    with app.app_context():
        waiting = make_tutor(state=TutorState.REGISTERED, name="Nouhaila Karimi")
        teaching = make_tutor(name="Rania Mounir", windows=None)
        own = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))], windows=None)
        other = make_household(
            pupils=[("Lina Zahra", "3AC", ("maths",))], zone="Boujniba", windows=None
        )
        group = active_group(
            teaching, [own.pupils[0].requests[0].id, other.pupils[0].requests[0].id]
        ).id
        own_zone = own.zone_id

    page = visit("/coordinator/team", signed_in=administrator)
    page.look("team")
    page.follow("Invite a coordinator")
    page.press("Make the link")
    page.look("invite-errors")
    page.fill("Name", "Amal Idrissi")
    page.fill("E-mail address", EMAIL)
    page.check("See and look after the families of some zones")
    page.page.locator(f"#zones-{own_zone}").check()
    page.press("Make the link")
    page.heading("The invitation of %(name)s", name="Amal Idrissi")
    page.look("link")
    found = re.search(r"/invitation/[\w-]+", page.page.locator("#link").input_value())
    assert found is not None

    invited = visit(found[0])
    invited.look("invitation")
    invited.fill("New password", PASSWORD)
    invited.fill("The same password again", PASSWORD)
    invited.press("Make my account")
    invited.sees(invited.says("Your account is ready. Sign in with your new password."))

    amal = signed_in_as(app)
    zone = visit(f"/coordinator/groups/{group}", signed_in=amal)
    zone.sees("Hiba Touil")
    zone.sees(zone.says("pupil of another zone"))
    zone.sees_not("Lina Zahra")
    zone.look("group-of-two-zones")
    zone.open("/account")
    zone.look("account")

    vet = visit(f"/coordinator/volunteers/{waiting}", signed_in=administrator)
    vet.press("Yes, I vouch for %(name)s", name="Nouhaila Karimi")
    vet.look("vetting-errors")
    form = form_of(app)
    for label, name in (
        ("Identity card or passport seen on", "identity_seen_on"),
        ("Interview held on", "interviewed_on"),
        ("Certificate seen on", "certificate_seen_on"),
        ("Charter accepted on", "charter_accepted_on"),
    ):
        vet.fill(label, form[name])
    vet.check("I have seen a certificate of good conduct with this name")
    vet.press("Yes, I vouch for %(name)s", name="Nouhaila Karimi")
    vet.sees(
        vet.says("%(name)s is vetted and takes part in the next matching.", name="Nouhaila Karimi")
    )
    vet.look("vetted")
    assert state_of(app, waiting) is TutorState.VETTED

    zone.open(f"/coordinator/volunteers/{teaching}")
    zone.follow("Suspend %(name)s", name="Rania Mounir")
    zone.sees_not("Lina Zahra")
    zone.look("suspension")
    zone.fill("Why?", "a worry")
    zone.press("Suspend now")
    zone.sees(zone.says("%(name)s is suspended.", name="Rania Mounir"))
    zone.look("suspended")
    assert state_of(app, teaching) is TutorState.SUSPENDED

    edit = visit(f"/coordinator/volunteers/{waiting}/edit", signed_in=administrator)
    edit.fill("First name", "Nouha")
    edit.look("edit")
    edit.page.get_by_role("button", name=edit.says("Keep"), exact=True).last.click()
    edit.sees(edit.says("What you changed for %(name)s is kept.", name="Nouha Karimi"))


def signed_in_as(app: Flask) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, EMAIL).status_code == 302
    return client
