"""One row of a list to the values of its cells, with everything that is wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from app.models import ListKind
from app.services.imports import cells
from app.services.imports.columns import WEEKLY, DayColumn, Layout
from app.services.imports.naming import parse_levels, parse_teaching
from app.services.imports.problems import BadCell, Code, Problem
from app.services.imports.table import Line
from app.services.imports.times import joined, parse_windows, time_of_cell

_PARSERS: Final[dict[ListKind, dict[str, Callable[[str], Any]]]] = {
    ListKind.PUPILS: {
        "pupil": cells.parse_ref,
        "prenom": cells.parse_name,
        "nom": cells.parse_name,
        "zone": cells.parse_zone,
        "niveau": cells.parse_level,
        "matieres": cells.parse_subjects,
        "tuteur_legal": cells.parse_guardian,
        "telephone": cells.parse_phone,
        "langues": cells.parse_languages,
        "canaux": cells.parse_channels,
        "joignable": parse_windows,
        "consentement": cells.parse_answer,
        "consentement_groupe": cells.parse_answer,
        "email": cells.parse_email,
        "langue_messages": cells.parse_family_language,
    },
    ListKind.VOLUNTEERS: {
        "benevole": cells.parse_ref,
        "prenom": cells.parse_name,
        "nom": cells.parse_name,
        "email": cells.parse_email,
        "telephone": cells.parse_optional_phone,
        # Before the subjects, which take these levels where they name none themselves.
        "niveaux": parse_levels,
        "enseigne": parse_teaching,
        "langues": cells.parse_languages,
        "canaux": cells.parse_channels,
        "disponible": parse_windows,
        "seances_par_semaine": cells.parse_lessons_a_week,
        "fuseau_horaire": cells.parse_time_zone,
        "langue_messages": cells.parse_message_language,
    },
}
_CLEANERS: Final = {
    "telephone": cells.clean_number,
    "matieres": cells.clean_list,
    "niveaux": cells.clean_list,
    "enseigne": cells.clean_list,
    "langues": cells.clean_list,
    "canaux": cells.clean_list,
    "joignable": cells.clean_list,
    "disponible": cells.clean_list,
}
_ANSWERS: Final = ("consentement", "consentement_groupe")


@dataclass(slots=True)
class Row:
    """A row as it was read: a value for each cell that could be, a problem for each that not."""

    number: int
    name: str
    """The person's name as far as it could be read."""
    ref: str
    """The person's number in the list, as written; empty where there is none."""
    texts: dict[str, str]
    """Our heading to the cell's text."""
    values: dict[str, Any] = field(default_factory=dict)
    """Our heading to the cell's meaning; only cells that are all right."""
    problems: list[Problem] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    """Our heading to the file's way of writing it."""

    def refuse(self, code: Code, heading: str | None = None, **values: Any) -> None:
        """Add a problem, of one column where `heading` is given."""
        column = None if heading is None else self.written.get(heading, heading)
        read = None if heading is None else self.texts.get(heading, "")
        filling = tuple(sorted(values.items()))
        self.problems.append(Problem(code, self.number, column, read, filling))


def read_rows(layout: Layout, kind: ListKind) -> list[Row]:
    """Read every row below the headings."""
    parsers = {
        heading: parse for heading, parse in _PARSERS[kind].items() if heading in layout.places
    }

    @cache  # Zones, levels, times and the like come again and again.
    def understand(heading: str, text: str) -> Any | BadCell:
        try:
            return parsers[heading](_CLEANERS.get(heading, cells.clean)(text))
        except BadCell as bad:
            return bad

    return [
        _read_row(line, layout, tuple(parsers), understand, WEEKLY[kind]) for line in layout.lines
    ]


def _read_row(
    line: Line,
    layout: Layout,
    headings: tuple[str, ...],
    understand: Callable[[str, str], Any | BadCell],
    weekly: str,
) -> Row:
    # Spreadsheets leave out empty cells at the end of a row.
    padded = line.cells + ("",) * (layout.width - len(line.cells))
    texts = {heading: padded[place].strip() for heading, place in layout.places.items()}
    name = " ".join(f"{texts['prenom']} {texts['nom']}".split())
    ref = texts.get("pupil", texts.get("benevole", ""))
    row = Row(line.number, name, ref, texts, written=layout.written)
    if any(cell.strip() for cell in line.cells[layout.width :]):
        row.refuse(Code.TOO_MANY_CELLS, columns=layout.width, cells=len(line.cells))
        return row
    for heading in headings:
        meaning: Any
        refused = line.refused.get(layout.places[heading])
        if refused is not None and not (refused is Code.BOOLEAN_CELL and heading in _ANSWERS):
            meaning = BadCell(refused)
        elif heading == "enseigne" and "niveaux" in texts:
            meaning = _teaching(row)
        else:
            meaning = understand(heading, texts[heading])
        if isinstance(meaning, BadCell):
            row.refuse(meaning.code, heading, **dict(meaning.values))
        else:
            row.values[heading] = meaning
    if layout.days:
        _add_days(row, padded, line, layout.days, weekly)
    return row


def _teaching(row: Row) -> Any | BadCell:
    """What is taught where levels stand in a column of their own."""
    if "niveaux" not in row.values:
        # Where the levels can't be read, that is told, and nothing of the subjects.
        return ()
    try:
        return parse_teaching(cells.clean_list(row.texts["enseigne"]), row.values["niveaux"])
    except BadCell as bad:
        return bad


def _add_days(
    row: Row, padded: tuple[str, ...], line: Line, columns: tuple[DayColumn, ...], weekly: str
) -> None:
    """Add the weekly times that stand in columns of their own to those of the one column."""
    windows = list(row.values.get(weekly) or ())
    whole = weekly in row.values or weekly not in row.texts
    for column in columns:
        try:
            windows += _day_windows(column, padded, line) or ()
        except BadCell as bad:
            read = " ".join(filter(None, (padded[place].strip() for place in column.places)))
            values = tuple(bad.values)
            row.problems.append(Problem(bad.code, row.number, column.written, read, values))
            whole = False
    row.texts.setdefault(weekly, "")
    if whole:
        row.values[weekly] = joined(windows) if windows else None


def _day_windows(column: DayColumn, padded: tuple[str, ...], line: Line) -> Any:
    texts = [cells.clean_list(padded[place]) for place in column.places]
    refused = next(filter(None, (line.refused.get(place) for place in column.places)), None)
    if refused is not None:
        raise BadCell(refused)
    if isinstance(column.day, str):
        # A cell of times alone says "18h-20h; 21h-22h", or nothing.
        return parse_windows(f"{column.day} {texts[0]}") if texts[0].strip("-–— ") else None
    if not any(texts):
        return None
    day, start, end = texts
    return parse_windows(f"{day} {time_of_cell(start)} - {time_of_cell(end)}")
