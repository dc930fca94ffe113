"""What is read along with rows in one go, for several places that show or tell the same of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.models import Group, Household, Membership, Pupil, TutoringRequest

GROUP_IN_TEXTS: Final = (
    joinedload(Group.tutor).lazyload("*"),
    joinedload(Group.subject),
    joinedload(Group.level),
    selectinload(Group.memberships)
    .joinedload(Membership.request)
    .joinedload(TutoringRequest.pupil)
    .selectinload(Pupil.consents),
)
"""A group as messages speak of it, and whether its lessons are agreed to."""

GROUP_WITH_FAMILIES: Final = (
    joinedload(Group.subject),
    joinedload(Group.level),
    selectinload(Group.memberships)
    .joinedload(Membership.request)
    .joinedload(TutoringRequest.pupil)
    .joinedload(Pupil.household)
    .options(joinedload(Household.zone), joinedload(Household.guardian)),
)
"""A group with all that its volunteer sees of the families."""

GROUP_AT_THE_DESK: Final = (
    joinedload(Group.tutor).options(lazyload("*")),
    joinedload(Group.subject),
    joinedload(Group.level),
    selectinload(Group.memberships)
    .joinedload(Membership.request)
    .joinedload(TutoringRequest.pupil)
    .joinedload(Pupil.household)
    .options(lazyload("*")),
)
"""A group by its names, for coordinators."""

FAMILY_BY_NAME: Final = (
    lazyload("*"),
    joinedload(Household.zone),
    joinedload(Household.guardian),
    selectinload(Household.pupils).lazyload("*"),
)
"""A family by its names, without its hours and what was said of its children."""
