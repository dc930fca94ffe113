"""Children added and edited by hand, by the same rules as imported lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from app.extensions import db
from app.i18n import _l, plain_key
from app.models import (
    Coordinator,
    Household,
    Level,
    Pupil,
    PupilNeed,
    RequestState,
    Tag,
)
from app.services import audit
from app.services.entered import entered_name, entered_ref
from app.services.errors import Conflict, Invalid
from app.services.family_changes import changing_family, household_of_pupil
from app.services.requests import new_request
from app.services.statements import Statement, record
from scheduler import clock


@dataclass(frozen=True, slots=True)
class PupilDetails:
    """What a coordinator says of a child, as it was typed and chosen."""

    first_name: str
    last_name: str
    ref: str
    """The number in the coordinator's own list; may be empty."""
    level_id: int
    needs: frozenset[str]


def add_pupil(
    household_id: int,
    details: PupilDetails,
    lessons: Mapping[int, int],
    statements: Collection[Statement],
    by: Coordinator,
    agreed: Collection[int] = (),
) -> Pupil:
    """Add a child to a family, with `lessons` a week by subject and what the guardian said.

    A child who keeps out of groups keeps the family's number out of them: that may end the seats of
    siblings, see `changing_family`.
    """
    with changing_family(household_id, by, agreed) as household:
        # Nothing is sent to the database before the child is complete.
        with db.session.no_autoflush:
            pupil = Pupil(created_at=clock.now())
            household.pupils.append(pupil)
            _apply(pupil, household, details)
            if not lessons:
                raise Invalid(_l("Choose at least one subject."))
            for subject_id, number in lessons.items():
                pupil.requests.append(new_request(pupil, subject_id, number))
        db.session.flush()
        for statement in statements:
            record(pupil, statement, by)
        audit.note("add_pupil", f"household:{household.id}", by, pupil_ids=[pupil.id])
    return pupil


def change_pupil(
    pupil_id: int, details: PupilDetails, by: Coordinator, agreed: Collection[int] = ()
) -> frozenset[str]:
    """Bring a child to these details; the names of what changed.

    A new level moves the child's open requests to it, and ends their seats in groups of the old
    one.
    """
    with changing_family(household_of_pupil(pupil_id), by, agreed) as household:
        pupil = db.session.get_one(Pupil, pupil_id)
        before = details_of(pupil)
        _apply(pupil, household, details)
        for request in pupil.requests:
            if request.state is not RequestState.ENDED:
                request.level = pupil.level
        after = details_of(pupil)
        changed = frozenset(
            name
            for name in PupilDetails.__dataclass_fields__
            if getattr(before, name) != getattr(after, name)
        )
        if changed:
            audit.note(
                "change_pupil",
                f"household:{household.id}",
                by,
                pupil_ids=[pupil.id],
                detail={"changed": sorted(changed)},
            )
    return changed


def get_pupil(pupil_id: int) -> Pupil:
    """The child of that id; NotFound if there is none."""
    household_of_pupil(pupil_id)
    return db.session.get_one(Pupil, pupil_id)


def list_tags() -> list[Tag]:
    """What children may need of whoever teaches them, in the list's order."""
    return list(db.session.scalars(select(Tag).order_by(Tag.rank)))


def details_of(pupil: Pupil) -> PupilDetails:
    """A child's details as they stand."""
    return PupilDetails(
        first_name=pupil.first_name,
        last_name=pupil.last_name,
        ref=pupil.ref or "",
        level_id=pupil.level.id,
        needs=frozenset(need.tag for need in pupil.needs),
    )


def _apply(pupil: Pupil, household: Household, details: PupilDetails) -> None:
    with db.session.no_autoflush:
        pupil.first_name = entered_name(details.first_name)
        pupil.last_name = entered_name(details.last_name)
        pupil.ref = entered_ref(details.ref)
        pupil.level = _checked_level(pupil, details.level_id)
        _refuse_doubles(pupil, household)
        held = {need.tag for need in pupil.needs}
        offered = set(db.session.scalars(select(Tag.code).where(Tag.retired.is_(False))))
        if not details.needs <= offered | held:
            raise Invalid(_l("Choose needs of the list."))
        if details.needs != held:
            pupil.needs = [PupilNeed(tag=code) for code in sorted(details.needs)]


def _checked_level(pupil: Pupil, level_id: int) -> Level:
    level = db.session.get(Level, level_id)
    if level is None or (level.retired and level is not pupil.level):
        raise Invalid(_l("Choose the child's school year."))
    return level


def _refuse_doubles(pupil: Pupil, household: Household) -> None:
    """Namesakes in one family do exist: then their numbers in the list tell them apart."""
    if pupil.ref is not None:
        other = db.session.scalar(select(Pupil).where(Pupil.ref == pupil.ref))
        if other is not None and other is not pupil:
            raise Conflict(_l("This number is another child's already."))
    key = plain_key(pupil.name)
    for sibling in household.pupils:
        if sibling is pupil or plain_key(sibling.name) != key:
            continue
        if pupil.ref is None or sibling.ref is None:
            raise Conflict(
                _l(
                    "This family has a child of this name already. For two children of the same "
                    "name, give both a number of their own."
                )
            )
