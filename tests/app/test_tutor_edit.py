"""A volunteer is added by hand, and changed: with the same care as from a list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import AuditEntry, Group, GroupState, Note, Tag, Tutor, TutorState, TutorWindow
from app.services import tutors
from app.services.errors import Invalid, NotFound
from app.services.tutor_notes import note_tutor, notes_on
from app.services.tutors import InvalidEntry, TutorEntry
from tests.support import people
from tests.support.groups import active_group
from tests.support.pages import in_english, signed_in_tutor, words

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def entry(app: Flask) -> Iterator[TutorEntry]:
    with app.app_context():
        people.make_programme()
        yield an_entry()


def an_entry() -> TutorEntry:
    return TutorEntry(
        first_name=" Rania ",
        last_name="Mounir",
        email="Rania@Example.org",
        phone="0600 000 201",
        message_language="ar",
        time_zone="Europe/Paris",
        max_lessons_per_week=4,
        teaches=frozenset({(people.subject("maths").id, people.level("3AC").id)}),
        channels=frozenset({"call", "video"}),
        languages=frozenset({"darija"}),
        tags=frozenset({"woman"}),
        windows=((0, 1080, 1200), (5, 600, 720)),
        times_to_agree=False,
    )


def test_volunteer_who_is_added_waits_for_vetting(entry: TutorEntry) -> None:
    by = people.make_coordinator()
    row = tutors.add_tutor(entry, by)
    assert (row.first_name, row.name, row.email, row.phone) == (
        "Rania",
        "Rania Mounir",
        "rania@example.org",
        "+212600000201",
    )
    assert (row.state, row.vetted_at) == (TutorState.REGISTERED, None)
    assert (row.message_language, row.time_zone) == ("ar", "Europe/Paris")
    assert {one.channel for one in row.channels} == {"call", "video"}
    assert [one.tag for one in row.tags] == ["woman"]
    assert sorted(one.as_window() for one in row.windows) == [(0, 1080, 1200), (5, 600, 720)]
    acts = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "add_tutor")).all()
    assert [(act.subject, act.coordinator_id) for act in acts] == [(f"tutor:{row.id}", by.id)]


def test_each_field_that_cannot_be_kept_is_named(entry: TutorEntry) -> None:
    wrong = replace(
        entry,
        first_name=" ",
        last_name="#REF!",
        email="nobody",
        phone="12",
        message_language="en",
        time_zone="Mars/Base",
        max_lessons_per_week=41,
        teaches=frozenset(),
        channels=frozenset(),
        languages=frozenset(),
    )
    with pytest.raises(InvalidEntry) as refused:
        tutors.add_tutor(wrong, people.make_coordinator())
    assert set(refused.value.by_field) == {
        "first_name",
        "last_name",
        "email",
        "phone",
        "message_language",
        "time_zone",
        "max_lessons_per_week",
        "teaches",
        "channels",
        "languages",
    }
    assert db.session.scalars(select(Tutor)).all() == []


def test_address_of_somebody_else_is_refused_by_name(entry: TutorEntry) -> None:
    by = people.make_coordinator()
    first = tutors.add_tutor(entry, by)
    again = replace(entry, first_name="Omar", last_name="Ziani")
    with pytest.raises(InvalidEntry) as refused:
        tutors.add_tutor(again, by)
    assert set(refused.value.by_field) == {"email", "phone"}
    assert "Rania Mounir" in str(refused.value.by_field["phone"])
    with pytest.raises(InvalidEntry) as refused:
        tutors.add_tutor(replace(again, email="", phone=""), by)
    assert set(refused.value.by_field) == {"email"}
    tutors.add_tutor(replace(again, email="omar@example.org", phone=""), by)
    tutors.change_tutor(first.id, entry, by)


def test_change_keeps_state_groups_and_what_stays_the_same(entry: TutorEntry) -> None:
    by = people.make_coordinator()
    number = people.make_tutor(windows=("mon 18:00-20:00", "tue 18:00-20:00"))
    group = active_group(number, [people.make_household().pupils[0].requests[0].id])
    kept = db.session.scalars(select(TutorWindow.id).where(TutorWindow.day == 0)).one()
    tutors.change_tutor(number, replace(entry, time_zone="Africa/Casablanca"), by)
    row = db.session.get_one(Tutor, number)
    assert (row.state, row.name, row.time_zone) == (TutorState.VETTED, "Rania Mounir", None)
    assert [one.id for one in row.windows if one.day == 0] == [kept]
    assert sorted(one.as_window() for one in row.windows) == [(0, 1080, 1200), (5, 600, 720)]
    assert db.session.get_one(Group, group.id).state is GroupState.ACTIVE
    act = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "change_tutor")).one()
    assert "Rania" not in str(act.detail)
    with pytest.raises(NotFound):
        tutors.change_tutor(999, entry, by)


def test_what_is_no_longer_offered_stays_with_who_has_it(entry: TutorEntry) -> None:
    by = people.make_coordinator()
    row = tutors.add_tutor(entry, by)
    with transaction():
        db.session.get_one(Tag, "woman").retired = True
        people.subject("maths").retired = True
    own, others = tutors.offered_to(row), tutors.offered_to(None)
    assert "woman" in [tag.code for tag in own.tags]
    assert "woman" not in [tag.code for tag in others.tags]
    assert "maths" in [subject.code for subject in own.subjects]
    assert "maths" not in [subject.code for subject in others.subjects]
    assert all(channel.variant_of is None for channel in own.channels)


def test_notes_stand_with_name_the_newest_first(entry: TutorEntry) -> None:
    by = people.make_coordinator()
    number = tutors.add_tutor(entry, by).id
    note_tutor(number, " first ", by)
    note_tutor(number, "second", by)
    assert [(note.text, note.by_id) for note in notes_on(number)] == [
        ("second", by.id),
        ("first", by.id),
    ]
    with pytest.raises(Invalid):
        note_tutor(number, "   ", by)
    with pytest.raises(NotFound):
        note_tutor(999, "nobody", by)
    assert len(db.session.scalars(select(Note)).all()) == 2


def a_form(app: Flask) -> dict[str, list[str] | str]:
    with app.app_context():
        maths, level = people.subject("maths").id, people.level("3AC").id
    return {
        "first_name": "Rania",
        "last_name": "Mounir",
        "email": "rania@example.org",
        "phone": "",
        "teaches": [f"{maths}-{level}"],
        "max_lessons_per_week": "3",
        "languages": ["darija", "fr"],
        "channels": ["call"],
        "tags": ["woman"],
        "message_language": "fr",
        "time_zone": "Africa/Casablanca",
        "period0": ["evening"],
    }


@on_sqlite
def test_volunteer_is_added_and_changed_on_pages(app: Flask) -> None:
    client = in_english(app)
    form = a_form(app)
    page = words(client.get("/coordinator/volunteers/new").text)
    assert "Add a volunteer" in page
    wrong = client.post("/coordinator/volunteers/new", data=form | {"email": "", "period0": []})
    assert wrong.status_code == 400
    assert "Tick at least one part of a day" in words(wrong.text)
    wrong = client.post("/coordinator/volunteers/new", data=form | {"email": ""})
    assert "Give an e-mail address or a telephone number." in words(wrong.text)
    copied = client.post("/coordinator/volunteers/new", data=form | {"copy": "0"})
    assert copied.status_code == 200
    assert copied.text.count('value="evening" checked') == 7
    answer = client.post("/coordinator/volunteers/new", data=form)
    assert answer.status_code == 303
    page = words(client.get(answer.location).text)
    assert "Rania Mounir is added, and waits for vetting." in page
    assert "Monday 18:30–21:00" in page
    assert "A woman volunteer" in page

    edit = f"{answer.location}/edit"
    assert 'value="rania@example.org"' in client.get(edit).text
    number = int(answer.location.rpartition("/")[2])
    volunteer = signed_in_tutor(app, number)
    assert client.post(edit, data=form | {"last_name": "Alaoui"}).status_code == 303
    assert volunteer.get("/volunteer/week").status_code == 200
    assert client.post(edit, data=form | {"email": "new@example.org"}).status_code == 303
    assert volunteer.get("/volunteer/week").status_code == 302
    client.post(f"{answer.location}/notes", data={"text": "Calls late."})
    assert client.post(f"{answer.location}/notes", data={"text": ""}).status_code == 400
    page = words(client.get(answer.location).text)
    assert "Calls late." in page
    assert "Rania Mounir" in page


@on_sqlite
def test_vetting_form_says_which_check_lacks(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        number = people.make_tutor(state=TutorState.REGISTERED)
    answer = client.post(
        f"/coordinator/volunteers/{number}/vet", data={"identity_seen_on": "yesterday"}
    )
    page = words(answer.text)
    assert answer.status_code == 400
    for sentence in (
        "Give a day, such as 2026-11-21.",
        "Say when the interview was held.",
        "Without a certificate of good conduct nobody can be vetted.",
        "Say when the volunteer accepted the charter.",
    ):
        assert sentence in page


@on_sqlite
def test_browser_stays_out_when_an_address_that_was_changed_is_given_back(app: Flask) -> None:
    with app.app_context():
        people.make_programme()
        number = people.make_tutor()
        email = str(db.session.get_one(Tutor, number).email)
    browser = signed_in_tutor(app, number)
    with app.app_context():
        by = people.make_coordinator()
        entry = replace(an_entry(), phone="")
        tutors.change_tutor(number, replace(entry, email="rania@example.org"), by)
        tutors.change_tutor(number, replace(entry, email=email), by)
    assert browser.get("/volunteer/week").location.startswith("/volunteer/sign-in")
    browser = signed_in_tutor(app, number)
    with app.app_context():
        by = people.make_coordinator("another@example.org")
        tutors.change_tutor(number, replace(entry, email=email, last_name="Alami"), by)
    assert browser.get("/volunteer/week").status_code == 200
