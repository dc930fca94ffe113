"""Rows of the pupils' list: which contradict each other, and which child each is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from app.i18n import plain_key
from app.services.imports.known import KnownFamily, KnownPupil
from app.services.imports.problems import Code
from app.services.imports.rows import Row
from app.services.imports.same_rows import groups, refuse_all, refuse_same_person, refuse_shared


def _as_it_is(value: Any) -> Any:
    return value


FAMILY_COLUMNS: Final[dict[str, Callable[[Any], Any]]] = {
    "zone": plain_key,
    "tuteur_legal": plain_key,
    "langues": _as_it_is,
    "canaux": _as_it_is,
    "joignable": _as_it_is,
    "email": _as_it_is,
    "langue_messages": _as_it_is,
}
"""What siblings must have alike, and the form in which it is compared."""
_MAY_BE_LEFT_OUT: Final = ("email", "langue_messages")
"""What it is enough to say in one of a family's rows."""


def refuse_contradictions(rows: list[Row]) -> None:
    """Add problems to rows of one child, and to rows of one telephone that disagree."""
    refuse_shared(rows, Code.SAME_ID, "pupil")
    for namesakes in groups(rows, _child_key).values():
        # Two children of one name do live in one house: their numbers then tell them apart.
        if not all(row.values.get("pupil") for row in namesakes):
            refuse_all(namesakes, Code.SAME_CHILD)
    for family in groups(rows, lambda row: row.values.get("telephone")).values():
        _refuse_disagreement(family)


def _child_key(row: Row) -> tuple[str, str] | None:
    """Telephone and name; None where one of them can't be read."""
    if not row.values.keys() >= {"telephone", "prenom", "nom"}:
        return None
    return name_key(row.values["telephone"], row.values["prenom"], row.values["nom"])


def name_key(phone: str, first_name: str, last_name: str) -> tuple[str, str]:
    """What a child without a number is known by."""
    return phone, plain_key(f"{first_name} {last_name}")


def _refuse_disagreement(family: list[Row]) -> None:
    differing: list[Row] = []
    for heading, form in FAMILY_COLUMNS.items():
        tellers = [
            row
            for row in family
            if heading in row.values
            and not (heading in _MAY_BE_LEFT_OUT and row.values[heading] is None)
        ]
        for row in tellers[1:]:
            first = tellers[0]
            if form(row.values[heading]) != form(first.values[heading]):
                row.refuse(
                    Code.SIBLINGS_DIFFER,
                    heading,
                    other=first.number,
                    differing=first.texts[heading],
                )
                differing.append(row)
    if differing:
        first_differing = min(differing, key=lambda row: row.number)
        for row in family:
            if not row.problems:
                row.refuse(Code.FAMILY_STAYS_OUT, other=first_differing.number)


def find_known(rows: list[Row], families: list[KnownFamily]) -> dict[int, KnownPupil]:
    """The known child of each row, by row number; rows of children yet unknown are left out.

    The list's number comes first, then telephone and name. Adds problems to rows that could be
    several children, to rows with the number of somebody else, and to rows that are the same one.
    """
    by_ref: dict[str | None, tuple[KnownPupil | None, str | None]] = {
        child.ref: (child, family.phone)
        for family in families
        for child in family.pupils
        if child.ref
    }
    by_name: defaultdict[tuple[str, str], list[KnownPupil]] = defaultdict(list)
    for family in families:
        for child in family.pupils:
            by_name[name_key(family.phone, child.first_name, child.last_name)].append(child)
    found: dict[int, KnownPupil] = {}
    for row in rows:
        key = _child_key(row)
        namesakes = by_name.get(key, []) if key else []
        numbered, phone = by_ref.get(row.values.get("pupil"), (None, None))
        if numbered is not None and key and _is_somebody_else(key, numbered, phone):
            row.refuse(Code.OTHER_PERSON, "pupil", name=numbered.name)
            continue
        pupil = _find(row, numbered, namesakes)
        if pupil is not None:
            found[row.number] = pupil
    refuse_same_person(rows, found)
    return found


def _is_somebody_else(key: tuple[str, str], known: KnownPupil, known_phone: str | None) -> bool:
    """Whether neither telephone nor name is that of the child with the row's number."""
    phone, name = key
    return phone != known_phone and name != plain_key(known.name)


def _find(row: Row, numbered: KnownPupil | None, namesakes: list[KnownPupil]) -> KnownPupil | None:
    ref = row.values.get("pupil")
    if ref:
        # A child known without a number takes the one that the list now gives.
        namesakes = [pupil for pupil in namesakes if pupil.ref is None]
        return numbered or (namesakes[0] if len(namesakes) == 1 else None)
    if len(namesakes) > 1:
        refs = ", ".join(sorted(pupil.ref for pupil in namesakes if pupil.ref))
        row.refuse(Code.SEVERAL_CHILDREN, "pupil", refs=refs)
        return None
    return namesakes[0] if namesakes else None
