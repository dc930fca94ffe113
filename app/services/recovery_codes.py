"""Codes for the day on which the authenticator app is lost: ten, each good once, shown once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from flask import current_app
from sqlalchemy import delete, func, select

from app.database import transaction
from app.extensions import db
from app.models import Coordinator, RecoveryCode
from app.services import audit
from scheduler import clock

CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is easily mistaken: i, l, o, 0, 1."""
_LENGTH: Final = 10
_HALF: Final = _LENGTH // 2


def make_codes(coordinator: Coordinator) -> list[str]:
    """Ten new codes of a coordinator, which end the earlier ones; only their hashes are kept."""
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(CODES)]
    now = clock.now()
    with transaction():
        row = db.session.get_one(Coordinator, coordinator.id, with_for_update=True)
        db.session.execute(delete(RecoveryCode).where(RecoveryCode.coordinator_id == row.id))
        db.session.add_all(
            RecoveryCode(coordinator_id=row.id, code_hash=_hash(row.id, code), created_at=now)
            for code in codes
        )
        audit.note("make_recovery_codes", f"coordinator:{row.id}", row)
    return [f"{code[:_HALF]}-{code[_HALF:]}" for code in codes]


def count_left(coordinator: Coordinator) -> int:
    """How many of a coordinator's codes were not used yet."""
    left = select(func.count()).where(
        RecoveryCode.coordinator_id == coordinator.id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(left) or 0


def use_code(coordinator: Coordinator, typed: str) -> bool:
    """Whether what was typed is a code that was not used yet; it then is.

    Part of the caller's transaction, which holds the coordinator's row and counts wrong tries.
    """
    plain = "".join(sign for sign in typed.lower() if sign.isalnum())
    if len(plain) != _LENGTH:
        return False
    code = db.session.scalar(
        select(RecoveryCode).where(
            RecoveryCode.coordinator_id == coordinator.id,
            RecoveryCode.code_hash == _hash(coordinator.id, plain),
            RecoveryCode.used_at.is_(None),
        )
    )
    if code is None:
        return False
    code.used_at = clock.now()
    audit.note("use_recovery_code", f"coordinator:{coordinator.id}", coordinator)
    return True


def forget_codes(coordinator: Coordinator) -> None:
    """Forget a coordinator's codes; part of the caller's transaction."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.coordinator_id == coordinator.id))


def _hash(coordinator_id: int, code: str) -> str:
    """Keyed, since ten letters can be tried out by whoever has a copy of the table alone."""
    key = current_app.config["N9RAW"].secret_key.encode()
    said = f"recovery code {coordinator_id} {code}"
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
