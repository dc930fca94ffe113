"""A volunteer's entry, added or changed by a coordinator: with the same care as an import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from flask import current_app
from flask_babel.speaklater import LazyString
from sqlalchemy import or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Channel,
    Coordinator,
    Language,
    Level,
    Subject,
    Tag,
    Tutor,
    TutorChannel,
    TutorLanguage,
    TutorState,
    TutorSubject,
    TutorTag,
    TutorWindow,
    Window,
)
from app.services import audit
from app.services.errors import Invalid
from app.services.imports.cells import (
    MESSAGE_LANGUAGES,
    MOST_LESSONS_A_WEEK,
    clean,
    clean_number,
    parse_email,
    parse_name,
    parse_phone,
)
from app.services.imports.problems import BadCell
from app.services.people import get_tutor
from app.services.reminders import follow_zone
from scheduler import clock

T = TypeVar("T")

_NO_NAME: Final = _l("Write a name of at most 80 letters.")


@dataclass(frozen=True, slots=True)
class TutorEntry:
    """What is known of a volunteer, as a coordinator typed and chose it.

    `teaches` are (subject's id, level's id); `time_zone` None is the programme's own.
    """

    first_name: str
    last_name: str
    email: str
    phone: str
    message_language: str
    time_zone: str | None
    max_lessons_per_week: int
    teaches: frozenset[tuple[int, int]]
    channels: frozenset[str]
    languages: frozenset[str]
    tags: frozenset[str]
    windows: tuple[Window, ...]
    times_to_agree: bool


class InvalidEntry(Invalid):
    """An entry that can't be kept; `by_field` says what is wrong, by the names of TutorEntry."""

    def __init__(self, by_field: dict[str, LazyString]) -> None:
        super().__init__(next(iter(by_field.values())))
        self.by_field = by_field


@dataclass(frozen=True, slots=True)
class Offered:
    """What can be chosen in an entry: all that is offered, and what the volunteer has already."""

    subjects: list[Subject]
    levels: list[Level]
    channels: list[Channel]
    languages: list[Language]
    tags: list[Tag]


def offered_to(tutor: Tutor | None) -> Offered:
    """The lists of a new entry, or of one that is to be changed."""

    def codes(rows: list[Any], name: str) -> set[Any]:
        return {getattr(row, name) for row in rows}

    teaches: list[TutorSubject] = [] if tutor is None else tutor.teaches
    return Offered(
        subjects=_offered(Subject, Subject.id, codes(teaches, "subject_id"), Subject.id),
        levels=_offered(Level, Level.id, codes(teaches, "level_id"), Level.rank),
        channels=[
            row
            for row in _offered(
                Channel,
                Channel.code,
                set() if tutor is None else codes(tutor.channels, "channel"),
                Channel.rank,
            )
            if row.variant_of is None
        ],
        languages=_offered(
            Language,
            Language.code,
            set() if tutor is None else codes(tutor.languages, "language"),
            Language.rank,
        ),
        tags=_offered(
            Tag, Tag.code, set() if tutor is None else codes(tutor.tags, "tag"), Tag.rank
        ),
    )


def add_tutor(entry: TutorEntry, by: Coordinator) -> Tutor:
    """Add a volunteer, who waits for vetting. InvalidEntry where something can't be kept."""
    with transaction():
        values = _checked(entry, None)
        tutor = Tutor(state=TutorState.REGISTERED, created_at=clock.now(), **values)
        _fill(tutor, entry)
        db.session.add(tutor)
        db.session.flush()
        audit.note("add_tutor", f"tutor:{tutor.id}", by)
    return tutor


def change_tutor(tutor_id: int, entry: TutorEntry, by: Coordinator) -> Tutor:
    """Change a volunteer's entry. Groups stay as they are; another address ends sessions."""
    with transaction():
        get_tutor(tutor_id)
        tutor = db.session.get_one(Tutor, tutor_id, with_for_update=True, populate_existing=True)
        values = _checked(entry, tutor)
        changed = [name for name, value in values.items() if getattr(tutor, name) != value]
        for name in changed:
            setattr(tutor, name, values[name])
        if not {"email", "phone"}.isdisjoint(changed):
            tutor.signed_out_at = clock.now()
        _fill(tutor, entry)
        if "time_zone" in changed:
            follow_zone(tutor.id)
        # What was changed, not to what: the trace outlives the volunteer's own data.
        audit.note("change_tutor", f"tutor:{tutor.id}", by, detail={"columns": changed})
    return tutor


def _checked(entry: TutorEntry, tutor: Tutor | None) -> dict[str, Any]:
    """The columns of an entry; InvalidEntry names every field that can't be kept."""
    wrong: dict[str, LazyString] = {}

    def read(field: str, parse: Callable[[str], T], otherwise: LazyString) -> T | None:
        try:
            return parse(getattr(entry, field))
        except BadCell:
            wrong[field] = otherwise
            return None

    values: dict[str, Any] = {
        "first_name": read("first_name", _name, _NO_NAME),
        "last_name": read("last_name", _name, _NO_NAME),
        "email": read("email", _email, _l("This is not an e-mail address.")),
        "phone": read("phone", _phone, _l("This is not a telephone number.")),
        "message_language": entry.message_language,
        "time_zone": None if entry.time_zone == _civil_zone() else entry.time_zone,
        "max_lessons_per_week": entry.max_lessons_per_week,
        "times_to_agree": entry.times_to_agree,
    }
    if not wrong.keys() & {"email", "phone"}:
        wrong |= _contact_problems(values["email"], values["phone"], tutor)
    wrong |= _choice_problems(entry)
    if wrong:
        raise InvalidEntry(wrong)
    return values


def _contact_problems(
    email: str | None, phone: str | None, tutor: Tutor | None
) -> dict[str, LazyString]:
    if email is None and phone is None:
        return {"email": _l("Give an e-mail address or a telephone number.")}
    wrong = {}
    columns: tuple[tuple[str, InstrumentedAttribute[str | None], str | None], ...] = (
        ("email", Tutor.email, email),
        ("phone", Tutor.phone, phone),
    )
    for field, column, value in columns:
        owner = db.session.scalar(select(Tutor).where(column == value)) if value else None
        if owner is not None and owner is not tutor:
            wrong[field] = _l("%(name)s has this one already.", name=owner.name)
    return wrong


def _choice_problems(entry: TutorEntry) -> dict[str, LazyString]:
    wrong = {}
    if not entry.teaches:
        wrong["teaches"] = _l("Choose at least one level of one subject.")
    if not entry.channels:
        wrong["channels"] = _l("Choose at least one way of holding lessons.")
    if not entry.languages:
        wrong["languages"] = _l("Choose at least one language.")
    if not 1 <= entry.max_lessons_per_week <= MOST_LESSONS_A_WEEK:
        wrong["max_lessons_per_week"] = _l("Give a number of lessons from 1 to 40.")
    if entry.message_language not in MESSAGE_LANGUAGES:
        wrong["message_language"] = _l("Choose one of the languages.")
    if entry.time_zone is not None and not _is_zone(entry.time_zone):
        wrong["time_zone"] = _l("Choose one of the places.")
    return wrong


def _fill(tutor: Tutor, entry: TutorEntry) -> None:
    """Write what a volunteer has several of; what stays the same is not written anew."""
    teaches = {(row.subject_id, row.level_id): row for row in tutor.teaches}
    tutor.teaches = [
        teaches.get(pair) or TutorSubject(subject_id=pair[0], level_id=pair[1])
        for pair in sorted(entry.teaches)
    ]
    channels = {row.channel: row for row in tutor.channels}
    tutor.channels = [
        channels.get(code) or TutorChannel(channel=code) for code in sorted(entry.channels)
    ]
    languages = {row.language: row for row in tutor.languages}
    tutor.languages = [
        languages.get(code) or TutorLanguage(language=code) for code in sorted(entry.languages)
    ]
    tags = {row.tag: row for row in tutor.tags}
    tutor.tags = [tags.get(code) or TutorTag(tag=code) for code in sorted(entry.tags)]
    windows = {row.as_window(): row for row in tutor.windows}
    tutor.windows = [
        windows.get(window)
        or TutorWindow(day=window[0], start_minute=window[1], end_minute=window[2])
        for window in entry.windows
    ]


def _offered(table: type[T], key: Any, had: set[Any], order: Any) -> list[T]:
    rows: Any = table
    wanted = or_(rows.retired.is_(False), key.in_(had))
    return list(db.session.scalars(select(table).where(wanted).order_by(order)))


def _name(text: str) -> str:
    return parse_name(clean(text))


def _email(text: str) -> str | None:
    return parse_email(clean(text))


def _phone(text: str) -> str | None:
    number = clean_number(text)
    return parse_phone(number) if number else None


def _is_zone(name: str) -> bool:
    try:
        clock.zone(name)
    except clock.ClockError:
        return False
    return True


def _civil_zone() -> str:
    return str(current_app.config["N9RAW"].civil_zone)
