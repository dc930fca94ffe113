"""Volunteers' sign-in: a six-digit code, sent to them, good in the browser that asked for it.

What is limited is the account. No answer tells whether an account exists, by its words or by its
time.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select

from app.database import transaction
from app.extensions import db
from app.gateways import AddressKind
from app.i18n import _l
from app.models import Coordinator, SignInCode, Tutor
from app.services import audit, six_digits
from app.services.addresses import kind_of, parse_address
from app.services.errors import Invalid, NotFound
from app.services.outbox import queue_code
from app.services.pace import same_time
from scheduler import clock


def ask_code(address: str, browser: str) -> None:
    """Send a code to the volunteer with this e-mail address or telephone number, if there is one.

    `browser` is the token in the session of the browser that asks; the code is good only there.
    """
    with same_time(), transaction():
        tutor = _find(address)
        if (
            tutor is not None
            and tutor.may_sign_in
            and not six_digits.is_over_a_limit(SignInCode, _theirs(tutor.id))
        ):
            _send(tutor, browser)


def take_code(browser: str, typed: str) -> Tutor:
    """The volunteer whose newest code from this browser was typed; Invalid for anything else."""
    with same_time():
        with transaction():
            tutor = _take(browser, typed)
        if tutor is None:
            raise Invalid(six_digits.NOT_RIGHT)
    return tutor


def is_closed(tutor_id: int) -> bool:
    """Whether so many wrong codes were typed lately that a coordinator must let the tutor in."""
    return six_digits.is_closed(SignInCode, _theirs(tutor_id))


def let_in_again(tutor_id: int, by: Coordinator) -> Tutor:
    """Forget a volunteer's codes and wrong tries, in the name of `by`: codes are sent again."""
    with transaction():
        tutor = db.session.get(Tutor, tutor_id, with_for_update=True)
        if tutor is None:
            raise NotFound(_l("This volunteer does not exist."))
        db.session.execute(delete(SignInCode).where(_theirs(tutor_id)))
        audit.note("let_in_again", f"tutor:{tutor_id}", by)
    return tutor


def find_tutor(address: str) -> Tutor | None:
    """The volunteer of an address as it is kept, locked, as part of the caller's transaction.

    Locked, so that two requests can't both be the last one allowed.
    """
    column = Tutor.email if kind_of(address) is AddressKind.EMAIL else Tutor.phone
    return db.session.scalar(select(Tutor).where(column == address).with_for_update())


def _find(typed: str) -> Tutor | None:
    try:
        address = parse_address(typed)
    except Invalid:
        return None
    return find_tutor(address)


def _theirs(tutor_id: int) -> ColumnElement[bool]:
    return SignInCode.tutor_id == tutor_id


def _send(tutor: Tutor, browser: str) -> None:
    six_digits.forget_old(SignInCode, _theirs(tutor.id))
    code = six_digits.new_code()
    now = clock.now()
    row = SignInCode(
        tutor_id=tutor.id,
        browser=browser,
        code_hash=six_digits.hash_code(_owner(tutor), browser, code),
        created_at=now,
        expires_at=now + six_digits.CODE_HOLDS,
    )
    db.session.add(row)
    queue_code(tutor.id, code, row.expires_at)


def _take(browser: str, typed: str) -> Tutor | None:
    newest = select(SignInCode.id, SignInCode.tutor_id).where(SignInCode.browser == browser)
    found = db.session.execute(newest.order_by(SignInCode.id.desc()).limit(1)).one_or_none()
    if found is None:
        return None
    tutor = db.session.get_one(Tutor, found.tutor_id, with_for_update=True)
    row = db.session.get(SignInCode, found.id, populate_existing=True)
    if row is None or not six_digits.is_open(row) or not tutor.may_sign_in or is_closed(tutor.id):
        return None
    if six_digits.is_right(row, _owner(tutor), typed):
        audit.note("sign_in", f"tutor:{tutor.id}", None, detail={"tutor": tutor.id})
        return tutor
    if is_closed(tutor.id):
        audit.note("close_sign_in", f"tutor:{tutor.id}", None)
    return None


def _owner(tutor: Tutor) -> str:
    """Binds a code to where codes go: it dies with an address, and as sessions do."""
    return f"sign-in code {tutor.sign_in_stamp}"
