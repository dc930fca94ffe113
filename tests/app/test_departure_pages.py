"""The way from a volunteer who stops to a repair that is published, on pages and in a shell."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Group, GroupState, RequestState, Tutor, TutoringRequest, TutorState
from app.services import runs
from app.services.coordinators import find_coordinator
from app.worker import solve_next
from tests.support import people
from tests.support.groups import active_group, offer_group, proposal, propose_repair
from tests.support.pages import EMAIL, in_english, signed_in_tutor, views, words
from tests.support.vetting import form_of, vet_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CALLED = {"channels": ["call"]}


def family(name: str = "Hiba Touil") -> int:
    """The id of the one request of a new household that is called."""
    household = people.make_household(pupils=[(name, "3AC", ("maths",))], **CALLED)  # type: ignore[arg-type]
    return household.pupils[0].requests[0].id


def caller(name: str) -> int:
    """A vetted tutor who calls, one lesson a week."""
    state = TutorState.REGISTERED
    tutor = people.make_tutor(name=name, channels=["call"], most=1, state=state)
    vet_tutor(tutor, find_coordinator(EMAIL))
    return tutor


def test_volunteer_leaves_and_a_repair_places_the_pupil_elsewhere(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        leaving, other = caller("Rania Mounir"), caller("Nora Alami")
        request_id = family()
        active_group(leaving, [request_id], channel="call")
    address = f"/coordinator/volunteers/{leaving}/leave"
    assert f'href="{address}"' in client.get(f"/coordinator/volunteers/{leaving}").text
    page = words(client.get(address).text)
    assert "Rania Mounir leaves? 1 group or offer ends. 1 pupil waits again." in page
    assert "Mathematics 3AC , Monday 18:00 Hiba Touil" in page
    assert "The families are told by message." in page
    with app.app_context():
        assert db.session.get_one(Tutor, leaving).state is TutorState.VETTED
        child = db.session.get_one(TutoringRequest, request_id).pupil_id
    assert views(app) == [(address, [child])]

    answer = client.post(address, data={"reason": "moved away"})
    assert (answer.status_code, answer.location) == (303, "/coordinator/matching/repair")
    page = words(client.get(answer.location).text)
    assert "It is recorded that Rania Mounir has left." in page
    assert "Repair the timetable 1 request waits." in page
    answer = client.post(answer.location, data={"may_move": "0"})
    assert answer.status_code == 303
    with app.app_context():
        solve_next(threading.Event())
    page = words(client.get(answer.location).text)
    assert "A repair: all that was in force stays as it is." in page
    assert "Nora Alami 1 of 1 lessons a week Monday" in page
    assert "Mathematics 3AC Hiba Touil Aïn Kaïcher newly served" in page
    answer = client.post(f"{answer.location}/publish", follow_redirects=True)
    assert "Published: 1 offer waits" in words(answer.text)
    with app.app_context():
        offered = db.session.scalars(select(Group).where(Group.state == GroupState.OFFERED)).one()
        assert offered.tutor_id == other
    trace = words(client.get("/coordinator/trace").text)
    assert f"Salma Bennis recorded that a volunteer left volunteer {leaving} 1" in trace
    assert "Salma Bennis started a repair matching" in trace


@on_sqlite
def test_volunteer_pauses_and_is_taken_back(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor = people.make_tutor(state=TutorState.REGISTERED, name="Rania Mounir")
    home = f"/coordinator/volunteers/{tutor}"
    client.post(f"{home}/vet", data=form_of(app))
    page = words(client.get(f"{home}/pause").text)
    assert "This volunteer has no group and no offer: nothing ends." in page
    answer = client.post(f"{home}/pause", data={"reason": "exams"}, follow_redirects=True)
    page = words(answer.text)
    assert "It is recorded that Rania Mounir pauses." in page
    assert "The vetting still holds" in page
    assert "For a while: pause" not in page
    assert client.get(f"{home}/pause").status_code == 302
    assert client.post(f"{home}/pause", data={"reason": "exams"}).status_code == 409
    assert "Vous êtes en pause" in signed_in_tutor(app, tutor).get("/volunteer/week").text
    page = words(client.post(f"{home}/take-back", follow_redirects=True).text)
    assert "Rania Mounir is back; no group comes back by itself." in page
    with app.app_context():
        assert db.session.get_one(Tutor, tutor).state is TutorState.VETTED
    assert client.post(f"{home}/take-back").status_code == 409


@on_sqlite
def test_departure_without_a_reason_asks_for_it(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor = people.make_tutor()
        group = offer_group(tutor, [family()]).id
    answer = client.post(f"/coordinator/volunteers/{tutor}/leave", data={"reason": " "})
    assert answer.status_code == 400
    assert "Say why." in words(answer.text)
    with app.app_context():
        assert db.session.get_one(Group, group).state is GroupState.OFFERED


@on_sqlite
@pytest.mark.parametrize("may_move", ["", "-1", "101", "some"])
def test_repair_asks_for_a_number_that_can_be(app: Flask, may_move: str) -> None:
    client = in_english(app)
    answer = client.post("/coordinator/matching/repair", data={"may_move": may_move})
    assert answer.status_code == 400
    assert "Please check what you entered" in words(answer.text)
    with app.app_context():
        assert runs.list_runs(1) == []


@on_sqlite
def test_repair_is_refused_in_words_while_a_matching_is_under_way(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        people.make_tutor()
        family()
        runs.start_run(None, seconds=20)
    answer = client.post("/coordinator/matching/repair", data={"may_move": "2"})
    assert answer.status_code == 409
    assert "A matching is under way." in words(answer.text)


@on_sqlite
def test_moves_are_named_before_they_are_published_and_cannot_be_taken_back(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        early, late = caller("Rania Mounir"), caller("Nora Alami")
        moving, losing, newcomer = family("Hiba Touil"), family("Wiam Tazi"), family("Aya Salhi")
        group = active_group(early, [moving], channel="call").id
        active_group(late, [losing], starts=[("mon", "19:00")], channel="call")
        run_id = propose_repair(
            2,
            proposal(late, [moving], starts=[("mon", "19:00")], channel="call"),
            proposal(early, [newcomer], channel="call"),
        )
    page = words(client.get(f"/coordinator/matching/{run_id}").text)
    assert "A repair: what was in force stays, but for 2 families at most." in page
    assert (
        "Hiba Touil , Mathematics 3AC Rania Mounir, Monday 18:00, call "
        "Nora Alami, Monday 19:00, call" in page
    )
    assert "Wiam Tazi , Mathematics 3AC Nora Alami, Monday 19:00, call loses the place" in page
    assert "2 new groups for 2 pupils, 1 pupil moves, 1 pupil loses a place" in page
    question = words(client.get(f"/coordinator/matching/{run_id}/publish").text)
    assert "This can't be taken back." in question
    assert "Wiam Tazi , Mathematics 3AC" in question
    client.post(f"/coordinator/matching/{run_id}/publish")
    assert "take-back" not in client.get(f"/coordinator/matching/{run_id}").text
    answer = client.post(f"/coordinator/matching/{run_id}/take-back")
    assert answer.status_code == 409
    assert "has ended places in force" in words(answer.text)
    story = words(client.get(f"/coordinator/groups/{group}").text)
    assert f"Salma Bennis ended places with matching {run_id} (1 pupil)" in story


@on_sqlite
def test_shell_records_departures_and_repairs(app: Flask) -> None:
    runner = app.test_cli_runner(env={"N9RAW_LANG": "en"})
    with app.app_context():
        people.make_programme()
        people.make_coordinator(EMAIL)
        tutor, other = caller("Rania Mounir"), caller("Nora Alami")
        request_id = family()
        active_group(tutor, [request_id], channel="call")

    def run(*command: str) -> tuple[int, str]:
        answer = runner.invoke(args=list(command))
        return answer.exit_code, answer.output

    pause = ("tutor", "pause", str(tutor), "--reason", "exams", "--by", EMAIL)
    assert run(*pause, "--dry-run") == (0, "groups that end: 1, pupils: 1\n")
    with app.app_context():
        assert db.session.get_one(TutoringRequest, request_id).state is RequestState.SERVED
    assert run(*pause) == (0, "groups that end: 1, pupils: 1\n")
    code, said = run("tutor", "pause", str(tutor), "--reason", "exams")
    assert (code, "not in a state" in said) == (1, True)
    assert run("match", "repair", "--may-move", "-1")[0] == 1
    code, said = run("match", "repair", "--may-move", "1")
    number, state, *_rest = said.split("\t")
    assert (code, state) == (0, "queued")
    with app.app_context():
        solve_next(threading.Event())
    assert run("match", "publish", number) == (
        0,
        "new groups: 1, groups joined: 0, requests: 1, places ended: 0, groups kept: 0\n",
    )
    assert run("tutor", "leave", str(other), "--reason", "moved away") == (
        0,
        "groups that end: 1, pupils: 1\n",
    )
    assert run("tutor", "return", str(other)) == (0, f"{other}\tregistered\tNora Alami\n")
