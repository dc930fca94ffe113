"""The terms of the school year: the days on which lessons are held."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import select

from app.extensions import db
from app.models import Term
from scheduler.calendar import Days

OUTSIDE_TERMS: Final = "no lessons are held outside the terms"
"""The reason stored with lessons that the terms cancel; pages put it in the reader's words."""


def list_terms() -> list[Term]:
    """All terms, in the order of time."""
    return list(db.session.scalars(select(Term).order_by(Term.first_day, Term.id)))


def term_days() -> list[Days]:
    """The days of all terms; where there are none, lessons are held at any time."""
    rows = db.session.execute(select(Term.first_day, Term.last_day).order_by(Term.first_day))
    return [(first, last) for first, last in rows]


def end_of_term(today: date) -> date | None:
    """The last day of the term that runs, else of the next one; None where there is neither."""
    statement = select(Term.last_day).where(Term.last_day >= today).order_by(Term.first_day)
    return db.session.scalar(statement.limit(1))
