"""Coordinators' pages of one family, of adding one by hand, and of what families asked for."""

from __future__ import annotations

import logging
import re
import time
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Consent,
    ConsentMeans,
    Coordinator,
    CoordinatorZone,
    Guardian,
    Household,
    Lesson,
    LessonState,
    Note,
    Pupil,
    RequestOrigin,
    RequestState,
    TutoringRequest,
    Zone,
)
from app.security import HideSecretLinks
from app.services import family_links, notes
from app.services.new_times import open_proposals, propose_new_time
from scheduler import clock
from tests.support.groups import active_group
from tests.support.pages import counted_statements, in_english, views, words
from tests.support.people import level, make_household, make_tutor, subject

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_coordinator_answers_for_a_family_that_is_asked_on_the_telephone(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        household, lesson_id = lesson_at_another_time()
        number = household.id
        question_id = open_proposals(number)[0].id
    page = client.get(f"/coordinator/families/{number}").text
    assert "Nobody can give the lesson of" in unescape(page)
    path = f"/coordinator/families/{number}/times/{question_id}"
    assert (
        client.post(f"/coordinator/families/{number + 1}/times/{question_id}/yes").status_code
        == 404
    )
    assert client.get(f"{path}/yes").status_code == 405
    answer = client.post(f"{path}/yes", follow_redirects=True)
    assert "All agree: the lesson takes place then" in answer.text
    assert "Nobody can give the lesson of" not in unescape(answer.text)
    assert "This is settled already" in client.post(f"{path}/no", follow_redirects=True).text
    with app.app_context():
        assert db.session.get_one(Lesson, lesson_id).state is LessonState.PLANNED
        by = select(AuditEntry.coordinator_id, AuditEntry.detail).where(
            AuditEntry.action == "answer_new_time"
        )
        (row,) = db.session.execute(by)
        assert row.coordinator_id is not None
        assert row.detail == {"household": number, "agrees": True}


def lesson_at_another_time() -> tuple[Household, int]:
    """A family that is called, of whose child nobody can give a lesson; and that lesson."""
    daily = tuple(f"{day} 18:00-20:00" for day in ("mon", "tue", "wed", "thu"))
    household = make_household(windows=daily)
    with transaction():
        household.reach_by_call = True
    group = active_group(make_tutor(windows=daily), [household.pupils[0].requests[0].id])
    with transaction():
        of_group = select(Lesson).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
        lesson = db.session.scalars(of_group).all()[1]
        lesson.state, lesson.version = LessonState.CANCELLED, 2
        assert propose_new_time(lesson) is not None
    return household, lesson.id


def family_form(zone_id: int, **changes: object) -> dict[str, object]:
    return {
        "guardian": "Salma Rami",
        "phone": "0612345678",
        "email": "",
        "zone_id": str(zone_id),
        "languages": ["darija", "french"][:1],
        "channels": ["call", "whatsapp"],
        "message_language": "ary",
        "period0": ["evening"],
    } | changes


def child_form(app: Flask, **changes: object) -> dict[str, object]:
    with app.app_context():
        maths, grade = subject("maths").id, level("3AC").id
    return {
        "first_name": "Sara",
        "last_name": "Rami",
        "level_id": str(grade),
        f"lessons_{maths}": "2",
        "lessons": "yes",
        "group_lessons": "no",
        "means": "told_coordinator",
        "guardian_name": "Salma Rami",
        "said_on": "2026-11-01",
        "next": "finish",
    } | changes


def only_in_zone(app: Flask, zone_id: int) -> None:
    """Leave the signed-in coordinator one zone."""
    with app.app_context(), transaction():
        coordinator = db.session.scalars(select(Coordinator)).one()
        coordinator.is_administrator = coordinator.all_zones = False
        db.session.add(CoordinatorZone(coordinator_id=coordinator.id, zone_id=zone_id))


def hidden_fields(html: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    form = html[html.index("<h1>") :]
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(unescape(value))
    return fields


def test_family_with_two_children_is_added_in_one_sitting(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        zone_id = make_household().zone_id
    assert "Add a family" in words(client.get("/coordinator/pupils").text)
    answer = client.post("/coordinator/families/new", data=family_form(zone_id))
    assert (answer.status_code, answer.location) == (303, "/coordinator/families/2/pupils/new")
    page = client.get(answer.location).text
    assert "Acceptez-vous que votre enfant suive des cours en groupe" in page
    assert "هل توافقون على أن يتلقى طفلكم هذه الدروس؟" in page
    assert " checked" not in page, "no consent is filled in beforehand"

    another = client.post(answer.location, data=child_form(app, next="another"))
    assert (another.status_code, another.location) == (303, answer.location)
    assert "Already there: Sara Rami" in words(client.get(another.location).text)
    last = client.post(answer.location, data=child_form(app, first_name="Adam"))
    assert (last.status_code, last.location) == (303, "/coordinator/families/2")

    shown = words(client.get(last.location).text)
    for told in (
        "Family of Salma Rami 06 12 34 56 78 · Aïn Kaïcher",
        "Sara Rami Middle school, year 3 consents to lessons alone only",
        "Adam Rami Middle school, year 3",
        "Mathematics : 2 lessons a week waiting",
        "yes lessons: Salma Rami , 1 November 2026, told a coordinator, text 2026-10, "
        "recorded by Salma Bennis",
        "Messages Darija in Latin letters",
        "Monday 18:30–21:00",
        "Salma Bennis added a child: Adam",
        "Salma Bennis added a family",
    ):
        assert told in shown, told


def test_form_that_is_refused_says_why_and_keeps_what_was_written(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        zone_id = make_household().zone_id
    answer = client.post(
        "/coordinator/families/new",
        data=family_form(zone_id, phone="12", guardian="Salma <b>Rami", period0=[]),
    )
    assert answer.status_code == 400
    said = words(answer.text)
    assert "Expected: one telephone number, such as 0612345678" in said
    assert "Tick at least one part of a day" in said
    assert 'value="Salma &lt;b&gt;Rami"' in answer.text
    client.post("/coordinator/families/new", data=family_form(zone_id))
    answer = client.post("/coordinator/families/2/pupils/new", data={"first_name": "Sara"})
    said = words(answer.text)
    assert answer.status_code == 400
    for error in (
        "Choose the child's school year.",
        "Choose at least one subject.",
        "Say what the guardian answered.",
    ):
        assert error in said
    no_means = child_form(app, means="", said_on="2999-01-01")
    said = words(client.post("/coordinator/families/2/pupils/new", data=no_means).text)
    assert "Say how you know" in said
    assert "can't be in the future" in said
    with app.app_context():
        assert len(db.session.scalars(select(Pupil.id)).all()) == 1


def test_copying_a_day_keeps_the_form_and_changes_nothing(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        zone_id = make_household().zone_id
    answer = client.post("/coordinator/families/new", data=family_form(zone_id, copy="0"))
    assert answer.status_code == 200
    assert answer.text.count('value="evening" checked') == 7
    assert 'value="Salma Rami"' in answer.text
    with app.app_context():
        assert len(db.session.scalars(select(Household.id)).all()) == 1


def test_known_number_leads_to_the_family_that_has_it(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        here, there = make_household(guardian="Walid Touil"), make_household(zone="Boujniba")
        zone_id, phones = here.zone_id, (here.phone, there.phone)
    answer = client.post("/coordinator/families/new", data=family_form(zone_id, phone=phones[0]))
    assert answer.status_code == 400
    assert "This number belongs to the family of Walid Touil." in words(answer.text)
    assert 'href="/coordinator/families/1/pupils/new"' in answer.text
    only_in_zone(app, zone_id)
    answer = client.post("/coordinator/families/new", data=family_form(zone_id, phone=phones[1]))
    assert answer.status_code == 400
    assert "This number is known in another zone." in words(answer.text)
    assert "/coordinator/families/2" not in answer.text


def test_zone_coordinator_is_offered_their_own_zones_alone(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        here, there = make_household(), make_household(zone="Boujniba", guardian="Far Away")
        zone_id, other = here.zone_id, there.id
    only_in_zone(app, zone_id)
    for path in ("/coordinator/families/new", "/coordinator/pupils", "/coordinator/requests"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Boujniba" not in page.text
        assert "Far Away" not in page.text
    for path in ("", "/edit", "/pupils/new"):
        assert client.get(f"/coordinator/families/{other}{path}").status_code == 404


def test_what_ends_in_groups_is_named_before_it_ends(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        household = make_household()
        pupil_id, request_id = household.pupils[0].id, household.pupils[0].requests[0].id
        active_group(make_tutor(name="Rania Mounir"), [request_id])
    data = {
        "lessons": "no",
        "group_lessons": "not_asked",
        "means": "on_paper",
        "guardian_name": "Walid Touil",
        "said_on": "2026-11-20",
    }
    path = f"/coordinator/pupils/{pupil_id}/consent"
    asked = client.post(path, data=data)
    assert asked.status_code == 200
    said = words(asked.text)
    assert "Hiba Touil , Mathematics 3AC : with Rania Mounir, Monday 18:00" in said
    assert "The whole group ends" in said
    with app.app_context():
        assert db.session.get_one(TutoringRequest, request_id).state is RequestState.SERVED
    fields = hidden_fields(asked.text)
    assert {name: values[0] for name, values in fields.items() if name in data} == data
    done = client.post(path, data=fields)
    assert (done.status_code, done.location) == (303, "/coordinator/families/1")
    with app.app_context():
        assert db.session.get_one(TutoringRequest, request_id).state is RequestState.WAITING
        newest = db.session.scalars(select(Consent).order_by(Consent.id.desc())).first()
        assert newest is not None
        assert (newest.given, newest.means) == (False, ConsentMeans.ON_PAPER)
    shown = words(client.get(done.location).text)
    assert "Salma Bennis recorded a guardian's answer: Hiba, lessons: no" in shown
    assert "refused lessons" in shown


def test_child_request_and_messages_are_changed_from_the_familys_page(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        household = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
        request_id = household.pupils[0].requests[0].id
        grade, french = level("TC").id, subject("french").id
    edit = {"first_name": "Hibatallah", "last_name": "Touil", "level_id": str(grade), "ref": "P9"}
    for path, data in (
        ("/coordinator/pupils/1/edit", edit | {"needs": ["woman"]}),
        ("/coordinator/pupils/1/subjects/new", {"subject_id": str(french), "lessons": "3"}),
        (f"/coordinator/requests/{request_id}/edit", {"lessons": "2"}),
        (f"/coordinator/requests/{request_id}/end", {"reason": "moved away"}),
        ("/coordinator/families/1/messages/stop", {}),
        ("/coordinator/families/1/notes", {"text": "Call after four."}),
    ):
        assert client.get(path).status_code in (200, 405)
        answer = client.post(path, data=data)
        assert (path, answer.status_code) == (path, 303)
    page = client.get("/coordinator/families/1").text
    shown = words(page)
    for told in (
        "Hibatallah Touil Common core · P9 A woman volunteer",
        "Mathematics : 2 lessons a week ended moved away",
        "French : 3 lessons a week waiting",
        "messages stopped",
        "Call after four.",
        "Salma Bennis ended a request: Hibatallah, Mathematics, moved away",
    ):
        assert told in shown, told
    assert client.post(f"/coordinator/requests/{request_id}/again").status_code == 303
    assert client.post("/coordinator/families/1/messages/send").status_code == 303
    assert client.post("/coordinator/families/1/notes/1/remove").status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Note.id)).all() == []
        assert db.session.get_one(TutoringRequest, request_id).state is RequestState.WAITING
        assert db.session.get_one(Household, 1).messages_stopped_at is None


def test_empty_notes_and_reasons_are_refused_where_they_are_written(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        make_household()
    answer = client.post("/coordinator/families/1/notes", data={"text": " "})
    assert answer.status_code == 400
    assert "Write what the others should know." in words(answer.text)
    answer = client.post("/coordinator/requests/1/end", data={"reason": ""})
    assert answer.status_code == 400
    assert "Say why the request ends." in words(answer.text)


def ask_themselves(number: int, origin: RequestOrigin = RequestOrigin.FAMILY) -> None:
    """Have the requests of a family be its own, which wait for a coordinator."""
    with transaction():
        for pupil in db.session.get_one(Household, number).pupils:
            for request in pupil.requests:
                request.state, request.origin = RequestState.TO_CONFIRM, origin


def test_what_a_family_asked_for_is_confirmed_once_all_is_there(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        make_household(
            guardian="Nadia Idrissi", pupils=[("Rim Idrissi", "1AC", ("maths", "french"))]
        )
        make_household(guardian="Omar Tazi", zone="Tizi", consent=None, group_consent=None)
        ask_themselves(1)
        ask_themselves(2, RequestOrigin.PUBLIC)
        with transaction():
            db.session.get_one(Household, 2).zone.listed = False
        notes.add_note(1, "Calls back after prayer.", db.session.scalars(select(Coordinator)).one())
    page = client.get("/coordinator/requests").text
    shown = words(page)
    assert shown.index("Nadia Idrissi") < shown.index("Omar Tazi")
    for told in (
        "asked for on the family's page",
        "asked for on the page that asks for help",
        "Confirm all of it for Nadia Idrissi",
        "Confirm Mathematics for Rim alone",
        "zone not on the list",
        "Calls back after prayer.",
        "Take Tizi into the list of zones",
        "Without the guardian's consent to lessons nothing can be confirmed.",
    ):
        assert told in shown, told
    assert "Confirm all of it for Omar Tazi" not in shown
    assert views(app)[-1] == ("/coordinator/requests", [1, 2])

    refused = client.post("/coordinator/families/2/confirm")
    assert refused.status_code == 409
    assert "First take the zone into the list" in words(refused.text)
    assert client.post("/coordinator/zones/2/list").status_code == 303
    refused = client.post("/coordinator/families/2/confirm")
    assert "Hiba Touil has no consent to lessons in force" in words(refused.text)

    one = client.post("/coordinator/families/1/confirm", data={"request": "2"})
    assert one.status_code == 303
    rest = client.post("/coordinator/families/1/confirm", follow_redirects=True)
    assert "1 request is confirmed and waits for the next matching." in words(rest.text)
    assert "Nadia Idrissi" not in words(rest.text).partition("Requests to confirm")[2]


def _found(client: FlaskClient, searched: str) -> list[str]:
    page = client.get("/coordinator/pupils", query_string={"name": searched}).text
    return [unescape(name) for name in re.findall(r"<h2[^>]*><a[^>]*><bdi>([^<]*)<", page)]


def test_search_finds_latin_and_arabic_names_the_best_first(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        make_household(guardian="يوسف العلوي", pupils=[("هبة العلوي", "3AC", ("maths",))])
        make_household(guardian="Youssef Alaoui", pupils=[("Ali Alaoui", "3AC", ("maths",))])
        make_household(guardian="Yousef Bennani", pupils=[("Alae Bennani", "3AC", ("maths",))])
    assert _found(client, "youssef") == ["Youssef Alaoui", "Yousef Bennani", "يوسف العلوي"]
    assert _found(client, "يوسف") == ["يوسف العلوي", "Yousef Bennani", "Youssef Alaoui"]
    assert _found(client, "Hiba") == ["يوسف العلوي"]
    assert _found(client, "alaoui hiba") == ["يوسف العلوي"]
    assert _found(client, "علي") == ["Youssef Alaoui"]
    assert _found(client, "alae") == ["Yousef Bennani"]


def test_list_of_a_thousand_families_is_quick_and_asks_as_often_as_for_one(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        make_household()
    with counted_statements(app) as few:
        assert client.get("/coordinator/pupils?name=touil").status_code == 200
    with app.app_context():
        _add_families(1_000)
    with counted_statements(app) as many:
        assert client.get("/coordinator/pupils?name=touil").status_code == 200
    assert len(many) == len(few)
    quickest = min(_seconds(client, f"/coordinator/pupils?name=fatima{n}") for n in range(3))
    assert quickest < 0.3, f"{quickest:.2f} s"


def _seconds(client: FlaskClient, path: str) -> float:
    start = time.process_time()
    assert client.get(path).status_code == 200
    return time.process_time() - start


def _add_families(number: int) -> None:
    zone_id, grade = db.session.scalars(select(Zone.id)).one(), level("3AC").id
    with transaction():
        ids = range(100, 100 + number)
        families = [
            {
                "id": one,
                "phone": f"+2127{one:08d}",
                "zone_id": zone_id,
                "times_to_agree": True,
                "message_language": "ar",
                "created_at": clock.now(),
            }
            for one in ids
        ]
        db.session.execute(insert(Household), families)
        guardians = [{"household_id": one, "name": f"Touil Guardian {one}"} for one in ids]
        db.session.execute(insert(Guardian), guardians)
        children = [
            {
                "household_id": one,
                "first_name": f"Child{one}",
                "last_name": "فاطمة",
                "level_id": grade,
                "created_at": clock.now(),
            }
            for one in ids
        ]
        db.session.execute(insert(Pupil), children)


def test_familys_page_and_requests_ask_the_database_as_often_for_many_children(
    app: Flask,
) -> None:
    client = in_english(app)
    with app.app_context():
        make_household(pupils=[("A B", "3AC", ("maths",))])
        many = [(f"Child{n} B", "3AC", ("maths", "french")) for n in range(8)]
        make_household(pupils=many, guardian="Many B")
        ask_themselves(1)
    asked = []
    for path in ("/coordinator/families/1", "/coordinator/requests"):
        with counted_statements(app) as few:
            assert client.get(path).status_code == 200
        asked.append(len(few))
    with app.app_context():
        ask_themselves(2)
    for path, before in zip(
        ("/coordinator/families/2", "/coordinator/requests"), asked, strict=True
    ):
        with counted_statements(app) as statements:
            assert client.get(path).status_code == 200
        assert len(statements) == before, path


def test_familys_page_leaves_one_row_in_the_trace_and_shows_its_link(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        household = make_household(pupils=[("A B", "3AC", ("maths",)), ("C B", "1AC", ("maths",))])
        family_links.make_link(household.id, None)
    page = words(client.get("/coordinator/families/1").text)
    assert views(app) == [("/coordinator/families/1", [1, 2])]
    assert "The family has a link that opens its page." in page
    assert "the program made a family's link" in page
    assert "saw family" not in page
    assert client.get("/coordinator/families/99").status_code == 404


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ('"GET /coordinator/pupils?name=Hiba+Touil&zone=2 HTTP/1.1"', '?name=...&zone=2 HTTP/1.1"'),
        ("/coordinator/volunteers?state=vetted&name=%D9%87", "?state=vetted&name=..."),
        (
            "GET /account/sign-in?next=%2Fcoordinator%2Fpupils%3Fname%3DHiba%2BTouil%26zone%3D2 H",
            "%2Fpupils%3Fname%3D... H",
        ),
        ("/coordinator/pupils?name=&zone=2", "?name=&zone=2"),
    ],
)
def test_names_that_were_searched_for_stay_out_of_logs(app: Flask, said: str, kept: str) -> None:
    record = logging.LogRecord("werkzeug", logging.INFO, "", 0, "%s 200", (said,), None)
    assert HideSecretLinks().filter(record)
    assert kept in record.getMessage()
    assert "Hiba" not in record.getMessage()
