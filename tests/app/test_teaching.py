"""What volunteers change of what they give: it counts from the next run, groups stay."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import AuditEntry, Channel, Group, GroupState, Tutor
from app.services import teaching
from app.services.errors import Invalid
from app.services.problem import build_problem
from tests.support.groups import active_group
from tests.support.pages import newest_code, signed_in_tutor, words
from tests.support.people import make_household, make_programme, make_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def taught(tutor_id: int) -> list[tuple[str, str, str]]:
    offer = teaching.read_offer()
    tutor = db.session.get_one(Tutor, tutor_id)
    return [
        (one.subject.code, one.first.code, one.last.code)
        for one in offer.stretches(teaching.taught_by(tutor, offer))
    ]


@pytest.fixture
def tutor_id(app: Flask) -> int:
    with app.app_context():
        make_programme()
        return make_tutor(teaches=[("maths", "3AC")])


def test_subjects_are_added_and_taken_away_but_for_the_last(app: Flask, tutor_id: int) -> None:
    with app.app_context():
        teaching.teach_more(tutor_id, "maths", "TC", "TC")
        teaching.teach_more(tutor_id, "french", "1AC", "2AC")
        assert taught(tutor_id) == [("maths", "3AC", "TC"), ("french", "1AC", "2AC")]
        teaching.teach_less(tutor_id, "maths", "3AC", "TC")
        with pytest.raises(Invalid):
            teaching.teach_less(tutor_id, "french", "1AC", "2AC")
        assert taught(tutor_id) == [("french", "1AC", "2AC")]
        noted = select(AuditEntry.detail).where(AuditEntry.action == "change_teaching")
        assert db.session.scalars(noted).all() == [{"tutor": tutor_id, "changed": "teaches"}] * 3


def test_level_that_is_retired_stays_with_who_teaches_it(app: Flask, tutor_id: int) -> None:
    with app.app_context():
        teaching.teach_more(tutor_id, "maths", "2AC", "TC")
        with transaction():
            teaching.read_offer().known_levels["3AC"].retired = True
        assert taught(tutor_id) == [("maths", "2AC", "TC")]
        with pytest.raises(Invalid):
            teaching.teach_more(tutor_id, "french", "3AC", "TC")
        teaching.teach_more(tutor_id, "french", "2AC", "TC")
        assert taught(tutor_id)[1] == ("french", "2AC", "TC")


def test_languages_channels_times_and_number_are_set(app: Flask, tutor_id: int) -> None:
    with app.app_context():
        teaching.set_languages(tutor_id, ["fr", "darija", "klingon"])
        teaching.set_channels(tutor_id, ["call", "whatsapp_one"])
        teaching.set_week(tutor_id, [(1, 480, 720)], to_agree=False)
        teaching.set_most_lessons(tutor_id, 7)
        tutor = db.session.get_one(Tutor, tutor_id)
        assert {row.language for row in tutor.languages} == {"fr", "darija"}
        assert {row.channel for row in tutor.channels} == {"call"}
        assert [row.as_window() for row in tutor.windows] == [(1, 480, 720)]
        assert tutor.max_lessons_per_week == 7
        teaching.set_week(tutor_id, [], to_agree=True)
        assert db.session.get_one(Tutor, tutor_id).windows == []
        assert db.session.get_one(Tutor, tutor_id).times_to_agree


def test_nothing_offered_is_refused(app: Flask, tutor_id: int) -> None:
    with app.app_context():
        with transaction():
            db.session.get_one(Channel, "call").retired = True
        with pytest.raises(Invalid):
            teaching.set_channels(tutor_id, ["call", "whatsapp_one"])
        with pytest.raises(Invalid):
            teaching.set_languages(tutor_id, [])
        for most in (0, 41):
            with pytest.raises(Invalid):
                teaching.set_most_lessons(tutor_id, most)
        tutor = db.session.get_one(Tutor, tutor_id)
        assert {row.channel for row in tutor.channels} == {"call", "whatsapp"}


@on_sqlite
def test_group_in_force_stays_whatever_its_volunteer_changes(app: Flask) -> None:
    with app.app_context():
        make_programme()
        tutor_id = make_tutor()
        request = make_household().pupils[0].requests[0]
        group_id = active_group(tutor_id, [request.id]).id
        another = make_household().pupils[0].requests[0]
        active_group(tutor_id, [another.id], starts=[("tue", "18:00")])
        teaching.teach_more(tutor_id, "french", "1AC", "1AC")
        teaching.teach_less(tutor_id, "maths", "3AC", "3AC")
        teaching.set_week(tutor_id, [(6, 480, 720)], to_agree=False)
        assert db.session.get_one(Group, group_id).state is GroupState.ACTIVE
        teaching.set_most_lessons(tutor_id, 1)
        (row,) = build_problem()["tutors"]
        assert {"subject": "maths", "levels": ["3AC"]} in row["teaches"], "or no run could keep it"
        assert row["max_lessons_per_week"] == 2


def see(client: FlaskClient, path: str) -> str:
    return words(client.get(f"/volunteer/teaching{path}").text)


@on_sqlite
def test_pages_show_what_is_given_and_keep_what_is_changed(app: Flask) -> None:
    client = signed_in_tutor(app)
    client.post("/language", data={"locale": "en"})
    assert "/volunteer/teaching" in client.get("/volunteer/settings").text
    shown = see(client, "")
    assert "Mathematics, Middle school, year 3" in shown
    assert "Monday 18:00–20:00" in shown
    assert 'value="18:00"' in client.get("/volunteer/teaching/times").text
    for path, fields in (
        ("/languages", {"chosen": "fr"}),
        ("/channels", {"chosen": ["call", "video"]}),
        ("/times", {"period2": "morning"}),
        ("/most", {"most": "4"}),
    ):
        answer = client.post(f"/volunteer/teaching{path}", data=fields)
        assert (answer.status_code, answer.location) == (303, "/volunteer/teaching"), path
    shown = see(client, "")
    assert "Wednesday 08:00–12:00" in shown
    assert "Monday" not in shown
    assert "call, video" in shown
    assert "at most 4" in shown


@on_sqlite
def test_pages_of_subjects(app: Flask) -> None:
    client = signed_in_tutor(app)
    client.post("/language", data={"locale": "en"})
    path = "/volunteer/teaching/subjects"
    assert client.post(path, data={"subject": "french"}).location == f"{path}/french"
    assert client.post(f"{path}/french", data={"first": "1AC", "last": "2AC"}).location == path
    assert client.get(f"{path}/magic").location == path
    maths = {"subject": "maths", "first": "3AC", "last": "3AC"}
    assert client.post(f"{path}/remove", data=maths).location == path
    assert "Mathematics, Middle school" not in see(client, "")
    french = {"subject": "french", "first": "1AC", "last": "2AC"}
    client.post(f"{path}/remove", data=french)
    assert "one at least must stay" in see(client, "/subjects")
    assert client.post(f"{path}/remove", data={"subject": "x"}).status_code == 303


@on_sqlite
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("languages", {}),
        ("channels", {"chosen": "whatsapp_one"}),
        ("times", {}),
        ("times", {"period0": "morning", "to_agree": "1"}),
        ("most", {"most": "lots"}),
        ("subjects", {}),
        ("subjects/maths", {"first": "3AC", "last": "1AC"}),
    ],
)
def test_wrong_answers_are_refused_on_top_and_at_the_field(
    app: Flask, path: str, fields: dict[str, str]
) -> None:
    client = signed_in_tutor(app)
    answer = client.post(f"/volunteer/teaching/{path}", data=fields | {"csrf_token": "one"})
    assert answer.status_code == 400
    assert 'class="errors"' in answer.text
    assert 'class="field-error"' in answer.text


@on_sqlite
def test_volunteer_stays_signed_in_where_that_was_ticked(app: Flask, tutor_id: int) -> None:
    plain = signed_in_tutor(app, tutor_id)
    assert plain.get_cookie("n9raw_stays") is None
    client = sign_in_to_stay(app, tutor_id)
    cookie = client.get_cookie("n9raw_stays")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    client.delete_cookie("session")
    assert client.get("/volunteer/week").status_code == 200
    client.post("/account/sign-out")
    assert client.get_cookie("n9raw_stays") is None
    assert client.get("/volunteer/week").status_code == 302


@on_sqlite
def test_new_address_ends_what_was_to_stay(app: Flask, tutor_id: int) -> None:
    client = sign_in_to_stay(app, tutor_id)
    with app.app_context(), transaction():
        db.session.get_one(Tutor, tutor_id).email = "new@example.org"
    client.delete_cookie("session")
    assert client.get("/volunteer/week").status_code == 302


def sign_in_to_stay(app: Flask, tutor_id: int) -> FlaskClient:
    with app.app_context():
        address = db.session.get_one(Tutor, tutor_id).email
    client = app.test_client()
    client.post("/volunteer/sign-in", data={"address": address})
    code = newest_code(app, tutor_id)
    answer = client.post("/volunteer/sign-in/code", data={"code": code, "stay": "y"})
    assert answer.status_code == 302
    return client
