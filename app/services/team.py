"""The coordinators together: who is there, what each may do and see, whose account is closed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator
from app.services import audit
from app.services.coordinators import Role, give_role
from app.services.errors import Conflict, NotFound
from app.services.invitations import end_invitations_of
from scheduler import clock

_ONE_CHANGE_OF_ROLES_AT_A_TIME: Final = 20_261_122
"""So that two administrators can't take the role from each other, and leave nobody."""


def list_team() -> list[Coordinator]:
    """All coordinators with their zones: those with an account first, by name."""
    return list(
        db.session.scalars(
            select(Coordinator).order_by(
                Coordinator.closed_at.is_not(None), func.lower(Coordinator.name), Coordinator.id
            )
        )
    )


def get_coordinator(coordinator_id: int) -> Coordinator:
    """The coordinator of that id; NotFound if there is none."""
    coordinator = db.session.get(Coordinator, coordinator_id)
    if coordinator is None:
        raise NotFound(_l("This coordinator does not exist."))
    return coordinator


def change_role(coordinator_id: int, role: Role, by: Coordinator) -> Coordinator:
    """Set what a coordinator may do and see, from the next page on.

    Conflict where nobody would be an administrator any more; Invalid without a zone.
    """
    with transaction(one_at_a_time=_ONE_CHANGE_OF_ROLES_AT_A_TIME):
        coordinator = _locked(coordinator_id)
        if not role.is_administrator:
            _refuse_if_last(coordinator)
            end_invitations_of(coordinator)
        give_role(coordinator, role)
        audit.note(
            "change_role",
            f"coordinator:{coordinator.id}",
            by,
            detail={
                "administrator": role.is_administrator,
                "zones": None if role.has_all_zones else sorted(role.zone_ids or ()),
            },
        )
    return coordinator


def close_account(coordinator_id: int, by: Coordinator) -> Coordinator:
    """Close an account: open sessions end with their next page. What was done stays signed."""
    with transaction(one_at_a_time=_ONE_CHANGE_OF_ROLES_AT_A_TIME):
        coordinator = _locked(coordinator_id)
        if coordinator.closed_at is not None:
            raise Conflict(_l("This account is closed already."))
        _refuse_if_last(coordinator)
        end_invitations_of(coordinator)
        coordinator.closed_at = clock.now()
        audit.note("close_account", f"coordinator:{coordinator.id}", by)
    return coordinator


def open_account(coordinator_id: int, by: Coordinator) -> Coordinator:
    """Open a closed account again, with the password and second factor that it had."""
    with transaction():
        coordinator = _locked(coordinator_id)
        if coordinator.closed_at is None:
            raise Conflict(_l("This account is open."))
        coordinator.closed_at = None
        audit.note("open_account", f"coordinator:{coordinator.id}", by)
    return coordinator


def _refuse_if_last(coordinator: Coordinator) -> None:
    others = select(func.count()).where(
        Coordinator.is_administrator,
        Coordinator.closed_at.is_(None),
        Coordinator.id != coordinator.id,
    )
    is_one = coordinator.is_administrator and coordinator.closed_at is None
    if is_one and not db.session.scalar(others):
        raise Conflict(_l("Somebody must be an administrator: make another one first."))


def _locked(coordinator_id: int) -> Coordinator:
    get_coordinator(coordinator_id)
    return db.session.get_one(
        Coordinator, coordinator_id, with_for_update=True, populate_existing=True
    )
