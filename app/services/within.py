"""Conditions that keep a list of groups or lessons to the zones of who reads it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from app.services.scope import Scope, seated


def groups_within(scope: Scope, group_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """The condition that a column of groups' ids names one with a pupil of the zones."""
    return true() if scope.zone_ids is None else group_id.in_(seated(scope.zone_ids))
