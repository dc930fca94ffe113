"""What a request counts as an exam comes near, and that days passing spoil no proposal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.database import transaction
from app.extensions import db
from app.models import Level
from app.services import publishing
from app.services.problem import build_problem
from app.services.weights import weight_on
from tests.support import people
from tests.support.groups import proposal, propose

EXAM = date(2027, 6, 10)
sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def level(weight: int, exam_on: date | None = EXAM, *, exam: bool = True) -> Level:
    return Level(weight=weight, exam=exam, exam_on=exam_on)


@pytest.mark.parametrize(
    ("days_left", "weight"),
    [
        (365, 3),
        (112, 3),
        (106, 3),
        (105, 3),
        (84, 4),
        (56, 5),
        (29, 5),
        (28, 6),
        (1, 6),
        (0, 6),
        (-1, 1),
        (-56, 1),
        (-57, 3),
    ],
)
def test_weight_of_three_rises_to_six_and_rests_after_the_exam(days_left: int, weight: int) -> None:
    assert weight_on(level(3), EXAM - timedelta(days=days_left)) == weight


@given(weight=st.integers(1, 100), days=st.integers(0, 1000))
def test_weight_never_falls_before_the_exam_and_at_most_doubles(weight: int, days: int) -> None:
    later = EXAM - timedelta(days=days)
    earlier = later - timedelta(days=1)
    assert weight <= weight_on(level(weight), earlier) <= weight_on(level(weight), later)
    assert weight_on(level(weight), later) <= 2 * weight
    assert weight_on(level(weight), EXAM) == 2 * weight


@given(weight=st.integers(1, 100), days=st.integers(-1000, 1000))
def test_weight_stands_still_without_an_exam_or_its_date(weight: int, days: int) -> None:
    day = EXAM + timedelta(days=days)
    assert weight_on(level(weight, None), day) == weight
    assert weight_on(level(weight, exam=False), day) == weight
    assert weight_on(level(weight), day) >= 1


@sqlite_alone
def test_proposal_holds_though_an_exam_came_nearer(app: Flask) -> None:
    with app.app_context(), time_machine.travel(datetime(2027, 2, 1, 12, tzinfo=UTC)) as time:
        people.make_programme()
        with transaction():
            people.level("3AC").exam_on = EXAM
        tutor_id = people.make_tutor()
        request_id = people.make_household().pupils[0].requests[0].id
        run_id = propose(proposal(tutor_id, [request_id]))
        assert [request["weight"] for request in build_problem()["requests"]] == [3]
        time.move_to(datetime(2027, 6, 1, 12, tzinfo=UTC))
        assert [request["weight"] for request in build_problem()["requests"]] == [6]
        assert len(publishing.publish_run(run_id, None)) == 1
        db.session.remove()
