"""A guardian's consent: which text it was given to, and whether it is in force."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from app.extensions import db
from app.models import Consent, ConsentKind, ConsentMeans, Coordinator, Household, Pupil
from scheduler import clock

CONSENT_TEXT_VERSION: Final = "2026-10"
"""The version of the text in docs/consent.md that guardians are told now."""
TEXT_LANGUAGES: Final = ("ar", "fr")
"""What coordinators read the text out in."""
WRITTEN_IN: Final = (*TEXT_LANGUAGES, "en")
"""What families can read it in."""
_TEXTS: Final = Path(__file__).resolve().parent.parent / "data" / "consent"


@cache
def consent_texts(language: str, version: str = CONSENT_TEXT_VERSION) -> dict[ConsentKind, str]:
    """What a guardian is asked before each consent, in "fr", "en" or else in Arabic."""
    written = language if language in WRITTEN_IN else "ar"
    asked = (_TEXTS / f"{version}.{written}.txt").read_text(encoding="utf-8").strip()
    return dict(zip(ConsentKind, asked.split("\n\n"), strict=True))


def in_force(pupil: Pupil, kind: ConsentKind) -> bool:
    """Whether the newest statement of this kind on the child is a consent."""
    newest = newest_statement(pupil, kind)
    return newest is not None and newest.given


def shares_number(household: Household) -> bool:
    """Whether the household's number may be seen by the other families of a group.

    A family has one number: a single child for whom the guardian keeps out of groups is enough to
    keep it to itself.
    """
    return all(
        in_force(pupil, ConsentKind.GROUP_LESSONS)
        for pupil in household.pupils
        if in_force(pupil, ConsentKind.LESSONS)
    )


def newest_statement(pupil: Pupil, kind: ConsentKind) -> Consent | None:
    """The guardian's last word of this kind on the child; None where nothing was ever said."""
    return max(
        (statement for statement in pupil.consents if statement.kind is kind),
        key=lambda statement: statement.id,
        default=None,
    )


def record_statement(
    pupil: Pupil,
    kind: ConsentKind,
    means: ConsentMeans,
    *,
    given: bool,
    said_by: str,
    recorded_by: Coordinator | None = None,
    said_on: date | None = None,
) -> Consent:
    """Add what a guardian, named `said_by`, says of a child; part of a transaction.

    `said_on` is the day on which it was said, where that is not today for certain.

    Whoever withdraws a consent by it calls `groups.leave_without_right` in the same transaction.
    """
    statement = Consent(
        kind=kind,
        given=given,
        guardian_name=said_by,
        means=means,
        text_version=CONSENT_TEXT_VERSION,
        declared_by_id=None if recorded_by is None else recorded_by.id,
        at=clock.now(),
        said_on=said_on,
    )
    pupil.consents.append(statement)
    db.session.flush()
    return statement
