"""Suspending a volunteer: at once, in one transaction, and each family hears of it once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways.console import ConsoleGateway
from app.models import (
    AuditEntry,
    CallRequest,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    RequestState,
    Tutor,
    TutoringRequest,
    TutorState,
)
from app.services import departures
from app.services.codes import ask_code
from app.services.errors import Conflict, Invalid, NotFound
from app.services.outbox import claim_messages
from app.services.problem import build_problem
from app.services.suspension import lift_suspension, suspend_tutor
from tests.support import people
from tests.support.groups import active_group, offer_group
from tests.support.outbox import begin_handing
from tests.support.pages import in_english, signed_in_tutor, words
from tests.support.vetting import vet_tutor

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
NIGHT = datetime(2026, 12, 1, 23, tzinfo=UTC)
MORNING = datetime(2026, 12, 2, 8, 5, tzinfo=UTC)


@pytest.fixture
def programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


def family(*pupils: str) -> Household:
    names = pupils or ("Hiba Touil",)
    made = people.make_household(pupils=[(name, "3AC", ("maths",)) for name in names])
    with transaction():
        household = db.session.get_one(Household, made.id)
        household.message_language = "fr"
    return household


def request_of(household: Household) -> int:
    return household.pupils[0].requests[0].id


def to_families() -> list[Message]:
    kind = Message.kind == MessageKind.LESSONS_END
    return list(db.session.scalars(select(Message).where(kind).order_by(Message.id)))


@pytest.mark.usefixtures("programme")
def test_everything_of_a_suspended_volunteer_ends_at_once() -> None:
    by = people.make_coordinator()
    number = people.make_tutor(name="Rania Mounir")
    taught, offered = family(), family()
    active = active_group(number, [request_of(taught)])
    offer = offer_group(number, [request_of(offered)], starts=[("mon", "19:00")])
    tutor = db.session.get_one(Tutor, number)
    tutor.calendar_token_hash = "0" * 64
    db.session.commit()
    ask_code(str(tutor.email), "browser")

    suspend_tutor(number, "  a worry of a family ", by)

    tutor = db.session.get_one(Tutor, number)
    assert tutor.state is TutorState.SUSPENDED
    assert tutor.suspend_reason == "a worry of a family"
    assert tutor.suspended_at is not None
    assert (tutor.vetted_at, tutor.calendar_token_hash, tutor.may_sign_in) == (None, None, False)
    for group in (active, offer):
        row = db.session.get_one(Group, group.id)
        assert (row.state, row.members) == (GroupState.ENDED, [])
    states = {
        db.session.get_one(TutoringRequest, request_of(one)).state for one in (taught, offered)
    }
    assert states == {RequestState.WAITING}
    assert {lesson.state for lesson in db.session.scalars(select(Lesson))} == {
        LessonState.CANCELLED
    }
    to_tutor = db.session.scalars(select(Message).where(Message.tutor_id == number)).all()
    assert {message.state for message in to_tutor} == {MessageState.CANCELLED}
    assert MessageKind.SIGN_IN_CODE in {message.kind for message in to_tutor}
    assert build_problem()["tutors"] == []
    acts = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "suspend_tutor")).all()
    assert [(act.coordinator_id, act.subject, act.detail) for act in acts] == [
        (by.id, f"tutor:{number}", {"reason": "a worry of a family", "groups": 2})
    ]


@pytest.mark.usefixtures("programme")
def test_each_family_with_lessons_is_told_once_with_all_its_children() -> None:
    number = people.make_tutor(name="Rania Mounir")
    siblings = family("Hiba Touil", "Adam Touil")
    other, offered = family(), family()
    requests = [pupil.requests[0].id for pupil in siblings.pupils]
    active_group(number, [requests[0]], starts=[("mon", "18:00")])
    active_group(number, [requests[1]], starts=[("mon", "19:00")])
    elsewhere = people.make_tutor()
    active_group(elsewhere, [request_of(other)])
    offer_group(number, [request_of(offered)], starts=[("mon", "18:00")])
    suspend_tutor(number, "a worry", None)
    assert [(message.household_id, message.state) for message in to_families()] == [
        (siblings.id, MessageState.PLANNED)
    ]
    text = to_families()[0].text or ""
    assert "les cours de Hiba et Adam avec Rania prennent fin" in text
    assert "Mounir" not in text
    assert db.session.scalars(select(CallRequest)).all() == []


@pytest.mark.usefixtures("programme")
def test_families_who_read_no_messages_are_put_among_those_to_call() -> None:
    number = people.make_tutor()
    illiterate, stopped = family(), family()
    with transaction():
        db.session.get_one(Household, illiterate.id).reach_by_call = True
        db.session.get_one(Household, stopped.id).messages_stopped_at = NOON
    active_group(number, [request_of(illiterate), request_of(stopped)])
    suspend_tutor(number, "a worry", None)
    assert to_families() == []
    assert db.session.scalars(select(CallRequest.household_id).order_by(CallRequest.id)).all() == [
        illiterate.id,
        stopped.id,
    ]


@pytest.mark.usefixtures("programme")
def test_message_to_the_family_waits_for_the_morning_and_then_leaves_as_written() -> None:
    number = people.make_tutor(name="Rania Mounir")
    household = family()
    with time_machine.travel(NIGHT, tick=False) as clock:
        active_group(number, [request_of(household)])
        suspend_tutor(number, "a worry", None)
        planned = to_families()[0].text
        assert not any(begin_handing(one, [ConsoleGateway()]) for one in claim_messages(9))
        assert to_families()[0].state is MessageState.PLANNED
        clock.move_to(MORNING)
        handed = [begin_handing(one, [ConsoleGateway()]) for one in claim_messages(9)]
    assert [one.outgoing.text for one in handed if one] == [planned]
    assert to_families()[0].state is MessageState.HANDING


@pytest.mark.usefixtures("programme")
def test_family_that_stops_its_messages_meanwhile_is_to_be_called_instead() -> None:
    number = people.make_tutor()
    household = family()
    with time_machine.travel(NOON, tick=False):
        active_group(number, [request_of(household)])
        suspend_tutor(number, "a worry", None)
        with transaction():
            db.session.get_one(Household, household.id).messages_stopped_at = NOON
        assert not any(begin_handing(one, [ConsoleGateway()]) for one in claim_messages(9))
    assert to_families()[0].state is MessageState.SUPPRESSED
    assert db.session.scalars(select(CallRequest.household_id)).all() == [household.id]


@pytest.mark.usefixtures("programme")
def test_suspension_is_refused_whole_or_not_at_all() -> None:
    number = people.make_tutor()
    group = active_group(number, [request_of(family())])
    with pytest.raises(Invalid):
        suspend_tutor(number, "  ", None)
    with pytest.raises(NotFound):
        suspend_tutor(999, "a worry", None)
    assert db.session.get_one(Group, group.id).state is GroupState.ACTIVE
    suspend_tutor(number, "a worry", None)
    with pytest.raises(Conflict):
        suspend_tutor(number, "again", None)
    assert len(to_families()) == 1
    with pytest.raises(Conflict):
        departures.take_tutor_back(number, None)


@pytest.mark.usefixtures("programme")
def test_lifted_suspension_leaves_a_volunteer_who_is_to_be_vetted_anew() -> None:
    by, number = people.make_coordinator(), people.make_tutor()
    with pytest.raises(Conflict):
        lift_suspension(number, by)
    with pytest.raises(NotFound):
        lift_suspension(999, by)
    suspend_tutor(number, "a worry", by)
    tutor = lift_suspension(number, by)
    assert (tutor.state, tutor.suspended_at, tutor.suspend_reason) == (
        TutorState.REGISTERED,
        None,
        None,
    )
    assert tutor.may_sign_in
    assert vet_tutor(number, by).state is TutorState.VETTED


@pytest.mark.usefixtures("programme")
def test_commands_suspend_and_lift(app: Flask) -> None:
    number = people.make_tutor()
    active_group(number, [request_of(family())])
    run = app.test_cli_runner().invoke
    ran = run(args=["tutor", "suspend", str(number), "--reason", "a worry", "--dry-run"])
    assert (ran.exit_code, ran.output) == (0, "groups that end: 1, pupils: 1\n")
    assert db.session.get_one(Tutor, number, populate_existing=True).state is TutorState.VETTED
    assert run(args=["tutor", "suspend", str(number), "--reason", "a worry"]).exit_code == 0
    ran = run(args=["tutor", "lift", str(number)])
    assert ran.output == f"{number}\tregistered\tRania Mounir\n"


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_sqlite
def test_page_says_whom_it_concerns_and_the_open_session_of_the_volunteer_ends(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        number = people.make_tutor(name="Rania Mounir")
        active_group(number, [request_of(family())])
    volunteer = signed_in_tutor(app, number)
    assert volunteer.get("/volunteer/week").status_code == 200
    address = f"/coordinator/volunteers/{number}/suspend"
    page = words(client.get(address).text)
    assert "1 group or offer ends." in page
    assert "Hiba Touil" in page
    assert "1 family is told by a message" in page
    assert client.post(address, data={"reason": ""}).status_code == 400
    assert volunteer.get("/volunteer/week").status_code == 200

    answer = client.post(address, data={"reason": "a worry"}, follow_redirects=True)
    page = words(answer.text)
    assert "Rania Mounir is suspended." in page
    assert "a worry" in page
    assert volunteer.get("/volunteer/week").status_code == 302
    assert client.get(address).status_code == 302
    assert client.post(address, data={"reason": "again"}).status_code == 409

    answer = client.post(f"/coordinator/volunteers/{number}/lift-suspension", follow_redirects=True)
    assert "The suspension of Rania Mounir is lifted; vet them anew." in words(answer.text)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("end", ["suspension", "leaving"])
def test_browser_that_was_signed_in_stays_out_when_the_volunteer_may_come_in_again(
    app: Flask, end: str
) -> None:
    with app.app_context():
        people.make_programme()
        number = people.make_tutor()
    browser = signed_in_tutor(app, number)
    assert browser.get("/volunteer/week").status_code == 200
    with app.app_context():
        if end == "suspension":
            suspend_tutor(number, "somebody else has the telephone", None)
            lift_suspension(number, None)
        else:
            departures.let_tutor_leave(number, "moves away", None)
            departures.take_tutor_back(number, None)
    assert browser.get("/volunteer/week").location.startswith("/volunteer/sign-in")
    assert signed_in_tutor(app, number).get("/volunteer/week").status_code == 200
