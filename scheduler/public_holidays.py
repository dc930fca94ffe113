"""Morocco's public holidays, and Ramadan, as the `holidays` package knows them.

Those that the moon decides are calculated: the sight of it may move them by a day or two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays
from holidays.groups.islamic import IslamicHolidays

LANGUAGES = {"fr": "fr", "ar": "ar", "en": "en_US"}
"""The languages of the program, and what the package calls them."""
_YEARS_AROUND = 3
"""So many years around have each name once on a day of its own, whatever coincides this year."""


@dataclass(frozen=True, slots=True)
class PublicHoliday:
    """A public holiday with all its days, which follow each other."""

    key: str
    """The same whenever it is asked for, also when its days are calculated otherwise."""
    names: dict[str, str]
    first_day: date
    last_day: date
    estimated: bool


def public_holidays(first: date, last: date) -> list[PublicHoliday]:
    """Those that begin between two days, both of them part of it, in the order of time."""
    names = _names(first.year, last.year)
    days: dict[str, list[date]] = {}
    for day, listed in _listed("en", first.year, last.year).items():
        for name in listed:
            days.setdefault(name, []).append(day)
    labelled = _listed("en", first.year, last.year, show_estimated=True)
    found = []
    for name, all_days in days.items():
        for begins, ends in _stretches(all_days):
            number = sum(
                day.year == begins.year for day, _last in _stretches(all_days) if day < begins
            )
            found.append(
                PublicHoliday(
                    key=f"MA {begins.year} {name}" + (f" {number + 1}" if number else ""),
                    names=names[name],
                    first_day=begins,
                    last_day=ends,
                    estimated=name not in labelled[begins],
                )
            )
    within = [holiday for holiday in found if first <= holiday.first_day <= last]
    return sorted(within, key=lambda holiday: (holiday.first_day, holiday.key))


def _stretches(days: Iterable[date]) -> list[tuple[date, date]]:
    """The first and last days of those that follow each other."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _names(first_year: int, last_year: int) -> dict[str, dict[str, str]]:
    """The names in each language, by the English one.

    From days that have one name alone: where two coincide, their order differs by language.
    """
    years = first_year - _YEARS_AROUND, last_year + _YEARS_AROUND
    listed = {language: _listed(language, *years) for language in LANGUAGES}
    return {
        names[0]: {language: listed[language][day][0] for language in LANGUAGES}
        for day, names in listed["en"].items()
        if len(names) == 1
    }


def _listed(
    language: str, first_year: int, last_year: int, *, show_estimated: bool = False
) -> dict[date, list[str]]:
    calendar = holidays.country_holidays(
        "MA",
        years=range(first_year, last_year + 1),
        language=LANGUAGES[language],
        islamic_show_estimated=show_estimated,
    )
    return {day: calendar.get_list(day) for day in sorted(calendar)}


@cache
def ramadans(first: date, last: date) -> tuple[tuple[date, date], ...]:
    """The first and last days of each Ramadan that begins between two days; calculated."""
    years = range(first.year, last.year + 2)
    begins = sorted(_Ramadan(years=years))
    ends = sorted(_EidAlFitr(years=years))
    return tuple(
        (day, next(eid for eid in ends if eid > day) - timedelta(days=1))
        for day in begins
        if first <= day <= last
    )


class _Islamic(holidays.HolidayBase, IslamicHolidays):
    country = "MA"

    def __init__(self, years: Iterable[int]) -> None:
        IslamicHolidays.__init__(self, show_estimated=False)
        super().__init__(years=years)


class _Ramadan(_Islamic):
    def _populate_public_holidays(self) -> None:
        self._add_ramadan_beginning_day("ramadan")


class _EidAlFitr(_Islamic):
    def _populate_public_holidays(self) -> None:
        self._add_eid_al_fitr_day("eid al-fitr")
