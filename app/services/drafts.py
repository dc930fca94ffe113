"""What somebody without an account has answered so far, kept for a month.

A draft belongs to a browser, by a token in its session, and to the address that a code confirmed:
whoever confirms the same address elsewhere goes on there.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, delete, select

from app.database import transaction
from app.extensions import db
from app.models import Draft, DraftKind, Message, MessageKind
from app.services import six_digits
from app.services.contact_codes import forget_contact_codes
from scheduler import clock

KEPT_FOR: Final = timedelta(days=30)


def stamp(browser: str) -> str:
    """What is kept of a browser's token."""
    return hashlib.sha256(browser.encode()).hexdigest()


def find_draft(kind: DraftKind, browser: str | None) -> Draft | None:
    """The draft of a browser, if it has one that is not too old."""
    if browser is None:
        return None
    kept = Draft.updated_at > clock.now() - KEPT_FOR
    return db.session.scalar(_of(kind, browser).where(kept))


def keep_answers(kind: DraftKind, browser: str, answers: dict[str, Any]) -> None:
    """Add answers to the draft of a browser, which is begun by the first of them."""
    with transaction():
        draft = lock_draft(kind, browser)
        now = clock.now()
        if draft is None:
            draft = Draft(kind=kind, browser_hash=stamp(browser), answers={}, created_at=now)
            db.session.add(draft)
        draft.answers = draft.answers | answers
        draft.updated_at = now


def discard_draft(kind: DraftKind, browser: str) -> None:
    """Delete the draft of a browser at once."""
    with transaction():
        drop_draft(kind, browser)


def drop_draft(kind: DraftKind, browser: str) -> None:
    """As `discard_draft`, in the caller's transaction."""
    db.session.execute(
        delete(Draft).where(Draft.kind == kind, Draft.browser_hash == stamp(browser))
    )


def lock_draft(kind: DraftKind, browser: str) -> Draft | None:
    """The draft of a browser, in the caller's transaction."""
    return db.session.scalar(_of(kind, browser).with_for_update())


def confirm_address(kind: DraftKind, browser: str, address: str) -> None:
    """Note whose draft this is, in the caller's transaction.

    What was answered elsewhere under the same address is taken over; what both answer is as here.
    """
    elsewhere = select(Draft).where(
        Draft.kind == kind, Draft.address == address, Draft.browser_hash != stamp(browser)
    )
    earlier: dict[str, Any] = {}
    for other in db.session.scalars(elsewhere.order_by(Draft.id).with_for_update()):
        earlier |= other.answers
        db.session.delete(other)
    now = clock.now()
    draft = lock_draft(kind, browser)
    if draft is None:
        draft = Draft(kind=kind, browser_hash=stamp(browser), answers={}, created_at=now)
        db.session.add(draft)
    draft.answers = earlier | draft.answers
    draft.address = address
    draft.updated_at = now


def forget_old_drafts() -> None:
    """Delete drafts that nobody came back to, and what is left of the codes sent for them."""
    now = clock.now()
    with transaction():
        db.session.execute(delete(Draft).where(Draft.updated_at <= now - KEPT_FOR))
        db.session.execute(
            delete(Message).where(
                Message.kind == MessageKind.CONTACT_CODE,
                Message.expires_at <= now - six_digits.WRONG_TRIES_COUNT,
            )
        )
    forget_contact_codes()


def _of(kind: DraftKind, browser: str) -> Select[Draft]:
    return (
        select(Draft)
        .where(Draft.kind == kind, Draft.browser_hash == stamp(browser))
        .order_by(Draft.id.desc())
        .limit(1)
    )
