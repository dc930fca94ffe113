"""The writes of a planned pupils' list, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.extensions import db
from app.models import (
    Consent,
    ConsentMeans,
    Coordinator,
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Pupil,
    RequestState,
    TutoringRequest,
    Zone,
)
from app.services import family_links
from app.services.consent import CONSENT_TEXT_VERSION
from app.services.imports import bulk
from app.services.imports.known import Codes, KnownZone
from app.services.imports.pupils import (
    PlannedFamily,
    PlannedPupil,
    PlannedRequest,
    PupilsPlan,
    RequestStep,
)
from app.services.imports.seats import lock_seats, store_seats
from scheduler import clock

Written = list[tuple[PlannedFamily, PlannedPupil, int]]
"""A family, one of its children in the list, and the child's id."""


def store_pupils(
    plan: PupilsPlan, zones: dict[str, KnownZone], codes: Codes, by: Coordinator | None
) -> set[int]:
    """Write a plan; return the ids of the children whose records it added or changed."""
    now = clock.now()
    lock_seats(plan.seats, _known_households(plan.families))
    zone_ids = {zone.name: zone.id for zone in zones.values()} | _store_zones(plan.new_zones)
    household_ids = _store_households(plan.families, zone_ids, now)
    written = _store_children(plan.families, household_ids, codes, now)
    _store_requests(written, codes, now)
    _store_statements(written, by, now)
    _end_links(plan.families)
    store_seats(plan.seats)
    touched = {id_ for _family, pupil, id_ in written if pupil.known is None or pupil.changes}
    touched |= plan.seats.leavers
    return touched | {child for family in plan.report.families for child in family.sibling_ids}


def _known_households(families: Sequence[PlannedFamily]) -> set[int]:
    """Those that children of the list are in, or leave."""
    ids = {family.known.id for family in families if family.known is not None}
    children = (pupil.known for family in families for pupil in family.pupils)
    return ids | {known.household_id for known in children if known is not None}


def _end_links(families: Sequence[PlannedFamily]) -> None:
    """A link went to the telephone that the family had; with another number it ends."""
    for family in families:
        if family.known is not None and family.known.phone != family.phone:
            family_links.revoke_links(db.session.get_one(Household, family.known.id))


def _store_zones(new_zones: dict[str, str]) -> dict[str, int]:
    rows = [{"key": key, "name": name} for key, name in new_zones.items()]
    return dict(zip(new_zones.values(), bulk.add(Zone, rows), strict=True))


def _store_households(
    families: Sequence[PlannedFamily], zone_ids: dict[str, int], now: datetime
) -> list[int]:
    """Add and change households; return the id of each family's."""
    changed = [(f.known, f) for f in families if f.known is not None and f.changes]
    bulk.change(Household, [{"id": k.id, **_household(f, zone_ids)} for k, f in changed])
    bulk.change(Guardian, [{"id": k.guardian_id, "name": f.family.guardian} for k, f in changed])
    for table in (HouseholdChannel, HouseholdLanguage, HouseholdWindow):
        bulk.remove_of(table, table.household_id, [known.id for known, _family in changed])
    added = [family for family in families if family.known is None]
    rows = [{**_household(family, zone_ids), "created_at": now} for family in added]
    new = dict(zip((f.phone for f in added), bulk.add(Household, rows), strict=True))
    bulk.add_all(
        Guardian, [{"household_id": new[f.phone], "name": f.family.guardian} for f in added]
    )
    ids = [new[f.phone] if f.known is None else f.known.id for f in families]
    _store_means(
        [(id_, f) for id_, f in zip(ids, families, strict=True) if f.known is None or f.changes]
    )
    return ids


def _store_means(families: Sequence[tuple[int, PlannedFamily]]) -> None:
    """Add channels, languages and windows, given with the household's id."""
    channels, languages, windows = [], [], []
    for household_id, planned in families:
        owner, family = {"household_id": household_id}, planned.family
        channels += bulk.codes_of(owner, "channel", family.channels)
        languages += bulk.codes_of(owner, "language", family.languages)
        windows += bulk.windows_of(owner, family.windows)
    bulk.add_all(HouseholdChannel, channels)
    bulk.add_all(HouseholdLanguage, languages)
    bulk.add_all(HouseholdWindow, windows)


def _household(family: PlannedFamily, zone_ids: dict[str, int]) -> dict[str, Any]:
    return {
        "phone": family.phone,
        "zone_id": zone_ids[family.family.zone],
        "times_to_agree": family.family.windows is None,
        "email": family.family.email,
        "message_language": family.family.message_language,
    }


def _store_children(
    families: Sequence[PlannedFamily], household_ids: list[int], codes: Codes, now: datetime
) -> Written:
    """Add and change the children of families, given with the ids of their households."""
    added, changed = [], []
    for family, household_id in zip(families, household_ids, strict=True):
        for pupil in family.pupils:
            values = _child(pupil, household_id, codes)
            if pupil.known is None:
                added.append({**values, "created_at": now})
            elif pupil.changes:
                changed.append({"id": pupil.known.id, **values})
    bulk.change(Pupil, changed)
    new_ids = iter(bulk.add(Pupil, added))
    return [
        (family, pupil, next(new_ids) if pupil.known is None else pupil.known.id)
        for family in families
        for pupil in family.pupils
    ]


def _child(pupil: PlannedPupil, household_id: int, codes: Codes) -> dict[str, Any]:
    cells = pupil.row.values
    return {
        "ref": cells.get("pupil") or (pupil.known.ref if pupil.known else None),
        "household_id": household_id,
        "first_name": cells["prenom"],
        "last_name": cells["nom"],
        "level_id": codes.levels[cells["niveau"]],
    }


def _store_requests(written: Written, codes: Codes, now: datetime) -> None:
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for _family, pupil, pupil_id in written:
        level_id = codes.levels[pupil.row.values["niveau"]]
        for request in pupil.requests:
            if request.known_id is None:
                subject_id = codes.subjects[request.subject]
                new = {"pupil_id": pupil_id, "subject_id": subject_id, "level_id": level_id}
                added.append({**new, "created_at": now})
            else:
                values = _request_values(request, level_id, now)
                changed.append({"id": request.known_id, **values})
    bulk.add_all(TutoringRequest, added)
    bulk.change(TutoringRequest, changed)


def _request_values(request: PlannedRequest, level_id: int, now: datetime) -> dict[str, Any]:
    if request.step is RequestStep.END:
        return {"state": RequestState.ENDED, "ended_at": now}
    if request.step is RequestStep.REOPEN:
        waiting = {"state": RequestState.WAITING, "level_id": level_id}
        return waiting | {"ended_at": None, "end_reason": None}
    return {"level_id": level_id}


def _store_statements(written: Written, by: Coordinator | None, now: datetime) -> None:
    bulk.add_all(
        Consent,
        [
            {
                "pupil_id": pupil_id,
                "kind": statement.kind,
                "given": statement.given,
                "guardian_name": family.family.guardian,
                "means": ConsentMeans.DECLARED_BY_IMPORT,
                "text_version": CONSENT_TEXT_VERSION,
                "declared_by_id": None if by is None else by.id,
                "at": now,
            }
            for family, pupil, pupil_id in written
            for statement in pupil.statements
        ],
    )
