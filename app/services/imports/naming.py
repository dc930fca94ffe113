"""Several named things in one cell: subjects, levels, languages, channels, and what is taught."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from app.i18n import plain_key
from app.services import programme
from app.services.imports.letters import ascii_digits
from app.services.imports.problems import Accepted, BadCell, Code

Teaching = tuple[tuple[str, str], ...]
"""(subject, level) codes, in the programme's order."""

# Some names hold these words themselves: they part two things only where no name is found across.
_BETWEEN: Final = re.compile(
    r"(\s*[;؛\n,،/|+&]\s*|\s+(?:et|and|ou|or)\s+|\s+و\s*(?=\S))", re.IGNORECASE
)
_STRONG: Final = ";؛\n|"
_TO: Final = re.compile(
    r"\s*[-–—−‒→~]\s*|\s+(?:à|a|au|to|jusqu.[àa]u?|through|إلى|الى|حتى)\s+", re.IGNORECASE
)
_FROM: Final = re.compile(r"^(?:de|du|from|من)\s+", re.IGNORECASE)
_IN_BRACKETS: Final = re.compile(r"\(([^()]*)\)")
_FIRST_NUMBER: Final = re.compile(r"\d")


def order(section: str) -> tuple[str, ...]:
    """The codes of a section in the programme's order."""
    return tuple(entry.code for entry in programme.entries(section))


def in_order(codes: Iterable[str], section: str) -> tuple[str, ...]:
    """Codes in the programme's order, each once."""
    wanted = set(codes)
    return tuple(code for code in order(section) if code in wanted)


def find_code(text: str, section: str) -> str | None:
    """The code of one thing; None where it is not known, BadCell where it was offered once."""
    code = programme.spellings(section).get(plain_key(ascii_digits(text)))
    if code in programme.retired_codes(section):
        accepted = Accepted(section)
        raise BadCell(Code.NO_LONGER_OFFERED, item=text, accepted=accepted)
    return code


def parse_codes(text: str, section: str) -> tuple[str, ...]:
    """Codes of the things in a cell, in the programme's order, each once."""
    pieces = _pieces(text)
    if not pieces:
        raise BadCell(Code.EMPTY_CELL)
    found = []
    while pieces:
        taken, code = _first(pieces, section)
        if code is None:
            raise BadCell(Code.NOT_AMONG, item=pieces[0], accepted=Accepted(section))
        found.append(code)
        pieces = pieces[taken:]
    return in_order(found, section)


def _pieces(text: str) -> list[str]:
    """Things and what stands between them, in turn; things are never empty.

    A semicolon or a line end becomes ";", which no name goes across.
    """
    parts = _BETWEEN.split(text)
    pieces: list[str] = []
    for place, part in enumerate(parts):
        between = place % 2 == 1
        if not between and part.strip():
            pieces.append(part.strip())
        elif between and len(pieces) % 2 == 1:
            pieces.append(part)
        if between and pieces and any(sign in part for sign in _STRONG):
            pieces[-1] = ";"
    return pieces[:-1] if pieces and len(pieces) % 2 == 0 else pieces


def _first(pieces: Sequence[str], section: str) -> tuple[int, str | None]:
    """The code of the longest name that the pieces begin with, and how many pieces it takes up.

    The piece that parts it from the next is counted. The code is None where no name fits.
    """
    for length in range(len(pieces) - 1 + len(pieces) % 2, 0, -2):
        if ";" in pieces[1:length:2]:
            continue
        code = find_code(" ".join(pieces[:length]), section)
        if code is not None:
            return length + 1, code
    return 0, None


def parse_teaching(text: str, levels: Sequence[str] = ()) -> Teaching:
    """Subjects with levels or ranges of them, such as "SVT: TC-2BAC; Arabe: 6AEP, 1AC".

    Subjects without levels of their own take `levels`; BadCell where there are none.
    """
    pieces = _pieces(_IN_BRACKETS.sub(r", \1;", text.replace("：", ":")).replace(":", ","))
    if not pieces:
        raise BadCell(Code.EMPTY_CELL)
    taught: set[tuple[str, str]] = set()
    alone: dict[str, str] = {}
    subjects: dict[str, str] = {}
    levels_told = False
    while pieces:
        taken, subject = _first(pieces, "subjects")
        if subject is not None:
            subjects = {} if levels_told else subjects
            subjects[subject] = " ".join(pieces[: taken - 1])
            levels_told = False
        else:
            taken, found = _first_levels(pieces)
            if not found or not subjects:
                raise _not_teaching(pieces[0])
            taught |= {(one, level) for one in subjects for level in found}
            levels_told = True
        # "Arabe; SVT: TC" says nothing of the levels of Arabe.
        if not levels_told and (len(pieces) < taken or pieces[taken - 1] == ";"):
            alone |= subjects
            subjects = {}
        pieces = pieces[taken:]
    if alone and not levels:
        raise _not_teaching(next(iter(alone.values())))
    return teaching_in_order(taught | {(subject, level) for subject in alone for level in levels})


def parse_levels(text: str) -> tuple[str, ...]:
    """Levels, ranges of them and stages, such as "1AC-3AC; TC" or "collège"; empty where empty."""
    levels: list[str] = []
    pieces = _pieces(text)
    while pieces:
        taken, found = _first_levels(pieces)
        if not found:
            raise BadCell(Code.NOT_AMONG, item=pieces[0], accepted=Accepted("levels"))
        levels += found
        pieces = pieces[taken:]
    return in_order(levels, "levels")


def _first_levels(pieces: Sequence[str]) -> tuple[int, list[str]]:
    """The levels of the name, range or stage that the pieces begin with, and how many it takes up.

    Raises BadCell where a range begins with the older level.
    """
    taken, code = _first(pieces, "levels")
    if code is not None:
        return taken, [code]
    # Names with a comma in them have ranges with commas: "Primary, year 1 to Primary, year 3".
    for length in range(len(pieces) - 1 + len(pieces) % 2, 0, -2):
        levels = [] if ";" in pieces[1:length:2] else _range(" ".join(pieces[:length]))
        if levels:
            return length + 1, levels
    return 2, []


def _range(text: str) -> list[str]:
    ends = programme.stages().get(plain_key(text)) or _ends(ascii_digits(text))
    if ends is None:
        return []
    codes = order("levels")
    first, last = codes.index(ends[0]), codes.index(ends[1])
    if last < first:
        raise BadCell(Code.RANGE_BACKWARDS, item=text)
    offered = programme.names("levels", "fr", offered=True)
    return [code for code in codes[first : last + 1] if code in offered]


def _ends(text: str) -> tuple[str, str] | None:
    """The codes of the first and last level of a range."""
    ends = _TO.split(re.sub(_FROM, "", text.strip(), count=1))
    if len(ends) != 2:
        return None
    first, last = ends
    if first.strip().isdecimal():
        # "1-3 AC"
        first = _FIRST_NUMBER.sub(first.strip(), last, count=1)
    codes = find_code(first, "levels"), find_code(last, "levels")
    return None if codes[0] is None or codes[1] is None else (codes[0], codes[1])


def _not_teaching(item: str) -> BadCell:
    accepted = {section: Accepted(section) for section in ("subjects", "levels")}
    return BadCell(Code.NOT_TEACHING, item=item, **accepted)


def teaching_in_order(taught: Iterable[tuple[str, str]]) -> Teaching:
    """(subject, level) codes in the programme's order, each once."""
    wanted = set(taught)
    return tuple(
        (subject, level)
        for subject in order("subjects")
        for level in order("levels")
        if (subject, level) in wanted
    )
