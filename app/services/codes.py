"""Volunteers' sign-in: a six-digit code, sent to them, good in the browser that asked for it.

Nothing here counts by network address: a whole village can sit behind one. What is limited is
the account. No answer tells whether an account exists, by its words or by its time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from datetime import timedelta

from flask import current_app
from sqlalchemy import delete, func, select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, SignInCode, Tutor
from app.services import audit
from app.services.errors import Invalid, NotFound
from app.services.imports.cells import parse_phone
from app.services.imports.problems import BadCell
from app.services.outbox import queue_code
from app.services.pace import same_time
from scheduler import clock

CODE_HOLDS = timedelta(minutes=15)
WRONG_TRIES_A_CODE = 5
CODES_A_DAY = 5
WRONG_TRIES_AN_ACCOUNT = 20
WRONG_TRIES_COUNT = timedelta(days=30)
_DIGITS = 6


def ask_code(address: str, browser: str) -> None:
    """Send a code to the volunteer with this e-mail address or telephone number, if there is one.

    `browser` is the token in the session of the browser that asks; the code is good only there.
    """
    with same_time(), transaction():
        tutor = _find(address)
        if tutor is not None and tutor.may_sign_in and not _is_over_a_limit(tutor.id):
            _send(tutor, browser)


def take_code(browser: str, typed: str) -> Tutor:
    """The volunteer whose newest code from this browser was typed; Invalid for anything else."""
    with same_time():
        with transaction():
            tutor = _take(browser, _digits(typed))
        if tutor is None:
            raise Invalid(
                _l(
                    "This code is not right or no longer holds. Check the newest message, or ask "
                    "for another code. After many wrong tries only a coordinator can let you in."
                )
            )
    return tutor


def is_closed(tutor_id: int) -> bool:
    """Whether so many wrong codes were typed lately that a coordinator must let the tutor in."""
    counted = select(func.coalesce(func.sum(SignInCode.wrong_tries), 0)).where(
        SignInCode.tutor_id == tutor_id,
        SignInCode.created_at > clock.now() - WRONG_TRIES_COUNT,
    )
    return (db.session.scalar(counted) or 0) >= WRONG_TRIES_AN_ACCOUNT


def let_in_again(tutor_id: int, by: Coordinator) -> Tutor:
    """Forget a volunteer's codes and wrong tries, in the name of `by`: codes are sent again."""
    with transaction():
        tutor = db.session.get(Tutor, tutor_id, with_for_update=True)
        if tutor is None:
            raise NotFound(_l("This volunteer does not exist."))
        db.session.execute(delete(SignInCode).where(SignInCode.tutor_id == tutor_id))
        audit.note("let_in_again", f"tutor:{tutor_id}", by)
    return tutor


def _find(address: str) -> Tutor | None:
    """The tutor of an address, locked, so that two requests can't both be the last one allowed."""
    searched = Tutor.email == address.strip().lower()
    if "@" not in address:
        try:
            searched = Tutor.phone == parse_phone(address.strip())
        except BadCell:
            return None
    return db.session.scalar(select(Tutor).where(searched).with_for_update())


def _is_over_a_limit(tutor_id: int) -> bool:
    now = clock.now()
    today = select(func.count()).where(
        SignInCode.tutor_id == tutor_id, SignInCode.created_at > now - timedelta(days=1)
    )
    return (db.session.scalar(today) or 0) >= CODES_A_DAY or is_closed(tutor_id)


def _send(tutor: Tutor, browser: str) -> None:
    now = clock.now()
    # What counts for no limit any more is not kept.
    db.session.execute(
        delete(SignInCode).where(
            SignInCode.tutor_id == tutor.id, SignInCode.created_at <= now - WRONG_TRIES_COUNT
        )
    )
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    db.session.add(
        SignInCode(
            tutor_id=tutor.id,
            browser=browser,
            code_hash=_hash(tutor, browser, code),
            created_at=now,
            expires_at=now + CODE_HOLDS,
        )
    )
    queue_code(tutor.id, code, expires_at=now + CODE_HOLDS)


def _take(browser: str, typed: str) -> Tutor | None:
    newest = select(SignInCode.id, SignInCode.tutor_id).where(SignInCode.browser == browser)
    found = db.session.execute(newest.order_by(SignInCode.id.desc()).limit(1)).one_or_none()
    if found is None:
        return None
    tutor = db.session.get_one(Tutor, found.tutor_id, with_for_update=True)
    code = db.session.get(SignInCode, found.id, populate_existing=True)
    if code is None or not _is_open(code) or not tutor.may_sign_in or is_closed(tutor.id):
        return None
    if not hmac.compare_digest(code.code_hash, _hash(tutor, browser, typed)):
        code.wrong_tries += 1
        db.session.flush()
        if is_closed(tutor.id):
            audit.note("close_sign_in", f"tutor:{tutor.id}", None)
        return None
    code.used_at = clock.now()
    audit.note("sign_in", f"tutor:{tutor.id}", None, detail={"tutor": tutor.id})
    return tutor


def _is_open(code: SignInCode) -> bool:
    return (
        code.used_at is None
        and code.expires_at > clock.now()
        and code.wrong_tries < WRONG_TRIES_A_CODE
    )


def _digits(typed: str) -> str:
    """The digits of what was typed, also of "123 456" and "١٢٣٤٥٦"."""
    values = (unicodedata.decimal(sign, None) for sign in typed[:40])
    return "".join(str(value) for value in values if value is not None)


def _hash(tutor: Tutor, browser: str, code: str) -> str:
    """Of a code, bound to the browser and to where codes go: it dies with an address."""
    key = current_app.config["N9RAW"].secret_key.encode()
    said = f"sign-in code {tutor.address_stamp} {browser} {code}"
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
