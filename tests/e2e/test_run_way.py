"""The way from a proposal to its correction: keep, rule out, place by hand, publish, take back."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Group, GroupState, MatchRun, Pin, ProposedGroup, Veto
from app.services import publishing, runs
from tests.support import people
from tests.support.groups import proposal, propose
from tests.support.pages import signed_in
from tests.support.ways import Visit, Visitor, Way, every_way

TUTOR, HIBA, WIAM, AYA = "Rania Mounir", "Hiba Touil", "Wiam Tazi", "Aya Salhi"


def family(name: str, windows: tuple[str, ...] = people.EVENING) -> int:
    household = people.make_household(pupils=[(name, "3AC", ("maths",))], windows=windows)
    return household.pupils[0].requests[0].id


def proposed_group(app: Flask) -> tuple[int, int]:
    """A run that proposes Hiba and Wiam for one volunteer, and leaves Aya waiting."""
    with app.app_context():
        tutor = people.make_tutor(name=TUTOR)
        placed = [family(HIBA), family(WIAM)]
        family(AYA, ("mon 19:00-20:00",))
        run_id = propose(proposal(tutor, placed))
        group_id = db.session.scalars(
            select(ProposedGroup.id).where(ProposedGroup.run_id == run_id)
        ).one()
        return run_id, group_id


@every_way
def test_coordinator_corrects_a_run_publishes_it_and_takes_it_back(
    way: Way, app: Flask, visit: Visit
) -> None:
    client = signed_in(app)
    run_id, group_id = proposed_group(app)
    page = visit(f"/coordinator/matching/{run_id}", signed_in=client)
    page.sees(page.says("Compared with what is in force"))
    page.look("proposal")
    page.follow("Name by name")
    page.look("compared")

    page.open(f"/coordinator/matching/{run_id}/groups/{group_id}")
    page.press("Keep the whole group")
    page.sees(page.says("None of this group"))
    page.look("kept")
    page.follow("Add a pupil")
    page.look("who-waits")
    page.page.get_by_role("link", name=AYA).click()
    page.sees(page.says("What this would break"))
    page.look("what-it-breaks")
    page.page.get_by_role("checkbox").check()
    page.press("Keep this place")
    page.sees(page.says("Solve again keeping these"))
    page.look("proposal-with-choices")
    with app.app_context():
        assert len(db.session.scalars(select(Pin)).all()) == 3
    rule_out(page, run_id, group_id)
    with app.app_context():
        assert db.session.scalars(select(Veto)).one().request.pupil.name == WIAM
    page.open("/coordinator/matching/choices")
    page.look("choices")
    page.press("Solve again keeping these")
    page.sees(page.says("Cancel"))
    with app.app_context():
        again = db.session.scalars(select(MatchRun.id).order_by(MatchRun.id.desc())).first() or 0
        assert len(runs.read_problem(again)["pins"]) == 2
        runs.cancel_run(again, None)
        placed = [pin.request_id for pin in db.session.scalars(select(Pin))]
        tutor_id = db.session.scalars(select(Pin.tutor_id)).first() or 0
        ready = propose(proposal(tutor_id, placed))
    publish_and_take_back(page, app, ready)


def rule_out(page: Visitor, run_id: int, group_id: int) -> None:
    page.open(f"/coordinator/matching/{run_id}/groups/{group_id}")
    card = page.page.locator("section.card").filter(has_text=WIAM)
    card.locator("summary").click()
    card.get_by_role("textbox").fill("they are neighbours")
    card.get_by_role("button", name=page.says("Rule them out together")).click()
    page.sees("they are neighbours")
    page.look("ruled-out")


def publish_and_take_back(page: Visitor, app: Flask, run_id: int) -> None:
    page.open(f"/coordinator/matching/{run_id}")
    page.follow("Check and publish")
    page.press("Publish")
    page.follow("Look at the groups")
    with app.app_context():
        group = db.session.scalars(select(Group)).one()
        group_id, seat_id = group.id, group.members[0].id
    page.open(f"/coordinator/groups/{group_id}")
    page.look("group")
    page.press("Record the yes")
    page.open(f"/coordinator/groups/{group_id}/seats/{seat_id}/take-out")
    page.look("take-out")
    page.open(f"/coordinator/matching/{run_id}/take-back")
    page.look("take-back")
    page.press("Take it back")
    page.sees(page.says("The publication is taken back. Nothing is offered from it any more."))
    with app.app_context():
        assert db.session.get_one(Group, group_id).state is GroupState.ENDED
        assert not publishing.can_be_undone(runs.get_run(run_id))


@every_way
def test_coordinator_makes_a_group_by_hand_and_agrees_its_time(
    way: Way, app: Flask, visit: Visit
) -> None:
    client = signed_in(app)
    with app.app_context():
        tutor = people.make_tutor(name=TUTOR, windows=None)
        request_id = family(HIBA)
    page = visit(f"/coordinator/requests/{request_id}", signed_in=client)
    page.look("request")
    page.choose("Volunteer", str(tutor))
    page.press("Look what it breaks")
    page.look("breaks-nothing")
    page.press("Offer the place")
    page.press("Record the yes")
    page.follow("Set the weekly times")
    page.look("times")
    page.page.locator("input[type=time]").fill("18:00")
    page.press("Look what it breaks")
    page.press("Set these times")
    page.sees("18:00")
    page.look("group-with-times")
    with app.app_context():
        assert db.session.scalars(select(Group.starts)).one() == [["mon", "18:00"]]
