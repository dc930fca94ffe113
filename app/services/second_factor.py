"""Coordinators' second factor: a code from an authenticator app (TOTP, RFC 6238)."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from flask import current_app
from pyotp import random_base32
from pyotp.exceptions import OTPVerificationError
from pyotp.totp import TOTP

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator
from app.services import audit
from app.services.coordinators import count_wrong_try, is_locked, let_in, lock_by_email
from app.services.errors import Invalid
from app.services.recovery_codes import forget_codes, use_code
from scheduler import clock

_ISSUER = "N9raw"
_STEPS_APART = 1
"""A telephone's clock may be half a minute off."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What an authenticator app needs, as a picture to scan and as a key to type."""

    key: str
    picture: str
    """An SVG image, as a data: address."""


def is_asked() -> bool:
    """Whether coordinators need a second factor: everywhere but in the demo."""
    return not current_app.config["N9RAW"].demo


def is_set_up(coordinator: Coordinator) -> bool:
    """Whether a first code was taken, so that the secret is known to be in the app."""
    return coordinator.totp_last_step is not None


def begin(coordinator_id: int) -> Coordinator:
    """Get ready to ask for a code: whoever has no second factor yet gets a new secret.

    A new one each time, so that nobody's first visit leaves a secret for a later one.
    """
    with transaction():
        coordinator = db.session.get_one(Coordinator, coordinator_id, with_for_update=True)
        if not is_set_up(coordinator):
            coordinator.totp_secret = random_base32()
    return coordinator


def set_up_of(coordinator: Coordinator) -> SetUp:
    """What to put into the app; only for one who has begun and has not yet typed a code."""
    assert coordinator.totp_secret is not None
    assert not is_set_up(coordinator)
    address = _totp(coordinator).provisioning_uri(name=coordinator.email, issuer_name=_ISSUER)
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=3, light="white")
    groups = [coordinator.totp_secret[at : at + 4] for at in range(0, 32, 4)]
    return SetUp(key=" ".join(groups), picture=picture)


def check_code(coordinator_id: int, typed: str) -> Coordinator:
    """Sign in the coordinator whose password was right, with the app's code or a recovery code.

    Each code is taken once. Wrong ones count like wrong passwords. Invalid where it is refused.
    """
    with transaction():
        coordinator = db.session.get_one(Coordinator, coordinator_id, with_for_update=True)
        right = not is_locked(coordinator) and _is_right(coordinator, typed)
        if right:
            let_in(coordinator)
        else:
            count_wrong_try(coordinator)
    if not right:
        raise Invalid(
            _l(
                "This code is not right, or it was used already. Wait for the app's next code. "
                "After ten wrong tries an account stays closed for 15 minutes."
            )
        )
    return coordinator


def reset(email: str) -> None:
    """Take a coordinator's second factor away; it ends their sessions. Invalid if unknown."""
    with transaction():
        coordinator = lock_by_email(email)
        if coordinator is None:
            raise Invalid(_l("No coordinator has this e-mail address."))
        coordinator.totp_secret = None
        coordinator.totp_last_step = None
        forget_codes(coordinator)
        audit.note("reset_second_factor", f"coordinator:{coordinator.id}", None)


def _is_right(coordinator: Coordinator, typed: str) -> bool:
    """Whether the second factor is proved; what proved it is used up."""
    step = _step_of(coordinator, typed)
    if step is None:
        return is_set_up(coordinator) and use_code(coordinator, typed)
    coordinator.totp_last_step = step
    return True


def _step_of(coordinator: Coordinator, typed: str) -> int | None:
    """The time step that a code is of; None where it is wrong or was taken already."""
    if coordinator.totp_secret is None:
        return None
    try:
        step = _totp(coordinator).verify_and_get_timecode(
            "".join(typed.split()), for_time=clock.now(), valid_window=_STEPS_APART
        )
    except OTPVerificationError:
        return None
    last = coordinator.totp_last_step
    return step if last is None or step > last else None


def _totp(coordinator: Coordinator) -> TOTP:
    return TOTP(coordinator.totp_secret or "")
