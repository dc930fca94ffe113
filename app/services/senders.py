"""Who a text or a call that comes in is from, and what may be answered to them by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import lazyload

from app.database import also_one_at_a_time
from app.extensions import db
from app.models import Household, InboundMessage, Meaning, Message, MessageKind, Tutor
from app.services import sms_codes
from app.services.imports.cells import parse_phone
from app.services.imports.problems import BadCell
from app.services.telling import Reply, reply
from scheduler import clock

LONGEST_ADDRESS: Final = 254
_ONE_AT_A_TIME: Final = 6_201
"""The number under which texts from numbers that nobody here has wait for each other."""
_A_MINUTE: Final = timedelta(minutes=1)
_A_DAY: Final = timedelta(days=1)
MOST_REPLIES_A_DAY: Final = 10
"""To one number: two machines that answer each other stop there."""
MOST_TO_UNKNOWN_A_DAY: Final = 100
"""To all numbers together that nobody here has: each costs an SMS, and strangers decide on it."""
_AT_ANY_MINUTE: Final = (Reply.STOPPED, Reply.STARTED)
"""What is answered however short ago something else was."""

P = TypeVar("P", Household, Tutor)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who has a telephone number: a family, a volunteer, both, or nobody here."""

    address: str
    household: Household | None = None
    tutor: Tutor | None = None

    @property
    def is_known(self) -> bool:
        return self.household is not None or self.tutor is not None

    @property
    def people(self) -> list[Household | Tutor]:
        return [person for person in (self.household, self.tutor) if person is not None]


def normal_address(address: str) -> str:
    """A number in E.164; what is none, such as a short code or "INWI", as it came."""
    bare = address.strip().removeprefix("whatsapp:")
    try:
        return parse_phone(bare)
    except BadCell:
        return bare[:LONGEST_ADDRESS]


def lock_sender(address: str) -> Sender:
    """Who has this address, kept as they are until the commit; part of a transaction.

    Texts of one number are taken one after the other.
    """
    household = _locked(Household, Household.phone == address)
    tutor = _locked(Tutor, Tutor.phone == address)
    if household is None and tutor is None:
        also_one_at_a_time(_ONE_AT_A_TIME)
    return Sender(address, household, tutor)


def _locked(table: type[P], condition: ColumnElement[bool]) -> P | None:
    return db.session.scalar(
        select(table)
        .where(condition)
        .options(lazyload("*"))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def answer(person: Household | Tutor, key: Reply, gateway: str) -> Message | None:
    """Answer a family or a volunteer, unless they want no messages or were answered enough.

    Part of a transaction that has locked them.
    """
    column = Message.household_id if isinstance(person, Household) else Message.tutor_id
    stopped = person.messages_stopped_at is not None and key is not Reply.STOPPED
    if stopped or not _may_answer(column == person.id, key):
        return None
    return reply(person, key, gateway)


def answer_unknown(address: str, gateway: str) -> Message | None:
    """Tell a number that nobody here has whom it wrote to: once a day, to countries that are sent
    codes, never to short codes and names, never after their STOP.
    """
    asked = Message.to_address == address
    if not sms_codes.goes_to(address) or _wants_none(address):
        return None
    if _answered(asked, _A_DAY) or _answered(_TO_UNKNOWN, _A_DAY) >= MOST_TO_UNKNOWN_A_DAY:
        return None
    return reply(address, Reply.UNKNOWN_NUMBER, gateway)


_TO_UNKNOWN: Final = Message.to_address.is_not(None)


def _may_answer(to_them: ColumnElement[bool], key: Reply) -> bool:
    if key not in _AT_ANY_MINUTE and _answered(to_them, _A_MINUTE):
        return False
    return _answered(to_them, _A_DAY) < MOST_REPLIES_A_DAY


def _answered(to_them: ColumnElement[bool], within: timedelta) -> int:
    """How many answers were planned to them in that time."""
    replies = select(func.count()).where(
        to_them, Message.kind == MessageKind.REPLY, Message.created_at > clock.now() - within
    )
    return db.session.scalar(replies) or 0


def _wants_none(address: str) -> bool:
    last = db.session.scalar(
        select(InboundMessage.meaning)
        .where(
            InboundMessage.from_address == address,
            InboundMessage.meaning.in_((Meaning.STOP, Meaning.START)),
        )
        .order_by(InboundMessage.id.desc())
        .limit(1)
    )
    return last is Meaning.STOP
