"""How fast a gateway may be handed texts, by all workers together: each text takes a slot."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Insert, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from app.extensions import db
from app.gateways import Gateway
from app.models import GatewayPace
from scheduler import clock

AHEAD: Final = timedelta(seconds=1)
"""How far ahead slots are given: what has one is on record as being handed over, and waits."""
_LONGEST_REST: Final = timedelta(minutes=10)
"""What lies further ahead was written by a clock that has been set back since."""


def full(now: datetime) -> Select[str]:
    """The gateways that have no slot for the moment."""
    return select(GatewayPace.gateway).where(
        GatewayPace.free_at >= now + AHEAD, GatewayPace.free_at <= now + _LONGEST_REST
    )


def take_slots(gateway: Gateway, wanted: int) -> list[datetime]:
    """When the next texts may leave, at most so many and all within AHEAD; part of a transaction.

    The gateway's row stays locked to its end, so nobody else is given the same.
    """
    now = clock.now()
    row = _locked(gateway.name, now, make=gateway.per_second is not None)
    free_at = now if row is None or row.free_at > now + _LONGEST_REST else max(row.free_at, now)
    if row is None or gateway.per_second is None:
        return [now] * wanted if free_at < now + AHEAD else []
    slots: list[datetime] = []
    while len(slots) < wanted and free_at < now + AHEAD:
        slots.append(free_at)
        free_at += timedelta(seconds=1 / gateway.per_second)
    row.free_at = free_at
    return slots


def rest(gateway_name: str, seconds: float) -> None:
    """Hand a gateway nothing for so long, since it asked for that; part of a transaction."""
    now = clock.now()
    row = _locked(gateway_name, now, make=True)
    assert row is not None
    until = now + min(timedelta(seconds=seconds), _LONGEST_REST)
    row.free_at = max(row.free_at, until) if row.free_at <= now + _LONGEST_REST else until


def _locked(gateway_name: str, now: datetime, *, make: bool) -> GatewayPace | None:
    row = db.session.get(GatewayPace, gateway_name, with_for_update=True)
    if row is None and make:
        db.session.execute(_insert(gateway_name, now))
        row = db.session.get(GatewayPace, gateway_name, with_for_update=True)
    return row


def _insert(gateway_name: str, now: datetime) -> Insert:
    """Make the row, if nobody else does so in the same moment."""
    dialect = db.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(GatewayPace).values(gateway=gateway_name, free_at=now).on_conflict_do_nothing()
