"""The coordinators' pages of people: desk, volunteers, families, trace."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Consent, ConsentKind, Coordinator, Pupil, Tutor, TutorState
from app.services import people
from app.services.coordinators import add_coordinator
from app.services.desk import desk_figures
from app.services.scope import EVERYWHERE
from tests.support.pages import EMAIL, counted_statements, in_english, signed_in, views, words
from tests.support.people import (
    PASSWORD,
    make_household,
    make_programme,
    make_tutor,
    say,
    sign_in,
)
from tests.support.vetting import form_of, vet_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_desk_counts_who_waits_for_what(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        make_tutor(state=TutorState.REGISTERED)
        make_tutor(state=TutorState.VETTED)
        make_tutor(state=TutorState.VETTED)
        make_household(pupils=[("A B", "3AC", ("maths", "french")), ("C B", "1AC", ("maths",))])
        make_household(pupils=[("D E", "3AC", ("maths",))], consent=None)
        make_household(pupils=[("F G", "3AC", ("maths",))], consent=False)
    page = words(client.get("/coordinator/desk").text)
    for sentence in (
        "1 volunteer waits for vetting",
        "2 volunteers vetted",
        "3 families",
        "4 pupils 2 pupils without consent",
        "5 requests wait",
    ):
        assert sentence in page


def test_desk_counts_a_withdrawn_consent_as_none(app: Flask) -> None:
    with app.app_context():
        make_programme()
        make_household()
        assert desk_figures(EVERYWHERE).pupils_without_consent == 0
        pupil = db.session.scalars(select(Pupil)).one()
        pupil.consents.append(say(ConsentKind.LESSONS, False))
        db.session.commit()
        assert desk_figures(EVERYWHERE).pupils_without_consent == 1
        statements = db.session.scalars(select(Consent.given).order_by(Consent.id)).all()
        assert statements == [True, True, False]


@on_sqlite
def test_volunteers_teach_in_ranges_of_neighbouring_levels(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        make_tutor(
            teaches=[
                ("maths", "3AC"),
                ("maths", "1AC"),
                ("maths", "2AC"),
                ("maths", "1BAC"),
                ("physics", "2BAC"),
            ]
        )
    page = words(client.get("/coordinator/volunteers").text)
    assert "Mathematics 1AC–3AC , 1BAC Physics and chemistry 2BAC" in page


@on_sqlite
def test_volunteers_are_found_by_part_of_the_name_and_by_state(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        make_tutor(name="Aïcha Bennani", state=TutorState.VETTED)
        make_tutor(name="Rania Mounir", state=TutorState.REGISTERED)
    listed = words(client.get("/coordinator/volunteers?name=AICHA").text)
    assert "Aïcha Bennani" in listed
    assert "Rania Mounir" not in listed
    listed = words(client.get("/coordinator/volunteers?state=registered").text)
    assert "Aïcha Bennani" not in listed
    assert "Rania Mounir" in listed
    assert "No volunteer fits." in words(client.get("/coordinator/volunteers?name=zz").text)


def test_volunteer_is_vetted_by_name_and_can_be_taken_back(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor_id = make_tutor(name="Rania Mounir", state=TutorState.REGISTERED)
        other_id = make_tutor(name="Nouhaila Karimi", state=TutorState.REGISTERED)
    address = f"/coordinator/volunteers/{tutor_id}"
    assert client.get(f"{address}/vet").status_code == 405
    assert "Yes, I vouch for Rania Mounir" in client.get(address).text

    answer = client.post(f"{address}/vet", data=form_of(app), follow_redirects=True)
    assert "Rania Mounir is vetted" in words(answer.text)
    with app.app_context():
        coordinator = db.session.scalars(select(Coordinator)).one()
        tutor = db.session.get_one(Tutor, tutor_id)
        assert (tutor.state, tutor.vetted_by_id) == (TutorState.VETTED, coordinator.id)
        assert db.session.get_one(Tutor, other_id).state is TutorState.REGISTERED
    assert "By Salma Bennis on" in words(client.get(address).text)

    answer = client.post(f"{address}/withdraw-vetting", follow_redirects=True)
    assert "Rania Mounir waits for vetting again." in words(answer.text)
    with app.app_context():
        assert db.session.get_one(Tutor, tutor_id).state is TutorState.REGISTERED
    assert client.post(f"{address}/withdraw-vetting").status_code == 409


@on_sqlite
def test_unknown_volunteer_has_a_page_that_says_so(app: Flask) -> None:
    client = in_english(app)
    answer = client.get("/coordinator/volunteers/4711")
    assert answer.status_code == 404
    assert "This volunteer does not exist." in words(answer.text)


@on_sqlite
@pytest.mark.parametrize(
    ("consent", "groups", "sentence"),
    [
        (True, True, "consents to lessons groups too"),
        (True, False, "consents to lessons alone only"),
        (True, None, "consents to lessons alone only"),
        (False, False, "refused lessons"),
        (None, None, "no consent yet"),
    ],
)
def test_family_shows_what_the_guardian_said(
    app: Flask, consent: bool | None, groups: bool | None, sentence: str
) -> None:
    client = in_english(app)
    with app.app_context():
        make_household(
            guardian="Walid Touil",
            pupils=[("Hiba Touil", "3AC", ("maths",))],
            consent=consent,
            group_consent=groups,
            windows=["sat 10:00-12:00", "tue 17:30-19:30", "sat 09:00-09:30"],
        )
    page = words(client.get("/coordinator/pupils").text)
    assert f"Hiba Touil , Middle school, year 3 {sentence} Mathematics: 1 lesson a week" in page
    assert "Tuesday 17:30–19:30 Saturday 09:00–09:30 , 10:00–12:00" in page


def test_families_are_found_by_names_telephone_and_zone(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        first = make_household(
            guardian="Ayoub Lamrani", pupils=[("Wiam Lamrani", "2BAC", ("maths",))], zone="Boujniba"
        )
        make_household(
            guardian="فاطمة الزهراء",
            pupils=[("Aïcha Tazi", "3AC", ("maths",))],
            zone="Aïn Kaïcher",
        )
        db.session.add(first)
        phone, zone_id = first.phone, first.zone_id

    def found(query: dict[str, str | int]) -> list[str]:
        page = words(client.get("/coordinator/pupils", query_string=query).text)
        return [name for name in ("Ayoub Lamrani", "فاطمة الزهراء") if name in page]

    assert found({}) == ["Ayoub Lamrani", "فاطمة الزهراء"]
    assert found({"name": "wiam"}) == ["Ayoub Lamrani"]
    assert found({"name": "lamrani wiam"}) == ["Ayoub Lamrani"]
    assert found({"name": "aicha t"}) == ["فاطمة الزهراء"]
    assert found({"name": "فاطمه"}) == ["فاطمة الزهراء"]
    assert found({"name": "0" + phone.removeprefix("+212")}) == ["Ayoub Lamrani"]
    assert found({"name": phone}) == ["Ayoub Lamrani"]
    assert found({"zone": zone_id}) == ["Ayoub Lamrani"]
    assert found({"zone": zone_id, "name": "aicha"}) == []


@on_sqlite
def test_page_of_families_leaves_one_row_with_the_children_it_showed(app: Flask) -> None:
    client = signed_in(app)
    with app.app_context():
        households = [
            make_household(pupils=[("A B", "3AC", ("maths",)), ("C B", "1AC", ("maths",))]),
            make_household(pupils=[("Wiam E", "3AC", ("maths",))], zone="Boujniba"),
        ]
        db.session.add_all(households)
        children = [[pupil.id for pupil in household.pupils] for household in households]
    client.get("/coordinator/pupils")
    client.get("/coordinator/pupils?name=wiam")
    client.get("/coordinator/volunteers")
    client.get("/coordinator/desk")
    assert views(app) == [
        ("/coordinator/pupils", children[0] + children[1]),
        ("/coordinator/pupils", children[1]),
    ]


@on_sqlite
@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("/coordinator/volunteers", make_tutor),
        ("/coordinator/pupils", make_household),
        ("/coordinator/trace", make_household),
    ],
)
def test_list_asks_the_database_as_often_for_three_as_for_one(
    app: Flask, path: str, make: Callable[[], object]
) -> None:
    client = signed_in(app)
    asked = []
    for more in (1, 2):
        with app.app_context():
            for _ in range(more):
                make()
        with counted_statements(app) as statements:
            assert client.get(path).status_code == 200
        asked.append(len(statements))
    assert asked[0] == asked[1]


@on_sqlite
def test_families_come_in_pages(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PER_PAGE", 2)
    client = in_english(app)
    with app.app_context():
        for name in ("Aya A", "Badr B", "Chama C"):
            make_household(guardian=name)
    first = client.get("/coordinator/pupils?name=touil").text
    assert "Page 1 of 2" in words(first)
    assert "Badr B" in first
    assert "Chama C" not in first
    assert 'href="/coordinator/pupils?page=2&amp;name=touil&amp;zone="' in first
    for number in ("2", "99"):
        second = client.get(f"/coordinator/pupils?name=touil&page={number}").text
        assert "Page 2 of 2" in words(second)
        assert "Chama C" in second
        assert "Badr B" not in second
    assert "Aya A" in client.get("/coordinator/pupils?page=-3").text


@on_sqlite
def test_trace_names_who_did_what_and_how_many_children_were_shown(app: Flask) -> None:
    with app.app_context():
        add_coordinator(EMAIL, "Salma Bennis", PASSWORD)
    client = app.test_client()
    assert sign_in(client, EMAIL).status_code == 302
    client.post("/language", data={"locale": "en"})
    with app.app_context():
        make_programme()
        make_household(pupils=[("A B", "3AC", ("maths",)), ("C B", "1AC", ("maths",))])
        tutor_id = make_tutor(state=TutorState.REGISTERED)
        vet_tutor(tutor_id, db.session.scalars(select(Coordinator)).one())
    client.get("/coordinator/pupils")
    page = words(client.get("/coordinator/trace").text)
    seen = page.index("Salma Bennis saw Families and pupils 2")
    vetted = page.index(f"Salma Bennis vetted a volunteer volunteer {tutor_id} –")
    signed = page.index("Salma Bennis signed in coordinator 1 –")
    added = page.index("the program coordinator added coordinator 1 –")
    assert seen < vetted < signed < added
    assert EMAIL not in page
