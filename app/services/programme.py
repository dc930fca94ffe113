"""What the programme offers: its lists and the two figures that every match run rests on.

The tables are the truth. app/data/programme.toml is what a new programme begins with.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import g
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l, plain_key
from app.models import Channel, Coordinator, Language, Level, Setting, Subject, Tag
from app.services import audit
from app.services.errors import Invalid

PROGRAMME_FILE = Path(__file__).resolve().parent.parent / "data" / "programme.toml"
TABLES: Final[dict[str, type[Any]]] = {
    "subjects": Subject,
    "levels": Level,
    "channels": Channel,
    "languages": Language,
    "tags": Tag,
}
ONE_CHANGE_OF_PROGRAMME_AT_A_TIME: Final = 20_260_922
SHORTEST_LESSON, LONGEST_LESSON = 15, 240
GRIDS: Final = (15, 30, 60)
_LANGUAGES: Final = ("fr", "ar", "en")
_CACHE: Final = "programme_lists"


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """What every match run is given beside the people, in minutes."""

    lesson_minutes: int
    start_every: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that the programme offers, or offered once."""

    code: str
    names: dict[str, str]
    also: tuple[str, ...]
    retired: bool

    @property
    def keys(self) -> set[str]:
        """Every spelling that means it, as a plain key."""
        return {plain_key(text) for text in (self.code, *self.names.values(), *self.also)}


@cache
def _beginning() -> dict[str, Any]:
    return tomllib.loads(PROGRAMME_FILE.read_text(encoding="utf-8"))


def matching_rules() -> MatchingRules:
    """The length of a lesson and the grid on which lessons start."""
    rules = dict(_beginning()["matching"])
    chosen = select(Setting.key, Setting.value).where(Setting.key.in_(rules))
    rules.update((key, value) for key, value in db.session.execute(chosen))
    return MatchingRules(**rules)


def set_matching_rules(rules: MatchingRules, by: Coordinator | None) -> None:
    """Give the lessons of coming runs another length, or another grid to start on."""
    if not SHORTEST_LESSON <= rules.lesson_minutes <= LONGEST_LESSON or rules.lesson_minutes % 5:
        raise Invalid(_l("A lesson lasts 15 to 240 minutes, in steps of five."))
    if rules.start_every not in GRIDS:
        raise Invalid(_l("Lessons start every 15, 30 or 60 minutes."))
    with transaction(one_at_a_time=ONE_CHANGE_OF_PROGRAMME_AT_A_TIME):
        before = matching_rules()
        for key in ("lesson_minutes", "start_every"):
            db.session.merge(Setting(key=key, value=getattr(rules, key)))
        audit.note(
            "set_matching_rules",
            "programme:matching",
            by,
            detail={
                "lesson_minutes": [before.lesson_minutes, rules.lesson_minutes],
                "start_every": [before.start_every, rules.start_every],
            },
        )


def load_programme() -> None:
    """Add what the programme file lists and the tables lack.

    What is there stays as it is, since a coordinator may have changed it; other spellings are
    filled in where none were ever given.
    """
    listed = _beginning()
    with transaction(one_at_a_time=ONE_CHANGE_OF_PROGRAMME_AT_A_TIME):
        for section, table in TABLES.items():
            _add_missing(table, listed[section])
    forget_lists()


def _add_missing(table: type[Any], entries: Sequence[dict[str, Any]]) -> None:
    ranked = hasattr(table, "rank")
    rows = list(db.session.scalars(select(table).order_by(table.rank if ranked else table.id)))
    known = {row.code: row for row in rows}
    place = 0
    for entry in entries:
        row = known.get(entry["code"])
        if row is not None:
            if row.also is None:
                row.also = entry.get("also", [])
            place = rows.index(row) + 1
            continue
        values = {key: entry[key] for key in entry if key not in _LANGUAGES}
        values |= {f"name_{locale}": entry[locale] for locale in _LANGUAGES}
        rows.insert(place, table(**{"also": [], **values}))
        place += 1
    if ranked:
        put_in_order(rows)
    else:
        db.session.add_all(rows)
        db.session.flush()


def put_in_order(rows: Sequence[Any]) -> None:
    """Rank rows as they stand in the list; part of the caller's transaction."""
    moved = [(place, row) for place, row in enumerate(rows) if row.rank != place]
    # Ranks are unique: what stands elsewhere is moved aside before the new order is written.
    for place, row in moved:
        if row.rank is not None:
            row.rank = -place - 1
    db.session.flush()
    for place, row in moved:
        row.rank = place
        db.session.add(row)
    db.session.flush()


def forget_lists() -> None:
    """Read the lists anew when they are asked for next: they have changed."""
    g.pop(_CACHE, None)


def entries(section: str) -> tuple[Entry, ...]:
    """What a section lists, in the programme's order, without one-to-one variants of channels.

    `section` is a key of TABLES. Read once for each request or command: a list that is imported
    asks for it at every cell.
    """
    read: dict[str, tuple[Entry, ...]] = g.setdefault(_CACHE, {})
    if section not in read:
        read[section] = tuple(_read(section))
    return read[section]


def _read(section: str) -> list[Entry]:
    table = TABLES[section]
    order = table.rank if hasattr(table, "rank") else table.id
    statement = select(table).order_by(order)
    if table is Channel:
        # The variants are the program's own and can't be asked for.
        statement = statement.where(Channel.variant_of.is_(None))
    return [
        Entry(
            row.code,
            {locale: row.name_in(locale) for locale in _LANGUAGES},
            tuple(row.also or ()),
            row.retired,
        )
        for row in db.session.scalars(statement)
    ]


def spellings(section: str) -> dict[str, str]:
    """Every accepted spelling, as a plain key (see `plain_key`), to its code.

    What is no longer offered is recognised too; see `retired_codes`.
    """
    read: dict[str, dict[str, str]] = g.setdefault(_CACHE, {})
    key = f"spellings of {section}"
    if key not in read:
        read[key] = {spelt: entry.code for entry in entries(section) for spelt in entry.keys}
    return read[key]


def retired_codes(section: str) -> set[str]:
    """The codes of what is no longer offered."""
    return {entry.code for entry in entries(section) if entry.retired}


def stages() -> dict[str, tuple[str, str]]:
    """Names of several levels at once, as plain keys, to the codes of the first and the last."""
    levels = {entry.code for entry in entries("levels")}
    return {
        plain_key(name): (stage["levels"][0], stage["levels"][1])
        for stage in _beginning()["stages"]
        for name in stage["names"]
        if levels.issuperset(stage["levels"])
    }


def names(section: str, locale: str, *, offered: bool = False) -> dict[str, str]:
    """Code to name in "fr", "ar" or "en", in the programme's order, without one-to-one variants.

    With `offered`, without what is retired.
    """
    return {
        entry.code: entry.names[locale if locale in _LANGUAGES else "fr"]
        for entry in entries(section)
        if not (offered and entry.retired)
    }
