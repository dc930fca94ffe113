"""The names of weekdays in French, Arabic and English, long and short."""

from __future__ import annotations

from typing import Final

from app.i18n import plain_key

_NAMES: Final = (
    "lun lundi mon monday الاثنين اثنين الإثنين",
    "mar mardi tue tues tuesday الثلاثاء ثلاثاء",
    "mer mercredi wed wednesday الأربعاء أربعاء الاربعاء",
    "jeu jeudi thu thur thurs thursday الخميس خميس",
    "ven vendredi fri friday الجمعة جمعة",
    "sam samedi sat saturday السبت سبت",
    "dim dimanche sun sunday الأحد أحد",
)
DAYS: Final = {plain_key(name): day for day, names in enumerate(_NAMES) for name in names.split()}
"""Names as plain keys to weekdays, Monday is 0."""


def find_day(text: str) -> int | None:
    """The weekday of this name; None where it is none."""
    key = plain_key(text)
    return DAYS.get(key, DAYS.get(key.removeprefix("يوم")))
