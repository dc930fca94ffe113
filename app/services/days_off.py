"""Days off: school holidays and public holidays, on which no lessons are held.

A day off counts once it is confirmed. Public holidays of fixed days are confirmed as they are put
on the calendar, as long as that touches no lesson; those that the moon decides are estimates, and
lessons are held as ever until a coordinator confirms them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, DayOff, DayOffKind, DayOffState
from app.services import audit
from app.services.calendar_changes import (
    Effects,
    LessonsWouldChange,
    Outcome,
    change_calendar,
    preview,
)
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_line
from app.services.school_calendar import touching
from app.services.term_changes import FIRST_YEAR, LAST_YEAR
from app.services.vetting_term import today
from scheduler import clock
from scheduler.calendar import Days
from scheduler.public_holidays import PublicHoliday, public_holidays

LONGEST_NAME: Final = 80
LONGEST: Final = timedelta(days=100)
"""Longer stretches without lessons are the gaps between terms."""
MAY_MOVE: Final = timedelta(days=3)
"""How far from its estimate a day that the moon decides can be."""
ASKED_FROM: Final = timedelta(weeks=5)
"""How long before an estimate it is to be confirmed: before lessons of that day are made."""
SHOWN_AHEAD: Final = timedelta(weeks=4)
_NEXT_YEAR_FROM: Final = timedelta(days=100)
"""How long before a school year its public holidays are put on the calendar."""
ONE_PROPOSAL_AT_A_TIME: Final = 20_261_122


@dataclass(frozen=True, slots=True)
class NewDayOff:
    """Days off as they are to be; names that are not given are the French one."""

    name_fr: str
    name_ar: str
    name_en: str
    first_day: date
    last_day: date


# --- what is there


def list_days_off(first: date, last: date) -> list[DayOff]:
    """All that touch the days between two, dismissed ones too, in the order of time."""
    return touching(DayOff, first, last)


def get_day_off(day_off_id: int) -> DayOff:
    """One of them; NotFound if there is none."""
    found = db.session.get(DayOff, day_off_id)
    if found is None:
        raise NotFound(_l("This day off does not exist."))
    return found


def coming_days_off() -> list[DayOff]:
    """The confirmed days off of the next four weeks, for families and volunteers."""
    until = today() + SHOWN_AHEAD
    rows = list_days_off(today(), until)
    return [row for row in rows if row.state is DayOffState.CONFIRMED]


def to_confirm() -> list[DayOff]:
    """What waits for a coordinator's word: proposed, not over, and five weeks away at most."""
    rows = list_days_off(today(), today() + ASKED_FROM)
    return [row for row in rows if row.state is DayOffState.PROPOSED]


def school_year(day: date) -> Days:
    """The school year that a day is in: from September to August."""
    first = day.year if day.month >= 9 else day.year - 1
    return date(first, 9, 1), date(first + 1, 8, 31)


# --- what changes would do


def preview_day_off(new: Days, day_off_id: int | None = None) -> Effects:
    """What days off would do to lessons: new ones, or those with that id on these days."""
    _check_days(new)
    days = _confirmed(but=day_off_id)
    return preview(lambda calendar: replace(calendar, days_off=(*days, new)))


def preview_lessons_held(day_off_id: int) -> Effects:
    """What would come back if lessons were held on a day off."""
    days = _confirmed(but=day_off_id)
    return preview(lambda calendar: replace(calendar, days_off=tuple(days)))


# --- changing


def add_day_off(new: NewDayOff, by: Coordinator | None, *, agreed: int = 0) -> Outcome:
    """Add school holidays, within a term or across several.

    `agreed` is how many lessons the person saw that this cancels, here and below.
    """

    def change() -> None:
        row = DayOff(kind=DayOffKind.SCHOOL)
        _write(row, new)
        _decide(row, DayOffState.CONFIRMED, by, "add_day_off")

    return change_calendar(change, agreed)


def change_day_off(
    day_off_id: int, new: NewDayOff, by: Coordinator | None, *, agreed: int = 0
) -> Outcome:
    """Change school holidays that a coordinator added."""

    def change() -> None:
        row = get_day_off(day_off_id)
        if row.kind is not DayOffKind.SCHOOL:
            raise Conflict(_l("The name of a public holiday can’t be changed."))
        _write(row, new)
        _decide(row, DayOffState.CONFIRMED, by, "change_day_off")

    return change_calendar(change, agreed)


def confirm_day_off(
    day_off_id: int, days: Days, by: Coordinator | None, *, agreed: int = 0
) -> Outcome:
    """Confirm a public holiday, on the days on which it is; one that was dismissed, too."""

    def change() -> None:
        row = get_day_off(day_off_id)
        check_moved(row, days)
        row.first_day, row.last_day = days
        _decide(row, DayOffState.CONFIRMED, by, "confirm_day_off")

    return change_calendar(change, agreed)


def dismiss_day_off(day_off_id: int, by: Coordinator | None, *, agreed: int = 0) -> Outcome:
    """Hold lessons on a day off: school holidays go, a public holiday stays as dismissed."""

    def change() -> None:
        row = get_day_off(day_off_id)
        if row.kind is DayOffKind.SCHOOL:
            _note(row, by, "remove_day_off")
            db.session.delete(row)
        else:
            _decide(row, DayOffState.DISMISSED, by, "dismiss_day_off")

    return change_calendar(change, agreed)


def check_moved(row: DayOff, days: Days) -> None:
    """Invalid where a public holiday can't be on these days."""
    _check_days(days)
    furthest = MAY_MOVE if row.estimated else timedelta(0)
    if abs(days[0] - row.first_day) > furthest or abs(days[1] - row.last_day) > furthest:
        raise Invalid(
            _l("The moon moves these days by three days at most.")
            if row.estimated
            else _l("These days are fixed by law.")
        )


# --- public holidays


def propose_public_holidays(by: Coordinator | None = None) -> int:
    """Put the public holidays of the school year on the calendar that are not there; how many.

    Those of the next one too, once it is near. Estimates that nobody has decided on follow what is
    calculated by now. Safe to call at any time, by any number at once.
    """
    begins = school_year(today())[0]
    ends = school_year(today() + _NEXT_YEAR_FROM)[1]
    coming = [one for one in public_holidays(begins, ends) if one.last_day >= today()]
    added = 0
    if any(_is_news(holiday, _known_holidays()) for holiday in coming):
        with transaction(one_at_a_time=ONE_PROPOSAL_AT_A_TIME):
            known = _known_holidays()
            news = [holiday for holiday in coming if _is_news(holiday, known)]
            added = sum(_propose(holiday, known.get(holiday.key), by) for holiday in news)
    for row in list_days_off(today(), ends):
        if row.state is DayOffState.PROPOSED and not row.estimated:
            _confirm_untouched(row.id, (row.first_day, row.last_day), by)
    return added


def _known_holidays() -> dict[str, DayOff]:
    rows = db.session.scalars(
        select(DayOff).where(DayOff.key.is_not(None)).execution_options(populate_existing=True)
    )
    return {row.key: row for row in rows if row.key is not None}


def _is_news(holiday: PublicHoliday, known: dict[str, DayOff]) -> bool:
    row = known.get(holiday.key)
    if row is None:
        return True
    calculated = holiday.first_day, holiday.last_day
    return row.state is DayOffState.PROPOSED and (row.first_day, row.last_day) != calculated


def _propose(holiday: PublicHoliday, row: DayOff | None, by: Coordinator | None) -> bool:
    """Add a holiday, or bring it to the days that are calculated by now; whether it is new."""
    is_new = row is None
    if row is None:
        row = DayOff(
            kind=DayOffKind.PUBLIC,
            state=DayOffState.PROPOSED,
            name_fr=holiday.names["fr"],
            name_ar=holiday.names["ar"],
            name_en=holiday.names["en"],
            key=holiday.key,
        )
    row.first_day, row.last_day = holiday.first_day, holiday.last_day
    row.estimated = holiday.estimated
    db.session.add(row)
    db.session.flush()
    _note(row, by, "propose_day_off")
    return is_new


def _confirm_untouched(day_off_id: int, days: Days, by: Coordinator | None) -> None:
    """Confirm a fixed holiday where no lesson stands on it; else a coordinator is asked."""
    if preview_day_off(days, day_off_id).touched == 0:
        # A lesson that came to stand there meanwhile is asked about as well.
        with suppress(LessonsWouldChange):
            confirm_day_off(day_off_id, days, by)


# ---


def _confirmed(*, but: int | None) -> list[Days]:
    rows = db.session.execute(
        select(DayOff.id, DayOff.first_day, DayOff.last_day)
        .where(DayOff.state == DayOffState.CONFIRMED)
        .order_by(DayOff.first_day, DayOff.id)
    )
    return [(row.first_day, row.last_day) for row in rows if row.id != but]


def _write(row: DayOff, new: NewDayOff) -> None:
    _check_days((new.first_day, new.last_day))
    name = read_line(new.name_fr)
    names = [name, read_line(new.name_ar) or name, read_line(new.name_en) or name]
    if not name or max(map(len, names)) > LONGEST_NAME:
        raise Invalid(_l("Give the days off a name of at most 80 letters."))
    row.name_fr, row.name_ar, row.name_en = names
    row.first_day, row.last_day = new.first_day, new.last_day


def _check_days(days: Days) -> None:
    first, last = days
    if last < first:
        raise Invalid(_l("The last day comes before the first."))
    if first.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise Invalid(_l("Check the year of these days."))
    if last - first >= LONGEST:
        raise Invalid(_l("For more than a hundred days, end the term instead."))


def _decide(row: DayOff, state: DayOffState, by: Coordinator | None, action: str) -> None:
    row.state = state
    row.decided_at = clock.now()
    row.decided_by_id = None if by is None else by.id
    db.session.add(row)
    db.session.flush()
    _note(row, by, action)


def _note(row: DayOff, by: Coordinator | None, action: str) -> None:
    audit.note(
        action,
        f"day_off:{row.id}",
        by,
        detail={"name": row.name_fr, "days": [str(row.first_day), str(row.last_day)]},
    )
