"""The coordinators' pages that publish a run, and take a publication back."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    ConsentKind,
    Group,
    GroupState,
    Message,
    MessageKind,
    MessageState,
    Pupil,
    RunState,
    TutoringRequest,
)
from app.services import groups, publishing, runs
from app.services.errors import Conflict
from scheduler import clock
from tests.support import people
from tests.support.groups import active_group, offer_group, proposal, propose
from tests.support.pages import counted_statements, in_english, views, words

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def family(name: str = "Hiba Touil") -> int:
    """The id of the one request of a new household."""
    household = people.make_household(pupils=[(name, "3AC", ("maths",))])
    return household.pupils[0].requests[0].id


def pupil_of(request_id: int) -> int:
    return db.session.get_one(TutoringRequest, request_id).pupil_id


def test_proposal_is_published_after_a_page_that_lists_what_it_adds(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor = people.make_tutor(name="Rania Mounir")
        run_id = propose(proposal(tutor, [family("Hiba Touil"), family("Wiam Tazi")]))
    run_page = words(client.get(f"/coordinator/matching/{run_id}").text)
    assert "Publish 1 new group for 2 pupils Check and publish" in run_page
    page = words(client.get(f"/coordinator/matching/{run_id}/publish").text)
    assert "1 new group for 2 pupils" in page
    assert (
        "Rania Mounir Monday 18:00 Mathematics 3AC Hiba Touil Aïn Kaïcher Wiam Tazi Aïn Kaïcher "
        "WhatsApp, Darija" in page
    )
    with app.app_context():
        assert db.session.scalars(select(Group)).all() == []

    answer = client.post(f"/coordinator/matching/{run_id}/publish", follow_redirects=True)
    assert "Published: 1 offer waits for its volunteer's answer." in words(answer.text)
    assert "This matching is published" in words(answer.text)
    with app.app_context():
        group = db.session.scalars(select(Group)).one()
        assert (group.state, group.tutor_id) == (GroupState.OFFERED, tutor)
    assert client.get(f"/coordinator/matching/{run_id}/publish").status_code == 302
    answer = client.post(f"/coordinator/matching/{run_id}/publish")
    assert answer.status_code == 409
    assert "Only a matching that ended with a proposal can be published." in words(answer.text)


@on_sqlite
def test_publication_names_who_did_it_and_which_children_were_shown(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        request_id = family()
        child = pupil_of(request_id)
        run_id = propose(proposal(people.make_tutor(), [request_id]))
    client.get(f"/coordinator/matching/{run_id}/publish")
    client.post(f"/coordinator/matching/{run_id}/publish")
    assert views(app) == [(f"/coordinator/matching/{run_id}/publish", [child])]
    with app.app_context():
        act = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "publish_run")).one()
        assert act.coordinator is not None
        assert (act.coordinator.name, act.pupil_ids) == ("Salma Bennis", [child])
    assert f"Salma Bennis matching published matching {run_id} 1" in words(
        client.get("/coordinator/trace").text
    )


@on_sqlite
def test_second_proposal_tells_what_is_in_force_from_what_it_adds(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, other = people.make_tutor(name="Rania Mounir"), people.make_tutor(name="Nora Alami")
        kept, joined = family("Hiba Touil"), family("Wiam Tazi")
        alone, newcomer, fresh = family("Badr Ziani"), family("Chama Idrissi"), family("Aya Salhi")
        active_group(tutor, [kept, joined])
        active_group(tutor, [alone], starts=[("mon", "19:00")])
        run_id = propose(
            proposal(tutor, [kept, joined, newcomer]),
            proposal(tutor, [alone], starts=[("mon", "19:00")]),
            proposal(other, [fresh]),
        )
    page = words(client.get(f"/coordinator/matching/{run_id}").text)
    assert "2 requests of those who wait can be served." in page
    assert (
        "Publish 1 new group for 1 pupil, 1 pupil joins groups in force, 1 group stays as it is"
        in page
    )
    assert (
        "Monday 18:00 Mathematics 3AC in force Hiba Touil Aïn Kaïcher Wiam Tazi Aïn Kaïcher "
        "Chama Idrissi Aïn Kaïcher joins" in page
    )
    assert "Monday 19:00 Mathematics 3AC in force Badr Ziani Aïn Kaïcher WhatsApp" in page
    assert "Nora Alami 1 of 3 lessons a week Monday 18:00 Mathematics 3AC Aya Salhi" in page
    additions = words(client.get(f"/coordinator/matching/{run_id}/publish").text)
    assert "Mathematics 3AC in force Chama Idrissi Aïn Kaïcher joins" in additions
    assert "Badr Ziani" not in additions
    assert "Hiba Touil" not in additions


def test_outdated_proposal_says_so_and_leads_to_another_matching(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, first, second = people.make_tutor(), family(), family()
        run_id = propose(proposal(tutor, [second]))
        active_group(tutor, [first], starts=[("mon", "19:00")])
    outdated = "volunteers have changed since this matching. Start another one."
    for path in ("", "/publish"):
        answer = client.get(f"/coordinator/matching/{run_id}{path}")
        assert outdated in words(answer.text)
        assert 'href="/coordinator/matching">Start another</a>' in answer.text
        assert "Check and publish" not in answer.text
        assert f'action="/coordinator/matching/{run_id}/publish"' not in answer.text
    answer = client.post(f"/coordinator/matching/{run_id}/publish")
    assert answer.status_code == 409
    assert outdated in words(answer.text)
    with app.app_context():
        assert runs.get_run(run_id).state is RunState.DONE


def test_consent_that_went_since_refuses_the_publication_on_its_page(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        request_id = family()
        run_id = propose(proposal(people.make_tutor(), [request_id]))
        with transaction():
            pupil = db.session.get_one(Pupil, pupil_of(request_id))
            pupil.consents.append(people.say(ConsentKind.LESSONS, False))
    answer = client.post(f"/coordinator/matching/{run_id}/publish")
    assert answer.status_code == 409
    assert "have changed since this matching. Start another one." in words(answer.text)
    with app.app_context():
        assert db.session.scalars(select(Group)).all() == []


@on_sqlite
def test_matching_that_adds_nobody_has_nothing_to_publish(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, request_id = people.make_tutor(), family()
        active_group(tutor, [request_id])
        run_id = propose(proposal(tutor, [request_id]))
    page = client.get(f"/coordinator/matching/{run_id}").text
    assert "There is nothing to publish: this matching adds nobody." in words(page)
    assert "0 requests of those who wait can be served." in words(page)
    assert "Check and publish" not in page


def test_publication_is_taken_back_after_a_question(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        run_id = propose(proposal(people.make_tutor(), [family()]))
        publishing.publish_run(run_id, None)
    address = f"/coordinator/matching/{run_id}/take-back"
    assert f'href="{address}"' in client.get(f"/coordinator/matching/{run_id}").text
    assert "Take the publication back?" in words(client.get(address).text)
    with app.app_context():
        assert runs.get_run(run_id).state is RunState.PUBLISHED
    answer = client.post(address, follow_redirects=True)
    assert "The publication is taken back." in words(answer.text)
    assert "This matching was published and taken back" in words(answer.text)
    assert "taken back" in words(client.get("/coordinator/matching").text)
    assert client.get(address).status_code == 302
    with app.app_context():
        assert db.session.scalars(select(Group)).one().state is GroupState.ENDED


def test_publication_whose_families_were_told_is_not_taken_back(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        group = offer_group(people.make_tutor(), [family()])
        run_id = group.run_id
        groups.accept_group(group.id)
        with transaction():
            message = db.session.scalars(
                select(Message).where(Message.kind == MessageKind.NEW_GROUP)
            ).one()
            message.state, message.handed_at = MessageState.DELIVERED, clock.now()
    address = f"/coordinator/matching/{run_id}/take-back"
    assert address not in client.get(f"/coordinator/matching/{run_id}").text
    assert client.get(address).status_code == 302
    answer = client.post(address)
    assert answer.status_code == 409
    assert "A message about lessons of this matching has left" in words(answer.text)


@on_sqlite
def test_place_that_can_no_longer_be_kept_is_named_with_its_reason(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, other = people.make_tutor(name="Rania Mounir"), people.make_tutor()
        moved, beside, newcomer = family("Hiba Touil"), family("Wiam Tazi"), family("Aya Salhi")
        active_group(tutor, [beside])
        active_group(tutor, [moved], starts=[("mon", "19:00")])
        run_id = propose(
            proposal(tutor, [beside]),
            proposal(other, [moved, newcomer], starts=[("mon", "19:00")]),
            impossible_pins=[
                {
                    "request": f"R{moved}",
                    "tutor": f"T{tutor}",
                    "why": "too_many_lessons",
                    "with": [f"R{beside}"],
                }
            ],
        )
        with pytest.raises(Conflict):
            publishing.publish_run(run_id, None)
    page = words(client.get(f"/coordinator/matching/{run_id}").text)
    assert (
        "Hiba Touil (Mathematics) with Rania Mounir: the volunteer no longer gives that many "
        "lessons a week (Wiam Tazi (Mathematics))" in page
    )
    assert "Check and publish" not in page


@on_sqlite
def test_page_to_publish_asks_the_database_as_often_for_three_as_for_one(app: Flask) -> None:
    client = in_english(app)
    asked = []
    for number in (1, 3):
        with app.app_context():
            run_id = propose(
                *(proposal(people.make_tutor(), [family(), family()]) for _ in range(number))
            )
        for path in ("", "/publish"):
            with counted_statements(app) as statements:
                assert client.get(f"/coordinator/matching/{run_id}{path}").status_code == 200
            asked.append(len(statements))
    assert asked[:2] == asked[2:]
