"""Families added and edited by hand, by the same rules as imported lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Channel,
    Coordinator,
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Language,
    Window,
    Zone,
)
from app.services import audit, family_links
from app.services.entered import entered_email, entered_guardian, entered_phone
from app.services.errors import Conflict, Invalid, NotFound
from app.services.scope import Scope
from app.services.stopping import start_messages, stop_messages
from scheduler import clock

MESSAGE_LANGUAGES: Final = ("ar", "fr", "ary")
"""What messages to families are written in: Arabic, French, Darija in Latin letters."""


@dataclass(frozen=True, slots=True)
class FamilyDetails:
    """What a coordinator says of a family, as it was typed and chosen."""

    guardian: str
    phone: str
    email: str
    zone_id: int
    languages: frozenset[str]
    channels: frozenset[str]
    message_language: str
    reach_by_call: bool
    windows: tuple[Window, ...] | None
    """None where times are to be agreed."""


class PhoneTaken(Conflict):
    """The telephone is another family's; `household` is None where that lies in another zone."""

    def __init__(self, household: Household | None) -> None:
        super().__init__(
            _l("This number is known in another zone. Ask a coordinator of all zones.")
            if household is None
            else _l("This number belongs to a family that is known already.")
        )
        self.household = household


def add_household(details: FamilyDetails, by: Coordinator, scope: Scope) -> Household:
    """Add a family, yet without children. PhoneTaken where its number is known."""
    with _saving():
        household = Household(created_at=clock.now(), guardian=Guardian(name=""))
        _apply(household, details, scope)
        db.session.add(household)
        db.session.flush()
        audit.note("add_family", _subject(household), by)
    return household


def change_household(
    household_id: int, details: FamilyDetails, by: Coordinator, scope: Scope
) -> frozenset[str]:
    """Bring a family to these details; the names of what changed.

    A new telephone ends the family's link, which went to the old one.
    """
    with _saving():
        household = _lock(household_id)
        before = details_of(household)
        _apply(household, details, scope)
        db.session.flush()
        after = details_of(household)
        changed = frozenset(
            name
            for name in FamilyDetails.__dataclass_fields__
            if getattr(before, name) != getattr(after, name)
        )
        if "phone" in changed:
            family_links.revoke_links(household)
        if changed:
            _note("change_family", household, by, {"changed": sorted(changed)})
    return changed


def get_household(household_id: int) -> Household:
    """The family of that id; NotFound if there is none."""
    household = db.session.get(Household, household_id)
    if household is None:
        raise NotFound(_l("This family does not exist."))
    return household


def details_of(household: Household) -> FamilyDetails:
    """A family's details as they stand."""
    windows = tuple(sorted(window.as_window() for window in household.windows))
    return FamilyDetails(
        guardian=household.guardian.name,
        phone=household.phone,
        email=household.email or "",
        zone_id=household.zone_id,
        languages=frozenset(row.language for row in household.languages),
        channels=frozenset(row.channel for row in household.channels),
        message_language=household.message_language,
        reach_by_call=household.reach_by_call,
        windows=None if household.times_to_agree else windows,
    )


def set_messages(household_id: int, by: Coordinator, *, wanted: bool) -> Household:
    """Stop the messages to a family that told a coordinator so, or send them again."""
    with transaction():
        household = _lock(household_id)
        start_messages(household, by) if wanted else stop_messages(household, by)
    return household


def zones_to_choose(scope: Scope, also: Iterable[int] = ()) -> list[Zone]:
    """The listed zones of a scope, and those of `also`, in the order of their names."""
    zones = db.session.scalars(select(Zone).order_by(Zone.key))
    kept = set(also)
    return [zone for zone in zones if (zone.listed and scope.includes(zone.id)) or zone.id in kept]


def list_zone(zone_id: int, by: Coordinator) -> Zone:
    """Take a zone that a family named into the list of zones."""
    with transaction():
        zone = db.session.get(Zone, zone_id, with_for_update=True)
        if zone is None:
            raise NotFound(_l("This zone does not exist."))
        if not zone.listed:
            zone.listed = True
            audit.note("list_zone", f"zone:{zone.id}", by)
    return zone


@contextmanager
def _saving() -> Iterator[None]:
    """A transaction that may give a telephone to a family."""
    try:
        with transaction():
            yield
    except IntegrityError:
        # Another coordinator was faster, between our look and our write.
        raise Conflict(_l("This number was given to another family just now.")) from None


def _apply(household: Household, details: FamilyDetails, scope: Scope) -> None:
    phone = entered_phone(details.phone)
    _refuse_known_phone(household, phone, scope)
    zone_id = _checked_zone(household, details.zone_id, scope)
    spoken = {row.language for row in household.languages}
    languages = _checked_codes(db.session.scalars(select(Language)), details.languages, spoken)
    used = {row.channel for row in household.channels}
    channels = _checked_codes(db.session.scalars(select(Channel)), details.channels, used)
    if details.message_language not in MESSAGE_LANGUAGES:
        raise Invalid(_l("Choose the language of the messages."))
    household.guardian.name = entered_guardian(details.guardian)
    household.phone = phone
    household.email = entered_email(details.email)
    household.zone_id = zone_id
    household.message_language = details.message_language
    household.reach_by_call = details.reach_by_call
    if languages != spoken:
        household.languages = [HouseholdLanguage(language=code) for code in sorted(languages)]
    if channels != used:
        household.channels = [HouseholdChannel(channel=code) for code in sorted(channels)]
    _set_windows(household, details.windows)


def _refuse_known_phone(household: Household, phone: str, scope: Scope) -> None:
    with db.session.no_autoflush:
        other = db.session.scalar(select(Household).where(Household.phone == phone))
    if other is not None and other is not household:
        raise PhoneTaken(other if scope.includes(other.zone_id) else None)


def _checked_zone(household: Household, zone_id: int, scope: Scope) -> int:
    zone = db.session.get(Zone, zone_id)
    may_choose = zone is not None and zone.listed and scope.includes(zone.id)
    if not may_choose and (zone is None or zone.id != household.zone_id):
        raise Invalid(_l("Choose one of the zones."))
    return zone_id


def _checked_codes(
    rows: Iterable[Channel | Language], codes: frozenset[str], held: set[str]
) -> frozenset[str]:
    """The chosen codes; Invalid where there is none, or one that can't be chosen."""
    offered = {row.code for row in rows if may_be_chosen(row)}
    if not codes or not codes <= offered | held:
        raise Invalid(_l("Choose at least one language, and one way to hold lessons."))
    return codes


def may_be_chosen(row: Channel | Language) -> bool:
    """Whether a family may choose it: it is not retired, and no variant of the program's own."""
    return not row.retired and getattr(row, "variant_of", None) is None


def _set_windows(household: Household, windows: tuple[Window, ...] | None) -> None:
    household.times_to_agree = windows is None
    if sorted(windows or ()) != sorted(row.as_window() for row in household.windows):
        household.windows = [
            HouseholdWindow(day=day, start_minute=start, end_minute=end)
            for day, start, end in windows or ()
        ]


def _lock(household_id: int) -> Household:
    household = db.session.get(Household, household_id, with_for_update=True)
    if household is None:
        raise NotFound(_l("This family does not exist."))
    return household


def _note(action: str, household: Household, by: Coordinator, detail: dict[str, Any]) -> None:
    pupil_ids = [pupil.id for pupil in household.pupils]
    audit.note(action, _subject(household), by, pupil_ids=pupil_ids, detail=detail)


def _subject(household: Household) -> str:
    return f"household:{household.id}"
