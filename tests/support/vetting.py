"""Vetting for tests: all four checks, made today."""

from __future__ import annotations

from flask import Flask

from app.models import Coordinator, Tutor
from app.services import vetting
from app.services.vetting import VettingChecks
from app.services.vetting_term import today


def checks_of_today() -> VettingChecks:
    """All that a vetting needs, also of a volunteer who accepted no charter on a page."""
    return VettingChecks(today(), today(), today(), charter_accepted_on=today())


def vet_tutor(tutor_id: int, by: Coordinator) -> Tutor:
    """Vet a volunteer on checks of today."""
    return vetting.vet_tutor(tutor_id, by, checks_of_today())


def form_of(app: Flask) -> dict[str, str]:
    """The vetting form of a volunteer's page, filled in with today."""
    with app.app_context():
        day = today().isoformat()
    return {
        "identity_seen_on": day,
        "interviewed_on": day,
        "certificate_seen": "y",
        "certificate_seen_on": day,
        "charter_accepted_on": day,
    }
