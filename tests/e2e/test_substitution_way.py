"""A volunteer can't give a lesson, another one does; missed lessons on the desk: in a browser."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Lesson, LessonState
from app.services import attendance
from scheduler import clock
from tests.support.groups import active_group
from tests.support.pages import signed_in, signed_in_tutor
from tests.support.people import make_household, make_tutor
from tests.support.ways import Visit, Way, every_way


def begun_lesson(group_id: int, days: int) -> Lesson:
    starts = clock.now() - timedelta(days=days)
    return Lesson(
        group_id=group_id,
        wall_start=clock.to_wall(starts, "Africa/Casablanca"),
        zone="Africa/Casablanca",
        tz_version=clock.tz_version(),
        starts_at=starts,
        minutes=60,
    )


@every_way
def test_somebody_stands_in_and_a_coordinator_sees_what_is_missed(
    way: Way, app: Flask, visit: Visit
) -> None:
    staff = signed_in(app)
    with app.app_context():
        own, other = make_tutor(name="Rania Mounir"), make_tutor(name="Nora Alami")
        make_tutor(name="Omar Ziani", windows=("fri 10:00-12:00",), channels=("call",))
        group = active_group(own, [make_household().pupils[0].requests[0].id])
        with transaction():
            group.memberships[0].active_since = clock.now() - timedelta(days=30)
            missed = [begun_lesson(group.id, days) for days in (9, 2)]
            db.session.add_all(missed)
        for lesson in missed:
            attendance.note_lesson(lesson.id, LessonState.PUPIL_ABSENT, [], "")
        coming = select(Lesson.id).where(Lesson.starts_at > clock.now() + timedelta(days=4))
        lesson_id = db.session.scalars(coming.order_by(Lesson.starts_at)).first()

    page = visit(f"/volunteer/lessons/{lesson_id}/cancel", signed_in_tutor(app, own))
    page.check("I am ill")
    page.press("I can't")
    page.sees(page.says("somebody else is being looked for"))
    page.look("own-week")

    coordinator = visit(f"/coordinator/lessons/{lesson_id}/substitute", staff)
    coordinator.sees("Nora Alami")
    coordinator.sees(coordinator.says("is not free at this hour of the week"))
    coordinator.look("search")

    page = visit("/volunteer/week", signed_in_tutor(app, other))
    page.look("asked")
    page.press("Yes, I give it")
    page.sees(page.says("You stand in"))
    page.sees("Hiba Touil")
    page.look("stands-in")

    coordinator.open(f"/coordinator/lessons/{lesson_id}/substitute")
    coordinator.sees(
        coordinator.says(
            "%(name)s gives it in the place of %(tutor)s.", name="Nora Alami", tutor="Rania Mounir"
        )
    )
    coordinator.look("found")
    coordinator.open("/coordinator/desk")
    coordinator.sees(coordinator.says("absent twice in a row"))
    coordinator.look("desk")
    coordinator.follow("Taken care of")
    coordinator.look("flag")
    coordinator.fill("What did you do?", "ok")
    coordinator.press("Taken care of")
    coordinator.sees_not(coordinator.says("absent twice in a row"))
