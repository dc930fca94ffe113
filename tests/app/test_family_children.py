"""What a family asks for its children, agrees to and stops, on its own page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    CallRequest,
    Consent,
    ConsentKind,
    ConsentMeans,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Message,
    Pupil,
    RequestOrigin,
    RequestState,
    TutoringRequest,
)
from app.services import call_me, family, family_children, family_links
from app.services.asking import Agreed, AskedChild
from app.services.consent import in_force
from app.services.errors import Invalid, NotFound
from app.services.reminders import TIMINGS
from tests.support.groups import active_group
from tests.support.pages import counted_statements, words
from tests.support.people import level, make_household, make_programme, make_tutor, subject

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
YES = Agreed(lessons=True, groups=True)
ALONE = Agreed(lessons=True, groups=False)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def household_id(app: Flask) -> int:
    """A family whose Hiba learns mathematics in a group."""
    with app.app_context():
        make_programme()
        household = make_household()
        active_group(make_tutor(), [household.pupils[0].requests[0].id])
        return household.id


@pytest.fixture
def link(app: Flask, household_id: int) -> str:
    with app.app_context():
        return "/f/" + family_links.make_link(household_id, None)[1]


def sara(*subjects: str) -> AskedChild:
    return AskedChild(
        "Sara", "Touil", level("5AEP").id, tuple(subject(code).id for code in subjects)
    )


def pupil_of(household_id: int) -> Pupil:
    db.session.expire_all()
    return db.session.get_one(Household, household_id).pupils[0]


def states(pupil: Pupil) -> list[tuple[str, RequestState, RequestOrigin]]:
    return [(one.subject.code, one.state, one.origin) for one in pupil.requests]


def test_another_child_waits_to_be_confirmed_with_the_guardians_consent(
    app: Flask, household_id: int
) -> None:
    with app.app_context():
        pupil = family_children.ask_for_child(household_id, sara("maths", "arabic"), YES)
        asked = (RequestState.TO_CONFIRM, RequestOrigin.FAMILY)
        assert states(pupil) == [("maths", *asked), ("arabic", *asked)]
        assert (pupil.name, pupil.level.code) == ("Sara Touil", "5AEP")
        newest = db.session.scalars(select(Consent).where(Consent.pupil_id == pupil.id)).all()
        assert {row.kind: row.given for row in newest} == dict.fromkeys(ConsentKind, True)
        for row in newest:
            assert (row.means, row.guardian_name) == (ConsentMeans.ON_FAMILY_PAGE, "Walid Touil")
        assert pupil_of(household_id).requests[0].state is RequestState.SERVED


def test_no_to_groups_for_one_child_ends_the_places_of_the_others(
    app: Flask, household_id: int
) -> None:
    with app.app_context():
        family_children.ask_for_child(household_id, sara("maths"), ALONE)
        assert pupil_of(household_id).requests[0].state is RequestState.WAITING
        assert db.session.scalars(select(Group.state)).all() == [GroupState.ENDED]


def test_child_of_the_same_name_gets_the_missing_subjects(app: Flask, household_id: int) -> None:
    with app.app_context():
        hiba = AskedChild("hiba", "TOUIL", level("3AC").id, (subject("maths").id,))
        family_children.ask_for_child(household_id, hiba, YES)
        pupils = db.session.get_one(Household, household_id).pupils
        assert len(pupils) == 1
        assert states(pupils[0]) == [("maths", RequestState.SERVED, RequestOrigin.STAFF)]


def test_nothing_is_asked_without_a_yes_to_lessons(app: Flask, household_id: int) -> None:
    with app.app_context():
        with pytest.raises(Invalid):
            family_children.ask_for_child(
                household_id, sara("maths"), Agreed(lessons=False, groups=True)
            )
        assert db.session.scalar(select(func.count()).select_from(Pupil)) == 1


def test_more_subjects_wait_to_be_confirmed(app: Flask, household_id: int) -> None:
    with app.app_context():
        pupil_id = pupil_of(household_id).id
        wanted = [subject(code).id for code in ("maths", "french")]
        family_children.ask_for_subjects(household_id, pupil_id, wanted, None)
        assert states(pupil_of(household_id)) == [
            ("maths", RequestState.SERVED, RequestOrigin.STAFF),
            ("french", RequestState.TO_CONFIRM, RequestOrigin.FAMILY),
        ]
        with pytest.raises(Invalid):
            family_children.ask_for_subjects(household_id, pupil_id, [], None)


def test_stopping_takes_the_consent_back_and_ends_places_and_lessons(
    app: Flask, household_id: int
) -> None:
    with app.app_context():
        pupil_id = pupil_of(household_id).id
        for _ in range(2):
            family_children.stop_lessons(household_id, pupil_id)
        pupil = pupil_of(household_id)
        assert not in_force(pupil, ConsentKind.LESSONS)
        newest = pupil.consents[-1]
        assert (newest.given, newest.means) == (False, ConsentMeans.ON_FAMILY_PAGE)
        assert len(pupil.consents) == 3
        assert pupil.requests[0].state is RequestState.WAITING
        assert db.session.scalars(select(Group.state)).all() == [GroupState.ENDED]
        assert set(db.session.scalars(select(Lesson.state))) == {LessonState.CANCELLED}
        reminders = select(Message.state).where(Message.kind.in_(TIMINGS))
        assert set(db.session.scalars(reminders)) == {"cancelled"}
        actions = db.session.scalars(select(AuditEntry.action)).all()
        assert actions.count("stop_lessons") == 1


def test_consent_can_be_given_again(app: Flask, household_id: int) -> None:
    with app.app_context():
        pupil_id = pupil_of(household_id).id
        family_children.stop_lessons(household_id, pupil_id)
        with pytest.raises(Invalid):
            family_children.ask_for_subjects(household_id, pupil_id, [], None)
        family_children.ask_for_subjects(household_id, pupil_id, [], YES)
        pupil = pupil_of(household_id)
        assert in_force(pupil, ConsentKind.LESSONS)
        assert states(pupil) == [("maths", RequestState.WAITING, RequestOrigin.STAFF)]


def test_children_of_other_families_can_not_be_touched(app: Flask, household_id: int) -> None:
    with app.app_context():
        other = make_household(pupils=[("Sara Rami", "3AC", ("maths",))])
        pupil_id = other.pupils[0].id
        with pytest.raises(NotFound):
            family_children.stop_lessons(household_id, pupil_id)
        with pytest.raises(NotFound):
            family_children.ask_for_subjects(household_id, pupil_id, [1], YES)
        assert in_force(other.pupils[0], ConsentKind.LESSONS)


def test_family_adds_at_most_ten_children(app: Flask, household_id: int) -> None:
    with app.app_context():
        maths = (subject("maths").id,)
        for number in range(9):
            name = chr(ord("A") + number) * 3
            child = AskedChild(name, "Touil", level("3AC").id, maths)
            family_children.ask_for_child(household_id, child, YES)
        with pytest.raises(Invalid):
            family_children.ask_for_child(household_id, sara("maths"), YES)


def test_family_asks_to_be_called_once(app: Flask, household_id: int) -> None:
    with app.app_context():
        for _ in range(2):
            call_me.ask(household_id)
        call = db.session.scalars(select(CallRequest)).one()
        assert (call.household_id, call.asked_at, call.called_at) == (household_id, MONDAY, None)
        with transaction():
            call.called_at = MONDAY
        call_me.ask(household_id)
        assert db.session.scalar(select(func.count()).select_from(CallRequest)) == 2


def test_hours_change_and_groups_in_force_stay(app: Flask, household_id: int) -> None:
    with app.app_context():
        household = family.set_hours(household_id, [(1, 600, 720), (5, 0, 1440)], to_agree=False)
        assert [row.as_window() for row in household.windows] == [(1, 600, 720), (5, 0, 1440)]
        assert not household.times_to_agree
        household = family.set_hours(household_id, [], to_agree=True)
        assert (household.windows, household.times_to_agree) == ([], True)
        assert db.session.scalars(select(Group.state)).all() == [GroupState.ACTIVE]


@pytest.mark.parametrize("language", ["fr", "ar", "ary"])
def test_family_chooses_language_and_script_of_its_messages(
    app: Flask, household_id: int, language: str
) -> None:
    with app.app_context():
        assert family.set_message_language(household_id, language).message_language == language
        with pytest.raises(Invalid):
            family.set_message_language(household_id, "xx")


@on_sqlite
def test_pages_ask_for_a_child_a_subject_a_call_and_stop(
    app: Flask, client: FlaskClient, link: str
) -> None:
    client.post(f"{link}/language", data={"locale": "en"})
    assert "Ilyas" not in client.get(link).text
    with app.app_context():
        child = {"first_name": "Ilyas", "last_name": "Touil", "level": level("2BAC").id}
        maths, french = subject("maths").id, subject("french").id
    refused = client.post(f"{link}/children", data=child)
    assert refused.status_code == 400
    for said in ("at least one subject", "yes or no to lessons.", "lessons in a group."):
        assert refused.text.count(said) == 2
    assert "your other children’s lessons in groups end too" in refused.text
    child |= {"subjects": [maths], "lessons": "yes", "groups": "yes"}
    assert client.post(f"{link}/children", data=child).location == f"{link}#children"
    asked = client.post(f"{link}/children/1", data={"subjects": [french]})
    assert asked.location == f"{link}#children"
    assert client.post(f"{link}/call").location == f"{link}#call"
    page = words(client.get(link).text)
    assert "Ilyas Baccalaureate, year 2 Mathematics: a coordinator confirms it soon" in page
    assert "Hiba Middle school, year 3 Mathematics: has a volunteer" in page
    assert "You asked to be called." in page
    assert "Call me" not in page
    stop = words(client.get(f"{link}/children/1/stop").text)
    assert "These lessons end at once" in stop
    assert "Mathematics with Rania" in stop
    assert client.post(f"{link}/children/1/stop").location == f"{link}#children"
    page = words(client.get(link).text)
    assert "Mathematics: no lessons without your agreement" in page
    assert "No lesson is planned." in page
    assert "There are no lessons to stop." in client.get(f"{link}/children/1/stop").text


@on_sqlite
def test_pages_of_another_familys_child_say_no_more_than_that(
    app: Flask, client: FlaskClient, link: str
) -> None:
    with app.app_context():
        other = make_household(pupils=[("Lina Zahra", "3AC", ("maths",))]).pupils[0].id
    for path in (f"{link}/children/{other}", f"{link}/children/{other}/stop"):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 404
            assert "Lina" not in answer.text
    assert client.post(f"{link}/answers", data={"coming": "9999"}).status_code == 404


@on_sqlite
def test_page_takes_as_many_statements_with_many_children_as_with_one(
    app: Flask, client: FlaskClient, link: str, household_id: int
) -> None:
    client.get(link)
    with counted_statements(app) as few:
        client.get(link)
    with app.app_context():
        for number in range(6):
            name = chr(ord("A") + number) * 3
            child = AskedChild(
                name, "Touil", level("3AC").id, (subject("maths").id, subject("french").id)
            )
            pupil = family_children.ask_for_child(household_id, child, YES)
            with transaction():
                for request in db.session.get_one(Pupil, pupil.id).requests:
                    request.state = RequestState.WAITING
        waiting = select(TutoringRequest.id).where(
            TutoringRequest.state == RequestState.WAITING,
            TutoringRequest.subject_id == subject("maths").id,
        )
        requests = db.session.scalars(waiting).all()
        for number, request_id in enumerate(requests):
            active_group(make_tutor(), [request_id], starts=[("tue", f"{10 + number}:00")])
    with counted_statements(app) as many:
        page = client.get(link)
    assert page.text.count('name="coming"') > 20
    assert len(many) == len(few)
