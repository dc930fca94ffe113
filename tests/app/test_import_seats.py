"""Lists that change what a child's seat in a group rests on: consent, level, subject, telephone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    FamilyLink,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    ListKind,
    Message,
    MessageState,
    Pupil,
    Reminder,
    RequestState,
    Tutor,
    TutorState,
)
from app.services.family_links import make_link, open_link
from app.services.imports import ImportReport, apply_import, plan_import
from app.services.programme import load_programme
from app.services.reminders import TIMINGS
from scheduler import clock
from tests.support.groups import active_group, offer_group
from tests.support.lists import HIBA, RANIA, SARA, WALID, make_list, statuses

MATHS = {"matieres": "Mathématiques", "niveau": "3AC"}
HIBA_SEATED, SARA_SEATED = HIBA | MATHS, SARA | MATHS


@pytest.fixture(autouse=True)
def _people(app: Flask) -> Iterator[None]:
    with app.app_context():
        load_programme()
        tutor = RANIA | {"enseigne": "Mathématiques: 3AC", "canaux": "whatsapp; appel"}
        apply_import(ListKind.VOLUNTEERS, make_list(tutor), None)
        with transaction():
            tutor_row = db.session.scalars(select(Tutor)).one()
            tutor_row.state, tutor_row.vetted_at = TutorState.VETTED, clock.now()
        yield


def store(*rows: dict[str, str]) -> ImportReport:
    """Store a list, after looking at what it would do: both say the same."""
    content = make_list(*rows)
    seen = plan_import(ListKind.PUPILS, content)
    stored = apply_import(ListKind.PUPILS, content, None, expected=seen.digest)
    assert stored.effects == seen.effects
    return stored


def child(ref: str) -> Pupil:
    return db.session.scalars(select(Pupil).where(Pupil.ref == ref)).one()


def seat(*refs: str, channel: str = "whatsapp", accepted: bool = True) -> Group:
    """A group of these children, each with the one request they have."""
    tutor_id = db.session.scalars(select(Tutor.id)).one()
    requests = [child(ref).requests[0].id for ref in refs]
    make = active_group if accepted else offer_group
    return make(tutor_id, requests, channel=channel)


def owed(home: Household) -> int:
    """How many reminders the family is owed."""
    query = select(Reminder).where(
        Reminder.household_id == home.id, Reminder.cancelled_at.is_(None)
    )
    return len(db.session.scalars(query).all())


def lesson_states() -> set[LessonState]:
    return set(db.session.scalars(select(Lesson.state)))


@pytest.mark.parametrize(
    "change",
    [{"consentement": "non"}, {"consentement": ""}, {"niveau": "TC"}, {"matieres": "SVT"}],
)
def test_child_who_may_no_longer_be_taught_leaves_and_the_empty_group_ends(
    change: dict[str, str],
) -> None:
    store(HIBA_SEATED)
    group = seat("P1")
    assert lesson_states() == {LessonState.PLANNED}
    report = store(HIBA_SEATED | change)
    assert (report.effects.seats_ended, report.effects.groups_ended) == (1, 1)
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    assert lesson_states() == {LessonState.CANCELLED}
    assert owed(child("P1").household) == 0
    reminders = select(Message.state).where(Message.kind.in_(TIMINGS))
    assert set(db.session.scalars(reminders)) == {MessageState.CANCELLED}
    wanted = RequestState.ENDED if "matieres" in change else RequestState.WAITING
    assert child("P1").requests[0].state is wanted
    assert statuses(store(HIBA_SEATED | change)) == ["same"]


def test_offered_group_ends_with_the_consent_of_its_only_child() -> None:
    store(HIBA_SEATED)
    group = seat("P1", accepted=False)
    report = store(HIBA_SEATED | {"consentement": "non"})
    assert (report.effects.seats_ended, report.effects.groups_ended) == (1, 1)
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED


def test_group_goes_on_without_the_child_who_leaves() -> None:
    store(HIBA_SEATED, SARA_SEATED)
    group = seat("P1", "P3")
    report = store(HIBA_SEATED | {"consentement_groupe": "non"})
    assert (report.effects.seats_ended, report.effects.groups_ended) == (1, 0)
    group = db.session.get_one(Group, group.id)
    assert group.state is GroupState.ACTIVE
    assert [member.request.pupil.ref for member in group.members] == ["P3"]
    assert lesson_states() == {LessonState.PLANNED}
    assert owed(child("P1").household) == 0
    assert owed(child("P3").household) > 0


def test_sibling_who_keeps_out_of_groups_takes_the_number_out_of_them() -> None:
    store(HIBA_SEATED)
    seat("P1")
    newcomer = WALID | {"consentement_groupe": "non"}
    assert store(newcomer).effects.seats_ended == 1
    assert db.session.scalars(select(Group)).one().state is GroupState.ENDED


def test_lessons_for_one_child_alone_need_no_consent_to_groups() -> None:
    store(HIBA_SEATED)
    seat("P1", channel="call")
    assert store(HIBA_SEATED | {"consentement_groupe": "non"}).effects.seats_ended == 0
    assert lesson_states() == {LessonState.PLANNED}


def test_list_that_changes_other_things_leaves_seats_and_reminders_alone() -> None:
    store(HIBA_SEATED, SARA_SEATED)
    seat("P1", "P3")
    before = owed(child("P1").household)
    report = store(HIBA_SEATED | {"joignable": "", "prenom": "Houda"}, SARA_SEATED)
    assert (report.effects.seats_ended, report.effects.groups_ended) == (0, 0)
    assert owed(child("P1").household) == before > 0


def test_reminders_follow_a_child_to_another_family() -> None:
    store(HIBA_SEATED, WALID, SARA)
    seat("P1")
    before, after = child("P1").household_id, child("P3").household_id
    home = {"telephone": SARA["telephone"], "tuteur_legal": SARA["tuteur_legal"]}
    assert store(HIBA_SEATED | home).effects.seats_ended == 0
    assert child("P1").household_id == after
    assert owed(db.session.get_one(Household, before)) == 0
    assert owed(db.session.get_one(Household, after)) > 0


def test_link_to_a_familys_page_ends_with_its_telephone() -> None:
    store(HIBA_SEATED, SARA)
    for ref in ("P1", "P3"):
        make_link(child(ref).household_id, None)
    _home, token = make_link(child("P3").household_id, None)
    store(HIBA_SEATED | {"telephone": "0600000109"}, SARA)
    held = select(FamilyLink.household_id).where(FamilyLink.revoked_at.is_(None))
    assert db.session.scalars(held).all() == [child("P3").household_id]
    assert open_link(token).id == child("P3").household_id


def test_absent_columns_leave_address_language_and_zone_as_they_are() -> None:
    store(HIBA_SEATED | {"email": "touil@example.org", "langue_messages": "français"})
    assert statuses(store(HIBA_SEATED)) == ["same"]
    home = child("P1").household
    assert (home.email, home.message_language) == ("touil@example.org", "fr")
    report = store(HIBA_SEATED | {"email": "", "langue_messages": ""})
    assert [change.column for change in report.rows[0].changes] == ["email"]
    home = child("P1").household
    assert (home.email, home.message_language) == (None, "fr")


def test_volunteer_abroad_keeps_zone_and_language() -> None:
    columns = {"fuseau_horaire": "Europe/Paris", "langue_messages": "arabe"}
    apply_import(ListKind.VOLUNTEERS, make_list(RANIA | columns), None)
    report = apply_import(ListKind.VOLUNTEERS, make_list(RANIA), None)
    assert statuses(report) == ["same"]
    tutor = db.session.scalars(select(Tutor)).one()
    assert (tutor.time_zone, tutor.message_language) == ("Europe/Paris", "ar")
    home = RANIA | {"fuseau_horaire": "Africa/Casablanca", "langue_messages": ""}
    apply_import(ListKind.VOLUNTEERS, make_list(home), None)
    tutor = db.session.scalars(select(Tutor)).one()
    assert (tutor.time_zone, tutor.message_language) == (None, "ar")
    assert statuses(apply_import(ListKind.VOLUNTEERS, make_list(home), None)) == ["same"]
