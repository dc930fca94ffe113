"""Publishing a run: its new groups are offered to their tutors. Nothing else changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Coordinator,
    Group,
    GroupState,
    Household,
    MatchRun,
    Membership,
    ProposedGroup,
    ProposedSeat,
    Pupil,
    RequestState,
    RunState,
    TutoringRequest,
    TutorState,
)
from app.services import audit
from app.services.errors import Conflict, NotFound
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME, may_be_member
from app.services.runs import read_plan
from scheduler import clock


@dataclass(frozen=True, slots=True)
class Addition:
    """What a proposed group would add: itself if it is new, or pupils to one that is in force."""

    proposed: ProposedGroup
    joins: Group | None
    requests: list[TutoringRequest]


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing a run would do, and what it leaves as it stands."""

    additions: list[Addition]
    kept: int
    """Groups in force that stay as they are."""

    @property
    def new_groups(self) -> int:
        return sum(addition.joins is None for addition in self.additions)

    @property
    def joined_groups(self) -> int:
        return len(self.additions) - self.new_groups

    @property
    def requests(self) -> int:
        return sum(len(addition.requests) for addition in self.additions)

    @property
    def pupil_ids(self) -> set[int]:
        """Children who would be offered a place."""
        return {r.pupil_id for addition in self.additions for r in addition.requests}


def preview_publication(run_id: int) -> Publication:
    """What publishing a run would add to the groups that are offered or active now."""
    return _compare(_run(run_id))


def publish_run(run_id: int, by: Coordinator | None) -> list[Group]:
    """Offer a run's new groups, and its new pupils to groups in force, to their tutors.

    The groups that got an offer. Conflict where the run has none to publish, or anything that it
    rested on has changed since it was asked for: another matching then has to be run.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        run = _run(run_id, lock=True)
        if run.state not in (RunState.DONE, RunState.CANCELLED) or not run.has_plan:
            raise Conflict(_l("Only a matching that ended with a proposal can be published."))
        if is_outdated(run):
            raise _outdated()
        if read_plan(run.id)["impossible_pins"]:
            # The plan took their times for free: what it adds could clash with what stands.
            raise Conflict(
                _l(
                    "Some places in force no longer fit, as the proposal names. End their groups "
                    "or put right what changed, then start another matching."
                )
            )
        publication = _compare(run)
        _load_consents(publication)
        groups = [_offer(run, addition) for addition in publication.additions]
        run.state = RunState.PUBLISHED
        db.session.flush()
        if not all(may_be_member(member) for group in groups for member in group.members):
            raise _outdated()
        audit.note(
            "publish_run",
            f"run:{run.id}",
            by,
            pupil_ids=publication.pupil_ids,
            detail={"groups": publication.new_groups, "joined": publication.joined_groups},
        )
    return groups


def undo_publication(run_id: int, by: Coordinator | None) -> None:
    """Take a publication back, as long as none of its offers has been answered."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        run = _run(run_id, lock=True)
        if run.state is not RunState.PUBLISHED:
            raise Conflict(_l("This matching is not published."))
        members = db.session.scalars(
            select(Membership)
            .where(Membership.run_id == run.id)
            .options(joinedload(Membership.group))
        ).all()
        if any(member.active_since or member.ended_at for member in members):
            raise Conflict(
                _l("An offer of this matching has been answered, so it can't be taken back.")
            )
        now = clock.now()
        for member in members:
            member.ended_at = now
            if member.group.run_id == run.id:
                member.group.state = GroupState.ENDED
                member.group.ended_at = now
        run.state = RunState.UNDONE
        audit.note("undo_publication", f"run:{run.id}", by)


def is_outdated(run: MatchRun) -> bool:
    """Whether groups have changed since a run was asked for, so that it can't be published."""
    return _changed_since(run.requested_at)


def can_be_undone(run: MatchRun) -> bool:
    """Whether a run is published and none of its offers has been answered."""
    if run.state is not RunState.PUBLISHED:
        return False
    answered = select(Membership.id).where(
        Membership.run_id == run.id,
        Membership.active_since.is_not(None) | Membership.ended_at.is_not(None),
    )
    return db.session.scalar(answered.limit(1)) is None


def _run(run_id: int, *, lock: bool = False) -> MatchRun:
    run = db.session.get(MatchRun, run_id, with_for_update=lock or None)
    if run is None:
        raise NotFound(_l("This matching does not exist."))
    return run


def _outdated() -> Conflict:
    return Conflict(
        _l("Groups, pupils or volunteers have changed since this matching. Start another one.")
    )


def _changed_since(moment: datetime) -> bool:
    """Whether a group was offered, answered or ended since, or a seat in one."""
    for column in (Group.offered_at, Group.decided_at, Group.ended_at):
        newest = db.session.scalar(select(func.max(column)))
        if newest is not None and newest > moment:
            return True
    for seat in (Membership.active_since, Membership.ended_at):
        newest = db.session.scalar(select(func.max(seat)))
        if newest is not None and newest > moment:
            return True
    return False


def _compare(run: MatchRun) -> Publication:
    seats = {
        member.request_id: member.group
        for member in db.session.scalars(
            select(Membership)
            .join(Membership.group)
            .where(Group.state.in_(LIVE_GROUPS), Membership.ended_at.is_(None))
            .options(joinedload(Membership.group))
        )
    }
    additions = []
    for proposed in _proposed(run.id):
        added = [s.request for s in proposed.seats if s.request_id not in seats]
        if added:
            in_force = [seats[s.request_id] for s in proposed.seats if s.request_id in seats]
            additions.append(Addition(proposed, in_force[0] if in_force else None, added))
    live = select(func.count()).select_from(Group).where(Group.state.in_(LIVE_GROUPS))
    joined = sum(addition.joins is not None for addition in additions)
    return Publication(additions, kept=(db.session.scalar(live) or 0) - joined)


def _proposed(run_id: int) -> list[ProposedGroup]:
    return list(
        db.session.scalars(
            select(ProposedGroup)
            .where(ProposedGroup.run_id == run_id)
            .order_by(ProposedGroup.id)
            .options(
                joinedload(ProposedGroup.tutor),
                selectinload(ProposedGroup.seats).joinedload(ProposedSeat.request),
            )
        )
    )


def _load_consents(publication: Publication) -> None:
    """Read the families' consents at once, not seat by seat."""
    pupils = select(Pupil.household_id).where(Pupil.id.in_(publication.pupil_ids))
    db.session.scalars(
        select(Household)
        .where(Household.id.in_(pupils))
        .options(selectinload(Household.pupils).selectinload(Pupil.consents))
    ).all()


def _offer(run: MatchRun, addition: Addition) -> Group:
    """Offer a new group, or new seats in one that is in force."""
    proposed = addition.proposed
    if proposed.tutor.state is not TutorState.VETTED or any(
        request.state is not RequestState.WAITING for request in addition.requests
    ):
        raise _outdated()
    group = addition.joins or Group(
        run_id=run.id,
        tutor_id=proposed.tutor_id,
        subject_id=proposed.subject_id,
        level_id=proposed.level_id,
        channel=proposed.channel,
        language=proposed.language,
        starts=proposed.starts,
        offered_at=clock.now(),
    )
    db.session.add(group)
    for request in addition.requests:
        _offer_seat(run, group, request)
    return group


def _offer_seat(run: MatchRun, group: Group, request: TutoringRequest) -> None:
    """Offer a seat; one that the request had in the group before is offered anew."""
    before = next((m for m in group.memberships if m.request_id == request.id), None)
    if before is None:
        group.memberships.append(Membership(request=request, run_id=run.id))
    else:
        before.run_id, before.active_since, before.ended_at = run.id, None, None
