"""Places by hand: every broken rule is said before, and what can't be overruled is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

import matching
from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    ConsentKind,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Membership,
    Pin,
    ProposedGroup,
    Pupil,
    PupilNeed,
    RequestState,
    RunState,
    Tutor,
    TutoringRequest,
    TutorState,
    Veto,
)
from app.services import by_hand, choices, examining, groups, publishing, runs
from app.services.choices import Place
from app.services.errors import Conflict, Invalid, NotFound
from app.services.examining import Rule
from app.services.problem import build_problem
from app.services.repairing import plan_in_force
from app.worker import solve_next
from tests.support import people
from tests.support.groups import active_group, offer_group, proposal, propose

MONDAY_18 = [["mon", "18:00"]]
MONDAY_19 = [["mon", "19:00"]]


@pytest.fixture(autouse=True)
def programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


def family(**how: Any) -> int:
    """The id of the one request of a new household."""
    return people.make_household(**how).pupils[0].requests[0].id


def state_of(request_id: int) -> RequestState:
    return db.session.get_one(TutoringRequest, request_id).state


def broken_by_joining(group: Group, request_id: int) -> list[Rule]:
    return examining.examine_join(
        db.session.get_one(Group, group.id), examining.get_request(request_id)
    ).broken


def broken_by_new(request_id: int, tutor: int, starts: Any = None, **how: Any) -> list[Rule]:
    place = Place(tutor, starts or MONDAY_18, how.get("channel", "call"), "darija")
    return examining.examine_new(examining.get_request(request_id), place).broken


def act(action: str) -> AuditEntry:
    return db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)).one()


def refuse(request_id: int, kind: ConsentKind) -> None:
    pupil_id = db.session.get_one(TutoringRequest, request_id).pupil_id
    with transaction():
        db.session.get_one(Pupil, pupil_id).consents.append(people.say(kind, False))


def test_place_that_keeps_every_rule_breaks_none() -> None:
    group = active_group(people.make_tutor(), [family()])
    assert broken_by_joining(group, family()) == []


@pytest.mark.parametrize(
    ("how", "broken"),
    [
        ({"consent": False}, [Rule.CONSENT]),
        ({"group_consent": False}, [Rule.GROUP_CONSENT]),
        ({"windows": ["mon 19:00-20:00"]}, [Rule.FAMILY_HOURS]),
        ({"windows": None}, [Rule.HOURS_UNKNOWN]),
        ({"channels": ["call"]}, [Rule.FAMILY_CHANNEL]),
        ({"languages": ["ar"]}, [Rule.FAMILY_LANGUAGE]),
        ({"pupils": [("Aya Salhi", "3AC", ["svt"])]}, [Rule.OTHER_GROUP, Rule.NOT_TAUGHT]),
        ({"pupils": [("Aya Salhi", "1AC", ["maths"])]}, [Rule.OTHER_GROUP, Rule.NOT_TAUGHT]),
    ],
)
def test_rules_of_a_family_that_joining_a_group_breaks(
    how: dict[str, Any], broken: list[Rule]
) -> None:
    group = active_group(people.make_tutor(), [family()])
    assert broken_by_joining(group, family(**how)) == broken


def test_full_group_takes_nobody() -> None:
    group = active_group(people.make_tutor(), [family() for _ in range(4)])
    newcomer = family()
    assert broken_by_joining(group, newcomer) == [Rule.GROUP_FULL]
    with pytest.raises(Conflict):
        by_hand.place_in_group(group.id, newcomer, list(Rule), None)
    assert len(db.session.get_one(Group, group.id).members) == 4


def test_telephone_is_in_one_lesson_at_a_time() -> None:
    one, other = people.make_tutor(), people.make_tutor(teaches=[("svt", "3AC")])
    siblings = people.make_household(
        pupils=[("Hiba Touil", "3AC", ["maths"]), ("Walid Touil", "3AC", ["svt"])]
    )
    active_group(one, [siblings.pupils[0].requests[0].id])
    group = active_group(other, [family(pupils=[("Aya Salhi", "3AC", ["svt"])])])
    assert broken_by_joining(group, siblings.pupils[1].requests[0].id) == [Rule.PHONE_BUSY]


def test_pupil_is_in_one_lesson_at_a_time() -> None:
    one, other = people.make_tutor(), people.make_tutor(teaches=[("svt", "3AC")])
    pupil = people.make_household(pupils=[("Hiba Touil", "3AC", ["maths", "svt"])]).pupils[0]
    active_group(one, [pupil.requests[0].id])
    group = active_group(other, [family(pupils=[("Aya Salhi", "3AC", ["svt"])])])
    assert broken_by_joining(group, pupil.requests[1].id) == [Rule.PHONE_BUSY, Rule.PUPIL_BUSY]


@pytest.mark.parametrize(
    ("how", "starts", "broken"),
    [
        ({}, MONDAY_18, []),
        ({"teaches": [("svt", "3AC")]}, MONDAY_18, [Rule.NOT_TAUGHT]),
        ({"channels": ["whatsapp"]}, MONDAY_18, [Rule.TUTOR_CHANNEL]),
        ({"languages": ["ar"]}, MONDAY_18, [Rule.TUTOR_LANGUAGE]),
        ({"windows": ["mon 19:00-20:00"]}, MONDAY_18, [Rule.TUTOR_HOURS]),
        ({"windows": None}, MONDAY_18, [Rule.HOURS_UNKNOWN]),
        ({"most": 0}, MONDAY_18, [Rule.TOO_MANY]),
        ({"state": TutorState.REGISTERED}, MONDAY_18, [Rule.NOT_VETTED]),
        ({"state": TutorState.PAUSED}, MONDAY_18, [Rule.NOT_VETTED]),
        ({}, [["mon", "18:15"]], [Rule.GRID]),
        ({}, [["mon", "06:00"]], [Rule.TUTOR_HOURS, Rule.FAMILY_HOURS]),
        (
            {},
            [["mon", "18:00"], ["tue", "18:00"]],
            [Rule.TUTOR_HOURS, Rule.FAMILY_HOURS, Rule.LESSONS],
        ),
    ],
)
def test_rules_of_a_volunteer_that_a_new_group_breaks(
    how: dict[str, Any], starts: list[list[str]], broken: list[Rule]
) -> None:
    assert broken_by_new(family(), people.make_tutor(**how), starts) == broken


def test_new_group_at_a_time_when_the_volunteer_teaches_others_is_refused() -> None:
    tutor, newcomer = people.make_tutor(), family()
    active_group(tutor, [family()])
    assert broken_by_new(newcomer, tutor, [["mon", "18:30"]]) == [Rule.TUTOR_BUSY]
    with pytest.raises(Conflict):
        by_hand.make_group(
            newcomer, Place(tutor, [["mon", "18:30"]], "call", "darija"), list(Rule), None
        )
    assert broken_by_new(newcomer, tutor, MONDAY_19) == []


def test_new_group_without_a_time_needs_somebody_who_agrees_later() -> None:
    tutor, newcomer = people.make_tutor(), family()
    request = examining.get_request(newcomer)
    place = Place(tutor, None, "call", "darija")
    assert examining.examine_new(request, place).stopping == [Rule.NO_TIME]
    later = people.make_tutor(windows=None)
    assert examining.examine_new(request, Place(later, None, "call", "darija")).broken == []


def test_needs_are_said_and_overruled() -> None:
    tutor, request = people.make_tutor(), family()
    need(request)
    assert broken_by_new(request, tutor) == [Rule.NEEDS]
    by_hand.make_group(request, Place(tutor, MONDAY_18, "call", "darija"), [Rule.NEEDS], None)
    assert solved() == []


def need(request_id: int) -> None:
    with transaction():
        pupil = db.session.get_one(TutoringRequest, request_id).pupil
        pupil.needs.append(PupilNeed(tag="woman"))


def solved() -> list[dict[str, Any]]:
    """What the real solver's next run says of the pins in force that it can't keep."""
    run_id = runs.start_run(None, seconds=10).id
    solve_next(threading.Event())
    assert runs.get_run(run_id).state is RunState.DONE, runs.get_run(run_id).failure
    pins: list[dict[str, Any]] = runs.read_plan(run_id)["impossible_pins"]
    return pins


def test_seat_by_hand_is_an_offer_that_the_volunteer_answers() -> None:
    coordinator = people.make_coordinator()
    group = active_group(people.make_tutor(), [family()])
    newcomer = family()
    by_hand.place_in_group(group.id, newcomer, [], coordinator)
    seat = db.session.scalars(select(Membership).where(Membership.request_id == newcomer)).one()
    assert (seat.run_id, seat.active_since) == (None, None)
    assert state_of(newcomer) is RequestState.WAITING
    groups.accept_group(group.id)
    assert state_of(newcomer) is RequestState.SERVED
    note = act("place_by_hand")
    assert (note.coordinator_id, note.subject) == (coordinator.id, f"group:{group.id}")
    assert note.pupil_ids == [seat.request.pupil_id]


def test_broken_rules_must_each_be_overruled() -> None:
    tutor = people.make_tutor(most=0)
    request = family(windows=["mon 19:00-20:00"])
    place = Place(tutor, MONDAY_18, "call", "darija")
    for overruled in ([], [Rule.TOO_MANY], [Rule.FAMILY_HOURS]):
        with pytest.raises(Conflict):
            by_hand.make_group(request, place, overruled, None)
    assert db.session.scalars(select(Group)).all() == []
    group = by_hand.make_group(request, place, [Rule.TOO_MANY, Rule.FAMILY_HOURS], None)
    assert (group.state, group.run_id, group.starts) == (GroupState.OFFERED, None, MONDAY_18)
    assert act("make_group").detail["overruled"] == ["family_hours", "too_many"]


@pytest.mark.parametrize(
    ("how", "of_family", "starts", "overruled"),
    [
        ({"most": 0}, {}, MONDAY_18, [Rule.TOO_MANY]),
        ({"teaches": [("svt", "3AC")]}, {}, MONDAY_18, [Rule.NOT_TAUGHT]),
        ({"channels": ["video"], "languages": ["ar"]}, {}, MONDAY_18,
         [Rule.TUTOR_CHANNEL, Rule.TUTOR_LANGUAGE]),
        ({}, {"channels": ["video"], "languages": ["ar"]}, MONDAY_18,
         [Rule.FAMILY_CHANNEL, Rule.FAMILY_LANGUAGE]),
        ({}, {}, [["tue", "06:10"]], [Rule.TUTOR_HOURS, Rule.FAMILY_HOURS, Rule.GRID]),
        ({}, {}, [["mon", "18:00"], ["tue", "18:00"]],
         [Rule.TUTOR_HOURS, Rule.FAMILY_HOURS, Rule.LESSONS]),
        ({"windows": None}, {}, MONDAY_18, [Rule.HOURS_UNKNOWN]),
    ],
)  # fmt: skip
def test_later_runs_keep_what_was_overruled(
    how: dict[str, Any], of_family: dict[str, Any], starts: Any, overruled: list[Rule]
) -> None:
    tutor, request = people.make_tutor(**how), family(**of_family)
    group = by_hand.make_group(request, Place(tutor, starts, "call", "darija"), overruled, None)
    groups.accept_group(group.id)
    family()
    assert solved() == []


def test_veto_that_is_overruled_ends() -> None:
    tutor, request = people.make_tutor(), family()
    choices.rule_out(request, tutor, "they don't get on", None)
    assert broken_by_new(request, tutor) == [Rule.VETOED]
    by_hand.make_group(request, Place(tutor, MONDAY_18, "call", "darija"), [Rule.VETOED], None)
    assert db.session.scalars(select(Veto)).all() == []
    assert solved() == []


def test_family_that_keeps_its_number_is_taught_alone() -> None:
    tutor, request = people.make_tutor(), family(group_consent=False)
    place = Place(tutor, MONDAY_18, "whatsapp", "darija")
    assert examining.examine_new(examining.get_request(request), place).broken == []
    group = by_hand.make_group(request, place, [], None)
    assert group.channel == "whatsapp_one"
    groups.accept_group(group.id)
    assert state_of(request) is RequestState.SERVED


def test_request_that_has_a_place_or_has_ended_gets_none() -> None:
    tutor, request, ended = people.make_tutor(), family(), family()
    active_group(tutor, [request])
    with pytest.raises(Conflict):
        broken_by_new(request, tutor)
    with transaction():
        db.session.get_one(TutoringRequest, ended).state = RequestState.ENDED
    assert broken_by_new(ended, tutor, MONDAY_19) == [Rule.NOT_WAITING]


def test_pupil_is_taken_out_and_waits_again() -> None:
    coordinator = people.make_coordinator()
    tutor, first, second = people.make_tutor(), family(), family()
    group = active_group(tutor, [first, second])
    seat = next(member for member in group.members if member.request_id == second)
    with pytest.raises(Invalid):
        by_hand.take_out(group.id, seat.id, "  ", coordinator)
    by_hand.take_out(group.id, seat.id, "another time of the bus", coordinator)
    assert state_of(second) is RequestState.WAITING
    kept = db.session.get_one(Group, group.id)
    assert (kept.state, [m.request_id for m in kept.members]) == (GroupState.ACTIVE, [first])
    note = act("take_out")
    assert (note.coordinator_id, note.pupil_ids) == (coordinator.id, [seat.request.pupil_id])
    assert note.detail == {"reason": "another time of the bus", "ruled_out": False}
    assert db.session.scalars(select(Veto)).all() == []
    with pytest.raises(NotFound):
        by_hand.take_out(group.id, seat.id, "again", coordinator)


def test_last_pupil_taken_out_ends_the_group_with_its_lessons() -> None:
    coordinator = people.make_coordinator()
    tutor, request = people.make_tutor(), family()
    group = active_group(tutor, [request])
    by_hand.take_out(group.id, group.members[0].id, "moved", coordinator, rule_out=True)
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    states = set(db.session.scalars(select(Lesson.state)))
    assert states == {LessonState.CANCELLED}
    veto = db.session.scalars(select(Veto)).one()
    assert (veto.request_id, veto.tutor_id, veto.by_id) == (request, tutor, coordinator.id)


def test_place_in_a_proposal_is_kept_by_the_next_run() -> None:
    tutor, first, newcomer = people.make_tutor(most=1), family(), family(windows=["tue 6:00-7:00"])
    run_id = propose(proposal(tutor, [first]))
    proposed = db.session.scalars(select(ProposedGroup)).one()
    with pytest.raises(Conflict):
        by_hand.place_in_proposal(run_id, proposed.id, newcomer, [], None)
    pin = by_hand.place_in_proposal(run_id, proposed.id, newcomer, [Rule.FAMILY_HOURS], None)
    assert (pin.request_id, pin.tutor_id, pin.starts) == (newcomer, tutor, MONDAY_18)
    assert publishing.is_outdated(runs.get_run(run_id))
    again = runs.solve_again(run_id, None).id
    solve_next(threading.Event())
    (found,) = db.session.scalars(select(ProposedGroup).where(ProposedGroup.run_id == again))
    assert {seat.request_id for seat in found.seats} == {first, newcomer}
    publishing.publish_run(again, None)


def test_proposal_can_keep_nobody_whose_volunteer_does_not_teach_it() -> None:
    tutor, newcomer = people.make_tutor(), family(pupils=[("Aya Salhi", "3AC", ["svt"])])
    run_id = propose(proposal(tutor, [family()]))
    proposed = db.session.scalars(select(ProposedGroup)).one()
    examined = examining.examine_proposed(proposed, examining.get_request(newcomer))
    assert examined.stopping == [Rule.OTHER_GROUP, Rule.NOT_TAUGHT]
    with pytest.raises(Conflict):
        by_hand.place_in_proposal(run_id, proposed.id, newcomer, list(Rule), None)
    assert db.session.scalars(select(Pin)).all() == []


def untimed_group(**how: Any) -> Group:
    tutor = people.make_tutor(windows=None, **how)
    return active_group(tutor, [family()], starts=[None], channel="call")


def test_times_of_a_group_are_agreed_with_lessons_and_reminders() -> None:
    coordinator = people.make_coordinator()
    group = untimed_group()
    assert db.session.scalars(select(Lesson)).all() == []
    by_hand.set_times(group.id, MONDAY_18, [], coordinator)
    assert db.session.get_one(Group, group.id).starts == MONDAY_18
    walls = db.session.scalars(select(Lesson.wall_start)).all()
    assert {(wall.weekday(), wall.hour) for wall in walls} == {(0, 18)}
    note = act("agree_times")
    assert (note.coordinator_id, note.detail) == (coordinator.id, {"starts": MONDAY_18})
    with pytest.raises(Conflict):
        by_hand.set_times(group.id, MONDAY_19, [], coordinator)
    assert solved() == []


def test_times_are_held_against_hours_and_other_lessons() -> None:
    group = untimed_group()
    examined = examining.examine_times(group, [["tue", "18:10"]])
    assert examined.overrulable == [Rule.FAMILY_HOURS, Rule.GRID]
    with pytest.raises(Invalid):
        examining.examine_times(group, [])
    with pytest.raises(Invalid):
        examining.examine_times(group, [["tue", "25:00"]])
    by_hand.set_times(group.id, MONDAY_18, [], None)
    other = active_group(group.tutor_id, [family()], starts=[None], channel="call")
    assert examining.examine_times(other, MONDAY_18).stopping == [Rule.TUTOR_BUSY]


def test_offered_group_whose_times_are_agreed_gets_lessons_with_the_yes() -> None:
    tutor = people.make_tutor(windows=None)
    group = offer_group(tutor, [family()], starts=[None], channel="call")
    by_hand.set_times(group.id, MONDAY_18, [], None)
    assert db.session.scalars(select(Lesson)).all() == []
    groups.accept_group(group.id)
    assert db.session.scalars(select(Lesson)).all() != []


def test_tutor_of_a_place_against_the_rules_gets_no_others_like_it_once_it_ends() -> None:
    tutor, request = people.make_tutor(teaches=[("svt", "3AC")]), family()
    group = by_hand.make_group(
        request, Place(tutor, MONDAY_18, "call", "darija"), [Rule.NOT_TAUGHT], None
    )

    def subjects() -> list[str]:
        return [row["subject"] for row in build_problem()["tutors"][0]["teaches"]]

    assert subjects() == ["maths", "svt"]
    by_hand.take_out(group.id, group.members[0].id, "over", None)
    assert subjects() == ["svt"]
    assert db.session.get_one(Tutor, tutor).teaches[0].subject_id == people.subject("svt").id


# --- what the page calls broken, and what the checker says of the whole problem


HOURS = ("17:00", "18:00", "18:15", "19:00")
WINDOWS = (None, ["mon 17:00-19:00"], ["mon 18:00-20:00", "tue 18:00-19:00"], people.EVENING)
WAYS = (["call"], ["whatsapp"], ["call", "whatsapp"])
TONGUES = (["darija"], ["ar"], ["ar", "darija"])


def make_crowd(random: Random) -> tuple[list[int], list[int]]:
    """Tutors and requests of all kinds, some of them together in groups: ids of both."""
    tutors = [
        people.make_tutor(
            teaches=random.sample([("maths", "3AC"), ("svt", "3AC"), ("maths", "1AC")], 2),
            channels=random.choice(WAYS),
            languages=random.choice(TONGUES),
            windows=random.choice(WINDOWS),
            most=random.randint(0, 3),
        )
        for _ in range(3)
    ]
    requests: list[int] = []
    for number in range(4):
        household = people.make_household(
            pupils=[
                (
                    f"Pupil {number}{i}",
                    random.choice(("3AC", "1AC")),
                    [random.choice(("maths", "svt"))],
                )
                for i in range(random.randint(1, 2))
            ],
            channels=random.choice(WAYS),
            languages=random.choice(TONGUES),
            windows=random.choice(WINDOWS),
        )
        requests += [pupil.requests[0].id for pupil in household.pupils]
    return tutors, requests


def a_place(random: Random, tutors: list[int]) -> Place:
    start = [[random.choice(("mon", "tue")), random.choice(HOURS)]]
    return Place(
        random.choice(tutors),
        start,
        random.choice(("call", "whatsapp")),
        random.choice(("ar", "darija")),
    )


def said_of_the_whole(problem: dict[str, Any], groups: list[dict[str, Any]]) -> set[Any]:
    """All that the checker finds wrong with these groups, the problem taken whole."""
    seated = {name for row in groups for name in row["requests"]}
    plan = plan_in_force(problem) | {
        "groups": groups,
        "unserved": [
            {"request": row["id"], "reason": "no_tutor", "detail": {}}
            for row in problem["requests"]
            if row["id"] not in seated
        ],
    }
    return set(matching.check(matching.read_problem(problem), matching.read_plan(plan)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(12))
def test_what_is_called_broken_is_what_the_checker_says_of_the_whole(seed: int) -> None:
    random = Random(seed)
    tutors, requests = make_crowd(random)
    for request_id in requests[:3]:
        place = a_place(random, tutors)
        examined = examining.examine_new(examining.get_request(request_id), place)
        if not examined.stopping:
            by_hand.make_group(request_id, place, examined.broken, None)
    for request_id in requests[3:]:
        request, place = examining.get_request(request_id), a_place(random, tutors)
        problem = build_problem()
        before = plan_in_force(problem)["groups"]
        new = {
            "id": "new", "tutor": f"T{place.tutor_id}", "subject": request.subject.code,
            "level": request.level.code, "channel": place.channel, "language": place.language,
            "starts": place.starts, "requests": [f"R{request_id}"],
        }  # fmt: skip
        known = said_of_the_whole(problem, before)
        found = said_of_the_whole(problem, [*before, new]) - known
        rules = {rule for fault in found if (rule := examining.rule_of(fault))}
        assert set(examining.examine_new(request, place).broken) == rules
        for row in before:
            joined = [
                other | {"requests": [*other["requests"], f"R{request_id}"]}
                if other is row
                else other
                for other in before
            ]
            found = said_of_the_whole(problem, joined) - known
            rules = {rule for fault in found if (rule := examining.rule_of(fault))}
            group = examining.get_live_group(int(row["id"][1:]))
            assert set(examining.examine_join(group, request).broken) == rules
