"""Changing the terms, with what that does to lessons: cancelled outside them, made inside them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, Term
from app.services import audit
from app.services.calendar_changes import Effects, Outcome, change_calendar, preview
from app.services.errors import Invalid, NotFound
from app.services.free_text import read_line
from app.services.terms import list_terms
from scheduler.calendar import Days

LONGEST_NAME = 80
FIRST_YEAR, LAST_YEAR = 2020, 2100


@dataclass(frozen=True, slots=True)
class NewTerm:
    """A term as it is to be."""

    name: str
    first_day: date
    last_day: date


def get_term(term_id: int) -> Term:
    """One term; NotFound if there is none."""
    term = db.session.get(Term, term_id)
    if term is None:
        raise NotFound(_l("This term does not exist."))
    return term


def preview_terms(new: NewTerm | None, term_id: int | None = None) -> Effects:
    """What a change of the terms would do to lessons.

    `new` takes the place of the term with that id, or is added; None takes the term away.
    """
    terms = _others(term_id)
    if new is not None:
        _check(new, terms)
        terms.append((new.first_day, new.last_day))
    return preview(lambda calendar: replace(calendar, terms=tuple(terms)))


def store_term(
    new: NewTerm, by: Coordinator | None, *, term_id: int | None = None, agreed: int = 0
) -> Outcome:
    """Add a term, or change the one with that id.

    `agreed` is how many lessons the person saw that this cancels (`preview_terms`). Lessons that
    are then lacking inside the terms are made.
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

    return change_calendar(change, agreed)


def remove_term(term_id: int, by: Coordinator | None, *, agreed: int = 0) -> Outcome:
    """Take a term away; `agreed` as in `store_term`."""

    def change() -> None:
        term = get_term(term_id)
        days = [str(term.first_day), str(term.last_day)]
        db.session.delete(term)
        db.session.flush()
        audit.note("remove_term", f"term:{term_id}", by, detail={"days": days})

    return change_calendar(change, agreed)


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
