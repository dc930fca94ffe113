"""Families ask by themselves: for a child, for a subject. A coordinator confirms what they ask.

`read_...` understand what was typed; the others are parts of the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.extensions import db
from app.i18n import _l, plain_key
from app.models import (
    ConsentKind,
    ConsentMeans,
    Household,
    Level,
    Pupil,
    RequestOrigin,
    RequestState,
    Subject,
    TutoringRequest,
)
from app.services.consent import record_statement
from app.services.errors import Invalid
from app.services.groups import leave_without_right
from app.services.imports.cells import clean, parse_guardian, parse_name, parse_zone
from app.services.imports.problems import BadCell
from scheduler import clock

MOST_CHILDREN = 10
"""So many children can be asked for at once, and be added to a family by itself."""


@dataclass(frozen=True, slots=True)
class AskedChild:
    """A child whom a family asks lessons for."""

    first_name: str
    last_name: str
    level_id: int
    subject_ids: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a guardian answered to the two questions of docs/consent.md."""

    lessons: bool
    groups: bool


def read_child(
    first_name: str, last_name: str, level_id: int | None, subject_ids: Collection[int]
) -> AskedChild:
    """A child as it was typed; Invalid says what can't be understood."""
    return AskedChild(
        first_name=read_name(first_name),
        last_name=read_name(last_name),
        level_id=_offered_level(level_id),
        subject_ids=read_subjects(subject_ids),
    )


def read_name(text: str) -> str:
    """A first or last name, without what nobody sees; Invalid where it is none."""
    try:
        return parse_name(clean(text))
    except BadCell:
        raise Invalid(_l("Write a name in letters, at most 80 of them.")) from None


def read_guardian(text: str) -> str:
    """An adult's whole name; Invalid where it is none."""
    try:
        return parse_guardian(clean(text))
    except BadCell:
        raise Invalid(_l("Write a name in letters, at most 160 of them.")) from None


def read_zone(text: str) -> str:
    """The name of a commune; Invalid where it is none."""
    try:
        return parse_zone(clean(text))
    except BadCell:
        raise Invalid(_l("Write the name of the commune in letters, at most 80.")) from None


def read_subjects(subject_ids: Collection[int]) -> tuple[int, ...]:
    """Those of the subjects that are offered; Invalid where none is."""
    offered = [subject.id for subject in offered_subjects() if subject.id in subject_ids]
    if not offered:
        raise Invalid(_l("Choose at least one subject."))
    return tuple(offered)


def offered_subjects() -> Sequence[Subject]:
    """The subjects that can be asked for."""
    return db.session.scalars(
        select(Subject).where(Subject.retired.is_(False)).order_by(Subject.id)
    ).all()


def offered_levels() -> Sequence[Level]:
    """The levels that can be asked for, from the youngest on."""
    return db.session.scalars(
        select(Level).where(Level.retired.is_(False)).order_by(Level.rank)
    ).all()


def _offered_level(level_id: int | None) -> int:
    if level_id not in [level.id for level in offered_levels()]:
        raise Invalid(_l("Choose the level."))
    assert level_id is not None
    return level_id


def put_child(household: Household, child: AskedChild, origin: RequestOrigin) -> Pupil:
    """The family's child of that name, added where there is none, with what is asked for it."""
    pupil = _of_same_name(household.pupils, child)
    if pupil is None:
        if len(household.pupils) >= MOST_CHILDREN:
            raise Invalid(_l("So many children can be added by a coordinator only."))
        pupil = Pupil(
            first_name=child.first_name,
            last_name=child.last_name,
            level_id=child.level_id,
            created_at=clock.now(),
        )
        household.pupils.append(pupil)
        db.session.flush()
    put_subjects(pupil, child.subject_ids, origin)
    return pupil


def put_subjects(pupil: Pupil, subject_ids: Iterable[int], origin: RequestOrigin) -> None:
    """Ask for the subjects that a child has no open request for; each waits to be confirmed."""
    known = {request.subject_id: request for request in pupil.requests}
    for subject_id in subject_ids:
        request = known.get(subject_id)
        if request is None:
            request = TutoringRequest(subject_id=subject_id)
            pupil.requests.append(request)
        elif request.state is not RequestState.ENDED:
            continue
        request.level_id = pupil.level_id
        request.state = RequestState.TO_CONFIRM
        request.origin = origin
        request.created_at = clock.now()
        request.confirmed_at = request.confirmed_by_id = None
        request.ended_at = request.end_reason = None
    db.session.flush()


def state_consent(
    pupils: Sequence[Pupil], agreed: Agreed, means: ConsentMeans, *, said_by: str
) -> None:
    """Keep a guardian's two answers for children of one family, locked by `lock_family`.

    A no to groups keeps the family's number from all of them, so places in groups can end by it.
    """
    for pupil in pupils:
        for kind, given in (
            (ConsentKind.LESSONS, agreed.lessons),
            (ConsentKind.GROUP_LESSONS, agreed.groups),
        ):
            record_statement(pupil, kind, means, given=given, said_by=said_by)
    leave_without_right(pupil.id for pupil in pupils[0].household.pupils)


def _of_same_name(pupils: Iterable[Pupil], child: AskedChild) -> Pupil | None:
    """The child that is meant: accents, case and which name stands first make no difference."""
    wanted = plain_key(child.first_name + child.last_name)
    for pupil in pupils:
        first, last = pupil.first_name, pupil.last_name
        if wanted in (plain_key(first + last), plain_key(last + first)):
            return pupil
    return None
