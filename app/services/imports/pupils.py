"""What the pupils' list would change, found by comparing it with the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.i18n import plain_key
from app.models import ConsentKind, ListKind, RequestState
from app.services.imports.cells import Answer
from app.services.imports.columns import COLUMNS
from app.services.imports.known import Family, KnownFamily, KnownPupil, KnownZone
from app.services.imports.naming import in_order
from app.services.imports.pupil_rows import find_known, refuse_contradictions
from app.services.imports.reading import ReadList
from app.services.imports.report import (
    Change,
    Effects,
    FamilyChange,
    ImportReport,
    RowReport,
    Status,
    row_report,
    status_of,
)
from app.services.imports.rows import Row
from app.services.imports.seats import KnownSeat, SeatChanges, seat_changes
from app.services.imports.wording import Statement

_CONSENTS: Final = {
    "consentement": ConsentKind.LESSONS,
    "consentement_groupe": ConsentKind.GROUP_LESSONS,
}
_FAMILY_FIELDS: Final = {
    "zone": "zone",
    "tuteur_legal": "guardian",
    "langues": "languages",
    "canaux": "channels",
    "joignable": "windows",
    "email": "email",
    "langue_messages": "message_language",
}
_PLACES: Final = {column.heading: place for place, column in enumerate(COLUMNS[ListKind.PUPILS])}


class RequestStep(StrEnum):
    """What becomes of one request."""

    ADD = "added"
    REOPEN = "reopened"
    END = "ended"
    MOVE_LEVEL = "moved"


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    step: RequestStep
    subject: str
    known_id: int | None

    def state_after(self, state: RequestState) -> RequestState:
        """The state of the request, known in this one, once the step is taken."""
        after = {RequestStep.REOPEN: RequestState.WAITING, RequestStep.END: RequestState.ENDED}
        return after.get(self.step, state)


@dataclass(frozen=True, slots=True)
class PlannedStatement:
    """A statement of the guardian to be added; `effect` names its count in `Effects`."""

    kind: ConsentKind
    given: bool
    effect: str


@dataclass(frozen=True, slots=True)
class PlannedPupil:
    """One good row and what storing it does."""

    row: Row
    known: KnownPupil | None
    moves: bool
    changes: tuple[Change, ...]
    requests: tuple[PlannedRequest, ...]
    statements: tuple[PlannedStatement, ...]

    @property
    def status(self) -> Status:
        return status_of(self.known, self.changes)


@dataclass(frozen=True, slots=True)
class PlannedFamily:
    """The good rows of one telephone; `known` is the household they go to, if there is one."""

    phone: str
    family: Family
    known: KnownFamily | None
    changes: tuple[Change, ...]
    """What changes in the known household, its telephone included."""
    pupils: tuple[PlannedPupil, ...]


@dataclass(frozen=True, slots=True)
class PupilsPlan:
    """What is to be written, and the report on it."""

    families: tuple[PlannedFamily, ...]
    new_zones: dict[str, str]
    """Key to name."""
    seats: SeatChanges
    report: ImportReport


def plan_pupils(
    read: ReadList,
    families: list[KnownFamily],
    zones: dict[str, KnownZone],
    known_seats: list[KnownSeat],
) -> PupilsPlan:
    """Compare rows with what is known. Only rows without a problem are planned."""
    rows = read.rows
    refuse_contradictions(rows)
    found = find_known(rows, families)
    good = [row for row in rows if not row.problems]
    zone_names = {key: zone.name for key, zone in zones.items()}
    for row in good:
        zone_names.setdefault(plain_key(row.values["zone"]), row.values["zone"])
    planned = _plan_families(rows, found, families, zone_names)
    new_zones = {key: name for key, name in zone_names.items() if key not in zones}
    seats = seat_changes(known_seats, planned, families)
    report = ImportReport(
        kind=ListKind.PUPILS,
        source=read.source,
        ignored_columns=read.ignored_columns,
        rows=_row_reports(rows, planned, found),
        new_zones=tuple(new_zones.values()),
        families=tuple(_family_changes(planned)),
        effects=_effects(planned, families, seats),
    )
    return PupilsPlan(tuple(planned), new_zones, seats, report)


def _plan_families(
    rows: list[Row],
    found: dict[int, KnownPupil],
    families: list[KnownFamily],
    zone_names: dict[str, str],
) -> list[PlannedFamily]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if not row.problems:
            groups[row.values["telephone"]].append(row)
    homes = {pupil.id: family for family in families for pupil in family.pupils}
    by_phone = {family.phone: family for family in families}
    listed_phones = {row.values.get("telephone") for row in rows}
    planned = []
    for phone, group in groups.items():
        known_pupils = [found[row.number] for row in group if row.number in found]
        target = by_phone.get(phone) or _with_new_phone(known_pupils, homes, listed_phones)
        family = _family(group, zone_names, target)
        changes = () if target is None else _household_changes(target, phone, family)
        pupils = tuple(
            _plan_pupil(row, found.get(row.number), homes, target, phone, family) for row in group
        )
        planned.append(PlannedFamily(phone, family, target, changes, pupils))
    return planned


def _with_new_phone(
    pupils: list[KnownPupil], homes: dict[int, KnownFamily], listed_phones: set[str | None]
) -> KnownFamily | None:
    """The household that got the unknown number of these children.

    That is one all of whose children are among them. Where the list gives its old number to
    somebody else, it stays with the number, and the children move.
    """
    ids = {pupil.id for pupil in pupils}
    for pupil in pupils:
        home = homes[pupil.id]
        if home.phone not in listed_phones and all(child.id in ids for child in home.pupils):
            return home
    return None


def _family(rows: list[Row], zone_names: dict[str, str], known: KnownFamily | None) -> Family:
    """What the rows of one telephone say; what the list has no column for stays as it is known."""
    cells = rows[0].values
    email = next(filter(None, (row.values.get("email") for row in rows)), None)
    if known is not None and "email" not in cells:
        email = known.family.email
    said = next(filter(None, (row.values.get("langue_messages") for row in rows)), None)
    before = _first_message_language(cells["langues"])
    if known is not None:
        before = known.family.message_language
    return Family(
        zone=zone_names[plain_key(cells["zone"])],
        guardian=cells["tuteur_legal"],
        languages=cells["langues"],
        channels=cells["canaux"],
        windows=cells["joignable"],
        email=email,
        message_language=said or before,
    )


def _first_message_language(spoken: tuple[str, ...]) -> str:
    """The language of messages to a family of which nothing is known but what it speaks."""
    return "fr" if "fr" in spoken and "ar" not in spoken else "ar"


def _household_changes(known: KnownFamily, phone: str, family: Family) -> tuple[Change, ...]:
    changes = [
        Change(heading, getattr(known.family, name), getattr(family, name))
        for heading, name in _FAMILY_FIELDS.items()
        if getattr(known.family, name) != getattr(family, name)
    ]
    if known.phone != phone:
        changes.append(Change("telephone", known.phone, phone))
    return _sorted(changes)


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: _PLACES[change.column]))


def _plan_pupil(
    row: Row,
    known: KnownPupil | None,
    homes: dict[int, KnownFamily],
    target: KnownFamily | None,
    phone: str,
    family: Family,
) -> PlannedPupil:
    statements = tuple(_statements(row, known, family.guardian))
    said = [
        Change(
            heading,
            None if known is None else known.statements.get(kind),
            Statement(statement.given, family.guardian),
        )
        for heading, kind in _CONSENTS.items()
        for statement in statements
        if statement.kind is kind
    ]
    if known is None:
        changes = _new_values(row, phone, family)
    else:
        home = homes[known.id]
        changes = (*_own_changes(row, known), *_household_changes(home, phone, family))
    return PlannedPupil(
        row=row,
        known=known,
        moves=known is not None and homes[known.id] is not target,
        changes=_sorted((*changes, *said)),
        requests=tuple(_requests(row, known)),
        statements=statements,
    )


def _new_values(row: Row, phone: str, family: Family) -> tuple[Change, ...]:
    values = {heading: row.values.get(heading) for heading in ("pupil", "prenom", "nom")}
    values |= {heading: row.values[heading] for heading in ("niveau", "matieres")}
    values |= {heading: getattr(family, name) for heading, name in _FAMILY_FIELDS.items()}
    values["telephone"] = phone
    return tuple(
        Change(heading, None, value)
        for heading, value in values.items()
        if value is not None or heading == "joignable"
    )


def _own_changes(row: Row, known: KnownPupil) -> tuple[Change, ...]:
    before: dict[str, Any] = {
        "prenom": known.first_name,
        "nom": known.last_name,
        "niveau": known.level,
        "matieres": _open_subjects(known),
    }
    if row.values.get("pupil"):
        before["pupil"] = known.ref
    return tuple(
        Change(heading, value, row.values[heading])
        for heading, value in before.items()
        if value != row.values[heading]
    )


def _open_subjects(known: KnownPupil) -> tuple[str, ...]:
    return in_order(
        {
            subject
            for subject, request in known.requests.items()
            if request.state is not RequestState.ENDED
        },
        "subjects",
    )


def _requests(row: Row, known: KnownPupil | None) -> Iterable[PlannedRequest]:
    wanted: tuple[str, ...] = row.values["matieres"]
    requests = {} if known is None else known.requests
    for subject in wanted:
        if subject not in requests:
            yield PlannedRequest(RequestStep.ADD, subject, None)
    for subject, request in requests.items():
        if request.state is RequestState.ENDED:
            if subject in wanted:
                yield PlannedRequest(RequestStep.REOPEN, subject, request.id)
        elif subject not in wanted:
            yield PlannedRequest(RequestStep.END, subject, request.id)
        elif known is not None and known.level != row.values["niveau"]:
            yield PlannedRequest(RequestStep.MOVE_LEVEL, subject, request.id)


def _statements(row: Row, known: KnownPupil | None, guardian: str) -> Iterable[PlannedStatement]:
    for heading, kind in _CONSENTS.items():
        # A list without the column says nothing: what is known stays.
        answer = row.values.get(heading)
        newest = None if known is None else known.statements.get(kind)
        effect = None if answer is None else _consent_effect(answer, newest, guardian)
        if effect is not None:
            yield PlannedStatement(kind, answer is Answer.YES, effect)


def _consent_effect(answer: Answer, newest: Statement | None, guardian: str) -> str | None:
    """How the answer changes what is known; None where it doesn't."""
    in_force = newest is not None and newest.given
    if answer is Answer.YES:
        if newest is None or not in_force:
            return "given"
        return "renewed" if newest.guardian != guardian else None
    if in_force:
        return "withdrawn"
    # Nobody is known to have said no where the cell was left empty.
    return "refused" if answer is Answer.NO and newest is None else None


def _row_reports(
    rows: list[Row], planned: list[PlannedFamily], found: dict[int, KnownPupil]
) -> tuple[RowReport, ...]:
    by_number = {pupil.row.number: pupil for family in planned for pupil in family.pupils}
    return tuple(row_report(row, found.get(row.number), by_number.get(row.number)) for row in rows)


def _family_changes(planned: list[PlannedFamily]) -> Iterable[FamilyChange]:
    listed = {p.known.id for family in planned for p in family.pupils if p.known is not None}
    for family in planned:
        if family.known is None or not family.changes:
            continue
        siblings = [child for child in family.known.pupils if child.id not in listed]
        if siblings:
            yield FamilyChange(
                phone=family.phone,
                rows=tuple(pupil.row.number for pupil in family.pupils),
                siblings=tuple(child.name for child in siblings),
                sibling_ids=tuple(child.id for child in siblings),
                changes=family.changes,
            )


def _effects(
    planned: list[PlannedFamily], families: list[KnownFamily], seats: SeatChanges
) -> Effects:
    pupils = [pupil for family in planned for pupil in family.pupils]
    steps = Counter(request.step for pupil in pupils for request in pupil.requests)
    said = Counter(statement.effect for pupil in pupils for statement in pupil.statements)
    movers = {pupil.known.id for pupil in pupils if pupil.known is not None and pupil.moves}
    targets = {family.known.id for family in planned if family.known is not None and family.pupils}
    emptied = [
        home
        for home in families
        if home.pupils and home.id not in targets and all(p.id in movers for p in home.pupils)
    ]
    return Effects(
        households_added=sum(family.known is None for family in planned),
        households_changed=sum(bool(family.changes) for family in planned),
        households_left_empty=len(emptied),
        pupils_moved=len(movers),
        requests_added=steps[RequestStep.ADD],
        requests_reopened=steps[RequestStep.REOPEN],
        requests_ended=steps[RequestStep.END],
        consents_given=said["given"],
        consents_refused=said["refused"],
        consents_withdrawn=said["withdrawn"],
        consents_renewed=said["renewed"],
        seats_ended=len(seats.ended),
        groups_ended=seats.groups_ended,
    )
