"""A family asks for help on the public pages: a question a page, a code, sent once."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.extensions import db
from app.models import Draft, Household, Message, Pupil, TutoringRequest
from app.services import pace
from app.services.imports.cells import parse_phone
from tests.support.apps import running_app
from tests.support.pages import newest_contact_code, signed_in_tutor, words
from tests.support.people import level, make_household, make_programme, make_tutor, subject

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHONE = "0612 345678"
STEPS = (
    "name",
    "phone",
    "code",
    "commune",
    "languages",
    "ways",
    "hours",
    "children",
    "agreement",
    "check",
)


@pytest.fixture
def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A demo, whose gateway reaches telephones, with a family in the first zone of the list."""
    monkeypatch.setattr(pace, "LONGER_THAN_ANY_ANSWER", 0.0)
    with running_app(database_url, N9RAW_DEMO="1") as app:
        with app.app_context():
            make_programme()
            make_household(zone="Boujniba")
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who reads English."""
    client = app.test_client()
    client.post("/language", data={"locale": "en"})
    return client


def child(
    app: Flask, name: str = "Sara Rami", subjects: tuple[str, ...] = ("maths",)
) -> dict[str, Any]:
    first, _, last = name.partition(" ")
    with app.app_context():
        return {
            "first_name": first,
            "last_name": last,
            "level": level("3AC").id,
            "subjects": [subject(code).id for code in subjects],
        }


def answer_all(app: Flask, client: FlaskClient, phone: str = PHONE) -> None:
    """Answer every question, up to the page that asks to check."""
    assert client.post("/help/name", data={"name": "Karima Rami"}).location == "/help/phone"
    assert client.post("/help/phone", data={"phone": phone}).location == "/help/code"
    code = {"code": newest_contact_code(app, parse_phone(phone))}
    assert client.post("/help/code", data=code).location == "/help/commune"
    assert client.post("/help/commune", data={"zone": "1"}).location == "/help/languages"
    spoken = {"chosen": ["darija", "french"]}
    assert client.post("/help/languages", data=spoken).location == "/help/ways"
    assert client.post("/help/ways", data={"chosen": ["call"]}).location == "/help/hours"
    evening = {"period0": ["evening"]}
    assert client.post("/help/hours", data=evening).location == "/help/children"
    assert client.post("/help/children", data=child(app)).location == "/help/children"
    said = {"lessons": "yes", "groups": "no"}
    assert client.post("/help/agreement", data=said).location == "/help/check"


def test_family_asks_question_by_question_and_sends_once(app: Flask, client: FlaskClient) -> None:
    assert "/help" in client.get("/").text
    assert "eight questions" in client.get("/help").text
    answer_all(app, client)
    page = words(client.get("/help/check").text)
    for said in (
        "Karima Rami",
        "06 12 34 56 78",
        "Boujniba",
        "Sara Rami",
        "Mathematics",
        "group: no",
    ):
        assert said in page
    assert client.post("/help/check").location == "/help/sent"
    assert "A coordinator calls you" in client.get("/help/sent").text
    assert client.post("/help/check").location == "/help/sent"
    with app.app_context():
        household = db.session.scalars(
            select(Household).where(Household.phone == "+212612345678")
        ).one()
        assert [pupil.name for pupil in household.pupils] == ["Sara Rami"]
        assert db.session.scalar(select(func.count()).select_from(Draft)) == 0


def test_page_is_open_once_the_questions_before_it_are_answered(client: FlaskClient) -> None:
    for step in STEPS[1:]:
        assert client.get(f"/help/{step}").location == "/help/name", step
        assert client.post(f"/help/{step}").location == "/help/name", step
    client.post("/help/name", data={"name": "Karima Rami"})
    for step in STEPS[3:]:
        assert client.get(f"/help/{step}").location == "/help/phone", step
    assert client.get("/help/code").location == "/help/phone"
    assert client.get("/help/sent").location == "/help"


def test_every_answer_can_be_changed_and_leads_back_to_the_check(
    app: Flask, client: FlaskClient
) -> None:
    answer_all(app, client)
    page = client.get("/help/check").text
    for step in (*STEPS[:2], *STEPS[3:-1]):
        assert f'href="/help/{step}"' in page
        assert client.get(f"/help/{step}").status_code == 200
    assert client.post("/help/name", data={"name": "Salma Rami"}).location == "/help/check"
    assert "Salma Rami" in client.get("/help/check").text


@pytest.mark.parametrize(
    ("step", "data", "said"),
    [
        ("name", {"name": " "}, "Write a name in letters"),
        ("name", {"name": "123"}, "Write a name in letters"),
        ("phone", {"phone": ""}, "Enter your telephone number."),
        ("phone", {"phone": "12"}, "Expected: one telephone number"),
        ("phone", {"phone": "+33612345678"}, "of this country"),
        ("code", {"code": "1"}, "This code is not right"),
        ("commune", {"zone": "0"}, "Choose one of the communes."),
        ("commune", {"zone": "99"}, "Choose one of the communes."),
        ("commune", {"zone": "-1", "other": ""}, "Write the name of the commune"),
        ("languages", {"sent": "1"}, "Choose at least one."),
        ("ways", {"chosen": ["whatsapp_one"]}, "Choose at least one."),
        ("hours", {}, "Tick at least one part of a day"),
        ("hours", {"from0": "9", "to0": "8"}, "must be later"),
        ("children", {}, "Choose the level."),
        ("children", {"first_name": "Sara", "level": "1"}, "Choose at least one subject."),
        ("agreement", {}, "Say yes or no to lessons."),
        ("agreement", {"lessons": "no", "groups": "no"}, "Without a yes"),
    ],
)
def test_what_can_not_be_is_said_on_top_and_at_the_field(
    app: Flask, client: FlaskClient, step: str, data: dict[str, Any], said: str
) -> None:
    answer_all(app, client)
    if step == "code":
        client.post("/help/phone", data={"phone": PHONE})
    answer = client.post(f"/help/{step}", data=data)
    assert answer.status_code == 400
    assert answer.text.count(said) >= 2
    assert 'role="alert"' in answer.text


def test_commune_that_is_not_in_the_list_is_kept_by_name(app: Flask, client: FlaskClient) -> None:
    answer_all(app, client)
    client.post("/help/commune", data={"zone": "-1", "other": "Oulad Azzouz"})
    assert "Oulad Azzouz" in words(client.get("/help/check").text)
    client.post("/help/check")
    with app.app_context():
        household = db.session.scalars(select(Household).order_by(Household.id.desc())).first()
        assert household is not None
        assert (household.zone.name, household.zone.listed) == ("Oulad Azzouz", False)
    other = app.test_client()
    other.post("/help/name", data={"name": "Karima Rami"})
    assert "Oulad Azzouz" not in other.get("/help/commune").text


def test_children_are_added_and_taken_off_again(app: Flask, client: FlaskClient) -> None:
    answer_all(app, client)
    client.post("/help/children", data=child(app, "Adam Rami", ("french",)))
    page = words(client.get("/help/children").text)
    assert page.index("Sara Rami") < page.index("Adam Rami")
    # The same name, however it is written, is the same child.
    client.post("/help/children", data=child(app, "SÁRA Rami", ("maths", "physics")))
    page = words(client.get("/help/children").text)
    assert "Sara Rami" not in page
    assert "SÁRA Rami" in page
    client.post("/help/children/remove", data={"place": "0"})
    page = words(client.get("/help/children").text)
    assert "Adam" not in page
    for place in ("7", "x", "-1", "", "9" * 30):
        assert client.post("/help/children/remove", data={"place": place}).status_code == 303
    assert "SÁRA Rami" in client.get("/help/children").text


def test_ten_children_are_the_most(app: Flask, client: FlaskClient) -> None:
    answer_all(app, client)
    for number in range(9):
        client.post("/help/children", data=child(app, f"{chr(65 + number) * 3} Rami"))
    page = client.get("/help/children").text
    assert page.count("Remove") == 10
    assert 'name="first_name"' not in page
    answer = client.post("/help/children", data=child(app, "Eleventh Rami"))
    assert answer.status_code == 400
    assert "Ten children" in answer.text


def test_known_and_unknown_telephones_go_the_same_way(app: Flask) -> None:
    with app.app_context():
        known = make_household(guardian="Hassan Touil", zone="Boulanouare").phone
    pages = []
    for phone in (known, "+212612345678"):
        client = app.test_client()
        client.post("/language", data={"locale": "en"})
        answer_all(app, client, phone)
        shown = [client.get(f"/help/{step}") for step in ("commune", "children", "check")]
        shown.append(client.post("/help/check"))
        shown.append(client.get("/help/sent"))
        hidden = ("Hassan", "Hiba", "Touil")
        assert not any(word in page.text for page in shown for word in hidden)
        national = page_phone(shown[2].text)
        pages.append([page.text.replace(national, "") for page in shown])
    tokens = re.compile(r'name="csrf_token" value="[^"]+"')
    first, second = ([tokens.sub("", page) for page in one] for one in pages)
    assert first == second


def page_phone(html: str) -> str:
    found = re.search(r'<bdi dir="ltr">([0-9 -]+)</bdi>', html)
    assert found is not None
    return found[1]


def test_answers_are_kept_in_the_browser_and_deleted_when_asked(
    app: Flask, client: FlaskClient
) -> None:
    answer_all(app, client)
    assert "Welcome back" in client.get("/help").text
    assert "Welcome back" not in app.test_client().get("/help").text
    assert client.post("/help/forget").location == "/help"
    assert "Welcome back" not in client.get("/help").text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Draft)) == 0


def test_same_telephone_goes_on_in_another_browser(app: Flask, client: FlaskClient) -> None:
    answer_all(app, client)
    other = app.test_client()
    other.post("/help/name", data={"name": "Karima Rami"})
    other.post("/help/phone", data={"phone": PHONE})
    answer = other.post("/help/code", data={"code": newest_contact_code(app, "+212612345678")})
    assert answer.location == "/help/check"
    assert client.get("/help/check").location == "/help/name"


def test_without_a_way_to_telephones_the_page_says_whom_to_call(
    app: Flask, client: FlaskClient
) -> None:
    config = dataclasses.replace(app.config["N9RAW"], demo=False, safeguarding_contact="")
    app.config["N9RAW"] = config
    assert "ask a coordinator of the programme" in client.get("/help").text
    app.config["N9RAW"] = dataclasses.replace(config, safeguarding_contact="Zineb, 0600-000299")
    page = words(client.get("/help").text)
    assert "Please call: Zineb, 0600-000299" in page
    assert "Begin" not in page
    for step in STEPS[:-1]:
        assert client.get(f"/help/{step}").location == "/help"
    assert client.post("/help/name", data={"name": "Karima"}).location == "/help"


def test_looking_changes_nothing(app: Flask, client: FlaskClient) -> None:
    for step in ("", *(f"/{step}" for step in STEPS), "/sent", "/forget"):
        client.get(f"/help{step}")
    with app.app_context():
        for table in (Draft, Message):
            assert db.session.scalar(select(func.count()).select_from(table)) == 0


def test_forms_of_other_sites_are_refused(app: Flask, client: FlaskClient) -> None:
    answer_all(app, client)
    app.config.update(WTF_CSRF_ENABLED=True)
    for step in ("name", "children", "agreement", "check"):
        assert client.post(f"/help/{step}", data={"name": "Karima"}).status_code == 400
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Pupil)) == 1
        assert db.session.scalar(select(func.count()).select_from(TutoringRequest)) == 1


def test_who_is_signed_in_is_not_kept_in_longer_by_asking(app: Flask) -> None:
    with app.app_context():
        tutor_id = make_tutor()
    browser = signed_in_tutor(app, tutor_id)
    answer = browser.post("/help/name", data={"name": "Karima Rami"})
    assert "session=" in answer.headers["Set-Cookie"]
    assert "Expires" not in answer.headers["Set-Cookie"]
    assert browser.get("/help/name").status_code == 200


def test_visitor_is_kept_for_a_month(client: FlaskClient) -> None:
    answer = client.post("/help/name", data={"name": "Karima Rami"})
    assert "Expires" in answer.headers["Set-Cookie"]
