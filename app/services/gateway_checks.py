"""Trying a gateway out: one test text through the outbox, followed to its receipt."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flask import current_app
from sqlalchemy import select, update

from app.database import transaction
from app.extensions import db
from app.gateways import AddressKind, Gateway, Permanent, Receipt, Retryable
from app.gateways.configured import configured_gateways, hooked_gateway
from app.i18n import _l
from app.models import Message, MessageKind, MessageState
from app.services import outbox
from app.services.addresses import kind_of, parse_address
from app.services.errors import Invalid, NotFound
from app.services.handing import Handing, begin_handings
from app.services.message_texts import check_text
from app.services.outbox import Answer, Claimed
from scheduler import clock

_IS_OF_USE_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a test text has got."""

    state: MessageState
    tries: int
    reason: str | None


def list_gateways() -> tuple[Gateway, ...]:
    """The gateways of this installation, the preferred first."""
    return configured_gateways(current_app.config["N9RAW"])


def brings_receipts(name: str) -> bool:
    """Whether a gateway says more of a text than that it was taken."""
    return hooked_gateway(current_app.config["N9RAW"], name) is not None


def plan_check(name: str, to: str, language: str) -> int:
    """Put a test text into the outbox, for one gateway alone and due at once; its number."""
    gateway, address = _named(name), parse_address(to)
    by_mail = gateway.reaches == (AddressKind.EMAIL,)
    if by_mail != (kind_of(address) is AddressKind.EMAIL):
        raise Invalid(_l("%(gateway)s does not send to such an address.", gateway=name))
    now = clock.now()
    message = Message(
        kind=MessageKind.CHECK,
        to_address=address,
        gateway=name,
        language=language,
        text=check_text(language),
        due_at=now,
        next_try_at=now,
        expires_at=now + _IS_OF_USE_FOR,
        created_at=now,
    )
    with transaction():
        db.session.add(message)
        db.session.flush()
        return message.id


def deliver_check(number: int) -> None:
    """Hand a test text over now, if it is due and no worker was faster."""
    claimed = _take_up(number)
    if claimed is None:
        return
    name = db.session.scalar(select(Message.gateway).where(Message.id == number))
    for handing in begin_handings([claimed], (_named(name or ""),)):
        said = _sent(handing)
        if said is not None:
            outbox.record_answers([Answer(claimed, said)])


def progress_of(number: int) -> Progress:
    """How far a test text has got by now."""
    db.session.rollback()  # what others committed since is to be seen
    row = db.session.execute(
        select(Message.state, Message.tries, Message.error).where(Message.id == number)
    ).one()
    return Progress(*row)


def _named(name: str) -> Gateway:
    found = {gateway.name: gateway for gateway in list_gateways()}
    if name not in found:
        raise NotFound(
            _l(
                "There is no gateway %(name)s; configured are: %(names)s.",
                name=name,
                names=", ".join(found) or "-",
            )
        )
    return found[name]


def _take_up(number: int) -> Claimed | None:
    now, claim = clock.now(), str(uuid.uuid4())
    lease = timedelta(seconds=current_app.config["N9RAW"].message_lease_seconds)
    with transaction():
        taken = db.session.scalar(
            update(Message)
            .where(
                Message.id == number,
                Message.state == MessageState.PLANNED,
                Message.next_try_at <= now,
            )
            .values(state=MessageState.CLAIMED, claim=claim, lease_until=now + lease)
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        )
    return None if taken is None else Claimed(number, claim)


def _sent(handing: Handing) -> Receipt | Retryable | Permanent | None:
    """What the other side said; None where it may have taken the text or not."""
    time.sleep(max(0.0, (handing.leaves_at - clock.now()).total_seconds()))
    try:
        return handing.gateway.send(handing.outgoing)
    except Retryable as refusal:
        return None if refusal.in_doubt else refusal
    except Permanent as refusal:
        return refusal
