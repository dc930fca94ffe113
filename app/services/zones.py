"""Zones: added, renamed, listed or not, and merged where two are one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.database import transaction
from app.extensions import db
from app.i18n import _l, plain_key
from app.models import Coordinator, CoordinatorZone, Household, Invitation, Zone
from app.services import audit
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_line
from app.services.imports.apply import ONE_IMPORT_AT_A_TIME
from app.services.paging import Page, page_of

LONGEST_NAME = 80
PER_PAGE = 50
SOUTH, NORTH = 20.0, 36.5
WEST, EAST = -17.5, -0.5
"""Where the programme's communes can lie, in degrees north and east."""

Where = tuple[float, float]
"""Latitude and longitude, in degrees north and east."""


@dataclass(frozen=True, slots=True)
class ListedZone:
    """A zone with how many answer for it and live in it."""

    zone: Zone
    households: int
    coordinators: int


def find_zones(searched: str, page_number: int) -> tuple[list[ListedZone], Page]:
    """The zones whose name holds what is searched, in either script, by name."""
    chosen = _named_like(searched)
    total = db.session.scalar(select(func.count()).select_from(Zone).where(*chosen)) or 0
    page = page_of(total, page_number, PER_PAGE)
    rows = db.session.scalars(
        select(Zone).where(*chosen).order_by(Zone.key, Zone.id).offset(page.first).limit(page.size)
    ).all()
    return _with_counts([row.id for row in rows], list(rows)), page


def count_zones() -> int:
    """How many zones there are."""
    return db.session.scalar(select(func.count()).select_from(Zone)) or 0


def all_zones() -> list[Zone]:
    """Every zone, by name."""
    return list(db.session.scalars(select(Zone).order_by(Zone.key, Zone.id)))


def get_zone(zone_id: int) -> ListedZone:
    """One zone; NotFound if there is none."""
    return _with_counts([zone_id], [_zone(zone_id)])[0]


def add_zone(
    name: str, name_ar: str, by: Coordinator | None, *, where: Where | None = None
) -> Zone:
    """Add a zone; Conflict where it is there under this or another name."""
    with _one_change():
        zone = Zone(listed=True)
        _name(zone, name, name_ar)
        _put(zone, where)
        db.session.add(zone)
        db.session.flush()
        audit.note("add_zone", f"zone:{zone.id}", by, detail={"name": zone.name})
    return zone


def change_zone(
    zone_id: int,
    name: str,
    name_ar: str,
    *,
    listed: bool,
    by: Coordinator | None,
    where: Where | None = None,
) -> Zone:
    """Rename a zone, or offer it or not. Lists may go on using the name that it had."""
    with _one_change():
        zone = _zone(zone_id, lock=True)
        before = _said_of(zone)
        _name(zone, name, name_ar)
        _put(zone, where)
        zone.listed = listed
        after = _said_of(zone)
        audit.note("change_zone", f"zone:{zone.id}", by, detail={"before": before, "after": after})
    return zone


def merge_zones(zone_id: int, into_id: int, by: Coordinator | None) -> Zone:
    """Make one of two zones: families, coordinators and invitations go over to `into_id`.

    Lists that use the name of the zone that is gone mean the other from then on.
    """
    if zone_id == into_id:
        raise Invalid(_l("Choose another zone than this one."))
    with _one_change():
        _lock_families(zone_id)
        first, second = sorted((zone_id, into_id))
        locked = {number: _zone(number, lock=True) for number in (first, second)}
        gone, kept = locked[zone_id], locked[into_id]
        moved = db.session.scalars(
            update(Household)
            .where(Household.zone_id == gone.id)
            .values(zone_id=kept.id)
            .returning(Household.id)
        ).all()
        _move_coordinators(gone, kept)
        _move_invitations(gone, kept)
        kept.also = sorted({*(kept.also or ()), *(gone.also or ()), gone.key})
        kept.name_ar = kept.name_ar or gone.name_ar
        if kept.latitude is None:
            kept.latitude, kept.longitude = gone.latitude, gone.longitude
        db.session.flush()
        db.session.delete(gone)
        audit.note(
            "merge_zones",
            f"zone:{kept.id}",
            by,
            detail={"gone": zone_id, "name": gone.name, "households": len(moved)},
        )
    return kept


def _one_change() -> AbstractContextManager[None]:
    """No import runs meanwhile: it would name families after a zone that is going."""
    return transaction(one_at_a_time=ONE_IMPORT_AT_A_TIME)


def _lock_families(zone_id: int) -> None:
    """Before their zone: so does whoever moves one of them to another."""
    families = select(Household.id).where(Household.zone_id == zone_id)
    db.session.scalars(families.order_by(Household.id).with_for_update()).all()


def _zone(zone_id: int, *, lock: bool = False) -> Zone:
    zone = db.session.get(Zone, zone_id, with_for_update=lock or None)
    if zone is None:
        raise NotFound(_l("This zone does not exist."))
    return zone


def _put(zone: Zone, where: Where | None) -> None:
    """Say where a zone lies, by which the sun sets there; None where that is not known."""
    if where is not None and not (SOUTH <= where[0] <= NORTH and WEST <= where[1] <= EAST):
        raise Invalid(
            _l("This place is not in Morocco. West of Greenwich, longitudes are negative.")
        )
    zone.latitude, zone.longitude = where or (None, None)


def _said_of(zone: Zone) -> dict[str, object]:
    return {
        "name": zone.name,
        "name_ar": zone.name_ar,
        "listed": zone.listed,
        "where": [zone.latitude, zone.longitude],
    }


def _name(zone: Zone, name: str, name_ar: str) -> None:
    name, name_ar = read_line(name), read_line(name_ar)
    key = plain_key(name)
    if not any(sign.isalpha() for sign in key):
        raise Invalid(_l("Give the zone's name, with letters."))
    if max(len(name), len(name_ar), len(key)) > LONGEST_NAME:
        raise Invalid(_l("A name has at most 80 letters."))
    with db.session.no_autoflush:
        for other in all_zones():
            if other.id != zone.id and key in {other.key, *(other.also or ())}:
                raise Conflict(_l("This name is that of the zone %(name)s.", name=other.name))
    if zone.key is not None and zone.key != key:
        zone.also = sorted({*(zone.also or ()), zone.key} - {key})
    zone.name, zone.key, zone.name_ar = name, key, name_ar or None


def _move_coordinators(gone: Zone, kept: Zone) -> None:
    rows = db.session.scalars(select(CoordinatorZone).where(CoordinatorZone.zone_id == gone.id))
    had = set(
        db.session.scalars(
            select(CoordinatorZone.coordinator_id).where(CoordinatorZone.zone_id == kept.id)
        )
    )
    for row in rows.all():
        if row.coordinator_id not in had:
            db.session.add(CoordinatorZone(coordinator_id=row.coordinator_id, zone_id=kept.id))
        db.session.delete(row)


def _move_invitations(gone: Zone, kept: Zone) -> None:
    for invitation in db.session.scalars(select(Invitation).where(Invitation.ended_at.is_(None))):
        if gone.id in invitation.zone_ids:
            invitation.zone_ids = sorted({*invitation.zone_ids, kept.id} - {gone.id})


def _with_counts(ids: list[int], zones: list[Zone]) -> list[ListedZone]:
    homes = _count(Household.zone_id, ids)
    staff = _count(CoordinatorZone.zone_id, ids)
    return [ListedZone(zone, homes.get(zone.id, 0), staff.get(zone.id, 0)) for zone in zones]


def _count(column: InstrumentedAttribute[int], ids: list[int]) -> dict[int, int]:
    rows = db.session.execute(select(column, func.count()).where(column.in_(ids)).group_by(column))
    return {zone_id: number for zone_id, number in rows}  # noqa: C416


def _named_like(searched: str) -> list[ColumnElement[bool]]:
    # No name is longer, and SQLite takes no pattern of any length.
    searched = read_line(searched)[: LONGEST_NAME + 1]
    if not searched:
        return []
    key = plain_key(searched)[: LONGEST_NAME + 1]
    by_key = [Zone.key.contains(key, autoescape=True)] if key else []
    return [or_(*by_key, Zone.name_ar.contains(searched, autoescape=True))]
