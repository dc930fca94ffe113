"""The desk: what waits for a decision, in its order, for whom it concerns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    CallRequest,
    Group,
    Household,
    Lesson,
    LessonState,
    MatchRun,
    Message,
    MessageKind,
    MessageState,
    RequestState,
    RunState,
    Tutor,
    TutoringRequest,
    TutorState,
    Veto,
    Zone,
)
from app.services import by_hand, groups, worries
from app.services.call_requests import mark_called
from app.services.desk import Decisions, desk_figures, read_decisions
from app.services.errors import NotFound
from app.services.publishing import publish_run
from app.services.reach import WhyUnreached
from app.services.scope import EVERYWHERE, Scope
from app.services.vetting import expires_on
from scheduler import clock
from tests.support.groups import active_group, offer_group, proposal, propose
from tests.support.pages import counted_statements, in_english, views, words
from tests.support.people import (
    make_coordinator,
    make_household,
    make_programme,
    make_tutor,
    sign_in,
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def family(name: str = "Hiba Touil", zone: str = "Aïn Kaïcher") -> Household:
    return make_household(pupils=[(name, "3AC", ("maths",))], zone=zone)


def request_of(household: Household) -> int:
    return household.pupils[0].requests[0].id


def scope_of_zone(name: str) -> Scope:
    zone = db.session.scalars(select(Zone).where(Zone.name == name)).one()
    return Scope(frozenset({zone.id}))


def decide(scope: Scope = EVERYWHERE) -> Decisions:
    return read_decisions(scope)


def ask_for_call(household: Household, ago: timedelta = timedelta()) -> CallRequest:
    with transaction():
        call = CallRequest(household_id=household.id, asked_at=clock.now() - ago)
        db.session.add(call)
    return call


def send(household: Household, state: MessageState, ago: timedelta) -> None:
    """A message to a family that got so far."""
    at = clock.now() - ago
    with transaction():
        db.session.add(
            Message(
                household_id=household.id,
                kind=MessageKind.LESSON_24H,
                state=state,
                due_at=at,
                next_try_at=at,
                expires_at=at,
                created_at=at,
                handed_at=None if state is MessageState.EXPIRED else at,
                ended_at=at,
            )
        )


def set_lesson(group: Group, state: LessonState, ago: timedelta) -> int:
    """A past lesson of a group; its id."""
    model = db.session.scalars(select(Lesson).where(Lesson.group_id == group.id)).first()
    assert model is not None
    with transaction():
        starts = clock.now() - ago
        lesson = Lesson(
            group_id=group.id,
            wall_start=clock.to_wall(starts, model.zone),
            starts_at=starts,
            zone=model.zone,
            tz_version=model.tz_version,
            minutes=60,
            state=state,
        )
        db.session.add(lesson)
    return lesson.id


def give_way_out(app: Flask) -> None:
    """An installation that writes to families by e-mail, and nothing else."""
    config = app.config["N9RAW"]
    app.config["N9RAW"] = dataclasses.replace(
        config, smtp_url="smtp://127.0.0.1:2525", mail_from="N9raw <n9raw@example.org>"
    )


def test_nothing_waits_in_an_empty_programme(app: Flask) -> None:
    with app.app_context():
        make_programme()
        assert decide().is_empty
        assert decide().pupil_ids(EVERYWHERE) == set()


def test_worries_come_first_the_oldest_on_top(app: Flask, time: time_machine.Traveller) -> None:
    with app.app_context():
        make_programme()
        first, second = family(), family(zone="Boujniba")
        worries.report_worry(second.id, "He shouts.")
        time.shift(60)
        worries.report_worry(first.id, "He is late.")
        assert [worry.text for worry in decide().worries.first] == ["He shouts.", "He is late."]
        only = decide(scope_of_zone("Boujniba"))
        assert [worry.text for worry in only.worries.first] == ["He shouts."]
        assert only.pupil_ids(scope_of_zone("Boujniba")) == {second.pupils[0].id}


def test_family_stays_among_calls_until_somebody_called(app: Flask) -> None:
    with app.app_context():
        make_programme()
        by = make_coordinator()
        late, early = family("Hiba Touil"), family("Wiam Tazi", "Boujniba")
        ask_for_call(late, timedelta(hours=1))
        call = ask_for_call(early, timedelta(hours=5))
        assert [one.household_id for one in decide().calls.first] == [early.id, late.id]
        assert decide(scope_of_zone("Boujniba")).calls.total == 1
        mark_called(call.id, by)
        assert [one.household_id for one in decide().calls.first] == [late.id]
        stored = db.session.get_one(CallRequest, call.id)
        assert (stored.called_at, stored.called_by_id) == (NOON, by.id)
        act = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert act is not None
        assert (act.action, act.subject) == ("call_family", f"household:{early.id}")
        assert (act.coordinator_id, act.pupil_ids) == (by.id, [early.pupils[0].id])


def test_who_called_first_stays_named(app: Flask, time: time_machine.Traveller) -> None:
    with app.app_context():
        make_programme()
        first, second = make_coordinator(), make_coordinator("other@example.org")
        call = ask_for_call(family())
        mark_called(call.id, first)
        time.shift(60)
        mark_called(call.id, second)
        stored = db.session.get_one(CallRequest, call.id)
        assert (stored.called_at, stored.called_by_id) == (NOON, first.id)
        with pytest.raises(NotFound):
            mark_called(4711, first)


def test_volunteers_to_vet_and_ending_vettings_are_for_who_sees_all_zones(
    app: Flask, time: time_machine.Traveller
) -> None:
    with app.app_context():
        make_programme()
        family()
        waiting = make_tutor(state=TutorState.REGISTERED)
        ending, vetted = make_tutor(), make_tutor()
        with transaction():
            long_ago = clock.now() - timedelta(days=3 * 365 - 20)
            db.session.get_one(Tutor, ending).vetted_at = long_ago
            db.session.get_one(Tutor, vetted).vetted_at = clock.now()
        decisions = decide()
        assert [tutor.id for tutor in decisions.to_vet.first] == [waiting]
        assert [tutor.id for tutor in decisions.vettings_ending.first] == [ending]
        assert expires_on(decisions.vettings_ending.first[0]) is not None
        assert decide(scope_of_zone("Aïn Kaïcher")).is_empty


def test_requests_of_families_wait_to_be_confirmed(app: Flask) -> None:
    with app.app_context():
        make_programme()
        ids = [request_of(family()), request_of(family(zone="Boujniba"))]
        with transaction():
            for number in ids:
                db.session.get_one(TutoringRequest, number).state = RequestState.TO_CONFIRM
        assert [request.id for request in decide().to_confirm.first] == ids
        only = decide(scope_of_zone("Boujniba"))
        assert [request.id for request in only.to_confirm.first] == ids[1:]


def test_only_the_newest_proposal_waits_and_only_until_one_is_published(app: Flask) -> None:
    with app.app_context():
        make_programme()
        tutor, household = make_tutor(), family()
        propose(proposal(tutor, [request_of(household)]))
        newest = propose(proposal(tutor, [request_of(household)]))
        found = decide().proposal
        assert found is not None
        assert found.id == newest
        assert decide(scope_of_zone("Aïn Kaïcher")).proposal is None
        with transaction():
            db.session.get_one(MatchRun, newest).state = RunState.PUBLISHED
        assert decide().proposal is None


def test_declined_offer_waits_while_its_pupil_does(
    app: Flask, time: time_machine.Traveller
) -> None:
    with app.app_context():
        make_programme()
        household = family()
        first, second = make_tutor(), make_tutor(name="Nora Alami")
        group = offer_group(first, [request_of(household)])
        assert decide().declined.total == 0
        groups.decline_group(group.id, "too far")
        (entry,) = decide().declined.first
        assert (entry.seat.group_id, entry.reason) == (group.id, "too far")
        assert decide(scope_of_zone("Aïn Kaïcher")).declined.total == 1
        family(zone="Boujniba")
        assert decide(scope_of_zone("Boujniba")).declined.total == 0

        again = offer_group(second, [request_of(household)])
        assert decide().declined.total == 0
        groups.decline_group(again.id, "no time")
        assert [entry.reason for entry in decide().declined.first] == ["no time", "too far"]
        time.shift(timedelta(days=31))
        assert decide().declined.total == 0


def test_newcomer_whose_seat_was_declined_waits_too(app: Flask) -> None:
    with app.app_context():
        make_programme()
        tutor, member, newcomer = make_tutor(), family(), family("Wiam Tazi")
        group = active_group(tutor, [request_of(member)])
        run_id = propose(proposal(tutor, [request_of(member), request_of(newcomer)]))
        publish_run(run_id, None)
        groups.decline_group(group.id, "the group is full")
        (entry,) = decide().declined.first
        assert entry.seat.request_id == request_of(newcomer)


def test_offer_taken_back_is_no_declined_one(app: Flask) -> None:
    with app.app_context():
        make_programme()
        group = offer_group(make_tutor(), [request_of(family())])
        groups.end_group(group.id, "a mistake")
        assert decide().declined.total == 0
        assert not db.session.scalars(select(Veto)).all()


def test_offer_is_slow_after_three_days_and_each_newcomer_for_its_own(
    app: Flask, time: time_machine.Traveller
) -> None:
    with app.app_context():
        make_programme()
        tutor, member, newcomer = make_tutor(), family(), family("Wiam Tazi", "Boujniba")
        group = active_group(tutor, [request_of(member)])
        time.shift(timedelta(days=10))
        publish_run(propose(proposal(tutor, [request_of(member), request_of(newcomer)])), None)
        assert decide().slow_offers.total == 0
        time.shift(timedelta(days=3))
        assert decide().slow_offers.total == 0
        time.shift(timedelta(seconds=1))
        (offer,) = decide().slow_offers.first
        assert (offer.group.id, offer.since) == (group.id, NOON + timedelta(days=10))
        assert decide(scope_of_zone("Boujniba")).slow_offers.total == 1
        family(zone="Gfaf")
        assert decide(scope_of_zone("Gfaf")).slow_offers.total == 0


def test_place_by_hand_is_slow_after_three_days_of_its_own(
    app: Flask, time: time_machine.Traveller
) -> None:
    with app.app_context():
        make_programme()
        group = active_group(make_tutor(), [request_of(family())])
        newcomer = family("Wiam Tazi")
        time.shift(timedelta(days=10))
        by_hand.place_in_group(group.id, request_of(newcomer), [], None)
        time.shift(timedelta(days=3))
        assert decide().slow_offers.total == 0
        time.shift(timedelta(seconds=1))
        (offer,) = decide().slow_offers.first
        assert (offer.group.id, offer.since) == (group.id, NOON + timedelta(days=10))


def test_family_whose_last_message_was_lost_cannot_be_reached(app: Flask) -> None:
    give_way_out(app)
    day = timedelta(days=1)
    with app.app_context():
        make_programme()
        lost = [family(name) for name in ("A A", "B B", "C C")]
        for household, state in zip(
            lost,
            (MessageState.FAILED, MessageState.UNDELIVERED, MessageState.EXPIRED),
            strict=True,
        ):
            send(household, MessageState.DELIVERED, 2 * day)
            send(household, state, day)
        fine, old, called = family("D D"), family("E E"), family("F F")
        send(fine, MessageState.FAILED, 2 * day)
        send(fine, MessageState.ACCEPTED, day)
        send(old, MessageState.FAILED, 15 * day)
        send(called, MessageState.FAILED, day)
        with transaction():
            db.session.get_one(Household, called.id).reach_by_call = True
        found = decide().unreached
        assert [entry.household.id for entry in found.first] == [one.id for one in lost]
        assert {entry.why for entry in found.first} == {WhyUnreached.LAST_MESSAGE}
        assert {entry.since for entry in found.first} == {NOON - day}
        family(zone="Boujniba")
        assert decide(scope_of_zone("Boujniba")).unreached.total == 0


def test_family_with_a_place_and_no_way_to_it_cannot_be_reached(app: Flask) -> None:
    give_way_out(app)
    with app.app_context():
        make_programme()
        without, stopped, reached, waiting = (family(name) for name in ("A A", "B B", "C C", "D D"))
        with transaction():
            for household in (stopped, reached):
                db.session.get_one(Household, household.id).email = "family@example.org"
            db.session.get_one(Household, stopped.id).messages_stopped_at = NOON
        for household in (without, stopped, reached):
            active_group(make_tutor(), [request_of(household)])
        found = {entry.household.id: entry.why for entry in decide().unreached.first}
        assert found == {without.id: WhyUnreached.NO_WAY, stopped.id: WhyUnreached.STOPPED}
        assert waiting.id not in found


def test_lessons_that_failed_or_that_nobody_noted_wait(app: Flask) -> None:
    with app.app_context():
        make_programme()
        group = active_group(make_tutor(), [request_of(family())])
        days = [timedelta(days=number) for number in range(20)]
        not_held = set_lesson(group, LessonState.NOT_HELD, days[3])
        absent = set_lesson(group, LessonState.PUPIL_ABSENT, days[1])
        set_lesson(group, LessonState.NOT_HELD, days[14])
        set_lesson(group, LessonState.HELD, days[4])
        set_lesson(group, LessonState.PLANNED, days[8])
        forgotten = [
            set_lesson(group, LessonState.PLANNED, days[19]),
            set_lesson(group, LessonState.PLANNED, days[8] + timedelta(seconds=1)),
        ]
        decisions = decide()
        assert [lesson.id for lesson in decisions.not_held.first] == [absent, not_held]
        assert [lesson.id for lesson in decisions.not_noted.first] == forgotten
        family(zone="Boujniba")
        assert decide(scope_of_zone("Boujniba")).is_empty
        assert decide(scope_of_zone("Aïn Kaïcher")).not_held.total == 2


def test_first_few_are_shown_and_the_others_counted(app: Flask) -> None:
    with app.app_context():
        make_programme()
        for _ in range(7):
            make_tutor(state=TutorState.REGISTERED)
        waiting = decide().to_vet
        assert (len(waiting.first), waiting.total, waiting.more) == (5, 7, 2)


def test_figures_are_those_of_the_zones(app: Flask) -> None:
    with app.app_context():
        make_programme()
        make_tutor()
        family()
        family(zone="Boujniba")
        make_household(pupils=[("X Y", "3AC", ("maths", "french"))], zone="Gfaf", consent=None)
        figures = desk_figures(EVERYWHERE)
        assert (figures.households, figures.pupils, figures.requests_waiting) == (3, 3, 4)
        assert figures.pupils_without_consent == 1
        figures = desk_figures(scope_of_zone("Gfaf"))
        assert (figures.households, figures.pupils, figures.requests_waiting) == (1, 1, 2)
        assert figures.pupils_without_consent == 1
        offer_group(make_tutor(), [request_of(family(zone="Boujniba"))])
        assert desk_figures(scope_of_zone("Gfaf")).offers_waiting == 0
        assert desk_figures(scope_of_zone("Boujniba")).offers_waiting == 1


def zone_client(app: Flask, zone: str) -> FlaskClient:
    """A browser of a coordinator of one zone, in English."""
    with app.app_context():
        make_coordinator("zone@example.org", zone_ids=list(scope_of_zone(zone).zone_ids or ()))
    client = app.test_client()
    sign_in(client, "zone@example.org")
    client.post("/language", data={"locale": "en"})
    return client


@on_sqlite
def test_desk_says_that_nothing_waits_and_what_to_do_next(app: Flask) -> None:
    client = in_english(app)
    page = words(client.get("/coordinator/desk").text)
    assert "Nothing waits for a decision." in page
    assert "What to do next" in page
    assert views(app) == []


@on_sqlite
def test_what_to_do_next_goes_with_the_first_publication(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        propose(proposal(make_tutor(), [request_of(family())]))
    page = words(client.get("/coordinator/desk").text)
    assert "A proposal waits to be read and published" in page
    assert "What to do next" in page
    with app.app_context():
        offer_group(make_tutor(), [request_of(family())])
    assert "What to do next" not in words(client.get("/coordinator/desk").text)


@on_sqlite
def test_desk_shows_decisions_in_their_order_with_links_to_where_they_are_taken(
    app: Flask,
) -> None:
    client = in_english(app)
    with app.app_context():
        household = family()
        worries.report_worry(household.id, "He shouts.")
        ask_for_call(household)
        tutor = make_tutor(state=TutorState.REGISTERED, name="Nora Alami")
        group = active_group(make_tutor(), [request_of(household)])
        set_lesson(group, LessonState.NOT_HELD, timedelta(days=1))
        set_lesson(group, LessonState.PLANNED, timedelta(days=9))
        declined = offer_group(make_tutor(), [request_of(family("Wiam Tazi"))])
        groups.decline_group(declined.id, "too far")
        send(family("Badr Ziani"), MessageState.FAILED, timedelta(days=1))
        run_id = propose()
        group_id, declined_id, household_id = group.id, declined.id, household.id
    html = client.get("/coordinator/desk").text
    page = words(html)
    titles = (
        "1 worry of a family",
        "1 family asks to be called",
        "1 volunteer to vet",
        "A proposal waits to be read and published",
        "1 offer was declined, and its pupil still waits",
        "can’t be reached by messages",
        "1 lesson of the last two weeks was not held, or without the pupil",
        "1 lesson is over, and nobody said",
        "How things stand",
    )
    assert sorted(titles, key=page.index) == list(titles)
    assert "too far" in page
    for address in (
        f"/coordinator/volunteers/{tutor}",
        f"/coordinator/matching/{run_id}",
        f"/coordinator/groups/{group_id}",
        f"/coordinator/groups/{declined_id}",
        f"/coordinator/families/{household_id}",
    ):
        assert f'href="{address}"' in html


@on_sqlite
def test_called_button_takes_a_family_off_the_desk(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        call_id = ask_for_call(family()).id
    assert "1 family asks to be called" in words(client.get("/coordinator/desk").text)
    assert client.get(f"/coordinator/calls/{call_id}/called").status_code == 405
    answer = client.post(f"/coordinator/calls/{call_id}/called")
    assert (answer.status_code, answer.location) == (303, "/coordinator/desk")
    page = words(client.get("/coordinator/desk").text)
    assert "Your name is kept beside this call." in page
    assert "asks to be called" not in page
    assert client.post("/coordinator/calls/4711/called").status_code == 404


@on_sqlite
def test_zone_coordinator_reads_no_name_of_another_zone(app: Flask) -> None:
    with app.app_context():
        make_programme()
        own, other = family("Hiba Touil"), family("Wiam Tazi", "Boujniba")
        group = active_group(make_tutor(), [request_of(own), request_of(other)])
        set_lesson(group, LessonState.NOT_HELD, timedelta(days=1))
        call_id = ask_for_call(other).id
        make_tutor(state=TutorState.REGISTERED, name="Nora Alami")
        own_id = own.pupils[0].id
    client = zone_client(app, "Aïn Kaïcher")
    page = words(client.get("/coordinator/desk").text)
    assert "Hiba Touil, pupil of another zone not held" in page.replace(" , ", ", ")
    assert "Wiam" not in page
    assert "Nora Alami" not in page
    assert "What to do next" not in page
    assert views(app) == [("/coordinator/desk", [own_id])]
    assert client.post(f"/coordinator/calls/{call_id}/called").status_code == 404


@on_sqlite
def test_desk_asks_the_database_as_often_for_many_as_for_few(app: Flask) -> None:
    client = in_english(app)
    asked = []
    for more in (1, 4):
        with app.app_context():
            for number in range(more):
                household = family(f"Hiba T{number}")
                worries.report_worry(household.id, "He shouts.")
                ask_for_call(household)
                make_tutor(state=TutorState.REGISTERED)
                group = active_group(make_tutor(), [request_of(household)])
                set_lesson(group, LessonState.NOT_HELD, timedelta(days=1))
                set_lesson(group, LessonState.PLANNED, timedelta(days=3))
                send(household, MessageState.FAILED, timedelta(days=1))
                declined = offer_group(make_tutor(), [request_of(family())])
                groups.decline_group(declined.id, "too far")
                slow = offer_group(make_tutor(), [request_of(family())])
                with transaction():
                    db.session.get_one(Group, slow.id).offered_at -= timedelta(days=5)
                    for act in db.session.scalars(
                        select(AuditEntry).where(AuditEntry.action == "publish_run")
                    ):
                        act.at -= timedelta(days=5)
        with counted_statements(app) as statements:
            assert client.get("/coordinator/desk").status_code == 200
        asked.append(len(statements))
    assert asked[0] == asked[1]
    assert asked[0] < 70
