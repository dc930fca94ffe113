"""Families' links: what they open, how long, and what ends them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import AuditEntry, FamilyLink, Household
from app.services import family_links
from app.services.errors import NotFound
from tests.support.lists import count
from tests.support.pages import signed_in
from tests.support.people import make_coordinator, make_household, make_programme

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def household_id(app: Flask) -> int:
    with app.app_context():
        make_programme()
        return make_household().id


def opens(token: str) -> bool:
    try:
        family_links.open_link(token)
    except NotFound:
        return False
    return True


def test_link_opens_its_own_household(app: Flask, household_id: int) -> None:
    with app.app_context():
        other = make_household().id
        _household, token = family_links.make_link(household_id, None)
        family_links.make_link(other, None)
        assert family_links.open_link(token).id == household_id
        assert len(token) == 22  # 128 bits in base64
        assert not opens(token[:-1])
        assert not opens("")


def test_only_a_hash_of_the_link_is_kept(app: Flask, household_id: int) -> None:
    with app.app_context():
        _household, token = family_links.make_link(household_id, None)
        row = db.session.scalars(select(FamilyLink)).one()
        assert len(row.token_hash) == 64
        assert token not in row.token_hash
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.subject) == ("make_family_link", f"household:{household_id}")
        assert token not in str(vars(entry))


@pytest.mark.parametrize(
    ("made", "last", "first_without"),
    [
        # July still has one hour more than UTC in 2026, and none from September 2026 on.
        ("2026-05-02T09:00", "2026-07-31T22:59", "2026-07-31T23:00"),
        ("2026-07-31T22:59", "2026-07-31T22:59", "2026-07-31T23:00"),
        ("2026-07-31T23:00", "2027-07-31T23:59", "2027-08-01T00:00"),
        ("2026-11-02T09:00", "2027-07-31T23:59", "2027-08-01T00:00"),
    ],
)
def test_link_holds_to_the_end_of_july_on_the_programmes_clocks(
    app: Flask, household_id: int, made: str, last: str, first_without: str
) -> None:
    with app.app_context(), time_machine.travel(utc(made), tick=False) as clock:
        _household, token = family_links.make_link(household_id, None)
        clock.move_to(utc(last))
        assert opens(token)
        clock.move_to(utc(first_without))
        assert not opens(token)
        assert family_links.linked_households([household_id]) == set()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_new_link_ends_the_one_before(app: Flask, household_id: int) -> None:
    with app.app_context():
        _household, former = family_links.make_link(household_id, None)
        _household, token = family_links.make_link(household_id, None)
        assert (opens(former), opens(token)) == (False, True)
        assert family_links.linked_households([household_id, 99]) == {household_id}


def test_coordinator_ends_a_link(app: Flask, household_id: int) -> None:
    with app.app_context():
        _household, token = family_links.make_link(household_id, None)
        family_links.end_links(household_id, make_coordinator())
        assert not opens(token)
        with pytest.raises(NotFound):
            family_links.end_links(99, make_coordinator("other@example.org"))


def test_change_of_telephone_ends_the_link_in_its_own_transaction(
    app: Flask, household_id: int
) -> None:
    with app.app_context():
        _household, token = family_links.make_link(household_id, None)
        with pytest.raises(ZeroDivisionError):
            change_telephone(household_id, then=lambda: 1 / 0)
        assert opens(token)
        change_telephone(household_id, then=lambda: None)
        assert not opens(token)


@on_sqlite
def test_page_shows_a_new_link_once(app: Flask, household_id: int) -> None:
    client = signed_in(app)
    client.post("/language", data={"locale": "en"})
    family = f"/coordinator/families/{household_id}"
    assert "Make the family's link" in unescape(client.get(family).text)
    path = f"/coordinator/families/{household_id}/link"
    page = client.post(path)
    address = page.text.partition("http://localhost/f/")[2][:22]
    assert client.get(f"/f/{address}").status_code == 200
    assert address not in client.get(family).text
    ended = client.post(f"{path}/end")
    # Addresses stand in logs and histories: nobody's name is in this one.
    assert ended.location == f"/coordinator/families/{household_id}"
    with app.app_context():
        other, one = make_household(), db.session.get_one(Household, household_id)
        here, elsewhere = one.phone[-4:], other.phone[-4:]
    shown = client.get(ended.location).text
    assert here in shown
    assert elsewhere not in shown
    assert client.get(f"/f/{address}").status_code == 404
    assert client.post("/coordinator/families/99/link").status_code == 404
    assert client.get(path).status_code == 405


def change_telephone(household_id: int, then: Callable[[], object]) -> None:
    with transaction():
        household = db.session.get_one(Household, household_id)
        household.phone = "+212600000199"
        family_links.revoke_links(household)
        then()


def reached_at(app: Flask, address: str) -> None:
    """Set N9RAW_PUBLIC_URL."""
    app.config["N9RAW"] = dataclasses.replace(app.config["N9RAW"], public_url=address)


@on_sqlite
def test_link_begins_with_the_programs_public_address(app: Flask, household_id: int) -> None:
    reached_at(app, "https://lessons.example.org")
    page = signed_in(app).post(f"/coordinator/families/{household_id}/link").text
    assert "https://lessons.example.org/f/" in page


@on_sqlite
def test_command_without_a_public_address_makes_no_link(app: Flask, household_id: int) -> None:
    ran = app.test_cli_runner().invoke(args=["family-link", "0600-000101"])
    assert ran.exit_code == 1
    assert "N9RAW_PUBLIC_URL" in ran.output


@on_sqlite
@pytest.mark.parametrize("national", [False, True])
def test_command_prints_a_link(app: Flask, household_id: int, national: bool) -> None:
    with app.app_context():
        phone = db.session.get_one(Household, household_id).phone
    typed = "0" + phone.removeprefix("+212") if national else phone
    reached_at(app, "https://lessons.example.org")
    ran = app.test_cli_runner().invoke(args=["family-link", typed])
    assert ran.exit_code == 0, ran.output
    address, _slash, token = ran.output.strip().rpartition("/")
    assert address == "https://lessons.example.org/f"
    with app.app_context():
        assert opens(token)


@on_sqlite
@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("0600-000999", "No family has this telephone number."),
        ("Hiba", "This is not a telephone number."),
    ],
)
def test_command_says_which_number_it_does_not_know(app: Flask, typed: str, refusal: str) -> None:
    reached_at(app, "https://lessons.example.org")
    ran = app.test_cli_runner(env={"N9RAW_LANG": "en"}).invoke(args=["family-link", typed])
    assert ran.exit_code == 1
    assert refusal in ran.output
    with app.app_context():
        assert count(FamilyLink) == 0
