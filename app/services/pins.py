"""Places that coordinators want kept: which of them a run can be given, and why not the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.extensions import db
from app.models import Channel, ConsentKind, Household, Pin, Pupil, RequestState
from app.models import TutoringRequest as Request
from app.services.consent import in_force, shares_number
from app.services.vetting_term import is_vetted

_MARK: Final = "K"
"""Begins the names of groups that pins ask for; those of groups in force begin with G."""


class Unused(StrEnum):
    """Why a pin is not given to a run as things stand."""

    SEATED = "seated"
    REQUEST = "request"
    CONSENT = "consent"
    GROUP_CONSENT = "group_consent"
    TUTOR = "tutor"
    LESSONS = "lessons"


def list_pins() -> list[Pin]:
    """All pins in the order in which they were set, with the families that they are about."""
    return list(
        db.session.scalars(
            select(Pin)
            .order_by(Pin.id)
            .options(
                joinedload(Pin.tutor).options(lazyload("*")),
                joinedload(Pin.by),
                joinedload(Pin.request).options(
                    joinedload(Request.subject),
                    joinedload(Request.level),
                    joinedload(Request.pupil).options(
                        selectinload(Pupil.consents),
                        joinedload(Pupil.household).options(
                            lazyload("*"),
                            joinedload(Household.zone),
                            selectinload(Household.pupils).selectinload(Pupil.consents),
                        ),
                    ),
                ),
            )
        )
    )


def why_unused(pin: Pin, seated: Collection[int], channels: dict[str, Channel]) -> Unused | None:
    """Why a run is not given this pin; None where it is.

    `seated` are the ids of the requests that sit in a group in force. A pin exempts from channels,
    so that one in a group must not come before the guardian's consent to groups.
    """
    request = pin.request
    if request.id in seated:
        return Unused.SEATED
    if request.state is not RequestState.WAITING:
        return Unused.REQUEST
    if not in_force(request.pupil, ConsentKind.LESSONS):
        return Unused.CONSENT
    if not is_vetted(pin.tutor):
        return Unused.TUTOR
    if pin.starts is not None and len(pin.starts) != request.lessons_per_week:
        return Unused.LESSONS
    shared = pin.channel is not None and channels[pin.channel].max_group > 1
    if shared and not shares_number(request.pupil.household):
        return Unused.GROUP_CONSENT
    return None


def as_row(pin: Pin) -> dict[str, Any]:
    """The pin as a problem has it."""
    row: dict[str, Any] = {"request": f"R{pin.request_id}", "tutor": f"T{pin.tutor_id}"}
    named = {
        "channel": pin.channel,
        "language": pin.language,
        "group": pin.label and f"{_MARK}{pin.label}",
        "starts": pin.starts,
    }
    return row | {key: value for key, value in named.items() if value}


def is_in_force(row: dict[str, Any]) -> bool:
    """Whether a pin of a problem is a seat in a group in force, not a place that is wished for."""
    return str(row.get("group", "")).startswith("G")


def pins_in_force(problem: dict[str, Any]) -> list[dict[str, Any]]:
    """The pins of a problem that are seats in groups in force."""
    return [row for row in problem["pins"] if is_in_force(row)]


def wished_pins(problem: dict[str, Any]) -> list[dict[str, Any]]:
    """The pins of a problem that coordinators set."""
    return [row for row in problem["pins"] if not is_in_force(row)]


def drop_pins(request_ids: Iterable[int], tutor_id: int | None = None) -> None:
    """Delete the pins of these requests, or only those with this tutor: what they asked for has
    come, or was refused. Part of the caller's transaction.
    """
    statement = delete(Pin).where(Pin.request_id.in_(list(request_ids)))
    if tutor_id is not None:
        statement = statement.where(Pin.tutor_id == tutor_id)
    db.session.execute(statement)
