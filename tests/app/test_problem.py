"""The matching problem holds who may be matched, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    ConsentKind,
    Pupil,
    PupilNeed,
    RequestState,
    Tutor,
    TutoringRequest,
    TutorState,
    TutorTag,
)
from app.services import by_hand, choices, groups
from app.services.choices import Place
from app.services.problem import build_problem
from app.services.vetting_term import today
from matching.io import read_problem
from tests.support import people
from tests.support.groups import active_group, offer_group


@pytest.fixture(autouse=True)
def programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


def test_problem_of_one_tutor_and_one_family() -> None:
    tutor = people.make_tutor(teaches=[("maths", "3AC"), ("maths", "1AC"), ("svt", "3AC")])
    household = people.make_household(windows=["sat 10:00-12:00", "mon 18:30-24:00"])
    pupil = household.pupils[0]
    assert build_problem() == {
        "format": "n9raw-problem/1",
        "lesson_minutes": 60,
        "start_every": 30,
        "channels": {
            "call": {"max_group": 1, "cost": 3},
            "whatsapp": {"max_group": 4, "cost": 1},
        },
        "tutors": [
            {
                "id": f"T{tutor}",
                "teaches": [
                    {"subject": "maths", "levels": ["1AC", "3AC"]},
                    {"subject": "svt", "levels": ["3AC"]},
                ],
                "channels": ["call", "whatsapp"],
                "languages": ["darija"],
                "available": [["mon", "18:00", "20:00"]],
                "max_lessons_per_week": 3,
            }
        ],
        "households": [
            {
                "id": f"H{household.id}",
                "zone": "Aïn Kaïcher",
                "channels": ["call", "whatsapp"],
                "languages": ["darija"],
                "reachable": [["mon", "18:30", "24:00"], ["sat", "10:00", "12:00"]],
            }
        ],
        "requests": [
            {
                "id": f"R{pupil.requests[0].id}",
                "pupil": f"P{pupil.id}",
                "household": f"H{household.id}",
                "subject": "maths",
                "level": "3AC",
                "lessons_per_week": 1,
                "weight": 3,
            }
        ],
        "pins": [],
        "vetoes": [],
    }


def test_problem_is_one_that_the_reader_takes() -> None:
    people.make_tutor(windows=None)
    people.make_household(group_consent=False, windows=None)
    problem = read_problem(build_problem())
    assert [len(problem.tutors), len(problem.households), len(problem.requests)] == [1, 1, 1]


@pytest.mark.parametrize("state", [s for s in TutorState if s is not TutorState.VETTED])
def test_only_vetted_tutors_are_matched(state: TutorState) -> None:
    people.make_tutor(state=state)
    assert build_problem()["tutors"] == []


def test_pupil_without_consent_is_not_matched_and_its_sibling_is() -> None:
    household = people.make_household(
        pupils=[("Hiba Touil", "3AC", ["maths"]), ("Walid Touil", "3AC", ["maths", "svt"])]
    )
    hiba = household.pupils[0]
    with transaction():
        pupil = db.session.get_one(Pupil, hiba.id)
        pupil.consents.append(people.say(ConsentKind.LESSONS, False))
    requests = build_problem()["requests"]
    assert {request["pupil"] for request in requests} == {f"P{household.pupils[1].id}"}


def test_consent_given_again_counts() -> None:
    household = people.make_household(consent=False)
    assert build_problem()["requests"] == []
    with transaction():
        db.session.get_one(Pupil, household.pupils[0].id).consents.append(
            people.say(ConsentKind.LESSONS, True)
        )
    assert len(build_problem()["requests"]) == 1


def test_family_that_keeps_its_number_to_itself_is_offered_lessons_alone() -> None:
    people.make_tutor(channels=["whatsapp", "video"])
    people.make_household(group_consent=False, channels=["call", "whatsapp"])
    problem = build_problem()
    assert problem["households"][0]["channels"] == ["call", "whatsapp_one"]
    assert problem["tutors"][0]["channels"] == ["video", "whatsapp", "whatsapp_one"]
    assert problem["channels"]["whatsapp_one"] == {"max_group": 1, "cost": 1}


def test_one_child_without_group_consent_keeps_the_family_out_of_groups() -> None:
    household = people.make_household(
        pupils=[("Hiba Touil", "3AC", ["maths"]), ("Walid Touil", "3AC", ["maths"])],
        channels=["whatsapp"],
    )
    with transaction():
        db.session.get_one(Pupil, household.pupils[0].id).consents.append(
            people.say(ConsentKind.GROUP_LESSONS, False)
        )
    assert build_problem()["households"][0]["channels"] == ["whatsapp_one"]


@pytest.mark.parametrize("state", [s for s in RequestState if s is not RequestState.WAITING])
def test_only_waiting_requests_are_matched(state: RequestState) -> None:
    people.make_household()
    with transaction():
        db.session.scalars(select(TutoringRequest)).one().state = state
    problem = build_problem()
    assert problem["requests"] == []
    assert problem["households"] == []


def test_times_to_be_agreed_are_null() -> None:
    people.make_tutor(windows=None)
    people.make_household(windows=None)
    problem = build_problem()
    assert problem["tutors"][0]["available"] is None
    assert problem["households"][0]["reachable"] is None


def test_needs_and_tags_are_in_the_problem() -> None:
    tutor = people.make_tutor()
    household = people.make_household()
    with transaction():
        db.session.add(TutorTag(tutor_id=tutor, tag="woman"))
        db.session.add(PupilNeed(pupil_id=household.pupils[0].id, tag="woman"))
    problem = build_problem()
    assert problem["tutors"][0]["tags"] == ["woman"]
    assert problem["requests"][0]["needs"] == ["woman"]
    assert read_problem(problem).requests[0].needs == ("woman",)


def test_exam_that_comes_near_counts_for_more() -> None:
    people.make_household()
    usual = build_problem()["requests"][0]["weight"]
    with transaction():
        people.level("3AC").exam_on = today() + timedelta(days=7)
    assert build_problem()["requests"][0]["weight"] == 2 * usual


def lost_place(tutor: int) -> int:
    """The request of a family that had this tutor, and was taken out of the group."""
    request = people.make_household().pupils[0].requests[0].id
    group = active_group(tutor, [request])
    by_hand.take_out(group.id, group.members[0].id, "the time does not suit", None)
    return request


def previous() -> list[str | None]:
    return [row.get("previous_tutor") for row in build_problem()["requests"]]


def test_request_that_lost_its_place_names_the_last_tutor() -> None:
    one, other = people.make_tutor(), people.make_tutor()
    request = lost_place(one)
    assert previous() == [f"T{one}"]
    group = active_group(other, [request])
    assert previous() == [None]
    by_hand.take_out(group.id, group.members[0].id, "again", None)
    assert previous() == [f"T{other}"]


def test_tutor_who_can_no_longer_be_had_is_no_previous_one() -> None:
    tutor = people.make_tutor()
    request = lost_place(tutor)
    veto = choices.rule_out(request, tutor, "no", None)
    assert previous() == [None]
    choices.take_veto_back(veto.id, None)
    assert previous() == [f"T{tutor}"]
    with transaction():
        db.session.get_one(Tutor, tutor).state = TutorState.PAUSED
    assert previous() == [None]


def test_offer_that_was_never_accepted_makes_no_previous_tutor() -> None:
    request = people.make_household().pupils[0].requests[0].id
    group = offer_group(people.make_tutor(), [request])
    groups.end_group(group.id, "a mistake")
    assert previous() == [None]


def test_place_that_is_kept_is_pinned_while_it_can_be() -> None:
    tutor, household = people.make_tutor(), people.make_household()
    request = household.pupils[0].requests[0].id
    choices.pin([request], Place(tutor, [["mon", "18:00"]], "call", "darija"), None)
    pin = {
        "request": f"R{request}", "tutor": f"T{tutor}", "channel": "call", "language": "darija",
        "starts": [["mon", "18:00"]],
    }  # fmt: skip
    assert build_problem()["pins"] == [pin]
    assert read_problem(build_problem()).pins[0].group is None
    with transaction():
        db.session.get_one(TutoringRequest, request).lessons_per_week = 2
    assert build_problem()["pins"] == []
    with transaction():
        db.session.get_one(TutoringRequest, request).lessons_per_week = 1
        db.session.get_one(Tutor, tutor).state = TutorState.PAUSED
    assert build_problem()["pins"] == []
    with transaction():
        db.session.get_one(Tutor, tutor).state = TutorState.VETTED
        db.session.get_one(Pupil, household.pupils[0].id).consents.append(
            people.say(ConsentKind.LESSONS, False)
        )
    assert build_problem()["pins"] == []


def test_kept_place_in_a_group_waits_for_consent_to_groups() -> None:
    tutor, household = people.make_tutor(), people.make_household()
    request = household.pupils[0].requests[0].id
    choices.pin([request], Place(tutor, [["mon", "18:00"]], "whatsapp", "darija"), None)
    with transaction():
        db.session.get_one(Pupil, household.pupils[0].id).consents.append(
            people.say(ConsentKind.GROUP_LESSONS, False)
        )
    assert build_problem()["pins"] == []


def test_pins_of_groups_in_force_come_before_what_is_wished() -> None:
    tutor = people.make_tutor()
    seated, waiting, other = (people.make_household().pupils[0].requests[0].id for _ in range(3))
    place = Place(tutor, [["mon", "19:00"]], "whatsapp", "darija")
    choices.pin([waiting, other, seated], place, None, together=True)
    group = active_group(tutor, [seated])
    assert [(row["request"], row["group"]) for row in build_problem()["pins"]] == [
        (f"R{seated}", f"G{group.id}"),
        (f"R{waiting}", "K1"),
        (f"R{other}", "K1"),
    ]


def test_request_that_asks_for_more_since_keeps_the_lessons_of_its_group() -> None:
    request = people.make_household().pupils[0].requests[0].id
    active_group(people.make_tutor(), [request])
    with transaction():
        db.session.get_one(TutoringRequest, request).lessons_per_week = 2
    problem = build_problem()
    assert problem["requests"][0]["lessons_per_week"] == 1
    assert read_problem(problem).pins[0].starts is not None
