"""Publishing: what a run found is offered, and what is in force stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    ConsentKind,
    Group,
    GroupState,
    Lesson,
    LessonAnswer,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Pupil,
    Reminder,
    RequestState,
    RunState,
    Tutor,
    TutoringRequest,
    TutorState,
    Veto,
)
from app.services import by_hand, choices, departures, groups, publishing, runs
from app.services.choices import Place
from app.services.errors import Conflict, Invalid, NotFound
from app.services.problem import build_problem
from app.services.vetting import withdraw_vetting
from app.worker import solve_next
from scheduler import clock
from tests.support import people
from tests.support.groups import active_group, offer_group, proposal, propose


@pytest.fixture(autouse=True)
def programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


def family(**how: object) -> int:
    """The id of the one request of a new household."""
    household = people.make_household(**how)  # type: ignore[arg-type]
    return household.pupils[0].requests[0].id


def request_state(request_id: int) -> RequestState:
    return db.session.get_one(TutoringRequest, request_id).state


def test_published_run_offers_its_groups_and_changes_nothing_else() -> None:
    tutor, request = people.make_tutor(), family()
    coordinator = people.make_coordinator()
    run_id = propose(proposal(tutor, [request]))
    preview = publishing.preview_publication(run_id)
    assert (preview.new_groups, preview.joined_groups, preview.kept) == (1, 0, 0)
    (group,) = publishing.publish_run(run_id, coordinator)
    assert (group.state, group.tutor_id, group.starts) == (
        GroupState.OFFERED,
        tutor,
        [["mon", "18:00"]],
    )
    assert [(m.request_id, m.active_since) for m in group.members] == [(request, None)]
    assert runs.get_run(run_id).state is RunState.PUBLISHED
    assert request_state(request) is RequestState.WAITING
    assert db.session.scalars(select(Lesson)).all() == []
    (told,) = db.session.scalars(select(Message))
    assert (told.kind, told.tutor_id) == (MessageKind.GROUP_OFFER, tutor)


def test_run_is_published_once() -> None:
    run_id = propose(proposal(people.make_tutor(), [family()]))
    publishing.publish_run(run_id, None)
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)
    assert len(db.session.scalars(select(Group)).all()) == 1


def test_run_published_by_two_coordinators_at_once_is_published_once(app: Flask) -> None:
    run_id = propose(proposal(people.make_tutor(), [family()]))
    refused: list[Conflict] = []

    def publish() -> None:
        with app.app_context():
            try:
                publishing.publish_run(run_id, None)
            except Conflict as error:
                refused.append(error)

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    assert len(db.session.scalars(select(Group)).all()) == 1


def test_run_without_a_proposal_is_not_published() -> None:
    people.make_tutor()
    family()
    run = runs.start_run(None, seconds=20)
    with pytest.raises(Conflict):
        publishing.publish_run(run.id, None)
    with pytest.raises(NotFound):
        publishing.publish_run(999, None)


def test_run_older_than_an_answer_is_not_published() -> None:
    tutor, first, second = people.make_tutor(), family(), family()
    run_id = propose(proposal(tutor, [second]))
    active_group(tutor, [first], starts=[("mon", "19:00")])
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)


def test_runs_that_would_fill_the_same_seats_are_not_both_published() -> None:
    tutor = people.make_tutor()
    members = [family() for _ in range(3)]
    active_group(tutor, members)
    one, other = family(), family()
    first = propose(proposal(tutor, [*members, one]))
    second = propose(proposal(tutor, [*members, other]))
    publishing.publish_run(first, None)
    assert publishing.is_outdated(runs.get_run(second))
    with pytest.raises(Conflict):
        publishing.publish_run(second, None)


def test_run_is_not_published_with_what_a_family_no_longer_offers() -> None:
    tutor, request = people.make_tutor(), family()
    run_id = propose(proposal(tutor, [request]))
    assert not publishing.is_outdated(runs.get_run(run_id))
    with transaction():
        household = db.session.get_one(TutoringRequest, request).pupil.household
        household.windows = household.windows[:0]
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)


def test_run_is_not_published_with_what_a_tutor_no_longer_gives() -> None:
    tutor, request = people.make_tutor(), family()
    run_id = propose(proposal(tutor, [request]))
    with transaction():
        db.session.get_one(Tutor, tutor).max_lessons_per_week = 0
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)


def test_run_is_not_published_against_a_veto_that_it_did_not_know() -> None:
    """As when a tutor declines while the run is being asked for."""
    tutor, request = people.make_tutor(), family()
    run_id = propose(proposal(tutor, [request]))
    with transaction():
        db.session.add(
            Veto(request_id=request, tutor_id=tutor, reason="no time", created_at=clock.now())
        )
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)


@pytest.mark.parametrize("with_others", [False, True])
def test_run_is_published_though_a_place_of_it_was_kept_since(with_others: bool) -> None:
    """What a coordinator keeps of the proposal itself does not hold it up; anything else does."""
    tutor, request, waiting = people.make_tutor(), family(), family()
    run_id = propose(proposal(tutor, [request]))
    choices.pin([request], Place(tutor, [["mon", "18:00"]], "whatsapp", "darija"), None)
    assert not publishing.is_outdated(runs.get_run(run_id))
    if with_others:
        choices.pin([waiting], Place(tutor), None)
        with pytest.raises(Conflict):
            publishing.publish_run(run_id, None)
    else:
        assert len(publishing.publish_run(run_id, None)) == 1


def test_run_is_not_published_with_a_place_that_is_kept_no_longer() -> None:
    tutor, request = people.make_tutor(), family()
    (pin,) = choices.pin([request], Place(tutor, [["tue", "06:00"]]), None)
    run_id = propose(proposal(tutor, [request], starts=[("tue", "06:00")]))
    choices.unpin(pin.id, None)
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)


def test_pair_that_was_let_together_again_does_not_hold_a_run_up() -> None:
    tutor, other, request, waiting = people.make_tutor(), people.make_tutor(), family(), family()
    veto = choices.rule_out(waiting, other, "they don't get on", None)
    run_id = propose(proposal(tutor, [request]))
    choices.take_veto_back(veto.id, None)
    assert len(publishing.publish_run(run_id, None)) == 1


def test_what_a_request_counts_for_does_not_hold_a_run_up() -> None:
    """As an exam comes near, it counts for more each week; no place rests on that."""
    tutor, request = people.make_tutor(), family()
    run_id = propose(proposal(tutor, [request]))
    with transaction():
        people.level("3AC").weight = 9
    assert len(publishing.publish_run(run_id, None)) == 1


def test_volunteer_of_before_who_leaves_does_not_hold_a_run_up() -> None:
    tutor, before, request = people.make_tutor(), people.make_tutor(), family()
    groups.end_group(active_group(before, [request]).id, "moved away")
    run_id = propose(proposal(tutor, [request]))
    departures.let_tutor_leave(before, "moved away", None)
    assert len(publishing.publish_run(run_id, None)) == 1


def test_newcomers_since_do_not_hold_a_run_up() -> None:
    tutor, request = people.make_tutor(), family()
    run_id = propose(proposal(tutor, [request]))
    people.make_tutor()
    family()
    assert len(publishing.publish_run(run_id, None)) == 1


def test_publication_that_a_later_one_builds_upon_is_taken_back_after_it() -> None:
    tutor, first, newcomer = people.make_tutor(), family(), family()
    one = propose(proposal(tutor, [first]))
    publishing.publish_run(one, None)
    two = propose(proposal(tutor, [first, newcomer]))
    publishing.publish_run(two, None)
    assert not publishing.can_be_undone(runs.get_run(one))
    with pytest.raises(Conflict):
        publishing.undo_publication(one, None)
    publishing.undo_publication(two, None)
    publishing.undo_publication(one, None)
    assert build_problem()["pins"] == []


def test_run_is_not_published_against_a_consent_withdrawn_since() -> None:
    tutor, request = people.make_tutor(), family()
    run_id = propose(proposal(tutor, [request]))
    withdraw_consent(request, ConsentKind.LESSONS)
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)
    assert db.session.scalars(select(Group)).all() == []


def test_run_is_not_published_with_a_tutor_who_is_no_longer_vetted() -> None:
    tutor, request = people.make_tutor(), family()
    run_id = propose(proposal(tutor, [request]))
    with transaction():
        db.session.get_one(Tutor, tutor).state = TutorState.SUSPENDED
    with pytest.raises(Conflict):
        publishing.publish_run(run_id, None)


def test_publication_is_undone_while_nothing_is_answered() -> None:
    tutor, request = people.make_tutor(), family()
    run_id = propose(proposal(tutor, [request]))
    (group,) = publishing.publish_run(run_id, None)
    assert publishing.can_be_undone(runs.get_run(run_id))
    publishing.undo_publication(run_id, None)
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    assert runs.get_run(run_id).state is RunState.UNDONE
    assert build_problem()["pins"] == []
    with pytest.raises(Conflict):
        groups.accept_group(group.id)


def test_accepted_publication_is_undone_with_lessons_and_reminders() -> None:
    coordinator = people.make_coordinator()
    request = family()
    run_id = propose(proposal(people.make_tutor(), [request]))
    (group,) = publishing.publish_run(run_id, coordinator)
    groups.accept_group(group.id)
    assert publishing.can_be_undone(runs.get_run(run_id))
    publishing.undo_publication(run_id, coordinator)
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    assert request_state(request) is RequestState.WAITING
    assert set(db.session.scalars(select(Lesson.state))) == {LessonState.CANCELLED}
    assert set(db.session.scalars(select(Message.state))) == {MessageState.CANCELLED}
    assert all(db.session.scalars(select(Reminder.cancelled_at)))
    assert runs.get_run(run_id).state is RunState.UNDONE
    note = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "undo_publication")
    ).one()
    pupil_id = db.session.get_one(TutoringRequest, request).pupil_id
    assert (note.coordinator_id, note.pupil_ids) == (coordinator.id, [pupil_id])
    problem = build_problem()
    assert problem["pins"] == []
    assert "previous_tutor" not in problem["requests"][0]


def test_pupil_who_joined_leaves_with_an_undone_publication_and_the_others_stay() -> None:
    tutor, first, newcomer = people.make_tutor(), family(), family()
    group = active_group(tutor, [first])
    before = db.session.scalars(select(Lesson.id)).all()
    run_id = propose(proposal(tutor, [first, newcomer]))
    publishing.publish_run(run_id, None)
    groups.accept_group(group.id)
    publishing.undo_publication(run_id, None)
    kept = db.session.get_one(Group, group.id)
    assert (kept.state, [m.request_id for m in kept.members]) == (GroupState.ACTIVE, [first])
    planned = select(Lesson.id).where(Lesson.state == LessonState.PLANNED)
    assert db.session.scalars(planned).all() == before
    assert (request_state(first), request_state(newcomer)) == (
        RequestState.SERVED,
        RequestState.WAITING,
    )


def test_what_was_declined_stays_declined_when_the_rest_is_undone() -> None:
    one, other, first, second = people.make_tutor(), people.make_tutor(), family(), family()
    run_id = propose(proposal(one, [first]), proposal(other, [second]))
    declined, offered = publishing.publish_run(run_id, None)
    groups.decline_group(declined.id, "too far")
    publishing.undo_publication(run_id, None)
    assert db.session.get_one(Group, declined.id).state is GroupState.DECLINED
    assert db.session.get_one(Group, offered.id).state is GroupState.ENDED
    assert db.session.scalars(select(Veto.request_id)).all() == [first]


def published_and_accepted() -> tuple[int, Group]:
    run_id = propose(proposal(people.make_tutor(), [family()]))
    (group,) = publishing.publish_run(run_id, None)
    return run_id, groups.accept_group(group.id)


def assert_stays(run_id: int) -> None:
    assert not publishing.can_be_undone(runs.get_run(run_id))
    with pytest.raises(Conflict):
        publishing.undo_publication(run_id, None)
    assert runs.get_run(run_id).state is RunState.PUBLISHED


@pytest.mark.parametrize("to", ["household", "tutor"])
def test_publication_is_not_undone_once_a_message_about_its_lessons_has_left(to: str) -> None:
    run_id, _group = published_and_accepted()
    message = db.session.scalars(
        select(Message.id).where(
            getattr(Message, f"{to}_id").is_not(None), Message.kind == MessageKind.LESSON_24H
        )
    ).first()
    with transaction():
        row = db.session.get_one(Message, message or 0)
        row.state, row.handed_at = MessageState.HANDING, clock.now()
    assert_stays(run_id)


def hand_over(kind: MessageKind) -> None:
    """Have the message of that kind leave."""
    with transaction():
        row = db.session.scalars(select(Message).where(Message.kind == kind)).one()
        row.state, row.handed_at = MessageState.HANDING, clock.now()


def test_publication_is_not_undone_once_a_family_was_told_that_lessons_begin() -> None:
    run_id, _group = published_and_accepted()
    hand_over(MessageKind.NEW_GROUP)
    assert_stays(run_id)


def test_volunteer_who_was_told_of_an_offer_is_told_that_it_is_taken_back() -> None:
    run_id = propose(proposal(people.make_tutor(), [family()]))
    publishing.publish_run(run_id, None)
    hand_over(MessageKind.GROUP_OFFER)
    publishing.undo_publication(run_id, None)
    (note,) = db.session.scalars(select(Message).where(Message.kind == MessageKind.NOTE))
    assert note.text == (
        "N9raw : les élèves qui vous étaient proposés ne le sont plus. Vous n'avez rien à faire."
    )


def test_what_was_not_told_yet_is_told_to_nobody_once_a_publication_is_undone() -> None:
    run_id, _group = published_and_accepted()
    publishing.undo_publication(run_id, None)
    rows = db.session.execute(select(Message.kind, Message.state)).all()
    assert {kind for kind, _state in rows} >= {MessageKind.GROUP_OFFER, MessageKind.NEW_GROUP}
    assert {state for _kind, state in rows} == {MessageState.CANCELLED}


def test_publication_is_not_undone_once_a_family_has_answered_for_a_lesson() -> None:
    run_id, group = published_and_accepted()
    lesson = db.session.scalars(select(Lesson.id)).first() or 0
    with transaction():
        household_id = db.session.get_one(Group, group.id).members[0].request.pupil.household_id
        db.session.add(
            LessonAnswer(
                lesson_id=lesson, household_id=household_id, coming=True, answered_at=clock.now()
            )
        )
    assert_stays(run_id)


def test_publication_is_not_undone_once_a_lesson_has_begun() -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        run_id, _group = published_and_accepted()
        time.shift(timedelta(days=8))
        assert_stays(run_id)


def test_publication_is_not_undone_under_a_pupil_who_was_added_by_hand() -> None:
    run_id, group = published_and_accepted()
    by_hand.place_in_group(group.id, family(), [], None)
    assert_stays(run_id)


def test_message_to_who_was_there_before_does_not_tell_of_a_newcomer() -> None:
    tutor, first, newcomer = people.make_tutor(), family(), family()
    group = active_group(tutor, [first])
    run_id = propose(proposal(tutor, [first, newcomer]))
    publishing.publish_run(run_id, None)
    groups.accept_group(group.id)
    household = db.session.get_one(TutoringRequest, first).pupil.household_id
    message = select(Message.id).where(Message.household_id == household)
    with transaction():
        row = db.session.get_one(Message, db.session.scalars(message).first() or 0)
        row.state, row.handed_at = MessageState.DELIVERED, clock.now()
    publishing.undo_publication(run_id, None)


def test_declined_requests_wait_with_a_veto() -> None:
    tutor, request = people.make_tutor(), family()
    group = groups.decline_group(offer_group(tutor, [request]).id, "I know the family")
    assert (group.state, group.decline_reason) == (GroupState.DECLINED, "I know the family")
    assert request_state(request) is RequestState.WAITING
    assert db.session.scalars(select(Veto.request_id)).all() == [request]
    problem = build_problem()
    assert problem["pins"] == []
    assert problem["vetoes"] == [{"request": f"R{request}", "tutor": f"T{tutor}"}]


def test_declining_needs_a_reason() -> None:
    group = offer_group(people.make_tutor(), [family()])
    with pytest.raises(Invalid):
        groups.decline_group(group.id, "  ")
    assert db.session.get_one(Group, group.id).state is GroupState.OFFERED


def test_offered_and_active_groups_are_pins_of_the_next_run() -> None:
    tutor, first, second = people.make_tutor(), family(), family()
    active = active_group(tutor, [first])
    offered = offer_group(tutor, [second], starts=[("mon", "19:00")], channel="call")
    pins = build_problem()["pins"]
    assert pins == [
        {
            "request": f"R{first}", "tutor": f"T{tutor}", "channel": "whatsapp",
            "language": "darija", "group": f"G{active.id}", "starts": [["mon", "18:00"]],
        },
        {
            "request": f"R{second}", "tutor": f"T{tutor}", "channel": "call",
            "language": "darija", "group": f"G{offered.id}", "starts": [["mon", "19:00"]],
        },
    ]  # fmt: skip


def test_second_run_keeps_what_is_in_force_and_adds_who_is_new() -> None:
    """With the real solver: a newcomer joins the active group, which stays as it is."""
    tutor = people.make_tutor(windows=["mon 18:00-19:00"], channels=["whatsapp"], most=1)
    first = family(channels=["whatsapp"])
    group = active_group(tutor, [first])
    newcomer = family(channels=["whatsapp"])
    run_id = runs.start_run(None, seconds=20).id
    solve_next(threading.Event())
    preview = publishing.preview_publication(run_id)
    assert (preview.new_groups, preview.joined_groups, preview.kept) == (0, 1, 0)
    assert [request.id for request in preview.additions[0].requests] == [newcomer]
    publishing.publish_run(run_id, None)
    kept = db.session.get_one(Group, group.id)
    assert kept.state is GroupState.ACTIVE
    assert request_state(newcomer) is RequestState.WAITING
    groups.accept_group(group.id)
    assert request_state(newcomer) is RequestState.SERVED
    assert {member.request_id for member in kept.members} == {first, newcomer}


def test_declined_newcomer_leaves_the_group_as_it_was() -> None:
    tutor, first, newcomer = people.make_tutor(), family(), family()
    group = active_group(tutor, [first])
    run_id = propose(proposal(tutor, [first, newcomer]))
    publishing.publish_run(run_id, None)
    groups.decline_group(group.id, "four are too many")
    kept = db.session.get_one(Group, group.id)
    assert kept.state is GroupState.ACTIVE
    assert [member.request_id for member in kept.members] == [first]
    assert db.session.scalars(select(Veto.request_id)).all() == [newcomer]


def test_tutor_with_a_group_keeps_the_vetting() -> None:
    coordinator = people.make_coordinator()
    tutor = people.make_tutor()
    active_group(tutor, [family()])
    with pytest.raises(Conflict):
        withdraw_vetting(tutor, coordinator)


def test_undone_seat_can_be_offered_again() -> None:
    tutor, first, newcomer = people.make_tutor(), family(), family()
    group = active_group(tutor, [first])
    for _ in range(2):
        run_id = propose(proposal(tutor, [first, newcomer]))
        publishing.publish_run(run_id, None)
        publishing.undo_publication(run_id, None)
        assert [m.request_id for m in db.session.get_one(Group, group.id).members] == [first]


def test_publication_says_what_it_would_add_while_time_passes() -> None:
    tutor, request = people.make_tutor(), family()
    with time_machine.travel(clock.now(), tick=False) as time:
        run_id = propose(proposal(tutor, [request]))
        time.shift(timedelta(days=30))
        assert publishing.preview_publication(run_id).requests == 1
        assert len(publishing.publish_run(run_id, None)) == 1


def withdraw_consent(request_id: int, kind: ConsentKind) -> None:
    pupil_id = db.session.get_one(TutoringRequest, request_id).pupil_id
    with transaction():
        pupil = db.session.get_one(Pupil, pupil_id)
        pupil.consents.append(people.say(kind, False))
