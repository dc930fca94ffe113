"""Tomorrow's call sheet: the families who are told of their lessons by telephone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, subqueryload

from app.extensions import db
from app.models import Household, Lesson, LessonState, Pupil
from app.services.paging import Page, page_of
from app.services.reach import has_no_way, lost_messages
from app.services.scope import Scope
from app.services.vetting_term import today
from app.services.week_table import lessons_between, pupils_of
from app.services.within import groups_within

PER_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class CalledLesson:
    """One lesson of a family's day, and which of its children are in it."""

    lesson: Lesson
    pupils: list[Pupil]


@dataclass(frozen=True, slots=True)
class CalledFamily:
    """A family to call, with the lessons of the day in order."""

    household: Household
    lessons: list[CalledLesson]


@dataclass(frozen=True, slots=True)
class CallSheet:
    """The families to call for one day: first those marked so, then those no message reached."""

    day: date
    marked: list[CalledFamily]
    unreached: list[CalledFamily]
    page: Page
    """Of all of them together."""
    has_lessons: bool
    """Whether any lesson of the zones is planned on that day."""

    @property
    def previous(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def next(self) -> date:
        return self.day + timedelta(days=1)

    @property
    def pupil_ids(self) -> set[int]:
        """The children whom the sheet names."""
        return {
            pupil.id
            for family in (*self.marked, *self.unreached)
            for called in family.lessons
            for pupil in called.pupils
        }


def tomorrow() -> date:
    """The day after this one on the programme's clocks."""
    return today() + timedelta(days=1)


def read_call_sheet(day: date, scope: Scope, page_number: int = 1) -> CallSheet:
    """The families of these zones to call for a day's planned lessons, by zone and guardian.

    Who wants no messages is not called either, unless the family is marked to be called.
    """
    families = _families(day, scope)
    lost = lost_messages(set(families))
    marked = [family for family in families.values() if family.household.reach_by_call]
    unreached = [
        family
        for family in families.values()
        if not family.household.reach_by_call
        and family.household.messages_stopped_at is None
        and (family.household.id in lost or has_no_way(family.household))
    ]
    queue = sorted(marked, key=_place) + sorted(unreached, key=_place)
    page = page_of(len(queue), page_number, PER_PAGE)
    shown = page.cut(queue)
    return CallSheet(
        day=day,
        marked=[family for family in shown if family.household.reach_by_call],
        unreached=[family for family in shown if not family.household.reach_by_call],
        page=page,
        has_lessons=bool(families),
    )


def _families(day: date, scope: Scope) -> dict[int, CalledFamily]:
    """Every family of the zones with a planned lesson on that day."""
    lessons = db.session.scalars(
        lessons_between(
            day,
            day,
            Lesson.state == LessonState.PLANNED,
            groups_within(scope, Lesson.group_id),
        )
    ).all()
    taught: dict[int, dict[int, CalledLesson]] = {}
    for lesson in lessons:
        for pupil in pupils_of(lesson):
            if scope.includes(pupil.household.zone_id):
                of_family = taught.setdefault(pupil.household_id, {})
                of_family.setdefault(lesson.id, CalledLesson(lesson, [])).pupils.append(pupil)
    households = db.session.scalars(
        select(Household)
        .where(Household.id.in_(taught))
        .options(
            lazyload("*"),
            joinedload(Household.guardian),
            joinedload(Household.zone),
            subqueryload(Household.channels),
            subqueryload(Household.ways),
        )
        .execution_options(populate_existing=True)
    )
    return {
        household.id: CalledFamily(household, list(taught[household.id].values()))
        for household in households
    }


def _place(family: CalledFamily) -> tuple[str, str, int]:
    household = family.household
    return household.zone.key, household.guardian.name, household.id
