"""What comes of asking for help: requests to confirm, consents, families that are known already."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from markupsafe import escape
from sqlalchemy import func, select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Consent,
    ConsentKind,
    ConsentMeans,
    Draft,
    Group,
    GroupState,
    Household,
    Note,
    RequestOrigin,
    RequestState,
    Zone,
)
from app.services import drafts, family_links, help_request
from app.services.asking import Agreed, AskedChild, read_name
from app.services.consent import CONSENT_TEXT_VERSION, in_force
from app.services.errors import Invalid
from app.services.help_request import KIND
from tests.support.groups import active_group
from tests.support.hostile import HOSTILE_NAMES, SHOWN_NAMES
from tests.support.people import level, make_household, make_programme, make_tutor, subject

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
BROWSER = "the browser that asks"
PHONE = "+212612345678"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def here(app: Flask) -> Iterator[None]:
    """Inside the program, with its programme."""
    with app.app_context():
        make_programme()
        yield


def child(name: str, *subjects: str, of_level: str = "3AC") -> AskedChild:
    first, _, last = name.partition(" ")
    return AskedChild(first, last, level(of_level).id, tuple(subject(code).id for code in subjects))


def answer(
    *children: AskedChild, phone: str = PHONE, zone: str = "Aïn Kaïcher", groups: bool = True
) -> None:
    """Answer all questions in the browser."""
    help_request.keep_guardian(BROWSER, "Karima Rami")
    help_request.keep_zone(BROWSER, None, zone)
    help_request.keep(BROWSER, languages=["darija"], channels=["call", "whatsapp"])
    help_request.keep_hours(BROWSER, [(0, 1080, 1200)], to_agree=False)
    for one in children:
        help_request.add_child(BROWSER, one)
    help_request.agree(BROWSER, Agreed(lessons=True, groups=groups))
    with transaction():
        drafts.confirm_address(KIND, BROWSER, phone)


def send() -> Household:
    household = help_request.send(BROWSER, "ar")
    assert household is not None
    return household


def asked_of(household: Household) -> list[tuple[str, str, RequestState, RequestOrigin]]:
    db.session.expire_all()
    return [
        (pupil.name, request.subject.code, request.state, request.origin)
        for pupil in household.pupils
        for request in pupil.requests
    ]


def test_new_family_arrives_with_requests_to_confirm_and_consents() -> None:
    answer(child("Sara Rami", "maths", "french"), child("Adam Rami", "arabic", of_level="5AEP"))
    household = send()
    to_confirm, public = RequestState.TO_CONFIRM, RequestOrigin.PUBLIC
    assert asked_of(household) == [
        ("Sara Rami", "maths", to_confirm, public),
        ("Sara Rami", "french", to_confirm, public),
        ("Adam Rami", "arabic", to_confirm, public),
    ]
    assert (household.phone, household.guardian.name) == (PHONE, "Karima Rami")
    assert (household.zone.name, household.zone.listed) == ("Aïn Kaïcher", False)
    assert (household.message_language, household.times_to_agree) == ("ar", False)
    assert [window.as_window() for window in household.windows] == [(0, 1080, 1200)]
    assert [row.language for row in household.languages] == ["darija"]
    assert sorted(row.channel for row in household.channels) == ["call", "whatsapp"]
    for consent in db.session.scalars(select(Consent)):
        assert (consent.guardian_name, consent.given, consent.at) == ("Karima Rami", True, NOW)
        assert consent.means is ConsentMeans.ON_REQUEST_PAGE
        assert (consent.text_version, consent.declared_by_id) == (CONSENT_TEXT_VERSION, None)
    assert db.session.scalar(select(func.count()).select_from(Consent)) == 4
    assert db.session.scalar(select(func.count()).select_from(Draft)) == 0
    trace = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "ask_for_help")).one()
    assert trace.pupil_ids == [pupil.id for pupil in household.pupils]
    assert db.session.scalar(select(func.count()).select_from(Note)) == 0


def test_known_family_gets_what_is_new_and_keeps_all_that_stands() -> None:
    known = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))], zone="Boujniba")
    answer(
        child("HIBA Touil", "maths", "physics", of_level="2BAC"),
        child("Sara Touil", "maths"),
        phone=known.phone,
    )
    assert send().id == known.id
    waiting, to_confirm = RequestState.WAITING, RequestState.TO_CONFIRM
    assert asked_of(known) == [
        ("Hiba Touil", "maths", waiting, RequestOrigin.STAFF),
        ("Hiba Touil", "physics", to_confirm, RequestOrigin.PUBLIC),
        ("Sara Touil", "maths", to_confirm, RequestOrigin.PUBLIC),
    ]
    assert (known.guardian.name, known.zone.name) == ("Walid Touil", "Boujniba")
    hiba = known.pupils[0]
    assert (hiba.level.code, hiba.requests[1].level.code) == ("3AC", "3AC")
    note = db.session.scalars(select(Note)).one()
    assert (note.household_id, note.by_id, note.at) == (known.id, None, NOW)
    for typed in ("Karima Rami", "Aïn Kaïcher", "HIBA Touil (2BAC): maths, physics", "Sara Touil"):
        assert typed in note.text
    assert db.session.scalars(select(Zone.name)).all() == ["Boujniba"]


def test_names_in_the_other_order_mean_the_same_child() -> None:
    known = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
    answer(child("Touil Hibâ", "maths"), phone=known.phone)
    send()
    assert [one[:2] for one in asked_of(known)] == [("Hiba Touil", "maths")]


def test_request_that_had_ended_is_asked_for_again() -> None:
    known = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
    with transaction():
        request = known.pupils[0].requests[0]
        request.state = RequestState.ENDED
        request.ended_at, request.end_reason = NOW, "moved"
    answer(child("Hiba Touil", "maths"), phone=known.phone)
    send()
    db.session.expire_all()
    request = known.pupils[0].requests[0]
    assert (request.state, request.origin) == (RequestState.TO_CONFIRM, RequestOrigin.PUBLIC)
    assert (request.ended_at, request.end_reason) == (None, None)


def test_no_to_groups_ends_the_familys_places_in_groups() -> None:
    known = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
    group = active_group(make_tutor(), [known.pupils[0].requests[0].id], channel="whatsapp")
    answer(child("Sara Touil", "maths"), phone=known.phone, groups=False)
    send()
    db.session.expire_all()
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    assert known.pupils[0].requests[0].state is RequestState.WAITING
    assert in_force(known.pupils[0], ConsentKind.LESSONS)


def test_commune_in_another_spelling_is_the_one_that_is_known() -> None:
    make_household(zone="Boujniba")
    answer(child("Sara Rami", "maths"), zone="BOUJNIBÂ")
    assert send().zone.name == "Boujniba"


def test_nothing_is_sent_twice_or_half() -> None:
    answer(child("Sara Rami", "maths"))
    send()
    assert help_request.send(BROWSER, "ar") is None
    help_request.keep_guardian(BROWSER, "Karima Rami")
    with pytest.raises(Invalid):
        send()
    assert db.session.scalar(select(func.count()).select_from(Household)) == 1


def test_agreement_to_a_former_text_is_asked_for_again() -> None:
    answer(child("Sara Rami", "maths"))
    help_request.keep(BROWSER, agreed=["2025-01", True])
    assert help_request.read_answers(BROWSER).unanswered is help_request.Question.AGREEMENT


def test_what_is_no_longer_offered_is_asked_for_again() -> None:
    answer(child("Sara Rami", "maths"))
    with transaction():
        subject("maths").retired = True
    assert help_request.read_answers(BROWSER).unanswered is help_request.Question.CHILDREN


def test_hostile_names_are_kept_as_they_are_or_refused() -> None:
    kept = []
    for name in HOSTILE_NAMES:
        try:
            help_request.keep_guardian(BROWSER, name)
            kept.append(help_request.read_answers(BROWSER).guardian)
        except Invalid:
            continue
    assert len(kept) > len(HOSTILE_NAMES) / 3
    assert all(0 < len(name) <= 160 for name in kept)


def test_two_presses_at_once_ask_once(app: Flask) -> None:
    answer(child("Sara Rami", "maths"))
    start = threading.Barrier(2)

    def press() -> None:
        with app.app_context():
            start.wait()
            help_request.send(BROWSER, "ar")

    presses = [threading.Thread(target=press) for _ in range(2)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert db.session.scalar(select(func.count()).select_from(Household)) == 1
    assert db.session.scalar(select(func.count()).select_from(Consent)) == 2


def test_families_of_hostile_names_see_them_as_they_are(app: Flask) -> None:
    names = [name for name in SHOWN_NAMES if _is_a_name(name)]
    assert len(names) > 4
    answer(*(AskedChild(read_name(name), "Rami", 1, (1,)) for name in names[:10]))
    token = family_links.make_link(send().id, None)[1]
    page = app.test_client().get(f"/f/{token}")
    assert page.status_code == 200
    for name in names[:10]:
        assert str(escape(read_name(name))) in page.text


def _is_a_name(text: str) -> bool:
    try:
        return bool(read_name(text))
    except Invalid:
        return False
