"""Families, children, requests and consents by hand: rules, locks, and what ends with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Consent,
    ConsentKind,
    ConsentMeans,
    Coordinator,
    FamilyLink,
    Group,
    GroupState,
    Guardian,
    Household,
    Lesson,
    LessonState,
    ListKind,
    Membership,
    Note,
    Pupil,
    Reminder,
    RequestOrigin,
    RequestState,
    TutoringRequest,
    Zone,
)
from app.services import (
    by_hand,
    family_links,
    households,
    notes,
    pupils,
    requests,
    statements,
)
from app.services.choices import Place
from app.services.consent import CONSENT_TEXT_VERSION
from app.services.errors import Conflict, Invalid, NotFound
from app.services.examining import Rule
from app.services.family_changes import SeatsWouldEnd
from app.services.households import FamilyDetails, PhoneTaken
from app.services.imports import apply_import
from app.services.pupils import PupilDetails
from app.services.scope import EVERYWHERE, Scope
from app.services.statements import Statement
from scheduler import clock
from tests.support.groups import active_group, offer_group
from tests.support.lists import HIBA, make_list
from tests.support.people import (
    level,
    make_coordinator,
    make_household,
    make_programme,
    make_tutor,
    subject,
)


@pytest.fixture
def by(app: Flask) -> Iterator[Coordinator]:
    """The coordinator who acts, in a programme with a known zone."""
    with app.app_context():
        make_programme()
        yield make_coordinator()


def zone_id(name: str = "Aïn Kaïcher") -> int:
    found = db.session.scalar(select(Zone.id).where(Zone.name == name))
    if found is None:
        found = make_household(zone=name).zone_id
    return found


def details(**changes: object) -> FamilyDetails:
    known = {
        "guardian": "Salma Rami",
        "phone": "06 12 34 56 78",
        "email": "",
        "zone_id": zone_id(),
        "languages": frozenset(("darija",)),
        "channels": frozenset(("call", "whatsapp")),
        "message_language": "ary",
        "reach_by_call": True,
        "windows": ((0, 1080, 1200),),
    }
    return FamilyDetails(**(known | changes))  # type: ignore[arg-type]


def child(**changes: object) -> PupilDetails:
    known = {
        "first_name": "Sara",
        "last_name": "Rami",
        "ref": "",
        "level_id": level("3AC").id,
        "needs": frozenset(),
    }
    return PupilDetails(**(known | changes))  # type: ignore[arg-type]


def said(kind: ConsentKind, given: bool, **changes: object) -> Statement:
    known = {
        "kind": kind,
        "given": given,
        "guardian": "Salma Rami",
        "means": ConsentMeans.ON_PAPER,
        "said_on": statements.today() - timedelta(days=2),
    }
    return Statement(**(known | changes))  # type: ignore[arg-type]


def test_family_and_its_children_are_added_as_a_list_would(by: Coordinator) -> None:
    household = households.add_household(details(email="Salma@Example.org "), by, EVERYWHERE)
    assert (household.phone, household.email) == ("+212612345678", "salma@example.org")
    assert households.details_of(household) == details(
        phone="+212612345678", email="salma@example.org"
    )
    pupil = pupils.add_pupil(
        household.id,
        child(first_name=" Sara\u200f ", needs=frozenset(("woman",))),
        {subject("maths").id: 2, subject("french").id: 1},
        [said(ConsentKind.LESSONS, True), said(ConsentKind.GROUP_LESSONS, False)],
        by,
    )
    assert (pupil.name, [need.tag for need in pupil.needs]) == ("Sara Rami", ["woman"])
    assert [
        (row.subject.code, row.level.code, row.lessons_per_week, row.state, row.origin)
        for row in pupil.requests
    ] == [
        ("maths", "3AC", 2, RequestState.WAITING, RequestOrigin.STAFF),
        ("french", "3AC", 1, RequestState.WAITING, RequestOrigin.STAFF),
    ]
    assert [
        (row.kind, row.given, row.guardian_name, row.means, row.text_version, row.declared_by_id)
        for row in pupil.consents
    ] == [
        (kind, given, "Salma Rami", ConsentMeans.ON_PAPER, CONSENT_TEXT_VERSION, by.id)
        for kind, given in ((ConsentKind.LESSONS, True), (ConsentKind.GROUP_LESSONS, False))
    ]
    assert {row.said_on for row in pupil.consents} == {statements.today() - timedelta(days=2)}
    acts = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == f"household:{household.id}")
    ).all()
    assert acts == ["add_family", "add_pupil"]


def test_known_number_leads_to_its_family_in_ones_own_zones_alone(by: Coordinator) -> None:
    here = make_household(zone="Aïn Kaïcher")
    there = make_household(zone="Boujniba")
    own = Scope(frozenset((here.zone_id,)))
    with pytest.raises(PhoneTaken) as known:
        households.add_household(details(phone=here.phone), by, own)
    assert known.value.household is not None
    assert known.value.household.id == here.id
    with pytest.raises(PhoneTaken) as hidden:
        households.add_household(details(phone=there.phone), by, own)
    assert hidden.value.household is None
    assert db.session.scalars(select(Household.id)).all() == [here.id, there.id]


@pytest.mark.parametrize(
    "wrong",
    [
        {"guardian": "12"},
        {"guardian": "a" * 161},
        {"phone": "0612"},
        {"email": "salma"},
        {"zone_id": 999},
        {"languages": frozenset()},
        {"channels": frozenset(("call", "whatsapp_one"))},
        {"channels": frozenset(("pigeon",))},
        {"message_language": "en"},
    ],
)
def test_family_is_refused_where_a_list_would_be(by: Coordinator, wrong: dict[str, object]) -> None:
    zone_id()
    before = db.session.scalars(select(Household.id)).all()
    with pytest.raises(Invalid):
        households.add_household(details(**wrong), by, EVERYWHERE)
    assert db.session.scalars(select(Household.id)).all() == before


def test_coordinator_adds_and_moves_families_within_their_own_zones(by: Coordinator) -> None:
    here = make_household(zone="Aïn Kaïcher")
    there = zone_id("Boujniba")
    own = Scope(frozenset((here.zone_id,)))
    with pytest.raises(Invalid):
        households.add_household(details(zone_id=there), by, own)
    with pytest.raises(Invalid):
        households.change_household(here.id, details(zone_id=there), by, own)
    assert [zone.id for zone in households.zones_to_choose(own)] == [here.zone_id]


def test_new_number_ends_the_familys_link(by: Coordinator) -> None:
    household = make_household()
    _household, token = family_links.make_link(household.id, by)
    known = households.details_of(household)
    same = households.change_household(household.id, known, by, EVERYWHERE)
    assert same == frozenset()
    assert family_links.open_link(token).id == household.id
    changed = households.change_household(household.id, details(windows=None), by, EVERYWHERE)
    assert {"phone", "guardian", "windows", "message_language"} <= changed
    with pytest.raises(NotFound):
        family_links.open_link(token)
    assert db.session.scalars(select(FamilyLink.revoked_at)).one() is not None
    assert (household.times_to_agree, household.windows) == (True, [])


def test_two_children_of_one_name_need_numbers_of_their_own(by: Coordinator) -> None:
    household = households.add_household(details(), by, EVERYWHERE)
    wanted = {subject("maths").id: 1}
    pupils.add_pupil(household.id, child(ref="P1"), wanted, [], by)
    with pytest.raises(Conflict):
        pupils.add_pupil(household.id, child(first_name="SARA"), wanted, [], by)
    with pytest.raises(Conflict):
        pupils.add_pupil(household.id, child(ref="P1"), wanted, [], by)
    pupils.add_pupil(household.id, child(ref="P2"), wanted, [], by)
    with pytest.raises(Invalid):
        pupils.add_pupil(household.id, child(first_name="Adam"), {}, [], by)
    refs = db.session.scalars(
        select(Pupil.ref).where(Pupil.household_id == household.id).order_by(Pupil.id)
    )
    assert refs.all() == ["P1", "P2"]


Change = Callable[[Pupil, Coordinator, set[int]], object]


def _new_level(pupil: Pupil, by: Coordinator, agreed: set[int]) -> object:
    known = pupils.details_of(pupil)
    moved = child(first_name=known.first_name, last_name=known.last_name, level_id=level("TC").id)
    return pupils.change_pupil(pupil.id, moved, by, agreed)


def _withdrawal(pupil: Pupil, by: Coordinator, agreed: set[int]) -> object:
    return statements.record_statements(pupil.id, [said(ConsentKind.LESSONS, False)], by, agreed)


def _no_to_groups(pupil: Pupil, by: Coordinator, agreed: set[int]) -> object:
    return statements.record_statements(
        pupil.id, [said(ConsentKind.GROUP_LESSONS, False)], by, agreed
    )


def _end(pupil: Pupil, by: Coordinator, agreed: set[int]) -> object:
    return requests.end_request(pupil.requests[0].id, "moved away", by, agreed)


def _more_lessons(pupil: Pupil, by: Coordinator, agreed: set[int]) -> object:
    return requests.change_lessons(pupil.requests[0].id, 2, by, agreed)


def _sibling_who_keeps_out(pupil: Pupil, by: Coordinator, agreed: set[int]) -> object:
    alone = [said(ConsentKind.LESSONS, True), said(ConsentKind.GROUP_LESSONS, False)]
    wanted = {subject("french").id: 1}
    return pupils.add_pupil(pupil.household_id, child(), wanted, alone, by, agreed)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (_new_level, RequestState.WAITING),
        (_withdrawal, RequestState.WAITING),
        (_no_to_groups, RequestState.WAITING),
        (_end, RequestState.ENDED),
        (_more_lessons, RequestState.WAITING),
        (_sibling_who_keeps_out, RequestState.WAITING),
    ],
)
def test_change_that_ends_a_place_is_said_first_and_then_done_whole(
    by: Coordinator, change: Change, after: RequestState
) -> None:
    household = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
    pupil = household.pupils[0]
    group = active_group(make_tutor(), [pupil.requests[0].id])
    lessons = db.session.scalars(select(Lesson.id)).all()
    assert lessons
    statements_before = db.session.scalars(select(Consent.id)).all()

    with pytest.raises(SeatsWouldEnd) as would:
        change(pupil, by, set())
    assert [seat.group_id for seat in would.value.seats] == [group.id]
    assert would.value.ending == {group.id}
    db.session.rollback()
    assert db.session.scalars(select(Lesson.id)).all() == lessons
    assert db.session.scalars(select(Consent.id)).all() == statements_before
    assert pupil.requests[0].state is RequestState.SERVED
    assert pupil.level.code == "3AC"

    change(pupil, by, set(would.value.seat_ids))
    db.session.rollback()
    assert db.session.scalars(select(Membership.ended_at)).one() is not None
    assert pupil.requests[0].state is after
    assert db.session.scalars(select(Group.state)).one() is GroupState.ENDED
    assert set(db.session.scalars(select(Lesson.state))) == {LessonState.CANCELLED}
    assert (
        db.session.scalars(select(Reminder.id).where(Reminder.cancelled_at.is_(None))).all() == []
    )
    ended = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "end_seats")).one()
    assert (ended.subject, ended.coordinator_id) == (f"group:{group.id}", by.id)
    assert ended.pupil_ids == [pupil.id]


def test_agreement_to_one_end_is_none_to_another(by: Coordinator) -> None:
    household = make_household(pupils=[("Hiba Touil", "3AC", ("maths", "french"))])
    maths, french = household.pupils[0].requests
    tutor_id = make_tutor(
        teaches=[("maths", "3AC"), ("french", "3AC")], windows=("mon 17:00-21:00",)
    )
    active_group(tutor_id, [maths.id])
    with pytest.raises(SeatsWouldEnd) as would:
        _withdrawal(household.pupils[0], by, set())
    seen = set(would.value.seat_ids)
    offer_group(tutor_id, [french.id], starts=(("mon", "19:00"),))
    with pytest.raises(SeatsWouldEnd) as more:
        _withdrawal(household.pupils[0], by, seen)
    assert set(more.value.seat_ids) > seen


def test_place_of_another_number_of_lessons_stays_until_yet_another_is_asked_for(
    by: Coordinator,
) -> None:
    pupil = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))]).pupils[0]
    request = requests.change_lessons(pupil.requests[0].id, 2, by)
    place = Place(make_tutor(), [["mon", "18:00"]], "call", "darija")
    by_hand.make_group(request.id, place, [Rule.LESSONS], by)
    named = pupils.change_pupil(pupil.id, child(first_name="Aya", last_name="Touil"), by)
    assert named == {"first_name"}
    assert requests.change_lessons(request.id, 2, by).lessons_per_week == 2
    with pytest.raises(SeatsWouldEnd):
        requests.change_lessons(request.id, 3, by)
    assert requests.change_lessons(request.id, 1, by).lessons_per_week == 1


def test_group_goes_on_without_the_one_who_leaves(by: Coordinator) -> None:
    leaving = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
    staying = make_household(pupils=[("Adam Zahra", "3AC", ("maths",))])
    ids = [leaving.pupils[0].requests[0].id, staying.pupils[0].requests[0].id]
    group = active_group(make_tutor(), ids)
    with pytest.raises(SeatsWouldEnd) as would:
        _end(leaving.pupils[0], by, set())
    assert would.value.ending == frozenset()
    _end(leaving.pupils[0], by, set(would.value.seat_ids))
    assert db.session.get_one(Group, group.id).state is GroupState.ACTIVE
    assert staying.pupils[0].requests[0].state is RequestState.SERVED
    lessons = set(db.session.scalars(select(Lesson.state)))
    assert lessons == {LessonState.PLANNED}


def test_ended_request_keeps_its_reason_and_can_be_asked_again_at_the_new_level(
    by: Coordinator,
) -> None:
    pupil = make_household().pupils[0]
    request = requests.end_request(pupil.requests[0].id, " moved away ", by)
    assert (request.state, request.end_reason) == (RequestState.ENDED, "moved away")
    assert request.ended_at is not None
    with pytest.raises(Conflict):
        requests.end_request(request.id, "again", by)
    with pytest.raises(Conflict):
        requests.change_lessons(request.id, 2, by)
    _new_level(pupil, by, set())
    assert request.level.code == "3AC"
    requests.ask_again(request.id, by)
    assert (request.state, request.level.code) == (RequestState.WAITING, "TC")
    assert request.end_reason is None
    assert db.session.scalars(select(TutoringRequest.ended_at)).all() == [None]
    with pytest.raises(Conflict):
        requests.ask_again(request.id, by)
    with pytest.raises(Conflict):
        requests.add_request(pupil.id, request.subject_id, 1, by)
    requests.end_request(request.id, "moved away", by)
    again = requests.add_request(pupil.id, request.subject_id, 3, by)
    assert (again.id, again.state, again.lessons_per_week) == (
        request.id,
        RequestState.WAITING,
        3,
    )
    more = requests.add_request(pupil.id, subject("french").id, 1, by)
    assert (more.level.code, more.state) == ("TC", RequestState.WAITING)


@pytest.mark.parametrize("number", [0, 8, -1])
def test_lessons_a_week_are_one_to_seven(by: Coordinator, number: int) -> None:
    request = make_household().pupils[0].requests[0]
    with pytest.raises(Invalid):
        requests.change_lessons(request.id, number, by)
    assert db.session.get_one(TutoringRequest, request.id).lessons_per_week == 1


def test_consent_is_what_somebody_said_and_never_tomorrow(by: Coordinator) -> None:
    pupil = make_household(consent=None, group_consent=None).pupils[0]
    tomorrow = statements.today() + timedelta(days=1)
    for wrong in (
        said(ConsentKind.LESSONS, True, said_on=tomorrow),
        said(ConsentKind.LESSONS, True, means=ConsentMeans.ON_FAMILY_PAGE),
        said(ConsentKind.LESSONS, True, guardian="  "),
    ):
        with pytest.raises(Invalid):
            statements.record_statements(pupil.id, [wrong], by)
    with pytest.raises(Invalid):
        statements.record_statements(pupil.id, [], by)
    assert db.session.scalars(select(Consent.id)).all() == []
    statements.record_statements(
        pupil.id, [said(ConsentKind.LESSONS, True, said_on=date(2026, 11, 1))], by
    )
    assert [(row.given, row.said_on) for row in pupil.consents] == [(True, date(2026, 11, 1))]


def asking(*, consent: bool | None = True, zone: str = "Aïn Kaïcher") -> Household:
    """A family that asked for two subjects itself."""
    household = make_household(
        pupils=[("Rim Idrissi", "1AC", ("maths", "french"))], consent=consent, zone=zone
    )
    for request in household.pupils[0].requests:
        request.state = RequestState.TO_CONFIRM
        request.origin = RequestOrigin.FAMILY
    db.session.commit()
    return household


def test_requests_of_a_family_wait_once_a_coordinator_confirms_them(by: Coordinator) -> None:
    household = asking()
    first, second = household.pupils[0].requests
    assert [row.id for row in requests.confirm_requests(household.id, by, {first.id})] == [first.id]
    assert (first.state, first.confirmed_by_id) == (RequestState.WAITING, by.id)
    assert first.confirmed_at is not None
    assert second.state is RequestState.TO_CONFIRM
    assert requests.confirm_requests(household.id, by) == [second]
    assert {row.state for row in household.pupils[0].requests} == {RequestState.WAITING}
    with pytest.raises(Conflict):
        requests.confirm_requests(household.id, by)


@pytest.mark.parametrize("consent", [None, False])
def test_nothing_is_confirmed_without_consent_in_force(
    by: Coordinator, consent: bool | None
) -> None:
    household = asking(consent=consent)
    with pytest.raises(Conflict, match="Rim Idrissi"):
        requests.confirm_requests(household.id, by)
    assert {row.state for row in household.pupils[0].requests} == {RequestState.TO_CONFIRM}


def test_zone_that_a_family_named_is_listed_before_its_requests_are_confirmed(
    by: Coordinator,
) -> None:
    household = asking(zone="Tizi")
    household.zone.listed = False
    db.session.commit()
    with pytest.raises(Conflict):
        requests.confirm_requests(household.id, by)
    assert household.zone_id not in [zone.id for zone in households.zones_to_choose(EVERYWHERE)]
    households.list_zone(household.zone_id, by)
    assert len(requests.confirm_requests(household.id, by)) == 2


def test_requests_to_confirm_are_those_of_ones_own_zones(by: Coordinator) -> None:
    later_here, there = asking(), asking(zone="Boujniba")
    families, page = requests.requests_to_confirm(EVERYWHERE, 1)
    assert [family.household.id for family in families] == [later_here.id, there.id]
    assert page.total == 2
    own = Scope(frozenset((there.zone_id,)))
    families, _page = requests.requests_to_confirm(own, 1)
    assert [family.household.id for family in families] == [there.id]
    assert [len(asked) for _pupil, asked in families[0].asked] == [2]


def test_only_who_wrote_a_note_removes_it(by: Coordinator) -> None:
    household = make_household()
    note = notes.add_note(household.id, " Call after four. ", by)
    assert note.text == "Call after four."
    with pytest.raises(Conflict):
        notes.remove_note(household.id, note.id, make_coordinator("other@example.org"))
    with pytest.raises(NotFound):
        notes.remove_note(household.id + 1, note.id, by)
    notes.remove_note(household.id, note.id, by)
    assert db.session.scalars(select(Note.id)).all() == []
    for wrong in ("  ", "a" * 2001):
        with pytest.raises(Invalid):
            notes.add_note(household.id, wrong, by)


def test_messages_are_stopped_and_sent_again_as_the_family_tells_a_coordinator(
    by: Coordinator,
) -> None:
    household = make_household()
    households.set_messages(household.id, by, wanted=False)
    stopped = household.messages_stopped_at
    assert stopped is not None
    households.set_messages(household.id, by, wanted=False)
    assert household.messages_stopped_at == stopped
    households.set_messages(household.id, by, wanted=True)
    assert household.messages_stopped_at is None


def test_two_coordinators_give_a_number_to_one_family_only(app: Flask, by: Coordinator) -> None:
    wanted, coordinator_id = details(), by.id
    refused: list[Conflict] = []

    def add_too() -> None:
        with app.app_context():
            other = db.session.get_one(Coordinator, coordinator_id)
            try:
                households.add_household(wanted, other, EVERYWHERE)
            except Conflict as conflict:
                refused.append(conflict)

    with transaction():
        db.session.add(
            Household(
                phone="+212612345678",
                zone_id=wanted.zone_id,
                created_at=clock.now(),
                guardian=Guardian(name="Salma Rami"),
            )
        )
        db.session.flush()
        slower = Thread(target=add_too)
        slower.start()
        slower.join(timeout=0.3)
        assert slower.is_alive(), "who comes second waits for who was first"
    slower.join(timeout=10)
    assert len(refused) == 1
    found = db.session.scalars(select(Household).where(Household.phone == "+212612345678"))
    assert len(found.all()) == 1


def test_list_tells_the_day_on_which_it_ended_a_request(by: Coordinator) -> None:
    apply_import(ListKind.PUPILS, make_list(HIBA), by)
    apply_import(ListKind.PUPILS, make_list({**HIBA, "matieres": "Français"}), by)
    ended = db.session.scalars(
        select(TutoringRequest).where(TutoringRequest.state == RequestState.ENDED)
    ).one()
    assert ended.ended_at is not None
    apply_import(ListKind.PUPILS, make_list(HIBA), by)
    assert set(db.session.scalars(select(TutoringRequest.ended_at))) == {None}
