"""What a coordinator's password is checked against, and what it holds up meanwhile."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.security import check_password_hash, generate_password_hash

from app.extensions import db
from app.services import coordinators
from app.services.coordinators import add_coordinator, change_password, check_password
from app.services.errors import Invalid
from tests.support.people import PASSWORD, make_coordinator

EMAIL = "coordinator@example.org"


@pytest.mark.parametrize("address", [EMAIL, "nobody@example.org"])
def test_slow_check_holds_no_transaction(
    app: Flask, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    held = []

    def check(known: str, typed: str) -> bool:
        held.append(db.session.registry().in_transaction())
        return check_password_hash(known, typed)

    monkeypatch.setattr(coordinators, "check_password_hash", check)
    with app.app_context():
        make_coordinator(EMAIL)
        with pytest.raises(Invalid):
            check_password(address, "not this one")
    assert held == [False]


def test_making_a_hash_holds_no_transaction(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []

    def generate(password: str) -> str:
        held.append(db.session.registry().in_transaction())
        return generate_password_hash(password)

    monkeypatch.setattr(coordinators, "generate_password_hash", generate)
    with app.app_context():
        add_coordinator(EMAIL, "Zineb Alaoui", PASSWORD)
        change_password(EMAIL, PASSWORD + "!")
        assert check_password(EMAIL, PASSWORD + "!").wrong_passwords == 0
    assert held == [False, False]


def test_password_that_is_changed_while_it_is_checked_opens_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(known: str, typed: str) -> bool:
        change_password(EMAIL, "quite another password")
        return check_password_hash(known, typed)

    monkeypatch.setattr(coordinators, "check_password_hash", check)
    with app.app_context():
        make_coordinator(EMAIL)
        with pytest.raises(Invalid):
            check_password(EMAIL, PASSWORD)
        assert coordinators.find_coordinator(EMAIL).wrong_passwords == 1
