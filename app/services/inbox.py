"""The inbox: what families and volunteers wrote that a coordinator reads, and answers."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import joinedload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, Household, InboundMessage, Message, Tutor
from app.services import audit
from app.services.errors import Conflict, NotFound
from app.services.loading import FAMILY_BY_NAME
from app.services.paging import Page, page_of
from app.services.reminders import Recipient
from app.services.scope import Scope
from app.services.telling import tell_note
from app.services.waiting import Waiting, first_of
from app.services.writing import read_words
from scheduler import clock

PER_PAGE: Final = 30


def read_inbox(
    scope: Scope, page_number: int, *, unread_only: bool
) -> tuple[list[InboundMessage], Page]:
    """One page of what came in, the newest first; by default what nobody has read.

    Unknown numbers and volunteers are of all zones.
    """
    wanted = [_within(scope)]
    if unread_only:
        wanted.append(InboundMessage.read_at.is_(None))
    counted = select(func.count()).select_from(InboundMessage).where(*wanted)
    page = page_of(db.session.scalar(counted) or 0, page_number, PER_PAGE)
    rows = db.session.scalars(
        select(InboundMessage)
        .where(*wanted)
        .order_by(InboundMessage.received_at.desc(), InboundMessage.id.desc())
        .limit(page.size)
        .offset(page.first)
        .options(*_with_people())
    )
    return list(rows), page


def first_unread(scope: Scope) -> Waiting[InboundMessage]:
    """The texts that have waited longest for a reader."""
    return first_of(
        select(InboundMessage)
        .where(InboundMessage.read_at.is_(None), _within(scope))
        .order_by(InboundMessage.received_at, InboundMessage.id)
        .options(*_with_people())
    )


def find_text(inbound_id: int) -> InboundMessage:
    """A text that came in, with who wrote it; NotFound if there is none."""
    row = db.session.scalar(
        select(InboundMessage).where(InboundMessage.id == inbound_id).options(*_with_people())
    )
    if row is None:
        raise NotFound(_l("This text does not exist."))
    return row


def mark_read(inbound_id: int, by: Coordinator) -> InboundMessage:
    """Note that `by` has read it; whoever was first stays named."""
    with transaction():
        row = _lock(inbound_id)
        _take_note(row, by)
    return row


def answer_text(inbound_id: int, text: str, by: Coordinator) -> Message:
    """Answer a family or a volunteer in one's own words; it counts as read then."""
    words = read_words(text)
    with transaction():
        person = _person(inbound_id)
        row = _lock(inbound_id)
        if person.messages_stopped_at is not None:
            raise Conflict(_l("They want no messages: call them."))
        message = tell_note(Recipient(person.__tablename__, person.id), words, by)
        _take_note(row, by)
        audit.note(
            "answer_text",
            f"{person.__tablename__}:{person.id}",
            by,
            pupil_ids=children_of(row),
            detail={"text": row.id, "message": message.id},
        )
    return message


def children_of(row: InboundMessage) -> list[int]:
    """The children of the family that wrote."""
    return [] if row.household is None else [pupil.id for pupil in row.household.pupils]


def _person(inbound_id: int) -> Household | Tutor:
    """Who wrote, locked before the text, as when it was taken."""
    ids = db.session.execute(
        select(InboundMessage.household_id, InboundMessage.tutor_id).where(
            InboundMessage.id == inbound_id
        )
    ).one_or_none()
    if ids is None:
        raise NotFound(_l("This text does not exist."))
    if ids.household_id is not None:
        return db.session.get_one(Household, ids.household_id, with_for_update=True)
    if ids.tutor_id is not None:
        return db.session.get_one(Tutor, ids.tutor_id, with_for_update=True)
    raise Conflict(_l("Nobody here has this number: call it."))


def _lock(inbound_id: int) -> InboundMessage:
    row = db.session.get(InboundMessage, inbound_id, with_for_update=True)
    if row is None:
        raise NotFound(_l("This text does not exist."))
    return row


def _take_note(row: InboundMessage, by: Coordinator) -> None:
    if row.read_at is None:
        row.read_at = clock.now()
        row.read_by_id = by.id
        audit.note("read_text", f"text:{row.id}", by, pupil_ids=children_of(row))


def _within(scope: Scope) -> ColumnElement[bool]:
    if scope.is_everywhere:
        return true()
    return InboundMessage.household_id.in_(
        select(Household.id).where(scope.limits(Household.zone_id))
    )


def _with_people() -> tuple[Any, ...]:
    return (
        joinedload(InboundMessage.household).options(*FAMILY_BY_NAME),
        joinedload(InboundMessage.tutor).lazyload("*"),
        joinedload(InboundMessage.read_by).lazyload("*"),
    )
