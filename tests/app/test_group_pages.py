"""The coordinators' pages of groups and lessons: answers recorded, lessons seen and cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.database import transaction
from app.extensions import db
from app.models import (
    ConsentKind,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Pupil,
    Reminder,
    TutorState,
)
from app.services import changes, groups, publishing, timetable
from tests.support import people
from tests.support.groups import active_group, offer_group, proposal, propose
from tests.support.pages import counted_statements, in_english, signed_in, views, words

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SATURDAY = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    """Saturday 2026-11-21 at noon; the fixture's value moves the clock."""
    with time_machine.travel(SATURDAY, tick=False) as time:
        yield time


def family(name: str = "Hiba Touil") -> Household:
    return people.make_household(pupils=[(name, "3AC", ("maths",))])


def requests_of(*households: Household) -> list[int]:
    return [row.id for household in households for row in household.pupils[0].requests]


def withdraw_consent(household: Household) -> None:
    pupil_id = household.pupils[0].id
    with transaction():
        pupil = db.session.get_one(Pupil, pupil_id)
        pupil.consents.append(people.say(ConsentKind.LESSONS, False))
        groups.leave_without_right([pupil_id])


def group_state(app: Flask, group_id: int) -> GroupState:
    with app.app_context():
        return db.session.get_one(Group, group_id).state


def first_lesson(app: Flask) -> int:
    with app.app_context():
        return db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at)).first() or 0


@on_sqlite
def test_groups_that_wait_for_an_answer_come_first_with_how_long(
    app: Flask, time: time_machine.Traveller
) -> None:
    client = in_english(app)
    with app.app_context():
        active_group(people.make_tutor(name="Aya Amrani"), requests_of(family("Hiba Touil")))
        declined = offer_group(people.make_tutor(name="Zineb Zaki"), requests_of(family()))
        groups.decline_group(declined.id, "too far away")
        offer_group(people.make_tutor(name="Rania Mounir"), requests_of(family("Wiam Tazi")))
        time.shift(timedelta(days=3))
        offer_group(people.make_tutor(name="Nora Alami"), requests_of(family("Badr Ziani")))
    page = words(client.get("/coordinator/groups").text)
    places = [
        page.index(text)
        for text in (
            "4 groups",
            "Rania Mounir Mathematics 3AC Monday 18:00 Wiam Tazi",
            "waits for an answer for 3 days",
            "Nora Alami",
            "waits for an answer since today",
            "Aya Amrani Mathematics 3AC Monday 18:00 Hiba Touil WhatsApp, Darija active",
            "Zineb Zaki",
            "declined too far away",
        )
    ]
    assert places == sorted(places)


@on_sqlite
def test_declined_group_leaves_the_list_after_a_month_but_can_be_asked_for(
    app: Flask, time: time_machine.Traveller
) -> None:
    with app.app_context():
        people.make_programme()
        group = offer_group(people.make_tutor(name="Zineb Zaki"), requests_of(family()))
        groups.decline_group(group.id, "too far away")
    time.shift(timedelta(days=29))
    client = in_english(app)
    assert "Zineb Zaki" in client.get("/coordinator/groups").text
    time.shift(timedelta(days=2))
    assert "Zineb Zaki" not in client.get("/coordinator/groups").text
    assert "Zineb Zaki" in client.get("/coordinator/groups?state=declined").text


@on_sqlite
def test_groups_are_found_by_state_and_by_names_of_volunteers_and_pupils(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        mounir = people.make_tutor(name="Rania Mounir")
        active_group(mounir, requests_of(family("Hiba Touil")))
        offer_group(people.make_tutor(name="Nora Alami"), requests_of(family("Aïcha Tazi")))

    def found(**query: str | int) -> list[str]:
        page = client.get("/coordinator/groups", query_string=query).text
        return [name for name in ("Hiba Touil", "Aïcha Tazi") if name in page]

    assert found() == ["Hiba Touil", "Aïcha Tazi"]
    assert found(state="active") == ["Hiba Touil"]
    assert found(state="offered") == ["Aïcha Tazi"]
    assert found(state="ended") == []
    assert found(name="MOUNIR rania") == ["Hiba Touil"]
    assert found(name="aicha t") == ["Aïcha Tazi"]
    assert found(name="nobody") == []
    assert found(tutor=mounir) == ["Hiba Touil"]
    assert "Groups of Rania Mounir" in words(client.get(f"/coordinator/groups?tutor={mounir}").text)


@on_sqlite
def test_volunteers_page_leads_to_their_groups(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor = people.make_tutor(state=TutorState.REGISTERED)
    page = client.get(f"/coordinator/volunteers/{tutor}").text
    assert f'href="/coordinator/groups?tutor={tutor}"' in page


@on_sqlite
def test_active_group_whose_newcomer_waits_for_an_answer_is_among_the_offers(
    app: Flask, time: time_machine.Traveller
) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, first = people.make_tutor(), family("Hiba Touil")
        active_group(tutor, requests_of(first))
        time.shift(timedelta(days=5))
        run_id = propose(proposal(tutor, requests_of(first, family("Wiam Tazi"))))
        publishing.publish_run(run_id, None)
    time.shift(timedelta(days=1))
    page = words(client.get("/coordinator/groups?state=offered").text)
    assert "Hiba Touil Wiam Tazi joins" in page
    assert "active pupils wait for an answer for 1 day" in page
    assert "1 offer waits for an answer" in words(client.get("/coordinator/desk").text)


@on_sqlite
def test_groups_come_in_pages(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timetable, "PER_PAGE", 2)
    client = in_english(app)
    with app.app_context():
        for name in ("Aya A", "Badr B", "Chama C"):
            active_group(people.make_tutor(name=name), requests_of(family()))
    first = client.get("/coordinator/groups?state=active").text
    assert "Badr B" in first
    assert "Chama C" not in first
    assert 'href="/coordinator/groups?page=2&amp;name=&amp;state=active&amp;tutor="' in first
    assert "Chama C" in client.get("/coordinator/groups?state=active&page=2").text


def test_yes_that_a_volunteer_told_is_recorded_by_the_coordinator(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor = people.make_tutor(name="Rania Mounir")
        group_id = offer_group(tutor, requests_of(family("Hiba Touil"))).id
    address = f"/coordinator/groups/{group_id}"
    page = words(client.get(address).text)
    assert "Did Rania Mounir tell you the answer?" in page
    assert "1 pupil is then taught, with lessons and reminders from now on." in page
    assert client.get(f"{address}/accept").status_code == 405

    page = words(client.post(f"{address}/accept", follow_redirects=True).text)
    assert "The yes of Rania Mounir is recorded; the lessons stand below." in page
    assert "Coming lessons Monday 23 November 18:00" in page
    assert "Salma Bennis recorded the volunteer's yes (1 pupil)" in page
    assert "Did Rania Mounir tell you the answer?" not in page
    with app.app_context():
        group = db.session.get_one(Group, group_id)
        assert group.state is GroupState.ACTIVE
        assert group.decided_by is not None
        assert group.decided_by.name == "Salma Bennis"
        assert db.session.scalar(select(func.count()).select_from(Lesson)) == 4

    answer = client.post(f"{address}/accept")
    assert answer.status_code == 409
    assert "This group has been answered already." in words(answer.text)


def test_no_that_a_volunteer_told_is_recorded_with_its_reason(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        group_id = offer_group(people.make_tutor(name="Rania Mounir"), requests_of(family())).id
    address = f"/coordinator/groups/{group_id}"
    for reason in ("", "   "):
        answer = client.post(f"{address}/decline", data={"reason": reason})
        assert answer.status_code == 400
        assert "Say why the group is declined." in words(answer.text)
    answer = client.post(f"{address}/decline", data={"reason": "x" * 501})
    assert answer.status_code == 400
    assert "At most 500 characters, please." in words(answer.text)
    assert group_state(app, group_id) is GroupState.OFFERED

    answer = client.post(
        f"{address}/decline", data={"reason": "I know the family"}, follow_redirects=True
    )
    page = words(answer.text)
    assert "The no of Rania Mounir is recorded; the pupils wait again." in page
    assert "Reason of the no I know the family" in page
    assert "Salma Bennis recorded the volunteer's no (1 pupil)" in page
    assert "Hiba Touil" in page
    assert group_state(app, group_id) is GroupState.DECLINED


def test_group_is_ended_with_a_reason_and_tells_so(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        group_id = active_group(people.make_tutor(), requests_of(family())).id
    address = f"/coordinator/groups/{group_id}/end"
    answer = client.post(address, data={"why": " "})
    assert answer.status_code == 400
    assert "Say why the group ends." in words(answer.text)
    answer = client.post(address, data={"why": "moved away"}, follow_redirects=True)
    page = words(answer.text)
    assert "The group has ended; its pupils wait again." in page
    assert "Salma Bennis ended the group: moved away" in page
    assert group_state(app, group_id) is GroupState.ENDED


@on_sqlite
def test_refusal_is_said_in_the_readers_language(app: Flask) -> None:
    client = signed_in(app)
    with app.app_context():
        group_id = active_group(people.make_tutor(), requests_of(family())).id
    answer = client.post(f"/coordinator/groups/{group_id}/decline", data={"reason": "trop tard"})
    assert answer.status_code == 409
    assert "Ce groupe a déjà reçu une réponse." in words(answer.text)


@on_sqlite
def test_group_tells_its_story_from_the_offer_on(app: Flask, time: time_machine.Traveller) -> None:
    client = in_english(app)
    with app.app_context():
        tutor = people.make_tutor(name="Rania Mounir")
        group = offer_group(tutor, requests_of(family()))
        run_id = group.run_id
        time.shift(timedelta(hours=1))
        groups.accept_group(group.id, tutor_id=tutor)
        lesson = db.session.scalars(select(Lesson).order_by(Lesson.starts_at)).first()
        assert lesson is not None
        changes.cancel_lesson(lesson.id, "I am ill", tutor_id=tutor)
        group_id = group.id
    page = words(client.get(f"/coordinator/groups/{group_id}").text)
    assert (
        "What happened so far "
        f"When Who What 21 Nov 2026, 12:00 the program offered it with matching {run_id} "
        "21 Nov 2026, 13:00 Rania Mounir said yes (1 pupil) "
        "21 Nov 2026, 13:00 Rania Mounir cancelled the lesson of Monday 23 November: I am ill"
    ) in page


@on_sqlite
def test_group_shows_zone_and_consent_of_each_pupil_and_no_telephone(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        household = family("Hiba Touil")
        phone = household.phone
        group_id = active_group(people.make_tutor(), requests_of(household)).id
    for path in (f"/coordinator/groups/{group_id}", "/coordinator/groups", "/coordinator/lessons"):
        html = client.get(path).text
        assert phone not in html
        assert phone.removeprefix("+212") not in html.replace("-", "")
    page = words(client.get(f"/coordinator/groups/{group_id}").text)
    assert "Hiba Touil , Aïn Kaïcher consents to lessons groups too" in page


@on_sqlite
def test_group_that_does_not_exist_has_a_page_that_says_so(app: Flask) -> None:
    client = in_english(app)
    for path in ("/coordinator/groups/4711", "/coordinator/lessons/4711/cancel"):
        assert client.get(path).status_code == 404
    assert client.post("/coordinator/groups/4711/accept").status_code == 404
    answer = client.post("/coordinator/lessons/4711/cancel", data={"reason": "ill"})
    assert answer.status_code == 404
    assert client.get("/coordinator/groups?tutor=4711").status_code == 404


@on_sqlite
def test_lessons_of_two_weeks_stand_day_by_day(app: Flask) -> None:
    client = in_english(app)
    assert "No lesson is planned." in words(client.get("/coordinator/lessons").text)
    with app.app_context():
        tutor = people.make_tutor(name="Rania Mounir")
        active_group(tutor, requests_of(family("Hiba Touil"), family("Wiam Tazi")))
        active_group(tutor, requests_of(family("Badr Ziani")), starts=[("wed", "18:00")])
        offer_group(people.make_tutor(), requests_of(family("Aya Salhi")))
    page = words(client.get("/coordinator/lessons").text)
    of_monday = "18:00 Rania Mounir Mathematics 3AC Hiba , Wiam WhatsApp planned Move or cancel"
    of_wednesday = "18:00 Rania Mounir Mathematics 3AC Badr WhatsApp planned Move or cancel"
    places = [
        page.index("Monday 23 November"),
        page.index(of_monday),
        page.index("Wednesday 25 November"),
        page.index(of_wednesday),
        page.index("Monday 30 November"),
        page.index("Wednesday 2 December"),
    ]
    assert places == sorted(places)
    assert page.count(of_monday) == 2
    assert "7 December" not in page
    assert "Touil" not in page
    assert "Aya" not in page


def test_lesson_is_cancelled_with_a_reason_and_its_reminders_go_with_it(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        active_group(people.make_tutor(name="Rania Mounir"), requests_of(family()))
    lesson_id = first_lesson(app)
    address = f"/coordinator/lessons/{lesson_id}/cancel"
    page = words(client.get(address).text)
    assert "Monday 23 November 18:00 planned Rania Mounir , Mathematics 3AC Hiba" in page
    assert "The reminders of this lesson" in page
    answer = client.post(address, data={"reason": " "})
    assert answer.status_code == 400
    assert "Say why." in words(answer.text)

    answer = client.post(address, data={"reason": "the school is closed"}, follow_redirects=True)
    page = words(answer.text)
    assert "The lesson is cancelled, and those concerned are told." in page
    assert "Why cancelled the school is closed" in page
    assert 'class="struck"' in client.get("/coordinator/lessons").text
    with app.app_context():
        lesson = db.session.get_one(Lesson, lesson_id)
        assert (lesson.state, lesson.cancel_reason) == (
            LessonState.CANCELLED,
            "the school is closed",
        )
        open_reminders = select(Reminder.id).where(
            Reminder.lesson_id == lesson_id, Reminder.cancelled_at.is_(None)
        )
        assert db.session.scalars(open_reminders).all() == []

    answer = client.post(address, data={"reason": "again"})
    assert answer.status_code == 409
    assert "Only a planned lesson can be changed." in words(answer.text)


@on_sqlite
def test_lesson_that_the_program_cancelled_says_why_in_the_readers_language(app: Flask) -> None:
    client = signed_in(app)
    with app.app_context():
        household = family()
        active_group(people.make_tutor(), requests_of(household))
        withdraw_consent(household)
    page = words(client.get("/coordinator/lessons").text)
    assert "il ne reste aucun élève dans le groupe" in page
    assert "no pupil" not in page


@on_sqlite
def test_pages_of_groups_and_lessons_leave_the_children_they_showed(app: Flask) -> None:
    client = signed_in(app)
    with app.app_context():
        first, second = family("Hiba Touil"), family("Wiam Tazi")
        children = [first.pupils[0].id, second.pupils[0].id]
        group_id = active_group(people.make_tutor(), requests_of(first)).id
        offer_group(people.make_tutor(), requests_of(second))
    lesson_id = first_lesson(app)
    paths = [
        ("/coordinator/groups", children),
        (f"/coordinator/groups/{group_id}", children[:1]),
        ("/coordinator/lessons", children[:1]),
        (f"/coordinator/lessons/{lesson_id}/cancel", children[:1]),
    ]
    for path, _shown in paths:
        assert client.get(path).status_code == 200
    assert client.get("/coordinator/groups?name=wiam").status_code == 200
    assert views(app) == [*paths, ("/coordinator/groups", children[1:])]


@on_sqlite
@pytest.mark.parametrize("path", ["/coordinator/groups", "/coordinator/lessons"])
def test_list_asks_the_database_as_often_for_three_groups_as_for_one(app: Flask, path: str) -> None:
    client = signed_in(app)
    asked = []
    for more in (1, 2):
        with app.app_context():
            for _ in range(more):
                active_group(people.make_tutor(), requests_of(family(), family()))
                offer_group(people.make_tutor(), requests_of(family()))
        with counted_statements(app) as statements:
            assert client.get(path).status_code == 200
        asked.append(len(statements))
    assert asked[0] == asked[1]


@on_sqlite
def test_group_asks_the_database_as_often_for_three_pupils_as_for_one(app: Flask) -> None:
    client = signed_in(app)
    asked = []
    for number in (1, 3):
        with app.app_context():
            households = [family() for _ in range(number)]
            group_id = active_group(people.make_tutor(), requests_of(*households)).id
        with counted_statements(app) as statements:
            assert client.get(f"/coordinator/groups/{group_id}").status_code == 200
        asked.append(len(statements))
    assert asked[0] == asked[1]
