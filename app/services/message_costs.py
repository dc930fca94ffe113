"""What messages cost: this month by gateway, and what the lessons that are planned will cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import current_app
from sqlalchemy import ColumnElement, Float, cast, func, select, true
from sqlalchemy.orm import lazyload, selectinload

from app.extensions import db
from app.gateways import Gateway
from app.gateways.configured import configured_gateways
from app.models import OPEN_MESSAGES, Household, Message, MessageKind, Tutor
from app.services.scope import Scope
from app.services.ways import ways_of
from scheduler import clock

AHEAD: Final = timedelta(days=30)
LOOKED_BACK: Final = timedelta(days=30)
REMINDERS: Final = (MessageKind.LESSON_24H, MessageKind.LESSON_2H)
_SAMPLES: Final = {
    "fr": "x" * 150,
    "ary": "x" * 150,
    "ar": "س" * 130,
}
"""What a reminder is taken to be as long as before any has left: one SMS, in Arabic two."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What left by a gateway."""

    gateway: str
    messages: int
    parts: int
    thousandths: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What was spent since the month began, and what is to be expected."""

    since: datetime
    spent: list[Spent]
    expected: list[Spent]
    """By the gateway of each recipient's first way."""
    unreached: int
    """Reminders that are planned to people whom no gateway reaches."""

    @property
    def spent_in_all(self) -> int:
        return sum(row.thousandths for row in self.spent)

    @property
    def expected_in_all(self) -> int:
        return sum(row.thousandths for row in self.expected)


def read_costs(scope: Scope) -> Costs:
    """The costs of the zones' families; volunteers' and all others' only where all are seen."""
    since = _month_began()
    expected, unreached = _expected(scope)
    return Costs(since, _spent(scope, since), expected, unreached)


def _month_began() -> datetime:
    zone = current_app.config["N9RAW"].civil_zone
    today = clock.to_wall(clock.now(), zone)
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    return clock.to_utc(first, zone)


def _spent(scope: Scope, since: datetime) -> list[Spent]:
    rows = db.session.execute(
        select(
            Message.gateway,
            func.count(),
            func.coalesce(func.sum(Message.parts), 0),
            func.coalesce(func.sum(Message.cost), 0),
        )
        .where(Message.handed_at >= since, Message.gateway.is_not(None), within(scope))
        .group_by(Message.gateway)
        .order_by(Message.gateway)
    )
    return [
        Spent(str(name), number, int(parts or 0), int(cost or 0))
        for name, number, parts, cost in rows
    ]


def _expected(scope: Scope) -> tuple[list[Spent], int]:
    """Each planned reminder at what reminders by that gateway in that language cost of late."""
    planned = db.session.execute(
        select(Message.household_id, Message.tutor_id, func.count())
        .where(
            Message.kind.in_(REMINDERS),
            Message.state.in_(OPEN_MESSAGES),
            Message.due_at <= clock.now() + AHEAD,
            within(scope),
        )
        .group_by(Message.household_id, Message.tutor_id)
    ).all()
    people = _people({row.household_id for row in planned}, {row.tutor_id for row in planned})
    gateways = configured_gateways(current_app.config["N9RAW"])
    usual = _usual()
    messages: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    thousandths: Counter[str] = Counter()
    unreached = 0
    for household_id, tutor_id, number in planned:
        person = people.get(("household", household_id or 0)) or people.get(
            ("tutor", tutor_id or 0)
        )
        gateway = None if person is None else _first_gateway(person, gateways)
        if person is None or gateway is None:
            unreached += number
            continue
        each = usual.get((gateway.name, person.message_language)) or _sampled(
            gateway, person.message_language
        )
        messages[gateway.name] += number
        parts[gateway.name] += round(number * each[0])
        thousandths[gateway.name] += round(number * each[1])
    rows = [
        Spent(name, messages[name], parts[name], thousandths[name]) for name in sorted(messages)
    ]
    return rows, unreached


def _people(
    household_ids: set[int | None], tutor_ids: set[int | None]
) -> dict[tuple[str, int], Household | Tutor]:
    households = db.session.scalars(
        select(Household)
        .where(Household.id.in_(household_ids - {None}))
        .options(lazyload("*"), selectinload(Household.channels), selectinload(Household.ways))
    )
    tutors = db.session.scalars(
        select(Tutor)
        .where(Tutor.id.in_(tutor_ids - {None}))
        .options(lazyload("*"), selectinload(Tutor.channels))
    )
    found: dict[tuple[str, int], Household | Tutor] = {
        ("household", household.id): household for household in households
    }
    return found | {("tutor", tutor.id): tutor for tutor in tutors}


def _first_gateway(person: Household | Tutor, gateways: Sequence[Gateway]) -> Gateway | None:
    if person.messages_stopped_at is not None:
        return None
    sample = _SAMPLES[person.message_language]
    ways = ways_of(person, Message(kind=MessageKind.LESSON_24H), gateways, sample)
    return ways[0].gateway if ways else None


def _usual() -> dict[tuple[str, str], tuple[float, float]]:
    """(parts, thousandths) of a reminder of late, by gateway and language."""
    rows = db.session.execute(
        select(
            Message.gateway,
            Message.language,
            cast(func.avg(Message.parts), Float),
            cast(func.avg(Message.cost), Float),
        )
        .where(
            Message.kind.in_(REMINDERS),
            Message.handed_at > clock.now() - LOOKED_BACK,
            Message.cost.is_not(None),
            Message.parts.is_not(None),
        )
        .group_by(Message.gateway, Message.language)
    )
    return {(str(row[0]), str(row[1])): (row[2], row[3]) for row in rows}


def _sampled(gateway: Gateway, language: str) -> tuple[float, float]:
    cost = gateway.cost(_SAMPLES[language])
    return float(cost.parts), float(cost.thousandths)


def within(scope: Scope) -> ColumnElement[bool]:
    """The messages that a coordinator of these zones may see: those to their families."""
    if scope.is_everywhere:
        return true()
    of_zones = select(Household.id).where(scope.limits(Household.zone_id))
    return Message.household_id.in_(of_zones)
