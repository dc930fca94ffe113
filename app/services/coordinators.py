"""Coordinators' accounts: adding one, changing a password, signing in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from werkzeug.security import check_password_hash, generate_password_hash

from app.database import transaction
from app.extensions import db
from app.i18n import _l, page_locale
from app.models import Coordinator, CoordinatorZone, Zone
from app.services import audit
from app.services.errors import Conflict, Invalid
from app.services.free_text import read_line
from scheduler import clock

MESSAGE_LANGUAGES = ("fr", "ar")
"""In which coordinators are written to."""
MINIMUM_PASSWORD_LENGTH = 12
WRONG_PASSWORDS_ALLOWED = 10
LOCK = timedelta(minutes=15)
LONGEST_NAME = 120
_NOBODYS_HASH = generate_password_hash("nobody")


@dataclass(frozen=True, slots=True)
class Role:
    """What a coordinator may do and see; `zone_ids` None stands for all zones."""

    is_administrator: bool
    zone_ids: Collection[int] | None

    @property
    def has_all_zones(self) -> bool:
        return self.is_administrator or self.zone_ids is None


def add_coordinator(
    email: str,
    name: str,
    password: str,
    *,
    is_administrator: bool = True,
    zone_ids: Collection[int] | None = None,
) -> Coordinator:
    """Add a coordinator of all zones, or of some. Invalid on a bad address, name or password;
    Conflict where one exists.
    """
    address = checked_address(email)
    checked = checked_name(name)
    hashed = password_hash(password)
    with transaction():
        coordinator = new_coordinator(address, checked, hashed, Role(is_administrator, zone_ids))
        audit.note("add_coordinator", f"coordinator:{coordinator.id}", None)
    return coordinator


def new_coordinator(address: str, name: str, hashed: str, role: Role) -> Coordinator:
    """A coordinator's row, as part of the caller's transaction. Conflict where one exists.

    Messages come in the language of the page on which the account was made, where there is such.
    """
    if lock_by_email(address) is not None:
        raise Conflict(_l("A coordinator with this e-mail address exists already."))
    locale = page_locale()
    coordinator = Coordinator(
        email=address,
        name=name,
        password_hash=hashed,
        message_language=locale if locale in MESSAGE_LANGUAGES else MESSAGE_LANGUAGES[0],
        created_at=clock.now(),
    )
    give_role(coordinator, role)
    db.session.add(coordinator)
    db.session.flush()
    return coordinator


def give_role(coordinator: Coordinator, role: Role) -> None:
    """Write what somebody may do and see; part of the caller's transaction."""
    numbers = checked_role(role)
    known = {row.zone_id: row for row in coordinator.zones}
    coordinator.is_administrator = role.is_administrator
    coordinator.all_zones = role.has_all_zones
    coordinator.zones = [known.get(one) or CoordinatorZone(zone_id=one) for one in numbers]


def checked_role(role: Role) -> list[int]:
    """The zones of a role, none where it has all; Invalid where it has neither."""
    if role.has_all_zones:
        return []
    wanted = set(role.zone_ids or ())
    known = db.session.scalars(select(Zone.id).where(Zone.id.in_(wanted)).order_by(Zone.id)).all()
    if not wanted or set(known) != wanted:
        raise Invalid(_l("Choose at least one zone, or all zones."))
    return list(known)


def change_password(email: str, password: str) -> None:
    """Give a coordinator a new password; it ends the sessions and the lock of the old one."""
    hashed = password_hash(password)
    with transaction():
        coordinator = lock_by_email(email)
        if coordinator is None:
            raise Invalid(_l("No coordinator has this e-mail address."))
        coordinator.password_hash = hashed
        coordinator.wrong_passwords = 0
        coordinator.locked_until = None
        audit.note("change_password", f"coordinator:{coordinator.id}", None)


def change_own_password(coordinator: Coordinator, old: str, new: str) -> Coordinator:
    """Give the coordinator who knows the old password a new one; Invalid where it is not it.

    Wrong ones count like wrong passwords at the sign-in. All other sessions end.
    """
    try:
        check_password(coordinator.email, old)
    except Invalid:
        raise Invalid(
            _l(
                "This is not your present password. After ten wrong tries an account stays closed "
                "for 15 minutes."
            )
        ) from None
    hashed = password_hash(new)
    with transaction():
        row = db.session.get_one(Coordinator, coordinator.id, with_for_update=True)
        row.password_hash = hashed
        row.wrong_passwords = 0
        audit.note("change_password", f"coordinator:{row.id}", row)
    return row


def set_messages(coordinator: Coordinator, language: str, *, digest: bool) -> None:
    """Set in which language a coordinator is written to, and whether each morning."""
    if language not in MESSAGE_LANGUAGES:
        raise Invalid(_l("Choose one of the languages."))
    with transaction():
        row = db.session.get_one(Coordinator, coordinator.id, with_for_update=True)
        row.message_language, row.wants_digest = language, digest
        audit.note("set_preferences", f"coordinator:{row.id}", row)


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
    checked = _stored_hash(email)
    right = check_password_hash(checked or _NOBODYS_HASH, password)
    with transaction():
        coordinator = lock_by_email(email)
        if coordinator is not None:
            # A password that was changed meanwhile is not the one that was checked.
            right = right and coordinator.password_hash == checked and not is_locked(coordinator)
            right = right and coordinator.closed_at is None
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


def _stored_hash(email: str) -> str | None:
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


def checked_address(email: str) -> str:
    """An e-mail address as it is stored; Invalid for what is none."""
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise Invalid(_l("This is not an e-mail address.")) from None


def checked_name(name: str) -> str:
    """A coordinator's name as it is stored; Invalid for none, or one that is too long."""
    kept = read_line(name)
    if not kept or len(kept) > LONGEST_NAME:
        raise Invalid(_l("Give the coordinator's name."))
    return kept


def password_hash(password: str) -> str:
    """What is stored of a password; Invalid where it is too short. Takes a tenth of a second."""
    if len(password) < MINIMUM_PASSWORD_LENGTH:
        raise Invalid(_l("A password needs at least 12 characters."))
    return generate_password_hash(password)
