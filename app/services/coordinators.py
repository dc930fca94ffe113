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


def add_coordinator(
    email: str, name: str, password: str, *, is_administrator: bool = True
) -> Coordinator:
    """Add a coordinator of all zones. Invalid on a bad address, name or password; Conflict where
    one exists.
    """
    address = _checked_address(email)
    if not name.strip():
        raise Invalid(_l("Give the coordinator's name."))
    _check_password(password)
    hashed = generate_password_hash(password)
    with transaction():
        if lock_by_email(address) is not None:
            raise Conflict(_l("A coordinator with this e-mail address exists already."))
        coordinator = Coordinator(
            email=address,
            name=name.strip(),
            password_hash=hashed,
            is_administrator=is_administrator,
            created_at=clock.now(),
        )
        db.session.add(coordinator)
        db.session.flush()
        audit.note("add_coordinator", f"coordinator:{coordinator.id}", None)
    return coordinator


def change_password(email: str, password: str) -> None:
    """Give a coordinator a new password; it ends the sessions and the lock of the old one."""
    _check_password(password)
    hashed = generate_password_hash(password)
    with transaction():
        coordinator = lock_by_email(email)
        if coordinator is None:
            raise Invalid(_l("No coordinator has this e-mail address."))
        coordinator.password_hash = hashed
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


def check_password(email: str, password: str) -> Coordinator:
    """The coordinator whose address and password these are; Invalid for anyone else.

    Ten wrong tries in a row lock an account for a quarter of an hour; only `let_in` forgets them.
    The refusal never tells whether an account exists, and takes as long where there is none.
    """
    checked = _password_hash(email)
    right = check_password_hash(checked or _NOBODYS_HASH, password)
    with transaction():
        coordinator = lock_by_email(email)
        if coordinator is not None:
            # A password that was changed meanwhile is not the one that was checked.
            right = right and coordinator.password_hash == checked and not is_locked(coordinator)
            if not right:
                count_wrong_try(coordinator)
    if coordinator is None or not right:
        raise Invalid(
            _l(
                "This e-mail address and password do not go together. After ten wrong tries an "
                "account stays closed for 15 minutes."
            )
        )
    return coordinator


def sign_in_by_password(email: str, password: str) -> Coordinator:
    """As `check_password`, and that is all that is asked: the demo has no second factor."""
    coordinator_id = check_password(email, password).id
    with transaction():
        coordinator = db.session.get_one(Coordinator, coordinator_id, with_for_update=True)
        let_in(coordinator)
    return coordinator


def is_locked(coordinator: Coordinator) -> bool:
    """Whether too many wrong tries closed the account for now."""
    return coordinator.locked_until is not None and coordinator.locked_until > clock.now()


def let_in(coordinator: Coordinator) -> None:
    """Note a sign-in and forget the wrong tries before it; part of the caller's transaction."""
    coordinator.wrong_passwords = 0
    coordinator.locked_until = None
    audit.note("sign_in", f"coordinator:{coordinator.id}", coordinator)


def count_wrong_try(coordinator: Coordinator) -> None:
    """Count a wrong password or code; part of the caller's transaction, which holds the row."""
    if is_locked(coordinator):
        return
    coordinator.wrong_passwords += 1
    if coordinator.wrong_passwords >= WRONG_PASSWORDS_ALLOWED:
        coordinator.wrong_passwords = 0
        coordinator.locked_until = clock.now() + LOCK
        audit.note("lock", f"coordinator:{coordinator.id}", None)


def lock_by_email(email: str) -> Coordinator | None:
    """The coordinator with this address, locked for the transaction under way."""
    return db.session.scalar(
        select(Coordinator).where(Coordinator.email == email.strip().lower()).with_for_update()
    )


def _password_hash(email: str) -> str | None:
    """An account's hash, read without holding anything: to check one takes a tenth of a second.

    Inside a transaction, SQLite would let nobody else write for as long.
    """
    address = email.strip().lower()
    db.session.rollback()
    hashed: str | None = db.session.scalar(
        select(Coordinator.password_hash).where(Coordinator.email == address)
    )
    db.session.rollback()
    return hashed


def _checked_address(email: str) -> str:
    try:
        return validate_email(email, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise Invalid(_l("This is not an e-mail address.")) from None


def _check_password(password: str) -> None:
    if len(password) < MINIMUM_PASSWORD_LENGTH:
        raise Invalid(_l("A password needs at least 12 characters."))
