"""What the database knows already, loaded at once: the same few queries for any number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select

from app.extensions import db
from app.i18n import _l
from app.models import (
    Consent,
    ConsentKind,
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Level,
    Pupil,
    RequestState,
    Subject,
    Tutor,
    TutorChannel,
    TutoringRequest,
    TutorLanguage,
    TutorSubject,
    TutorWindow,
    Zone,
)
from app.services.errors import Conflict
from app.services.imports.naming import Teaching, in_order, teaching_in_order
from app.services.imports.times import Windows, joined
from app.services.imports.wording import Statement


@dataclass(frozen=True, slots=True)
class Codes:
    """Ids of the programme's subjects and levels by code."""

    subjects: dict[str, int]
    levels: dict[str, int]


@dataclass(frozen=True, slots=True)
class Family:
    """What the rows of one telephone say alike."""

    zone: str
    guardian: str
    languages: tuple[str, ...]
    channels: tuple[str, ...]
    windows: Windows
    email: str | None
    message_language: str


@dataclass(frozen=True, slots=True)
class KnownRequest:
    id: int
    state: RequestState
    level: str


@dataclass(slots=True)
class KnownPupil:
    """A child in the database."""

    id: int
    ref: str | None
    household_id: int
    first_name: str
    last_name: str
    level: str
    requests: dict[str, KnownRequest] = field(default_factory=dict)
    """By the subject's code."""
    statements: dict[ConsentKind, Statement] = field(default_factory=dict)
    """The newest of each kind."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True)
class KnownFamily:
    """A household in the database."""

    id: int
    guardian_id: int
    phone: str
    family: Family
    pupils: list[KnownPupil] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KnownTutor:
    """A volunteer in the database."""

    id: int
    ref: str | None
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    teaches: Teaching
    languages: tuple[str, ...]
    channels: tuple[str, ...]
    windows: Windows
    max_lessons_per_week: int
    time_zone: str | None
    message_language: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class KnownZone:
    id: int
    name: str


def load_codes() -> Codes:
    """Ids of subjects and levels; Conflict where the programme isn't loaded into the tables."""
    codes = Codes(
        _ids(select(Subject.code, Subject.id)),
        _ids(select(Level.code, Level.id)),
    )
    if not codes.subjects or not codes.levels:
        raise Conflict(
            _l("Subjects and levels are not loaded. Run on the server: flask programme load")
        )
    return codes


def _ids(pairs: Select[str, int]) -> dict[str, int]:
    return {code: row_id for code, row_id in db.session.execute(pairs)}  # noqa: C416


def load_zones() -> dict[str, KnownZone]:
    """Every zone by its key, and by those of the names that it had or took over."""
    rows = db.session.execute(select(Zone.key, Zone.also, Zone.id, Zone.name)).all()
    also = {key: KnownZone(id_, name) for _key, keys, id_, name in rows for key in keys or ()}
    return also | {key: KnownZone(id_, name) for key, _also, id_, name in rows}


def load_families() -> list[KnownFamily]:
    """Every household with its children, requests and newest consents."""
    languages = _by_owner(select(HouseholdLanguage.household_id, HouseholdLanguage.language))
    channels = _by_owner(select(HouseholdChannel.household_id, HouseholdChannel.channel))
    windows = _windows_by_owner(HouseholdWindow, HouseholdWindow.household_id)
    rows = db.session.execute(
        select(
            Household.id,
            Household.phone,
            Household.times_to_agree,
            Household.email,
            Household.message_language,
            Zone.name,
            Guardian.id,
            Guardian.name,
        )
        .join(Zone, Zone.id == Household.zone_id)
        .join(Guardian, Guardian.household_id == Household.id)
        .order_by(Household.id)
    )
    families = {
        id_: KnownFamily(
            id_,
            guardian_id,
            phone,
            Family(
                zone=zone,
                guardian=guardian,
                languages=in_order(languages[id_], "languages"),
                channels=in_order(channels[id_], "channels"),
                windows=None if to_agree else joined(windows[id_]),
                email=email,
                message_language=message_language,
            ),
        )
        for id_, phone, to_agree, email, message_language, zone, guardian_id, guardian in rows
    }
    for pupil in _load_pupils():
        families[pupil.household_id].pupils.append(pupil)
    return list(families.values())


def _load_pupils() -> Iterable[KnownPupil]:
    rows = db.session.execute(
        select(
            Pupil.id, Pupil.ref, Pupil.household_id, Pupil.first_name, Pupil.last_name, Level.code
        )
        .join(Level, Level.id == Pupil.level_id)
        .order_by(Pupil.id)
    )
    pupils = {row[0]: KnownPupil(*row) for row in rows}
    requests = (
        select(
            TutoringRequest.pupil_id,
            Subject.code,
            TutoringRequest.id,
            TutoringRequest.state,
            Level.code,
        )
        .join(Subject, Subject.id == TutoringRequest.subject_id)
        .join(Level, Level.id == TutoringRequest.level_id)
    )
    for pupil_id, subject, id_, state, level in db.session.execute(requests):
        pupils[pupil_id].requests[subject] = KnownRequest(id_, state, level)
    newest = select(func.max(Consent.id)).group_by(Consent.pupil_id, Consent.kind)
    consents = select(Consent.pupil_id, Consent.kind, Consent.given, Consent.guardian_name)
    for pupil_id, kind, given, guardian in db.session.execute(
        consents.where(Consent.id.in_(newest))
    ):
        pupils[pupil_id].statements[kind] = Statement(given, guardian)
    return pupils.values()


def load_tutors() -> list[KnownTutor]:
    """Every volunteer with all that a list says of them."""
    languages = _by_owner(select(TutorLanguage.tutor_id, TutorLanguage.language))
    channels = _by_owner(select(TutorChannel.tutor_id, TutorChannel.channel))
    windows = _windows_by_owner(TutorWindow, TutorWindow.tutor_id)
    teaches: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    for tutor_id, subject, level in db.session.execute(
        select(TutorSubject.tutor_id, Subject.code, Level.code)
        .join(Subject, Subject.id == TutorSubject.subject_id)
        .join(Level, Level.id == TutorSubject.level_id)
    ):
        teaches[tutor_id].add((subject, level))
    return [
        KnownTutor(
            id=tutor.id,
            ref=tutor.ref,
            first_name=tutor.first_name,
            last_name=tutor.last_name,
            email=tutor.email,
            phone=tutor.phone,
            teaches=teaching_in_order(teaches[tutor.id]),
            languages=in_order(languages[tutor.id], "languages"),
            channels=in_order(channels[tutor.id], "channels"),
            windows=None if tutor.times_to_agree else joined(windows[tutor.id]),
            max_lessons_per_week=tutor.max_lessons_per_week,
            time_zone=tutor.time_zone,
            message_language=tutor.message_language,
        )
        for tutor in db.session.execute(
            select(
                Tutor.id,
                Tutor.ref,
                Tutor.first_name,
                Tutor.last_name,
                Tutor.email,
                Tutor.phone,
                Tutor.times_to_agree,
                Tutor.max_lessons_per_week,
                Tutor.time_zone,
                Tutor.message_language,
            ).order_by(Tutor.id)
        )
    ]


def _by_owner(pairs: Any) -> defaultdict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for owner, code in db.session.execute(pairs):
        found[owner].add(code)
    return found


def _windows_by_owner(table: Any, owner: Any) -> defaultdict[int, list[tuple[int, int, int]]]:
    found: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for owner_id, *window in db.session.execute(
        select(owner, table.day, table.start_minute, table.end_minute)
    ):
        found[owner_id].append((window[0], window[1], window[2]))
    return found
