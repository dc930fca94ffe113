"""The family's page: lessons, languages, worries, messages, weight, and what it keeps secret."""

from __future__ import annotations

import dataclasses
import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Household, Lesson, Membership, Worry
from app.services import changes, family, family_links, worries
from app.services.scope import EVERYWHERE
from tests.support.groups import active_group, offer_group
from tests.support.lists import contents
from tests.support.pages import signed_in, words
from tests.support.people import make_coordinator, make_household, make_programme, make_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def household_id(app: Flask) -> int:
    """A family whose Hiba learns mathematics with Rania on Monday evenings, by telephone."""
    with app.app_context():
        make_programme()
        household = make_household(
            pupils=[("Hiba Touil", "3AC", ("maths",)), ("Walid Touil", "3AC", ("maths",))]
        )
        active_group(make_tutor(), [household.pupils[0].requests[0].id], channel="call")
        return household.id


@pytest.fixture
def link(app: Flask, household_id: int) -> str:
    return make_link(app, household_id)


def make_link(app: Flask, household_id: int) -> str:
    with app.app_context():
        return "/f/" + family_links.make_link(household_id, None)[1]


def in_french(client: FlaskClient, link: str) -> str:
    client.post(f"{link}/language", data={"locale": "fr"})
    return words(client.get(link).text).replace(" ,", ",")


def test_page_shows_four_weeks_with_child_subject_volunteer_and_way(
    client: FlaskClient, link: str
) -> None:
    page = in_french(client, link)
    for day in ("lundi 2 novembre", "lundi 9 novembre", "lundi 16 novembre", "lundi 23 novembre"):
        assert f"{day} 18:00 Hiba, Mathématiques Rania vous appelle" in page
    assert "30 novembre" not in page
    assert "Walid, " not in page


@on_sqlite
@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ("call", "Rania vous appelle"),
        ("whatsapp", "Rania vous appelle sur WhatsApp"),
        ("whatsapp_one", "Rania vous appelle sur WhatsApp"),
        ("video", "Rania vous envoie un lien pour la visio"),
        ("in_person_one", "en présentiel avec Rania, au lieu convenu"),
    ],
)
def test_page_says_what_happens_at_the_hour_of_each_kind_of_lesson(
    app: Flask, client: FlaskClient, channel: str, said: str
) -> None:
    with app.app_context():
        make_programme()
        family = make_household(channels=(channel.removesuffix("_one"),))
        tutor = make_tutor(channels=(channel.removesuffix("_one"),))
        active_group(tutor, [family.pupils[0].requests[0].id], channel=channel)
        link = "/f/" + family_links.make_link(family.id, None)[1]
    assert f"Hiba, Mathématiques {said} Nous" in in_french(client, link)


def test_page_begins_in_the_language_of_the_familys_messages(
    app: Flask, client: FlaskClient, link: str, household_id: int
) -> None:
    page = client.get(link).text
    assert '<html lang="ar" dir="rtl">' in page
    assert "الاثنين 2 نونبر" in page
    with app.app_context(), transaction():
        db.session.get_one(Household, household_id).message_language = "fr"
    assert '<html lang="fr" dir="ltr">' in client.get(link).text
    with app.app_context():
        family.set_message_language(household_id, "ary")
    assert '<html lang="fr" dir="ltr">' in client.get(link).text  # in the same letters


@on_sqlite
def test_language_is_chosen_by_a_button_and_kept(client: FlaskClient, link: str) -> None:
    answer = client.post(f"{link}/language", data={"locale": "en"})
    assert (answer.status_code, answer.location) == (303, link)
    assert "Max-Age=31536000" in answer.headers["Set-Cookie"]
    for page in (link, f"{link}/worry", f"{link}/hours", f"{link}/children"):
        assert '<html lang="en" dir="ltr">' in client.get(page).text
    client.post(f"{link}/language", data={"locale": "xx"})
    assert '<html lang="en" dir="ltr">' in client.get(link).text


@on_sqlite
def test_language_leads_back_to_the_page_that_was_open(client: FlaskClient, link: str) -> None:
    for wanted, led_to in (
        (f"{link}/hours", f"{link}/hours"),
        ("https://elsewhere.example/", link),
        ("/coordinator/desk", link),
        (f"{link}/answers", link),
    ):
        data = {"locale": "ar", "next": wanted}
        assert client.post(f"{link}/language", data=data).location == led_to


def test_cancelled_lesson_says_so_and_stays(app: Flask, client: FlaskClient, link: str) -> None:
    with app.app_context():
        lesson = db.session.scalars(select(Lesson).order_by(Lesson.starts_at)).first()
        assert lesson is not None
        changes.cancel_lesson(lesson.id, "ill")
    page = in_french(client, link)
    assert "lundi 2 novembre 18:00 Hiba, Mathématiques Rania vous appelle annulée" in page
    assert page.count("annulée") == 1
    assert "ill" not in page.split()


def test_lesson_under_way_is_still_shown(
    client: FlaskClient, link: str, clock: time_machine.Traveller
) -> None:
    clock.move_to(MONDAY.replace(hour=18, minute=59))
    assert "lundi 2 novembre" in in_french(client, link)
    clock.move_to(MONDAY.replace(hour=19, minute=1))
    assert "lundi 2 novembre" not in in_french(client, link)


def test_children_of_one_lesson_share_its_line(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_programme()
        household = make_household(
            pupils=[("Hiba Touil", "3AC", ("maths",)), ("Walid Touil", "3AC", ("maths",))]
        )
        active_group(make_tutor(), [pupil.requests[0].id for pupil in household.pupils])
        link = "/f/" + family_links.make_link(household.id, None)[1]
    assert in_french(client, link).count("Hiba, Walid, Mathématiques") == 4


def test_offers_ended_seats_and_other_families_are_not_shown(
    app: Flask, client: FlaskClient, link: str, household_id: int
) -> None:
    with app.app_context():
        walid = db.session.get_one(Household, household_id).pupils[1].requests[0].id
        other = make_household(pupils=[("Sara Rami", "3AC", ("maths",))])
        offer_group(make_tutor(name="Ilyas Sabri"), [walid])
        active_group(make_tutor(name="Nada Idrissi"), [other.pupils[0].requests[0].id])
    page = in_french(client, link)
    assert "Hiba, " in page
    for hidden in ("Walid, ", "Ilyas", "Sara", "Nada"):
        assert hidden not in page
    with app.app_context(), transaction():
        for member in db.session.scalars(select(Membership)):
            member.ended_at = MONDAY
    assert "Hiba, " not in in_french(client, link)


def test_page_holds_no_number_and_no_family_name(client: FlaskClient, link: str) -> None:
    page = client.get(link).text
    for hidden in ("+212", "0600", "Touil", "Mounir", "example.org"):
        assert hidden not in page


def test_looking_changes_nothing(app: Flask, client: FlaskClient, link: str) -> None:
    with app.app_context():
        before = contents(without_tables=())
    paths = ("", "/worry", "/language", "/messages", "/messages/language", "/answers", "/call")
    asking = ("/hours", "/children", "/children/1", "/children/1/stop")
    for path in (link + path for path in (*paths, *asking)):
        for _ in range(2):
            assert client.get(path).status_code in (200, 405)
            assert client.head(path).status_code in (200, 405)
    with app.app_context():
        assert contents(without_tables=()) == before


def test_family_stops_its_messages_and_wants_them_again(
    app: Flask, client: FlaskClient, link: str, household_id: int
) -> None:
    for wanted, stopped_at in (("no", MONDAY), ("no", MONDAY), ("yes", None)):
        assert client.post(f"{link}/messages", data={"wanted": wanted}).status_code == 303
        with app.app_context():
            household = db.session.get_one(Household, household_id)
            assert household.messages_stopped_at == stopped_at
    assert "Arrêter les messages" in in_french(client, link)


@pytest.mark.parametrize("said", ["Ma fille ne veut plus.", "", "   ", "a" * 2500, "قلق"])
def test_worry_is_kept_with_words_and_without(
    app: Flask, client: FlaskClient, link: str, household_id: int, said: str
) -> None:
    for _ in range(2):  # a second tap on the button is the same worry
        answer = client.post(f"{link}/worry", data={"text": said})
        assert (answer.status_code, answer.location) == (303, f"{link}/worry")
    with app.app_context():
        worry = db.session.scalars(select(Worry)).one()
        assert (worry.household_id, worry.text) == (household_id, said.strip()[:2000])
        assert (worry.reported_at, worry.seen_at) == (MONDAY, None)


def test_coordinator_sees_worries_first_and_takes_them_up(
    app: Flask, client: FlaskClient, link: str
) -> None:
    staff = signed_in(app)
    staff.post("/language", data={"locale": "en"})
    assert "worry" not in staff.get("/coordinator/desk").text
    client.post(f"{link}/worry", data={"text": "He shouts."})
    client.post(f"{link}/worry")
    page = words(staff.get("/coordinator/desk").text)
    assert page.index("2 worries of families") < page.index("How things stand")
    assert "He shouts." in page
    assert "Asks to be called." in page
    with app.app_context():
        first, second = (worry.id for worry in worries.first_worries(EVERYWHERE).first)
    assert staff.post(f"/coordinator/worries/{first}/seen").location == "/coordinator/desk"
    assert "He shouts." not in staff.get("/coordinator/desk").text
    with app.app_context():
        assert [worry.id for worry in worries.first_worries(EVERYWHERE).first] == [second]
        seen = db.session.get_one(Worry, first)
        assert (seen.seen_at, seen.seen_by and seen.seen_by.name) == (MONDAY, "Salma Bennis")
        worries.mark_seen(first, make_coordinator("other@example.org"))
        assert db.session.get_one(Worry, first).seen_by_id == seen.seen_by_id
    assert staff.post("/coordinator/worries/99/seen").status_code == 404
    trace = words(staff.get("/coordinator/trace").text)
    assert "the family reported a worry worry 1 2" in trace


@on_sqlite
@pytest.mark.parametrize("contact", ["", "Zineb Alaoui, 0600-000299"])
def test_page_names_who_reads_worries(
    app: Flask, client: FlaskClient, link: str, contact: str
) -> None:
    app.config["N9RAW"] = dataclasses.replace(app.config["N9RAW"], safeguarding_contact=contact)
    client.post(f"{link}/language", data={"locale": "fr"})
    for path in (link, f"{link}/worry"):
        page = words(client.get(path).text)
        assert (contact or "La coordination de votre programme") in page


@on_sqlite
def test_links_that_do_not_hold_all_look_the_same(
    app: Flask, client: FlaskClient, household_id: int, clock: time_machine.Traveller
) -> None:
    former, link = make_link(app, household_id), make_link(app, household_id)
    assert client.get(link).status_code == 200
    answers = [client.get(former), client.get("/f/" + "A" * 22)]
    clock.move_to(datetime(2027, 8, 2, tzinfo=UTC))
    answers.append(client.get(link))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1
    page = words(answers[0].text)
    assert "Demandez un nouveau lien" in page
    assert "اطلبوا رابطا جديدا" in page
    for path in ("language", "messages", "messages/language", "worry", "call", "answers", "hours"):
        assert client.post(f"{link}/{path}").status_code == 404
    for path in ("hours", "worry", "children", "children/1", "children/1/stop"):
        assert client.get(f"{link}/{path}").text == answers[0].text


@on_sqlite
def test_pages_are_kept_by_nobody_and_tell_nobody_their_address(
    client: FlaskClient, link: str
) -> None:
    paths = (link, f"{link}/worry", f"{link}/messages", "/f/unknown", f"{link}/no/such/page")
    for path in paths:
        headers = client.get(path).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"


@on_sqlite
def test_browser_without_cookies_can_do_everything(app: Flask, link: str) -> None:
    app.config.update(WTF_CSRF_ENABLED=True)
    client = app.test_client(use_cookies=False)
    assert client.post(f"{link}/worry", data={"text": "?"}).status_code == 303
    assert client.post(f"{link}/messages", data={"wanted": "no"}).status_code == 303
    assert client.post(f"{link}/answers", data={"absent": "1"}).status_code == 303
    assert client.post(f"{link}/children/1", data={"subjects": "4"}).status_code == 303
    assert client.post(f"{link}/children/1/stop").status_code == 303
    assert "Set-Cookie" not in client.get(link).headers


@on_sqlite
def test_fault_is_logged_without_the_link(
    app: Flask, client: FlaskClient, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    app.logger.addHandler(handler)

    def broken(_household: Household) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(family, "coming_lessons", broken)
    answer = client.get(link)
    app.logger.removeHandler(handler)
    assert answer.status_code == 500
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "the disk is gone" in written.getvalue()
    assert "/f/..." in written.getvalue()
    assert link.removeprefix("/f/") not in written.getvalue()
