"""Figures: how requests stand, the lessons of eight weeks, and their page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    Group,
    Household,
    Lesson,
    LessonState,
    RequestState,
    TutoringRequest,
    UnservedRequest,
    Zone,
)
from app.services.figures import (
    PARTS,
    STANDING_WORDS,
    Standing,
    count_lessons,
    count_requests,
    read_figures,
)
from app.services.scope import EVERYWHERE, Scope
from app.web.coordinator import figures as page_of_figures
from scheduler import clock
from tests.support.groups import active_group, offer_group, proposal, propose
from tests.support.pages import counted_statements, in_english, words
from tests.support.people import make_household, make_programme, make_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""A Saturday."""
REASONS = (
    "no_tutor",
    "needs_unmet",
    "no_common_channel",
    "no_common_language",
    "too_few_lessons",
    "no_common_time",
    "vetoed",
    "phone_busy",
    "taken",
)


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def family(zone: str = "Aïn Kaïcher", *, consent: bool | None = True) -> Household:
    return make_household(pupils=[("Hiba Touil", "3AC", ("maths",))], zone=zone, consent=consent)


def request_of(household: Household) -> int:
    return household.pupils[0].requests[0].id


def scope_of_zone(name: str) -> Scope:
    zone = db.session.scalars(select(Zone).where(Zone.name == name)).one()
    return Scope(frozenset({zone.id}))


def standings(scope: Scope = EVERYWHERE) -> Counter[Standing]:
    counted: Counter[Standing] = Counter()
    for cell in count_requests(scope):
        counted[cell.standing] += cell.requests
    return counted


def lesson(group: Group, wall: datetime, state: LessonState, minutes: int = 60) -> None:
    zone = "Africa/Casablanca"
    with transaction():
        db.session.add(
            Lesson(
                group_id=group.id,
                wall_start=wall,
                starts_at=clock.to_utc(wall, zone),
                zone=zone,
                tz_version=clock.tz_version(),
                minutes=minutes,
                state=state,
            )
        )


def test_every_standing_is_part_of_a_bar_and_has_words() -> None:
    assert sorted(standing for part in PARTS.values() for standing in part) == sorted(Standing)
    assert set(STANDING_WORDS) == set(Standing)


def test_request_stands_by_the_first_that_is_true_of_it(app: Flask) -> None:
    with app.app_context():
        make_programme()
        served, offered, asked, ended = (family() for _ in range(4))
        family(consent=False)
        family(consent=None)
        with transaction():
            db.session.get_one(TutoringRequest, request_of(asked)).state = RequestState.TO_CONFIRM
            db.session.get_one(TutoringRequest, request_of(ended)).state = RequestState.ENDED
        assert standings() == {
            Standing.NOT_MATCHED: 2,
            Standing.NO_CONSENT: 2,
            Standing.TO_CONFIRM: 1,
        }
        active_group(make_tutor(), [request_of(served)])
        offer_group(make_tutor(), [request_of(offered)])
        proposed = family()
        family()
        propose(proposal(make_tutor(), [request_of(proposed)]))
        family()
        assert standings() == {
            Standing.SERVED: 1,
            Standing.OFFERED: 1,
            Standing.PROPOSED: 1,
            Standing.NO_TUTOR: 1,
            Standing.NOT_MATCHED: 1,
            Standing.NO_CONSENT: 2,
            Standing.TO_CONFIRM: 1,
        }


@on_sqlite
def test_reasons_are_those_of_the_newest_matching(app: Flask) -> None:
    with app.app_context():
        make_programme()
        make_tutor()
        family()
        propose()
        run_id = propose()
        for reason in REASONS:
            with transaction():
                entry = db.session.scalars(
                    select(UnservedRequest).where(UnservedRequest.run_id == run_id)
                ).one()
                entry.reason = reason
            assert standings() == {Standing(reason): 1}


def test_figures_stand_by_zone_subject_and_level(app: Flask) -> None:
    with app.test_request_context():
        make_programme()
        first = make_household(
            pupils=[("A B", "3AC", ("maths", "french")), ("C B", "1AC", ("maths",))],
            zone="Boujniba",
        )
        family("Gfaf")
        active_group(make_tutor(), [request_of(first)])
        figures = read_figures(EVERYWHERE)
        assert [(bar.name, bar.asked, bar.served) for bar in figures.zones] == [
            ("Boujniba", 3, 1),
            ("Gfaf", 1, 0),
        ]
        assert [(bar.name, bar.waiting) for bar in figures.subjects] == [
            ("Mathématiques", 2),
            ("Français", 1),
        ]
        assert [bar.asked for bar in figures.levels] == [1, 3]
        assert (figures.whole.asked, figures.whole.served, figures.whole.waiting) == (4, 1, 3)
        only = read_figures(scope_of_zone("Gfaf"))
        assert [bar.name for bar in only.zones] == ["Gfaf"]
        assert only.whole.reasons == [(Standing.NO_TUTOR, 1)]


def test_lessons_are_counted_by_week_with_the_hours_given(app: Flask) -> None:
    with app.app_context():
        make_programme()
        group = active_group(make_tutor(), [request_of(family())])
        family("Boujniba")
        lesson(group, datetime(2026, 11, 16, 0, 0), LessonState.HELD)
        lesson(group, datetime(2026, 11, 20, 18), LessonState.HELD, 90)
        lesson(group, datetime(2026, 11, 19, 18), LessonState.NOT_HELD)
        lesson(group, datetime(2026, 11, 21, 9), LessonState.PLANNED)
        lesson(group, datetime(2026, 11, 15, 23, 30), LessonState.PUPIL_ABSENT)
        lesson(group, datetime(2026, 9, 28, 18), LessonState.HELD)
        lesson(group, datetime(2026, 9, 27, 18), LessonState.HELD)
        weeks = count_lessons(EVERYWHERE)
        assert [week.first_day for week in weeks] == [
            date(2026, 9, 28) + timedelta(weeks=number) for number in range(8)
        ]
        newest, before, first = weeks[-1], weeks[-2], weeks[0]
        assert (newest.held, newest.missed, newest.not_noted, newest.hours) == (2, 1, 1, 2.5)
        assert (before.held, before.missed, before.total) == (0, 1, 1)
        assert (first.held, first.hours, first.last_day) == (1, 1.0, date(2026, 10, 4))
        assert sum(week.total for week in count_lessons(scope_of_zone("Boujniba"))) == 0
        assert sum(week.total for week in count_lessons(scope_of_zone("Aïn Kaïcher"))) == 6


@on_sqlite
def test_page_draws_bars_beside_their_numbers(app: Flask) -> None:
    client = in_english(app)
    page = words(client.get("/coordinator/figures").text)
    assert "Nobody has asked for lessons yet." in page
    with app.app_context():
        active_group(make_tutor(), [request_of(family("Boujniba"))])
        family("Boujniba", consent=None)
        family("Gfaf", consent=None)
    html = client.get("/coordinator/figures").text
    page = words(html)
    assert "Boujniba 2 1 1 1 no consent" in page
    assert "Gfaf 1 0 1 1 no consent" in page
    assert '<rect class="part served" x="0.0" y="0" width="500.0" height="20"/>' in html
    assert '<rect class="part staff" x="500.0" y="0" width="500.0" height="20"/>' in html
    assert '<rect class="part staff" x="0.0" y="0" width="500.0" height="20"/>' in html
    assert "style=" not in html
    assert "16 November 2026 0 0 0 0" in page


@on_sqlite
def test_zones_come_in_pages_and_as_many_queries(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_figures, "ZONES_PER_PAGE", 2)
    client = in_english(app)
    asked = []
    for zones in (["Aïn Kaïcher"], ["Boujniba", "Gfaf"]):
        with app.app_context():
            for zone in zones:
                active_group(make_tutor(), [request_of(family(zone))])
        with counted_statements(app) as statements:
            first = client.get("/coordinator/figures").text
        asked.append(len(statements))
    assert asked[0] == asked[1]
    assert "Gfaf" not in first
    assert "Gfaf" in client.get("/coordinator/figures?page=2").text
