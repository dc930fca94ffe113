"""What comes in: each text and each missed call is taken once, kept, and acted on.

It is committed before its gateway is told so. STOP and START are done in that same commit; what
else it asks is done in commits of its own right after, and by the worker where that was cut off.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from datetime import timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from app.extensions import db
from app.gateways import InboundText, MissedCall
from app.models import InboundMessage, Meaning, Question
from app.services import senders
from app.services.acting import Outcome, outcome_of
from app.services.answers import Said, What, read_answer
from app.services.asking_which import ask_which
from app.services.free_text import read_text
from app.services.senders import Sender, lock_sender, normal_address
from app.services.stopping import start_messages, stop_messages
from app.services.telling import Reply
from scheduler import clock

log = logging.getLogger(__name__)

LONGEST_TEXT: Final = 4000
LONGEST_ID: Final = 120
CUT_OFF_AFTER: Final = timedelta(seconds=60)
"""So long whoever took a text has for what it asks; then the worker does it."""
GIVEN_UP_AFTER: Final = timedelta(hours=1)
"""What could not be done by then is left to a coordinator to read."""
_AT_ONCE: Final = 50


def take_text(gateway_name: str, text: InboundText) -> bool:
    """Keep a text and do what it asks; committed when this returns. False if it came before."""
    words = read_text(text.text[:LONGEST_TEXT], LONGEST_TEXT)
    said = read_answer(text.text)
    return _take(gateway_name, text.provider_id, text.address, words, said, text.opted)


def take_call(gateway_name: str, call: MissedCall) -> bool:
    """As `take_text`, for a telephone that rang: it means "call me"."""
    return _take(gateway_name, call.provider_id, call.address, "", Said(What.CALL_ME))


def finish_cut_off() -> int:
    """Do what texts asked whose taking was cut off, such as by a machine that stopped; how many."""
    now = clock.now()
    late = (
        select(InboundMessage.id)
        .where(InboundMessage.act_at <= now)
        .order_by(InboundMessage.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("late")
    )
    with transaction():
        numbers = db.session.scalars(
            update(InboundMessage)
            .where(InboundMessage.id.in_(select(late.c.id)))
            .values(act_at=now + CUT_OFF_AFTER)
            .returning(InboundMessage.id)
            .execution_options(synchronize_session=False)
        ).all()
    for number in sorted(numbers):
        _act(number)
    return len(numbers)


def _take(
    gateway: str,
    provider_id: str,
    address: str,
    words: str,
    said: Said,
    opted: bool | None = None,
) -> bool:
    known_as = _id_of(provider_id)
    try:
        with transaction():
            sender = lock_sender(normal_address(address))
            said = _as_taken(said, opted, sender)
            row = InboundMessage(
                gateway=gateway,
                provider_id=known_as,
                from_address=sender.address,
                household_id=None if sender.household is None else sender.household.id,
                tutor_id=None if sender.tutor is None else sender.tutor.id,
                text=words,
                meaning=Meaning.CALL_ME if said.what is What.CALL_ME else Meaning.FREE_TEXT,
                received_at=clock.now(),
            )
            db.session.add(row)
            db.session.flush()
            if not _is_done_at_once(row, sender, said, opted):
                row.act_at = row.received_at + CUT_OFF_AFTER
            number, to_do = row.id, row.act_at is not None
    except IntegrityError:
        if not _is_known(gateway, known_as):
            raise
        return False  # the same came before, or at this very instant
    if to_do:
        _act(number)
    return True


def _id_of(provider_id: str) -> str:
    """What a gateway calls it, as long as a column takes; without a name it is a new one."""
    if not provider_id:
        return str(uuid.uuid4())
    if len(provider_id) > LONGEST_ID:
        return hashlib.sha256(provider_id.encode()).hexdigest()
    return provider_id


def _is_known(gateway: str, provider_id: str) -> bool:
    known = select(InboundMessage.id).where(
        InboundMessage.gateway == gateway, InboundMessage.provider_id == provider_id
    )
    return db.session.scalar(known) is not None


def _as_taken(said: Said, opted: bool | None, sender: Sender) -> Said:
    """The same, but STOP or START where the gateway took it so: "CANCEL", or "YES" after a STOP.

    A coordinator reads such a word too: it may have meant a lesson.
    """
    if opted is False and said.what is not What.STOP:
        return Said(What.STOP, has_more=True)
    if opted and any(person.messages_stopped_at is not None for person in sender.people):
        return Said(What.START)
    return said


def _is_done_at_once(
    row: InboundMessage, sender: Sender, said: Said, opted: bool | None = None
) -> bool:
    """Do what must stand in the commit that takes the text; whether nothing is left to do.

    A gateway that took a STOP has answered it, and would refuse our answer.
    """
    if said.what in (What.STOP, What.START):
        stops = said.what is What.STOP
        row.meaning = Meaning.STOP if stops else Meaning.START
        change, key = (stop_messages, Reply.STOPPED) if stops else (start_messages, Reply.STARTED)
        changed = [person for person in sender.people if change(person)]
        for person in changed[:1] if opted is not False else ():
            senders.answer(person, key, row.gateway)
        if sender.is_known and not said.has_more:
            row.read_at = row.received_at
        return True
    if sender.is_known:
        return False
    row.meaning = Meaning.UNKNOWN_NUMBER
    senders.answer_unknown(sender.address, row.gateway)
    return True


def _act(number: int) -> None:
    """Do what a text asks and write what came of it; a fault leaves it to the worker."""
    try:
        row = db.session.get_one(InboundMessage, number, populate_existing=True)
        if clock.now() - row.received_at >= GIVEN_UP_AFTER:
            outcome = Outcome(row.meaning, is_unread=True)
        else:
            outcome = outcome_of(row)
        _finish(number, outcome)
    except Exception as fault:
        # Neither the text nor the number may reach a log, so not the error's own words either.
        log.error("text %s is tried again: %s", number, type(fault).__name__)
        db.session.rollback()


def _finish(number: int, outcome: Outcome) -> None:
    """Write what a text was taken for, and answer it, once."""
    with transaction():
        address = db.session.scalar(
            select(InboundMessage.from_address).where(InboundMessage.id == number)
        )
        sender = lock_sender(str(address))
        row = db.session.get_one(
            InboundMessage, number, with_for_update=True, populate_existing=True
        )
        if row.act_at is None:
            return  # somebody else was faster
        row.act_at = None
        row.meaning = outcome.meaning
        row.lesson_id = outcome.lesson_id
        row.question_id = outcome.question_id
        row.message_id = outcome.message_id
        row.read_at = None if outcome.is_unread else row.received_at
        if outcome.which is not None and outcome.question_id is not None:
            question = db.session.get_one(Question, outcome.question_id, with_for_update=True)
            question.answered_at, question.answer = clock.now(), outcome.which
        if outcome.asks and sender.household is not None:
            if not ask_which(sender.household, outcome.asks):
                row.read_at = None
        elif outcome.reply is not None and sender.people:
            person = sender.tutor if outcome.of_tutor and sender.tutor else sender.people[0]
            senders.answer(person, outcome.reply, row.gateway)
