"""What keeps a list of groups or lessons to the zones of who reads it, and to what it shows."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute, lazyload

from app.models import Household
from app.services.scope import Scope, seated

WITHOUT_HOURS: Final = (
    lazyload(Household.windows),
    lazyload(Household.channels),
    lazyload(Household.languages),
)
"""For lists that name families and say no more of them."""


def groups_within(scope: Scope, group_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """The condition that a column of groups' ids names one with a pupil of the zones."""
    return true() if scope.zone_ids is None else group_id.in_(seated(scope.zone_ids))
