"""Places given and taken by hand. Whoever does so was told before what it breaks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l, plain_key
from app.models import (
    LIVE_GROUPS,
    Coordinator,
    Group,
    GroupState,
    Household,
    Membership,
    Pin,
    Pupil,
    RequestState,
    Tutor,
    TutoringRequest,
    TutorState,
    TutorSubject,
)
from app.services import audit, choices
from app.services.choices import Place
from app.services.ending import goes_on, leave_groups
from app.services.errors import Conflict, Invalid, NotFound
from app.services.examining import (
    STOPS_OF_PINS,
    Examination,
    Rule,
    examine_join,
    examine_new,
    examine_proposed,
    examine_times,
    get_live_group,
    get_request,
)
from app.services.free_text import read_reason
from app.services.groups import (
    ONE_CHANGE_OF_GROUPS_AT_A_TIME,
    offer_seat,
    refuse_meetings_in_periods,
)
from app.services.lessons import plan_lessons
from app.services.paging import Page, page_of
from app.services.pins import drop_pins
from app.services.school_calendar import meetings_in_periods
from app.services.telling import tell_group_change, tell_offers
from app.services.vetting_term import is_vetted
from scheduler import clock

PER_PAGE = 50


def place_in_group(
    group_id: int, request_id: int, overruled: Collection[Rule], by: Coordinator | None
) -> Group:
    """Offer a request a seat in a group in force; its tutor answers as to any offer.

    `overruled` are the broken rules that the coordinator has seen and overrules. Conflict where
    one is broken that is not among them, or can't be overruled.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        group = get_live_group(group_id, lock=True)
        request = get_request(request_id)
        examined = examine_join(group, request)
        _refuse(examined, overruled)
        before = meetings_in_periods()
        _seat(group, examined, "place_by_hand", by)
        refuse_meetings_in_periods(before)
    return group


def make_group(
    request_id: int, place: Place, overruled: Collection[Rule], by: Coordinator | None
) -> Group:
    """Offer a tutor a new group of this one request; refused like `place_in_group`."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        request = get_request(request_id)
        examined = examine_new(request, place)
        _refuse(examined, overruled)
        group = Group(
            tutor=examined.tutor,
            subject=request.subject,
            level=request.level,
            channel=examined.place.channel,
            language=examined.place.language,
            starts=place.starts or [None] * request.lessons_per_week,
            offered_at=clock.now(),
        )
        db.session.add(group)
        db.session.flush()
        _seat(group, examined, "make_group", by)
    return group


def place_in_proposal(
    run_id: int,
    proposed_id: int,
    request_id: int,
    overruled: Collection[Rule],
    by: Coordinator | None,
) -> Pin:
    """Keep a place in a proposed group for a request, from the next run on."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        proposed = choices.get_proposed(run_id, proposed_id)
        examined = examine_proposed(proposed, get_request(request_id))
        _refuse(examined, overruled)
        _end_veto(examined, by)
        (pin,) = choices.set_pins([request_id], examined.place, by)
    return pin


def pin_new(
    request_id: int, place: Place, overruled: Collection[Rule], by: Coordinator | None
) -> Pin:
    """Keep a place like that of `make_group` for a request, from the next run on."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        examined = replace(examine_new(get_request(request_id), place), stops=STOPS_OF_PINS)
        _refuse(examined, overruled)
        _end_veto(examined, by)
        (pin,) = choices.set_pins([request_id], examined.place, by)
    return pin


def set_times(
    group_id: int,
    starts: list[list[str]],
    overruled: Collection[Rule],
    by: Coordinator | None,
) -> Group:
    """Set the weekly times that a group still has to agree; refused like `place_in_group`.

    If the group is active, its lessons and reminders are made, and those concerned are told.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        group = get_live_group(group_id, lock=True)
        examined = examine_times(group, starts)
        _refuse(examined, overruled)
        before = group.starts
        group.starts = [list(start) for start in starts]
        if group.state is GroupState.ACTIVE:
            db.session.flush()
            plan_lessons(group)
            tell_group_change(group, before)
        _note("agree_times", group, examined, by, starts=group.starts)
    return group


def take_out(
    group_id: int, seat_id: int, reason: str, by: Coordinator | None, *, rule_out: bool = False
) -> Group:
    """End a seat: the request waits again. A group in which nobody is left ends with it.

    With `rule_out`, no later run puts the two together again.
    """
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why."))
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        group = get_live_group(group_id, lock=True)
        seat = get_seat(group, seat_id)
        pupil_ids = [member.request.pupil_id for member in ending_with(seat)]
        leave_groups(ending_with(seat))
        drop_pins([seat.request_id], group.tutor_id)
        if rule_out:
            choices.set_veto(seat.request, group.tutor, reason, by)
        audit.note(
            "take_out",
            f"group:{group.id}",
            by,
            pupil_ids=pupil_ids,
            detail={"reason": reason, "ruled_out": rule_out},
        )
    return group


def ending_with(seat: Membership) -> list[Membership]:
    """The seats that end if this one does: it alone, or all where no group is left without it."""
    others = [member for member in seat.group.members if member is not seat]
    return [seat] if goes_on(seat.group, others) else [seat, *others]


def get_seat(group: Group, seat_id: int) -> Membership:
    """A seat of a group in force; NotFound where it is not there any more."""
    for member in group.members:
        if member.id == seat_id:
            return member
    raise NotFound(_l("This pupil is not in the group any more."))


def _seat(group: Group, examined: Examination, action: str, by: Coordinator | None) -> None:
    (request,) = examined.requests
    _end_veto(examined, by)
    drop_pins([request.id])
    offer_seat(group, request, None)
    tell_offers([group.tutor_id])
    _note(action, group, examined, by)


def _end_veto(examined: Examination, by: Coordinator | None) -> None:
    """A veto that is overruled ends: no later run could keep the place beside it."""
    veto = choices.find_veto(examined.requests[0].id, examined.tutor.id)
    if veto is not None:
        choices.drop_veto(veto, by)


def _refuse(examined: Examination, overruled: Collection[Rule]) -> None:
    if examined.stopping:
        raise Conflict(_l("A rule stands against this that nobody can overrule."))
    if not set(examined.overrulable) <= set(overruled):
        raise Conflict(_l("Tick each broken rule that you overrule."))


def _note(
    action: str,
    group: Group,
    examined: Examination,
    by: Coordinator | None,
    **detail: object,
) -> None:
    broken = [rule.value for rule in examined.broken]
    audit.note(
        action,
        f"group:{group.id}",
        by,
        pupil_ids=examined.pupil_ids,
        detail=detail | ({"overruled": broken} if broken else {}),
    )


# --- whom and where


def list_waiting(
    subject_id: int, level_id: int, name: str, page_number: int
) -> tuple[list[TutoringRequest], Page]:
    """One page of who waits for this subject at this level, by zone and name."""
    seated = (
        select(Membership.request_id)
        .join(Membership.group)
        .where(Membership.ended_at.is_(None), Group.state.in_(LIVE_GROUPS))
    )
    rows = db.session.scalars(
        select(TutoringRequest)
        .where(
            TutoringRequest.subject_id == subject_id,
            TutoringRequest.level_id == level_id,
            TutoringRequest.state == RequestState.WAITING,
            TutoringRequest.id.not_in(seated),
        )
        .options(
            joinedload(TutoringRequest.pupil).options(
                selectinload(Pupil.consents),
                joinedload(Pupil.household).options(lazyload("*"), joinedload(Household.zone)),
            )
        )
    )
    key = plain_key(name)
    found = sorted(
        (row for row in rows if key in plain_key(row.pupil.name)),
        key=lambda row: (row.pupil.household.zone.name, plain_key(row.pupil.name), row.id),
    )
    page = page_of(len(found), page_number, PER_PAGE)
    return list(page.cut(found)), page


def list_open_groups(request: TutoringRequest, most: int = PER_PAGE) -> list[Group]:
    """Groups in force for what a request asks, in the order of their tutors' names."""
    rows = db.session.scalars(
        select(Group)
        .join(Group.tutor)
        .where(
            Group.state.in_(LIVE_GROUPS),
            Group.subject_id == request.subject_id,
            Group.level_id == request.level_id,
        )
        .order_by(Tutor.last_name, Tutor.first_name, Group.id)
        .limit(most)
        .options(
            joinedload(Group.tutor).options(lazyload("*")),
            joinedload(Group.subject),
            joinedload(Group.level),
            selectinload(Group.memberships).joinedload(Membership.request),
        )
    )
    return list(rows)


def list_tutors(request: TutoringRequest) -> tuple[list[Tutor], list[Tutor]]:
    """The vetted tutors by name: those who teach what a request asks, and the others."""
    rows = db.session.scalars(
        select(Tutor).where(Tutor.state == TutorState.VETTED).options(lazyload("*"))
    )
    who_teach = set(
        db.session.scalars(
            select(TutorSubject.tutor_id).where(
                TutorSubject.subject_id == request.subject_id,
                TutorSubject.level_id == request.level_id,
            )
        )
    )
    teaching: list[Tutor] = []
    others: list[Tutor] = []
    for tutor in sorted(rows, key=lambda row: (plain_key(row.name), row.id)):
        if is_vetted(tutor):
            (teaching if tutor.id in who_teach else others).append(tutor)
    return teaching, others
