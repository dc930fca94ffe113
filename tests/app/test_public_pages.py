"""Pages for everyone: the first page, languages, errors, headers."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app import create_app
from app.extensions import db
from app.services.errors import Conflict, NotFound
from app.web.access import ANYONE, RULES, Rule
from tests.support.databases import make_config
from tests.support.pages import EMAIL, signed_in, words
from tests.support.people import PASSWORD

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_first_page_is_french_until_another_language_is_chosen(client: FlaskClient) -> None:
    assert '<html lang="fr" dir="ltr">' in client.get("/").text
    answer = client.post("/language", data={"locale": "ar", "next": "/account/sign-in"})
    assert answer.location == "/account/sign-in"
    assert '<html lang="ar" dir="rtl">' in client.get("/account/sign-in").text
    client.post("/language", data={"locale": "en"})
    assert '<html lang="en" dir="ltr">' in client.get("/").text


def test_unknown_language_changes_nothing(client: FlaskClient) -> None:
    assert client.post("/language", data={"locale": "xx"}).location == "/"
    assert '<html lang="fr" dir="ltr">' in client.get("/").text


def test_choice_of_language_leads_to_no_other_site(client: FlaskClient) -> None:
    answer = client.post("/language", data={"locale": "ar", "next": "//evil.example/"})
    assert answer.location == "/"


def test_health_page_asks_the_database(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/account/sign-in", "/healthz", "/no/such/page"])
def test_every_page_forbids_scripts_frames_and_keeping(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy


def test_static_files_may_be_kept_as_long_as_their_address_holds(client: FlaskClient) -> None:
    address = re.search(r'href="(/static/n9raw.css\?v=\w+)"', client.get("/").text)
    assert address is not None
    with client.get(address[1]) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    with client.get("/static/n9raw.css") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


def test_pages_carry_no_inline_style_or_script(client: FlaskClient) -> None:
    page = client.get("/").text
    assert not re.search(r"<style|<script|\sstyle=|\son\w+=", page)


@pytest.mark.parametrize(
    ("locale", "title"),
    [("en", "This page does not exist"), ("fr", "Cette page n’existe pas")],
)
def test_unknown_page_has_a_page_in_the_readers_language(
    client: FlaskClient, locale: str, title: str
) -> None:
    client.post("/language", data={"locale": locale})
    answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert f"<h1>{title}</h1>" in answer.text


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotFound("There is no such thing."), 404), (Conflict("Too late for that."), 409)],
)
def test_refusal_of_a_service_is_shown_with_its_status(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    def refuse() -> str:
        raise error

    monkeypatch.setitem(RULES, "refuse", Rule(ANYONE))
    app = create_app(make_config(database_url))
    app.add_url_rule("/refuse", view_func=refuse)
    answer = app.test_client().get("/refuse")
    assert answer.status_code == status
    assert str(error) in words(answer.text)


def test_fault_has_a_page_that_asks_nothing_of_the_database(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(app)
    client.post("/language", data={"locale": "en"})
    app.config.update(PROPAGATE_EXCEPTIONS=False)

    def broken(*_arguments: object, **_named: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is gone"))

    monkeypatch.setattr(db.session, "get", broken)
    monkeypatch.setattr(db.session, "execute", broken)
    answer = client.get("/coordinator/desk")
    assert answer.status_code == 500
    assert "Something is broken" in words(answer.text)
    assert "the database is gone" not in answer.text


def test_form_without_a_token_is_refused_with_a_way_back(app: Flask, client: FlaskClient) -> None:
    app.config.update(WTF_CSRF_ENABLED=True)
    client.get("/account/sign-in")
    answer = client.post(
        "/account/sign-in",
        data={"email": EMAIL, "password": PASSWORD},
        headers={"Referer": "http://localhost/account/sign-in?next=/coordinator/pupils"},
    )
    assert answer.status_code == 400
    assert "expiré" in answer.text
    assert 'href="/account/sign-in?next=/coordinator/pupils"' in answer.text


def test_expired_form_leads_to_no_other_site(app: Flask, client: FlaskClient) -> None:
    app.config.update(WTF_CSRF_ENABLED=True)
    answer = client.post("/language", headers={"Referer": "https://evil.example/account/sign-in"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.text


def test_form_with_its_token_is_taken(app: Flask, client: FlaskClient) -> None:
    app.config.update(WTF_CSRF_ENABLED=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
    assert token is not None
    answer = client.post("/language", data={"locale": "ar", "csrf_token": token[1]})
    assert answer.location == "/"


def test_too_large_upload_says_how_large_it_may_be(app: Flask, client: FlaskClient) -> None:
    client.post("/language", data={"locale": "en"})
    app.config.update(MAX_CONTENT_LENGTH=100)
    answer = client.post("/account/sign-in", data={"email": "x" * 200})
    assert answer.status_code == 413
    assert "It may have at most 10 MB." in words(answer.text)


def test_nothing_but_a_file_may_be_large(client: FlaskClient) -> None:
    assert client.post("/help/name", data={"name": "x" * 600_000}).status_code == 413
    assert client.post("/f/unknown/worry", data={"text": "x" * 600_000}).status_code == 413


def test_every_form_needs_its_token_but_those_of_a_familys_link_and_of_signed_hooks(
    app: Flask, client: FlaskClient
) -> None:
    app.config.update(WTF_CSRF_ENABLED=True)
    taken = set()
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()):
            path = re.sub(r'<any\("?([\w-]+)[^>]*>', r"\1", rule.rule)
            answer = client.post(re.sub("<[^>]*>", "1", path))
            if answer.status_code != 400 or "expiré" not in answer.text:
                taken.add(rule.endpoint.partition(".")[0])
    assert taken == {"family", "hooks"}
