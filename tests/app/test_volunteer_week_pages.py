"""The volunteer's pages around the week: lessons noted, days off, pauses, hours, the calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Group,
    GroupState,
    HoursCertificate,
    Lesson,
    LessonAnswer,
    LessonState,
    Membership,
    Tutor,
    TutorAbsence,
    TutorState,
)
from app.services import departures
from tests.support.groups import active_group, offer_group
from tests.support.pages import counted_statements, in_english, signed_in_tutor, views, words
from tests.support.people import make_household, make_programme, make_tutor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
EVENING = datetime(2026, 11, 2, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(MONDAY, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def tutor(app: Flask) -> int:
    with app.app_context():
        make_programme()
        return make_tutor(windows=("mon 17:00-21:00",))


def teach(app: Flask, tutor: int, *names: str, channel: str = "whatsapp") -> int:
    """A group on Mondays at 18:00 of children with these names; its id."""
    with app.app_context():
        requests = [
            make_household(pupils=[(name, "3AC", ("maths",))]).pupils[0].requests[0].id
            for name in names
        ]
        return active_group(tutor, requests, channel=channel).id


def browse(app: Flask, tutor: int) -> FlaskClient:
    client = signed_in_tutor(app, tutor)
    client.post("/language", data={"locale": "en"})
    return client


def text(client: FlaskClient, path: str = "/volunteer/week") -> str:
    return words(client.get(path).text).replace(" ,", ",")


def lesson_ids(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at)))


def state_of(app: Flask, tutor: int) -> TutorState:
    with app.app_context():
        return db.session.get_one(Tutor, tutor).state


@pytest.mark.parametrize(
    ("channel", "names", "said"),
    [
        ("call", ["Hiba Touil"], "You call this number when the lesson begins."),
        ("whatsapp", ["Hiba Touil"], "You call this number on WhatsApp when the lesson begins."),
        (
            "whatsapp",
            ["Hiba Touil", "Sara Rami"],
            "You start a WhatsApp group call with these numbers when the lesson begins.",
        ),
        ("whatsapp_one", ["Hiba Touil"], "You call this number on WhatsApp"),
    ],
)
def test_week_says_how_to_meet(
    app: Flask, tutor: int, channel: str, names: list[str], said: str
) -> None:
    teach(app, tutor, *names, channel=channel)
    assert said in text(browse(app, tutor))


def test_families_answers_stand_at_the_lesson(app: Flask, tutor: int) -> None:
    group = teach(app, tutor, "Hiba Touil", "Sara Rami", "Aya Salhi")
    first = lesson_ids(app)[0]
    with app.app_context():
        homes = [
            member.request.pupil.household_id for member in db.session.get_one(Group, group).members
        ]
        with transaction():
            for household_id, coming in zip(homes, (True, False), strict=False):
                db.session.add(
                    LessonAnswer(
                        lesson_id=first,
                        household_id=household_id,
                        coming=coming,
                        answered_at=MONDAY,
                    )
                )
    page = text(browse(app, tutor))
    assert "Hiba, Sara, Aya Hiba will be there Sara can't come I can't, or want to move it" in page
    assert page.count("will be there") == 1


def test_lesson_is_noted_as_held_by_one_button(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    teach(app, tutor, "Hiba Touil")
    first = lesson_ids(app)[0]
    client = browse(app, tutor)
    assert "How did it go?" not in text(client)
    clock.move_to(EVENING)
    client = browse(app, tutor)
    page = text(client)
    assert "How did it go? Monday 2 November, 18:00 Mathematics, Hiba It was held Say more" in page
    path = f"/volunteer/lessons/{first}/note"
    answer = client.post(path, data={"state": "held", "back": "week"})
    assert (answer.status_code, answer.location) == (303, "/volunteer/week")
    page = text(client)
    assert "Noted. Thank you!" in page
    assert "How did it go?" not in page
    page = text(client, "/volunteer/lessons")
    assert "Monday 2 November, 18:00 Mathematics, Hiba held Correct" in page


def test_of_a_group_it_is_said_who_was_not_there(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    group = teach(app, tutor, "Hiba Touil", "Sara Rami")
    path = f"/volunteer/lessons/{lesson_ids(app)[0]}/note"
    with app.app_context():
        seats = select(Membership.request_id).where(Membership.group_id == group)
        hiba, sara = db.session.scalars(seats.order_by(Membership.id))
    clock.move_to(EVENING)
    client = browse(app, tutor)
    page = text(client, path)
    assert "It was held Nobody came It was not held Who was not there?" in page
    assert "Touil" not in page
    for data in ({}, {"state": "planned"}, {"state": "held", "absent": ["x"]}):
        assert client.post(path, data=data).status_code == 400
    both = {"state": "held", "absent": [str(hiba), str(sara)]}
    answer = client.post(path, data=both)
    assert answer.status_code == 400
    assert "If nobody came, choose that instead." in words(answer.text)
    one = {"state": "held", "absent": [str(sara)], "note": "<b>Fractions</b>"}
    assert client.post(path, data=one).location == "/volunteer/lessons"
    html = client.get("/volunteer/lessons").text
    assert "held Not there: Sara <b>Fractions</b> Correct" in words(html)
    assert "<b>Fractions" not in html
    form = client.get(path).text
    assert re.search(rf'checked[^>]*value="{sara}"', form)
    assert not re.search(rf'checked[^>]*value="{hiba}"', form)


def test_lessons_of_others_to_come_or_cancelled_can_not_be_noted(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    teach(app, tutor, "Hiba Touil")
    first, second, *_rest = lesson_ids(app)
    with app.app_context():
        other = make_tutor(name="Ilyas Sabri")
    clock.move_to(EVENING)
    for client, lesson in ((browse(app, other), first), (browse(app, tutor), second)):
        path = f"/volunteer/lessons/{lesson}/note"
        assert client.get(path).status_code == 404
        assert client.post(path, data={"state": "held"}).status_code == 404
    with app.app_context():
        assert set(db.session.scalars(select(Lesson.state))) == {LessonState.PLANNED}


def test_past_lessons_are_paged_and_take_the_same_statements(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    group = teach(app, tutor, "Hiba Touil", "Sara Rami")

    def statements() -> int:
        client = browse(app, tutor)
        with counted_statements(app) as sent:
            page = client.get("/volunteer/lessons")
            assert page.status_code == 200
        return len(sent)

    clock.move_to(EVENING)
    before = statements()
    with app.app_context(), transaction():
        for number in range(200):
            start = EVENING - timedelta(hours=3 * number + 3)
            db.session.add(
                Lesson(
                    group_id=group,
                    wall_start=start.replace(tzinfo=None),
                    zone="Africa/Casablanca",
                    tz_version="2026c",
                    starts_at=start,
                    minutes=60,
                )
            )
    assert statements() == before
    assert "Page 1 of 7" in text(browse(app, tutor), "/volunteer/lessons")
    assert "All 201 lessons to note" in text(browse(app, tutor))


@pytest.mark.parametrize("path", ["/volunteer/week", "/volunteer/pause", "/volunteer/days-off"])
def test_page_takes_the_same_statements_for_one_group_and_for_many(
    app: Flask, tutor: int, clock: time_machine.Coordinates, path: str
) -> None:
    def statements() -> int:
        client = browse(app, tutor)
        with counted_statements(app) as sent:
            if path == "/volunteer/days-off":
                data = {"first_day": "2026-11-02", "last_day": "2026-11-30", "own": "exams"}
                answer = client.post(path, data=data)
            else:
                answer = client.get(path)
            assert answer.status_code == 200
            assert "Hiba" in answer.text
        return len(sent)

    with app.app_context():
        first = make_household().pupils[0].requests[0].id
        active_group(tutor, [first])
    before = statements()
    with app.app_context():
        for number, day in enumerate(("tue", "wed", "thu", "fri")):
            pupils = [(f"Sara{number} Rami", "3AC", ("maths",))]
            request_id = make_household(pupils=pupils).pupils[0].requests[0].id
            active_group(tutor, [request_id], starts=[(day, "18:00"), (day, "20:00")])
    assert statements() == before


def test_days_off_show_what_they_cancel_before_they_do(app: Flask, tutor: int) -> None:
    teach(app, tutor, "Hiba Touil")
    client = browse(app, tutor)
    data = {"first_day": "2026-11-09", "last_day": "15/11/2026", "own": "Exams <i>"}
    answer = client.post("/volunteer/days-off", data=data)
    assert answer.status_code == 200
    page = words(answer.text).replace(" ,", ",")
    assert "from 9 November 2026 to 15 November 2026 For 1 lesson we look for" in page
    answer = client.post("/volunteer/days-off", data=data | {"what": "cancel"})
    data["what"] = "cancel"
    page = words(answer.text).replace(" ,", ",")
    assert "from 9 November 2026 to 15 November 2026 1 lesson is cancelled:" in page
    assert "Monday 9 November, 18:00 Mathematics, Hiba" in page
    with app.app_context():
        assert db.session.scalars(select(TutorAbsence)).all() == []
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert (fields["first_day"], fields["what"]) == ("2026-11-09", "cancel")
    answer = client.post("/volunteer/days-off", data=data | {"sure": "yes"})
    assert (answer.status_code, answer.location) == (303, "/volunteer/days-off")
    page = text(client, "/volunteer/days-off")
    assert (
        "Your days off are planned. 1 lesson is cancelled, and the family is told by message."
        in page
    )
    week = text(client)
    assert "Days off: from 9 November 2026 to 15 November 2026" in week
    assert "Monday 9 November, 18:00 Mathematics, Hiba cancelled" in week
    with app.app_context():
        absence = db.session.scalars(select(TutorAbsence)).one()
        assert (absence.first_day, absence.reason) == (date(2026, 11, 9), "Exams <i>")
    back = f"/volunteer/days-off/{absence.id}/take-back"
    assert client.get(back).status_code == 405
    page = words(client.post(back, follow_redirects=True).text)
    assert "1 lesson is planned again; the family is told." in page
    assert "cancelled" not in text(client)
    assert client.post(back).status_code == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"first_day": ""}, "Give the first day."),
        ({"last_day": "soon"}, "Give a day, such as 2026-11-21."),
        ({"last_day": "2026-11-08"}, "The last day must not be before the first."),
        ({"first_day": "2026-11-01"}, "The first day is over already."),
        ({"last_day": "2027-01-30"}, "For more than six weeks, pause instead."),
        ({"own": " "}, "Choose a reason or write one."),
    ],
)
def test_days_off_that_can_not_be_are_refused_in_words(
    app: Flask, tutor: int, changed: dict[str, str], said: str
) -> None:
    client = browse(app, tutor)
    data = {"first_day": "2026-11-09", "last_day": "2026-11-15", "own": "exams"} | changed
    for sent in (data, data | {"sure": "yes"}):
        answer = client.post("/volunteer/days-off", data=sent)
        assert answer.status_code == 400
        assert said in words(answer.text)
    with app.app_context():
        assert db.session.scalars(select(TutorAbsence)).all() == []


def test_volunteer_pauses_until_a_day_and_is_back_by_a_button(app: Flask, tutor: int) -> None:
    group = teach(app, tutor, "Hiba Touil")
    client = browse(app, tutor)
    page = text(client, "/volunteer/pause")
    assert "1 group or offer ends. 1 pupil waits again." in page
    assert "Mathematics, Middle school, year 3 Hiba" in page
    assert state_of(app, tutor) is TutorState.VETTED
    for data in ({"own": ""}, {"own": "exams", "until": "2026-11-02"}, {"until": "x", "own": "y"}):
        assert client.post("/volunteer/pause", data=data).status_code == 400
    data = {"chosen": "I have exams", "until": "2026-12-07"}
    assert client.post("/volunteer/pause", data=data).location == "/volunteer/week"
    page = text(client)
    assert (
        "You pause: no pupils are proposed to you. Since 2 November 2026. "
        "You are back on 7 December 2026. I am back" in page
    )
    with app.app_context():
        assert db.session.get_one(Group, group).state is GroupState.ENDED
    assert client.get("/volunteer/pause").status_code == 302
    assert client.post("/volunteer/pause", data=data).status_code == 409
    page = words(client.post("/volunteer/back", follow_redirects=True).text)
    assert "Welcome back!" in page
    assert state_of(app, tutor) is TutorState.VETTED
    assert client.post("/volunteer/back").status_code == 409


def test_pause_may_have_an_open_end(app: Flask, tutor: int) -> None:
    client = browse(app, tutor)
    assert "You have no group and no offer" in text(client, "/volunteer/pause")
    client.post("/volunteer/pause", data={"own": "ill"})
    page = text(client)
    assert "Since 2 November 2026. I am back" in page


def test_leaving_is_asked_twice_and_closes_the_sign_in(app: Flask, tutor: int) -> None:
    with app.app_context():
        request_id = make_household().pupils[0].requests[0].id
        offer_group(tutor, [request_id])
    client = browse(app, tutor)
    assert "waits for an answer" in text(client, "/volunteer/stop")
    assert client.post("/volunteer/stop", data={"own": " "}).status_code == 400
    answer = client.post("/volunteer/stop", data={"own": "moving"})
    assert "Do you really want to stop? 1 group or offer ends." in words(answer.text)
    assert state_of(app, tutor) is TutorState.VETTED
    answer = client.post("/volunteer/stop", data={"own": "moving", "sure": "yes"})
    assert (answer.status_code, answer.location) == (303, "/")
    assert state_of(app, tutor) is TutorState.LEFT
    assert "You have left. Thank you for all that you gave!" in text(client, "/")
    assert client.get("/volunteer/week").location.startswith("/volunteer/sign-in")


def test_vetting_that_ends_soon_is_told(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    assert "Your vetting holds until" not in text(browse(app, tutor))
    clock.move_to(datetime(2029, 10, 2, 9, tzinfo=UTC))
    assert "Your vetting holds until 2 November 2029." in text(browse(app, tutor))


def test_certificate_is_made_printed_and_checked_by_anyone(
    app: Flask, tutor: int, clock: time_machine.Coordinates
) -> None:
    teach(app, tutor, "Hiba Touil")
    client = browse(app, tutor)
    assert "No lesson is noted as held so far." in text(client, "/volunteer/hours")
    assert client.post("/volunteer/certificates").status_code == 409
    clock.move_to(EVENING)
    client = browse(app, tutor)
    client.post(f"/volunteer/lessons/{lesson_ids(app)[0]}/note", data={"state": "held"})
    assert "1 hour given 1 lesson held 1 pupil" in text(client, "/volunteer/hours")
    answer = client.post("/volunteer/certificates")
    assert answer.status_code == 303
    page = text(client, answer.location)
    with app.app_context():
        code = db.session.scalars(select(HoursCertificate.code)).one()
    shown = f"{code[:5]}-{code[5:]}"
    said = (
        "Rania Mounir has taught as a volunteer: Time given 1 hour Lessons held 1 Pupils taught 1 "
        "First lesson 2 November 2026 Last lesson 2 November 2026 Issued on 2 November 2026"
    )
    assert said in page
    assert f"http://localhost/certificate {shown}" in page
    assert "Hiba" not in page
    anyone = app.test_client()
    anyone.post("/language", data={"locale": "en"})
    answer = anyone.get("/certificate", query_string={"code": f" {shown.lower()} "})
    assert (answer.status_code, answer.location) == (302, f"/certificate/{code}")
    checked = anyone.get(answer.location)
    assert f"The certificate {shown} is genuine." in words(checked.text)
    assert said in words(checked.text)
    assert checked.headers["X-Robots-Tag"] == "noindex, nofollow"
    with app.app_context():
        other = make_tutor(name="Ilyas Sabri")
        departures.let_tutor_leave(tutor, "moved", None)
    assert browse(app, other).get("/volunteer/certificates/1").status_code == 404
    assert anyone.get(f"/certificate/{code}").status_code == 200


@pytest.mark.parametrize("code", ["AAAAAAAAAA", "%3Cscript%3E", "x" * 500, "%D9%A4%D9%A5", "a b"])
def test_code_of_no_certificate_is_told_so(client: FlaskClient, code: str) -> None:
    client.post("/language", data={"locale": "en"})
    answer = client.get(f"/certificate/{code}")
    assert answer.status_code == 404
    assert "There is no such certificate." in words(answer.text)
    assert "<script>" not in answer.text
    asked = client.get(f"/certificate?code={code}")
    assert asked.status_code == 302
    assert client.get(asked.location).status_code == 404


def test_address_of_the_calendar_is_shown_once(app: Flask, tutor: int) -> None:
    teach(app, tutor, "Hiba Touil")
    client = browse(app, tutor)
    assert "Make the address" in text(client, "/volunteer/calendar")
    html = client.post("/volunteer/calendar").text
    found = re.search(r"http://localhost(/calendar/[\w-]{22}\.ics)", html)
    assert found is not None
    assert f'href="webcal://localhost{found[1]}"' in html
    assert app.test_client().get(found[1]).status_code == 200
    again = client.get("/volunteer/calendar").text
    assert found[1] not in again
    assert "it can't be shown again" in words(again)
    answer = client.post("/volunteer/calendar/end")
    assert (answer.status_code, answer.location) == (303, "/volunteer/calendar")
    assert app.test_client().get(found[1]).status_code == 404
    assert "Make the address" in text(client, "/volunteer/calendar")


def test_coordinator_notes_a_lesson_in_the_volunteers_place(
    app: Flask, clock: time_machine.Coordinates
) -> None:
    staff = in_english(app)
    with app.app_context():
        tutor = make_tutor()
    teach(app, tutor, "Hiba Touil", "Sara Rami")
    first, _second, third, *_rest = lesson_ids(app)
    clock.move_to(EVENING + timedelta(days=9))
    path = f"/coordinator/lessons/{first}/note"
    assert f'href="{path}"' in staff.get("/coordinator/desk").text
    page = text(staff, path)
    assert "Monday 2 November 18:00 planned Rania Mounir, Mathematics 3AC Hiba, Sara" in page
    assert staff.post(path, data={}).status_code == 400
    answer = staff.post(path, data={"state": "held", "note": "Told by telephone."})
    assert (answer.status_code, answer.location) == (303, "/coordinator/desk")
    assert staff.get(f"/coordinator/lessons/{third}/note").status_code == 404
    with app.app_context():
        lesson = db.session.get_one(Lesson, first)
        assert (lesson.state, lesson.note) == (LessonState.HELD, "Told by telephone.")
        act = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert act is not None
        assert (act.action, act.coordinator_id is None, "tutor" in act.detail) == (
            "note_lesson",
            False,
            False,
        )
    assert (path, [1, 2]) in views(app)
