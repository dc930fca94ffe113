"""Terms: lessons within them only, and what a change of the terms does to lessons."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from app.extensions import db
from app.models import AuditEntry, FamilyLink, Lesson, LessonState, Term
from app.services import term_changes
from app.services.calendar_changes import LessonsWouldChange, Outcome
from app.services.changes import cancel_lesson
from app.services.errors import Invalid, NotFound
from app.services.family_links import make_link
from app.services.lessons import extend_lessons
from app.services.term_changes import NewTerm
from app.services.terms import end_of_term
from tests.support import people
from tests.support.lessons import monday_group, planned_days, reminders_owed
from tests.support.programmes import programme_at

AUTUMN = NewTerm("Automne", date(2026, 9, 7), date(2026, 12, 18))
WINTER = NewTerm("Hiver", date(2027, 1, 4), date(2027, 3, 26))
MONDAYS = ["2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28"]


time = programme_at(datetime(2026, 12, 1, 12, tzinfo=UTC))
"""Tuesday, noon."""


def test_without_terms_lessons_are_held_all_year() -> None:
    monday_group()
    assert planned_days() == MONDAYS


def test_lessons_are_made_within_terms_only(time: time_machine.Traveller) -> None:
    term_changes.store_term(AUTUMN, None)
    term_changes.store_term(WINTER, None)
    monday_group()
    assert planned_days() == MONDAYS[:2]
    time.move_to(datetime(2026, 12, 10, 12, tzinfo=UTC))
    assert extend_lessons() == 1
    assert planned_days() == [*MONDAYS[:2], "2027-01-04"]
    assert extend_lessons() == 0


def test_first_term_cancels_what_lies_outside_once_that_was_seen() -> None:
    monday_group()
    assert reminders_owed(LessonState.PLANNED) == 16
    outside = term_changes.preview_terms(AUTUMN).cancelled
    assert [str(lesson.wall_start.date()) for lesson, _ban in outside] == MONDAYS[2:]
    with pytest.raises(LessonsWouldChange):
        term_changes.store_term(AUTUMN, None)
    assert planned_days() == MONDAYS
    assert db.session.scalars(select(Term)).all() == []
    assert term_changes.store_term(AUTUMN, None, agreed=2) == Outcome(cancelled=2, made=0)
    assert planned_days() == MONDAYS[:2]
    assert (reminders_owed(LessonState.PLANNED), reminders_owed(LessonState.CANCELLED)) == (8, 0)
    row = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert row is not None
    assert (row.action, row.detail["days"]) == ("add_term", ["2026-09-07", "2026-12-18"])


def test_lengthened_term_gives_back_what_its_shortening_cancelled() -> None:
    group_id = monday_group()
    term_changes.store_term(AUTUMN, None, agreed=2)
    by_hand = db.session.scalars(
        select(Lesson).where(Lesson.state == LessonState.PLANNED).order_by(Lesson.id)
    ).first()
    assert by_hand is not None
    cancel_lesson(by_hand.id, "fête")
    longer = NewTerm("Automne", AUTUMN.first_day, date(2026, 12, 27))
    term_id = db.session.scalars(select(Term.id)).one()
    assert term_changes.store_term(longer, None, term_id=term_id) == Outcome(0, 1)
    assert planned_days() == MONDAYS[1:3], "what was cancelled by hand stays cancelled"
    assert (reminders_owed(LessonState.PLANNED), reminders_owed(LessonState.CANCELLED)) == (8, 0)
    assert {lesson.group_id for lesson in db.session.scalars(select(Lesson))} == {group_id}


def test_term_that_goes_leaves_what_other_terms_hold() -> None:
    term_changes.store_term(AUTUMN, None)
    term_changes.store_term(WINTER, None)
    monday_group()
    autumn = db.session.scalars(select(Term).order_by(Term.first_day)).first()
    assert autumn is not None
    assert term_changes.preview_terms(None, autumn.id).touched == 2
    assert term_changes.remove_term(autumn.id, None, agreed=2) == Outcome(2, 0)
    assert planned_days() == []
    winter = db.session.scalars(select(Term)).one()
    assert term_changes.preview_terms(None, winter.id).touched == 0
    assert term_changes.remove_term(winter.id, None) == Outcome(0, 4)
    assert planned_days() == MONDAYS


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 12, 18), date(2027, 1, 3)),
        (date(2026, 8, 1), date(2026, 9, 7)),
        (date(2026, 10, 1), date(2026, 10, 2)),
        (date(2026, 1, 1), date(2027, 12, 31)),
        (date(2027, 2, 2), date(2027, 2, 1)),
        (date(27, 2, 2), date(27, 3, 1)),
        (date(2099, 2, 2), date(2101, 3, 1)),
    ],
)
def test_days_that_overlap_or_cannot_be_are_refused(first: date, last: date) -> None:
    term_changes.store_term(AUTUMN, None)
    for refused in (term_changes.preview_terms, lambda new: term_changes.store_term(new, None)):
        with pytest.raises(Invalid):
            refused(NewTerm("Autre", first, last))
    assert len(db.session.scalars(select(Term)).all()) == 1


def test_term_may_change_within_its_own_days_and_begin_the_day_after_another() -> None:
    term_changes.store_term(AUTUMN, None)
    term_id = db.session.scalars(select(Term.id)).one()
    shorter = NewTerm("Automne", date(2026, 9, 8), date(2026, 12, 17))
    term_changes.store_term(shorter, None, term_id=term_id)
    term_changes.store_term(NewTerm("Suite", date(2026, 12, 18), date(2026, 12, 19)), None)
    assert len(db.session.scalars(select(Term)).all()) == 2


@pytest.mark.parametrize("name", ["", "  ", "T" * 81])
def test_term_needs_a_name(name: str) -> None:
    with pytest.raises(Invalid):
        term_changes.store_term(NewTerm(name, AUTUMN.first_day, AUTUMN.last_day), None)


def test_unknown_term_is_not_found() -> None:
    with pytest.raises(NotFound):
        term_changes.remove_term(9, None)


@pytest.mark.parametrize(
    ("terms", "ends"),
    [
        ([], datetime(2027, 8, 1, tzinfo=UTC)),
        ([AUTUMN, WINTER], datetime(2026, 12, 19, tzinfo=UTC)),
        ([WINTER], datetime(2027, 3, 27, tzinfo=UTC)),
        ([NewTerm("Été", date(2026, 5, 1), date(2026, 6, 30))], datetime(2027, 8, 1, tzinfo=UTC)),
    ],
)
def test_family_link_holds_until_the_end_of_the_term(terms: list[NewTerm], ends: datetime) -> None:
    for term in terms:
        term_changes.store_term(term, None)
    make_link(people.make_household().id, None)
    assert db.session.scalars(select(FamilyLink.expires_at)).one() == ends


def test_term_has_its_last_day() -> None:
    term_changes.store_term(AUTUMN, None)
    assert end_of_term(date(2026, 12, 18)) == date(2026, 12, 18)
    assert end_of_term(date(2026, 12, 19)) is None
