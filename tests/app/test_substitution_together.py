"""Two volunteers who say yes to one lesson at the same instant: one has it, one is thanked."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Lesson, OfferState, Question, SubstitutionOffer
from app.services import substitution
from app.services.errors import Conflict
from tests.support import people
from tests.support.groups import active_group

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("turn", range(3))
def test_first_yes_has_it_however_close_the_other(app: Flask, turn: int) -> None:
    with time_machine.travel(MONDAY, tick=False), app.app_context():
        people.make_programme()
        group = active_group(
            people.make_tutor(), [people.make_household().pupils[0].requests[0].id]
        )
        ordered = select(Lesson.id).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
        lesson = list(db.session.scalars(ordered))[1]
        people.make_tutor(name="Sub A")
        people.make_tutor(name="Sub B")
        with transaction():
            row = db.session.get_one(Lesson, lesson)
            substitution._ask_next(substitution.seek(row, row.given_by))
        questions = list(db.session.scalars(select(Question.id).order_by(Question.id)))
        assert len(questions) == 2
        said = _answer_together(app, questions[:: -1 if turn % 2 else 1])
        assert sorted(said) == ["has it", "thank you"]
        db.session.rollback()
        accepted = select(SubstitutionOffer.tutor_id).where(
            SubstitutionOffer.state == OfferState.ACCEPTED
        )
        winner = db.session.get_one(Lesson, lesson).substitute_id
        assert db.session.scalars(accepted).all() == [winner]


def _answer_together(app: Flask, questions: list[int]) -> list[str]:
    said: list[str] = []
    start = threading.Barrier(len(questions))

    def answer(question_id: int) -> None:
        with app.app_context():
            start.wait()
            try:
                taken = substitution.answer_offer(question_id, True)
                said.append("has it" if taken is not None else "nothing")
            except Conflict:
                said.append("thank you")
            db.session.remove()

    threads = [threading.Thread(target=answer, args=(number,)) for number in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said
