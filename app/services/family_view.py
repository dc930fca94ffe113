"""All that coordinators see of one family, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    AuditEntry,
    CallRequest,
    Consent,
    Group,
    Household,
    Membership,
    Note,
    Pupil,
    Question,
    Tag,
    TutoringRequest,
    Worry,
)
from app.services.errors import NotFound
from app.services.family import FamilyLesson, coming_lessons
from app.services.family_links import linked_households
from app.services.new_times import open_proposals
from app.services.paging import Page, page_of

ACTS_PER_PAGE: Final = 20
LESSONS_SHOWN: Final = 12
NEWEST_SHOWN: Final = 10
_ACTS_ON_GROUPS: Final = ("accept_group", "decline_group", "end_group", "end_seats")


@dataclass(frozen=True, slots=True)
class FamilyView:
    """A family with what surrounds it."""

    household: Household
    seats: dict[int, Membership]
    """The seat in a group that is offered or active, by request."""
    lessons: list[FamilyLesson]
    notes: list[Note]
    calls: list[CallRequest]
    worries: list[Worry]
    proposals: Sequence[Question]
    """The questions about another time of a lesson that it can still answer."""
    has_link: bool
    tags: dict[str, Tag]

    @property
    def pupil_ids(self) -> list[int]:
        return [pupil.id for pupil in self.household.pupils]


def read_family(household_id: int) -> FamilyView:
    """A family with all that a coordinator needs to know of it; NotFound if there is none."""
    household = db.session.scalar(
        select(Household)
        .where(Household.id == household_id)
        .options(
            joinedload(Household.zone),
            joinedload(Household.guardian),
            selectinload(Household.pupils).options(
                joinedload(Pupil.level),
                selectinload(Pupil.needs),
                selectinload(Pupil.consents).joinedload(Consent.declared_by),
                selectinload(Pupil.requests).options(
                    joinedload(TutoringRequest.subject),
                    joinedload(TutoringRequest.level),
                    joinedload(TutoringRequest.confirmed_by),
                ),
            ),
        )
    )
    if household is None:
        raise NotFound(_l("This family does not exist."))
    return FamilyView(
        household=household,
        seats=_seats(household),
        lessons=coming_lessons(household)[:LESSONS_SHOWN],
        notes=_notes(household),
        calls=_calls(household),
        worries=_worries(household),
        proposals=open_proposals(household.id),
        has_link=bool(linked_households([household.id])),
        tags={tag.code: tag for tag in db.session.scalars(select(Tag))},
    )


def _seats(household: Household) -> dict[int, Membership]:
    rows = db.session.scalars(
        select(Membership)
        .join(Membership.group)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(
            Pupil.household_id == household.id,
            Membership.ended_at.is_(None),
            Group.state.in_(LIVE_GROUPS),
        )
        .order_by(Membership.id)
        .options(joinedload(Membership.group).joinedload(Group.tutor))
    )
    return {row.request_id: row for row in rows}


def _notes(household: Household) -> list[Note]:
    notes = select(Note).where(Note.household_id == household.id).order_by(Note.id.desc())
    return list(db.session.scalars(notes.options(joinedload(Note.by))))


def _calls(household: Household) -> list[CallRequest]:
    return list(
        db.session.scalars(
            select(CallRequest)
            .where(CallRequest.household_id == household.id)
            .order_by(CallRequest.id.desc())
            .limit(NEWEST_SHOWN)
            .options(joinedload(CallRequest.called_by), joinedload(CallRequest.tutor).lazyload("*"))
        )
    )


def _worries(household: Household) -> list[Worry]:
    return list(
        db.session.scalars(
            select(Worry)
            .where(Worry.household_id == household.id)
            .order_by(Worry.id.desc())
            .limit(NEWEST_SHOWN)
            .options(joinedload(Worry.seen_by))
        )
    )


def family_history(view: FamilyView, page_number: int) -> tuple[list[AuditEntry], Page]:
    """One page of what was done to a family and to its children's groups, the newest first."""
    concerns = _concerns(view)
    total = db.session.scalar(select(func.count()).select_from(AuditEntry).where(concerns)) or 0
    page = page_of(total, page_number, ACTS_PER_PAGE)
    acts = db.session.scalars(
        select(AuditEntry)
        .where(concerns)
        .order_by(AuditEntry.id.desc())
        .limit(page.size)
        .offset(page.first)
        .options(joinedload(AuditEntry.coordinator))
    )
    return list(acts), page


def _concerns(view: FamilyView) -> ColumnElement[bool]:
    """Whether an act is one on the family, its worries, a list with a child of it, or its groups.

    Pages that were only looked at are left out.
    """
    own = [f"household:{view.household.id}"]
    own += [f"worry:{number}" for number in _all_worries(view)]
    children = set(view.pupil_ids)
    others = db.session.execute(
        select(AuditEntry.id, AuditEntry.pupil_ids).where(
            or_(
                AuditEntry.action == "import",
                AuditEntry.action.in_(_ACTS_ON_GROUPS)
                & AuditEntry.subject.in_([f"group:{number}" for number in _all_groups(view)]),
            )
        )
    )
    acts = [number for number, pupil_ids in others if not children.isdisjoint(pupil_ids)]
    return or_(AuditEntry.subject.in_(own) & (AuditEntry.action != "view"), AuditEntry.id.in_(acts))


def _all_worries(view: FamilyView) -> list[int]:
    worries = select(Worry.id).where(Worry.household_id == view.household.id)
    return list(db.session.scalars(worries))


def _all_groups(view: FamilyView) -> list[int]:
    return list(
        db.session.scalars(
            select(Membership.group_id)
            .join(Membership.request)
            .join(TutoringRequest.pupil)
            .where(Pupil.household_id == view.household.id)
            .distinct()
        )
    )
