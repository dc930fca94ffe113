"""The demo: the Khouribga pilot, loaded into an empty database and given to the worker to match."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.extensions import db
from app.models import Coordinator, Group, ListKind, MatchRun, RunState, Tutor, TutorState
from app.services.coordinators import add_coordinator
from app.services.days_off import propose_public_holidays, school_year
from app.services.groups import accept_group
from app.services.imports import apply_import
from app.services.lessons import AHEAD
from app.services.programme import load_programme
from app.services.publishing import publish_run
from app.services.runs import newest_run_id, start_run
from app.services.term_changes import NewTerm, store_term
from app.services.terms import list_terms
from app.services.vetting import VettingChecks, vet_tutor
from app.services.vetting_term import today

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
    checks = VettingChecks(today(), today(), today(), charter_accepted_on=today())
    for tutor_id in db.session.scalars(waiting).all():
        vet_tutor(tutor_id, coordinator, checks)
    _set_calendar(coordinator)
    start_run(coordinator, seconds=DEMO_SECONDS)
    return True


def begin_lessons() -> int:
    """Publish the first matching and accept its groups for the tutors; how many are active.

    Does nothing unless that matching has ended and nothing was ever published. The first group's
    tutor keeps one offer to answer, for whoever tries the volunteer's way in.
    """
    run = db.session.scalar(select(MatchRun).order_by(MatchRun.id).limit(1))
    if run is None or run.state is not RunState.DONE or db.session.scalar(select(Group.id)):
        return 0
    coordinator = _demo_coordinator()
    offered = publish_run(run.id, coordinator)
    *to_accept, _left_to_answer = sorted(
        offered, key=lambda group: (group.tutor_id == offered[0].tutor_id, group.id)
    )
    for group_id in [group.id for group in to_accept]:
        accept_group(group_id, coordinator)
    return len(to_accept)


def _set_calendar(coordinator: Coordinator) -> None:
    """A term that lasts for whoever tries the demo in any month, and the public holidays."""
    if not list_terms():
        first = school_year(today())[0]
        last = school_year(today() + AHEAD)[1]
        name = f"Année scolaire {first.year}-{last.year}"
        store_term(NewTerm(name, first, last), coordinator)
    propose_public_holidays(coordinator)


def _demo_coordinator() -> Coordinator:
    found = db.session.scalar(select(Coordinator).where(Coordinator.email == DEMO_EMAIL))
    return found or add_coordinator(DEMO_EMAIL, DEMO_NAME, DEMO_PASSWORD)
