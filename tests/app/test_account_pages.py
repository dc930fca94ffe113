"""Signing in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.extensions import db
from app.services.coordinators import change_password
from app.services.demo import DEMO_EMAIL, DEMO_PASSWORD
from tests.support.databases import make_config
from tests.support.pages import EMAIL, signed_in, words
from tests.support.people import PASSWORD, make_coordinator, next_app_code, sign_in

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
RIGHT = {"email": EMAIL, "password": PASSWORD}
WRONG = {"email": EMAIL, "password": "not the password"}


@pytest.fixture
def coordinator(app: Flask) -> None:
    with app.app_context():
        make_coordinator(EMAIL)


def wrong_tries(client: FlaskClient, number: int) -> list[int]:
    return [client.post("/account/sign-in", data=WRONG).status_code for _ in range(number)]


@on_sqlite
@pytest.mark.usefixtures("coordinator")
def test_right_password_and_code_open_the_desk(client: FlaskClient) -> None:
    answer = sign_in(client)
    assert answer.status_code == 302
    assert answer.location == "/coordinator/desk"
    assert client.get("/coordinator/desk").status_code == 200


@on_sqlite
@pytest.mark.usefixtures("coordinator")
def test_right_password_alone_opens_nothing(client: FlaskClient) -> None:
    assert client.post("/account/sign-in", data=RIGHT).location == "/account/second-factor"
    assert client.get("/coordinator/desk").status_code == 302
    assert client.get("/account/sign-in").status_code == 200


@on_sqlite
@pytest.mark.usefixtures("coordinator")
def test_address_may_be_written_in_capitals_and_with_spaces(client: FlaskClient) -> None:
    data = {"email": f" {EMAIL.upper()} ", "password": PASSWORD}
    assert client.post("/account/sign-in", data=data).status_code == 302


@on_sqlite
@pytest.mark.usefixtures("coordinator")
def test_refusal_is_the_same_with_and_without_an_account(client: FlaskClient) -> None:
    pages = []
    for email in (EMAIL, "nobody@example.org"):
        answer = client.post("/account/sign-in", data={"email": email, "password": "x" * 12})
        assert answer.status_code == 400
        pages.append(words(answer.text))
    assert pages[0] == pages[1]
    assert client.get("/coordinator/desk").status_code == 302


@on_sqlite
def test_empty_form_says_the_same_at_the_field_and_on_top(client: FlaskClient) -> None:
    client.post("/language", data={"locale": "en"})
    page = client.post("/account/sign-in", data={}).text
    for field, sentence in (
        ("email", "Enter your e-mail address."),
        ("password", "Enter your password."),
    ):
        assert f'<a href="#{field}">{sentence}</a>' in page
        assert f'<p class="field-error" id="{field}-error">{sentence}</p>' in page
        assert f'aria-describedby="{field}-error"' in page
    assert page.count('aria-invalid="true"') == 2


@on_sqlite
def test_browsers_can_fill_the_form_in(client: FlaskClient) -> None:
    page = client.get("/account/sign-in").text
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page


def test_ten_wrong_tries_lock_an_account_for_a_quarter_of_an_hour(app: Flask) -> None:
    start = datetime(2026, 11, 2, 9, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        with app.app_context():
            make_coordinator(EMAIL)
        client = app.test_client()
        assert wrong_tries(client, 10) == [400] * 10
        assert sign_in(client).status_code == 400
        clock.shift(timedelta(minutes=14, seconds=59))
        assert sign_in(client).status_code == 400
        clock.shift(timedelta(seconds=2))
        assert sign_in(client).status_code == 302


def test_signing_in_forgets_the_wrong_tries_before_it(app: Flask) -> None:
    with app.app_context():
        make_coordinator(EMAIL)
    for _ in range(2):
        client = app.test_client()
        assert wrong_tries(client, 9) == [400] * 9
        assert sign_in(client).status_code == 302


@on_sqlite
@pytest.mark.usefixtures("coordinator")
@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/coordinator/pupils?zone=2", "/coordinator/pupils?zone=2"),
        ("https://evil.example/", "/coordinator/desk"),
        ("//evil.example/", "/coordinator/desk"),
        ("/\\evil.example/", "/coordinator/desk"),
        ("/coordinator/pupils\r\nX-Evil: 1", "/coordinator/desk"),
        ("/no/such/page", "/coordinator/desk"),
        ("/account/sign-out", "/coordinator/desk"),
        ("", "/coordinator/desk"),
    ],
)
def test_sign_in_leads_only_to_pages_of_this_program(
    client: FlaskClient, wanted: str, reached: str
) -> None:
    assert sign_in(client, wanted=wanted).location == reached


@on_sqlite
@pytest.mark.usefixtures("coordinator")
def test_stranger_comes_to_the_page_that_was_asked_for(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/coordinator/volunteers?state=registered")
    assert answer.location.startswith("/account/sign-in?next=")
    answer = client.post(answer.location, data=RIGHT)
    answer = client.post(answer.location, data={"code": next_app_code(app, EMAIL)})
    assert answer.location == "/coordinator/volunteers?state=registered"


@on_sqlite
@pytest.mark.usefixtures("coordinator")
def test_sign_in_begins_a_new_session_and_keeps_the_language(client: FlaskClient) -> None:
    client.post("/language", data={"locale": "ar"})
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    assert sign_in(client).status_code == 302
    with client.session_transaction() as session:
        assert "planted" not in session
    assert 'lang="ar"' in client.get("/coordinator/desk").text


@on_sqlite
def test_sign_out_closes_the_pages(app: Flask) -> None:
    client = signed_in(app)
    assert client.get("/account/sign-out").status_code == 405
    assert client.post("/account/sign-out").location == "/"
    assert client.get("/coordinator/desk").status_code == 302


@on_sqlite
def test_new_password_ends_the_sessions_of_the_old_one(app: Flask) -> None:
    client = signed_in(app)
    with app.app_context():
        change_password(EMAIL, "another long password")
    assert client.get("/coordinator/desk").status_code == 302


@on_sqlite
def test_signed_in_coordinator_is_sent_on_from_sign_in_and_first_page(app: Flask) -> None:
    client = signed_in(app)
    assert client.get("/account/sign-in").location == "/coordinator/desk"
    assert client.get("/").location == "/coordinator/desk"


@on_sqlite
def test_demo_shows_its_account_and_says_that_people_are_made_up(database_url: str) -> None:
    app = create_app(make_config(database_url, N9RAW_DEMO="1"))
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    client.post("/language", data={"locale": "en"})
    page = words(client.get("/account/sign-in").text)
    assert DEMO_EMAIL in page
    assert DEMO_PASSWORD in page
    assert "all the people here are made up" in page
    with app.app_context():
        db.engine.dispose()
