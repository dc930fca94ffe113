"""Coordinators send families their links: one family, or all of a zone that lack one."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Message, MessageKind
from tests.support.pages import in_english
from tests.support.people import make_coordinator, make_household, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PATH = "/coordinator/families/links"


@pytest.fixture
def staff(app: Flask) -> FlaskClient:
    """A coordinator of a program that knows its address and sends e-mail."""
    app.config["N9RAW"] = dataclasses.replace(
        app.config["N9RAW"],
        public_url="https://lessons.example.org",
        smtp_url="smtp://127.0.0.1:9",
        mail_from="n9raw@example.org",
    )
    return in_english(app)


def family(app: Flask, zone: str) -> tuple[int, int]:
    """A family with an e-mail address: its id, and that of its zone."""
    with app.app_context():
        household = make_household(zone=zone)
        with transaction():
            household.email = f"family{household.id}@example.org"
        return household.id, household.zone_id


def written_to(app: Flask) -> list[int | None]:
    with app.app_context():
        sent = select(Message.household_id).where(Message.kind == MessageKind.FAMILY_LINK)
        return list(db.session.scalars(sent.order_by(Message.id)))


def test_one_family_then_all_others_are_sent_their_links(app: Flask, staff: FlaskClient) -> None:
    one, other = family(app, "Boujniba")[0], family(app, "Boujniba")[0]
    assert "Send 2 links" in staff.get(f"{PATH}?lessons=no").text
    assert "There is nobody to send one to." in staff.get(PATH).text
    answer = staff.post(f"/coordinator/families/{one}/link/send", follow_redirects=True)
    assert "The link is on its way to Walid Touil." in answer.text
    assert "/f/" not in answer.text
    assert "Send 1 link" in staff.get(f"{PATH}?lessons=no").text
    answer = staff.post(f"{PATH}?lessons=no", follow_redirects=True)
    assert "1 link is on its way." in answer.text
    assert written_to(app) == [one, other]


def test_coordinator_sends_links_to_own_zones_alone(app: Flask, staff: FlaskClient) -> None:
    (mine, zone_id), (theirs, other_zone) = family(app, "Boujniba"), family(app, "Boulanouare")
    with app.app_context():
        make_coordinator("zone@example.org", zone_ids=[zone_id])
    of_zone = app.test_client()
    sign_in(of_zone, "zone@example.org")
    assert of_zone.get(f"{PATH}?zone={other_zone}").status_code == 404
    assert of_zone.post(f"{PATH}?zone={other_zone}").status_code == 404
    assert of_zone.post(f"/coordinator/families/{theirs}/link/send").status_code == 404
    assert "Boulanouare" not in of_zone.get(PATH).text
    assert of_zone.post(f"{PATH}?lessons=no").status_code == 303
    assert written_to(app) == [mine]


def test_page_says_what_is_missing(app: Flask, staff: FlaskClient) -> None:
    household_id, _zone = family(app, "Boujniba")
    app.config["N9RAW"] = dataclasses.replace(app.config["N9RAW"], public_url=None)
    assert "N9RAW_PUBLIC_URL" in staff.get(f"{PATH}?lessons=no").text
    answer = staff.post(f"/coordinator/families/{household_id}/link/send")
    assert answer.status_code == 409
    assert "N9RAW_PUBLIC_URL" in answer.text
    assert written_to(app) == []
