"""Coordinators' choices for the runs to come: places kept, and pairs that never meet.

A pin keeps a place: with this tutor, and with the times, channel and language that it names. A
veto keeps a tutor and a request apart. Both count from the next run on, until they are taken back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    DAYS,
    LIVE_GROUPS,
    Channel,
    Coordinator,
    Group,
    Household,
    Language,
    Membership,
    Pin,
    ProposedGroup,
    ProposedSeat,
    Pupil,
    Tutor,
    TutoringRequest,
    Veto,
)
from app.services import audit
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_reason
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.paging import Page, page_of
from app.services.pins import Unused, drop_pins, list_pins, why_unused
from app.services.programme import matching_rules
from scheduler import clock

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Whom with, when and how; None where a run may choose."""

    tutor_id: int
    starts: list[list[str]] | None = None
    channel: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class PinEntry:
    """A pin, and why no run is given it as things stand, if none is."""

    pin: Pin
    unused: Unused | None
    beside: int
    """How many others it is to stay together with."""


@dataclass(frozen=True, slots=True)
class Choices:
    """One page of the choices in force: the pins first, then the vetoes, the newest first."""

    pins: list[PinEntry]
    vetoes: list[Veto]
    page: Page

    @property
    def pupil_ids(self) -> set[int]:
        requests = [entry.pin.request for entry in self.pins]
        return {row.pupil_id for row in [*requests, *(veto.request for veto in self.vetoes)]}


def pin(
    request_ids: Sequence[int], place: Place, by: Coordinator | None, *, together: bool = False
) -> list[Pin]:
    """Keep a place for these requests; what was kept for them before is replaced.

    `together`: they are to sit in one group. Conflict where a request sits in a group, was ruled
    out for this tutor, or could not be given the place: without consent, or with nobody vetted.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        return set_pins(request_ids, place, by, together=together)


def set_pins(
    request_ids: Sequence[int], place: Place, by: Coordinator | None, *, together: bool = False
) -> list[Pin]:
    """As `pin`, in the caller's transaction, which holds the lock under which groups change."""
    drop_pins(request_ids)
    label = _new_label() if together and len(request_ids) > 1 else None
    tutor = _tutor(place.tutor_id)
    pins = [
        Pin(
            request=_request(request_id),
            tutor=tutor,
            channel=place.channel,
            language=place.language,
            starts=place.starts,
            label=label,
            by_id=None if by is None else by.id,
            created_at=clock.now(),
        )
        for request_id in request_ids
    ]
    in_groups, channels = seated(request_ids), _channels()
    check_place(place)
    for one in pins:
        refused = why_unused(one, in_groups, channels)
        if refused is not None:
            raise Conflict(REFUSALS[refused])
        if find_veto(one.request.id, tutor.id) is not None:
            raise Conflict(_l("This volunteer was ruled out for the pupil: take that back first."))
        db.session.add(one)
        _note("pin", one.request, by, tutor)
    db.session.flush()
    return pins


def pin_proposed(
    run_id: int, group_id: int, request_id: int | None, by: Coordinator | None
) -> list[Pin]:
    """Keep a proposed group as it is, or one seat of it; the requests that have no place yet."""
    proposed = get_proposed(run_id, group_id)
    members = [seat.request_id for seat in proposed.seats]
    if request_id is not None and request_id not in members:
        raise NotFound(_l("This pupil is not in the group."))
    in_groups = seated(members)
    waiting = [number for number in members if number not in in_groups]
    chosen = waiting if request_id is None else [request_id]
    if not chosen:
        raise Conflict(REFUSALS[Unused.SEATED])
    return pin(chosen, place_of(proposed), by, together=request_id is None)


def unpin(pin_id: int, by: Coordinator | None, *, together: bool = False) -> int:
    """Keep a place no longer, or with `together` none of those of its group; how many."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        one = db.session.get(Pin, pin_id)
        if one is None:
            raise NotFound(_l("This choice was taken back already."))
        same = [one]
        if together and one.label is not None:
            same = list(db.session.scalars(select(Pin).where(Pin.label == one.label)))
        for row in same:
            _note("unpin", row.request, by, row.tutor)
            db.session.delete(row)
    return len(same)


def rule_out(request_id: int, tutor_id: int, reason: str, by: Coordinator | None) -> Veto:
    """Keep a tutor and a request apart in all later runs; a pin of the two ends.

    Conflict while they sit in a group together: the pupil is taken out first.
    """
    reason = _reason(reason)
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        request, tutor = _request(request_id), _tutor(tutor_id)
        if seated([request_id], tutor_id):
            raise Conflict(
                _l("They sit in a group together: take the pupil out of it, and say so there.")
            )
        return set_veto(request, tutor, reason, by)


def set_veto(request: TutoringRequest, tutor: Tutor, reason: str, by: Coordinator | None) -> Veto:
    """As `rule_out`, in the caller's transaction; one that exists stays as it is."""
    drop_pins([request.id], tutor.id)
    known = find_veto(request.id, tutor.id)
    if known is not None:
        return known
    veto = Veto(
        request=request,
        tutor=tutor,
        reason=_reason(reason),
        by_id=None if by is None else by.id,
        created_at=clock.now(),
    )
    db.session.add(veto)
    _note("veto", request, by, tutor, veto.reason)
    return veto


def take_veto_back(veto_id: int, by: Coordinator | None) -> None:
    """Let a tutor and a request be put together again."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        veto = db.session.get(Veto, veto_id)
        if veto is None:
            raise NotFound(_l("This choice was taken back already."))
        drop_veto(veto, by)


def drop_veto(veto: Veto, by: Coordinator | None) -> None:
    """As `take_veto_back`, in the caller's transaction."""
    _note("unveto", veto.request, by, veto.tutor)
    db.session.delete(veto)
    db.session.flush()


def list_choices(page_number: int) -> Choices:
    """One page of all pins and vetoes."""
    pins = list_pins()[::-1]
    vetoes = db.session.scalar(select(func.count()).select_from(Veto)) or 0
    page = page_of(len(pins) + vetoes, page_number, PER_PAGE)
    shown = pins[page.first : page.first + page.size]
    first = max(0, page.first - len(pins))
    return Choices(
        pins=_entries(shown, pins),
        vetoes=_vetoes(first, page.size - len(shown)) if len(shown) < page.size else [],
        page=page,
    )


def choices_of(request_id: int) -> Choices:
    """The pin, if any, and the vetoes of one request."""
    pins = list_pins()
    own = [one for one in pins if one.request_id == request_id]
    vetoes = list(
        db.session.scalars(
            _with_people().where(Veto.request_id == request_id).order_by(Veto.id.desc())
        )
    )
    return Choices(_entries(own, pins), vetoes, page_of(len(own) + len(vetoes), 1, PER_PAGE))


def made_since(moment: datetime) -> tuple[int, int]:
    """How many pins, and vetoes of coordinators, are newer than a moment."""
    pins = select(func.count()).select_from(Pin).where(Pin.created_at > moment)
    vetoes = (
        select(func.count())
        .select_from(Veto)
        .where(Veto.created_at > moment, Veto.by_id.is_not(None))
    )
    return db.session.scalar(pins) or 0, db.session.scalar(vetoes) or 0


def get_proposed(run_id: int, group_id: int) -> ProposedGroup:
    """A group that a run proposes; NotFound where it proposes no such group."""
    proposed = db.session.scalar(
        select(ProposedGroup)
        .where(ProposedGroup.id == group_id, ProposedGroup.run_id == run_id)
        .options(
            joinedload(ProposedGroup.tutor).options(lazyload("*")),
            joinedload(ProposedGroup.subject),
            joinedload(ProposedGroup.level),
            selectinload(ProposedGroup.seats)
            .joinedload(ProposedSeat.request)
            .joinedload(TutoringRequest.pupil)
            .joinedload(Pupil.household)
            .options(lazyload("*"), joinedload(Household.zone)),
        )
    )
    if proposed is None:
        raise NotFound(_l("This matching proposes no such group."))
    return proposed


def place_of(group: Group | ProposedGroup) -> Place:
    """The place that a group's members have."""
    starts = [list(start) for start in group.starts if start]
    timed = len(starts) == len(group.starts)
    return Place(group.tutor_id, starts if timed else None, group.channel, group.language)


def find_veto(request_id: int, tutor_id: int) -> Veto | None:
    """What keeps the two apart, if anything does."""
    return db.session.scalar(
        select(Veto).where(Veto.request_id == request_id, Veto.tutor_id == tutor_id)
    )


def seated(request_ids: Collection[int], tutor_id: int | None = None) -> set[int]:
    """Which of these requests sit in a group in force, or in one of this tutor."""
    query = (
        select(Membership.request_id)
        .join(Membership.group)
        .where(
            Membership.request_id.in_(list(request_ids)),
            Membership.ended_at.is_(None),
            Group.state.in_(LIVE_GROUPS),
        )
    )
    if tutor_id is not None:
        query = query.where(Group.tutor_id == tutor_id)
    return set(db.session.scalars(query))


def ruled_out_from(tutor_id: int, request_ids: Collection[int]) -> dict[int, Veto]:
    """What keeps these requests from a tutor, by request."""
    rows = db.session.scalars(
        _with_people().where(Veto.tutor_id == tutor_id, Veto.request_id.in_(list(request_ids)))
    )
    return {row.request_id: row for row in rows}


REFUSALS = {
    Unused.SEATED: _l("The pupil sits in a group for this already."),
    Unused.REQUEST: _l("This request does not wait for a place."),
    Unused.CONSENT: _l("The guardian's consent to lessons is missing."),
    Unused.GROUP_CONSENT: _l("The guardian's consent to groups is missing."),
    Unused.TUTOR: _l("This volunteer is not vetted."),
    Unused.LESSONS: _l("The pupil asks for another number of lessons a week."),
}
"""Why a run is not given a pin, and why none is set."""


def check_starts(starts: Sequence[Sequence[str]]) -> None:
    """Invalid where weekly starts are no times, or meet, or lie on one day."""
    minutes = []
    for day, time in starts:
        if day not in DAYS or not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", time):
            raise Invalid(_l("Give each weekly time as a day and an hour such as 18:30."))
        minutes.append(1440 * DAYS.index(day) + 60 * int(time[:2]) + int(time[3:]))
    lesson = matching_rules().lesson_minutes
    week = 7 * 1440
    apart = [(one - other) % week for one in minutes for other in minutes if one != other]
    if len({day for day, _time in starts}) < len(starts) or any(gap < lesson for gap in apart):
        raise Invalid(_l("The weekly times must lie on different days and not meet."))


def check_place(place: Place) -> None:
    """Invalid where a place names a time, channel or language that there is none of."""
    if place.channel is not None and db.session.get(Channel, place.channel) is None:
        raise Invalid(_l("Choose one of the ways to hold lessons."))
    if place.starts is not None:
        check_starts(place.starts)
    if place.language is not None and db.session.get(Language, place.language) is None:
        raise Invalid(_l("Choose one of the languages."))


def _entries(shown: Sequence[Pin], pins: Sequence[Pin]) -> list[PinEntry]:
    in_groups, channels = seated([one.request_id for one in shown]), _channels()
    return [
        PinEntry(
            pin=one,
            unused=why_unused(one, in_groups, channels),
            beside=sum(
                one.label is not None and other.label == one.label and other is not one
                for other in pins
            ),
        )
        for one in shown
    ]


def _vetoes(first: int, most: int) -> list[Veto]:
    newest = _with_people().order_by(Veto.id.desc())
    return list(db.session.scalars(newest.limit(most).offset(first)))


def _with_people() -> Select[Veto]:
    return select(Veto).options(
        joinedload(Veto.tutor).options(lazyload("*")),
        joinedload(Veto.by),
        joinedload(Veto.request).options(
            joinedload(TutoringRequest.subject),
            joinedload(TutoringRequest.level),
            joinedload(TutoringRequest.pupil).joinedload(Pupil.household).options(lazyload("*")),
        ),
    )


def _channels() -> dict[str, Channel]:
    return {row.code: row for row in db.session.scalars(select(Channel))}


def _new_label() -> str:
    """A name for a group of pins that no other has."""
    labels = db.session.scalars(select(Pin.label).where(Pin.label.is_not(None)).distinct())
    return str(max((int(label) for label in labels if label), default=0) + 1)


def _reason(reason: str) -> str:
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why."))
    return reason


def _request(request_id: int) -> TutoringRequest:
    request = db.session.get(TutoringRequest, request_id)
    if request is None:
        raise NotFound(_l("This request does not exist."))
    return request


def _tutor(tutor_id: int) -> Tutor:
    tutor = db.session.get(Tutor, tutor_id)
    if tutor is None:
        raise NotFound(_l("This volunteer does not exist."))
    return tutor


def _note(
    action: str,
    request: TutoringRequest,
    by: Coordinator | None,
    tutor: Tutor,
    reason: str | None = None,
) -> None:
    audit.note(
        action,
        f"request:{request.id}",
        by,
        pupil_ids=[request.pupil_id],
        detail={"with_tutor": tutor.id} | ({} if reason is None else {"reason": reason}),
    )
