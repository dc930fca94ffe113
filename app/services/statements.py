"""What guardians say of their children's lessons, written down by coordinators."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import current_app

from app.extensions import db
from app.i18n import _l
from app.models import Consent, ConsentKind, ConsentMeans, Coordinator, Pupil
from app.services import audit
from app.services.consent import record_statement
from app.services.entered import entered_guardian
from app.services.errors import Invalid
from app.services.family_changes import changing_family, household_of_pupil
from scheduler import clock

MEANS: Final = (ConsentMeans.TOLD_COORDINATOR, ConsentMeans.ON_PAPER)
"""How a guardian's word comes to a coordinator."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a guardian said, when, and how a coordinator came to know it."""

    kind: ConsentKind
    given: bool
    guardian: str
    means: ConsentMeans
    said_on: date


def record_statements(
    pupil_id: int, statements: Collection[Statement], by: Coordinator, agreed: Collection[int] = ()
) -> Pupil:
    """Record what a guardian says now of a child: given, refused or withdrawn.

    Seats that it no longer allows end in the same transaction, see `changing_family`.
    """
    if not statements:
        raise Invalid(_l("Say what the guardian answered."))
    with changing_family(household_of_pupil(pupil_id), by, agreed) as household:
        pupil = db.session.get_one(Pupil, pupil_id)
        for statement in statements:
            record(pupil, statement, by)
        audit.note(
            "record_consent",
            f"household:{household.id}",
            by,
            pupil_ids=[pupil.id],
            detail={statement.kind.value: statement.given for statement in statements},
        )
    return pupil


def record(pupil: Pupil, statement: Statement, by: Coordinator) -> Consent:
    """Add a statement on a child; part of the caller's transaction, which ends seats."""
    if statement.means not in MEANS:
        raise Invalid(_l("Say how you know: the guardian told you, or signed a paper."))
    if statement.said_on > today():
        raise Invalid(_l("The day on which the guardian said so can't be in the future."))
    return record_statement(
        pupil,
        statement.kind,
        statement.means,
        given=statement.given,
        said_by=entered_guardian(statement.guardian),
        recorded_by=by,
        said_on=statement.said_on,
    )


def today() -> date:
    """The date on the programme's clocks."""
    return clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone).date()
