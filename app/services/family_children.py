"""The children on a family's page: what is asked for them, and what the guardian agrees to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    ConsentKind,
    ConsentMeans,
    Group,
    GroupState,
    Household,
    Membership,
    Pupil,
    RequestOrigin,
    RequestState,
    Subject,
    TutoringRequest,
)
from app.services import audit
from app.services.asking import (
    Agreed,
    AskedChild,
    offered_subjects,
    put_child,
    put_subjects,
    state_consent,
)
from app.services.consent import in_force, record_statement
from app.services.errors import Invalid, NotFound
from app.services.family_changes import lock_family
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME, leave_without_right
from app.services.reminders import Recipient
from scheduler import clock

FAMILY_STOPPED: Final = "the family wants no more lessons of it"
"""The reason stored with such a request; pages put it in the reader's words."""


@dataclass(frozen=True, slots=True)
class FamilyChild:
    """A child of the family, and what is asked for it."""

    pupil: Pupil
    requests: list[TutoringRequest]
    """Those that have not ended."""
    consented: bool
    """Whether the guardian wants lessons for the child."""


def children(household: Household) -> list[FamilyChild]:
    """The family's children with what is asked for them."""
    pupils = db.session.scalars(
        select(Pupil)
        .where(Pupil.household_id == household.id)
        .order_by(Pupil.id)
        .options(
            joinedload(Pupil.level),
            selectinload(Pupil.consents),
            selectinload(Pupil.requests).joinedload(TutoringRequest.subject),
        )
    )
    return [
        FamilyChild(
            pupil=pupil,
            requests=[one for one in pupil.requests if one.state is not RequestState.ENDED],
            consented=in_force(pupil, ConsentKind.LESSONS),
        )
        for pupil in pupils
    ]


def child_of(household: Household, pupil_id: int) -> FamilyChild:
    """One of the family's children; NotFound for every other child."""
    for child in children(household):
        if child.pupil.id == pupil_id:
            return child
    raise NotFound(_l("This child does not exist."))


def subjects_to_ask(child: FamilyChild) -> list[Subject]:
    """The subjects that are offered and not asked for yet."""
    asked = {request.subject_id for request in child.requests}
    return [subject for subject in offered_subjects() if subject.id not in asked]


def seats_of(pupil_id: int) -> Sequence[Membership]:
    """The places that a child has by now."""
    return db.session.scalars(
        select(Membership)
        .join(Membership.group)
        .join(Membership.request)
        .where(
            TutoringRequest.pupil_id == pupil_id,
            Group.state == GroupState.ACTIVE,
            Membership.active_since.is_not(None),
            Membership.ended_at.is_(None),
        )
        .order_by(Membership.id)
        .options(
            contains_eager(Membership.group).options(
                joinedload(Group.tutor), joinedload(Group.subject)
            )
        )
    ).all()


def shares_number_by_a_child(household: Household) -> bool:
    """Whether a child has a yes to groups, which a no for another child would undo."""
    return any(
        in_force(child.pupil, ConsentKind.GROUP_LESSONS)
        for child in children(household)
        if child.consented
    )


def ask_for_child(household_id: int, child: AskedChild, agreed: Agreed) -> Pupil:
    """Add a child, or subjects to one of the same name; a coordinator confirms it."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        household = lock_family(household_id)
        pupil = put_child(household, child, RequestOrigin.FAMILY)
        _agree(household, pupil, agreed)
        _note("ask_for_child", pupil)
    return pupil


def ask_for_subjects(
    household_id: int, pupil_id: int, subject_ids: Iterable[int], agreed: Agreed | None
) -> Pupil:
    """Ask for more subjects for a child; a coordinator confirms them.

    `agreed` is what the guardian answers where no consent to the child's lessons is in force.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        household = lock_family(household_id)
        child = child_of(household, pupil_id)
        asked = {subject.id for subject in subjects_to_ask(child)} & set(subject_ids)
        if not asked and (child.consented or not child.requests):
            raise Invalid(_l("Choose at least one subject."))
        put_subjects(child.pupil, sorted(asked), RequestOrigin.FAMILY)
        if not child.consented:
            _agree(household, child.pupil, agreed)
        _note("ask_for_subjects", child.pupil)
    return child.pupil


def stop_lessons(household_id: int, pupil_id: int) -> Pupil:
    """End a child's lessons: the guardian takes the consent back, and its places end."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        household = lock_family(household_id)
        child = child_of(household, pupil_id)
        if child.consented:
            record_statement(
                child.pupil,
                ConsentKind.LESSONS,
                ConsentMeans.ON_FAMILY_PAGE,
                given=False,
                said_by=household.guardian.name,
            )
            leave_without_right([pupil_id], but={Recipient("household", household_id)})
            _note("stop_lessons", child.pupil)
    return child.pupil


def asked_subject(household: Household, request_id: int) -> TutoringRequest:
    """One of the subjects that are asked for and have not ended; NotFound for any other."""
    for child in children(household):
        for request in child.requests:
            if request.id == request_id:
                return request
    raise NotFound(_l("This request does not exist."))


def stop_subject(household_id: int, request_id: int) -> TutoringRequest:
    """End one subject's lessons, and the search for them; the guardian's consent stays."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        household = lock_family(household_id)
        request = asked_subject(household, request_id)
        request.state = RequestState.ENDED
        request.ended_at = clock.now()
        request.end_reason = FAMILY_STOPPED
        db.session.flush()
        leave_without_right([request.pupil_id], but={Recipient("household", household_id)})
        _note("stop_subject", request.pupil)
    return request


def _agree(household: Household, pupil: Pupil, agreed: Agreed | None) -> None:
    if agreed is None or not agreed.lessons:
        raise Invalid(_l("Without a yes to the first question there can be no lessons."))
    means, guardian = ConsentMeans.ON_FAMILY_PAGE, household.guardian.name
    state_consent([pupil], agreed, means, said_by=guardian)


def _note(action: str, pupil: Pupil) -> None:
    audit.note(
        action,
        f"household:{pupil.household_id}",
        None,
        pupil_ids=[pupil.id],
        detail={"household": pupil.household_id},
    )
