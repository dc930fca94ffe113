"""Codes to addresses without an account: of somebody who registers, or asks for help.

The rules are those of volunteers' sign-in codes. What is limited is the address, whatever it is
confirmed for; no answer tells whether somebody has an account with it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select

from app.database import transaction
from app.extensions import db
from app.gateways import AddressKind
from app.i18n import _l
from app.models import ContactCode, DraftKind
from app.services import six_digits, sms_codes
from app.services.addresses import kind_of, parse_address, reaches
from app.services.errors import Invalid
from app.services.outbox import queue_contact_code
from app.services.pace import same_time
from scheduler import clock

_ONE_CODE_AT_A_TIME: Final = 2_005
"""So that two requests can't both be the last one allowed: an address has no row to lock."""


def ask_contact_code(kind: DraftKind, address: str, browser: str, language: str) -> None:
    """Send a code to an e-mail address or telephone number; Invalid where none can be sent.

    `browser` is the token in the session of the browser that asks; the code is good only there.
    Over a limit nothing is sent, and nothing tells so.
    """
    to_address = parse_address(address)
    _check_way(to_address)
    with same_time(), transaction(one_at_a_time=_ONE_CODE_AT_A_TIME):
        theirs = ContactCode.address == to_address
        if six_digits.is_over_a_limit(ContactCode, theirs):
            return
        six_digits.forget_old(ContactCode, theirs)
        code = six_digits.new_code()
        now = clock.now()
        row = ContactCode(
            kind=kind,
            address=to_address,
            browser=browser,
            code_hash=six_digits.hash_code(_owner(kind, to_address), browser, code),
            created_at=now,
            expires_at=now + six_digits.CODE_HOLDS,
        )
        db.session.add(row)
        queue_contact_code(to_address, language, code, row.expires_at)


def take_contact_code(kind: DraftKind, browser: str, typed: str) -> str:
    """The address, as it is kept, whose newest code from this browser was typed.

    Invalid for anything else.
    """
    with same_time():
        with transaction(one_at_a_time=_ONE_CODE_AT_A_TIME):
            address = _take(kind, browser, typed)
        if address is None:
            raise Invalid(six_digits.NOT_RIGHT)
    return address


def forget_contact_codes() -> None:
    """Delete all codes that count for no limit any more."""
    long_ago = clock.now() - six_digits.WRONG_TRIES_COUNT
    with transaction():
        db.session.execute(delete(ContactCode).where(ContactCode.created_at <= long_ago))


def _check_way(address: str) -> None:
    """Invalid where no code gets to an address of this kind, from here and today."""
    if kind_of(address) is AddressKind.EMAIL:
        return
    if not reaches(AddressKind.PHONE):
        raise Invalid(_l("No code can be sent to telephones here. Give an e-mail address."))
    if not sms_codes.goes_to(address):
        raise Invalid(_l("No code is sent to telephones of this country. Give an e-mail address."))
    if sms_codes.is_budget_used_up():
        raise Invalid(
            _l(
                "No more codes are sent to telephones today. Give an e-mail address, or come back "
                "tomorrow."
            )
        )


def _take(kind: DraftKind, browser: str, typed: str) -> str | None:
    newest = (
        select(ContactCode)
        .where(ContactCode.browser == browser, ContactCode.kind == kind)
        .order_by(ContactCode.id.desc())
        .limit(1)
    )
    row = db.session.scalar(newest.with_for_update())
    if row is None or not six_digits.is_open(row):
        return None
    if six_digits.is_closed(ContactCode, ContactCode.address == row.address):
        return None
    return row.address if six_digits.is_right(row, _owner(kind, row.address), typed) else None


def _owner(kind: DraftKind, address: str) -> str:
    return f"{kind.value} code {address}"
