"""A coordinator's own words to one family, to a volunteer, to a group, to the families of a zone.

First it is said whom they reach, in how many SMS and for how much; then they are sent, by day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from flask import current_app
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.database import transaction
from app.extensions import db
from app.gateways import Gateway
from app.gateways.configured import configured_gateways
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Coordinator,
    Group,
    Household,
    Membership,
    Message,
    MessageKind,
    Pupil,
    Tutor,
    TutoringRequest,
)
from app.services import audit
from app.services.errors import Conflict, Invalid
from app.services.free_text import read_text
from app.services.message_texts import note_text
from app.services.reminders import Recipient
from app.services.telling import tell_note
from app.services.ways import ways_of
from scheduler import clock

LONGEST: Final = 500
_SENT_JUST_NOW: Final = timedelta(minutes=10)
"""The same words to the same people again within it are a button that was pressed twice."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a coordinator writes to: "household", "tutor", "group" or "zone", and its number."""

    kind: str
    id: int
    with_tutor: bool = False
    """Of a group: its volunteer too."""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of sending these words."""

    reached: list[Household | Tutor] = field(default_factory=list)
    stopped: int = 0
    """So many want no messages."""
    called: int = 0
    """So many families are told by telephone, since nobody there reads."""
    without_way: int = 0
    parts: int = 0
    """SMS, or other texts, that leave."""
    thousandths: int = 0
    """What they cost, in thousandths of a dirham."""

    @property
    def pupil_ids(self) -> set[int]:
        families = [person for person in self.reached if isinstance(person, Household)]
        return {pupil.id for family in families for pupil in family.pupils}


def read_words(text: str) -> str:
    """A coordinator's words without what nobody sees; Invalid where none are left, or too many."""
    words = read_text(text, LONGEST)
    if not words:
        raise Invalid(_l("Write what you want to say."))
    return words


def preview(target: Target, text: str) -> Preview:
    """Whom these words would reach, and what that costs."""
    return _preview(_people(target), read_words(text))


def send(target: Target, text: str, by: Coordinator) -> int:
    """Send these words to all whom they reach; how many. Sent again at once they leave once."""
    words = read_words(text)
    with transaction():
        people = _people(target, lock=True)
        found = _preview(people, words)
        if not found.reached:
            raise Conflict(_l("These words would reach nobody."))
        known = _written_just_now(by)
        messages = [
            tell_note(_recipient(person), words, by)
            for person in found.reached
            if (_recipient(person), note_text(person.message_language, words)) not in known
        ]
        if messages:
            audit.note(
                "write_message",
                target.key,
                by,
                pupil_ids=found.pupil_ids,
                detail={"messages": len(messages), "first": messages[0].id},
            )
    return len(found.reached)


def _preview(people: Sequence[Household | Tutor], words: str) -> Preview:
    gateways = configured_gateways(current_app.config["N9RAW"])
    reached: list[Household | Tutor] = []
    stopped = called = without_way = parts = thousandths = 0
    for person in people:
        if person.messages_stopped_at is not None:
            stopped += 1
        elif isinstance(person, Household) and person.reach_by_call:
            called += 1
        elif (cost := _cost(person, words, gateways)) is None:
            without_way += 1
        else:
            reached.append(person)
            parts, thousandths = parts + cost[0], thousandths + cost[1]
    return Preview(reached, stopped, called, without_way, parts, thousandths)


def _cost(
    person: Household | Tutor, words: str, gateways: Sequence[Gateway]
) -> tuple[int, int] | None:
    """(parts, thousandths of a dirham) by their first way; None where there is none."""
    text = note_text(person.message_language, words)
    ways = ways_of(person, Message(kind=MessageKind.NOTE), gateways, text)
    if not ways:
        return None
    cost = ways[0].gateway.cost(text)
    return cost.parts, cost.thousandths


def _recipient(person: Household | Tutor) -> Recipient:
    return Recipient(person.__tablename__, person.id)


def _written_just_now(by: Coordinator) -> set[tuple[Recipient, str]]:
    """The same person's words of the last minutes, and to whom."""
    rows = db.session.execute(
        select(Message.household_id, Message.tutor_id, Message.text).where(
            Message.kind == MessageKind.NOTE,
            Message.by_id == by.id,
            Message.created_at > clock.now() - _SENT_JUST_NOW,
        )
    )
    return {
        (
            Recipient("household", row.household_id)
            if row.household_id is not None
            else Recipient("tutor", row.tutor_id),
            str(row.text),
        )
        for row in rows
    }


def _people(target: Target, *, lock: bool = False) -> list[Household | Tutor]:
    """Who is written to: the families first, each once."""
    families: list[Household] = []
    if target.kind != "tutor":
        query = _FAMILIES[target.kind](target.id).order_by(Household.id).options(*_WITH_WAYS)
        if lock:
            query = query.with_for_update(of=Household)
        families = list(db.session.scalars(query))
    tutors: list[Tutor] = []
    if target.kind == "tutor" or target.with_tutor:
        teaches = select(Group.tutor_id).where(Group.id == target.id)
        of_target = Tutor.id.in_(teaches) if target.kind == "group" else Tutor.id == target.id
        wanted = select(Tutor).where(of_target).options(lazyload("*"), selectinload(Tutor.channels))
        tutors = list(db.session.scalars(wanted.with_for_update() if lock else wanted))
    return [*families, *tutors]


_WITH_WAYS: Final = (
    lazyload("*"),
    joinedload(Household.guardian),
    selectinload(Household.channels),
    selectinload(Household.ways),
    selectinload(Household.pupils).lazyload("*"),
)


def _of_group(group_id: int) -> Select[Household]:
    seated = (
        select(Pupil.household_id)
        .join(Pupil.requests)
        .join(Membership, Membership.request_id == TutoringRequest.id)
        .join(Membership.group)
        .where(
            Group.id == group_id,
            Group.state.in_(LIVE_GROUPS),
            Membership.active_since.is_not(None),
            Membership.ended_at.is_(None),
        )
    )
    return select(Household).where(Household.id.in_(seated))


def _of_household(household_id: int) -> Select[Household]:
    return select(Household).where(Household.id == household_id)


def _of_zone(zone_id: int) -> Select[Household]:
    return select(Household).where(Household.zone_id == zone_id)


_FAMILIES: Final = {"household": _of_household, "group": _of_group, "zone": _of_zone}
