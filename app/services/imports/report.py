"""What an import would change, row by row: plain values, put in words when they are shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

from app.i18n import _
from app.models import ListKind
from app.services.imports.problems import Problem
from app.services.imports.rows import Row
from app.services.imports.table import UNKNOWN_SOURCE, Source
from app.services.imports.wording import effect_line, shown, source_lines


class Status(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Change:
    """One value that changes; `before` is None where the person is new."""

    column: str
    """Our heading, such as "joignable"."""
    before: Any
    after: Any

    @property
    def before_text(self) -> str:
        """The old value in the reader's language."""
        return shown(self.column, self.before)

    @property
    def after_text(self) -> str:
        """The new value in the reader's language."""
        return shown(self.column, self.after)

    def __str__(self) -> str:
        """The change in the reader's language, without the column."""
        after = self.after_text or _("nothing")
        if not self.before_text:
            return after
        return _("from “%(before)s” to “%(after)s”", before=self.before_text, after=after)


@dataclass(frozen=True, slots=True)
class RowReport:
    """What becomes of one row of the file."""

    number: int
    """As a spreadsheet shows it; the headings are row 1."""
    ref: str
    """The person's number in the list; empty where the row has none."""
    name: str
    status: Status
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    known_id: int | None = None
    """The id of the pupil or tutor that the row is about; None for one yet unknown."""


class Planned(Protocol):
    """A good row, compared with the database."""

    @property
    def status(self) -> Status: ...

    @property
    def changes(self) -> tuple[Change, ...]: ...


class Known(Protocol):
    """A person in the database."""

    @property
    def id(self) -> int: ...


def status_of(known: Known | None, changes: tuple[Change, ...]) -> Status:
    """What becomes of a good row about this known person, if there is one."""
    if known is None:
        return Status.NEW
    return Status.CHANGED if changes else Status.SAME


def row_report(row: Row, known: Known | None, planned: Planned | None) -> RowReport:
    """The report on a row; `planned` is None for a bad one."""
    return RowReport(
        number=row.number,
        ref=row.ref,
        name=row.name,
        status=Status.BAD if planned is None else planned.status,
        changes=() if planned is None else planned.changes,
        problems=tuple(row.problems),
        known_id=None if known is None else known.id,
    )


@dataclass(frozen=True, slots=True)
class FamilyChange:
    """A family that changes with children who are not in the file."""

    phone: str
    rows: tuple[int, ...]
    siblings: tuple[str, ...]
    """The names of those children."""
    sibling_ids: tuple[int, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Effects:
    """How much an import adds and changes, beside the rows themselves."""

    households_added: int = 0
    households_changed: int = 0
    households_left_empty: int = 0
    pupils_moved: int = 0
    requests_added: int = 0
    requests_reopened: int = 0
    requests_ended: int = 0
    consents_given: int = 0
    consents_refused: int = 0
    consents_withdrawn: int = 0
    consents_renewed: int = 0
    """Consents told anew because another guardian now answers for the child."""
    seats_ended: int = 0
    """Seats in groups that consent, level or subjects no longer allow."""
    groups_ended: int = 0
    """Groups that nobody is left in."""

    def lines(self) -> list[str]:
        """One sentence for each count above zero, in the reader's language."""
        return [
            effect_line(counted.name, getattr(self, counted.name))
            for counted in fields(self)
            if getattr(self, counted.name)
        ]


@dataclass(frozen=True)
class ImportReport:
    """What an import would change, or did."""

    kind: ListKind
    problems: tuple[Problem, ...] = ()
    """What is wrong with the file as a whole; then there are no rows."""
    source: Source = UNKNOWN_SOURCE
    ignored_columns: tuple[str, ...] = ()
    rows: tuple[RowReport, ...] = ()
    new_zones: tuple[str, ...] = ()
    families: tuple[FamilyChange, ...] = ()
    effects: Effects = Effects()

    def rows_of(self, status: Status) -> list[RowReport]:
        """The rows with this status, in the file's order."""
        return [row for row in self.rows if row.status is status]

    def count(self, status: Status) -> int:
        """How many rows have this status."""
        return len(self.rows_of(status))

    @property
    def readable(self) -> bool:
        """Whether the file could be read as a list at all."""
        return not self.problems

    @property
    def pupil_ids(self) -> list[int]:
        """The known children whom the report names."""
        if self.kind is not ListKind.PUPILS:
            return []
        shown_rows = (row.known_id for row in self.rows if row.status is not Status.SAME)
        siblings = (child for family in self.families for child in family.sibling_ids)
        return sorted({*_known(shown_rows), *siblings})

    @property
    def notes(self) -> list[str]:
        """How the file was understood, in the reader's language."""
        return source_lines(self.source)

    @cached_property
    def digest(self) -> str:
        """A fingerprint: two reports that say the same have the same, in every language."""
        said = (
            self.kind,
            self.problems,
            self.ignored_columns,
            self.rows,
            self.new_zones,
            self.families,
            self.effects,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()


def _known(ids: Iterable[int | None]) -> set[int]:
    return {known for known in ids if known is not None}
