"""A guardian's consent: which text it was given to, and whether it is in force."""

from __future__ import annotations

from typing import Final

from app.models import Consent, ConsentKind, Pupil

CONSENT_TEXT_VERSION: Final = "2026-10"
"""The version of the text in docs/consent.md that guardians are told now."""


def in_force(pupil: Pupil, kind: ConsentKind) -> bool:
    """Whether the newest statement of this kind on the child is a consent."""
    newest = newest_statement(pupil, kind)
    return newest is not None and newest.given


def newest_statement(pupil: Pupil, kind: ConsentKind) -> Consent | None:
    """The guardian's last word of this kind on the child; None where nothing was ever said."""
    return max(
        (statement for statement in pupil.consents if statement.kind is kind),
        key=lambda statement: statement.id,
        default=None,
    )
