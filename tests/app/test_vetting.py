"""Vetting: four checks, in a person's name, for three years and not a day longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import (
    AuditEntry,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    RequestState,
    Tutor,
    TutoringRequest,
    TutorState,
)
from app.services import departures, vetting
from app.services.ending import VETTING_OVER
from app.services.errors import Conflict, Invalid, NotFound
from app.services.groups import accept_group
from app.services.problem import build_problem
from app.services.vetting import VettingChecks
from app.services.vetting_term import ends_soon, is_vetted
from tests.support import people
from tests.support.groups import active_group, offer_group
from tests.support.vetting import checks_of_today, vet_tutor

VETTED = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(VETTED, tick=False) as traveller:
        yield traveller


def registered() -> int:
    return people.make_tutor(state=TutorState.REGISTERED)


def tutor(number: int) -> Tutor:
    return db.session.get_one(Tutor, number, populate_existing=True)


def test_vetting_keeps_the_days_of_its_checks_and_who_made_them(
    noon: time_machine.Traveller,
) -> None:
    number, by = registered(), people.make_coordinator()
    checks = VettingChecks(
        date(2026, 11, 3), date(2026, 11, 5), date(2026, 11, 20), date(2026, 11, 4)
    )
    vetting.vet_tutor(number, by, checks)
    row = tutor(number)
    assert (row.state, row.vetted_by_id, row.vetted_at) == (TutorState.VETTED, by.id, VETTED)
    assert row.identity_seen_on == date(2026, 11, 3)
    assert row.interviewed_on == date(2026, 11, 5)
    assert row.certificate_seen_on == date(2026, 11, 20)
    assert row.charter_accepted_at == datetime(2026, 11, 4, 12, tzinfo=UTC)
    assert row.charter_version == vetting.CHARTER_BY_COORDINATOR
    acts = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "vet")).all()
    assert [(act.subject, act.coordinator_id, act.detail) for act in acts] == [
        (
            f"tutor:{number}",
            by.id,
            {"identity": "2026-11-03", "interview": "2026-11-05", "certificate": "2026-11-20"},
        )
    ]


@pytest.mark.parametrize(
    "checks",
    [
        VettingChecks(None, DAY, DAY, DAY),
        VettingChecks(DAY, None, DAY, DAY),
        VettingChecks(DAY, DAY, None, DAY),
        VettingChecks(DAY, DAY, DAY, None),
        VettingChecks(DAY + timedelta(days=1), DAY, DAY, DAY),
        VettingChecks(DAY, DAY, date(2023, 11, 22), DAY),
    ],
    ids=["identity", "interview", "certificate", "charter", "to come", "too old"],
)
def test_vetting_is_refused_where_one_of_the_checks_does_not_stand(
    noon: time_machine.Traveller, checks: VettingChecks
) -> None:
    number = registered()
    with pytest.raises(Invalid):
        vetting.vet_tutor(number, people.make_coordinator(), checks)
    assert tutor(number).state is TutorState.REGISTERED


def test_charter_that_the_volunteer_accepted_is_not_asked_again(
    noon: time_machine.Traveller,
) -> None:
    number, by = registered(), people.make_coordinator()
    accepted = datetime(2026, 10, 1, 9, tzinfo=UTC)
    row = tutor(number)
    row.charter_accepted_at, row.charter_version = accepted, "2026-10"
    db.session.commit()
    vetting.vet_tutor(number, by, VettingChecks(DAY, DAY, DAY))
    assert (tutor(number).charter_accepted_at, tutor(number).charter_version) == (
        accepted,
        "2026-10",
    )


@pytest.mark.parametrize("state", [TutorState.PAUSED, TutorState.SUSPENDED, TutorState.LEFT])
def test_only_who_waits_or_is_vetted_can_be_vetted(state: TutorState) -> None:
    number, by = people.make_tutor(state=state), people.make_coordinator()
    with pytest.raises(Conflict):
        vetting.vet_tutor(number, by, checks_of_today())
    with pytest.raises(NotFound):
        vetting.vet_tutor(999, by, checks_of_today())


@pytest.mark.parametrize(
    ("vetted", "ends"),
    [
        (datetime(2026, 11, 22, 12, tzinfo=UTC), date(2029, 11, 22)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), date(2031, 3, 1)),
    ],
)
def test_vetting_ends_three_years_later_by_the_programmes_calendar(
    vetted: datetime, ends: date
) -> None:
    number = registered()
    with time_machine.travel(vetted, tick=False):
        vet_tutor(number, people.make_coordinator())
        assert vetting.expires_on(tutor(number)) == ends
    with time_machine.travel(datetime(ends.year, ends.month, ends.day, tzinfo=UTC), tick=False):
        assert not is_vetted(tutor(number))
    before = datetime(ends.year, ends.month, ends.day, tzinfo=UTC) - timedelta(seconds=1)
    with time_machine.travel(before, tick=False):
        assert is_vetted(tutor(number))


def test_expired_vetting_counts_nowhere_before_the_worker_noticed(
    noon: time_machine.Traveller,
) -> None:
    number, by = registered(), people.make_coordinator()
    vet_tutor(number, by)
    request = people.make_household().pupils[0].requests[0].id
    group = offer_group(number, [request])
    noon.move_to(datetime(2029, 11, 22, 0, 1, tzinfo=UTC))
    with pytest.raises(Conflict):
        accept_group(group.id)
    people.make_household()
    waiting = people.make_tutor()
    assert tutor(number).state is TutorState.VETTED
    db.session.get_one(Group, group.id).state = GroupState.DECLINED
    db.session.commit()
    assert [row["id"] for row in build_problem()["tutors"]] == [f"T{waiting}"]


def test_worker_ends_an_expired_vetting_and_what_rests_on_it(
    noon: time_machine.Traveller,
) -> None:
    by = people.make_coordinator()
    number, other = registered(), registered()
    for each in (number, other):
        vet_tutor(each, by)
    noon.move_to(datetime(2029, 11, 20, 12, tzinfo=UTC))
    household = people.make_household()
    request = household.pupils[0].requests[0].id
    group = active_group(number, [request])
    vet_tutor(other, by)
    assert vetting.end_expired_vettings() == 0
    noon.move_to(datetime(2029, 11, 22, 0, 1, tzinfo=UTC))
    assert vetting.end_expired_vettings() == 1
    assert vetting.end_expired_vettings() == 0
    row = tutor(number)
    assert (row.state, row.vetted_at, row.certificate_seen_on) == (
        TutorState.REGISTERED,
        None,
        None,
    )
    assert row.charter_accepted_at is not None
    assert tutor(other).state is TutorState.VETTED
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    assert db.session.get_one(TutoringRequest, request).state is RequestState.WAITING
    lessons = db.session.scalars(select(Lesson).where(Lesson.starts_at > row.created_at)).all()
    assert {(one.state, one.cancel_reason) for one in lessons if one.cancelled_at} == {
        (LessonState.CANCELLED, VETTING_OVER)
    }
    ends = select(Message.household_id).where(Message.kind == MessageKind.LESSONS_END)
    assert db.session.scalars(ends).all() == [household.id]


def test_vetting_of_a_volunteer_who_pauses_ends_too(noon: time_machine.Traveller) -> None:
    number, by = registered(), people.make_coordinator()
    vet_tutor(number, by)
    departures.pause_tutor(number, "exams", by)
    noon.move_to(datetime(2030, 1, 1, 12, tzinfo=UTC))
    assert departures.take_tutor_back(number, by).state is TutorState.REGISTERED
    assert tutor(number).vetted_at is None


def test_renewing_a_vetting_gives_three_more_years_and_keeps_the_groups(
    noon: time_machine.Traveller,
) -> None:
    number, by = registered(), people.make_coordinator()
    vet_tutor(number, by)
    noon.move_to(datetime(2029, 10, 1, 12, tzinfo=UTC))
    group = active_group(number, [people.make_household().pupils[0].requests[0].id])
    assert ends_soon(tutor(number))
    assert [row.id for row in vetting.ending_vettings()] == [number]
    with pytest.raises(Invalid):
        vetting.vet_tutor(number, by, VettingChecks(date(2026, 9, 30), DAY, DAY))
    vet_tutor(number, by)
    assert vetting.expires_on(tutor(number)) == date(2032, 10, 1)
    assert vetting.ending_vettings() == []
    assert db.session.get_one(Group, group.id).state is GroupState.ACTIVE
    assert db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.action.in_(["vet", "renew_vetting"]))
    ).all() == ["vet", "renew_vetting"]


def test_vetting_that_ends_is_told_of_for_sixty_days(noon: time_machine.Traveller) -> None:
    number, by = registered(), people.make_coordinator()
    vet_tutor(number, by)
    end = datetime(2029, 11, 22, 12, tzinfo=UTC)
    told = []
    for days in (61, 60, 1, 0):
        noon.move_to(end - timedelta(days=days))
        told.append(ends_soon(tutor(number)))
    assert told == [False, True, True, False]


def test_command_vets_on_the_days_it_is_given(app: Flask) -> None:
    number = registered()
    people.make_coordinator()
    args = ["tutor", "vet", str(number), "--by", "coordinator@example.org"]
    days = [
        "--identity", "2026-11-20", "--interview", "2026-11-21", "--certificate", "2026-11-21",
    ]  # fmt: skip
    with time_machine.travel(VETTED):
        ran = app.test_cli_runner().invoke(args=[*args, *days])
        assert (ran.exit_code, tutor(number).state) == (1, TutorState.REGISTERED)
        ran = app.test_cli_runner().invoke(args=[*args, *days, "--charter", "2026-11-19"])
    assert (ran.exit_code, tutor(number).state) == (0, TutorState.VETTED)
