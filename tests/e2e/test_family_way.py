"""A family on its page: answers, a call, hours, a child, a subject, languages, a stop, a worry."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import (
    CallRequest,
    Household,
    Lesson,
    LessonAnswer,
    RequestState,
    TutoringRequest,
    Worry,
)
from app.services import family_links
from tests.support.groups import active_group
from tests.support.people import level, make_household, make_programme, make_tutor, subject
from tests.support.ways import Visit, Visitor, Way, every_way


@pytest.fixture
def token(app: Flask) -> str:
    """The key to the page of a family with weekly lessons and one more wish."""
    with app.app_context():
        make_programme()
        household = make_household(pupils=[("Hiba Touil", "3AC", ("maths", "french"))])
        active_group(make_tutor(), [household.pupils[0].requests[0].id], channel="call")
        return family_links.make_link(household.id, None)[1]


@every_way
def test_family_does_all_on_its_page(way: Way, app: Flask, token: str, visit: Visit) -> None:
    page = visit(f"/f/{token}")
    page.page.set_viewport_size({"width": min(way.width, 320), "height": 640})
    page.heading("Your lessons")
    page.sees(page.says("%(tutor)s calls you", tutor="Rania"))
    page.look("lessons")
    page.press("We’ll be there")
    page.button("We can’t").nth(1).click()
    page.press("Call me")
    page.sees(page.says("You asked to be called. A coordinator calls you as soon as possible."))
    page.look("answered")
    change_hours(page)
    add_child_and_subject(page, app)
    page.choose("We write to you in", "ary")
    page.press("Keep")
    page.press("Stop the messages")
    page.sees(page.says("Messages to you are stopped."))
    page.look("asked")
    page.follow("Stop the lessons of %(name)s", name="Hiba")
    page.look("stop")
    page.press("Stop the lessons of %(name)s", name="Hiba")
    page.sees(page.says("No lesson is planned. Your coordinator tells you when one is."))
    page.fill("What is it about? (optional)", "😟")
    page.press("Report a worry")
    page.heading("Thank you for telling us")
    page.look("worry")
    check_what_is_kept(app)


def change_hours(page: Visitor) -> None:
    page.follow("Change the hours")
    page.look("hours")
    page.page.locator("input[name=period2]").first.check()
    page.page.locator("button[name=copy]").nth(2).click()
    page.press("Keep these hours")
    page.heading("Your lessons")


def add_child_and_subject(page: Visitor, app: Flask) -> None:
    with app.app_context():
        year, maths = level("5AEP").id, subject("maths").name_in(page.way.language)
        arabic = subject("arabic").name_in(page.way.language)
    page.follow("Lessons for another child")
    page.press("Ask for lessons")
    page.look("refused")
    page.fill("First name of the child", "Sara")
    page.fill("Family name of the child", "Touil")
    page.choose("Level", str(year))
    page.page.get_by_label(maths, exact=True).check()
    page.check("Yes")
    page.field("Yes").nth(1).check()
    page.look("child")
    page.press("Ask for lessons")
    page.sees(page.says("a coordinator confirms it soon"))
    page.follow("Another subject for %(name)s", name="Hiba")
    page.page.get_by_label(arabic, exact=True).check()
    page.look("subject")
    page.press("Ask for lessons")


def check_what_is_kept(app: Flask) -> None:
    with app.app_context():
        answers = select(LessonAnswer.coming).join(LessonAnswer.lesson).order_by(Lesson.starts_at)
        assert db.session.scalars(answers).all() == [True, False]
        assert len(db.session.scalars(select(CallRequest)).all()) == 1
        household = db.session.scalars(select(Household)).one()
        assert {window.day for window in household.windows} == set(range(7))
        assert household.message_language == "ary"
        assert household.messages_stopped_at is not None
        assert [pupil.first_name for pupil in household.pupils] == ["Hiba", "Sara"]
        to_confirm = select(TutoringRequest.id).where(
            TutoringRequest.state == RequestState.TO_CONFIRM
        )
        assert len(db.session.scalars(to_confirm).all()) == 2
        assert db.session.scalars(select(Worry.text)).all() == ["😟"]
