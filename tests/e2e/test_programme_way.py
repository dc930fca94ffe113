"""An administrator sets the programme: a subject, an exam, a term, two zones, a text."""

from __future__ import annotations

from flask import Flask

from app.database import transaction
from app.extensions import db
from app.models import Lesson, LessonState, Subject
from app.services import wordings, zones
from tests.support import people
from tests.support.groups import active_group
from tests.support.pages import signed_in
from tests.support.ways import Visit, Way, every_way


@every_way
def test_administrator_sets_the_programme(way: Way, app: Flask, visit: Visit) -> None:
    client = signed_in(app)
    with app.app_context():
        request_id = people.make_household(zone="Ait Hani").pupils[0].requests[0].id
        active_group(people.make_tutor(), [request_id])
        zones.add_zone("Aït Hany", "آيت هاني", None)
        with transaction():
            last = db.session.scalars(
                db.select(Lesson.wall_start).order_by(Lesson.wall_start.desc())
            ).first()
    assert last is not None
    page = visit("/coordinator/programme", signed_in=client)
    page.heading("Programme")
    page.look("start")

    page.follow("Subjects")
    page.follow("Add a subject")
    page.fill("Name in French", "Mathématiques")
    page.fill("Name in Arabic", "الجغرافيا")
    page.press("Keep")
    page.sees(page.says("Give the name in all three languages."))
    page.look("refused")
    page.fill("Name in French", "Géographie")
    page.fill("Name in English", "Geography")
    page.press("Keep")
    page.heading("Subjects")
    page.look("subjects")

    page.open("/coordinator/programme/levels")
    page.look("levels")
    page.page.locator("#entry-2BAC a").click()
    page.fill("First day of the next exam", "2027-06-08")
    page.press("Keep")
    page.sees(page.says("Kept."))

    page.open("/coordinator/programme/channels")
    page.look("channels")

    page.open("/coordinator/programme/terms/new")
    page.fill("Name", "Automne")
    page.fill("First day", "2026-09-01")
    page.fill("Last day", str(last.date().replace(day=1)))
    page.look("term")
    page.press("Go on")
    page.look("lessons-that-would-end")
    page.page.locator("button.danger").click()
    page.heading("Terms")
    page.look("terms")

    page.open("/coordinator/programme/zones")
    page.look("zones")
    page.page.locator("tbody tr", has_text="Ait Hani").locator("a.button").click()
    page.look("merge")
    page.press("Merge")
    page.heading("Zones")
    page.sees_not("Ait Hani")

    page.open("/coordinator/programme/lesson-length")
    page.look("length")

    page.open("/coordinator/programme/messages")
    page.look("messages")
    page.open("/coordinator/programme/messages/family-lesson_24h-ary")
    page.fill("Text", "Fête {date}:\n{time} {subject} {pupils}")
    page.press("Look at it first")
    page.sees("ê → e")
    page.look("preview")
    page.press("Use this text")
    page.sees(page.says("Messages carry this text from now on."))
    page.look("own-text")

    with app.app_context():
        assert [zone.name for zone in zones.all_zones()] == ["Aït Hany"]
        codes = db.session.scalars(db.select(Subject.code)).all()
        assert "geography" in codes
        assert len(wordings.own_wordings()) == 1
        assert LessonState.CANCELLED in db.session.scalars(db.select(Lesson.state)).all()
