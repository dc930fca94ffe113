"""One row of each kind that an address can name, in one zone, and a browser for each role."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app.database import transaction
from app.extensions import db
from app.models import (
    CallRequest,
    DayOff,
    DayOffKind,
    DayOffState,
    Flag,
    FlagKind,
    Group,
    HoursCertificate,
    Household,
    InboundMessage,
    Lesson,
    ListKind,
    MatchRun,
    Meaning,
    Message,
    MessageKind,
    MessageState,
    Note,
    Period,
    PeriodKind,
    Pin,
    Question,
    QuestionKind,
    Term,
    TutorAbsence,
    Veto,
)
from app.services import calendar_feed, family_links, invitations, worries
from app.services.coordinators import Role as CoordinatorRole
from app.services.coordinators import find_coordinator
from app.services.imports import keep_import
from app.services.lessons import future_lessons
from app.services.vetting_term import today
from app.web.access import RULES, STAFF, Who
from scheduler import clock
from tests.support.groups import active_group, offer_group, proposal, propose
from tests.support.pages import browser_of, signed_in_tutor
from tests.support.people import (
    make_coordinator,
    make_household,
    make_programme,
    make_tutor,
)

ADMINISTRATOR, COORDINATOR = "administrator@example.org", "coordinator@example.org"
ZONE, OTHER_ZONE = "zone@example.org", "other-zone@example.org"
_LIST = b"Nom;Prenom\nTouil;Hiba\n"


@dataclass
class World:
    """Arguments for addresses, all of rows in the first zone, and who comes in how."""

    app: Flask
    arguments: dict[str, Any]
    mixed_group_id: int
    """A group in which both zones sit."""
    mixed_lesson_id: int
    other_pupil_id: int
    other_request_id: int
    tutor_ids: tuple[int, int]
    """Whose the group and the lessons are, and another volunteer."""
    _pristine: Path = field(init=False)

    def __post_init__(self) -> None:
        self._pristine = self._file().with_suffix(".pristine")

    def browser_of(self, role: str) -> FlaskClient:
        """A browser in which somebody of that role is signed in; a stranger's for any other."""
        ways: dict[str, Callable[[], FlaskClient]] = {
            "volunteer": lambda: signed_in_tutor(self.app, self.tutor_ids[0]),
            "another volunteer": lambda: signed_in_tutor(self.app, self.tutor_ids[1]),
            "coordinator of the zone": lambda: self._staff(ZONE),
            "coordinator of another zone": lambda: self._staff(OTHER_ZONE),
            "coordinator of all zones": lambda: self._staff(COORDINATOR),
            "administrator": lambda: self._staff(ADMINISTRATOR),
        }
        return ways.get(role, self.app.test_client)()

    def keep(self) -> None:
        """Take the database of now as the one that `restore` brings back."""
        with closing(sqlite3.connect(self._file())) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(self._file(), self._pristine)

    def restore(self) -> None:
        """Undo whatever a request changed."""
        with self.app.app_context():
            db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            self._file().with_name(self._file().name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self._pristine, self._file())

    def _staff(self, email: str) -> FlaskClient:
        with self.app.app_context():
            key = find_coordinator(email).get_id()
        return browser_of(self.app, key)

    def _file(self) -> Path:
        with self.app.app_context():
            return Path(str(db.engine.url.database))


def make_world(app: Flask) -> World:
    """The rows, and the coordinators."""
    with app.app_context():
        make_programme()
        make_coordinator(ADMINISTRATOR)
        make_coordinator(COORDINATOR, is_administrator=False)
        tutor_id = make_tutor(windows=("mon 17:00-21:00",), most=9)
        other_tutor_id = make_tutor(name="Omar Ziani")
        family = make_household(
            windows=("mon 17:00-21:00",),
            pupils=[
                ("Hiba Touil", "3AC", ("maths", "french")),
                ("Adam Touil", "3AC", ("maths",)),
                ("Sara Touil", "3AC", ("maths",)),
            ],
        )
        other = make_household(pupils=[("Lina Zahra", "3AC", ("maths",))], zone="Boujniba")
        make_coordinator(ZONE, zone_ids=[family.zone_id])
        make_coordinator(OTHER_ZONE, zone_ids=[other.zone_id])
        hiba, adam, sara = family.pupils
        group = active_group(tutor_id, [hiba.requests[0].id])
        mixed = active_group(
            tutor_id, [adam.requests[0].id, other.pupils[0].requests[0].id],
            starts=[("mon", "19:00")],
        )  # fmt: skip
        offered = offer_group(tutor_id, [sara.requests[0].id], starts=[("mon", "20:00")])
        arguments = _rows(tutor_id, family, group.id)
        arguments["offered_id"] = offered.id
        arguments["calendar_token"] = calendar_feed.make_feed(tutor_id)
        arguments["pending_id"] = keep_import(
            ListKind.PUPILS, "list.csv", _LIST, find_coordinator(COORDINATOR)
        )
        mixed_lesson_id = future_lessons(mixed.id)[0].id
        world = World(
            app,
            arguments,
            mixed_group_id=mixed.id,
            mixed_lesson_id=mixed_lesson_id,
            other_pupil_id=other.pupils[0].id,
            other_request_id=other.pupils[0].requests[0].id,
            tutor_ids=(tutor_id, other_tutor_id),
        )
    world.keep()
    return world


def _rows(tutor_id: int, family: Household, group_id: int) -> dict[str, Any]:
    """A row of each other kind; ids by the names that addresses give them."""
    hiba = family.pupils[0]
    french = hiba.requests[1].id
    by = find_coordinator(ADMINISTRATOR)
    _household, token = family_links.make_link(family.id, None)
    worry = worries.report_worry(family.id, "He shouts.")
    invitation, invitation_token = invitations.invite(
        "invited@example.org", "Invited", CoordinatorRole(False, None), by
    )
    extra = make_coordinator("extra@example.org")
    run_id = propose(proposal(tutor_id, [french], starts=[("mon", "18:00")]))
    now = clock.now()
    with transaction():
        lesson = _begun_lesson(group_id)
        rows = {
            "call_id": CallRequest(household_id=family.id, asked_at=now),
            "inbound_id": InboundMessage(
                gateway="kannel",
                provider_id="world",
                from_address=family.phone,
                household_id=family.id,
                text="Bonjour",
                meaning=Meaning.FREE_TEXT,
                received_at=now,
            ),
            "message_id": Message(
                household_id=family.id,
                kind=MessageKind.NOTE,
                state=MessageState.FAILED,
                due_at=now,
                expires_at=now,
                next_try_at=now,
                language="fr",
                text="N9raw : bonjour",
                error="no gateway reaches this recipient",
                created_at=now,
            ),
            "note_id": Note(household_id=family.id, text="A note", by_id=by.id, at=now),
            "pin_id": Pin(request_id=french, tutor_id=tutor_id, by_id=by.id, created_at=now),
            "veto_id": Veto(request_id=french, tutor_id=tutor_id, reason="no", created_at=now),
            "term_id": Term(name="Term", first_day=today(), last_day=today() + timedelta(days=99)),
            "day_off_id": DayOff(
                kind=DayOffKind.SCHOOL,
                state=DayOffState.CONFIRMED,
                name_fr="Vacances",
                name_ar="عطلة",
                name_en="Holidays",
                first_day=today() + timedelta(days=50),
                last_day=today() + timedelta(days=51),
            ),
            "period_id": Period(
                kind=PeriodKind.RAMADAN,
                name="Ramadan",
                first_day=today() + timedelta(days=60),
                last_day=today() + timedelta(days=80),
                blackout_from=17 * 60,
                blackout_until=20 * 60,
            ),
            "absence_id": TutorAbsence(
                tutor_id=tutor_id,
                first_day=today() + timedelta(days=40),
                last_day=today() + timedelta(days=41),
                reason="away",
                created_at=now,
            ),
            "certificate_id": HoursCertificate(
                code="ABCDEFGH23456789",
                tutor_id=tutor_id,
                tutor_name="Rania Mounir",
                lessons=1,
                minutes=60,
                pupils=1,
                first_day=today(),
                last_day=today(),
                issued_at=now,
            ),
        }
        db.session.add_all([*rows.values(), lesson])
        db.session.flush()
        rows["flag_id"] = Flag(
            kind=FlagKind.ABSENCES,
            group_id=group_id,
            request_id=hiba.requests[0].id,
            lesson_id=lesson.id,
            raised_at=now,
        )
        rows["question_id"] = Question(
            kind=QuestionKind.SUBSTITUTE,
            tutor_id=tutor_id,
            lesson_id=lesson.id,
            options=["yes", "no"],
            asked_at=now,
            expires_at=now + timedelta(days=1),
        )
        rows["asked_time_id"] = Question(
            kind=QuestionKind.NEW_TIME,
            tutor_id=tutor_id,
            lesson_id=next(one for one in future_lessons(group_id)).id,
            options=[["yes", "2030-01-07T18:00"], ["no"]],
            asked_at=now,
            expires_at=now + timedelta(hours=1),
        )
        rows["proposal_id"] = Question(
            kind=QuestionKind.NEW_TIME,
            household_id=family.id,
            lesson_id=lesson.id,
            options=[["yes", "2026-11-10T18:00"], ["no"]],
            asked_at=now,
            expires_at=now + timedelta(days=1),
        )
        asked = ("flag_id", "question_id", "asked_time_id", "proposal_id")
        db.session.add_all([rows[name] for name in asked])
        db.session.flush()
        ids: dict[str, Any] = {name: row.id for name, row in rows.items()}
        run = db.session.get_one(MatchRun, run_id)
        group = db.session.get_one(Group, group_id)
        coming = next(one for one in future_lessons(group_id))
        return ids | {
            "tutor_id": tutor_id,
            "household_id": family.id,
            "pupil_id": hiba.id,
            "request_id": hiba.requests[0].id,
            "group_id": group_id,
            "seat_id": group.members[0].id,
            "lesson_id": coming.id,
            "begun_lesson_id": lesson.id,
            "run_id": run_id,
            "proposed_id": run.groups[0].id,
            "worry_id": worry.id,
            "zone_id": family.zone_id,
            "invitation_id": invitation.id,
            "coordinator_id": extra.id,
            "token": token,
            "invitation_token": invitation_token,
            "calendar_token": "",
            "code": "ABCDEFGH23456789",
        }


def _begun_lesson(group_id: int) -> Lesson:
    """A lesson of an hour ago, to be noted."""
    starts = clock.now() - timedelta(hours=1)
    zone = "Africa/Casablanca"
    return Lesson(
        group_id=group_id,
        wall_start=clock.to_wall(starts, zone),
        zone=zone,
        tz_version=clock.tz_version(),
        starts_at=starts,
        minutes=60,
    )


# Pages whose answer to whom they let in is that there is nothing yet, or which ask for other rows.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "volunteer.note_lesson": {"lesson_id": "begun_lesson_id"},
    "coordinator.note_lesson": {"lesson_id": "begun_lesson_id"},
    "volunteer.answer_asked_time": {"question_id": "asked_time_id"},
    "volunteer.accept": {"group_id": "offered_id"},
    "volunteer.decline": {"group_id": "offered_id"},
    "family.answer_new_time": {"question_id": "proposal_id"},
    "coordinator.answer_new_time": {"question_id": "proposal_id"},
    "public.calendar": {"token": "calendar_token"},
    "invitation.accept": {"token": "invitation_token"},
}
_CHOICES = {
    "kind": "pupils",
    "format_": "csv",
    "key": "pupils",
    "filename": "n9raw.css",
    "subject": "maths",
    "entry": "call",
    "level": "3AC",
    "gateway": "kannel",
    "rest": "receipt",
}


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def arguments_of(rule: Rule, world: World) -> dict[str, Any]:
    """A real row for each number in an address; where words may stand, the first of them."""
    named = _ARGUMENTS.get(rule.endpoint, {})
    values = {}
    for name in rule.arguments:
        words = getattr(rule._converters[name], "items", None)
        if words is None:
            words = [_CHOICES.get(name) or world.arguments[named.get(name, name)]]
        values[name] = min(words)
    return values


def build(app: Flask, endpoint: str, values: dict[str, Any]) -> str:
    return app.url_map.bind("localhost").build(endpoint, values)


_NOT_PAGES = {"static", "public.health"}


@dataclass(frozen=True)
class Pages:
    """Who opens which pages, as (endpoint, path); `client` is None for a stranger."""

    client: FlaskClient | None
    pages: list[tuple[str, str]]


def pages_of(app: Flask, world: World) -> list[Pages]:
    """All that answer a GET with a page: an administrator's, a volunteer's, anybody's."""
    staff = Pages(world.browser_of("administrator"), [])
    volunteer, stranger = Pages(world.browser_of("volunteer"), []), Pages(None, [])
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        if rule.endpoint in _NOT_PAGES or "GET" not in (rule.methods or ()):
            continue
        who = RULES[rule.endpoint].who
        opened = staff if who <= STAFF else volunteer if who == {Who.VOLUNTEER} else stranger
        path = build(app, rule.endpoint, arguments_of(rule, world))
        answer = (opened.client or app.test_client()).get(path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            opened.pages.append((rule.endpoint, path))
    return [staff, volunteer, stranger]
