"""Becoming a volunteer: what is kept on the way, who is let on, and what comes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Channel,
    Draft,
    Message,
    SignInCode,
    Subject,
    Tutor,
    TutorState,
)
from app.services import codes, drafts, pace, registration
from app.services.charter import CHARTER_VERSION
from app.services.errors import Conflict, Invalid
from app.services.registration import Answers, Question
from app.services.teaching import read_offer
from tests.support.pages import in_english, newest_contact_code, words
from tests.support.people import make_programme, make_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
START = datetime(2026, 11, 22, 9, tzinfo=UTC)
NADIA = "nadia@example.org"
BROWSER, ELSEWHERE = "the browser", "another browser"


@pytest.fixture(autouse=True)
def clock(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(pace, "LONGER_THAN_ANY_ANSWER", 0.0)
    with time_machine.travel(START, tick=False) as coordinates:
        with app.app_context():
            make_programme()
        yield coordinates


def answers_of(app: Flask, browser: str = BROWSER) -> Answers:
    with app.app_context():
        return registration.read_answers(browser, read_offer())


def confirm(app: Flask, browser: str = BROWSER, address: str = NADIA) -> int | None:
    """Ask for a code and type it; the id of the volunteer who is to be signed in, if any."""
    with app.app_context():
        registration.ask_code(browser, address, "fr")
    code = newest_contact_code(app, address)
    with app.app_context():
        tutor = registration.take_code(browser, code)
        return None if tutor is None else tutor.id


def answer_all(app: Flask, browser: str = BROWSER, address: str = NADIA) -> None:
    with app.app_context():
        registration.keep(browser, first_name="Nadia", last_name="Amrani")
    confirm(app, browser, address)
    with app.app_context():
        registration.add_subject(browser, "maths", "1AC", "3AC")
        registration.keep(browser, languages=["darija", "fr"], channels=["call"], place="")
        registration.keep_week(browser, [(0, 480, 720), (6, 960, 1110)], to_agree=False)
        registration.keep(browser, most=2)
        registration.accept_charter(browser)


def count(app: Flask, table: Any) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_answers_make_a_volunteer_whom_a_coordinator_is_to_vet(app: Flask) -> None:
    answer_all(app)
    with app.app_context():
        registration.keep(BROWSER, place="Europe/Paris")
        registration.register(BROWSER, "ar")
        tutor = db.session.scalars(select(Tutor)).one()
        assert (tutor.name, tutor.email, tutor.phone) == ("Nadia Amrani", NADIA, None)
        assert tutor.state is TutorState.REGISTERED
        assert tutor.vetted_at is None
        assert (tutor.message_language, tutor.time_zone) == ("ar", "Europe/Paris")
        assert (tutor.max_lessons_per_week, tutor.times_to_agree) == (2, False)
        assert (tutor.charter_version, tutor.charter_accepted_at) == (CHARTER_VERSION, START)
        assert {row.language for row in tutor.languages} == {"darija", "fr"}
        assert {row.channel for row in tutor.channels} == {"call"}
        assert sorted(row.as_window() for row in tutor.windows) == [(0, 480, 720), (6, 960, 1110)]
        assert len(tutor.teaches) == 3
        noted = db.session.scalars(select(AuditEntry.action)).all()
        assert noted == ["register"]
    assert count(app, Draft) == 0


def test_telephone_and_times_to_be_agreed_make_a_volunteer_too(app: Flask) -> None:
    answer_all(app)
    with app.app_context():
        with transaction():
            db.session.scalars(select(Draft)).one().address = "+212612345678"
        registration.keep_week(BROWSER, [], to_agree=True)
        tutor = registration.register(BROWSER, "en")
        assert tutor is not None
        assert (tutor.email, tutor.phone) == (None, "+212612345678")
        assert (tutor.times_to_agree, tutor.windows) == (True, [])
        assert (tutor.message_language, tutor.time_zone) == ("fr", None)


def test_each_question_is_open_once_those_before_are_answered(app: Flask) -> None:
    assert answers_of(app).unanswered is Question.NAME
    with app.app_context():
        registration.keep(BROWSER, first_name="Nadia", last_name="Amrani")
    answers = answers_of(app)
    assert answers.unanswered is Question.ADDRESS
    assert [one for one in Question if answers.may_open(one)] == [Question.NAME, Question.ADDRESS]
    answer_all(app)
    assert answers_of(app).unanswered is None
    with app.app_context():
        registration.remove_subject(BROWSER, "maths", "1AC", "3AC")
    with pytest.raises(Invalid, match="still open"), app.app_context():
        registration.register(BROWSER, "fr")
    assert answers_of(app).unanswered is Question.TEACHES


def test_subjects_are_added_and_removed_by_stretches(app: Flask) -> None:
    with app.app_context():
        registration.add_subject(BROWSER, "maths", "1AC", "2AC")
        registration.add_subject(BROWSER, "maths", "3AC", "3AC")
        registration.add_subject(BROWSER, "maths", "2BAC", "2BAC")
        registration.add_subject(BROWSER, "french", "1AEP", "6AEP")
        offer = read_offer()
        taught = registration.read_answers(BROWSER, offer).taught
        assert [
            (one.subject.code, one.first.code, one.last.code) for one in offer.stretches(taught)
        ] == [("maths", "1AC", "3AC"), ("maths", "2BAC", "2BAC"), ("french", "1AEP", "6AEP")]
        registration.remove_subject(BROWSER, "maths", "1AC", "3AC")
        registration.remove_subject(BROWSER, "french", "1AEP", "3AEP")
        registration.remove_subject(BROWSER, "nothing", "x", "y")
        taught = registration.read_answers(BROWSER, offer).taught
        assert [
            (one.subject.code, one.first.code, one.last.code) for one in offer.stretches(taught)
        ] == [("maths", "2BAC", "2BAC"), ("french", "4AEP", "6AEP")]


@pytest.mark.parametrize(
    ("subject", "first", "last"),
    [
        ("magic", "1AC", "3AC"),
        ("maths", "", "3AC"),
        ("maths", "1AC", "4AC"),
        ("maths", "3AC", "1AC"),
    ],
)
def test_what_can_not_be_taught_is_refused(app: Flask, subject: str, first: str, last: str) -> None:
    with app.app_context(), pytest.raises(Invalid):
        registration.add_subject(BROWSER, subject, first, last)


def test_what_is_retired_meanwhile_is_asked_again(app: Flask) -> None:
    answer_all(app)
    with app.app_context(), transaction():
        db.session.get_one(Channel, "call").retired = True
    answers = answers_of(app)
    assert (answers.channels, answers.unanswered) == ((), Question.CHANNELS)
    with app.app_context(), transaction():
        db.session.scalars(select(Subject).where(Subject.code == "maths")).one().retired = True
    assert answers_of(app).unanswered is Question.TEACHES
    with app.app_context():
        offer = read_offer()
        assert "maths" not in {row.code for row in offer.subjects}
        assert {row.code for row in offer.channels} == {"whatsapp", "video", "in_person"}


def test_another_charter_is_asked_for_again(app: Flask) -> None:
    answer_all(app)
    with app.app_context():
        registration.keep(BROWSER, charter="2020-01")
    assert answers_of(app).unanswered is Question.CHARTER


def test_same_address_continues_in_another_browser_and_there_alone(app: Flask) -> None:
    answer_all(app)
    with app.app_context():
        registration.keep(ELSEWHERE, first_name="Nadia-Rose", last_name="Amrani")
    assert answers_of(app, ELSEWHERE).languages == ()
    confirm(app, ELSEWHERE)
    answers = answers_of(app, ELSEWHERE)
    assert answers.unanswered is None
    assert (answers.first_name, answers.most) == ("Nadia-Rose", 2)
    assert not answers_of(app, BROWSER).is_begun
    assert count(app, Draft) == 1


def test_stranger_without_the_code_reads_nothing_of_a_draft(app: Flask) -> None:
    answer_all(app)
    with app.app_context():
        registration.keep(ELSEWHERE, first_name="A", last_name="Stranger")
        registration.ask_code(ELSEWHERE, NADIA, "fr")
        with pytest.raises(Invalid):
            registration.take_code(ELSEWHERE, "000000")
    assert answers_of(app, ELSEWHERE).unanswered is Question.ADDRESS
    assert answers_of(app).unanswered is None


@pytest.mark.parametrize("state", [TutorState.REGISTERED, TutorState.VETTED, TutorState.PAUSED])
def test_who_has_an_account_is_signed_in_instead(app: Flask, state: TutorState) -> None:
    with app.app_context():
        tutor_id = make_tutor(state=state)
        address = db.session.get_one(Tutor, tutor_id).email or ""
        registration.keep(BROWSER, first_name="Nadia", last_name="Amrani")
    assert confirm(app, address=address) == tutor_id
    assert count(app, Draft) == 0
    assert count(app, Tutor) == 1
    with app.app_context():
        assert db.session.scalars(select(AuditEntry.action)).all() == ["sign_in"]


@pytest.mark.parametrize("state", [TutorState.SUSPENDED, TutorState.LEFT])
def test_suspended_and_gone_volunteers_are_sent_to_a_coordinator(
    app: Flask, state: TutorState
) -> None:
    with app.app_context():
        address = db.session.get_one(Tutor, make_tutor(state=state)).email or ""
        registration.keep(BROWSER, first_name="Nadia", last_name="Amrani")
    with pytest.raises(Conflict, match="talk to a coordinator"):
        confirm(app, address=address)
    assert count(app, Draft) == 0


def test_closed_sign_in_does_not_open_by_registering(app: Flask) -> None:
    with app.app_context():
        tutor_id = make_tutor()
        address = db.session.get_one(Tutor, tutor_id).email or ""
        codes.ask_code(address, BROWSER)
        with transaction():
            db.session.scalars(select(SignInCode)).one().wrong_tries = 20
    with pytest.raises(Conflict):
        confirm(app, address=address)


def test_address_that_somebody_got_meanwhile_makes_no_second_volunteer(app: Flask) -> None:
    answer_all(app)
    with app.app_context():
        somebody = make_tutor()
        with transaction():
            db.session.get_one(Tutor, somebody).email = NADIA
    with pytest.raises(Conflict, match="sign in with your address"), app.app_context():
        registration.register(BROWSER, "fr")
    assert count(app, Tutor) == 1


def test_two_presses_at_once_make_one_volunteer(app: Flask) -> None:
    answer_all(app)
    begin = threading.Barrier(2)
    made: list[bool] = []

    def press() -> None:
        with app.app_context():
            begin.wait(timeout=20)
            made.append(registration.register(BROWSER, "fr") is not None)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert count(app, Tutor) == 1
    assert sorted(made) == [False, True]


def test_what_nobody_came_back_to_is_forgotten_after_a_month(
    app: Flask, clock: time_machine.Traveller
) -> None:
    answer_all(app)
    clock.shift(timedelta(days=1))
    answer_all(app, ELSEWHERE, "other@example.org")
    clock.shift(timedelta(days=29))
    assert not answers_of(app).is_begun
    with app.app_context():
        drafts.forget_old_drafts()
        assert db.session.scalars(select(Draft.address)).all() == ["other@example.org"]
    clock.shift(timedelta(days=1, minutes=15))
    with app.app_context():
        drafts.forget_old_drafts()
    assert (count(app, Draft), count(app, Message)) == (0, 0)


# The pages


@pytest.fixture
def english(client: FlaskClient) -> FlaskClient:
    client.post("/language", data={"locale": "en"})
    return client


def send(client: FlaskClient, page: str, **fields: str | list[str]) -> str:
    """Where a page leads after it was sent; what it says where it is refused."""
    answer = client.post(f"/volunteer/register{page}", data=fields)
    if answer.status_code == 400:
        return words(answer.text)
    assert answer.status_code == 303
    return answer.location.removeprefix("/volunteer/register")


def send_name_and_address(app: Flask, client: FlaskClient, address: str = NADIA) -> str:
    assert send(client, "/name", first_name="Nadia", last_name="Amrani") == "/address"
    assert send(client, "/address", address=address) == "/code"
    return send(client, "/code", code=newest_contact_code(app, address))


@on_sqlite
def test_whole_way_through_the_pages(app: Flask, english: FlaskClient) -> None:
    assert send_name_and_address(app, english) == "/subjects"
    assert send(english, "/subjects", subject="maths") == "/subjects/maths"
    assert send(english, "/subjects/maths", first="1AC", last="3AC") == "/subjects"
    assert send(english, "/languages", chosen=["darija", "fr"]) == "/channels"
    assert send(english, "/channels", chosen="call") == "/place"
    assert send(english, "/place", place="") == "/times"
    assert send(english, "/times", period0="evening") == "/most"
    assert send(english, "/most", most="٣") == "/charter"
    assert send(english, "/charter", accepted="y") == "/check"
    check = words(english.get("/volunteer/register/check").text)
    assert "Nadia Amrani" in check
    assert "Mathematics, Middle school, year 1 to Middle school, year 3" in check
    assert "Monday 18:30–21:00" in check
    assert send(english, "/most", most="2") == "/check"
    assert send(english, "/check") == "/done"
    assert "You are registered" in english.get("/volunteer/register/done").text
    assert english.post("/volunteer/register/check").location == "/volunteer/register/done"
    with app.app_context():
        assert db.session.scalars(select(Tutor)).one().max_lessons_per_week == 2
    coordinator = in_english(app)
    assert "Nadia Amrani" in coordinator.get("/coordinator/volunteers?state=registered").text


@on_sqlite
def test_pages_ahead_lead_back_to_the_first_open_question(client: FlaskClient) -> None:
    for page in (
        "address", "code", "subjects", "subjects/maths", "languages", "channels", "place",
        "times", "most", "charter", "check",
    ):  # fmt: skip
        for answer in (
            client.get(f"/volunteer/register/{page}"),
            client.post(f"/volunteer/register/{page}"),
        ):
            assert answer.location == "/volunteer/register/name", page
    assert client.get("/volunteer/register/done").location == "/volunteer/register"
    assert client.post("/volunteer/register/subjects/remove").status_code == 303


@on_sqlite
def test_looking_begins_no_draft(app: Flask, client: FlaskClient) -> None:
    for page in ("", "/name", "/address", "/check"):
        client.get(f"/volunteer/register{page}")
    assert count(app, Draft) == 0
    with client.session_transaction() as session:
        assert "registration_browser" not in session


@on_sqlite
def test_who_comes_back_goes_on_or_deletes_everything(app: Flask, english: FlaskClient) -> None:
    send_name_and_address(app, english)
    page = english.get("/volunteer/register").text
    assert "Continue where I left" in page
    assert 'href="/volunteer/register/subjects"' in page
    assert send(english, "/forget") == ""
    assert "Continue where I left" not in english.get("/volunteer/register").text
    assert count(app, Draft) == 0


@on_sqlite
def test_browser_is_remembered_longer_than_it_is_open(client: FlaskClient) -> None:
    answer = client.post(
        "/volunteer/register/name", data={"first_name": "Nadia", "last_name": "Amrani"}
    )
    assert "Expires=" in answer.headers["Set-Cookie"]


@on_sqlite
def test_known_and_unknown_addresses_are_answered_alike_until_one_is_confirmed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        known = db.session.get_one(Tutor, make_tutor()).email or ""
        gone = db.session.get_one(Tutor, make_tutor(state=TutorState.SUSPENDED)).email or ""
    monkeypatch.setattr(pace, "LONGER_THAN_ANY_ANSWER", 0.2)
    seen = []
    for address in (known, gone, "new@example.org"):
        client = app.test_client()
        send(client, "/name", first_name="Nadia", last_name="Amrani")
        begun = time.perf_counter()
        asked = send(client, "/address", address=address)
        assert time.perf_counter() - begun > 0.2
        page = words(client.get("/volunteer/register/code").text)
        refused = send(client, "/code", code="000000")
        seen.append((asked, page.replace(address, ""), refused.replace(address, "")))
    assert seen[0] == seen[1] == seen[2]


@on_sqlite
def test_confirmed_known_address_leads_into_the_account(app: Flask, english: FlaskClient) -> None:
    with app.app_context():
        address = db.session.get_one(Tutor, make_tutor()).email or ""
    assert send_name_and_address(app, english, address) == "/volunteer/week"
    assert english.get("/volunteer/week").status_code == 200
    assert english.get("/volunteer/register").location == "/volunteer/week"


@on_sqlite
@pytest.mark.parametrize("state", [TutorState.SUSPENDED, TutorState.LEFT])
def test_page_for_those_who_may_not_come_in_says_no_reason(
    app: Flask, english: FlaskClient, state: TutorState
) -> None:
    with app.app_context():
        address = db.session.get_one(Tutor, make_tutor(state=state)).email or ""
    send(english, "/name", first_name="Nadia", last_name="Amrani")
    send(english, "/address", address=address)
    code = newest_contact_code(app, address)
    page = english.post("/volunteer/register/code", data={"code": code})
    assert page.status_code == 200
    assert "Please talk to a coordinator" in page.text
    assert state.value not in words(page.text)
    assert english.get("/volunteer/week").status_code == 302


@on_sqlite
@pytest.mark.parametrize(
    "name", ["", " ", "=1+1", "🙂🙂", "x" * 81, "\u202egnp", "a\nb", "-\u200f-", "12345"]
)
def test_what_is_no_name_is_refused_at_its_field(english: FlaskClient, name: str) -> None:
    said = send(english, "/name", first_name=name, last_name="Amrani")
    assert "Please check what you entered" in said


@on_sqlite
@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'O\'Brien & "Söhne"', "نادية"])
def test_names_are_shown_as_they_were_typed_and_nothing_else(
    english: FlaskClient, name: str
) -> None:
    assert send(english, "/name", first_name=name, last_name="Amrani") == "/address"
    page = english.get("/volunteer/register/name").text
    assert "<script>" not in page
    assert name in unescape(page)


@on_sqlite
@pytest.mark.parametrize("most", ["", "0", "41", "-1", "2.5", "two", "1" * 40, "²", "9" * 30])
def test_what_is_no_number_of_lessons_is_refused(
    app: Flask, english: FlaskClient, most: str
) -> None:
    send_name_and_address(app, english)
    send(english, "/subjects/maths", first="1AC", last="1AC")
    send(english, "/languages", chosen="fr")
    send(english, "/channels", chosen="call")
    send(english, "/place", place="")
    send(english, "/times", to_agree="1")
    assert "Write a number from 1 to 40." in send(english, "/most", most=most)


@on_sqlite
def test_only_what_is_offered_can_be_chosen(app: Flask, english: FlaskClient) -> None:
    send_name_and_address(app, english)
    assert "Choose one of the subjects." in send(english, "/subjects", subject="magic")
    gone = english.get("/volunteer/register/subjects/magic")
    assert gone.location == "/volunteer/register/subjects"
    refused = send(english, "/subjects/maths", first="3AC", last="1AC")
    assert "The second level must not be below the first." in refused
    assert "Choose a level." in send(english, "/subjects/maths", first="x")
    send(english, "/subjects/maths", first="1AC", last="1AC")
    assert "Choose at least one." in send(english, "/languages", chosen=["klingon"])
    send(english, "/languages", chosen=["fr", "klingon"])
    assert "Choose at least one." in send(english, "/channels", chosen=["whatsapp_one"])
    send(english, "/channels", chosen="call")
    assert "Choose one of the places." in send(english, "/place", place="Mars/Base")


@on_sqlite
def test_copying_a_day_keeps_nothing_yet(app: Flask, english: FlaskClient) -> None:
    send_name_and_address(app, english)
    send(english, "/subjects/maths", first="1AC", last="1AC")
    send(english, "/languages", chosen="fr")
    send(english, "/channels", chosen="call")
    send(english, "/place", place="Europe/Paris")
    assert "with you 10:00" in english.get("/volunteer/register/times").text
    page = english.post("/volunteer/register/times", data={"copy": "0", "period0": "morning"})
    assert page.status_code == 200
    assert page.text.count('value="morning" checked') == 7
    assert "Tick at least one part of a day" in send(english, "/times")
    assert send(english, "/times", period0="morning", period1="morning") == "/most"


@on_sqlite
def test_sixth_code_of_a_day_is_not_sent_and_nothing_tells_so(
    app: Flask, english: FlaskClient
) -> None:
    send(english, "/name", first_name="Nadia", last_name="Amrani")
    for _ in range(6):
        assert send(english, "/address", address=NADIA) == "/code"
    assert count(app, Message) == 5
