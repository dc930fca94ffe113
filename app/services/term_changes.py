"""Changing the terms, with what that does to lessons: cancelled outside them, made inside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, Group, GroupState, Lesson, LessonState, Term
from app.services import audit
from app.services.ending import lock_groups
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_line
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lessons import extend_lessons, restore_lessons, withdraw_lessons
from app.services.terms import OUTSIDE_TERMS, Days, is_in_term, list_terms, term_days
from scheduler import clock

LONGEST_NAME = 80
FIRST_YEAR, LAST_YEAR = 2020, 2100


@dataclass(frozen=True, slots=True)
class NewTerm:
    """A term as it is to be."""

    name: str
    first_day: date
    last_day: date


class LessonsWouldEnd(Conflict):
    """A change of the terms would cancel other lessons than those that were agreed to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change of the terms did to lessons."""

    cancelled: int
    made: int


def get_term(term_id: int) -> Term:
    """One term; NotFound if there is none."""
    term = db.session.get(Term, term_id)
    if term is None:
        raise NotFound(_l("This term does not exist."))
    return term


def lessons_outside(new: NewTerm | None, term_id: int | None = None) -> list[Lesson]:
    """The planned lessons to come that a change would cancel, in the order of time.

    `new` takes the place of the term with that id, or is added; None takes the term away.
    """
    terms = _others(term_id)
    if new is not None:
        _check(new, terms)
        terms.append((new.first_day, new.last_day))
    lessons = db.session.scalars(
        select(Lesson)
        .where(Lesson.state == LessonState.PLANNED, Lesson.starts_at > clock.now())
        .order_by(Lesson.starts_at, Lesson.id)
        .options(
            joinedload(Lesson.group).options(
                joinedload(Group.tutor).lazyload("*"), joinedload(Group.subject)
            )
        )
    )
    return [lesson for lesson in lessons if not is_in_term(lesson.wall_start.date(), terms)]


def store_term(
    new: NewTerm, by: Coordinator | None, *, term_id: int | None = None, agreed: int = 0
) -> Outcome:
    """Add a term, or change the one with that id.

    `agreed` is how many lessons the person saw that this cancels; LessonsWouldEnd at another
    number. Lessons that are then lacking inside the terms are made.
    """

    def change() -> None:
        _check(new, _others(term_id))
        term = Term() if term_id is None else get_term(term_id)
        before = None if term_id is None else [str(term.first_day), str(term.last_day)]
        term.name = read_line(new.name)
        term.first_day, term.last_day = new.first_day, new.last_day
        db.session.add(term)
        db.session.flush()
        audit.note(
            "add_term" if term_id is None else "change_term",
            f"term:{term.id}",
            by,
            detail={"before": before, "days": [str(new.first_day), str(new.last_day)]},
        )

    return _change_terms(change, agreed)


def remove_term(term_id: int, by: Coordinator | None, *, agreed: int = 0) -> Outcome:
    """Take a term away; `agreed` as in `store_term`."""

    def change() -> None:
        term = get_term(term_id)
        days = [str(term.first_day), str(term.last_day)]
        db.session.delete(term)
        db.session.flush()
        audit.note("remove_term", f"term:{term_id}", by, detail={"days": days})

    return _change_terms(change, agreed)


def _change_terms(change: Callable[[], None], agreed: int) -> Outcome:
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        # Whoever makes lessons holds their group: none is made by the terms of before from here on.
        active = select(Group).where(Group.state == GroupState.ACTIVE)
        lock_groups(db.session.scalars(active.order_by(Group.id)))
        change()
        terms = term_days()
        coming = _coming()
        leaving = [
            row for row in coming if row.state is LessonState.PLANNED and not _holds(row, terms)
        ]
        back = [row for row in coming if row.state is LessonState.CANCELLED and _holds(row, terms)]
        if len(leaving) != agreed:
            raise LessonsWouldEnd(
                _l("The lessons that this cancels have changed meanwhile. Look at them again.")
            )
        withdraw_lessons(leaving, OUTSIDE_TERMS)
        restored = restore_lessons(back)
    return Outcome(len(leaving), len(restored) + extend_lessons())


def _coming() -> Sequence[Lesson]:
    """What is to come and was not cancelled, or by the terms alone; locked, all at once."""
    return db.session.scalars(
        select(Lesson)
        .where(
            Lesson.starts_at > clock.now(),
            or_(
                Lesson.state == LessonState.PLANNED,
                (Lesson.state == LessonState.CANCELLED) & (Lesson.cancel_reason == OUTSIDE_TERMS),
            ),
        )
        .order_by(Lesson.id)
        .with_for_update()
    ).all()


def _holds(lesson: Lesson, terms: Collection[Days]) -> bool:
    return is_in_term(lesson.wall_start.date(), terms)


def _others(term_id: int | None) -> list[Days]:
    """The days of all terms but the one with that id."""
    return [(term.first_day, term.last_day) for term in list_terms() if term.id != term_id]


def _check(new: NewTerm, others: Collection[Days]) -> None:
    if not 0 < len(read_line(new.name)) <= LONGEST_NAME:
        raise Invalid(_l("Give the term a name of at most 80 letters."))
    if new.last_day < new.first_day:
        raise Invalid(_l("The last day comes before the first."))
    if new.first_day.year < FIRST_YEAR or new.last_day.year > LAST_YEAR:
        raise Invalid(_l("Check the year of these days."))
    if any(new.first_day <= last and first <= new.last_day for first, last in others):
        raise Invalid(_l("These days overlap another term."))
