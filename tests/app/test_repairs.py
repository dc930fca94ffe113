"""A repair: who waits is placed, few others move, and what moved is one transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import (
    AuditEntry,
    ConsentKind,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Membership,
    Pupil,
    Reminder,
    RequestState,
    RunState,
    TutoringRequest,
)
from app.services import choices, departures, groups, proposals, publishing, runs
from app.services.choices import Place
from app.services.errors import Conflict, Invalid
from app.services.lessons import extend_lessons
from app.services.problem import build_problem
from app.worker import solve_next
from tests.support import people
from tests.support.groups import active_group, offer_group, proposal, propose, propose_repair

MONDAY_18, MONDAY_19 = [("mon", "18:00")], [("mon", "19:00")]


@pytest.fixture(autouse=True)
def programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


def family(windows: tuple[str, ...] | None = people.EVENING, **how: object) -> int:
    """The id of the one request of a new household that is called."""
    household = people.make_household(windows=windows, channels=["call"], **how)  # type: ignore[arg-type]
    return household.pupils[0].requests[0].id


def caller(windows: tuple[str, ...] = people.EVENING, most: int = 1) -> int:
    return people.make_tutor(windows=windows, channels=["call"], most=most)


def state_of(request_id: int) -> RequestState:
    return db.session.get_one(TutoringRequest, request_id).state


def repaired(may_move: int) -> int:
    """The id of a repair that the real solver has ended."""
    run_id = runs.start_repair(None, may_move=may_move).id
    solve_next(threading.Event())
    assert runs.get_run(run_id).state is RunState.DONE
    return run_id


def one_who_can_make_way() -> tuple[int, int, int, int]:
    """Two tutors and two requests: the one in force could have either tutor, the other only one."""
    early, late = caller(("mon 18:00-19:00",)), caller(("mon 19:00-20:00",))
    flexible = family(("mon 18:00-20:00",))
    active_group(early, [flexible], starts=MONDAY_18, channel="call")
    return early, late, flexible, family(("mon 18:00-19:00",))


def test_repair_without_moves_leaves_who_has_a_place() -> None:
    _early, late, flexible, waiting = one_who_can_make_way()
    fits = family(("mon 19:00-20:00",))
    run_id = repaired(0)
    found = proposals.read_proposal(runs.get_run(run_id))
    assert found.moves == []
    assert [entry.request_id for entry in found.unserved] == [waiting]
    publishing.publish_run(run_id, None)
    assert runs.get_run(run_id).moved_seats == 0
    assert state_of(flexible) is RequestState.SERVED
    offered = db.session.scalars(select(Group).where(Group.state == GroupState.OFFERED)).one()
    assert (offered.tutor_id, [m.request_id for m in offered.members]) == (late, [fits])


def test_repair_moves_one_to_serve_two() -> None:
    early, late, flexible, waiting = one_who_can_make_way()
    run_id = repaired(1)
    found = proposals.read_proposal(runs.get_run(run_id))
    (move,) = found.moves
    assert (move.request.id, move.before.tutor.id, move.before.starts) == (
        flexible, early, [["mon", "18:00"]],
    )  # fmt: skip
    assert move.after is not None
    assert (move.after.tutor.id, move.after.starts) == (late, [["mon", "19:00"]])
    assert (found.newly_served, found.unserved) == (1, [])
    before = db.session.scalars(select(Group)).one()
    preview = publishing.preview_publication(run_id)
    assert (preview.new_groups, preview.joined_groups, preview.kept) == (2, 0, 0)
    assert [seat.request_id for seat in preview.leaving] == [flexible]

    publishing.publish_run(run_id, None)
    assert db.session.get_one(Group, before.id).state is GroupState.ENDED
    assert (state_of(flexible), state_of(waiting)) == (RequestState.WAITING, RequestState.WAITING)
    lessons = db.session.scalars(select(Lesson)).all()
    assert {lesson.state for lesson in lessons} == {LessonState.CANCELLED}
    assert all(db.session.scalars(select(Reminder.cancelled_at)).all())
    offers = db.session.scalars(select(Group).where(Group.state == GroupState.OFFERED)).all()
    assert {(g.tutor_id, g.members[0].request_id) for g in offers} == {
        (late, flexible), (early, waiting),
    }  # fmt: skip
    for offer in offers:
        groups.accept_group(offer.id)
    assert (state_of(flexible), state_of(waiting)) == (RequestState.SERVED, RequestState.SERVED)
    assert extend_lessons() == 0


def test_repair_after_a_departure_places_whom_it_can() -> None:
    leaving, staying = caller(), caller(most=2)
    first, second = family(), family()
    active_group(leaving, [first], starts=MONDAY_18, channel="call")
    kept = active_group(staying, [second], starts=MONDAY_18, channel="call")
    departures.let_tutor_leave(leaving, "moved away", None)
    run_id = repaired(0)
    (offered,) = publishing.publish_run(run_id, None)
    assert (offered.tutor_id, offered.starts) == (staying, [["mon", "19:00"]])
    assert [member.request_id for member in offered.members] == [first]
    assert db.session.get_one(Group, kept.id).state is GroupState.ACTIVE


def test_repair_leaves_what_only_its_agreement_allows() -> None:
    """Hours that changed since do not count as a move that is forgotten: the place is kept."""
    early, _late, flexible, waiting = one_who_can_make_way()
    household = db.session.get_one(TutoringRequest, flexible).pupil.household
    household.windows = household.windows[:0]
    db.session.commit()
    run_id = repaired(5)
    found = proposals.read_proposal(runs.get_run(run_id))
    assert found.moves == []
    assert [entry.request_id for entry in found.unserved] == [waiting]
    assert [(tutor.tutor.id, len(tutor.groups)) for tutor in found.tutors] == [(early, 1)]


def test_repair_keeps_places_whose_time_is_agreed_by_telephone() -> None:
    tutor = people.make_tutor(windows=None, channels=["call"], most=1)
    kept = family(windows=None)
    offered = proposal(tutor, [kept], channel="call") | {"starts": [None]}
    (group,) = publishing.publish_run(propose(offered), None)
    groups.accept_group(group.id)
    family(windows=None)
    run_id = repaired(3)
    assert proposals.read_proposal(runs.get_run(run_id)).moves == []
    preview = publishing.preview_publication(run_id)
    assert (preview.additions, preview.leaving, preview.kept) == ([], [], 1)
    assert db.session.get_one(Group, group.id).state is GroupState.ACTIVE


def test_member_who_moves_leaves_the_group_to_the_others() -> None:
    tutor, other = people.make_tutor(), people.make_tutor()
    one, two = (people.make_household().pupils[0].requests[0].id for _ in range(2))
    group = active_group(tutor, [one, two])
    run_id = propose_repair(1, proposal(tutor, [one]), proposal(other, [two], starts=MONDAY_19))
    assert publishing.preview_publication(run_id).kept == 0
    publishing.publish_run(run_id, None)
    kept = db.session.get_one(Group, group.id)
    assert kept.state is GroupState.ACTIVE
    assert [member.request_id for member in kept.members] == [one]
    assert {lesson.state for lesson in db.session.scalars(select(Lesson))} == {LessonState.PLANNED}
    gone = db.session.get_one(TutoringRequest, two).pupil.household_id
    reminders = db.session.scalars(select(Reminder)).all()
    assert all((r.cancelled_at is not None) == (r.household_id == gone) for r in reminders)
    act = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "move_seats")).one()
    assert (act.subject, act.detail) == (f"group:{group.id}", {"run": run_id, "lost": 0})


def test_repair_puts_nobody_out_for_a_request_of_more_weight() -> None:
    tutor = people.make_tutor(
        teaches=[("maths", "1AC"), ("maths", "3AC")], channels=["call"], most=1
    )
    light = people.make_household(pupils=[("A B", "1AC", ["maths"])], channels=["call"])
    light_request = light.pupils[0].requests[0].id
    active_group(tutor, [light_request], channel="call")
    heavy = family()
    weights = {row["id"]: row["weight"] for row in build_problem()["requests"]}
    assert weights[f"R{heavy}"] > weights[f"R{light_request}"]
    found = proposals.read_proposal(runs.get_run(repaired(1)))
    assert found.moves == []
    assert [entry.request_id for entry in found.unserved] == [heavy]


def test_request_that_loses_its_place_waits_again() -> None:
    tutor = people.make_tutor()
    light, heavy = (people.make_household().pupils[0].requests[0].id for _ in range(2))
    group = active_group(tutor, [light])
    run_id = propose_repair(1, proposal(tutor, [heavy]))
    (move,) = proposals.read_proposal(runs.get_run(run_id)).moves
    assert (move.request.id, move.after) == (light, None)
    (offered,) = publishing.publish_run(run_id, None)
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    assert offered.id != group.id
    assert state_of(light) is RequestState.WAITING


def test_newcomer_who_waits_in_a_group_that_moves_away_is_offered_anew() -> None:
    tutor, other = people.make_tutor(), people.make_tutor()
    one, newcomer = (people.make_household().pupils[0].requests[0].id for _ in range(2))
    group = active_group(tutor, [one])
    publishing.publish_run(propose(proposal(tutor, [one, newcomer])), None)
    run_id = propose_repair(
        1, proposal(other, [one], starts=MONDAY_19), proposal(tutor, [newcomer])
    )
    assert [move.request.id for move in proposals.read_proposal(runs.get_run(run_id)).moves] == [
        one
    ]
    publishing.publish_run(run_id, None)
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    seats = db.session.scalars(select(Membership).where(Membership.ended_at.is_(None))).all()
    assert {(m.group.tutor_id, m.request_id, m.active_since) for m in seats} == {
        (other, one, None), (tutor, newcomer, None),
    }  # fmt: skip


def test_publication_that_moved_somebody_is_not_taken_back() -> None:
    one_who_can_make_way()
    run_id = repaired(1)
    publishing.publish_run(run_id, None)
    assert not publishing.can_be_undone(runs.get_run(run_id))
    with pytest.raises(Conflict):
        publishing.undo_publication(run_id, None)


def test_publication_that_moved_nobody_is_taken_back() -> None:
    tutor = people.make_tutor()
    request = people.make_household().pupils[0].requests[0].id
    run_id = propose_repair(0, proposal(tutor, [request]))
    publishing.publish_run(run_id, None)
    publishing.undo_publication(run_id, None)
    assert build_problem()["pins"] == []


@pytest.mark.parametrize("change", ["another group", "consent"])
def test_moves_are_refused_whole_where_anything_has_changed(change: str) -> None:
    early, _late, flexible, waiting = one_who_can_make_way()
    run_id = repaired(1)
    if change == "another group":
        offer_group(people.make_tutor(), [people.make_household().pupils[0].requests[0].id])
    else:
        child = db.session.get_one(TutoringRequest, waiting).pupil_id
        pupil = db.session.get_one(Pupil, child)
        pupil.consents.append(people.say(ConsentKind.LESSONS, False))
        db.session.commit()
    assert publishing.is_outdated(runs.get_run(run_id))
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)
    assert state_of(flexible) is RequestState.SERVED
    kept = db.session.scalars(select(Group).where(Group.tutor_id == early)).one()
    assert kept.state is GroupState.ACTIVE


@pytest.mark.parametrize("may_move", [-1, 101])
def test_number_of_moves_out_of_range_is_refused(may_move: int) -> None:
    people.make_tutor()
    family()
    with pytest.raises(Invalid):
        runs.start_repair(None, may_move=may_move)


def test_broken_problem_of_a_repair_fails_with_the_solvers_words() -> None:
    one_who_can_make_way()
    run = runs.start_repair(None, may_move=1)
    problem = runs.read_problem(run.id)
    run.problem_gz = runs.pack(problem | {"lesson_minutes": 0})
    db.session.commit()
    solve_next(threading.Event())
    failed = runs.get_run(run.id)
    assert failed.state is RunState.FAILED
    assert "lesson_minutes" in (failed.failure or "")


def test_repair_gives_who_waits_the_place_that_is_kept_for_them() -> None:
    """A wish is no place in force: it is pinned, and nobody is put out for it."""
    tutor, other = caller(most=2), caller()
    seated, waiting = family(), family()
    active_group(tutor, [seated], starts=MONDAY_18, channel="call")
    choices.pin([waiting], Place(tutor, [["mon", "19:00"]], "call", "darija"), None)
    for may_move in (0, 1):
        run_id = repaired(may_move)
        found = proposals.read_proposal(runs.get_run(run_id))
        assert (found.moves, found.unserved, found.impossible_pins) == ([], [], [])
        (addition,) = publishing.preview_publication(run_id).additions
        assert (addition.proposed.tutor_id, addition.proposed.starts) == (tutor, [["mon", "19:00"]])
    choices.pin([waiting], Place(tutor, [["mon", "18:00"]], "call", "darija"), None)
    run_id = repaired(0)
    found = proposals.read_proposal(runs.get_run(run_id))
    (lost,) = found.lost_wishes
    assert (lost.request.id, lost.why, found.lost_places) == (waiting, "group_full", [])
    assert found.unserved == []
    assert other
    publishing.publish_run(run_id, None)
