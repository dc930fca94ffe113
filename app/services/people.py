"""What the coordinators' pages show of people: volunteers, families."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.extensions import db
from app.i18n import _l, plain_key
from app.models import (
    Channel,
    Guardian,
    Household,
    Language,
    Level,
    Pupil,
    Subject,
    Tag,
    Tutor,
    TutoringRequest,
    TutorState,
    Zone,
)
from app.services import names
from app.services.errors import Invalid, NotFound
from app.services.paging import Page, page_of
from app.services.scope import Scope

PER_PAGE = 50
_SHORTEST_NUMBER_SEARCHED = 4


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the programme offers, to name what people's rows point at."""

    subjects: dict[int, Subject]
    levels: dict[int, Level]
    channels: dict[str, Channel]
    languages: dict[str, Language]


@dataclass(frozen=True, slots=True)
class Taught:
    """A subject that a tutor teaches; its levels as unbroken stretches (lowest, highest)."""

    subject: Subject
    stretches: list[tuple[Level, Level]]


def read_catalogue() -> Catalogue:
    """Everything that the programme offers."""
    session = db.session
    return Catalogue(
        subjects={row.id: row for row in session.scalars(select(Subject))},
        levels={row.id: row for row in session.scalars(select(Level))},
        channels={row.code: row for row in session.scalars(select(Channel))},
        languages={row.code: row for row in session.scalars(select(Language))},
    )


def taught_by(tutor: Tutor, catalogue: Catalogue) -> list[Taught]:
    """What a tutor teaches, shortest said: neighbouring levels become one stretch."""
    order = sorted(catalogue.levels.values(), key=lambda level: level.rank)
    place = {level.id: index for index, level in enumerate(order)}
    by_subject: dict[int, list[int]] = {}
    for entry in tutor.teaches:
        by_subject.setdefault(entry.subject_id, []).append(place[entry.level_id])
    return [
        Taught(
            catalogue.subjects[subject_id],
            [(order[low], order[high]) for low, high in _stretches(sorted(places))],
        )
        for subject_id, places in sorted(by_subject.items())
    ]


def _stretches(places: Iterable[int]) -> list[tuple[int, int]]:
    stretches: list[tuple[int, int]] = []
    for place in places:
        if stretches and stretches[-1][1] == place - 1:
            stretches[-1] = (stretches[-1][0], place)
        else:
            stretches.append((place, place))
    return stretches


def find_tutors(name: str, state: TutorState | None, page_number: int) -> tuple[list[Tutor], Page]:
    """One page of the volunteers whose name or number contains `name`, in the order of names."""
    statement = select(Tutor.id, Tutor.first_name, Tutor.last_name, Tutor.phone)
    if state is not None:
        statement = statement.where(Tutor.state == state)
    found = sorted(
        (plain_key(last + first), tutor_id)
        for tutor_id, first, last, phone in db.session.execute(statement)
        if _matches(name, phone, first + last, last + first)
    )
    page = page_of(len(found), page_number, PER_PAGE)
    ids = [tutor_id for _key, tutor_id in page.cut(found)]
    rows = {row.id: row for row in db.session.scalars(select(Tutor).where(Tutor.id.in_(ids)))}
    return [rows[tutor_id] for tutor_id in ids], page


def tags_of(tutor: Tutor) -> list[Tag]:
    """What a pupil may need of a tutor and this one is, such as a woman; in the list's order."""
    codes = [row.tag for row in tutor.tags]
    return list(db.session.scalars(select(Tag).where(Tag.code.in_(codes)).order_by(Tag.rank)))


def get_tutor(tutor_id: int) -> Tutor:
    """The tutor of that id; NotFound if there is none."""
    tutor = db.session.get(Tutor, tutor_id)
    if tutor is None:
        raise NotFound(_l("This volunteer does not exist."))
    return tutor


def find_households(
    name: str,
    zone_id: int | None,
    page_number: int,
    scope: Scope,
) -> tuple[list[Household], Page]:
    """One page of these zones' families of whom a name or the number fits `name`.

    The best fits first (see `names.rank`), then in the order of zones and guardians' names;
    everything that a page says of them is loaded.
    """
    found = sorted(_household_keys(name, zone_id, scope))
    page = page_of(len(found), page_number, PER_PAGE)
    ids = [number for *_keys, number in page.cut(found)]
    rows = {
        row.id: row
        for row in db.session.scalars(
            select(Household)
            .where(Household.id.in_(ids))
            .options(
                joinedload(Household.zone),
                joinedload(Household.guardian),
                selectinload(Household.pupils).options(
                    joinedload(Pupil.level),
                    selectinload(Pupil.consents),
                    selectinload(Pupil.requests).options(
                        joinedload(TutoringRequest.subject), joinedload(TutoringRequest.level)
                    ),
                ),
            )
        )
    }
    return [rows[number] for number in ids], page


def _household_keys(
    name: str, zone_id: int | None, scope: Scope
) -> Iterable[tuple[int, str, str, int]]:
    """(rank, zone, guardian, id) of each family that matches, as keys to sort by."""
    families = (
        select(Household.id, Household.phone, Zone.key, Guardian.name)
        .join(Household.zone)
        .join(Household.guardian)
        .where(scope.limits(Household.zone_id))
    )
    if zone_id is not None:
        families = families.where(Household.zone_id == zone_id)
    children: dict[int, list[str]] = {}
    for number, first, last in db.session.execute(
        select(Pupil.household_id, Pupil.first_name, Pupil.last_name)
    ):
        children.setdefault(number, []).append(f"{first} {last}")
    for number, phone, zone_key, guardian in db.session.execute(families):
        known = (guardian, *children.get(number, ()))
        fits = [found for one in known if (found := names.rank(name, one)) is not None]
        if _has_number(name, phone):
            fits.append(names.SAME)
        if fits:
            yield min(fits), zone_key, plain_key(guardian), number


def _matches(searched: str, phone: str | None, *names: str) -> bool:
    key = plain_key(searched)
    return not key or any(key in plain_key(name) for name in names) or _has_number(searched, phone)


def _has_number(searched: str, phone: str | None) -> bool:
    key = plain_key(searched)
    # 0600-000101 and +212 600 000101 are one number: what differs stands before the six.
    digits = key.lstrip("0").removeprefix("212") if key.isdecimal() else ""
    return len(digits) >= _SHORTEST_NUMBER_SEARCHED and digits in (phone or "")


def list_zones(scope: Scope) -> list[Zone]:
    """These zones in the order of their names."""
    return list(db.session.scalars(select(Zone).where(scope.limits(Zone.id)).order_by(Zone.key)))


def zones_called(names: Collection[str]) -> list[int]:
    """The ids of the zones with these names, in any spelling; Invalid where one is not known."""
    known = {row.key: row.id for row in db.session.scalars(select(Zone))}
    unknown = [name for name in names if plain_key(name) not in known]
    if unknown:
        raise Invalid(_l("There is no zone %(name)s.", name=unknown[0]))
    return [known[plain_key(name)] for name in names]
