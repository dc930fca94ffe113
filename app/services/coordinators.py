"""Coordinators' accounts: adding one, changing a password, signing in."""

from __future__ import annotations

from datetime import timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from werkzeug.security import check_password_hash, generate_password_hash

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator
from app.services import audit
from app.services.errors import Conflict, Invalid
from scheduler import clock

MINIMUM_PASSWORD_LENGTH = 12
WRONG_PASSWORDS_ALLOWED = 10
LOCK = timedelta(minutes=15)
_NOBODYS_HASH = generate_password_hash("nobody")


def add_coordinator(email: str, name: str, password: str) -> Coordinator:
    """Add a coordinator. Invalid on a bad address, name or password; Conflict where one exists."""
    address = _checked_address(email)
    if not name.strip():
        raise Invalid(_l("Give the coordinator's name."))
    _check_password(password)
    with transaction():
        if _by_email(address) is not None:
            raise Conflict(_l("A coordinator with this e-mail address exists already."))
        coordinator = Coordinator(
            email=address,
            name=name.strip(),
            password_hash=generate_password_hash(password),
            created_at=clock.now(),
        )
        db.session.add(coordinator)
        db.session.flush()
        audit.note("add_coordinator", f"coordinator:{coordinator.id}", None)
    return coordinator


def change_password(email: str, password: str) -> None:
    """Give a coordinator a new password; it ends the sessions and the lock of the old one."""
    _check_password(password)
    with transaction():
        coordinator = _by_email(email)
        if coordinator is None:
            raise Invalid(_l("No coordinator has this e-mail address."))
        coordinator.password_hash = generate_password_hash(password)
        coordinator.wrong_passwords = 0
        coordinator.locked_until = None
        audit.note("change_password", f"coordinator:{coordinator.id}", None)


def find_coordinator(email: str) -> Coordinator:
    """The coordinator with this e-mail address; Invalid where there is none."""
    address = email.strip().lower()
    found = select(Coordinator).where(Coordinator.email == address)
    coordinator: Coordinator | None = db.session.scalar(found)
    if coordinator is None:
        raise Invalid(_l("No coordinator has this e-mail address."))
    return coordinator


def sign_in(email: str, password: str) -> Coordinator:
    """The coordinator whose address and password these are; Invalid for anyone else.

    Ten wrong passwords in a row lock an account for a quarter of an hour. The refusal never tells
    whether an account exists, and takes as long where there is none.
    """
    refused = Invalid(
        _l(
            "This e-mail address and password do not go together. After ten wrong tries an account "
            "stays closed for 15 minutes."
        )
    )
    with transaction():
        coordinator = _by_email(email)
        right = check_password_hash(
            _NOBODYS_HASH if coordinator is None else coordinator.password_hash, password
        )
        if coordinator is not None:
            right = right and not _is_locked(coordinator)
            _count_try(coordinator, right)
    if coordinator is None or not right:
        raise refused
    return coordinator


def _is_locked(coordinator: Coordinator) -> bool:
    return coordinator.locked_until is not None and coordinator.locked_until > clock.now()


def _count_try(coordinator: Coordinator, right: bool) -> None:
    if right:
        coordinator.wrong_passwords = 0
        coordinator.locked_until = None
        audit.note("sign_in", f"coordinator:{coordinator.id}", coordinator)
        return
    if _is_locked(coordinator):
        return
    coordinator.wrong_passwords += 1
    if coordinator.wrong_passwords >= WRONG_PASSWORDS_ALLOWED:
        coordinator.wrong_passwords = 0
        coordinator.locked_until = clock.now() + LOCK
        audit.note("lock", f"coordinator:{coordinator.id}", None)


def _by_email(email: str) -> Coordinator | None:
    return db.session.scalar(
        select(Coordinator).where(Coordinator.email == email.strip().lower()).with_for_update()
    )


def _checked_address(email: str) -> str:
    try:
        return validate_email(email, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise Invalid(_l("This is not an e-mail address.")) from None


def _check_password(password: str) -> None:
    if len(password) < MINIMUM_PASSWORD_LENGTH:
        raise Invalid(_l("A password needs at least 12 characters."))
