"""The coordinators' desk: what waits for a decision now, and how things stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload, lazyload

from app.extensions import db
from app.models import (
    LIVE_GROUPS,
    AuditEntry,
    CallRequest,
    Consent,
    ConsentKind,
    Flag,
    Group,
    Household,
    InboundMessage,
    Lesson,
    LessonState,
    MatchRun,
    Membership,
    Pupil,
    RequestState,
    RunState,
    Tutor,
    TutoringRequest,
    TutorState,
    Veto,
    Worry,
)
from app.services.calendar_year import ToDecide, to_decide
from app.services.call_requests import first_calls
from app.services.flags import first_flags, pupils_of
from app.services.inbox import first_unread
from app.services.loading import GROUP_AT_THE_DESK
from app.services.masking import is_shown
from app.services.reach import UnreachedFamily, first_unreached
from app.services.scope import Scope
from app.services.timetable import BY_HAND
from app.services.vetting import ending_vettings
from app.services.waiting import FIRST_FEW, Waiting, first_of
from app.services.within import groups_within
from app.services.worries import first_worries
from scheduler import clock

DECLINED_OF_LATE: Final = timedelta(days=30)
LONG_WITHOUT_ANSWER: Final = timedelta(days=3)
NOT_HELD_OF_LATE: Final = timedelta(days=14)
LONG_WITHOUT_NOTE: Final = timedelta(days=7)
"""How long after somebody was asked whether a lesson was held it is a coordinator's matter."""
LONG_UNASKED: Final = LONG_WITHOUT_NOTE + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DeclinedSeat:
    """A request that a volunteer said no to, and that still waits."""

    seat: Membership
    reason: str


@dataclass(frozen=True, slots=True)
class SlowOffer:
    """A group in which an offer has waited for its volunteer's answer for long."""

    group: Group
    since: datetime


@dataclass(frozen=True, slots=True)
class Decisions:
    """What waits for a coordinator, in the order in which it should be taken up."""

    worries: Waiting[Worry]
    calls: Waiting[CallRequest]
    texts: Waiting[InboundMessage]
    flags: Waiting[Flag]
    to_vet: Waiting[Tutor]
    vettings_ending: Waiting[Tutor]
    to_confirm: Waiting[TutoringRequest]
    proposal: MatchRun | None
    """The newest one, where it is not published."""
    declined: Waiting[DeclinedSeat]
    slow_offers: Waiting[SlowOffer]
    unreached: Waiting[UnreachedFamily]
    not_held: Waiting[Lesson]
    not_noted: Waiting[Lesson]
    calendar: ToDecide | None
    """What of the school calendar does; None for who sees some zones only."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        if self.proposal is not None or (self.calendar is not None and self.calendar.total):
            return False
        return not any(waiting.total for waiting in self._queues)

    @property
    def _queues(self) -> tuple[Waiting[Any], ...]:
        return (
            self.worries,
            self.calls,
            self.texts,
            self.flags,
            self.to_vet,
            self.vettings_ending,
            self.to_confirm,
            self.declined,
            self.slow_offers,
            self.unreached,
            self.not_held,
            self.not_noted,
        )

    def pupil_ids(self, scope: Scope) -> set[int]:
        """The children of the zones whom the desk names, or whose family it does."""
        households = [worry.household for worry in self.worries.first]
        households += [call.household for call in self.calls.first]
        households += [family.household for family in self.unreached.first]
        households += [text.household for text in self.texts.first if text.household is not None]
        shown = [pupil for household in households for pupil in household.pupils]
        shown += [request.pupil for request in self.to_confirm.first]
        shown += [entry.seat.request.pupil for entry in self.declined.first]
        groups = [entry.group for entry in self.slow_offers.first]
        groups += [lesson.group for lesson in (*self.not_held.first, *self.not_noted.first)]
        shown += [seat.request.pupil for group in groups for seat in group.members]
        shown += [pupil for flag in self.flags.first for pupil in pupils_of(flag)]
        return {pupil.id for pupil in shown if is_shown(pupil, scope)}


@dataclass(frozen=True, slots=True)
class DeskFigures:
    """How things stand."""

    tutors_waiting: int
    tutors_vetted: int
    households: int
    pupils: int
    pupils_without_consent: int
    requests_waiting: int
    offers_waiting: int
    """Groups in which an offer waits for its tutor's answer."""
    newest_run: MatchRun | None
    published: bool
    """Whether a matching was ever published."""


def read_decisions(scope: Scope) -> Decisions:
    """What waits for who sees these zones; volunteers and proposals only for who sees them all."""
    return Decisions(
        worries=first_worries(scope),
        calls=first_calls(scope),
        texts=first_unread(scope),
        flags=first_flags(scope),
        to_vet=_to_vet(scope),
        vettings_ending=_vettings_ending(scope),
        to_confirm=_to_confirm(scope),
        proposal=_proposal() if scope.is_everywhere else None,
        declined=_declined(scope),
        slow_offers=_slow_offers(scope),
        unreached=first_unreached(scope),
        not_held=_not_held(scope),
        not_noted=_not_noted(scope),
        calendar=to_decide() if scope.is_everywhere else None,
    )


def desk_figures(scope: Scope) -> DeskFigures:
    """Count who waits for what in these zones. Volunteers and runs belong to all of them."""
    states = select(Tutor.state, func.count()).group_by(Tutor.state)
    tutors = {state: number for state, number in db.session.execute(states)}  # noqa: C416
    pupils = _count(_of_zones(select(func.count()).select_from(Pupil), scope))
    return DeskFigures(
        tutors_waiting=tutors.get(TutorState.REGISTERED, 0),
        tutors_vetted=tutors.get(TutorState.VETTED, 0),
        households=_count(
            select(func.count()).select_from(Household).where(scope.limits(Household.zone_id))
        ),
        pupils=pupils,
        pupils_without_consent=pupils - _count(_pupils_with_consent(scope)),
        requests_waiting=_count(
            _of_zones(
                select(func.count())
                .select_from(TutoringRequest)
                .join(TutoringRequest.pupil)
                .where(TutoringRequest.state == RequestState.WAITING),
                scope,
            )
        ),
        offers_waiting=_count(
            select(func.count(Membership.group_id.distinct()))
            .join(Membership.group)
            .where(_is_offered(), groups_within(scope, Group.id))
        ),
        newest_run=db.session.scalar(select(MatchRun).order_by(MatchRun.id.desc()).limit(1)),
        published=db.session.scalar(select(exists().where(MatchRun.state == RunState.PUBLISHED)))
        or False,
    )


def _count(statement: Select[int]) -> int:
    return db.session.scalar(statement) or 0


def _of_zones(statement: Select[int], scope: Scope) -> Select[int]:
    """A statement on pupils, kept to those of the zones."""
    return statement.join(Pupil.household).where(scope.limits(Household.zone_id))


def _pupils_with_consent(scope: Scope) -> Select[int]:
    newest = (
        select(func.max(Consent.id))
        .where(Consent.kind == ConsentKind.LESSONS)
        .group_by(Consent.pupil_id)
    )
    counted = select(func.count()).select_from(Consent).join(Pupil, Pupil.id == Consent.pupil_id)
    return _of_zones(counted.where(Consent.id.in_(newest), Consent.given), scope)


def _is_offered() -> Any:
    return and_(
        Group.state.in_(LIVE_GROUPS),
        Membership.active_since.is_(None),
        Membership.ended_at.is_(None),
    )


def _to_vet(scope: Scope) -> Waiting[Tutor]:
    if not scope.is_everywhere:
        return Waiting([], 0)
    return first_of(
        select(Tutor)
        .where(Tutor.state == TutorState.REGISTERED)
        .order_by(Tutor.created_at, Tutor.id)
        .options(lazyload("*"))
    )


def _vettings_ending(scope: Scope) -> Waiting[Tutor]:
    ending = ending_vettings() if scope.is_everywhere else []
    return Waiting(ending[:FIRST_FEW], len(ending))


def _to_confirm(scope: Scope) -> Waiting[TutoringRequest]:
    return first_of(
        select(TutoringRequest)
        .join(TutoringRequest.pupil)
        .join(Pupil.household)
        .where(TutoringRequest.state == RequestState.TO_CONFIRM, scope.limits(Household.zone_id))
        .order_by(TutoringRequest.created_at, TutoringRequest.id)
        .options(*_request_with_pupil())
    )


def _proposal() -> MatchRun | None:
    """A finished run with a plan counts until a later one is published."""
    newest = db.session.scalar(
        select(MatchRun)
        .where(MatchRun.state.in_((RunState.DONE, RunState.PUBLISHED)))
        .order_by(MatchRun.id.desc())
        .limit(1)
    )
    return newest if newest is not None and newest.state is RunState.DONE else None


def _declined(scope: Scope) -> Waiting[DeclinedSeat]:
    another = aliased(Membership)
    seats = first_of(
        select(Membership)
        .join(Membership.group)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .join(Pupil.household)
        .join(Veto, _veto_of_seat())
        .where(
            Membership.active_since.is_(None),
            Membership.ended_at > clock.now() - DECLINED_OF_LATE,
            TutoringRequest.state == RequestState.WAITING,
            ~exists().where(
                another.request_id == Membership.request_id, another.ended_at.is_(None)
            ),
            scope.limits(Household.zone_id),
        )
        .order_by(Membership.ended_at.desc(), Membership.id.desc())
        .options(
            joinedload(Membership.request).options(*_request_with_pupil()),
            joinedload(Membership.group).joinedload(Group.tutor).options(lazyload("*")),
        )
    )
    rows = db.session.execute(
        select(Membership.id, Veto.reason)
        .join(Membership.group)
        .join(Veto, _veto_of_seat())
        .where(Membership.id.in_([seat.id for seat in seats.first]))
    )
    reasons = {seat_id: reason for seat_id, reason in rows}  # noqa: C416
    return Waiting([DeclinedSeat(seat, reasons[seat.id]) for seat in seats.first], seats.total)


def _veto_of_seat() -> Any:
    """Saying no leaves a veto: that is how it is told from an offer that was taken back."""
    return and_(Veto.request_id == Membership.request_id, Veto.tutor_id == Group.tutor_id)


def _slow_offers(scope: Scope) -> Waiting[SlowOffer]:
    offered = db.session.execute(
        select(Group.id, Group.offered_at, Membership.run_id)
        .join(Membership.group)
        .where(_is_offered(), groups_within(scope, Group.id))
    ).all()
    # A seat in a group that stands since long was offered when its own run was published.
    published = _published_at({row.run_id for row in offered if row.run_id is not None})
    by_hand = _given_at({row.id for row in offered if row.run_id is None})
    since: dict[int, datetime] = {}
    for row in offered:
        given = by_hand.get(row.id) if row.run_id is None else published.get(row.run_id)
        began = given or row.offered_at
        since[row.id] = min(began, since.get(row.id, began))
    latest = clock.now() - LONG_WITHOUT_ANSWER
    slow = sorted((began, number) for number, began in since.items() if began < latest)
    first = [number for _began, number in slow[:FIRST_FEW]]
    groups = {
        group.id: group
        for group in db.session.scalars(
            select(Group).where(Group.id.in_(first)).options(*GROUP_AT_THE_DESK)
        )
    }
    return Waiting([SlowOffer(groups[number], since[number]) for number in first], len(slow))


def _published_at(run_ids: set[int]) -> dict[int, datetime]:
    acts = db.session.execute(
        select(AuditEntry.subject, AuditEntry.at).where(
            AuditEntry.action == "publish_run",
            AuditEntry.subject.in_([f"run:{number}" for number in run_ids]),
        )
    )
    return {int(subject.removeprefix("run:")): at for subject, at in acts}


def _given_at(group_ids: set[int]) -> dict[int, datetime]:
    """When a place in these groups was last given by hand."""
    acts = db.session.execute(
        select(AuditEntry.subject, func.max(AuditEntry.at))
        .where(
            AuditEntry.action.in_(BY_HAND),
            AuditEntry.subject.in_([f"group:{number}" for number in group_ids]),
        )
        .group_by(AuditEntry.subject)
    )
    return {int(subject.removeprefix("group:")): at for subject, at in acts}


def _not_held(scope: Scope) -> Waiting[Lesson]:
    return first_of(
        select(Lesson)
        .where(
            Lesson.state.in_((LessonState.NOT_HELD, LessonState.PUPIL_ABSENT)),
            Lesson.starts_at > clock.now() - NOT_HELD_OF_LATE,
            groups_within(scope, Lesson.group_id),
        )
        .order_by(Lesson.starts_at.desc(), Lesson.id)
        .options(
            joinedload(Lesson.substitute).options(lazyload("*")),
            joinedload(Lesson.group).options(*GROUP_AT_THE_DESK),
        )
    )


def _not_noted(scope: Scope) -> Waiting[Lesson]:
    return first_of(
        select(Lesson)
        .where(
            Lesson.state == LessonState.PLANNED,
            or_(
                Lesson.asked_at < clock.now() - LONG_WITHOUT_NOTE,
                and_(
                    Lesson.asked_at.is_(None),
                    Lesson.starts_at < clock.now() - LONG_UNASKED,
                ),
            ),
            groups_within(scope, Lesson.group_id),
        )
        .order_by(Lesson.starts_at, Lesson.id)
        .options(
            joinedload(Lesson.substitute).options(lazyload("*")),
            joinedload(Lesson.group).options(*GROUP_AT_THE_DESK),
        )
    )


def _request_with_pupil() -> tuple[Any, ...]:
    return (
        joinedload(TutoringRequest.subject),
        joinedload(TutoringRequest.level),
        joinedload(TutoringRequest.pupil)
        .joinedload(Pupil.household)
        .options(lazyload("*"), joinedload(Household.zone)),
    )
