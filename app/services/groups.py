"""A group's answers and ends: accepted, declined, left by those who may no longer be in it.

Groups and requests change under one lock, so that no request comes to sit in two groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Channel,
    ConsentKind,
    Coordinator,
    Group,
    GroupState,
    Household,
    Membership,
    Pupil,
    RequestState,
    TutoringRequest,
    Veto,
)
from app.services import audit
from app.services.consent import in_force, shares_number
from app.services.ending import end_groups, leave_groups
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_reason
from app.services.lessons import future_lessons, plan_lessons
from app.services.period_meetings import Meeting
from app.services.pins import drop_pins
from app.services.reminders import Recipient, plan_reminders
from app.services.school_calendar import meetings_in_periods
from app.services.telling import tell_new_group
from app.services.vetting_term import is_vetted
from scheduler import clock

ONE_CHANGE_OF_GROUPS_AT_A_TIME = 20_260_921


def accept_group(
    group_id: int, by: Coordinator | None = None, *, tutor_id: int | None = None
) -> Group:
    """Accept the seats that are offered to a tutor, with lessons and reminders, in one transaction,
    which also tells the families.

    An offered group becomes active; pupils offered to an active group join it. `by` is the
    coordinator who records it for the tutor, `tutor_id` the tutor who does it. Conflict where
    nothing is offered, or nobody who is offered may be taught any more.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        group = _locked(group_id, tutor_id)
        offered = _offered(group)
        if not is_vetted(group.tutor):
            raise Conflict(_l("This volunteer is not vetted, and can't take a group."))
        _drop_who_may_not([group])
        joining = [member for member in offered if member.ended_at is None]
        if not joining:
            raise Conflict(
                _l("None of these pupils can be taught any more; the offer is out of date.")
            )
        now = clock.now()
        for member in joining:
            member.active_since = now
            member.request.state = RequestState.SERVED
        drop_pins(member.request_id for member in joining)
        if group.state is GroupState.OFFERED:
            group.state = GroupState.ACTIVE
            _decided(group, by)
        db.session.flush()
        plan_reminders(future_lessons(group.id))
        plan_lessons(group)
        tell_new_group(group, joining)
        _note("accept_group", group, by, tutor_id, joining)
    return group


def decline_group(
    group_id: int, reason: str, by: Coordinator | None = None, *, tutor_id: int | None = None
) -> Group:
    """Decline the seats that are offered: their requests wait again, with a veto on this tutor."""
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why the group is declined."))
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        group = _locked(group_id, tutor_id)
        offered = _offered(group)
        for member in offered:
            member.ended_at = clock.now()
            _veto(member.request_id, group.tutor_id, reason)
        drop_pins((member.request_id for member in offered), group.tutor_id)
        if group.state is GroupState.OFFERED:
            group.state = GroupState.DECLINED
            group.decline_reason = reason
            group.ended_at = clock.now()
            _decided(group, by)
        _note("decline_group", group, by, tutor_id, offered)
    return group


def end_group(
    group_id: int, reason: str, by: Coordinator | None = None, *, tutor_id: int | None = None
) -> Group:
    """End a group that is offered or active: its requests wait again, its coming lessons and their
    reminders are cancelled, and it is told.

    `tutor_id` names the tutor who does it: no later run puts them together again.
    """
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why the group ends."))
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        group = _locked(group_id, tutor_id)
        if group.state not in LIVE_GROUPS:
            raise Conflict(_l("This group has ended already."))
        members = group.members
        drop_pins((member.request_id for member in members), group.tutor_id)
        if tutor_id is None:
            end_groups([group], reason)
        else:
            end_groups([group], reason, but={Recipient("tutor", tutor_id)})
            for member in members:
                _veto(member.request_id, group.tutor_id, reason)
        note_end(group, by, members, reason, tutor_id=tutor_id)
    return group


def leave_without_right(pupil_ids: Iterable[int], but: Collection[Recipient] = frozenset()) -> int:
    """End the seats of these pupils that they may not keep; how many. `but` know of it already.

    Part of the caller's transaction, which changed consent, level or request. A group that is left
    empty ends, and its lessons are cancelled with their reminders.
    """
    seated = (
        select(Membership.group_id)
        .join(Membership.request)
        .where(TutoringRequest.pupil_id.in_(list(pupil_ids)), Membership.ended_at.is_(None))
    )
    groups = db.session.scalars(
        select(Group)
        .where(Group.state.in_(LIVE_GROUPS), Group.id.in_(seated))
        .order_by(Group.id)
        .with_for_update()
    ).all()
    return _drop_who_may_not(groups, but)


def list_live_groups() -> list[Group]:
    """Groups that are offered or active, with tutor, subject, level, and members' families."""
    return list(
        db.session.scalars(
            select(Group)
            .where(Group.state.in_(LIVE_GROUPS))
            .order_by(Group.id)
            .options(
                joinedload(Group.tutor),
                joinedload(Group.subject),
                joinedload(Group.level),
                selectinload(Group.memberships)
                .joinedload(Membership.request)
                .joinedload(TutoringRequest.pupil)
                .joinedload(Pupil.household)
                .joinedload(Household.zone),
            )
        )
    )


def note_end(
    group: Group,
    by: Coordinator | None,
    members: Iterable[Membership],
    reason: str,
    *,
    tutor_id: int | None = None,
) -> None:
    """Leave a trace of a group's end; `members` sat in it until then.

    `tutor_id` is the tutor whose own act it was.
    """
    _note("end_group", group, by, tutor_id, members, {"reason": reason})


def offer_seat(group: Group, request: TutoringRequest, run_id: int | None) -> None:
    """Offer a seat, which a run found or (None) a coordinator gives by hand.

    One that the request had in the group before is offered anew. Part of the caller's transaction.
    """
    before = next((seat for seat in group.memberships if seat.request_id == request.id), None)
    if before is None:
        group.memberships.append(Membership(request=request, run_id=run_id))
    else:
        before.run_id, before.active_since, before.ended_at = run_id, None, None


def refuse_meetings_in_periods(before: Collection[tuple[int, Meeting]]) -> None:
    """Conflict where a seat that is offered puts somebody into two lessons in a special period.

    `before` is what `meetings_in_periods` said before it. A group without lessons so far stands
    aside there instead, until it has another time.
    """
    db.session.flush()
    new = {group_id for _period, (group_id, _) in meetings_in_periods().difference(before)}
    in_force = select(Group).where(Group.id.in_(new), Group.state == GroupState.ACTIVE)
    group = db.session.scalar(in_force.order_by(Group.id).limit(1))
    if group is not None:
        raise Conflict(
            _l(
                "In a special period, such as Ramadan, the group of %(name)s meets when one of its"
                " pupils, or the family, has another lesson. Rule this place out, or wait until"
                " the period is over.",
                name=group.tutor.name,
            )
        )


def may_be_member(member: Membership) -> bool:
    """Whether the guardian's consent and the request still allow this seat."""
    request, group = member.request, member.group
    channel = db.session.get_one(Channel, group.channel)
    return (
        in_force(request.pupil, ConsentKind.LESSONS)
        and (channel.max_group == 1 or shares_number(request.pupil.household))
        and request.state in (RequestState.WAITING, RequestState.SERVED)
        and request.level_id == group.level_id
    )


def _locked(group_id: int, tutor_id: int | None) -> Group:
    group = db.session.get(Group, group_id, with_for_update=True)
    if group is None or (tutor_id is not None and group.tutor_id != tutor_id):
        raise NotFound(_l("This group does not exist."))
    return group


def _offered(group: Group) -> list[Membership]:
    """The seats that wait for the tutor's answer; Conflict where there is none."""
    waiting = [member for member in group.members if member.active_since is None]
    if group.state not in LIVE_GROUPS or not waiting:
        raise Conflict(_l("This group has been answered already."))
    return waiting


def _drop_who_may_not(groups: Iterable[Group], but: Collection[Recipient] = frozenset()) -> int:
    """End the seats that may not be; what follows for lessons and reminders too."""
    dropped = {
        group: [member for member in group.members if not may_be_member(member)] for group in groups
    }
    for group, members in dropped.items():
        if members:
            _note("end_seats", group, None, None, members)
    leaving = [member for members in dropped.values() for member in members]
    if leaving:
        leave_groups(leaving, but)
    return len(leaving)


def _veto(request_id: int, tutor_id: int, reason: str) -> None:
    known = select(Veto.id).where(Veto.request_id == request_id, Veto.tutor_id == tutor_id)
    if db.session.scalar(known) is None:
        db.session.add(
            Veto(request_id=request_id, tutor_id=tutor_id, reason=reason, created_at=clock.now())
        )


def _decided(group: Group, by: Coordinator | None) -> None:
    group.decided_at = clock.now()
    group.decided_by_id = None if by is None else by.id


def _note(
    action: str,
    group: Group,
    by: Coordinator | None,
    tutor_id: int | None,
    members: Iterable[Membership],
    detail: dict[str, str] | None = None,
) -> None:
    audit.note(
        action,
        f"group:{group.id}",
        by,
        pupil_ids=[member.request.pupil_id for member in members],
        detail=(detail or {}) | ({} if tutor_id is None else {"tutor": tutor_id}),
    )
