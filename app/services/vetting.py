"""Vetting: a named coordinator answers for a volunteer. Only the vetted are matched, and teach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from flask import current_app
from flask_babel.speaklater import LazyString
from sqlalchemy import select
from sqlalchemy.orm import lazyload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import LIVE_GROUPS, Coordinator, Group, Tutor, TutorState
from app.services import audit
from app.services.departures import preview_departure
from app.services.ending import VETTING_OVER, end_groups
from app.services.errors import Conflict, Invalid, NotFound
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME, note_end
from app.services.substitution import hand_back_lessons, lock_for_departure
from app.services.vetting_term import (
    NOTICE,
    clear_vetting,
    expires_on,
    is_vetted,
    today,
    years_after,
)
from scheduler import clock

__all__ = [
    "CHARTER_BY_COORDINATOR",
    "VettingChecks",
    "end_expired_vettings",
    "ending_vettings",
    "expires_on",
    "is_vetted",
    "vet_tutor",
    "withdraw_vetting",
]

CHARTER_BY_COORDINATOR: Final = "on record"
"""The version of a charter of which a coordinator recorded that it was accepted."""
_TO_VET: Final = (TutorState.REGISTERED, TutorState.VETTED)
_WHILE_VETTED: Final = (TutorState.VETTED, TutorState.PAUSED)


@dataclass(frozen=True, slots=True)
class VettingChecks:
    """What was seen of a volunteer, and on which day; a certificate itself is never kept.

    `charter_accepted_on` is for those who did not accept the charter on a page themselves.
    """

    identity_seen_on: date | None
    interviewed_on: date | None
    certificate_seen_on: date | None
    charter_accepted_on: date | None = None


def vet_tutor(tutor_id: int, by: Coordinator, checks: VettingChecks) -> Tutor:
    """Make a registered tutor vetted in the name of `by`, or a vetted one for three more years.

    Invalid where one of the four checks lacks or has a day that can't be.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        tutor = _locked(tutor_id)
        if tutor.state not in _TO_VET:
            raise Conflict(
                _l("Only a volunteer who waits for vetting, or is vetted, can be vetted.")
            )
        _check(tutor, checks)
        renewed = is_vetted(tutor)
        tutor.state = TutorState.VETTED
        tutor.vetted_at = clock.now()
        tutor.vetted_by_id = by.id
        tutor.identity_seen_on = checks.identity_seen_on
        tutor.interviewed_on = checks.interviewed_on
        tutor.certificate_seen_on = checks.certificate_seen_on
        if tutor.charter_accepted_at is None and checks.charter_accepted_on is not None:
            tutor.charter_accepted_at = _noon(checks.charter_accepted_on)
            tutor.charter_version = CHARTER_BY_COORDINATOR
        audit.note(
            "renew_vetting" if renewed else "vet",
            f"tutor:{tutor.id}",
            by,
            detail={
                "identity": str(checks.identity_seen_on),
                "interview": str(checks.interviewed_on),
                "certificate": str(checks.certificate_seen_on),
            },
        )
    return tutor


def withdraw_vetting(tutor_id: int, by: Coordinator) -> Tutor:
    """Take a vetting back: the tutor waits again and is left out of later runs."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lock_for_departure(tutor_id, [])
        tutor = _locked(tutor_id)
        if tutor.state is not TutorState.VETTED:
            raise Conflict(_l("Only a vetted volunteer's vetting can be taken back."))
        if db.session.scalar(
            select(Group.id).where(Group.tutor_id == tutor.id, Group.state.in_(LIVE_GROUPS))
        ):
            raise Conflict(_l("This volunteer has groups, or offers of groups, to be ended first."))
        tutor.state = TutorState.REGISTERED
        clear_vetting(tutor)
        hand_back_lessons(tutor)
        audit.note("withdraw_vetting", f"tutor:{tutor.id}", by)
    return tutor


def ending_vettings() -> list[Tutor]:
    """The tutors whose vetting ends within the time of notice, or has ended; soonest first."""
    last = today() + NOTICE
    vetted = (
        select(Tutor)
        .where(Tutor.state.in_(_WHILE_VETTED), Tutor.vetted_at.is_not(None))
        .options(lazyload("*"))
    )
    ending = [
        (expiry, tutor.id, tutor)
        for tutor in db.session.scalars(vetted)
        if (expiry := expires_on(tutor)) is not None and expiry <= last
    ]
    return [tutor for _expiry, _id, tutor in sorted(ending, key=lambda entry: entry[:2])]


def end_expired_vettings() -> int:
    """End the vettings that hold no more, and what rests on them; how many.

    Groups end as they do when a volunteer pauses, and their families are told.
    """
    over = [tutor.id for tutor in ending_vettings() if _is_over(tutor)]
    for tutor_id in over:
        with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
            _end_expired(tutor_id)
    return len(over)


def _end_expired(tutor_id: int) -> None:
    # Whoever vets waits until this is over: what is read here stays true. The row itself is locked
    # last, as by everybody who changes groups.
    if not _is_over(db.session.get_one(Tutor, tutor_id, populate_existing=True)):
        return
    departure = preview_departure(tutor_id)
    lock_for_departure(tutor_id, departure.groups)
    pupil_ids = departure.pupil_ids
    seats = [group.members for group in departure.groups]
    end_groups(departure.groups, VETTING_OVER)
    for group, members in zip(departure.groups, seats, strict=True):
        note_end(group, None, members, VETTING_OVER)
    tutor = _locked(tutor_id)
    if tutor.state is TutorState.VETTED:
        tutor.state = TutorState.REGISTERED
    clear_vetting(tutor)
    hand_back_lessons(tutor)
    audit.note("vetting_over", f"tutor:{tutor.id}", None, pupil_ids=pupil_ids)


def _is_over(tutor: Tutor) -> bool:
    expiry = expires_on(tutor)
    return tutor.state in _WHILE_VETTED and expiry is not None and expiry <= today()


def _check(tutor: Tutor, checks: VettingChecks) -> None:
    """Refuse what lacks, and days that can't be: to come, or too long ago to count."""
    needed: list[tuple[date | None, LazyString]] = [
        (checks.identity_seen_on, _l("Say when the volunteer's identity was seen.")),
        (checks.interviewed_on, _l("Say when the interview was held.")),
        (checks.certificate_seen_on, _l("Say when the certificate of good conduct was seen.")),
    ]
    if tutor.charter_accepted_at is None:
        needed.append(
            (checks.charter_accepted_on, _l("Say when the volunteer accepted the charter."))
        )
    for day, what_lacks in needed:
        if day is None:
            raise Invalid(what_lacks)
        if day > today():
            raise Invalid(_l("A check can't be on a day to come."))
        if years_after(day) <= today():
            raise Invalid(_l("A check of more than three years ago counts no more: do it again."))


def _noon(day: date) -> datetime:
    return clock.to_utc(datetime.combine(day, time(12)), current_app.config["N9RAW"].civil_zone)


def _locked(tutor_id: int) -> Tutor:
    tutor = db.session.get(Tutor, tutor_id, with_for_update=True, populate_existing=True)
    if tutor is None:
        raise NotFound(_l("This volunteer does not exist."))
    return tutor
