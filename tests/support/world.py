"""A small programme in which every page has something to show, and who may open it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.database import transaction
from app.extensions import db
from app.models import ListKind, Tutor
from app.services import family_links, worries
from app.services.coordinators import find_coordinator
from app.services.imports import keep_import
from scheduler import clock
from tests.support.groups import active_group, offer_group, proposal, propose
from tests.support.pages import EMAIL, signed_in, signed_in_tutor
from tests.support.people import make_household, make_tutor

_LIST = b"Nom;Prenom\nTouil;Hiba\n"


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
            "pending_id": keep_import(ListKind.PUPILS, "list.csv", _LIST, find_coordinator(EMAIL)),
            "step": "pause",
        }
    return World(arguments, staff, signed_in_tutor(app, tutor_id))
