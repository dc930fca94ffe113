"""The volunteer's pages: offers, answers, families' numbers, lessons, two clocks, settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

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
    Household,
    Lesson,
    LessonState,
    Membership,
    Tutor,
    TutorState,
    Veto,
)
from app.web.templating import national_phone
from tests.support.groups import active_group, offer_group
from tests.support.pages import signed_in, signed_in_tutor, words
from tests.support.people import make_household, make_programme, make_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
HIBAS_NUMBER = national_phone("+212600000177")


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(MONDAY, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def tutor_id(app: Flask) -> int:
    with app.app_context():
        make_programme()
        return make_tutor()


@pytest.fixture
def request_id(app: Flask, tutor_id: int) -> int:
    """Hiba's request, which Rania could serve."""
    with app.app_context():
        household = make_household(guardian="Salma Touil")
        with transaction():
            db.session.get_one(Household, household.id).phone = "+212600000177"
        return household.pupils[0].requests[0].id


@pytest.fixture
def offered(app: Flask, tutor_id: int, request_id: int) -> int:
    with app.app_context():
        return offer_group(tutor_id, [request_id]).id


@pytest.fixture
def active(app: Flask, tutor_id: int, request_id: int) -> int:
    with app.app_context():
        return active_group(tutor_id, [request_id]).id


def in_english(app: Flask, tutor_id: int) -> FlaskClient:
    client = signed_in_tutor(app, tutor_id)
    client.post("/language", data={"locale": "en"})
    return client


def week(client: FlaskClient) -> str:
    return words(client.get("/volunteer/week").text).replace(" ,", ",")


def test_offer_says_first_name_and_zone_and_nothing_more_of_the_family(
    app: Flask, tutor_id: int, offered: int
) -> None:
    client = in_english(app, tutor_id)
    page = week(client)
    assert "Proposed to you Mathematics, Middle school, year 3" in page
    assert "Who Hiba ( Aïn Kaïcher ) When Monday 18:00 How WhatsApp Language Darija" in page
    for path in ("/volunteer/week", f"/volunteer/groups/{offered}/decline"):
        html = client.get(path).text
        for hidden in ("Touil", "Salma", "+212", HIBAS_NUMBER):
            assert hidden not in html, (path, hidden)
    with app.app_context():
        shown = select(AuditEntry).where(AuditEntry.action == "view")
        assert db.session.scalars(shown).all() == []


def test_accepting_shows_the_familys_number_and_the_lessons(
    app: Flask, tutor_id: int, offered: int
) -> None:
    client = in_english(app, tutor_id)
    assert client.post(f"/volunteer/groups/{offered}/accept").location == "/volunteer/week"
    page = week(client)
    assert f"Hiba Touil ( Aïn Kaïcher ) Salma Touil, {HIBAS_NUMBER}" in page
    assert "Monday 2 November, 18:00 Mathematics, Hiba I can't, or want to move it" in page
    assert "Monday 9 November, 18:00" in page
    assert "Monday 16 November" not in page
    assert "Proposed to you" not in page
    with app.app_context():
        group = db.session.get_one(Group, offered)
        assert (group.state, group.decided_by_id) == (GroupState.ACTIVE, None)


def test_each_view_of_a_familys_number_leaves_one_row_that_names_the_volunteer(
    app: Flask, tutor_id: int, active: int
) -> None:
    client = in_english(app, tutor_id)
    for _ in range(2):
        week(client)
    client.get("/volunteer/settings")
    with app.app_context():
        rows = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "view")).all()
        hiba = db.session.scalars(select(Membership)).one().request.pupil_id
        assert [(r.subject, r.pupil_ids, r.detail, r.coordinator_id) for r in rows] == [
            ("/volunteer/week", [hiba], {"tutor": tutor_id}, None)
        ] * 2
    staff = signed_in(app)
    staff.post("/language", data={"locale": "en"})
    trace = words(staff.get("/coordinator/trace").text)
    assert f"volunteer {tutor_id} saw My week 1" in trace


def test_number_is_gone_when_the_group_or_the_seat_ends(
    app: Flask, tutor_id: int, active: int
) -> None:
    client = in_english(app, tutor_id)
    assert HIBAS_NUMBER in week(client)
    with app.app_context(), transaction():
        db.session.scalars(select(Membership)).one().ended_at = MONDAY
    assert HIBAS_NUMBER not in week(client)
    with app.app_context(), transaction():
        db.session.scalars(select(Membership)).one().ended_at = None
        db.session.get_one(Group, active).state = GroupState.ENDED
    page = week(client)
    assert HIBAS_NUMBER not in page
    assert "Hiba" not in page


def test_seat_offered_in_a_group_in_force_keeps_its_number_back(
    app: Flask, tutor_id: int, active: int
) -> None:
    with app.app_context():
        household = make_household(pupils=[("Sara Rami", "3AC", ("maths",))], guardian="Anas Rami")
        number = national_phone(household.phone)
        with transaction():
            db.session.add(
                Membership(
                    group_id=active,
                    request_id=household.pupils[0].requests[0].id,
                    run_id=db.session.get_one(Group, active).run_id,
                )
            )
    client = in_english(app, tutor_id)
    page = week(client)
    assert "Who Sara ( Aïn Kaïcher ) Joining Hiba ( Aïn Kaïcher )" in page
    assert HIBAS_NUMBER in page
    assert "Rami" not in page
    assert number not in page
    client.post(f"/volunteer/groups/{active}/accept")
    assert f"Sara Rami ( Aïn Kaïcher ) Anas Rami, {number}" in week(client)


def test_declining_needs_a_reason_and_gives_the_pupil_back(
    app: Flask, tutor_id: int, offered: int
) -> None:
    client = in_english(app, tutor_id)
    path = f"/volunteer/groups/{offered}/decline"
    for data in ({}, {"own": "  "}, {"chosen": "made up"}):
        answer = client.post(path, data=data)
        assert answer.status_code == 400
    assert "Choose one of the reasons." in answer.text
    with app.app_context():
        assert db.session.get_one(Group, offered).state is GroupState.OFFERED
    data = {"chosen": "The time does not suit me", "own": "Fridays would do."}
    assert client.post(path, data=data).location == "/volunteer/week"
    assert "Proposed to you" not in week(client)
    with app.app_context():
        group = db.session.get_one(Group, offered)
        reason = "The time does not suit me. Fridays would do."
        assert (group.state, group.decline_reason) == (GroupState.DECLINED, reason)
        veto = db.session.scalars(select(Veto)).one()
        assert (veto.tutor_id, veto.reason) == (tutor_id, reason)
    assert client.get(path).status_code == 404


def test_reason_may_be_in_words_of_ones_own_alone(app: Flask, tutor_id: int, offered: int) -> None:
    client = in_english(app, tutor_id)
    client.post(f"/volunteer/groups/{offered}/decline", data={"own": "سأسافر"})
    with app.app_context():
        assert db.session.get_one(Group, offered).decline_reason == "سأسافر"


def test_nobody_answers_for_another_volunteer(app: Flask, tutor_id: int, offered: int) -> None:
    with app.app_context():
        other = make_tutor(name="Ilyas Sabri")
    client = in_english(app, other)
    assert "Hiba" not in week(client)
    path = f"/volunteer/groups/{offered}"
    assert client.post(f"{path}/accept").status_code == 404
    assert client.get(f"{path}/decline").status_code == 404
    assert client.post(f"{path}/decline", data={"own": "no"}).status_code == 404
    with app.app_context():
        assert db.session.get_one(Group, offered).state is GroupState.OFFERED


def test_cancelling_a_lesson_asks_first_and_cancels_that_one(
    app: Flask, tutor_id: int, active: int
) -> None:
    client = in_english(app, tutor_id)
    with app.app_context():
        first, second, *_rest = db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at))
    path = f"/volunteer/lessons/{first}/cancel"
    page = words(client.get(path).text)
    assert "I can't that day Monday 2 November, 18:00" in page
    assert client.post(path).status_code == 400
    assert client.post(path, data={"chosen": "I am ill"}).location == "/volunteer/week"
    assert "Monday 2 November, 18:00 Mathematics, Hiba cancelled" in week(client)
    with app.app_context():
        lesson = db.session.get_one(Lesson, first)
        assert (lesson.state, lesson.cancel_reason) == (LessonState.CANCELLED, "I am ill")
        assert db.session.get_one(Lesson, second).state is LessonState.PLANNED
    assert client.get(path).status_code == 404
    assert client.post(path, data={"own": "again"}).status_code == 404


def test_nobody_cancels_a_lesson_of_another_volunteer(
    app: Flask, tutor_id: int, active: int
) -> None:
    with app.app_context():
        other = make_tutor(name="Ilyas Sabri")
        lesson_id = db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at)).first()
    client = in_english(app, other)
    path = f"/volunteer/lessons/{lesson_id}/cancel"
    assert client.get(path).status_code == 404
    assert client.post(path, data={"own": "no"}).status_code == 404
    with app.app_context():
        states = set(db.session.scalars(select(Lesson.state)))
        assert states == {LessonState.PLANNED}


def test_volunteer_abroad_reads_both_clocks_across_a_change(
    app: Flask, tutor_id: int, active: int, clock: time_machine.Coordinates
) -> None:
    with app.app_context(), transaction():
        db.session.get_one(Tutor, tutor_id).time_zone = "Europe/Paris"
    client = in_english(app, tutor_id)
    page = week(client)
    assert "Monday 2 November, 18:00 (on your clock 19:00)" in page
    assert "When Monday 18:00 (on your clock 19:00)" in page
    # Paris goes to summer time on Sunday 28 March 2027; Morocco stays as it is.
    clock.move_to(datetime(2027, 3, 15, 9, tzinfo=UTC))
    with app.app_context(), transaction():
        for number, lesson in enumerate(db.session.scalars(select(Lesson).order_by(Lesson.id))):
            lesson.starts_at = datetime(2027, 3, 22, 18, tzinfo=UTC) + timedelta(weeks=number)
            lesson.wall_start = lesson.starts_at.replace(tzinfo=None)
    client = in_english(app, tutor_id)
    assert "Monday 22 March, 18:00 (on your clock 19:00)" in week(client)
    clock.move_to(datetime(2027, 3, 23, 9, tzinfo=UTC))
    client = in_english(app, tutor_id)
    page = week(client)
    assert "Monday 29 March, 18:00 (on your clock 20:00)" in page
    assert "When Monday 18:00 (on your clock 20:00)" in page


@on_sqlite
def test_late_lesson_is_on_the_next_day_of_a_clock_further_east(
    app: Flask, tutor_id: int, request_id: int
) -> None:
    with app.app_context():
        active_group(tutor_id, [request_id], starts=[("mon", "21:00")])
        with transaction():
            db.session.get_one(Tutor, tutor_id).time_zone = "Asia/Dubai"
    page = week(in_english(app, tutor_id))
    assert "Monday 2 November, 21:00 (on your clock Tuesday 3 November 01:00)" in page
    assert "When Monday 21:00 (on your clock Tuesday 01:00)" in page


@on_sqlite
def test_settings_are_kept(app: Flask, tutor_id: int) -> None:
    client = in_english(app, tutor_id)
    html = client.get("/volunteer/settings").text
    assert "France (Paris)" in words(html)
    assert '<input checked id="digest"' in html
    data = {"language": "ar", "time_zone": "Europe/Paris"}
    assert client.post("/volunteer/settings", data=data).location == "/volunteer/week"
    with app.app_context():
        tutor = db.session.get_one(Tutor, tutor_id)
        assert (tutor.message_language, tutor.time_zone, tutor.wants_digest) == (
            "ar", "Europe/Paris", False,
        )  # fmt: skip
    html = client.get("/volunteer/settings").text
    assert '<option selected value="Europe/Paris">' in html
    for zone in ("", "Africa/Casablanca"):
        client.post("/volunteer/settings", data={"language": "fr", "time_zone": zone})
        with app.app_context():
            assert db.session.get_one(Tutor, tutor_id).time_zone is None


@on_sqlite
@pytest.mark.parametrize(
    "data",
    [
        {"language": "xx", "time_zone": ""},
        {"language": "fr", "time_zone": "Mars/Olympus"},
        {"language": "fr", "time_zone": "../../etc/passwd"},
        {},
    ],
)
def test_settings_that_are_no_choice_are_refused(
    app: Flask, tutor_id: int, data: dict[str, str]
) -> None:
    client = in_english(app, tutor_id)
    assert client.post("/volunteer/settings", data=data).status_code == 400
    with app.app_context():
        tutor = db.session.get_one(Tutor, tutor_id)
        assert (tutor.message_language, tutor.time_zone) == ("fr", None)


@on_sqlite
def test_week_of_a_newcomer_says_what_comes_next(app: Flask) -> None:
    with app.app_context():
        make_programme()
        tutor_id = make_tutor(state=TutorState.REGISTERED)
    page = week(in_english(app, tutor_id))
    assert "A coordinator will get to know you first." in page
    assert "No lesson is planned." in page


@on_sqlite
def test_time_still_to_be_agreed_is_said(app: Flask, tutor_id: int, request_id: int) -> None:
    with app.app_context():
        group = offer_group(tutor_id, [request_id])
        with transaction():
            db.session.get_one(Group, group.id).starts = [None]
    assert "When time to be agreed with the families" in week(in_english(app, tutor_id))
