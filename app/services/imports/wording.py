"""Values and counts of a report in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, Final, NamedTuple

from app.i18n import _, format_minute, ngettext, page_locale, weekday_name
from app.services import programme
from app.services.imports.naming import Teaching
from app.services.imports.table import Source
from app.services.imports.times import Windows


class Statement(NamedTuple):
    """Whether a guardian consents, and who."""

    given: bool
    guardian: str


def shown(column: str, value: Any) -> str:
    """A value of the column with this heading, as the reader reads it; empty for None."""
    if column in ("joignable", "disponible"):
        return _windows(value)
    if value is None:
        return ""
    if column in _SECTIONS:
        return _names(_SECTIONS[column], value)
    if column == "enseigne":
        return _teaching(value)
    if column == "langue_messages":
        return _("Darija in Latin letters") if value == "ary" else _names("languages", [value])
    if column in ("consentement", "consentement_groupe"):
        return _statement(value)
    return str(value)


_SECTIONS: Final = {"matieres": "subjects", "langues": "languages", "canaux": "channels"}


def _names(section: str, codes: Iterable[str]) -> str:
    names = programme.names(section, page_locale())
    return "; ".join(names.get(code, code) for code in codes)


def _windows(windows: Windows) -> str:
    if windows is None:
        return _("times to be agreed")
    return "; ".join(
        f"{weekday_name(day)} {format_minute(start)}-{format_minute(end)}"
        for day, start, end in windows
    )


def _teaching(taught: Teaching) -> str:
    """Subjects with their levels, neighbouring levels as a range."""
    order = list(programme.names("levels", page_locale()))
    names = programme.names("subjects", page_locale())
    parts = []
    for subject, pairs in groupby(taught, key=lambda pair: pair[0]):
        ranks = [order.index(level) for _subject, level in pairs]
        # Along a range, rank and place grow together: their difference stays the same.
        for _difference, run in groupby(enumerate(ranks), key=lambda placed: placed[1] - placed[0]):
            levels = [order[rank] for _place, rank in run]
            span = levels[0] if len(levels) == 1 else f"{levels[0]}-{levels[-1]}"
            parts.append(f"{names.get(subject, subject)}: {span}")
    return "; ".join(parts)


def _statement(statement: Statement) -> str:
    if statement.given:
        return _("yes, %(guardian)s", guardian=statement.guardian)
    return _("no")


def source_lines(source: Source) -> list[str]:
    """How a file was understood: its character set, or the sheet that was read."""
    lines = []
    if source.encoding is not None:
        lines.append(_("Read as text in %(encoding)s.", encoding=source.encoding))
    if source.sheet is not None:
        lines.append(_("The sheet “%(sheet)s” was read.", sheet=source.sheet))
    if source.sheets_left_out:
        names = ", ".join(source.sheets_left_out)
        lines.append(_("These sheets were not read: %(names)s.", names=names))
    return lines


def effect_line(name: str, count: int) -> str:
    """A sentence for one count of `Effects`."""
    return str(_EFFECTS[name](count))


_EFFECTS: Final[dict[str, Callable[[int], str]]] = {
    "households_added": lambda n: ngettext("%(num)d family added", "%(num)d families added", n),
    "households_changed": lambda n: ngettext(
        "%(num)d family changed", "%(num)d families changed", n
    ),
    "households_left_empty": lambda n: ngettext(
        "%(num)d family left without children", "%(num)d families left without children", n
    ),
    "pupils_moved": lambda n: ngettext(
        "%(num)d pupil moved to another telephone", "%(num)d pupils moved to another telephone", n
    ),
    "requests_added": lambda n: ngettext("%(num)d request added", "%(num)d requests added", n),
    "requests_reopened": lambda n: ngettext(
        "%(num)d request opened again", "%(num)d requests opened again", n
    ),
    "requests_ended": lambda n: ngettext("%(num)d request ended", "%(num)d requests ended", n),
    "consents_given": lambda n: ngettext("%(num)d consent given", "%(num)d consents given", n),
    "consents_refused": lambda n: ngettext(
        "%(num)d consent refused", "%(num)d consents refused", n
    ),
    "consents_withdrawn": lambda n: ngettext(
        "%(num)d consent withdrawn", "%(num)d consents withdrawn", n
    ),
    "consents_renewed": lambda n: ngettext(
        "%(num)d consent told anew by another guardian",
        "%(num)d consents told anew by another guardian",
        n,
    ),
    "seats_ended": lambda n: ngettext(
        "%(num)d seat in a group ends: the guardian's consent, the level or the subject no longer "
        "allow it",
        "%(num)d seats in groups end: the guardian's consent, the level or the subject no longer "
        "allow them",
        n,
    ),
    "groups_ended": lambda n: ngettext(
        "%(num)d group is left empty: it ends, and its lessons and reminders are cancelled",
        "%(num)d groups are left empty: they end, and their lessons and reminders are cancelled",
        n,
    ),
}
