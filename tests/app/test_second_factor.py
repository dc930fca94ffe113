"""Coordinators' second factor: set up, asked, each code once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from pyotp.totp import TOTP

from app import create_app
from app.extensions import db
from app.services.coordinators import change_password
from tests.support.databases import make_config
from tests.support.pages import EMAIL, words
from tests.support.people import PASSWORD, make_coordinator, sign_in

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
RIGHT = {"email": EMAIL, "password": PASSWORD}
PAGE = "/account/second-factor"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(START, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def secret(app: Flask, client: FlaskClient) -> str:
    """The secret of a coordinator who has set up an app and signed out."""
    with app.app_context():
        make_coordinator(EMAIL)
    key = begin(client)
    assert client.post(PAGE, data={"code": TOTP(key).at(START)}).location == "/coordinator/desk"
    client.post("/account/sign-out")
    return key


def begin(client: FlaskClient) -> str:
    """The key that the page of setting up shows."""
    assert client.post("/account/sign-in", data=RIGHT).location == PAGE
    page = client.get(PAGE).text
    assert 'src="data:image/svg+xml' in page
    key = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)
    assert key is not None
    return key[1].replace(" ", "")


def enter(client: FlaskClient, code: str) -> int:
    """Password and this code; the status of the last answer."""
    assert client.post("/account/sign-in", data=RIGHT).location == PAGE
    return client.post(PAGE, data={"code": code}).status_code


def test_code_is_taken_once(
    client: FlaskClient, secret: str, clock: time_machine.Coordinates
) -> None:
    assert enter(client, TOTP(secret).at(START)) == 400
    clock.shift(timedelta(seconds=30))
    code = TOTP(secret).at(START + timedelta(seconds=30))
    assert enter(client, code) == 302
    client.post("/account/sign-out")
    assert enter(client, code) == 400


@pytest.mark.parametrize(("seconds_off", "status"), [(-60, 400), (-30, 302), (30, 302), (60, 400)])
def test_telephones_clock_may_be_half_a_minute_off(
    client: FlaskClient,
    secret: str,
    clock: time_machine.Coordinates,
    seconds_off: int,
    status: int,
) -> None:
    clock.shift(timedelta(hours=1))
    shown = START + timedelta(hours=1, seconds=seconds_off)
    assert enter(client, TOTP(secret).at(shown)) == status


def test_code_before_one_that_was_taken_is_refused(
    client: FlaskClient, secret: str, clock: time_machine.Coordinates
) -> None:
    clock.shift(timedelta(minutes=5))
    now = START + timedelta(minutes=5)
    assert enter(client, TOTP(secret).at(now)) == 302
    client.post("/account/sign-out")
    assert enter(client, TOTP(secret).at(now - timedelta(seconds=30))) == 400


def test_wrong_codes_lock_like_wrong_passwords_and_no_right_password_forgets_them(
    client: FlaskClient, secret: str, clock: time_machine.Coordinates
) -> None:
    clock.shift(timedelta(minutes=5))
    right = TOTP(secret).at(START + timedelta(minutes=5))
    for _ in range(10):
        assert enter(client, f"{(int(right) + 7) % 1_000_000:06d}") == 400
    assert client.post(PAGE, data={"code": right}).status_code == 400
    assert client.post("/account/sign-in", data=RIGHT).status_code == 400
    clock.shift(timedelta(minutes=15, seconds=1))
    assert enter(client, TOTP(secret).at(START + timedelta(minutes=20, seconds=1))) == 302


@on_sqlite
def test_page_after_the_first_time_shows_no_key(client: FlaskClient, secret: str) -> None:
    client.post("/account/sign-in", data=RIGHT)
    page = client.get(PAGE).text
    assert secret[:4] not in page
    assert "data:image" not in page


@on_sqlite
def test_half_of_a_sign_in_holds_for_ten_minutes(
    client: FlaskClient, secret: str, clock: time_machine.Coordinates
) -> None:
    client.post("/account/sign-in", data=RIGHT)
    clock.shift(timedelta(minutes=10, seconds=1))
    assert client.get(PAGE).location == "/account/sign-in"
    assert client.post(PAGE, data={"code": "000000"}).location == "/account/sign-in"


@on_sqlite
def test_half_of_a_sign_in_ends_with_a_change_of_password(
    app: Flask, client: FlaskClient, secret: str
) -> None:
    client.post("/account/sign-in", data=RIGHT)
    with app.app_context():
        change_password(EMAIL, "another long password")
    assert client.get(PAGE).location == "/account/sign-in"


@on_sqlite
def test_stranger_sees_no_second_factor(client: FlaskClient) -> None:
    assert client.get(PAGE).location == "/account/sign-in"


@on_sqlite
def test_secret_that_was_shown_but_never_confirmed_is_not_used_later(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        make_coordinator(EMAIL)
    shown_to_somebody = begin(app.test_client())
    key = begin(client)
    assert key != shown_to_somebody
    assert enter(client, TOTP(shown_to_somebody).at(START)) == 400


@on_sqlite
def test_reset_ends_sessions_and_asks_for_a_new_app(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_coordinator(EMAIL)
    assert sign_in(client, EMAIL).status_code == 302
    ran = app.test_cli_runner().invoke(args=["coordinator", "reset-totp", EMAIL])
    assert ran.exit_code == 0, ran.output
    assert client.get("/coordinator/desk").status_code == 302
    assert begin(client)


@on_sqlite
def test_reset_of_an_unknown_coordinator_says_so(app: Flask) -> None:
    runner = app.test_cli_runner(env={"N9RAW_LANG": "en"})
    ran = runner.invoke(args=["coordinator", "reset-totp", "nobody@example.org"])
    assert ran.exit_code == 1
    assert "No coordinator has this e-mail address." in ran.output


@on_sqlite
def test_empty_code_is_asked_for_again(client: FlaskClient, secret: str) -> None:
    client.post("/language", data={"locale": "en"})
    client.post("/account/sign-in", data=RIGHT)
    answer = client.post(PAGE, data={"code": ""})
    assert answer.status_code == 400
    assert "Enter the six digits that the app shows." in words(answer.text)


@on_sqlite
def test_demo_asks_for_no_second_factor(database_url: str) -> None:
    app = create_app(make_config(database_url, N9RAW_DEMO="1"))
    app.config.update(WTF_CSRF_ENABLED=False)
    with app.app_context():
        make_coordinator(EMAIL)
    client = app.test_client()
    assert client.post("/account/sign-in", data=RIGHT).location == "/coordinator/desk"
    assert client.get("/coordinator/desk").status_code == 200
    with app.app_context():
        db.engine.dispose()
