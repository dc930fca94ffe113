"""What an export is: a name, headings, and rows that are read as they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from flask import current_app
from flask_babel.speaklater import LazyString
from sqlalchemy import Select, select
from sqlalchemy.orm import lazyload

from app.extensions import db
from app.i18n import _, page_locale
from app.models import (
    Channel,
    Coordinator,
    Language,
    Level,
    ListKind,
    Subject,
    Tag,
    Zone,
)
from app.services.imports.columns import COLUMNS
from app.services.scope import Scope
from scheduler import clock

AT_A_TIME: Final = 500
"""Rows that are in memory at once."""

Value = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, and the children whom it is about."""

    cells: tuple[Value, ...]
    pupil_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """One file's worth of the programme's data."""

    key: str
    title: LazyString
    headings: tuple[LazyString, ...]
    rows: Callable[[Scope], Iterator[Row]]
    tables: tuple[str, ...]
    """The tables whose rows stand in it."""
    for_zones: bool = False
    """Whether a coordinator of some zones may have it, kept to those."""


@dataclass(frozen=True, slots=True)
class Names:
    """What rows point at, by name in the reader's language; levels by their short codes.

    Zones keep the name that imports know them by.
    """

    zones: dict[int, str]
    subjects: dict[int, str]
    levels: dict[int, str]
    channels: dict[str, str]
    languages: dict[str, str]
    tags: dict[str, str]
    coordinators: dict[int, str]

    def coordinator(self, number: int | None) -> str:
        """A coordinator's name; empty where it was none."""
        return "" if number is None else self.coordinators[number]

    def message_language(self, code: str) -> str:
        """The language of somebody's messages: "ary" is Darija."""
        return self.languages.get("darija" if code == "ary" else code, code)


def read_names() -> Names:
    """The names of all that the programme offers, and of its coordinators."""
    locale = page_locale()
    session = db.session
    coordinators = session.scalars(select(Coordinator).options(lazyload("*")))
    return Names(
        zones={row.id: row.name for row in session.scalars(select(Zone))},
        subjects={row.id: row.name_in(locale) for row in session.scalars(select(Subject))},
        levels={row.id: row.code for row in session.scalars(select(Level))},
        channels={row.code: row.name_in(locale) for row in session.scalars(select(Channel))},
        languages={row.code: row.name_in(locale) for row in session.scalars(select(Language))},
        tags={row.code: row.name_in(locale) for row in session.scalars(select(Tag))},
        coordinators={row.id: row.name for row in coordinators},
    )


def streamed(statement: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    """A statement's rows, or their entities where they hold one alone, a part at a time."""
    result = db.session.execute(statement.execution_options(yield_per=AT_A_TIME))
    return iter(result.scalars() if len(statement.column_descriptions) == 1 else result)


def in_list(kind: ListKind, key: str) -> LazyString:
    """The heading that imports give to a column, so that they read the file back."""
    (column,) = (column for column in COLUMNS[kind] if column.heading == key)
    return LazyString(lambda: column.names[page_locale()])


def several(texts: Iterable[str]) -> str:
    """Several things in one cell, as imports read them."""
    return "; ".join(texts)


def moment(instant: datetime | None) -> datetime | None:
    """An instant as the programme's clocks show it, to the second."""
    if instant is None:
        return None
    wall: datetime = clock.to_wall(instant, current_app.config["N9RAW"].civil_zone)
    return wall.replace(microsecond=0, fold=0)


def yes_or_no(value: bool | None) -> str:
    """Yes, no, or nothing where nothing is known."""
    if value is None:
        return ""
    return _("yes") if value else _("no")
