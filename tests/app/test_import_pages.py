"""The coordinator's way with a list: choose, look, store, leave out, give up."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.database import transaction
from app.extensions import db
from app.i18n import PAGE_LOCALES
from app.models import AuditEntry, Household, ListKind, PendingImport, Pupil, Tutor
from app.services.imports import ModelFormat, apply_import, delete_stale_imports
from app.services.programme import load_programme
from scheduler import clock
from tests.support.lists import (
    HIBA,
    PILOT_PUPILS,
    PILOT_VOLUNTEERS,
    SARA,
    WALID,
    count,
    make_list,
    plan_on_nothing,
    statuses,
    without,
)
from tests.support.people import make_coordinator

# Services are tested on both databases; what is said of them is the same on each.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BAD = {**SARA, "niveau": "<b>9</b>"}


@pytest.fixture(autouse=True)
def _programme(app: Flask) -> None:
    with app.app_context():
        load_programme()


def sign_in(app: Flask, email: str = "coordinator@example.org") -> FlaskClient:
    """A browser in which a new coordinator is signed in, reading English."""
    with app.app_context():
        key = make_coordinator(email).get_id()
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = key
        session["locale"] = "en"
    return client


def choose(client: FlaskClient, content: bytes, kind: str = "pupils") -> TestResponse:
    form = {"kind": kind, "list": (io.BytesIO(content), "ma liste.csv")}
    return client.post("/coordinator/import", data=form)


def preview(client: FlaskClient, content: bytes, kind: str = "pupils") -> tuple[str, str]:
    """Choose a list; the path and the text of the page that shows what it would change."""
    answer = choose(client, content, kind)
    assert answer.status_code == 303
    path = str(answer.location)
    page = client.get(path)
    assert page.status_code == 200
    return path, page.text


def store(client: FlaskClient, path: str, page: str) -> TestResponse:
    """Press the page's button."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    form = {name: value for name, value in fields if name in ("expected", "leave_out_bad")}
    assert set(form) == {"expected", "leave_out_bad"}
    return client.post(f"{path}/store", data=form)


def words(page: str) -> str:
    """What a reader of the page reads, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_list_is_shown_then_stored(app: Flask) -> None:
    client = sign_in(app)
    path, page = preview(client, PILOT_PUPILS)
    assert "ma liste.csv" in page
    assert "53 families added" in words(page)
    assert "121 requests added" in words(page)
    assert "A new zone: M'Fassis." in words(page)
    assert "Wiam Lamrani" in page
    with app.app_context():
        assert count(Pupil) == 0

    answer = store(client, path, page)
    assert answer.status_code == 303
    with app.app_context():
        assert count(Pupil) == 76
        assert count(PendingImport) == 0
    assert "76 new rows" in words(client.get(str(answer.location)).text)
    assert client.get(path).status_code == 404


def test_volunteers_are_stored_from_the_page(app: Flask) -> None:
    client = sign_in(app)
    path, page = preview(client, PILOT_VOLUNTEERS, "volunteers")
    assert "once a coordinator has vetted them" in words(page)
    assert "Mathématiques: 4AEP-1AC" not in page
    assert "Mathematics: 4AEP-1AC" in words(page)
    assert store(client, path, page).status_code == 303
    with app.app_context():
        assert count(Tutor) == 20


def test_page_of_the_same_list_offers_nothing_to_store(app: Flask) -> None:
    with app.app_context():
        apply_import(ListKind.PUPILS, PILOT_PUPILS, None)
    _path, page = preview(sign_in(app), PILOT_PUPILS)
    assert "There is nothing to store." in words(page)
    assert "76 rows say what is known already." in words(page)
    assert 'name="expected"' not in page
    assert "Wiam" not in page


def test_bad_rows_are_told_and_can_be_left_out(app: Flask) -> None:
    client = sign_in(app)
    path, page = preview(client, make_list(HIBA, BAD))
    assert "3 Sara Rami P3 niveau <b>9</b> Expected: one of 1AEP, 2AEP," in words(page)
    assert "<b>9</b>" not in page
    assert "Store the 1 good rows and leave the 1 bad ones out" in words(page)
    assert store(client, path, page).status_code == 303
    with app.app_context():
        assert [pupil.ref for pupil in db.session.scalars(select(Pupil))] == ["P1"]


def test_store_without_the_choice_to_leave_out_stores_nothing(app: Flask) -> None:
    client = sign_in(app)
    path, page = preview(client, make_list(HIBA, BAD))
    answer = store(
        client,
        path,
        page.replace('name="leave_out_bad" value="1"', 'name="leave_out_bad" value=""'),
    )
    assert answer.location == path
    assert "Some rows can't be stored." in words(client.get(path).text)
    with app.app_context():
        assert count(Pupil) == 0


def test_list_is_shown_anew_when_the_database_changed_in_between(app: Flask) -> None:
    client = sign_in(app)
    path, page = preview(client, make_list(HIBA))
    with app.app_context():
        apply_import(ListKind.PUPILS, make_list({**HIBA, "niveau": "TC"}), None)
    answer = store(client, path, page)
    assert answer.location == path
    again = client.get(path).text
    assert "What is known changed since this list was checked." in words(again)
    assert "niveau from “TC” to “3AC”" in words(again)
    assert store(client, path, again).location != path
    with app.app_context():
        assert db.session.scalars(select(Pupil)).one().level.code == "3AC"


def test_changed_family_names_its_other_children(app: Flask) -> None:
    with app.app_context():
        apply_import(ListKind.PUPILS, make_list(HIBA, WALID), None)
    _path, page = preview(sign_in(app), make_list({**HIBA, "joignable": ""}))
    assert (
        "The family with the telephone +212600000102 changes, and with it these children, who are "
        "not in the list: Walid Touil."
    ) in words(page)
    assert "joignable from “Tuesday 17:30-19:30; Sunday 10:00-14:00” to “times to be agreed”" in (
        words(page)
    )


def test_page_leaves_a_trace_of_the_children_it_shows(app: Flask) -> None:
    with app.app_context():
        apply_import(ListKind.PUPILS, make_list(HIBA, WALID, SARA), None)
    path, _page = preview(sign_in(app), make_list({**HIBA, "joignable": ""}, SARA))
    with app.app_context():
        refs = select(Pupil.id).where(Pupil.ref.in_(["P1", "P2"]))
        (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.subject == path))
        assert entry.action == "view"
        assert entry.pupil_ids == sorted(db.session.scalars(refs))


def test_given_up_list_is_forgotten(app: Flask) -> None:
    client = sign_in(app)
    path, _page = preview(client, make_list(HIBA))
    assert client.post(f"{path}/give-up").location == "/coordinator/import"
    with app.app_context():
        assert count(PendingImport) == 0
        assert count(Pupil) == 0


def test_waiting_list_is_its_uploaders_alone(app: Flask) -> None:
    path, page = preview(sign_in(app), make_list(HIBA))
    other = sign_in(app, "other@example.org")
    assert other.get(path).status_code == 404
    assert store(other, path, page).status_code == 404
    assert other.post(f"{path}/give-up").status_code == 404
    with app.app_context():
        assert count(PendingImport) == 1
        assert count(Pupil) == 0


def test_pages_are_closed_to_others(app: Flask, client: FlaskClient) -> None:
    path, _page = preview(sign_in(app), make_list(HIBA))
    for answer in (
        client.get("/coordinator/import"),
        choose(client, make_list(HIBA)),
        client.get(path),
        client.post(f"{path}/store"),
        client.post(f"{path}/give-up"),
    ):
        assert answer.status_code == 302
        assert "/account/sign-in" in answer.location


def test_forms_need_their_token(app: Flask) -> None:
    client = sign_in(app)
    path, page = preview(client, make_list(HIBA))
    app.config["WTF_CSRF_ENABLED"] = True
    assert choose(client, make_list(HIBA)).status_code == 400
    assert store(client, path, page).status_code == 400
    assert client.post(f"{path}/give-up").status_code == 400
    with app.app_context():
        assert count(Pupil) == 0
        assert count(PendingImport) == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, ["Choose which list this is.", "Choose a file."]),
        ({"kind": "cats"}, ["Choose which list this is.", "Choose a file."]),
        ({"kind": "pupils"}, ["Choose a file."]),
        ({"kind": "pupils", "list": (io.BytesIO(b"x"), "")}, ["Choose a file."]),
        ({"kind": "pupils", "list": (io.BytesIO(b""), "a.csv")}, ["The file is empty."]),
        (
            {"kind": "volunteers", "list": (io.BytesIO(b"PK\x03\x04.."), "a.xlsx")},
            ["This file can't be read as a workbook (.xlsx)"],
        ),
    ],
)
def test_form_says_what_is_missing_and_keeps_no_file(
    app: Flask, form: dict[str, object], said: list[str]
) -> None:
    answer = sign_in(app).post("/coordinator/import", data=form)
    assert answer.status_code == 400
    assert all(sentence in words(answer.text) for sentence in said)
    with app.app_context():
        assert count(PendingImport) == 0


def test_too_large_file_is_told(app: Flask) -> None:
    client = sign_in(app)
    app.config["MAX_CONTENT_LENGTH"] = 1_000
    answer = choose(client, bytes(1_001))
    assert answer.status_code == 413
    assert "10 MB" in words(answer.text)


def test_waiting_lists_older_than_a_day_are_forgotten(app: Flask) -> None:
    client = sign_in(app)
    old_path, _page = preview(client, make_list(HIBA))
    with app.app_context():
        with transaction():
            yesterday = clock.now() - timedelta(hours=24, minutes=1)
            db.session.execute(update(PendingImport).values(uploaded_at=yesterday))
        new_path = choose(client, make_list(SARA)).location
        assert count(PendingImport) == 1
        delete_stale_imports()
        assert count(PendingImport) == 1
    assert client.get(old_path).status_code == 404
    assert client.get(str(new_path)).status_code == 200


def test_model_lists_can_be_imported_as_they_are(app: Flask) -> None:
    client = sign_in(app)
    for kind, format_, language in product(ListKind, ModelFormat, PAGE_LOCALES):
        with client.session_transaction() as session:
            session["locale"] = language
        name = f"{kind}.{format_}"
        answer = client.get(f"/coordinator/import/model/{name}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="n9raw-{name}"'
        with app.app_context():
            report = plan_on_nothing(kind, answer.data)
        assert statuses(report) == ["new", "new"]
        assert report.ignored_columns == ()
    assert client.get("/coordinator/import/model/pupils.pdf").status_code == 404
    assert client.get("/coordinator/import/model/cats.csv").status_code == 404


def test_pages_read_in_arabic_from_right_to_left(app: Flask) -> None:
    client = sign_in(app)
    with client.session_transaction() as session:
        session["locale"] = "ar"
    _path, page = preview(client, make_list(HIBA, BAD))
    assert '<html lang="ar" dir="rtl">' in page
    assert "الرياضيات; الفرنسية" in page
    assert 'dir="rtl"' in client.get("/coordinator/import").text


def test_page_of_a_thousand_known_rows_and_one_new_stays_small(app: Flask) -> None:
    many = [
        {**without(HIBA, "pupil"), "prenom": f"Enfant {one}", "telephone": f"0611{one:06d}"}
        for one in range(1000)
    ]
    with app.app_context():
        apply_import(ListKind.PUPILS, make_list(*many), None)
        assert count(Household) == 1000
    _path, page = preview(sign_in(app), make_list(*many, without(SARA, "pupil")))
    assert "1000 rows say what is known already." in words(page)
    assert len(page) < 20_000
