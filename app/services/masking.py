"""What a coordinator reads in place of a child of a zone that is not theirs."""

from __future__ import annotations

from flask_babel.speaklater import LazyString

from app.i18n import _l
from app.models import Group, Pupil
from app.services.scope import Scope


def is_shown(pupil: Pupil, scope: Scope) -> bool:
    """Whether the pupil's household lies in the zones of who reads."""
    return scope.includes(pupil.household.zone_id)


def is_whole(group: Group, scope: Scope) -> bool:
    """Whether all who ever sat in a group are of those zones: only then may they change it."""
    return all(is_shown(seat.request.pupil, scope) for seat in group.memberships)


def shown_name(pupil: Pupil, scope: Scope) -> str | LazyString:
    """The pupil's whole name, or only that it is somebody of another zone."""
    return pupil.name if is_shown(pupil, scope) else _l("pupil of another zone")


def shown_first_name(pupil: Pupil, scope: Scope) -> str | LazyString:
    """As `shown_name`, with the first name alone."""
    return pupil.first_name if is_shown(pupil, scope) else _l("pupil of another zone")
