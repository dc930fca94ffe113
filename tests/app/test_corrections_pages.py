"""The pages by which a coordinator corrects a run: choices, places by hand, times, comparison."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    ConsentKind,
    Group,
    GroupState,
    MatchRun,
    Membership,
    Pin,
    ProposedGroup,
    Pupil,
    RequestState,
    TutoringRequest,
    Veto,
)
from app.services import by_hand, choices, groups, publishing
from app.services.choices import Place
from tests.support import people
from tests.support.groups import active_group, offer_group, proposal, propose
from tests.support.pages import counted_statements, in_english, views, words

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def family(name: str = "Hiba Touil", **how: object) -> int:
    """The id of the one request of a new household."""
    household = people.make_household(pupils=[(name, "3AC", ("maths",))], **how)  # type: ignore[arg-type]
    return household.pupils[0].requests[0].id


def pupil_of(app: Flask, request_id: int) -> int:
    with app.app_context():
        return db.session.get_one(TutoringRequest, request_id).pupil_id


def proposed(app: Flask, *names: str) -> tuple[str, list[int], int]:
    """The address of a proposed group of Rania Mounir with these pupils; requests, the tutor."""
    with app.app_context():
        tutor = people.make_tutor(name="Rania Mounir")
        requests = [family(name) for name in names]
        run_id = propose(proposal(tutor, requests))
        group_id = db.session.scalars(
            select(ProposedGroup.id).where(ProposedGroup.run_id == run_id)
        ).one()
    return f"/coordinator/matching/{run_id}/groups/{group_id}", requests, tutor


def after(client: FlaskClient, path: str, **data: object) -> str:
    """What the page says that a post leads to."""
    return words(client.post(path, data=data, follow_redirects=True).text)


def test_place_is_kept_from_the_proposal_and_let_go_again(app: Flask) -> None:
    client = in_english(app)
    address, (hiba, wiam), _tutor = proposed(app, "Hiba Touil", "Wiam Tazi")
    run_page = client.get(address.partition("/groups/")[0]).text
    assert f'href="{address}"' in run_page
    said = after(client, f"{address}/pin", request=hiba)
    assert "1 place is kept from the next matching on." in said
    assert "Kept by Salma Bennis on" in said
    said = after(client, f"{address}/pin")
    assert "2 places are kept from the next matching on." in said
    with app.app_context():
        pins = db.session.scalars(select(Pin).order_by(Pin.request_id)).all()
        assert [pin.request_id for pin in pins] == sorted([hiba, wiam])
        assert {pin.label for pin in pins} == {"1"}
        first = pins[0].id
    listed = words(client.get("/coordinator/matching/choices").text)
    assert (
        "Rania Mounir Monday 18:00, WhatsApp, Darija together with 1 other Salma Bennis" in listed
    )
    proposal_page = words(client.get(address.partition("/groups/")[0]).text)
    assert "Hiba Touil Aïn Kaïcher kept Wiam Tazi Aïn Kaïcher kept" in proposal_page
    assert "2 places kept. The next matching holds to them." in proposal_page
    assert "Check and publish" in proposal_page
    said = after(client, f"/coordinator/matching/choices/pins/{first}/remove", together=1)
    assert "2 places are kept no longer." in said
    assert "There are none." in said


def test_pair_is_ruled_out_from_the_proposal_with_a_reason(app: Flask) -> None:
    client = in_english(app)
    address, (hiba,), tutor = proposed(app, "Hiba Touil")
    answer = client.post(f"{address}/rule-out", data={"request": hiba, "reason": ""})
    assert (answer.status_code, "Say why." in words(answer.text)) == (400, True)
    said = after(client, f"{address}/rule-out", request=hiba, reason="they are neighbours")
    assert "ruled out they are neighbours" in said
    with app.app_context():
        veto = db.session.scalars(select(Veto)).one()
        assert (veto.request_id, veto.tutor_id) == (hiba, tutor)
        assert veto.by is not None
        assert veto.by.name == "Salma Bennis"
    run_page = words(client.get(address.partition("/groups/")[0]).text)
    assert "have changed since this matching" in run_page
    assert "1 pair ruled out. The next matching holds to them." in run_page
    assert "they are neighbours Salma Bennis" in words(
        client.get("/coordinator/matching/choices").text
    )
    after(client, f"/coordinator/matching/choices/vetoes/{veto.id}/remove")
    with app.app_context():
        assert db.session.scalars(select(Veto)).all() == []


def test_run_is_solved_again_as_it_was(app: Flask) -> None:
    client = in_english(app)
    address, _requests, _tutor = proposed(app, "Hiba Touil")
    run_page = address.partition("/groups/")[0]
    answer = client.post(f"{run_page}/again")
    assert answer.status_code == 303
    with app.app_context():
        first, again = db.session.scalars(select(MatchRun).order_by(MatchRun.id)).all()
        assert (again.seconds, again.seed, again.may_move) == (first.seconds, first.seed, None)
    assert "A matching is under way." in after(client, f"{run_page}/again")


def test_what_could_not_be_kept_is_named_with_whose_choice_it_was(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, other = people.make_tutor(name="Rania Mounir"), people.make_tutor()
        kept, beside = family("Hiba Touil"), family("Wiam Tazi")
        from app.services.coordinators import find_coordinator

        coordinator = find_coordinator("coordinator@example.org")
        choices.pin([kept], Place(tutor, [["mon", "18:00"]]), coordinator)
        run_id = propose(
            proposal(other, [kept, beside]),
            impossible_pins=[
                {"request": f"R{kept}", "tutor": f"T{tutor}", "why": "tutor_busy", "with": []}
            ],
        )
    page = words(client.get(f"/coordinator/matching/{run_id}").text)
    assert (
        "These places were to be kept, and could not be: Hiba Touil (Mathematics) with Rania "
        "Mounir: the volunteer has another lesson at that time Kept by Salma Bennis." in page
    )
    with app.app_context():
        assert len(publishing.publish_run(run_id, None)) == 1


def test_pupil_is_added_to_a_group_after_a_page_that_says_what_it_breaks(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        group_id = active_group(people.make_tutor(name="Rania Mounir"), [family()]).id
        late = family("Wiam Tazi", windows=["mon 19:00-20:00"])
    address = f"/coordinator/groups/{group_id}/add"
    assert f'href="{address}"' in client.get(f"/coordinator/groups/{group_id}").text
    assert "Wiam Tazi" in words(client.get(address).text)
    assert "Nobody waits for this." in words(client.get(f"{address}?name=nobody").text)
    page = words(client.get(f"{address}?request={late}").text)
    assert "What this would break" in page
    assert "The family's telephone is not at home then: Monday 18:00." in page
    answer = client.post(address, data={"request": late})
    assert answer.status_code == 409
    assert "Tick each broken rule that you overrule." in words(answer.text)
    said = after(client, address, request=late, overrule="family_hours")
    assert "The place is offered to the volunteer" in said
    assert "Salma Bennis offered a place by hand to Wiam Tazi (1 rule overruled)" in said
    with app.app_context():
        seat = db.session.scalars(select(Membership).where(Membership.request_id == late)).one()
        assert (seat.group_id, seat.run_id) == (group_id, None)
    shown = pupil_of(app, late)
    assert (address, [shown]) in views(app)


def test_what_nobody_can_overrule_leaves_no_button(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        group_id = active_group(people.make_tutor(), [family()]).id
        without = family("Wiam Tazi")
        with transaction():
            pupil_id = db.session.get_one(TutoringRequest, without).pupil_id
            pupil = db.session.get_one(Pupil, pupil_id)
            pupil.consents.append(people.say(ConsentKind.LESSONS, False))
    address = f"/coordinator/groups/{group_id}/add"
    page = client.get(f"{address}?request={without}").text
    assert "The guardian's consent to lessons is missing." in words(page)
    assert "Offer the place" not in page
    answer = client.post(address, data={"request": without, "overrule": "consent"})
    assert answer.status_code == 409
    assert "A rule stands against this that nobody can overrule." in words(answer.text)


def test_pupil_is_taken_out_after_a_page_that_says_what_ends(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        hiba, wiam = family("Hiba Touil"), family("Wiam Tazi")
        group = active_group(people.make_tutor(name="Rania Mounir"), [hiba, wiam])
        seats = [member.id for member in group.members]
    address = f"/coordinator/groups/{group.id}/seats/{seats[0]}/take-out"
    assert f'href="{address}"' in client.get(f"/coordinator/groups/{group.id}").text
    page = words(client.get(address).text)
    assert "Take Hiba Touil out of the group?" in page
    assert "The others stay." in page
    assert client.post(address, data={"reason": ""}).status_code == 400
    said = after(client, address, reason="moved to Fes", rule_out="y")
    assert "Salma Bennis took out Hiba Touil, for good: moved to Fes" in said
    assert client.get(address).status_code == 404
    last = f"/coordinator/groups/{group.id}/seats/{seats[1]}/take-out"
    assert "Nobody is left to be taught then: the group ends" in words(client.get(last).text)
    after(client, last, reason="no more time")
    with app.app_context():
        assert db.session.get_one(Group, group.id).state is GroupState.ENDED
        assert db.session.get_one(TutoringRequest, wiam).state is RequestState.WAITING


def test_new_group_is_made_from_the_page_of_a_request(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, request_id = people.make_tutor(name="Rania Mounir", most=0), family("Hiba Touil")
        run_id = propose()
    run_page = client.get(f"/coordinator/matching/{run_id}").text
    address = f"/coordinator/requests/{request_id}"
    assert f'href="{address}"' in run_page
    page = words(client.get(address).text)
    assert "Hiba Touil , Mathematics 3AC" in page
    assert "Place by hand" in page
    wanted = {
        "tutor": tutor, "channel": "call", "language": "darija", "day1": "mon", "time1": "18:00",
    }  # fmt: skip
    answer = client.get(f"{address}/new-group", query_string=wanted | {"time1": "6 pm"})
    assert answer.status_code == 400
    assert "Give an hour such as 18:30." in words(answer.text)
    answer = client.get(f"{address}/new-group", query_string=wanted | {"tutor": ""})
    assert (answer.status_code, "Choose a volunteer." in words(answer.text)) == (400, True)
    found = words(client.get(f"{address}/new-group", query_string=wanted).text)
    assert "Rania Mounir does not give that many lessons a week." in found
    said = after(client, f"{address}/new-group", **wanted, overrule="too_many")
    assert "From made by hand" in said
    assert "Salma Bennis offered the group by hand, for Hiba Touil (1 rule overruled)" in said
    assert "Sits in a group: Rania Mounir , Monday 18:00" in words(client.get(address).text)


def test_place_is_kept_from_the_page_of_a_request(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, request_id = people.make_tutor(name="Rania Mounir"), family("Hiba Touil")
    address = f"/coordinator/requests/{request_id}"
    said = after(
        client, f"{address}/new-group", tutor=tutor, channel="call", language="darija",
        day1="mon", time1="18:00", keep="1",
    )  # fmt: skip
    assert "Rania Mounir Monday 18:00, Telephone call, Darija" in said or "kept" in said
    with app.app_context():
        pin = db.session.scalars(select(Pin)).one()
        assert (pin.request_id, pin.tutor_id, pin.starts) == (
            request_id, tutor, [["mon", "18:00"]],
        )  # fmt: skip
        assert db.session.scalars(select(Group)).all() == []
    after(client, f"{address}/rule-out", with_tutor=tutor, reason="they are cousins")
    with app.app_context():
        assert db.session.scalars(select(Pin)).all() == []
        assert db.session.scalars(select(Veto.reason)).all() == ["they are cousins"]


def test_pupil_is_kept_in_a_proposed_group(app: Flask) -> None:
    client = in_english(app)
    address, _requests, _tutor = proposed(app, "Hiba Touil")
    with app.app_context():
        wiam = family("Wiam Tazi")
    assert "Wiam Tazi" in words(client.get(f"{address}/add").text)
    assert "This breaks no rule" in words(client.get(f"{address}/add?request={wiam}").text)
    said = after(client, f"{address}/add", request=wiam)
    assert "The place is kept. Solve again to see the proposal with it." in said
    assert "Solve again keeping these" in said
    with app.app_context():
        assert db.session.scalars(select(Pin.request_id)).all() == [wiam]


def test_times_are_set_after_a_page_that_says_what_they_break(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor = people.make_tutor(name="Rania Mounir", windows=None)
        group_id = active_group(tutor, [family()], starts=[None], channel="call").id
    address = f"/coordinator/groups/{group_id}/times"
    assert f'href="{address}"' in client.get(f"/coordinator/groups/{group_id}").text
    assert "Set the weekly times" in words(client.get(address).text)
    answer = client.get(f"{address}?day1=mon&time1=")
    assert (answer.status_code, "Give an hour such as 18:30." in words(answer.text)) == (400, True)
    page = words(client.get(f"{address}?day1=tue&time1=18:00").text)
    assert "The family's telephone is not at home then: Tuesday 18:00." in page
    said = after(client, address, day1="mon", time1="18:30")
    assert "Salma Bennis set the weekly times: Monday 18:30" in said
    with app.app_context():
        assert db.session.get_one(Group, group_id).starts == [["mon", "18:30"]]
    assert client.get(f"{address}?day1=mon&time1=18:00").status_code == 409


def test_proposal_says_first_what_it_changes(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        tutor, other = people.make_tutor(name="Rania Mounir"), people.make_tutor(name="Nora Alami")
        kept, joins, fresh = family("Hiba Touil"), family("Wiam Tazi"), family("Aya Salhi")
        family("Badr Ziani", zone="Bni Smir")
        active_group(tutor, [kept])
        first = propose(proposal(tutor, [kept, joins]))
        run_id = propose(proposal(tutor, [kept, joins]), proposal(other, [fresh]))
    page = words(client.get(f"/coordinator/matching/{run_id}").text)
    assert (
        "Compared with what is in force 2 new pupils served, 0 families moved, 0 lose their place "
        "1 new group, 1 group joined, 0 groups end" in page
    )
    assert "Aïn Kaïcher 1 3 of 3" in page
    assert "Bni Smir 0 0 of 1" in page
    named = words(client.get(f"/coordinator/matching/{run_id}/compare").text)
    assert "Aya Salhi , Mathematics 3AC no place Nora Alami, Monday 18:00, WhatsApp" in named
    assert "Aïn Kaïcher 3 1 3" in named
    against = words(client.get(f"/coordinator/matching/{run_id}/compare?with={first}").text)
    assert "1 new pupil served, 0 families moved, 0 lose their place" in against
    assert "Wiam Tazi , Mathematics" not in against
    back = words(client.get(f"/coordinator/matching/{first}/compare?with={run_id}").text)
    assert "0 new pupils served, 0 families moved, 1 loses a place" in back
    answer = client.get(f"/coordinator/matching/{run_id}/compare?with={run_id}")
    assert answer.status_code == 400


def test_published_proposal_says_what_it_changed(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        request_id = family()
        run_id = offer_group(people.make_tutor(), [request_id]).run_id
    page = words(client.get(f"/coordinator/matching/{run_id}").text)
    assert "Compared with what was in force before 1 new pupil served, 0 families moved" in page


def test_story_of_a_group_names_every_act_and_who_did_it(app: Flask) -> None:
    client = in_english(app)
    address, (hiba, _wiam), tutor = proposed(app, "Hiba Touil", "Wiam Tazi")
    run_page = address.partition("/groups/")[0]
    client.post(f"{address}/pin", data={"request": hiba})
    client.post(f"{run_page}/publish")
    with app.app_context():
        group = db.session.scalars(select(Group)).one()
        groups.accept_group(group.id, tutor_id=tutor)
        seat = next(member.id for member in group.members if member.request_id == hiba)
        lesson_day = group.id
    client.post(f"/coordinator/groups/{lesson_day}/seats/{seat}/take-out", data={"reason": "ill"})
    client.post(f"/coordinator/groups/{lesson_day}/add", data={"request": hiba})
    client.post(f"/coordinator/groups/{lesson_day}/decline", data={"reason": "too many"})
    client.post(f"/coordinator/groups/{lesson_day}/end", data={"why": "the term is over"})
    page = words(client.get(f"/coordinator/groups/{lesson_day}").text)
    told = page[page.index("What happened so far") :]
    acts = [
        "Salma Bennis kept the place of Hiba Touil for the next matching",
        "Salma Bennis offered it with matching",
        "Rania Mounir said yes (2 pupils)",
        "Salma Bennis took out Hiba Touil: ill",
        "Salma Bennis offered a place by hand to Hiba Touil",
        "Salma Bennis recorded the volunteer's no (1 pupil)",
        "Salma Bennis ended the group: the term is over",
    ]
    places = [told.index(act) for act in acts]
    assert places == sorted(places)


def test_undone_publication_stands_in_the_story(app: Flask) -> None:
    client = in_english(app)
    address, _requests, tutor = proposed(app, "Hiba Touil")
    run_page = address.partition("/groups/")[0]
    client.post(f"{run_page}/publish")
    with app.app_context():
        group_id = db.session.scalars(select(Group.id)).one()
        groups.accept_group(group_id, tutor_id=tutor)
    assert "Take the publication back" in client.get(run_page).text
    client.post(f"{run_page}/take-back")
    page = words(client.get(f"/coordinator/groups/{group_id}").text)
    assert "Salma Bennis took the offer back, with matching" in page


def test_lists_ask_the_database_as_often_for_many_as_for_few(app: Flask) -> None:
    client = in_english(app)
    asked = []
    for number in (1, 6):
        with app.app_context():
            tutor = people.make_tutor()
            for _ in range(number):
                pinned, ruled_out = family(), family()
                choices.pin([pinned], Place(tutor, [["mon", "18:00"]], "call", "darija"), None)
                choices.rule_out(ruled_out, tutor, "no", None)
            run_id = propose(proposal(people.make_tutor(), [family() for _ in range(number)]))
            group_id = db.session.scalars(
                select(ProposedGroup.id).where(ProposedGroup.run_id == run_id)
            ).one()
        run_page = f"/coordinator/matching/{run_id}"
        for path in (
            "/coordinator/matching/choices",
            run_page,
            f"{run_page}/compare",
            f"{run_page}/groups/{group_id}",
            f"{run_page}/groups/{group_id}/add",
        ):
            with counted_statements(app) as statements:
                assert client.get(path).status_code == 200
            asked.append(len(statements))
    assert asked[:5] == asked[5:]


def test_seat_by_hand_waits_since_it_was_given(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        group = active_group(people.make_tutor(), [family()])
        by_hand.place_in_group(group.id, family("Wiam Tazi"), [], None)
    page = words(client.get("/coordinator/groups?state=offered").text)
    assert "Wiam Tazi joins" in page
    assert "since today" in page


def test_long_proposal_is_shown_in_pages(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.coordinator.runs.TUTORS_SHOWN", 2)
    monkeypatch.setattr("app.web.coordinator.runs.WAITING_SHOWN", 2)
    client = in_english(app)
    with app.app_context():
        tutors = [people.make_tutor(name=f"Tutor {letter}") for letter in "ABC"]
        run_id = propose(*(proposal(tutor, [family()]) for tutor in tutors))
        for letter in "DEF":
            family(f"Pupil {letter}")
        late = propose()
    first = words(client.get(f"/coordinator/matching/{run_id}").text)
    second = words(client.get(f"/coordinator/matching/{run_id}?page=2").text)
    assert ("Tutor B" in first, "Tutor C" in first) == (True, False)
    assert ("Tutor B" in second, "Tutor C" in second) == (False, True)
    page = words(client.get(f"/coordinator/matching/{late}").text)
    assert "All 6 requests that are left waiting" in page
    assert "Pupil F" not in page
    rest = words(client.get(f"/coordinator/matching/{late}/waiting?page=3").text)
    assert "Pupil F" in rest
    assert "Page 3 of 3" in rest
