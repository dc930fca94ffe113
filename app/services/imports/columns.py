"""The columns of each list, and how a file's headings are found to be them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from app.i18n import plain_key
from app.models import ListKind
from app.services.imports.days import find_day
from app.services.imports.letters import is_garbled
from app.services.imports.problems import Code, Problem, UnreadableFile
from app.services.imports.table import Line, Sheet, Source

_FILE: Final = Path(__file__).resolve().parents[2] / "data" / "headings.toml"
_HEADINGS_WITHIN: Final = 30
"""A list's headings stand in one of its first filled rows."""
_FEWEST: Final = 2
"""Fewer headings than this in a row are chance: titles name things too."""
_BILINGUAL: Final = re.compile(r"[/|\n()\[\]–—-]")
_NUMBERED: Final = re.compile(r"(\D+)(\d?)", re.ASCII)
WEEKLY: Final = {ListKind.PUPILS: "joignable", ListKind.VOLUNTEERS: "disponible"}
"""The column of weekly times, which may also be spread over several."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list, with cells of two rows that show how it is filled."""

    heading: str
    examples: tuple[str, str]
    names: dict[str, str]
    """What stands above it in a model list, by language."""
    optional: bool


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


COLUMNS: Final[dict[ListKind, tuple[Column, ...]]] = {
    kind: tuple(
        Column(
            entry["key"],
            (entry["examples"][0], entry["examples"][1]),
            {locale: entry[locale] for locale in ("fr", "ar", "en")},
            entry.get("optional", False),
        )
        for entry in _file()[kind.value]
    )
    for kind in ListKind
}


@cache
def _spellings(kind: ListKind) -> dict[str, str]:
    return {
        plain_key(name): entry["key"]
        for entry in _file()[kind.value]
        for name in (entry["key"], entry["fr"], entry["ar"], entry["en"], *entry["also"])
    }


@cache
def _time_parts() -> dict[str, str]:
    return {plain_key(name): part for part, names in _file()["times"].items() for name in names}


@dataclass(frozen=True, slots=True)
class DayColumn:
    """A column of times on one weekday, or three columns: day, start and end."""

    written: str
    """The headings as the file writes them."""
    day: str | int
    """The name of the day, or the place of the column that names it."""
    times: tuple[int, ...]
    """The place of the times, or those of start and end."""

    @property
    def places(self) -> tuple[int, ...]:
        """Every place that it takes."""
        return self.times if isinstance(self.day, str) else (self.day, *self.times)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file keeps the columns of a list, and the rows below its headings."""

    lines: tuple[Line, ...]
    width: int
    """How many headings there are."""
    places: dict[str, int]
    """Our heading to the number of the file's column, from 0."""
    days: tuple[DayColumn, ...]
    """Weekly times that stand in columns of their own."""
    written: dict[str, str]
    """Our heading to the file's way of writing it."""
    ignored: tuple[str, ...]
    """Columns that the list does not have, by heading, or by letter where they have none."""
    source: Source


def recognise(kind: ListKind, cells: Sequence[str]) -> int:
    """How many different columns of the list have their headings among these cells."""
    found = {find_heading(kind, cell) for cell in cells}
    return len(found - {None})


def find_heading(kind: ListKind, text: str) -> str | None:
    """Our heading for a file's, whatever its language, case, accents and spaces.

    One that says the same in two languages, such as "Prénom / الاسم الشخصي", counts too.
    """
    known = _spellings(kind)
    whole = known.get(plain_key(text))
    if whole is not None or not _BILINGUAL.search(text):
        return whole
    parts = {known.get(plain_key(part)) for part in _BILINGUAL.split(text) if plain_key(part)}
    return parts.pop() if len(parts) == 1 else None


def find_columns(sheets: Sequence[Sheet], kind: ListKind) -> Layout:
    """Find the list among the sheets and its columns in any order; titles may stand above them.

    Raises UnreadableFile naming every column that is missing or doubled.
    """
    if not sheets:
        raise UnreadableFile(Problem(Code.EMPTY_FILE))
    sheet, top = _find_headings(sheets, partial(recognise, kind))
    headings = sheet.lines[top].cells
    _refuse_garbled(headings)
    places, problems = _places(headings, kind)
    days = _day_columns(headings, set(places.values()))
    missing = [
        column.heading
        for column in COLUMNS[kind]
        if not (column.optional or column.heading in places)
        and not (days and column.heading == WEEKLY[kind])
        and not any(problem.values[-1][1] == column.heading for problem in problems)
    ]
    if missing and _is_other_list(sheets, kind):
        raise UnreadableFile(Problem(Code.OTHER_LIST))
    found = ", ".join(filter(None, (_one_line(heading) for heading in headings)))
    for heading in missing:
        values = (("found", found), ("heading", heading))
        problems.append(Problem(Code.MISSING_COLUMN, values=values))
    if problems:
        raise UnreadableFile(*problems)
    lines = tuple(line for line in sheet.lines[top + 1 :] if not _repeats(line, headings))
    if not lines:
        raise UnreadableFile(Problem(Code.NO_ROWS))
    written = {heading: _one_line(headings[place]) for heading, place in places.items()}
    used = {*places.values(), *(place for day in days for place in day.places)}
    ignored = _ignored(headings, lines, used)
    return Layout(lines, len(headings), places, days, written, ignored, sheet.source)


def _find_headings(
    sheets: Sequence[Sheet], recognised: Callable[[Sequence[str]], int]
) -> tuple[Sheet, int]:
    """The sheet with the list and the place of its headings: the row that shows most of them."""
    candidates = [
        (recognised(line.cells), sheet, place)
        for sheet in sheets
        for place, line in enumerate(sheet.lines[:_HEADINGS_WITHIN])
    ]
    if not candidates:
        raise UnreadableFile(Problem(Code.EMPTY_FILE))
    most, sheet, place = max(candidates, key=lambda candidate: candidate[0])
    return (sheet, place) if most >= _FEWEST else (candidates[0][1], 0)


def _refuse_garbled(headings: Sequence[str]) -> None:
    for heading in headings:
        if is_garbled(heading):
            values = (("heading", _one_line(heading)),)
            raise UnreadableFile(Problem(Code.GARBLED_HEADING, values=values))


def _places(headings: Sequence[str], kind: ListKind) -> tuple[dict[str, int], list[Problem]]:
    at: dict[str, list[int]] = {}
    for place, text in enumerate(headings):
        heading = find_heading(kind, text)
        if heading is not None:
            at.setdefault(heading, []).append(place)
    problems = []
    for column in COLUMNS[kind]:
        doubled = at.get(column.heading, [])
        if len(doubled) > 1:
            found = ", ".join(_one_line(headings[place]) for place in doubled)
            values = (("found", found), ("heading", column.heading))
            problems.append(Problem(Code.DOUBLED_COLUMN, values=values))
    return {heading: found[0] for heading, found in at.items()}, problems


def _day_columns(headings: Sequence[str], taken: set[int]) -> tuple[DayColumn, ...]:
    """Columns headed by a weekday, and columns of day, start and end with the same number."""
    free = [(place, text) for place, text in enumerate(headings) if place not in taken]
    named = [
        DayColumn(_one_line(text), _one_line(text), (place,))
        for place, text in free
        if plain_key(text) and find_day(text) is not None
    ]
    parts: dict[str, dict[str, int]] = {}
    for place, text in free:
        match = _NUMBERED.fullmatch(plain_key(text))
        part = _time_parts().get(match[1]) if match else None
        if match and part is not None:
            parts.setdefault(match[2], {}).setdefault(part, place)
    for part_places in parts.values():
        if part_places.keys() == {"day", "start", "end"}:
            day, start, end = (part_places[part] for part in ("day", "start", "end"))
            written = ", ".join(_one_line(headings[place]) for place in (day, start, end))
            named.append(DayColumn(written, day, (start, end)))
    return tuple(named)


def _is_other_list(sheets: Sequence[Sheet], kind: ListKind) -> bool:
    (other,) = set(ListKind) - {kind}
    sheet, top = _find_headings(sheets, partial(recognise, other))
    found = {find_heading(other, text) for text in sheet.lines[top].cells}
    return all(
        column.optional or column.heading in found or column.heading == WEEKLY[other]
        for column in COLUMNS[other]
    )


def _repeats(line: Line, headings: Sequence[str]) -> bool:
    """Whether a row is the headings again, as lists cut into printed pages have them."""
    keys = [plain_key(cell) for cell in line.cells]
    same = sum(
        bool(key) and key == plain_key(heading)
        for key, heading in zip(keys, headings, strict=False)
    )
    return same > _FEWEST and same == sum(map(bool, keys))


def _ignored(headings: Sequence[str], lines: Sequence[Line], used: set[int]) -> tuple[str, ...]:
    unused = [place for place in range(len(headings)) if place not in used]
    named = ((place, _one_line(headings[place])) for place in unused)
    return tuple(
        heading or letters(place)
        for place, heading in named
        if heading or any(line.cells[place : place + 1] not in ((), ("",)) for line in lines)
    )


def _one_line(heading: str) -> str:
    return " ".join(heading.split())


def letters(place: int) -> str:
    """The name that a spreadsheet gives to a column: A, B, ... Z, AA, ..."""
    before, last = divmod(place, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)
