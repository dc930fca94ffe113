"""Zones: names that stay apart, and two zones that become one."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    CoordinatorZone,
    Household,
    Invitation,
    ListKind,
    Zone,
)
from app.services import zones
from app.services.coordinators import find_coordinator
from app.services.errors import Conflict, Invalid, NotFound
from app.services.imports import apply_import
from scheduler import clock
from tests.support import people
from tests.support.lists import HIBA, make_list


@pytest.fixture(autouse=True)
def _programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


def zone_names() -> list[str]:
    return [zone.name for zone in zones.all_zones()]


def test_zone_is_added_once_however_it_is_spelt() -> None:
    zones.add_zone("Aïn  Kaïcher", "عين القيشر", None)
    for name in ("ain kaicher", "AÏN-KAÏCHER"):
        with pytest.raises(Conflict, match="Aïn Kaïcher"):
            zones.add_zone(name, "", None)
    assert zone_names() == ["Aïn Kaïcher"]
    assert zones.all_zones()[0].name_in("ar") == "عين القيشر"


@pytest.mark.parametrize("name", ["", "  ", "123", "A" * 81, "ﷺ" * 10])
def test_zone_needs_a_name_that_can_be_one(name: str) -> None:
    with pytest.raises(Invalid):
        zones.add_zone(name, "", None)


def test_renamed_zone_is_still_known_by_its_old_name_in_lists() -> None:
    zone = zones.add_zone(HIBA["zone"], "", None)
    zones.change_zone(zone.id, "Commune nouvelle", "جماعة", listed=True, by=None)
    report = apply_import(ListKind.PUPILS, make_list(HIBA), None)
    assert report.new_zones == ()
    home = db.session.scalars(select(Household)).one()
    assert home.zone_id == zone.id
    assert zone_names() == ["Commune nouvelle"]
    with pytest.raises(Conflict):
        zones.add_zone(HIBA["zone"], "", None)
    zones.change_zone(zone.id, HIBA["zone"], "", listed=False, by=None)
    row = db.session.get_one(Zone, zone.id)
    assert (row.name, row.name_ar, row.listed) == (HIBA["zone"], None, False)


def test_merged_zone_takes_everything_along() -> None:
    gone = people.make_household(zone="Ait Hani").zone_id
    kept = people.make_household(zone="Aït Hany").zone_id
    people.make_coordinator("one@example.org")
    people.make_coordinator("both@example.org")
    one, both = (find_coordinator(f"{name}@example.org") for name in ("one", "both"))
    db.session.add_all(
        [
            CoordinatorZone(coordinator_id=one.id, zone_id=gone),
            CoordinatorZone(coordinator_id=both.id, zone_id=gone),
            CoordinatorZone(coordinator_id=both.id, zone_id=kept),
            Invitation(
                email="new@example.org",
                name="New",
                is_administrator=False,
                all_zones=False,
                zone_ids=[gone],
                token_hash="x",
                created_at=clock.now(),
                expires_at=clock.now(),
            ),
        ]
    )
    db.session.commit()
    entry = zones.get_zone(gone)
    assert (entry.households, entry.coordinators) == (1, 2)
    assert zones.merge_zones(gone, kept, one).id == kept
    assert {home.zone_id for home in db.session.scalars(select(Household))} == {kept}
    held = db.session.execute(select(CoordinatorZone.coordinator_id, CoordinatorZone.zone_id))
    assert sorted(tuple(row) for row in held) == [(one.id, kept), (both.id, kept)]
    assert db.session.scalars(select(Invitation.zone_ids)).one() == [kept]
    assert zone_names() == ["Aït Hany"]
    row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "merge_zones")).one()
    assert (row.subject, row.coordinator_id) == (f"zone:{kept}", one.id)
    assert row.detail == {"gone": gone, "name": "Ait Hani", "households": 1}

    report = apply_import(ListKind.PUPILS, make_list({**HIBA, "zone": "AIT HANI"}), None)
    assert report.new_zones == ()
    assert zone_names() == ["Aït Hany"]


def test_zone_is_merged_while_one_of_its_families_moves(app: Flask) -> None:
    home_id = people.make_household(zone="Ait Hani").id
    gone = db.session.get_one(Household, home_id).zone_id
    kept = people.make_household(zone="Aït Hany").zone_id

    def merge() -> None:
        with app.app_context():
            zones.merge_zones(gone, kept, None)

    merging = Thread(target=merge)
    with transaction():
        home = db.session.get_one(Household, home_id, with_for_update=True)
        merging.start()
        merging.join(timeout=0.3)
        assert merging.is_alive(), "who comes second waits for who was first"
        home.zone_id = kept
    merging.join(timeout=10)
    assert zone_names() == ["Aït Hany"]


def test_zone_does_not_merge_into_itself_or_into_nothing() -> None:
    zone = zones.add_zone("Ait Hani", "", None)
    with pytest.raises(Invalid):
        zones.merge_zones(zone.id, zone.id, None)
    with pytest.raises(NotFound):
        zones.merge_zones(zone.id, 999, None)
    assert zone_names() == ["Ait Hani"]


def test_zones_are_found_in_either_script_page_by_page() -> None:
    for number in range(51):
        zones.add_zone(f"Douar {chr(97 + number // 26)}{chr(97 + number % 26)}", "", None)
    zones.add_zone("Aïn Kaïcher", "عين القيشر", None)
    assert [row.zone.name for row in zones.find_zones("KAICH", 1)[0]] == ["Aïn Kaïcher"]
    assert [row.zone.name for row in zones.find_zones("القيشر", 1)[0]] == ["Aïn Kaïcher"]
    rows, page = zones.find_zones("", 2)
    assert (len(rows), page.pages, page.total) == (2, 2, 52)
    assert zones.find_zones("%", 1)[0] == []
