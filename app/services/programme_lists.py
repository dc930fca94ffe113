"""The programme's lists as administrators set them: subjects, levels, channels, languages, needs.

Nothing is ever deleted, since people's rows point at it: it is retired, and may be offered again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flask import current_app
from sqlalchemy import distinct, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.database import transaction
from app.extensions import db
from app.i18n import _l, plain_key
from app.models import (
    LIVE_GROUPS,
    Channel,
    Coordinator,
    Group,
    HouseholdChannel,
    HouseholdLanguage,
    Level,
    Membership,
    Pupil,
    PupilNeed,
    RequestState,
    TutorChannel,
    TutoringRequest,
    TutorLanguage,
    TutorSubject,
    TutorTag,
)
from app.services import audit
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_line
from app.services.programme import (
    ONE_CHANGE_OF_PROGRAMME_AT_A_TIME,
    TABLES,
    forget_lists,
    put_in_order,
)
from scheduler import clock

LONGEST_NAME: Final = 80
LONGEST_CODE: Final = 24
MOST_SPELLINGS: Final = 40
MOST_WEIGHT: Final = 100
MOST_COST: Final = 100
LARGEST_GROUP: Final = 30
GROWING: Final = ("subjects", "levels", "languages", "tags")
"""The lists that entries can be added to; the channels are the program's own."""
_OPEN: Final = (RequestState.TO_CONFIRM, RequestState.WAITING, RequestState.SERVED)
_LEVEL_CODE: Final = re.compile(r"[A-Za-z0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Names:
    """What an entry is called, and the other spellings that lists may use."""

    fr: str
    ar: str
    en: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exam:
    """What a level counts, and whether and when it sits an exam."""

    weight: int
    sits: bool
    on: date | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of a list with how many people point at it."""

    row: Any
    volunteers: int
    families: int
    """Open requests of a subject, pupils of a level or with a need, families of the others."""


def list_entries(section: str) -> list[Listed]:
    """What a list holds, in its order, the retired too."""
    rows = _rows(section)
    volunteers, families = _VOLUNTEERS[section](), _FAMILIES[section]()
    return [Listed(row, volunteers.get(_key(row), 0), families.get(_key(row), 0)) for row in rows]


def get_entry(section: str, code: str) -> Any:
    """One entry; NotFound if there is none."""
    row = db.session.scalar(select(TABLES[section]).where(TABLES[section].code == code))
    if row is None:
        raise NotFound(_l("The programme's list has no such entry."))
    return row


def add_entry(section: str, names: Names, by: Coordinator | None) -> Any:
    """Add a subject, a language or a need at the end of its list."""
    return _add(section, names, _free_code(names.en or names.fr), by, {}, None)


def add_level(
    code: str, names: Names, exam: Exam, after: str | None, by: Coordinator | None
) -> Any:
    """Add a level after the one with the code `after`; None puts it first."""
    if not _LEVEL_CODE.fullmatch(code):
        raise Invalid(_l("The short name has 1 to 12 Latin letters and digits, such as 2BAC."))
    return _add("levels", names, lambda _taken: code, by, _exam_values(exam), after)


def change_entry(section: str, code: str, names: Names, by: Coordinator | None) -> Any:
    """Give an entry other names or spellings."""
    return _change(section, code, names, {}, by)


def change_level(code: str, names: Names, exam: Exam, by: Coordinator | None) -> Any:
    """Change a level's names, weight and exam."""
    return _change("levels", code, names, _exam_values(exam), by)


def change_channel(
    code: str, names: Names, max_group: int, cost: int, by: Coordinator | None
) -> Any:
    """Change a channel's names, the size of its groups and what a lesson costs the matching."""
    if not 0 <= cost <= MOST_COST:
        raise Invalid(_l("The cost is a number from 0 to 100."))
    if not 1 <= max_group <= LARGEST_GROUP:
        raise Invalid(_l("A group has 1 to 30 pupils."))
    return _change("channels", code, names, {"max_group": max_group, "cost": cost}, by)


def set_retired(section: str, code: str, *, retired: bool, by: Coordinator | None) -> Any:
    """Stop offering an entry, or offer it again; what points at it stays."""
    with _one_change():
        row = get_entry(section, code)
        if row.retired == retired:
            return row
        if retired and sum(not one.retired for one in _rows(section)) == 1:
            raise Conflict(_l("This is the last one on offer: add another first."))
        row.retired = retired
        if section == "channels":
            for variant in db.session.scalars(select(Channel).where(Channel.variant_of == code)):
                variant.retired = retired
        _note("retire_entry" if retired else "offer_entry", section, row, by)
    forget_lists()
    return row


def move_level(code: str, *, up: bool, by: Coordinator | None) -> None:
    """Change a level's place with that of the one before it (`up`: younger) or after it."""
    with _one_change():
        rows = _rows("levels")
        place = [row.code for row in rows].index(get_entry("levels", code).code)
        other = place - 1 if up else place + 1
        if not 0 <= other < len(rows):
            return
        rows[place], rows[other] = rows[other], rows[place]
        put_in_order(rows)
        _note("move_level", "levels", rows[other], by, order=[row.code for row in rows])
    forget_lists()


def sizes_in_force() -> dict[str, dict[int, int]]:
    """By channel, how many groups in force have how many pupils."""
    seats = (
        select(Group.channel, func.count().label("size"))
        .join(Membership, Membership.group_id == Group.id)
        .where(Group.state.in_(LIVE_GROUPS), Membership.ended_at.is_(None))
        .group_by(Group.id, Group.channel)
        .subquery()
    )
    found: dict[str, dict[int, int]] = {}
    rows = select(seats.c.channel, seats.c.size, func.count()).group_by(*seats.c)
    for channel, size, number in db.session.execute(rows.order_by(*seats.c)):
        found.setdefault(channel, {})[size] = number
    return found


def has_variant(code: str) -> bool:
    """Whether a channel has a one-to-one variant for families who keep their number to themselves.

    Only those may have groups: the others would shut such families out.
    """
    return db.session.scalar(select(Channel.code).where(Channel.variant_of == code)) is not None


def undated_levels() -> list[Level]:
    """Levels on offer that sit an exam whose next date is not known."""
    zone = current_app.config["N9RAW"].civil_zone
    today = clock.to_wall(clock.now(), zone).date()
    return list(
        db.session.scalars(
            select(Level)
            .where(Level.exam, ~Level.retired, or_(Level.exam_on.is_(None), Level.exam_on < today))
            .order_by(Level.rank)
        )
    )


def _one_change() -> AbstractContextManager[None]:
    return transaction(one_at_a_time=ONE_CHANGE_OF_PROGRAMME_AT_A_TIME)


def _rows(section: str) -> list[Any]:
    table = TABLES[section]
    order = table.rank if hasattr(table, "rank") else table.id
    statement = select(table).order_by(order)
    if table is Channel:
        statement = statement.where(Channel.variant_of.is_(None))
    return list(db.session.scalars(statement))


def _key(row: Any) -> int | str:
    """What people's rows point at."""
    key: int | str = row.id if hasattr(row, "id") else row.code
    return key


def _add(
    section: str,
    names: Names,
    code: Callable[[set[str]], str],
    by: Coordinator | None,
    values: dict[str, Any],
    after: str | None,
) -> Any:
    with _one_change():
        table = TABLES[section]
        rows = _rows(section)
        row = table(code=code({one.code for one in rows}), retired=False, **values)
        _give_names(section, row, names, rows)
        if hasattr(table, "rank"):
            rows.insert(_place(rows, section, after), row)
            put_in_order(rows)
        else:
            db.session.add(row)
        db.session.flush()
        _note("add_entry", section, row, by, names=_names_of(row))
    forget_lists()
    return row


def _place(rows: Sequence[Any], section: str, after: str | None) -> int:
    if section != "levels":
        return len(rows)
    if after is None:
        return 0
    return [row.code for row in rows].index(get_entry("levels", after).code) + 1


def _change(
    section: str, code: str, names: Names, values: dict[str, Any], by: Coordinator | None
) -> Any:
    with _one_change():
        row = get_entry(section, code)
        if section == "channels":
            _check_size(row, values["max_group"])
        before = _names_of(row) | {key: getattr(row, key) for key in values}
        _give_names(section, row, names, _rows(section))
        for key, value in values.items():
            setattr(row, key, value)
        after = _names_of(row) | {key: getattr(row, key) for key in values}
        changed = {
            key: [_plain(before[key]), _plain(after[key])]
            for key in after
            if before[key] != after[key]
        }
        _note("change_entry", section, row, by, changed=changed)
    forget_lists()
    return row


def _check_size(row: Channel, max_group: int) -> None:
    if max_group > 1 and not has_variant(row.code):
        raise Invalid(_l("This way has no one-to-one variant, so it is for one pupil at a time."))
    largest = max(sizes_in_force().get(row.code, {0: 0}))
    if max_group < largest:
        raise Conflict(
            _l(
                "A group in force has %(size)d pupils: end it or take pupils out first.",
                size=largest,
            )
        )


def _give_names(section: str, row: Any, names: Names, rows: Iterable[Any]) -> None:
    given = {locale: read_line(getattr(names, locale)) for locale in ("fr", "ar", "en")}
    if not all(given.values()):
        raise Invalid(_l("Give the name in all three languages."))
    also = tuple(dict.fromkeys(text for text in map(read_line, names.also) if text))
    if len(also) > MOST_SPELLINGS:
        raise Invalid(_l("At most 40 other spellings, please."))
    if any(len(text) > LONGEST_NAME for text in (*given.values(), *also)):
        raise Invalid(_l("A name has at most 80 letters."))
    keys = {text: plain_key(text) for text in (row.code, *given.values(), *also)}
    unreadable = next((text for text, key in keys.items() if not key), None)
    if unreadable is not None:
        raise Invalid(_l("“%(text)s” holds neither a letter nor a digit.", text=unreadable))
    for other in rows:
        if other is row:
            continue
        taken = {
            plain_key(text)
            for text in (
                other.code,
                other.name_fr,
                other.name_ar,
                other.name_en,
                *(other.also or ()),
            )
        }
        for text, key in keys.items():
            if key in taken:
                raise Conflict(
                    _l(
                        "“%(text)s” already means %(name)s.",
                        text=text,
                        name=other.name_fr,
                    )
                )
    row.name_fr, row.name_ar, row.name_en = given["fr"], given["ar"], given["en"]
    row.also = list(also)


def _free_code(name: str) -> Callable[[set[str]], str]:
    """A code that says what it means and that no entry has."""
    letters = re.sub(r"[^a-z0-9]", "", plain_key(name))[: LONGEST_CODE - 3] or "entry"

    def free(taken: set[str]) -> str:
        tried = (letters if number == 1 else f"{letters}{number}" for number in range(1, 999))
        return next(code for code in tried if code not in taken)

    return free


def _exam_values(exam: Exam) -> dict[str, Any]:
    if not 1 <= exam.weight <= MOST_WEIGHT:
        raise Invalid(_l("The weight is a number from 1 to 100."))
    return {
        "weight": exam.weight,
        "exam": exam.sits,
        "exam_on": exam.on if exam.sits else None,
    }


def _names_of(row: Any) -> dict[str, Any]:
    return {
        "fr": row.name_fr,
        "ar": row.name_ar,
        "en": row.name_en,
        "also": list(row.also or ()),
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, date) else value


def _note(action: str, section: str, row: Any, by: Coordinator | None, **detail: Any) -> None:
    audit.note(action, f"{section}:{row.code}", by, detail=detail)


def _counted(
    of: InstrumentedAttribute[Any], who: InstrumentedAttribute[int], *conditions: Any
) -> dict[Any, int]:
    statement = select(of, func.count(distinct(who))).where(*conditions).group_by(of)
    return {key: number for key, number in db.session.execute(statement)}  # noqa: C416


_VOLUNTEERS: Final[dict[str, Callable[[], dict[Any, int]]]] = {
    "subjects": lambda: _counted(TutorSubject.subject_id, TutorSubject.tutor_id),
    "levels": lambda: _counted(TutorSubject.level_id, TutorSubject.tutor_id),
    "channels": lambda: _counted(TutorChannel.channel, TutorChannel.tutor_id),
    "languages": lambda: _counted(TutorLanguage.language, TutorLanguage.tutor_id),
    "tags": lambda: _counted(TutorTag.tag, TutorTag.tutor_id),
}
_FAMILIES: Final[dict[str, Callable[[], dict[Any, int]]]] = {
    "subjects": lambda: _counted(
        TutoringRequest.subject_id, TutoringRequest.id, TutoringRequest.state.in_(_OPEN)
    ),
    "levels": lambda: _counted(Pupil.level_id, Pupil.id),
    "channels": lambda: _counted(HouseholdChannel.channel, HouseholdChannel.household_id),
    "languages": lambda: _counted(HouseholdLanguage.language, HouseholdLanguage.household_id),
    "tags": lambda: _counted(PupilNeed.tag, PupilNeed.pupil_id),
}
