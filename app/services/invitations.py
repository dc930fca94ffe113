"""Accounts that administrators offer by a secret link. Only its hash is kept: it is shown once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import Select, select, update

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, Invitation
from app.services import audit
from app.services.coordinators import (
    Role,
    checked_address,
    checked_name,
    checked_role,
    lock_by_email,
    new_coordinator,
    password_hash,
)
from app.services.errors import Conflict, NotFound
from scheduler import clock

HOLDS: Final = timedelta(days=7)
_TOKEN_BYTES: Final = 16


def invite(email: str, name: str, role: Role, by: Coordinator) -> tuple[Invitation, str]:
    """An invitation and the token of its link, which ends an earlier one to the same address.

    Invalid on a bad address, name or role; Conflict where the address has an account.
    """
    address, kept_name = checked_address(email), checked_name(name)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    now = clock.now()
    with transaction():
        if lock_by_email(address) is not None:
            raise Conflict(_l("A coordinator with this e-mail address exists already."))
        db.session.execute(
            update(Invitation)
            .where(Invitation.email == address, Invitation.ended_at.is_(None))
            .values(ended_at=now)
        )
        invitation = Invitation(
            email=address,
            name=kept_name,
            is_administrator=role.is_administrator,
            all_zones=role.has_all_zones,
            zone_ids=checked_role(role),
            token_hash=_hash(token),
            invited_by_id=by.id,
            created_at=now,
            expires_at=now + HOLDS,
        )
        db.session.add(invitation)
        db.session.flush()
        audit.note("invite", f"invitation:{invitation.id}", by)
    return invitation, token


def open_invitations() -> list[Invitation]:
    """The invitations that can still be accepted, the newest first."""
    query = select(Invitation).where(
        Invitation.ended_at.is_(None), Invitation.expires_at > clock.now()
    )
    return list(db.session.scalars(query.order_by(Invitation.id.desc())))


def take_back(invitation_id: int, by: Coordinator) -> Invitation:
    """End an invitation before it is accepted. NotFound, or Conflict where it has ended."""
    with transaction():
        invitation = db.session.get(Invitation, invitation_id, with_for_update=True)
        if invitation is None:
            raise NotFound(_l("This invitation does not exist."))
        if invitation.ended_at is not None:
            raise Conflict(_l("This invitation was accepted or taken back already."))
        invitation.ended_at = clock.now()
        audit.note("take_invitation_back", f"invitation:{invitation.id}", by)
    return invitation


def end_invitations_of(coordinator: Coordinator) -> None:
    """End what somebody offered who may not invite any more; part of the caller's transaction.

    Else they could have kept a link for themselves.
    """
    db.session.execute(
        update(Invitation)
        .where(Invitation.invited_by_id == coordinator.id, Invitation.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def read_invitation(token: str) -> Invitation:
    """The invitation of a link that holds; NotFound for every other token."""
    invitation = db.session.scalar(_held(token))
    if invitation is None:
        raise _does_not_hold()
    return invitation


def accept_invitation(token: str, password: str) -> Coordinator:
    """Make the account that was offered, with a password. Invalid where that is too short."""
    hashed = password_hash(password)
    with transaction():
        invitation = db.session.scalar(_held(token).with_for_update())
        if invitation is None:
            raise _does_not_hold()
        role = Role(
            invitation.is_administrator, None if invitation.all_zones else invitation.zone_ids
        )
        coordinator = new_coordinator(invitation.email, invitation.name, hashed, role)
        invitation.ended_at = clock.now()
        audit.note("accept_invitation", f"coordinator:{coordinator.id}", coordinator)
    return coordinator


def _held(token: str) -> Select[Invitation]:
    return select(Invitation).where(
        Invitation.token_hash == _hash(token),
        Invitation.ended_at.is_(None),
        Invitation.expires_at > clock.now(),
    )


def _does_not_hold() -> NotFound:
    return NotFound(_l("This invitation does not hold any more. Ask for another one."))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
