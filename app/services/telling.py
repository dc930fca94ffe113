"""Families hear that a volunteer's lessons have ended: by one message each, or by a call.

Each function is part of the caller's transaction, which has locked the households.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from app.extensions import db
from app.models import CallRequest, Group, Household, Message, MessageKind, Pupil, Tutor
from app.services.message_texts import lessons_end_text
from scheduler import clock

_HOLDS: Final = timedelta(days=3)
"""How long such a message is tried; after that a coordinator has called."""


def taught_pupils(groups: Iterable[Group]) -> list[Pupil]:
    """The pupils whose lessons in these groups have begun; their families know of them."""
    pupils = {
        member.request.pupil
        for group in groups
        for member in group.members
        if member.active_since is not None
    }
    return sorted(pupils, key=lambda pupil: pupil.id)


def tell_lessons_end(pupils: Iterable[Pupil], tutor: Tutor) -> None:
    """Plan one message to each of the pupils' families that a tutor's lessons have ended.

    It names all of a family's children. Who can't read it, or wants no messages, is to be called.
    """
    families: dict[Household, list[str]] = {}
    for pupil in pupils:
        families.setdefault(pupil.household, []).append(pupil.first_name)
    now = clock.now()
    to_call = []
    for household, names in families.items():
        if household.reach_by_call or household.messages_stopped_at is not None:
            to_call.append(household.id)
            continue
        language = household.message_language
        db.session.add(
            Message(
                household_id=household.id,
                kind=MessageKind.LESSONS_END,
                due_at=now,
                next_try_at=now,
                expires_at=now + _HOLDS,
                language=language,
                text=lessons_end_text(language, names, tutor.first_name),
                created_at=now,
            )
        )
    put_among_calls(to_call)


def ask_for_calls(pupils: Iterable[Pupil]) -> None:
    """Put these pupils' families among those whom a coordinator is to call."""
    put_among_calls({pupil.household_id for pupil in pupils})


def put_among_calls(household_ids: Iterable[int]) -> None:
    """Put families among those whom a coordinator is to call, where they are not yet."""
    ids = sorted(household_ids)
    waiting = set(
        db.session.scalars(
            select(CallRequest.household_id).where(
                CallRequest.household_id.in_(ids), CallRequest.called_at.is_(None)
            )
        )
    )
    now = clock.now()
    db.session.add_all(
        CallRequest(household_id=number, asked_at=now) for number in ids if number not in waiting
    )
