"""A small programme in which every page has something to show, who opens which, and a crowd."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app.database import transaction
from app.extensions import db
from app.models import Group, Lesson, LessonState, ListKind, Tutor
from app.services import attendance, family_links, hours, worries
from app.services.coordinators import find_coordinator
from app.services.imports import keep_import
from app.services.term_changes import NewTerm, store_term
from app.services.terms import list_terms
from app.web.access import RULES, STAFF, Who
from scheduler import clock
from tests.support.groups import active_group, offer_group, proposal, propose
from tests.support.pages import EMAIL, signed_in, signed_in_tutor
from tests.support.people import make_household, make_tutor

_LIST = b"Nom;Prenom\nTouil;Hiba\n"


_CHOICES = {
    "document": "problem",
    "kind": "pupils",
    "format_": "csv",
    "key": "families",
    "subject": "maths",
    "section": "levels",
    "entry": "3AC",
    "message": "family-lesson_24h-fr",
}
_NOT_PAGES = {"static", "public.health"}


@dataclass(frozen=True)
class World:
    """Ids for the arguments of addresses, and a browser for each kind of people."""

    arguments: dict[str, Any]
    staff: FlaskClient
    volunteer: FlaskClient


def make_world(app: Flask) -> World:
    """Two families, a volunteer who teaches one and is offered the other, a run, a worry."""
    staff = signed_in(app)
    with app.app_context():
        tutor_id = make_tutor(windows=("mon 17:00-21:00",))
        with transaction():
            tutor = db.session.get_one(Tutor, tutor_id)
            tutor.vetted_at, tutor.vetted_by = clock.now(), find_coordinator(EMAIL)
        taught = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
        other = make_household(
            pupils=[("Adam Zahra", "3AC", ("maths",)), ("Lina Zahra", "3AC", ("french",))],
            guardian="Karima Zahra",
            zone="Boujniba",
        )
        request_id = taught.pupils[0].requests[0].id
        group = active_group(tutor_id, [request_id])
        offered = offer_group(
            tutor_id, [other.pupils[0].requests[0].id], starts=(("mon", "19:00"),)
        )
        run_id = propose(
            proposal(tutor_id, [request_id]),
            proposal(tutor_id, [other.pupils[0].requests[0].id], starts=(("mon", "19:00"),)),
        )
        _household, token = family_links.make_link(taught.id, None)
        worry = worries.report_worry(taught.id, "He shouts.")
        held, unnoted = _past_lessons(group.id)
        attendance.note_lesson(held, LessonState.HELD, [], "Fractions.", tutor_id=tutor_id)
        certificate = hours.issue_certificate(tutor_id)
        arguments = {
            "tutor_id": tutor_id,
            "household_id": taught.id,
            "pupil_id": taught.pupils[0].id,
            "request_id": request_id,
            "group_id": group.id,
            "offered_id": offered.id,
            "lesson_id": 1,
            "run_id": run_id,
            "token": token,
            "worry_id": worry.id,
            "zone_id": taught.zone_id,
            "term_id": _make_term(),
            "past_lesson_id": unnoted,
            "certificate_id": certificate.id,
            "code": certificate.code,
            "pending_id": keep_import(ListKind.PUPILS, "list.csv", _LIST, find_coordinator(EMAIL)),
            "step": "pause",
        }
    return World(arguments, staff, signed_in_tutor(app, tutor_id))


def _past_lessons(group_id: int) -> list[int]:
    """The ids of two lessons of the last days."""
    zone = "Africa/Casablanca"
    with transaction():
        lessons = [
            Lesson(
                group_id=group_id,
                wall_start=clock.to_wall(starts, zone),
                zone=zone,
                tz_version=clock.tz_version(),
                starts_at=starts,
                minutes=60,
            )
            for starts in (clock.now() - timedelta(days=days) for days in (8, 1))
        ]
        # The group is as old as its first lesson.
        for seat in db.session.get_one(Group, group_id).members:
            seat.active_since = clock.now() - timedelta(days=9)
        db.session.add_all(lessons)
        db.session.flush()
        return [lesson.id for lesson in lessons]


def _make_term() -> int:
    """A term that holds every lesson there is."""
    today = clock.now().date()
    year = NewTerm("2026-2027", today - timedelta(days=90), today + timedelta(days=200))
    store_term(year, None)
    return list_terms()[0].id


@dataclass(frozen=True)
class Pages:
    """Who opens which pages, as (endpoint, path); `client` is None for a stranger."""

    client: FlaskClient | None
    pages: list[tuple[str, str]]


def pages_of(app: Flask, world: World) -> list[Pages]:
    """All that answer a GET with a page, each once, by who may open it."""
    staff, volunteer = Pages(world.staff, []), Pages(world.volunteer, [])
    stranger = Pages(None, [])
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        if rule.endpoint in _NOT_PAGES or "GET" not in (rule.methods or ()):
            continue
        who = RULES[rule.endpoint].who
        opened = staff if who <= STAFF else volunteer if who == {Who.VOLUNTEER} else stranger
        path = _path(app, rule, world.arguments)
        answer = (opened.client or app.test_client()).get(path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            opened.pages.append((rule.endpoint, path))
    return [staff, volunteer, stranger]


def _path(app: Flask, rule: Rule, arguments: dict[str, Any]) -> str:
    values = {name: _CHOICES.get(name, arguments.get(name)) for name in rule.arguments}
    if rule.endpoint == "volunteer.decline":
        values["group_id"] = arguments["offered_id"]
    if rule.endpoint.endswith(".note_lesson"):
        values["lesson_id"] = arguments["past_lesson_id"]
    missing = [name for name, value in values.items() if value is None]
    assert not missing, f"tests/support/world.py has no {missing} for {rule.endpoint}"
    with app.test_request_context():
        return app.url_for(rule.endpoint, **values)
