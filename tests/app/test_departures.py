"""A volunteer who pauses or leaves: groups end whole, pupils wait again, and nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import (
    AuditEntry,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Message,
    MessageState,
    RequestState,
    Tutor,
    TutoringRequest,
    TutorState,
    Veto,
)
from app.services import departures
from app.services.errors import Conflict, Invalid, NotFound
from app.services.problem import build_problem
from tests.support import people
from tests.support.groups import active_group, offer_group
from tests.support.vetting import vet_tutor


@pytest.fixture(autouse=True)
def programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


def family() -> int:
    return people.make_household().pupils[0].requests[0].id


def state_of(tutor_id: int) -> TutorState:
    return db.session.get_one(Tutor, tutor_id).state


def test_departure_is_told_before_it_is_recorded() -> None:
    tutor, one, two, third = people.make_tutor(), family(), family(), family()
    active = active_group(tutor, [one, two])
    offered = offer_group(tutor, [third], starts=[("mon", "19:00")])
    departure = departures.preview_departure(tutor)
    assert [group.id for group in departure.groups] == [active.id, offered.id]
    assert len(departure.pupil_ids) == 3
    assert state_of(tutor) is TutorState.VETTED


@pytest.mark.parametrize("leaves", [False, True])
def test_groups_and_offers_end_and_their_pupils_wait_again(leaves: bool) -> None:
    coordinator = people.make_coordinator()
    tutor, other = people.make_tutor(), people.make_tutor()
    one, two, elsewhere = family(), family(), family()
    ended = [
        active_group(tutor, [one]).id,
        offer_group(tutor, [two], starts=[("mon", "19:00")]).id,
    ]
    kept = active_group(other, [elsewhere]).id
    record = departures.let_tutor_leave if leaves else departures.pause_tutor
    record(tutor, "an illness", coordinator)
    assert state_of(tutor) is (TutorState.LEFT if leaves else TutorState.PAUSED)
    for number in ended:
        group = db.session.get_one(Group, number)
        assert (group.state, group.members) == (GroupState.ENDED, [])
    assert db.session.get_one(Group, kept).state is GroupState.ACTIVE
    states = [db.session.get_one(TutoringRequest, r).state for r in (one, two, elsewhere)]
    assert states == [RequestState.WAITING, RequestState.WAITING, RequestState.SERVED]
    lessons = db.session.scalars(select(Lesson).order_by(Lesson.id)).all()
    assert {lesson.cancel_reason for lesson in lessons if lesson.group_id == ended[0]} == {
        "an illness"
    }
    assert {lesson.state for lesson in lessons if lesson.group_id == kept} == {LessonState.PLANNED}
    to_tutor = db.session.scalars(select(Message.state).where(Message.tutor_id == tutor)).all()
    assert set(to_tutor) == {MessageState.CANCELLED}
    assert db.session.scalars(select(Veto)).all() == []
    problem = build_problem()
    assert [row["id"] for row in problem["tutors"]] == [f"T{other}"]
    assert [pin["request"] for pin in problem["pins"]] == [f"R{elsewhere}"]


def test_departure_leaves_its_reason_in_the_trace() -> None:
    coordinator = people.make_coordinator()
    tutor, request = people.make_tutor(), family()
    group = active_group(tutor, [request])
    child = db.session.get_one(TutoringRequest, request).pupil_id
    departures.pause_tutor(tutor, "  exams  ", coordinator)
    acts = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action.in_(["pause_tutor", "end_group"]))
    ).all()
    assert [(a.action, a.subject, a.coordinator_id, a.pupil_ids, a.detail) for a in acts] == [
        ("end_group", f"group:{group.id}", coordinator.id, [child], {"reason": "exams"}),
        (
            "pause_tutor",
            f"tutor:{tutor}",
            coordinator.id,
            [child],
            {"reason": "exams", "groups": 1},
        ),
    ]


def test_departure_needs_a_reason_and_somebody_who_is_there() -> None:
    tutor = people.make_tutor()
    with pytest.raises(Invalid):
        departures.pause_tutor(tutor, "  ", None)
    with pytest.raises(NotFound):
        departures.let_tutor_leave(999, "moved away", None)
    departures.let_tutor_leave(tutor, "moved away", None)
    for again in (departures.pause_tutor, departures.let_tutor_leave):
        with pytest.raises(Conflict):
            again(tutor, "moved away", None)


def test_refused_departure_ends_nothing() -> None:
    tutor, request = people.make_tutor(), family()
    group = active_group(tutor, [request])
    db.session.get_one(Tutor, tutor).state = TutorState.SUSPENDED
    db.session.commit()
    with pytest.raises(Conflict):
        departures.let_tutor_leave(tutor, "moved away", None)
    assert db.session.get_one(Group, group.id).state is GroupState.ACTIVE
    assert db.session.get_one(TutoringRequest, request).state is RequestState.SERVED


def test_paused_volunteer_comes_back_as_before() -> None:
    vetted, registered = people.make_tutor(), people.make_tutor(state=TutorState.REGISTERED)
    coordinator = people.make_coordinator()

    fresh = people.make_tutor(state=TutorState.REGISTERED)
    vet_tutor(fresh, coordinator)
    for tutor, before in ((fresh, TutorState.VETTED), (registered, TutorState.REGISTERED)):
        departures.pause_tutor(tutor, "exams", coordinator)
        departures.take_tutor_back(tutor, coordinator)
        assert state_of(tutor) is before
    with pytest.raises(Conflict):
        departures.take_tutor_back(vetted, coordinator)
    assert db.session.scalars(select(Group)).all() == []


def test_volunteer_who_left_comes_back_to_be_vetted_anew() -> None:
    coordinator = people.make_coordinator()
    tutor = people.make_tutor(state=TutorState.REGISTERED)

    vet_tutor(tutor, coordinator)
    departures.pause_tutor(tutor, "exams", coordinator)
    departures.let_tutor_leave(tutor, "moved away", coordinator)
    assert not db.session.get_one(Tutor, tutor).may_sign_in
    departures.take_tutor_back(tutor, coordinator)
    assert state_of(tutor) is TutorState.REGISTERED
    assert db.session.get_one(Tutor, tutor).vetted_at is None
