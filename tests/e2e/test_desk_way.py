"""A coordinator at the desk: reads what waits, calls a family, looks at figures, week and sheet."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    CallRequest,
    Group,
    Household,
    Lesson,
    LessonState,
    Membership,
    TutorState,
)
from app.services import groups, worries
from app.services.call_sheet import tomorrow
from app.services.desk import read_decisions
from app.services.scope import EVERYWHERE
from scheduler import clock
from tests.support.groups import active_group, offer_group
from tests.support.pages import signed_in
from tests.support.people import make_household, make_tutor
from tests.support.ways import Visit, Way, every_way


@every_way
def test_coordinator_takes_up_what_waits_on_the_desk(way: Way, app: Flask, visit: Visit) -> None:
    client = signed_in(app)
    page = visit("/coordinator/desk", signed_in=client)
    page.sees(page.says("Nothing waits for a decision."))
    page.look("empty")
    _fill(app)

    page.open("/coordinator/desk")
    page.sees("Il crie.")
    page.sees_not(page.says("Nothing waits for a decision."))
    page.look("desk")
    page.press("Called")
    page.sees(page.says("Thank you. Your name is kept beside this call."))
    with app.app_context():
        assert read_decisions(EVERYWHERE).calls.total == 0
    page.press("Seen: I take care of it")
    page.sees_not("Il crie.")

    page.follow("Figures")
    page.heading("Figures")
    page.sees(page.says("no consent"))
    page.look("figures")
    page.follow("Desk")
    page.follow("The week as a timetable")
    page.look("week")
    page.follow("Next week")
    page.sees("Rania Mounir")
    page.look("next-week")
    page.open("/coordinator/desk")
    page.follow("Tomorrow’s call sheet")
    page.sees("Walid Touil")
    page.sees("18:00")
    page.look("call-sheet")
    page.open("/coordinator/exports")
    page.heading("Exports")
    page.look("exports")
    with page.page.expect_download() as download:
        page.page.get_by_role("link", name="XLSX").first.click()
    assert download.value.suggested_filename.startswith("n9raw-volunteers-")


def _fill(app: Flask) -> None:
    """Something in most sections of the desk, and a lesson tomorrow for a family to be called."""
    with app.app_context():
        make_tutor(state=TutorState.REGISTERED, name="Nora Alami")
        make_household(pupils=[("Badr Ziani", "3AC", ("maths",))], consent=None)
        household = make_household()
        worries.report_worry(household.id, "Il crie.")
        group = active_group(make_tutor(), [household.pupils[0].requests[0].id])
        declined = offer_group(
            make_tutor(name="Ilyas Bennani"),
            [make_household(zone="Boujniba").pupils[0].requests[0].id],
        )
        groups.decline_group(declined.id, "C’est trop loin.")
        with transaction():
            db.session.get_one(Household, household.id).reach_by_call = True
            db.session.add(CallRequest(household_id=household.id, asked_at=clock.now()))
            seat = db.session.scalars(
                select(Membership).where(Membership.group_id == group.id)
            ).one()
            seat.active_since = clock.now() - timedelta(days=30)
        day = datetime.combine(tomorrow(), datetime.min.time().replace(hour=18))
        _add_lesson(group, day, LessonState.PLANNED)
        _add_lesson(group, day - timedelta(days=2), LessonState.NOT_HELD)
        _add_lesson(group, day - timedelta(days=5), LessonState.PLANNED)


def _add_lesson(group: Group, wall: datetime, state: LessonState) -> None:
    zone = "Africa/Casablanca"
    with transaction():
        known = select(Lesson).where(Lesson.group_id == group.id, Lesson.wall_start == wall)
        if db.session.scalar(known) is None:
            db.session.add(
                Lesson(
                    group_id=group.id,
                    wall_start=wall,
                    starts_at=clock.to_utc(wall, zone),
                    zone=zone,
                    tz_version=clock.tz_version(),
                    minutes=60,
                    state=state,
                )
            )
