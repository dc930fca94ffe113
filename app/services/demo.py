"""The demo: the Khouribga pilot, loaded into an empty database and given to the worker to match."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.extensions import db
from app.models import Coordinator, ListKind, Tutor, TutorState
from app.services.coordinators import add_coordinator
from app.services.imports import apply_import
from app.services.programme import load_programme
from app.services.runs import newest_run_id, start_run
from app.services.vetting import vet_tutor

DEMO_EMAIL = "coordinatrice@example.org"
DEMO_PASSWORD = "khouribga-2026"  # noqa: S105 - shown to whoever starts the demo
DEMO_NAME = "Salma Bennis"
DEMO_SECONDS = 30

_PILOT = Path(__file__).resolve().parent.parent / "data" / "pilot"


def load_demo() -> bool:
    """Load the pilot and ask for its matching, unless a run exists; True if it was loaded.

    Broken off half-way, it can be called again.
    """
    load_programme()
    coordinator = _demo_coordinator()
    if newest_run_id() is not None:
        return False
    for kind in (ListKind.VOLUNTEERS, ListKind.PUPILS):
        apply_import(kind, (_PILOT / f"{kind.value}.csv").read_bytes(), coordinator)
    waiting = select(Tutor.id).where(Tutor.state == TutorState.REGISTERED).order_by(Tutor.id)
    for tutor_id in db.session.scalars(waiting).all():
        vet_tutor(tutor_id, coordinator)
    start_run(coordinator, seconds=DEMO_SECONDS)
    return True


def _demo_coordinator() -> Coordinator:
    found = db.session.scalar(select(Coordinator).where(Coordinator.email == DEMO_EMAIL))
    return found or add_coordinator(DEMO_EMAIL, DEMO_NAME, DEMO_PASSWORD)
