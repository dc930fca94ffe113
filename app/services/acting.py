"""Doing what a text asks: the answer to a lesson or a question, a worry, a wish to be called.

Each use case commits by itself; done again after one that was cut off, it changes no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from app.extensions import db
from app.models import (
    Household,
    InboundMessage,
    LessonState,
    Meaning,
    Question,
    QuestionKind,
    Tutor,
)
from app.services import (
    asked_times,
    call_me,
    lesson_answers,
    new_times,
    silence,
    substitution,
    worries,
)
from app.services.answers import Said, What, read_answer
from app.services.asked import (
    Asked,
    AskedLesson,
    lesson_children,
    newest_asked,
    was_written_to_since,
)
from app.services.asking_which import Choice, chosen
from app.services.errors import Conflict, NotFound
from app.services.senders import Sender
from app.services.telling import Reply
from scheduler import clock

PASSED_ON_ONCE_IN: Final = timedelta(hours=12)
"""Who writes several texts in a row is told once that somebody reads them."""
_ANSWERS: Final = (Meaning.COMING, Meaning.NOT_COMING, Meaning.ANSWER)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a text was taken for, and what is answered."""

    meaning: Meaning
    reply: Reply | None = None
    is_unread: bool = False
    """A coordinator has to read it."""
    lesson_id: int | None = None
    question_id: int | None = None
    message_id: int | None = None
    asks: tuple[Choice, ...] = ()
    """The lessons of which the family is asked which one it meant."""
    which: int | None = None
    """The key of what the family chose, where it was asked which lesson it meant."""
    of_tutor: bool = False
    """It was said as a volunteer, by somebody who is both."""


def outcome_of(row: InboundMessage) -> Outcome:
    """Do what a text of a family or a volunteer asks."""
    sender = Sender(
        row.from_address,
        None if row.household_id is None else db.session.get(Household, row.household_id),
        None if row.tutor_id is None else db.session.get(Tutor, row.tutor_id),
    )
    if row.meaning is Meaning.CALL_ME and not row.text:
        return _call(sender, has_more=False)
    said = read_answer(row.text)
    if said.what is What.WORRY and sender.household is not None:
        worries.report_worry(sender.household.id, row.text)
        return Outcome(Meaning.WORRY, Reply.PASSED_ON)
    if said.what is What.CALL_ME:
        return _call(sender, has_more=said.has_more)
    asked = newest_asked(sender)
    in_words = said.what in (What.YES, What.NO)
    if asked is not None and in_words and was_written_to_since(sender, asked):
        said, asked = replace(said, has_more=True), None  # to the coordinator, perhaps
    outcome = _free_text(row, said) if asked is None else _answer(row, sender, said, asked)
    return replace(outcome, is_unread=True) if said.has_more else outcome


def _call(sender: Sender, *, has_more: bool) -> Outcome:
    if sender.household is not None:
        call_me.ask(sender.household.id)
        return Outcome(Meaning.CALL_ME, Reply.WILL_CALL, is_unread=has_more)
    return Outcome(Meaning.CALL_ME, Reply.WILL_CALL, is_unread=True)


def _free_text(row: InboundMessage, said: Said) -> Outcome:
    """A coordinator reads it, and whoever wrote hears so, once in a while."""
    if not row.text.strip():
        return Outcome(Meaning.FREE_TEXT)
    reply = Reply.PASSED_ON if said.has_more else Reply.NOT_UNDERSTOOD
    return Outcome(Meaning.FREE_TEXT, None if _wrote_of_late(row) else reply, is_unread=True)


def _wrote_of_late(row: InboundMessage) -> bool:
    since = row.received_at - PASSED_ON_ONCE_IN
    earlier = select(InboundMessage.id).where(
        InboundMessage.from_address == row.from_address,
        InboundMessage.id < row.id,
        InboundMessage.meaning == Meaning.FREE_TEXT,
        InboundMessage.received_at > since,
    )
    return db.session.scalar(earlier.limit(1)) is not None


def _answer(row: InboundMessage, sender: Sender, said: Said, asked: Asked) -> Outcome:
    question = asked.question
    if question is None:
        outcome = _answer_lessons(row, sender, said, asked.lessons)
    elif question.kind is QuestionKind.WHICH_LESSON:
        outcome = _answer_which(row, said, question)
    else:
        outcome = _answer_question(row, said, question)
    if outcome.meaning in _ANSWERS:
        outcome = replace(outcome, message_id=asked.message_id)
    return outcome


def _answer_question(row: InboundMessage, said: Said, question: Question) -> Outcome:
    """One that takes yes or no, by key or in words."""
    accepts = _first_of_two(said)
    if accepts is None or (said.key or 1) > len(question.options):
        return _free_text(row, said)
    outcome = Outcome(
        Meaning.ANSWER,
        Reply.THANKS,
        lesson_id=question.lesson_id,
        question_id=question.id,
        of_tutor=question.tutor_id is not None,
    )
    try:
        _dispatch(question, accepts)
    except (Conflict, NotFound):
        return replace(outcome, reply=Reply.TOO_LATE)
    return outcome


def _dispatch(question: Question, accepts: bool) -> None:
    match question.kind:
        case QuestionKind.SUBSTITUTE:
            substitution.answer_offer(question.id, accepts)
        case QuestionKind.NEW_TIME if question.tutor_id is not None:
            asked_times.answer_asked_time(question.id, accepts)
        case QuestionKind.NEW_TIME:
            new_times.answer_new_time(question.id, accepts)
        case _held:
            silence.answer_held(question.id, accepts)


def _answer_which(row: InboundMessage, said: Said, question: Question) -> Outcome:
    """Which of the children's lessons a family meant."""
    choices = chosen(question, said, row.text)
    if not choices or question.household_id is None:
        return _free_text(row, said)
    outcome = _say(row, question.household_id, choices)
    key = 1 + question.options.index(list(choices[0])) if len(choices) == 1 else None
    return replace(
        outcome,
        meaning=Meaning.ANSWER,
        question_id=question.id,
        which=key or 1 + len(question.options),
    )


def _answer_lessons(
    row: InboundMessage, sender: Sender, said: Said, told: Sequence[AskedLesson]
) -> Outcome:
    """What a family says of the lessons that a message told of."""
    coming = _first_of_two(said)
    if coming is None or sender.household is None:
        return _free_text(row, said)
    meaning = Meaning.COMING if coming else Meaning.NOT_COMING
    over = Outcome(meaning, Reply.TOO_LATE, lesson_id=told[0].lesson.id)
    now = clock.now()
    planned = [
        entry
        for entry in told
        if entry.lesson.state is LessonState.PLANNED and entry.lesson.starts_at > now
    ]
    ids = [entry.lesson.id for entry in planned if entry.as_told]
    children = lesson_children(ids, sender.household.id)
    open_ids = [number for number in ids if children[number]]
    if not open_ids:
        # What was said of a time that has changed since is of use to somebody who reads it.
        return replace(over, is_unread=bool(planned) and not ids)
    choices = [(number, coming) for number in open_ids]
    named = {pupil.id for number in open_ids for pupil in children[number]}
    days = {entry.lesson.wall_start.date() for entry in planned if entry.lesson.id in open_ids}
    # Reminders are of one day, changes may be of weeks: a no to those is seldom one to all.
    is_of_days = len(days) > 1 and not coming
    if len(choices) > 1 and (len(named) > 1 or is_of_days):
        return Outcome(meaning, lesson_id=open_ids[0], asks=tuple(choices))
    return _say(row, sender.household.id, choices)


def _say(row: InboundMessage, household_id: int, choices: Sequence[Choice]) -> Outcome:
    """Write what the family says of these lessons, unless it has said something else since."""
    coming = choices[0][1]
    outcome = Outcome(Meaning.COMING if coming else Meaning.NOT_COMING, lesson_id=choices[0][0])
    if _has_said_since(row, [number for number, _coming in choices]):
        return outcome
    before = lesson_answers.answers_of(household_id, [number for number, _coming in choices])
    said = [_say_one(household_id, number, coming) for number, coming in choices]
    if not any(said):
        return replace(outcome, reply=Reply.TOO_LATE)
    if not coming:
        return replace(outcome, reply=Reply.NOT_COMING)
    # That they come is what was expected; each answer costs an SMS.
    takes_back = not all(before.get(number, True) for number, _coming in choices)
    return replace(outcome, reply=Reply.COMING if takes_back else None)


def _say_one(household_id: int, lesson_id: int, coming: bool) -> bool:
    """Whether it could still be said."""
    try:
        lesson_answers.answer_lesson(household_id, lesson_id, coming=coming)
    except (Conflict, NotFound):
        return False
    return True


def _has_said_since(row: InboundMessage, lesson_ids: Sequence[int]) -> bool:
    """Whether a later text of that number spoke of one of these lessons: its word counts."""
    later = select(InboundMessage.id).where(
        InboundMessage.from_address == row.from_address,
        InboundMessage.id > row.id,
        InboundMessage.lesson_id.in_(lesson_ids),
        InboundMessage.meaning.in_(_ANSWERS),
    )
    return db.session.scalar(later.limit(1)) is not None


def _first_of_two(said: Said) -> bool | None:
    """Whether 1 or yes was said; False for 2 or no, None for anything else."""
    if said.what is What.YES or said.key == 1:
        return True
    return False if said.what is What.NO or said.key == 2 else None
