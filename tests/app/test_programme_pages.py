"""The pages on which administrators set the programme."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Lesson, LessonState, Level, Setting, Subject, Term, Zone
from app.services import programme, wordings, zones
from app.services.coordinators import add_coordinator
from tests.support import people
from tests.support.groups import active_group
from tests.support.pages import counted_statements, in_english, signed_in, words
from tests.support.people import PASSWORD, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOME = "/coordinator/programme"
GEOGRAPHY = {
    "name_fr": "Géographie",
    "name_ar": "الجغرافيا",
    "name_en": "Geography",
    "also": "HG\nHistoire-Géo",
}


def test_start_page_leads_to_everything_that_can_be_set(app: Flask) -> None:
    page = in_english(app).get(HOME)
    text = words(page.text)
    assert "Subjects What pupils ask for and volunteers teach. On offer: 7" in text
    assert "not known for: Primary, year 6, Middle school, year 3, Baccalaureate" in text
    assert "60 minutes" in text
    for path in ("subjects", "levels", "channels", "languages", "tags", "terms", "zones"):
        assert f'href="{HOME}/{path}"' in page.text


@pytest.mark.parametrize("administrator", [True, False])
def test_only_administrators_have_the_programme_in_their_menu(
    app: Flask, administrator: bool
) -> None:
    with app.app_context():
        people.make_programme()
        add_coordinator("a@example.org", "A", PASSWORD, is_administrator=administrator)
    client = app.test_client()
    sign_in(client, "a@example.org")
    assert (f'href="{HOME}"' in client.get("/coordinator/desk").text) is administrator
    assert client.get(HOME).status_code == (200 if administrator else 403)


def test_subject_is_added_renamed_retired_and_offered_again(app: Flask) -> None:
    client = in_english(app)
    assert client.get(f"{HOME}/subjects/new").status_code == 200
    answer = client.post(f"{HOME}/subjects/new", data=GEOGRAPHY)
    assert (answer.status_code, answer.location) == (303, f"{HOME}/subjects")
    page = words(client.get(answer.location).text)
    assert "Geography is on the list." in page
    assert "Geography 0 volunteers 0 open requests Retire Geography" in page
    entry = f"{HOME}/subjects/entry/geography"
    assert "HG\nHistoire-Géo</textarea>" in client.get(entry).text
    client.post(entry, data={**GEOGRAPHY, "name_en": "Earth", "also": ""})
    client.post(f"{entry}/retire")
    assert "Earth no longer offered" in words(client.get(f"{HOME}/subjects").text)
    client.post(f"{entry}/offer")
    assert client.get(f"{HOME}/subjects").text.count("/offer") == 0
    with app.app_context():
        row = db.session.scalars(select(Subject).where(Subject.code == "geography")).one()
        assert (row.name_en, row.also, row.retired) == ("Earth", [], False)
    trace = words(client.get("/coordinator/trace").text)
    assert "Salma Bennis retired from the programme programme, geography" in trace


def test_refused_entry_keeps_what_was_written_and_says_why(app: Flask) -> None:
    client = in_english(app)
    answer = client.post(f"{HOME}/subjects/new", data={**GEOGRAPHY, "name_fr": "Maths"})
    assert answer.status_code == 400
    assert "“Maths” already means Mathématiques." in words(answer.text)
    assert 'value="الجغرافيا"' in answer.text
    answer = client.post(f"{HOME}/subjects/new", data={**GEOGRAPHY, "name_ar": ""})
    assert answer.status_code == 400
    assert 'href="#name_ar"' in answer.text


def test_level_gets_its_exam_and_shows_what_it_weighs_today(app: Flask) -> None:
    entry = f"{HOME}/levels/entry/3AC"
    data = {
        "name_fr": "3e année collège",
        "name_ar": "الثالثة إعدادي",
        "name_en": "Middle school, year 3",
        "also": "",
        "weight": "3",
        "exam": "y",
        "exam_on": "2027-06-10",
    }
    with time_machine.travel(datetime(2027, 5, 1, 12, tzinfo=UTC)):
        client = in_english(app)
        assert client.post(entry, data=data).status_code == 303
        page = words(client.get(f"{HOME}/levels").text)
    assert "Middle school, year 3 3AC 10 June 2027 5 (usually 3)" in page
    assert "Baccalaureate, year 2 2BAC date not known 3" in page
    with app.app_context():
        assert people.level("3AC").exam_on == date(2027, 6, 10)


def test_level_is_added_after_another_and_moved(app: Flask) -> None:
    client = in_english(app)
    data = GEOGRAPHY | {"code": "MAT", "after": "", "weight": "1"}
    assert client.post(f"{HOME}/levels/new", data=data).status_code == 303
    answer = client.post(f"{HOME}/levels/entry/MAT/down")
    assert answer.location == f"{HOME}/levels#entry-MAT"
    with app.app_context():
        codes = db.session.scalars(select(Level.code).order_by(Level.rank)).all()
    assert codes[:3] == ["1AEP", "MAT", "2AEP"]
    assert client.post(f"{HOME}/levels/new", data=data | {"weight": "0"}).status_code == 400


def test_group_sizes_in_force_are_said_and_kept(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        requests = [people.make_household().pupils[0].requests[0].id for _each in range(2)]
        active_group(people.make_tutor(), requests)
    assert "WhatsApp 4 1 of 2 pupils 1" in words(client.get(f"{HOME}/channels").text)
    entry = f"{HOME}/channels/entry/whatsapp"
    assert "Groups in force: 1 of 2 pupils" in words(client.get(entry).text)
    data = {"name_fr": "WhatsApp", "name_ar": "واتساب", "name_en": "WhatsApp", "also": ""}
    answer = client.post(entry, data=data | {"max_group": "1", "cost": "1"})
    assert answer.status_code == 400
    assert "A group in force has 2 pupils" in words(answer.text)
    assert client.post(entry, data=data | {"max_group": "3", "cost": "1"}).status_code == 303


def test_zone_is_added_renamed_and_merged(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        gone = people.make_household(zone="Ait Hani").zone_id
    data = {"name": "Aït Hany", "name_ar": "آيت هاني"}
    assert client.post(f"{HOME}/zones/new", data=data).status_code == 303
    assert client.post(f"{HOME}/zones/new", data=data).status_code == 400
    with app.app_context():
        kept = db.session.scalars(select(Zone.id).where(Zone.name == "Aït Hany")).one()
    page = words(client.get(f"{HOME}/zones").text)
    assert "2 zones" in page
    assert "Ait Hani – 1 0" in page
    question = words(client.get(f"{HOME}/zones/{gone}/merge").text)
    assert "1 family goes over to the other zone." in question
    assert client.post(f"{HOME}/zones/{gone}/merge", data={"into": str(gone)}).status_code == 400
    answer = client.post(f"{HOME}/zones/{gone}/merge", data={"into": str(kept)})
    assert answer.status_code == 303
    assert "Both zones are now Aït Hany." in words(client.get(answer.location).text)
    assert client.get(f"{HOME}/zones/{gone}").status_code == 404
    client.post(f"{HOME}/zones/{kept}", data={"name": "Aït Hany centre", "name_ar": ""})
    with app.app_context():
        row = db.session.get_one(Zone, kept)
        assert (row.name, row.name_ar, row.listed) == ("Aït Hany centre", None, False)


def test_list_of_zones_takes_as_many_queries_for_one_as_for_a_thousand(app: Flask) -> None:
    client = in_english(app)
    numbers = []
    for more in (1, 999):
        with app.app_context(), transaction():
            db.session.add_all(
                Zone(name=f"Zone {more} {each}", key=f"zone{more}x{each}") for each in range(more)
            )
        with counted_statements(app) as statements:
            assert client.get(f"{HOME}/zones").status_code == 200
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] < 12


@pytest.mark.parametrize("section", ["subjects", "levels", "channels", "languages", "tags"])
def test_lists_take_the_same_queries_however_much_points_at_them(app: Flask, section: str) -> None:
    client = in_english(app)
    numbers = []
    for more in (0, 5):
        with app.app_context():
            for _each in range(more):
                people.make_household()
                people.make_tutor()
        with counted_statements(app) as statements:
            assert client.get(f"{HOME}/{section}").status_code == 200
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] < 12


def test_term_that_cancels_lessons_lists_them_first(app: Flask) -> None:
    with time_machine.travel(datetime(2026, 12, 1, 12, tzinfo=UTC)):
        client = in_english(app)
        with app.app_context():
            request_id = people.make_household().pupils[0].requests[0].id
            active_group(people.make_tutor(), [request_id])
        data = {"name": "Autumn", "first_day": "2026-09-07", "last_day": "2026-12-18"}
        question = client.post(f"{HOME}/terms/new", data=data)
        assert question.status_code == 200
        text = words(question.text)
        assert "2 lessons would change" in text
        assert "Families and volunteers are told, in one message each." in text
        assert "Monday 21 December 18:00 Mathematics, Rania Mounir" in text
        assert "Hiba" not in text
        with app.app_context():
            assert db.session.scalars(select(Term)).all() == []
        assert 'type="hidden" name="agreed" value="2"' in question.text
        answer = client.post(f"{HOME}/terms/new", data=data | {"agreed": "2"})
        assert answer.status_code == 303
        page = words(client.get(answer.location).text)
        assert "2 lessons are cancelled, and their reminders with them." in page
        assert "Autumn 7 September 2026 18 December 2026" in page

        asked = words(client.get(f"{HOME}/terms/1/remove").text)
        assert "Take Autumn away? No planned lesson is cancelled or moved by it." in asked
        answer = client.post(f"{HOME}/terms/1/remove", data={"agreed": "0"})
        assert "2 lessons are planned." in words(client.get(answer.location).text)
    with app.app_context():
        states = db.session.scalars(select(Lesson.state)).all()
        assert set(states) == {LessonState.PLANNED}


def test_term_is_refused_in_words(app: Flask) -> None:
    client = in_english(app)
    data = {"name": "Autumn", "first_day": "2026-09-07", "last_day": "2026-12-18"}
    assert client.post(f"{HOME}/terms/new", data=data).status_code == 303
    answer = client.post(f"{HOME}/terms/new", data=data)
    assert answer.status_code == 400
    assert "These days overlap another term." in words(answer.text)
    answer = client.post(f"{HOME}/terms/1", data=data | {"last_day": "2026-09-01"})
    assert "The last day comes before the first." in words(answer.text)
    answer = client.post(f"{HOME}/terms/1", data=data | {"last_day": "soon"})
    assert answer.status_code == 400
    assert client.get(f"{HOME}/terms/9").status_code == 404


def test_length_of_lessons_warns_and_is_kept(app: Flask) -> None:
    client = in_english(app)
    address = f"{HOME}/lesson-length"
    assert "This holds for the next matching" in words(client.get(address).text)
    data = {"lesson_minutes": "45", "start_every": "15"}
    assert client.post(address, data=data).status_code == 303
    assert client.post(address, data=data | {"lesson_minutes": "47"}).status_code == 400
    assert client.post(address, data=data | {"start_every": "20"}).status_code == 400
    with app.app_context():
        assert programme.matching_rules().lesson_minutes == 45
        assert db.session.get_one(Setting, "start_every").value == 15


def test_message_is_looked_at_then_used_then_standard_again(app: Flask) -> None:
    client = in_english(app)
    address = f"{HOME}/messages/family-lesson_24h-fr"
    assert "{time} {subject}, {pupils} avec {tutor} ({channel})" in client.get(address).text
    body = "Fête le {date}\r\n{time} {subject} {pupils}"
    seen = client.post(address, data={"body": body})
    assert seen.status_code == 200
    text = words(seen.text)
    assert "17:30 Physique-Chimie Fatima-Ezzahra 1 SMS" in text
    assert "Sent otherwise, since they would make it dearer: ê → e" in text
    with app.app_context():
        assert wordings.own_wordings() == set()
    assert client.post(address, data={"body": body, "use": "yes"}).status_code == 303
    page = words(client.get(address).text)
    assert "Families, French your own" in page
    assert "Salma Bennis Fête le {date}" in page
    assert "French , Reminder the day before your own" in words(client.get(f"{HOME}/messages").text)
    assert client.post(f"{address}/standard").status_code == 303
    assert "standard text" in words(client.get(address).text)


def test_message_that_cannot_be_sent_is_refused_in_words(app: Flask) -> None:
    client = in_english(app)
    address = f"{HOME}/messages/family-lesson_24h-fr"
    answer = client.post(address, data={"body": "<b>{date}</b> {pupils}", "use": "yes"})
    assert answer.status_code == 400
    assert "{time} is missing: the text must say it." in words(answer.text)
    assert "&lt;b&gt;{date}" in answer.text
    answer = client.post(address, data={"body": "{{ config }}", "use": "yes"})
    assert "A brace stands alone." in words(answer.text)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_every_message_has_a_page(app: Flask, language: str) -> None:
    client = in_english(app)
    client.post("/language", data={"locale": language})
    for kind, audience in wordings.PLACES:
        for spoken in wordings.LANGUAGES[audience]:
            page = client.get(f"{HOME}/messages/{audience}-{kind.value}-{spoken}")
            assert page.status_code == 200
    assert client.get(f"{HOME}/messages/tutor-lesson_24h-ary").status_code == 404


def test_hostile_names_are_shown_as_text(app: Flask) -> None:
    client = in_english(app)
    name = "<script>alert(1)</script> =1+1 \u200f🙂"
    data = {"name_fr": f"{name} f", "name_ar": f"{name} a", "name_en": f"{name} e", "also": name}
    assert client.post(f"{HOME}/tags/new", data=data).status_code == 303
    for path in ("/tags", "", "/subjects"):
        assert "<script>" not in client.get(HOME + path).text
    assert "&lt;script&gt;" in client.get(f"{HOME}/tags").text
    assert client.post(f"{HOME}/zones/new", data={"name": name}).status_code == 303
    assert "&lt;script&gt;" in client.get(f"{HOME}/zones").text
    with app.app_context():
        assert zones.count_zones() == 1


def test_impossible_day_is_refused_in_the_language_of_the_reader(app: Flask) -> None:
    client = signed_in(app)
    term = {"name": "2026-2027", "first_day": "the first", "last_day": "30/06/2027"}
    answer = client.post("/coordinator/programme/terms/new", data=term)
    assert answer.status_code == 400
    assert "Donnez un jour, par exemple 2026-11-21." in answer.text
    assert "Not a valid date" not in answer.text
