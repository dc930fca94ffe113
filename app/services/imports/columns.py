"""The columns of each list, and how a file's headings are found to be them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Final

from app.i18n import plain_key
from app.models import ListKind
from app.services.imports.problems import Code, Problem, UnreadableFile
from app.services.imports.table import Table


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list, with cells of two rows that show how it is filled."""

    heading: str
    examples: tuple[str, str]
    optional: bool = False


COLUMNS: Final[dict[ListKind, tuple[Column, ...]]] = {
    ListKind.PUPILS: (
        Column("pupil", ("P001", "P002"), optional=True),
        Column("prenom", ("Hiba", "Walid")),
        Column("nom", ("Touil", "Touil")),
        Column("zone", ("Aïn Kaïcher", "Aïn Kaïcher")),
        Column("niveau", ("3AC", "5AEP")),
        Column("matieres", ("Mathématiques; Français", "Mathématiques")),
        Column("tuteur_legal", ("Salma Touil", "Salma Touil")),
        Column("telephone", ("0600000102", "0600000102")),
        Column("langues", ("darija; arabe", "darija; arabe")),
        Column("canaux", ("appel; whatsapp", "appel; whatsapp")),
        Column("joignable", ("mar 17:30-19:30; dim 10:00-14:00",) * 2),
        Column("consentement", ("oui", "oui")),
        Column("consentement_groupe", ("oui", "non"), optional=True),
    ),
    ListKind.VOLUNTEERS: (
        Column("benevole", ("V01", "V02"), optional=True),
        Column("prenom", ("Rania", "Ilyas")),
        Column("nom", ("Mounir", "Bennani")),
        Column("email", ("rania@example.org", "ilyas@example.org")),
        Column("telephone", ("0600000201", "0600000202")),
        Column("enseigne", ("Mathématiques: 4AEP-1AC", "SVT: TC-2BAC; Français: 3AC")),
        Column("langues", ("darija; arabe; français", "darija; arabe")),
        Column("canaux", ("appel; whatsapp", "whatsapp; visio")),
        Column("disponible", ("mer 17:30-20:00; sam 15:00-17:00", "dim 09:00-12:00")),
        Column("seances_par_semaine", ("4", "2")),
    ),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file keeps the columns of a list."""

    places: dict[str, int]
    """Our heading to the number of the file's column, from 0."""
    written: dict[str, str]
    """Our heading to the file's way of writing it."""
    ignored: tuple[str, ...]
    """Columns that the list does not have, by heading, or by letter where they have none."""


def find_columns(table: Table, kind: ListKind) -> Layout:
    """Find the list's columns in any order, whatever the case, accents and spaces of headings.

    Raises UnreadableFile naming every column that is missing or doubled.
    """
    by_key: dict[str, list[int]] = {}
    for place, heading in enumerate(table.headings):
        by_key.setdefault(plain_key(heading), []).append(place)
    problems = []
    places: dict[str, int] = {}
    found = ", ".join(filter(None, (heading.strip() for heading in table.headings)))
    for column in COLUMNS[kind]:
        at = by_key.get(plain_key(column.heading), [])
        if len(at) == 1:
            places[column.heading] = at[0]
        elif at:
            values = (("heading", column.heading),)
            problems.append(Problem(Code.DOUBLED_COLUMN, values=values))
        elif not column.optional:
            missing = (("found", found), ("heading", column.heading))
            problems.append(Problem(Code.MISSING_COLUMN, values=missing))
    if problems:
        raise UnreadableFile(*problems)
    written = {heading: table.headings[place].strip() for heading, place in places.items()}
    return Layout(places, written, _ignored(table, set(places.values())))


def _ignored(table: Table, used: set[int]) -> tuple[str, ...]:
    unused = [place for place in range(len(table.headings)) if place not in used]
    named = ((place, table.headings[place].strip()) for place in unused)
    return tuple(
        heading or _letters(place)
        for place, heading in named
        if heading or any(line.cells[place : place + 1] not in ((), ("",)) for line in table.lines)
    )


def _letters(place: int) -> str:
    """The name that a spreadsheet gives to a column: A, B, ... Z, AA, ..."""
    before, last = divmod(place, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


def model_file(kind: ListKind) -> bytes:
    """A list of two rows to start from, as a French Excel opens it with a double click."""
    columns = COLUMNS[kind]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow([column.heading for column in columns])
    writer.writerows(zip(*(column.examples for column in columns), strict=True))
    return text.getvalue().encode("utf-8-sig")
