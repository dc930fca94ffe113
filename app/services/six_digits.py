"""What all codes of six digits share: how they are made and kept, when they hold, how many count.

Nothing here counts by network address: a whole village can sit behind one. What is limited is
where codes are sent.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from datetime import timedelta
from typing import Final

from flask import current_app
from flask_babel.speaklater import LazyString
from sqlalchemy import ColumnElement, delete, func, select

from app.extensions import db
from app.i18n import _l
from app.models import ContactCode, SignInCode
from scheduler import clock

CODE_HOLDS: Final = timedelta(minutes=15)
WRONG_TRIES_A_CODE: Final = 5
CODES_A_DAY: Final = 5
WRONG_TRIES_IN_ALL: Final = 20
WRONG_TRIES_COUNT: Final = timedelta(days=30)
_DIGITS: Final = 6

Code = SignInCode | ContactCode
CodeTable = type[SignInCode] | type[ContactCode]

NOT_RIGHT: Final[LazyString] = _l(
    "This code is not right or no longer holds. Check the newest message, or ask for another code. "
    "After many wrong tries only a coordinator can let you in."
)
"""What is said of every code that is not taken, whatever the reason."""


def new_code() -> str:
    """A code that nobody can guess."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"


def hash_code(owner: str, browser: str, code: str) -> str:
    """What is kept of a code, bound to the browser and to `owner`: who it is for, and where."""
    key = current_app.config["N9RAW"].secret_key.encode()
    return hmac.new(key, f"{owner} {browser} {code}".encode(), hashlib.sha256).hexdigest()


def is_open(row: Code) -> bool:
    """Whether a code can still be taken."""
    return (
        row.used_at is None
        and row.expires_at > clock.now()
        and row.wrong_tries < WRONG_TRIES_A_CODE
    )


def is_right(row: Code, owner: str, typed: str) -> bool:
    """Whether this is the code; a wrong one is counted, as part of the caller's transaction."""
    if hmac.compare_digest(row.code_hash, hash_code(owner, row.browser, digits(typed))):
        row.used_at = clock.now()
        return True
    row.wrong_tries += 1
    db.session.flush()
    return False


def is_closed(table: CodeTable, theirs: ColumnElement[bool]) -> bool:
    """Whether so many wrong codes were typed lately that none is sent or taken any more."""
    counted = select(func.coalesce(func.sum(table.wrong_tries), 0)).where(
        theirs, table.created_at > clock.now() - WRONG_TRIES_COUNT
    )
    return (db.session.scalar(counted) or 0) >= WRONG_TRIES_IN_ALL


def is_over_a_limit(table: CodeTable, theirs: ColumnElement[bool]) -> bool:
    """Whether no further code may be sent now."""
    today = select(func.count()).where(theirs, table.created_at > clock.now() - timedelta(days=1))
    return (db.session.scalar(today) or 0) >= CODES_A_DAY or is_closed(table, theirs)


def forget_old(table: CodeTable, theirs: ColumnElement[bool]) -> None:
    """Delete what counts for no limit any more, as part of the caller's transaction."""
    long_ago = clock.now() - WRONG_TRIES_COUNT
    db.session.execute(delete(table).where(theirs, table.created_at <= long_ago))


def digits(typed: str) -> str:
    """The digits of what was typed, also of "123 456" and "١٢٣٤٥٦"."""
    values = (unicodedata.decimal(sign, None) for sign in typed[:40])
    return "".join(str(value) for value in values if value is not None)
