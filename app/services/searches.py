"""Searches for a substitute, and questions, as rows: which are open, and how they end.

Each function is part of the caller's transaction, which has locked the lessons.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, select

from app.extensions import db
from app.models import (
    OPEN_MESSAGES,
    Lesson,
    LessonState,
    Message,
    MessageState,
    OfferState,
    Question,
    QuestionKind,
    Substitution,
    SubstitutionOffer,
    SubstitutionState,
)
from scheduler import clock

OPEN_OFFERS = (OfferState.WAITING, OfferState.ASKED)


def search_for(lesson: Lesson) -> Substitution | None:
    """The search that is on for a lesson as it stands; None where there is none."""
    search = _asking(lesson.id)
    return search if search is not None and still_needed(search) else None


def searched_among(lesson_ids: Iterable[int]) -> set[int]:
    """Those of these lessons for which somebody is being looked for."""
    return set(
        db.session.scalars(
            select(Substitution.lesson_id)
            .join(Substitution.lesson)
            .where(
                Substitution.lesson_id.in_(list(lesson_ids)),
                Substitution.state == SubstitutionState.ASKING,
                Substitution.lesson_version == Lesson.version,
            )
        )
    )


def still_needed(search: Substitution) -> bool:
    """Whether the lesson that somebody is sought for is still to come, as it was."""
    lesson = search.lesson
    return (
        search.state is SubstitutionState.ASKING
        and lesson.state is LessonState.PLANNED
        and lesson.version == search.lesson_version
        and lesson.starts_at > clock.now()
    )


def end_search(search: Substitution, state: SubstitutionState) -> None:
    """End a search: nobody is asked any more, and who was asked can no longer answer."""
    now = clock.now()
    search.state, search.ended_at = state, now
    for offer in search.offers:
        if offer.state in OPEN_OFFERS:
            offer.state = OfferState.CLOSED
    end_questions(Question.kind == QuestionKind.SUBSTITUTE, Question.lesson_id == search.lesson_id)


def end_searches(lessons: Iterable[Lesson]) -> None:
    """End what is open for lessons that changed otherwise: searches, and other times proposed."""
    ids = [lesson.id for lesson in lessons]
    searches = select(Substitution).where(
        Substitution.lesson_id.in_(ids), Substitution.state == SubstitutionState.ASKING
    )
    for search in db.session.scalars(searches.order_by(Substitution.id)).all():
        end_search(search, SubstitutionState.ENDED)
    end_questions(
        Question.kind.in_((QuestionKind.SUBSTITUTE, QuestionKind.NEW_TIME)),
        Question.lesson_id.in_(ids),
    )


def withdraw_offers(tutor_id: int) -> list[Substitution]:
    """Ask a tutor nothing any more about other people's lessons; the searches that did."""
    offers = db.session.scalars(
        select(SubstitutionOffer).where(
            SubstitutionOffer.tutor_id == tutor_id, SubstitutionOffer.state.in_(OPEN_OFFERS)
        )
    ).all()
    for offer in offers:
        offer.state = OfferState.CLOSED
    end_questions(Question.kind == QuestionKind.SUBSTITUTE, Question.tutor_id == tutor_id)
    return [offer.substitution for offer in offers]


def end_questions(*conditions: ColumnElement[bool], but: Collection[int] = ()) -> None:
    """End the open questions for which these hold, and the texts with them that have not left."""
    questions = db.session.scalars(
        select(Question).where(
            Question.answered_at.is_(None),
            Question.ended_at.is_(None),
            Question.id.not_in(list(but)),
            *conditions,
        )
    ).all()
    for question in questions:
        question.ended_at = clock.now()
    stop_texts(questions)


def stop_texts(questions: Iterable[Question]) -> None:
    """Let no text leave any more that asks one of these."""
    ids = [question.message_id for question in questions if question.message_id is not None]
    messages = db.session.scalars(
        select(Message)
        .where(Message.id.in_(ids), Message.state.in_(OPEN_MESSAGES))
        .order_by(Message.id)
        .with_for_update()
    )
    for message in messages:
        message.state = MessageState.CANCELLED
        message.ended_at = clock.now()
        message.claim = message.lease_until = None


def is_open(question: Question) -> bool:
    """Whether a question can still be answered."""
    return (
        question.answered_at is None
        and question.ended_at is None
        and question.expires_at > clock.now()
    )


def _asking(lesson_id: int) -> Substitution | None:
    return db.session.scalar(
        select(Substitution)
        .where(
            Substitution.lesson_id == lesson_id,
            Substitution.state == SubstitutionState.ASKING,
        )
        .order_by(Substitution.id.desc())
        .limit(1)
    )
