"""Coordinators invite one another, get zones and roles, and lose their accounts."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import AuditEntry, Coordinator, Invitation, RecoveryCode
from app.services import invitations, team
from app.services.coordinators import Role, check_password
from app.services.errors import Conflict, Invalid, NotFound
from app.services.scope import scope_of
from scheduler import clock
from tests.support.pages import in_english, signed_in_by_password, words
from tests.support.people import (
    PASSWORD,
    make_coordinator,
    make_household,
    make_programme,
    next_app_code,
    sign_in,
)

EVERYTHING = Role(is_administrator=False, zone_ids=None)
ADMINISTRATOR = Role(is_administrator=True, zone_ids=None)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def zone(app: Flask) -> Iterator[int]:
    with app.app_context():
        make_programme()
        yield make_household(zone="Boujniba").zone_id


def test_invited_coordinator_gets_the_account_that_was_offered(zone: int) -> None:
    by = make_coordinator()
    offered, token = invitations.invite(
        " Amal@Example.org ", "Amal  Idrissi", Role(False, [zone]), by
    )
    assert invitations.read_invitation(token).id == offered.id
    amal = invitations.accept_invitation(token, PASSWORD)
    assert (amal.email, amal.name) == ("amal@example.org", "Amal Idrissi")
    assert scope_of(amal).zone_ids == {zone}
    assert check_password("amal@example.org", PASSWORD).id == amal.id
    with pytest.raises(NotFound):
        invitations.accept_invitation(token, PASSWORD)
    assert invitations.open_invitations() == []


@pytest.mark.parametrize(
    ("role", "everywhere", "administrator"),
    [(EVERYTHING, True, False), (ADMINISTRATOR, True, True)],
)
def test_invitation_gives_all_zones_or_the_administration(
    zone: int, role: Role, everywhere: bool, administrator: bool
) -> None:
    _offered, token = invitations.invite("amal@example.org", "Amal", role, make_coordinator())
    amal = invitations.accept_invitation(token, PASSWORD)
    assert (scope_of(amal).is_everywhere, amal.is_administrator) == (everywhere, administrator)


def test_invitation_holds_for_seven_days(zone: int) -> None:
    _offered, token = invitations.invite("a@example.org", "Amal", EVERYTHING, make_coordinator())
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1)):
        assert invitations.open_invitations() == []
        with pytest.raises(NotFound):
            invitations.read_invitation(token)
        with pytest.raises(NotFound):
            invitations.accept_invitation(token, PASSWORD)
    invitations.accept_invitation(token, PASSWORD)


def test_newer_invitation_ends_the_one_before_and_each_can_be_taken_back(zone: int) -> None:
    by = make_coordinator()
    _first, old = invitations.invite("a@example.org", "Amal", EVERYTHING, by)
    second, new = invitations.invite("a@example.org", "Amal", EVERYTHING, by)
    with pytest.raises(NotFound):
        invitations.read_invitation(old)
    invitations.take_back(second.id, by)
    with pytest.raises(NotFound):
        invitations.read_invitation(new)
    with pytest.raises(Conflict):
        invitations.take_back(second.id, by)
    with pytest.raises(NotFound):
        invitations.take_back(999, by)


def test_invitation_is_refused_to_whom_has_an_account_and_without_zone_or_name(zone: int) -> None:
    by = make_coordinator("salma@example.org")
    with pytest.raises(Conflict):
        invitations.invite("SALMA@example.org", "Salma", EVERYTHING, by)
    for email, name, role in (
        ("no address", "Amal", EVERYTHING),
        ("a@example.org", "  ", EVERYTHING),
        ("a@example.org", "A" * 121, EVERYTHING),
        ("a@example.org", "Amal", Role(False, [])),
        ("a@example.org", "Amal", Role(False, [zone + 1])),
    ):
        with pytest.raises(Invalid):
            invitations.invite(email, name, role, by)
    assert db.session.scalars(select(Invitation)).all() == []
    _offered, token = invitations.invite("a@example.org", "Amal", EVERYTHING, by)
    with pytest.raises(Invalid):
        invitations.accept_invitation(token, "too short")
    invitations.read_invitation(token)


def test_somebody_stays_administrator(zone: int) -> None:
    first, second = make_coordinator("a@example.org"), make_coordinator("b@example.org")
    team.change_role(first.id, Role(False, [zone]), second)
    assert scope_of(db.session.get_one(Coordinator, first.id)).zone_ids == {zone}
    for refused in (
        lambda: team.change_role(second.id, EVERYTHING, second),
        lambda: team.close_account(second.id, second),
    ):
        with pytest.raises(Conflict):
            refused()
    team.change_role(first.id, ADMINISTRATOR, second)
    team.close_account(first.id, second)
    with pytest.raises(Conflict):
        team.close_account(second.id, second)
    team.open_account(first.id, second)
    team.change_role(second.id, Role(False, [zone]), first)
    assert db.session.get_one(Coordinator, first.id).is_administrator


def test_closed_account_knows_no_password_until_it_is_opened(zone: int) -> None:
    by, other = make_coordinator("a@example.org"), make_coordinator("b@example.org")
    team.close_account(other.id, by)
    with pytest.raises(Invalid):
        check_password("b@example.org", PASSWORD)
    with pytest.raises(Conflict):
        team.close_account(other.id, by)
    team.open_account(other.id, by)
    assert check_password("b@example.org", PASSWORD).id == other.id
    with pytest.raises(Conflict):
        team.open_account(other.id, by)
    assert db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == f"coordinator:{other.id}")
    ).all() == ["close_account", "open_account"]


def test_command_adds_coordinators_of_all_zones_or_of_some(app: Flask, zone: int) -> None:
    run = app.test_cli_runner().invoke
    password = ["--password", PASSWORD]
    run(args=["coordinator", "add", "a@example.org", "A", *password])
    run(args=["coordinator", "add", "b@example.org", "B", "--all-zones", *password])
    run(args=["coordinator", "add", "c@example.org", "C", "--zone", "BOUJNIBA", *password])
    ran = run(args=["coordinator", "add", "d@example.org", "D", "--zone", "Nowhere", *password])
    assert ran.exit_code == 1
    rows = db.session.scalars(select(Coordinator).order_by(Coordinator.email)).all()
    assert [(row.is_administrator, scope_of(row).zone_ids) for row in rows] == [
        (True, None),
        (False, None),
        (False, frozenset({zone})),
    ]


@on_sqlite
def test_administrator_invites_on_a_page_and_the_link_is_shown_once(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        zone_id = make_household(zone="Boujniba").zone_id
    page = "/coordinator/team/invite"
    wrong = client.post(page, data={"name": "Amal", "email": "amal@example.org", "role": "zones"})
    assert wrong.status_code == 400
    assert "Choose at least one zone, or all zones." in words(wrong.text)
    answer = client.post(
        page,
        data={"name": "Amal", "email": "amal@example.org", "role": "zones", "zones": str(zone_id)},
    )
    found = re.search(r"/invitation/[\w-]{22}", answer.text)
    assert found is not None
    listed = client.get("/coordinator/team").text
    assert "amal@example.org" in listed
    assert found[0] not in listed

    stranger = app.test_client()
    stranger.post("/language", data={"locale": "en"})
    answer = stranger.get(found[0])
    assert "Welcome, Amal" in words(answer.text)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    for password, again in (("short", "short"), (PASSWORD, "another password")):
        data = {"password": password, "again": again}
        assert stranger.post(found[0], data=data).status_code == 400
    assert stranger.get(found[0]).status_code == 200
    answer = stranger.post(found[0], data={"password": PASSWORD, "again": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/account/sign-in")
    assert stranger.get(found[0]).status_code == 404
    assert sign_in(stranger, "amal@example.org").status_code == 302
    assert stranger.get("/coordinator/desk").status_code == 200
    assert stranger.get("/coordinator/team").status_code == 403


@on_sqlite
def test_invitations_are_not_written_to_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger=app.logger.name):
        app.logger.error("failed: %s", "/invitation/AbCdEfGhIjKlMnOpQrStUv")
    assert "AbCdEf" not in caplog.text
    assert "/invitation/..." in caplog.text


@on_sqlite
def test_coordinator_changes_the_password_and_other_browsers_are_signed_out(app: Flask) -> None:
    client, other = signed_in_by_password(app), app.test_client()
    with app.app_context():
        email = db.session.scalars(select(Coordinator.email)).one()
    sign_in(other, email)
    new = "quite another password"

    def change(present: str, password: str, again: str) -> tuple[int, str]:
        data = {"present": present, "password": password, "again": again}
        answer = client.post("/account/password", data=data)
        return answer.status_code, words(answer.text) if answer.status_code == 400 else ""

    assert "This is not your present password." in change("wrong", new, new)[1]
    assert "The two passwords are not the same." in change(PASSWORD, new, PASSWORD)[1]
    assert "A password needs at least 12 characters." in change(PASSWORD, "short", "short")[1]
    assert other.get("/account").status_code == 200
    assert change(PASSWORD, new, new) == (303, "")
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    with app.app_context():
        assert check_password(email, new).email == email


@on_sqlite
def test_coordinator_chooses_how_they_are_written_to(app: Flask) -> None:
    client = signed_in_by_password(app)
    assert '<input checked id="digest"' in client.get("/account").text
    answer = client.post("/account/messages", data={"language": "ar"})
    assert (answer.status_code, answer.location) == (303, "/account")
    with app.app_context():
        row = db.session.scalars(select(Coordinator)).one()
        assert (row.message_language, row.wants_digest) == ("ar", False)
    assert '<input checked id="digest"' not in client.get("/account").text
    refused = client.post("/account/messages", data={"language": "xx", "digest": "y"})
    assert refused.status_code == 400
    with app.app_context():
        row = db.session.scalars(select(Coordinator)).one()
        assert (row.message_language, row.wants_digest) == ("ar", False)


@on_sqlite
def test_recovery_code_stands_for_the_app_once(app: Flask) -> None:
    client = signed_in_by_password(app)
    with app.app_context():
        email = db.session.scalars(select(Coordinator.email)).one()
    codes = recovery_codes(client)
    assert len(set(codes)) == 10
    assert "You have 10 codes left" in words(client.get("/account").text)
    with app.app_context():
        hashes = db.session.scalars(select(RecoveryCode.code_hash)).all()
        assert not any(code.replace("-", "") in kept for code in codes for kept in hashes)
    assert try_code(app, email, "abcde-fghjk") == 400
    assert try_code(app, email, codes[0].upper().replace("-", " ")) == 302
    assert try_code(app, email, codes[0]) == 400
    assert "You have 9 codes left" in words(client.get("/account").text)
    assert try_code(app, email, next_app_code(app, email)) == 302
    newer = recovery_codes(client)
    assert try_code(app, email, codes[1]) == 400
    assert try_code(app, email, newer[0]) == 302


@on_sqlite
def test_recovery_codes_end_with_the_second_factor(app: Flask) -> None:
    client = in_english(app)
    recovery_codes(client)
    run = app.test_cli_runner().invoke
    assert run(args=["coordinator", "reset-totp", "coordinator@example.org"]).exit_code == 0
    with app.app_context():
        assert db.session.scalars(select(RecoveryCode)).all() == []


def recovery_codes(client: FlaskClient) -> list[str]:
    page = client.post("/account/recovery-codes").text
    return re.findall(r"<code dir=\"ltr\">(\w{5}-\w{5})</code>", page)


def try_code(app: Flask, email: str, code: str) -> int:
    client = app.test_client()
    answer = client.post("/account/sign-in", data={"email": email, "password": PASSWORD})
    return client.post(answer.location, data={"code": code}).status_code


@pytest.mark.parametrize("end", ["closed", "no administrator any more"])
def test_invitations_end_with_the_power_to_invite(zone: int, end: str) -> None:
    first, second = make_coordinator(), make_coordinator("second@example.org")
    _invitation, kept = invitations.invite("amal@example.org", "Amal", Role(False, [zone]), first)
    _invitation, token = invitations.invite("own@example.org", "Own", ADMINISTRATOR, second)
    if end == "closed":
        team.close_account(second.id, first)
    else:
        team.change_role(second.id, EVERYTHING, first)
    with pytest.raises(NotFound):
        invitations.read_invitation(token)
    with pytest.raises(NotFound):
        invitations.accept_invitation(token, PASSWORD)
    assert [row.email for row in invitations.open_invitations()] == ["amal@example.org"]
    assert invitations.accept_invitation(kept, PASSWORD).email == "amal@example.org"
