"""A volunteer who pauses or leaves: groups end whole, pupils wait again, and nothing else moves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
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
    MessageKind,
    MessageState,
    ProposedGroup,
    RequestState,
    Tutor,
    TutoringRequest,
    TutorState,
    UnservedRequest,
    Veto,
)
from app.services import departures, groups, runs
from app.services.errors import Conflict, Invalid, NotFound
from app.services.problem import build_problem
from app.services.vetting_term import today
from app.worker import solve_next
from scheduler import clock
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
    # What was offered is looked at when its text leaves: it waits for none by then.
    to_tutor = db.session.scalars(
        select(Message.state).where(
            Message.tutor_id == tutor, Message.kind != MessageKind.GROUP_OFFER
        )
    ).all()
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


def told_of_the_end() -> list[int | None]:
    """The households to which a message goes that lessons have ended."""
    ends = select(Message.household_id).where(Message.kind == MessageKind.LESSONS_END)
    return list(db.session.scalars(ends))


def test_volunteer_pauses_themself_and_families_are_told() -> None:
    tutor, taught, offered = people.make_tutor(), family(), family()
    active_group(tutor, [taught])
    offer_group(tutor, [offered], starts=[("mon", "19:00")])
    until = today() + timedelta(days=30)
    departures.pause_tutor(tutor, "exams", None, until=until, by_tutor=True)
    row = db.session.get_one(Tutor, tutor)
    assert (row.state, row.paused_until) == (TutorState.PAUSED, until)
    assert row.paused_at is not None
    household = db.session.get_one(TutoringRequest, taught).pupil.household_id
    assert told_of_the_end() == [household]
    acts = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action.in_(["pause_tutor", "end_group"]))
    ).all()
    assert [(act.action, act.coordinator_id, act.detail) for act in acts] == [
        ("end_group", None, {"reason": "exams", "tutor": tutor}),
        ("end_group", None, {"reason": "exams", "tutor": tutor}),
        (
            "pause_tutor",
            None,
            {"reason": "exams", "groups": 2, "until": str(until), "tutor": tutor},
        ),
    ]


def test_pause_recorded_by_a_coordinator_is_told_to_the_families_too() -> None:
    coordinator = people.make_coordinator()
    tutor, request = people.make_tutor(), family()
    active_group(tutor, [request])
    departures.pause_tutor(tutor, "exams", coordinator)
    household = db.session.get_one(TutoringRequest, request).pupil.household_id
    assert told_of_the_end() == [household]
    # The volunteer said so, and need not be told of the lessons that are off.
    own = select(Message.kind).where(Message.tutor_id == tutor, Message.state == "planned")
    assert MessageKind.CANCELLATION not in db.session.scalars(own).all()


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_pause_ends_on_a_day_to_come_within_a_year(days: int) -> None:
    tutor = people.make_tutor()
    with pytest.raises(Invalid):
        departures.pause_tutor(tutor, "exams", None, until=today() + timedelta(days=days))
    assert state_of(tutor) is TutorState.VETTED


def test_worker_brings_back_whose_day_has_come() -> None:
    due, later, open_end = (people.make_tutor() for _ in range(3))
    tomorrow = today() + timedelta(days=1)
    departures.pause_tutor(due, "exams", None, until=tomorrow, by_tutor=True)
    departures.pause_tutor(later, "exams", None, until=tomorrow + timedelta(days=1), by_tutor=True)
    departures.pause_tutor(open_end, "exams", None, by_tutor=True)
    assert departures.bring_tutors_back() == 0
    with time_machine.travel(clock.now() + timedelta(days=1)):
        assert departures.bring_tutors_back() == 1
        assert departures.bring_tutors_back() == 0
    assert [state_of(number) for number in (due, later, open_end)] == [
        TutorState.VETTED,
        TutorState.PAUSED,
        TutorState.PAUSED,
    ]
    row = db.session.get_one(Tutor, due)
    assert (row.paused_at, row.paused_until) == (None, None)
    act = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "take_tutor_back")).one()
    assert (act.subject, act.coordinator_id, act.detail) == (f"tutor:{due}", None, {})


def test_only_a_pause_is_ended_by_the_volunteer_themself() -> None:
    tutor = people.make_tutor()
    with pytest.raises(Conflict):
        departures.take_tutor_back(tutor, None, by_tutor=True)
    departures.pause_tutor(tutor, "exams", None, by_tutor=True)
    departures.take_tutor_back(tutor, None, by_tutor=True)
    assert state_of(tutor) is TutorState.VETTED
    act = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "take_tutor_back")).one()
    assert act.detail == {"tutor": tutor}
    departures.let_tutor_leave(tutor, "moved", None, by_tutor=True)
    with pytest.raises(Conflict):
        departures.take_tutor_back(tutor, None, by_tutor=True)


def test_what_a_volunteer_declined_no_later_run_proposes(app: Flask) -> None:
    tutor, request = people.make_tutor(), family()
    offered = offer_group(tutor, [request])
    groups.decline_group(offered.id, "The time does not suit me", tutor_id=tutor)
    assert [(veto["tutor"], veto["request"]) for veto in build_problem()["vetoes"]] == [
        (f"T{tutor}", f"R{request}")
    ]
    run_id = runs.start_run(None, seconds=5).id
    solve_next(threading.Event())
    left = db.session.scalars(select(UnservedRequest)).one()
    assert (left.run_id, left.request_id, left.reason) == (run_id, request, "vetoed")
    other = people.make_tutor(name="Nora Alami")
    again = runs.start_run(None, seconds=5).id
    solve_next(threading.Event())
    proposed = db.session.scalars(select(ProposedGroup).where(ProposedGroup.run_id == again)).one()
    assert proposed.tutor_id == other
