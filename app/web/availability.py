"""A person's week as a form: seven days of named periods, with exact times beside them.

What the two macros of templates/_availability.html show, and what browsers send back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final, Self

from flask_babel.speaklater import LazyString
from werkzeug.datastructures import MultiDict

from app.i18n import _, _l, format_minute, weekday_name
from app.models import DAYS, Window
from app.models.weekly import MINUTES_PER_DAY
from app.services.imports.times import joined

PAIRS_SHOWN: Final = 2
"""How many exact times a day has room for; whoever has more gets a line for each."""
_MOST_PAIRS: Final = 48
_TIME: Final = re.compile(r"(\d{1,2})(?:\s*[:.hH٫]\s*(\d{2})?(?::00)?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """A part of the day that has a name; minutes from midnight."""

    code: str
    name: LazyString
    start: int
    end: int

    @property
    def hours(self) -> str:
        """Its hours, such as "08:00–12:00"."""
        return f"{format_minute(self.start)}–{format_minute(self.end)}"


PERIODS: Final = (
    Period("morning", _l("Morning"), 8 * 60, 12 * 60),
    Period("afternoon", _l("Afternoon"), 12 * 60, 16 * 60),
    Period("after_school", _l("After school"), 16 * 60, 18 * 60 + 30),
    Period("evening", _l("Evening"), 18 * 60 + 30, 21 * 60),
)
"""From morning to evening without a gap between them."""


@dataclass(slots=True)
class Day:
    """What is entered for one weekday: codes of periods, and exact times as they were typed."""

    number: int
    periods: frozenset[str] = frozenset()
    exact: tuple[tuple[str, str], ...] = ()
    error: str = ""
    wrong_pair: int = 0

    @property
    def id(self) -> str:
        """Of the input that a message about this day leads to."""
        return f"from{self.number}-{self.wrong_pair}"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The exact times, with empty lines up to PAIRS_SHOWN."""
        return [*self.exact, *[("", "")] * (PAIRS_SHOWN - len(self.exact))]

    @property
    def uses_exact(self) -> bool:
        return bool(self.exact)

    def windows(self) -> list[Window]:
        """What was entered; where that can't be read, `error` says what to do instead."""
        found = [
            (self.number, period.start, period.end)
            for period in PERIODS
            if period.code in self.periods
        ]
        for place, pair in enumerate(self.exact):
            start, end, problem = _read_pair(*pair)
            if problem:
                day = weekday_name(self.number)
                self.error = _("%(day)s: %(problem)s", day=day, problem=problem)
                self.wrong_pair = place
                return []
            found.append((self.number, start, end))
        return found


@dataclass(slots=True)
class _Choice:
    """What an error of no single day leads to."""

    id: str


@dataclass(slots=True)
class WeekForm:
    """Seven days, and whether the times are still to be agreed.

    `ui.error_summary(form)` takes it as it takes any form.
    """

    days: list[Day] = field(default_factory=lambda: [Day(number) for number in range(len(DAYS))])
    to_agree: bool = False
    is_copy: bool = False
    """Whether a button asked to copy a day: the form is to be shown again, not to be kept."""
    windows: list[Window] = field(default_factory=list)
    """In order, none touching another; empty where the times are to be agreed."""
    errors: dict[str, list[str]] = field(default_factory=dict)
    """By "day0" to "day6" or "times"; whoever finds it empty may keep `windows` and `to_agree`."""

    @classmethod
    def of(cls, windows: Iterable[Window], to_agree: bool) -> Self:
        """The form as it stands for somebody whose week is known."""
        days = [Day(number) for number in range(len(DAYS))]
        kept = list(joined(list(windows)))
        for number, start, end in kept:
            day = days[number]
            within = _periods_of(start, end)
            if within:
                day.periods |= within
            else:
                last = format_minute(end % MINUTES_PER_DAY)  # browsers know no 24:00
                day.exact = (*day.exact, (format_minute(start), last))
        return cls(days=days, to_agree=to_agree, windows=kept)

    @classmethod
    def from_request(cls, fields: MultiDict[str, str]) -> Self:
        """The form as a browser sent it, read and checked."""
        form = cls(
            days=[_day_of(fields, number) for number in range(len(DAYS))],
            to_agree="to_agree" in fields,
        )
        copied = fields.get("copy", "")
        if copied in {str(day.number) for day in form.days}:
            form.is_copy = True
            form._copy(int(copied))
        else:
            form._read()
        return form

    @property
    def periods(self) -> tuple[Period, ...]:
        return PERIODS

    @property
    def times_error(self) -> str:
        """What is wrong with the week as a whole; empty where nothing is."""
        return " ".join(self.errors.get("times", []))

    def __contains__(self, name: str) -> bool:
        return name in self.errors

    def __getitem__(self, name: str) -> Day | _Choice:
        if name == "times":
            return _Choice("to-agree" if self.to_agree else "period0-morning")
        return self.days[int(name.removeprefix("day"))]

    def _copy(self, number: int) -> None:
        self.days = [replace(self.days[number], number=day.number) for day in self.days]

    def _read(self) -> None:
        found = [window for day in self.days for window in day.windows()]
        self.errors = {f"day{day.number}": [day.error] for day in self.days if day.error}
        if self.errors:
            return
        if self.to_agree and found:
            text = _("Choose times, or “I don't know yet”: not both.")
            self.errors["times"] = [text]
        elif not self.to_agree and not found:
            text = _("Tick at least one part of a day, or “I don't know yet”.")
            self.errors["times"] = [text]
        else:
            self.windows = list(joined(found))


def _day_of(fields: MultiDict[str, str], number: int) -> Day:
    known = {period.code for period in PERIODS}
    pairs = zip_longest(
        fields.getlist(f"from{number}")[:_MOST_PAIRS],
        fields.getlist(f"to{number}")[:_MOST_PAIRS],
        fillvalue="",
    )
    return Day(
        number,
        periods=frozenset(fields.getlist(f"period{number}")) & known,
        exact=tuple(
            (start.strip()[:20], end.strip()[:20])
            for start, end in pairs
            if start.strip() or end.strip()
        ),
    )


def _periods_of(start: int, end: int) -> frozenset[str]:
    """The periods that make up a stretch of time exactly; none where it begins or ends between."""
    within = [period for period in PERIODS if start <= period.start and period.end <= end]
    if not within or (within[0].start, within[-1].end) != (start, end):
        return frozenset()
    return frozenset(period.code for period in within)


def _read_pair(start: str, end: str) -> tuple[int, int, str]:
    """Two times in minutes, and what to do where they can't be read."""
    if not start or not end:
        return 0, 0, _("enter both times, from and to.")
    first, last = _minute(start), _minute(end)
    if first is None or last is None:
        return 0, 0, _("write the times like 18:30.")
    last = last or MINUTES_PER_DAY
    if last <= first:
        return 0, 0, _("the second time must be later than the first.")
    return first, last, ""


def _minute(text: str) -> int | None:
    """The minute of the day of "18:30", "18h30" or "١٨:٣٠"; None for anything else."""
    plain = "".join(str(unicodedata.decimal(sign, sign)) for sign in text)
    found = _TIME.fullmatch(plain)
    if found is None:
        return None
    hours, minutes = int(found[1]), int(found[2] or 0)
    whole = hours * 60 + minutes
    return whole if minutes < 60 and whole <= MINUTES_PER_DAY else None
