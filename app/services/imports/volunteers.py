"""What the volunteers' list would change, found by comparing it with the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from app.i18n import plain_key
from app.models import ListKind
from app.services.imports.known import KnownTutor
from app.services.imports.problems import Code
from app.services.imports.reading import ReadList
from app.services.imports.report import Change, ImportReport, Status, row_report, status_of
from app.services.imports.rows import Row
from app.services.imports.same_rows import refuse_same_person, refuse_shared

FIELDS: Final = {
    "benevole": "ref",
    "prenom": "first_name",
    "nom": "last_name",
    "email": "email",
    "telephone": "phone",
    "enseigne": "teaches",
    "langues": "languages",
    "canaux": "channels",
    "disponible": "windows",
    "seances_par_semaine": "max_lessons_per_week",
    "fuseau_horaire": "time_zone",
    "langue_messages": "message_language",
}
"""Our heading to the name of the tutor's field."""


@dataclass(frozen=True, slots=True)
class PlannedTutor:
    """One good row and what storing it changes."""

    row: Row
    known: KnownTutor | None
    changes: tuple[Change, ...]

    @property
    def status(self) -> Status:
        return status_of(self.known, self.changes)


@dataclass(frozen=True, slots=True)
class TutorsPlan:
    """What is to be written, and the report on it."""

    tutors: tuple[PlannedTutor, ...]
    report: ImportReport


def plan_volunteers(read: ReadList, tutors: list[KnownTutor], home_zone: str) -> TutorsPlan:
    """Compare rows with what is known. Only rows without a problem are planned.

    `home_zone` is the programme's own time zone, which need not be told of anybody.
    """
    rows = read.rows
    for row in rows:
        if row.values.get("fuseau_horaire") == home_zone:
            row.values["fuseau_horaire"] = None
    refuse_shared(rows, Code.SAME_ID, "benevole")
    refuse_shared(rows, Code.SAME_EMAIL, "email")
    refuse_shared(rows, Code.SAME_PHONE, "telephone")
    _refuse_unreachable(rows)
    found = _find_known(rows, tutors)
    _refuse_taken(rows, found, tutors)
    planned = {
        row.number: _plan_tutor(row, found.get(row.number)) for row in rows if not row.problems
    }
    report = ImportReport(
        kind=ListKind.VOLUNTEERS,
        source=read.source,
        ignored_columns=read.ignored_columns,
        rows=tuple(row_report(row, found.get(row.number), planned.get(row.number)) for row in rows),
    )
    return TutorsPlan(tuple(planned.values()), report)


def _refuse_unreachable(rows: Iterable[Row]) -> None:
    for row in rows:
        if [row.values.get(heading, "bad") for heading in ("email", "telephone")] == [None, None]:
            row.refuse(Code.UNREACHABLE, "email")


def _find_known(rows: list[Row], tutors: list[KnownTutor]) -> dict[int, KnownTutor]:
    """The known volunteer of each row, by row number: by the list's number, e-mail or telephone."""
    by_ref = _by("ref", tutors)
    by_email, by_phone = _by("email", tutors), _by("phone", tutors)
    found = {}
    for row in rows:
        ref, email = row.values.get("benevole"), row.values.get("email")
        tutor = by_ref.get(ref)
        if tutor is not None and _is_somebody_else(row, tutor):
            # The vetting of a known volunteer must not pass to a stranger with a used number.
            row.refuse(Code.OTHER_PERSON, "benevole", name=tutor.name)
            continue
        if tutor is None:
            tutor = by_email.get(email) or by_phone.get(row.values.get("telephone"))
            # With another number or another address, it is somebody else who uses the telephone.
            if tutor is not None and not (_agrees(ref, tutor.ref) and _agrees(email, tutor.email)):
                tutor = None
        if tutor is not None:
            found[row.number] = tutor
    refuse_same_person(rows, found)
    return found


def _is_somebody_else(row: Row, known: KnownTutor) -> bool:
    """Whether neither the name nor an address is that of the volunteer with the row's number."""
    cells = row.values
    if not cells.keys() >= {"prenom", "nom", "email", "telephone"}:
        return False  # A cell that can't be read keeps the row out by itself.
    return (
        plain_key(f"{cells['prenom']} {cells['nom']}") != plain_key(known.name)
        and (cells["email"] is None or cells["email"] != known.email)
        and (cells["telephone"] is None or cells["telephone"] != known.phone)
    )


def _by(name: str, tutors: list[KnownTutor]) -> dict[str | None, KnownTutor]:
    return {getattr(tutor, name): tutor for tutor in tutors if getattr(tutor, name)}


def _agrees(said: str | None, known: str | None) -> bool:
    return said is None or known is None or said == known


def _refuse_taken(
    rows: Iterable[Row], found: dict[int, KnownTutor], tutors: list[KnownTutor]
) -> None:
    by_email, by_phone = _by("email", tutors), _by("phone", tutors)
    for row in rows:
        owners = (
            (Code.EMAIL_TAKEN, "email", by_email.get(row.values.get("email"))),
            (Code.PHONE_TAKEN, "telephone", by_phone.get(row.values.get("telephone"))),
        )
        for code, heading, owner in owners:
            if owner is not None and owner is not found.get(row.number):
                name = f"{owner.name} ({owner.ref})" if owner.ref else owner.name
                row.refuse(code, heading, name=name)


def _plan_tutor(row: Row, known: KnownTutor | None) -> PlannedTutor:
    changes = []
    for heading in FIELDS:
        before: Any = None if known is None else getattr(known, FIELDS[heading])
        after = row.values.get(heading)
        # An empty number takes none away: the row was found by e-mail or telephone.
        unsaid = heading in ("benevole", "langue_messages") and after is None
        unsaid = unsaid or heading not in row.values
        if not unsaid and before != after:
            changes.append(Change(heading, before, after))
    return PlannedTutor(row, known, tuple(changes))
