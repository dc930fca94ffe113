"""Publishing a run: its new groups are offered to their tutors.

Nothing else changes, unless the run is a repair that moves people: their seats of before end in the
same transaction as the new ones are offered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel.speaklater import LazyString
from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Coordinator,
    Group,
    Household,
    Lesson,
    LessonAnswer,
    LessonState,
    MatchRun,
    Membership,
    Message,
    Notice,
    ProposedGroup,
    ProposedSeat,
    Pupil,
    Reminder,
    RequestState,
    RunState,
    TutoringRequest,
)
from app.services import audit, telling
from app.services.ending import goes_on, leave_groups, lock_groups
from app.services.errors import Conflict, NotFound
from app.services.groups import (
    ONE_CHANGE_OF_GROUPS_AT_A_TIME,
    may_be_member,
    offer_seat,
    refuse_meetings_in_periods,
)
from app.services.pins import pins_in_force, wished_pins
from app.services.problem import build_problem
from app.services.reminders import Recipient
from app.services.repairing import place_of_group
from app.services.runs import read_plan, read_problem
from app.services.school_calendar import meetings_in_periods
from app.services.vetting_term import is_vetted
from scheduler import clock

_PREFERENCES = ("weight", "previous_tutor")
"""Of a request's row: they change by themselves, as an exam comes near or a volunteer leaves."""


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
    leaving: list[Membership]
    """Seats in force that end: of those who move, and of those who lose their place."""
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
        return len(self.added)

    @property
    def added(self) -> list[TutoringRequest]:
        """The requests that would be offered a place."""
        return [request for addition in self.additions for request in addition.requests]

    @property
    def pupil_ids(self) -> set[int]:
        """Children who would be offered a place, or leave one."""
        leaving = {member.request.pupil_id for member in self.leaving}
        return leaving | {request.pupil_id for request in self.added}


def preview_publication(run_id: int) -> Publication:
    """What publishing a run would add to the groups that are offered or active now."""
    return _compare(_run(run_id))


def publish_run(run_id: int, by: Coordinator | None) -> list[Group]:
    """Offer a run's new groups, and its new pupils to groups in force, to their tutors.

    Where a repair moves people, their places of before end with lessons and reminders. The groups
    that got an offer. Conflict where the run has none to publish, or anything that it
    rested on has changed since it was asked for: another matching then has to be run.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        run = _run(run_id, lock=True)
        if run.state not in (RunState.DONE, RunState.CANCELLED) or not run.has_plan:
            raise Conflict(_l("Only a matching that ended with a proposal can be published."))
        publication = _compare(run)
        if _has_changed(run, publication):
            raise _outdated()
        if _misses_places(run):
            # The plan took their times for free: what it adds could clash with what stands.
            raise Conflict(
                _l(
                    "Some places in force no longer fit, as the proposal names. End their groups "
                    "or put right what changed, then start another matching."
                )
            )
        _load_consents(publication)
        _end_places(run, publication, by)
        before = meetings_in_periods()
        groups = [_offer(run, addition) for addition in publication.additions]
        run.state = RunState.PUBLISHED
        run.moved_seats = len(publication.leaving)
        db.session.flush()
        if not all(may_be_member(member) for group in groups for member in group.members):
            raise _outdated()
        refuse_meetings_in_periods(before)
        telling.tell_offers(group.tutor_id for group in groups)
        audit.note(
            "publish_run",
            f"run:{run.id}",
            by,
            pupil_ids=publication.pupil_ids,
            detail={
                "groups": publication.new_groups,
                "joined": publication.joined_groups,
                "moved": run.moved_seats,
            },
        )
    return groups


def undo_publication(run_id: int, by: Coordinator | None) -> None:
    """Take a publication back, as long as no family was told of what it made.

    Its groups and seats end, accepted ones too, with lessons and reminders; their requests wait
    again. What was declined stays declined.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        run = _run(run_id, lock=True)
        if run.state is not RunState.PUBLISHED:
            raise Conflict(_l("This matching is not published."))
        members = _seats_of(run)
        lock_groups({member.group for member in members})
        refused = _why_it_stays(run)
        if refused is not None:
            raise Conflict(refused)
        pupil_ids = [member.request.pupil_id for member in members]
        if members:
            # Nothing of it has left: no family ever heard of these lessons. Tutors hear of it all.
            households = {member.request.pupil.household_id for member in members}
            tutors = {member.group.tutor_id for member in members}
            leave_groups(
                members,
                but={Recipient("household", number) for number in households}
                | {Recipient("tutor", number) for number in tutors},
            )
            telling.untell_new_groups({member.group_id for member in members})
            telling.tell_offers_withdrawn(tutors)
        # Locked with the lessons by now: what has left since it was looked at is on record.
        refused = _why_it_stays(run)
        if refused is not None:
            raise Conflict(refused)
        run.state = RunState.UNDONE
        audit.note(
            "undo_publication",
            f"run:{run.id}",
            by,
            pupil_ids=pupil_ids,
            detail={"groups": len({member.group_id for member in members})},
        )


def is_outdated(run: MatchRun) -> bool:
    """Whether what a run rests on has changed since, so that it can't be published."""
    return _has_changed(run, _compare(run))


def can_be_undone(run: MatchRun) -> bool:
    """Whether a run is published and can be taken back: see `undo_publication`."""
    return run.state is RunState.PUBLISHED and _why_it_stays(run) is None


def _why_it_stays(run: MatchRun) -> LazyString | None:
    """Why a publication can't be taken back any more, in words; None where it can."""
    if run.moved_seats:
        # Who was moved has no lessons any more that could be given back.
        return _l("This matching has ended places in force, so it can't be taken back.")
    if _is_built_upon(run):
        return _l(
            "Later places were offered in the groups of this matching, by another one or by hand: "
            "take those back first."
        )
    if _has_begun(run):
        return _l("A lesson of this matching has begun, so it can't be taken back.")
    if _was_told(run):
        return _l(
            "A message about lessons of this matching has left, so it can't be taken back. End "
            "single groups instead."
        )
    return None


def _seats_of(run: MatchRun) -> list[Membership]:
    """The seats that a publication made and that have not ended, offered or accepted."""
    return list(
        db.session.scalars(
            select(Membership)
            .join(Membership.group)
            .where(
                Membership.run_id == run.id,
                Membership.ended_at.is_(None),
                Group.state.in_(LIVE_GROUPS),
            )
            .order_by(Membership.id)
            .options(joinedload(Membership.group), joinedload(Membership.request))
        )
    )


def _has_begun(run: MatchRun) -> bool:
    """Whether a lesson has begun that somebody attends by a seat of this publication."""
    begun = (
        select(Lesson.id)
        .join(Membership, Membership.group_id == Lesson.group_id)
        .where(
            Membership.run_id == run.id,
            Membership.active_since.is_not(None),
            Lesson.starts_at >= Membership.active_since,
            Lesson.starts_at <= clock.now(),
            Lesson.state != LessonState.CANCELLED,
        )
    )
    return db.session.scalar(begun.limit(1)) is not None


def _was_told(run: MatchRun) -> bool:
    """Whether a seat of this publication is known outside: to its family, or by its volunteer.

    A message about its group, or about lessons of it, went to them since it was accepted, or the
    family answered on its page whether it will be there. What a volunteer heard of the offer alone
    stands against nothing: they are told that it is taken back.
    """
    of_family = TutoringRequest.pupil_id == Pupil.id
    seats = (
        select(Membership.id)
        .join(Membership.request)
        .join(Pupil, of_family)
        .join(Lesson, Lesson.group_id == Membership.group_id)
        .where(Membership.run_id == run.id, Membership.active_since.is_not(None))
    )
    texted = (
        seats.join(Reminder, Reminder.lesson_id == Lesson.id)
        .join(Message, Message.id == Reminder.message_id)
        .where(
            or_(Reminder.household_id == Pupil.household_id, Reminder.tutor_id.is_not(None)),
            Message.handed_at >= Membership.active_since,
        )
    )
    told = (
        select(Membership.id)
        .join(Membership.request)
        .join(Pupil, of_family)
        .outerjoin(Lesson, Lesson.group_id == Membership.group_id)
        .join(
            Notice,
            or_(Notice.group_id == Membership.group_id, Notice.lesson_id == Lesson.id),
        )
        .join(Message, Message.id == Notice.message_id)
        .where(
            Membership.run_id == run.id,
            Notice.household_id == Pupil.household_id,
            Message.handed_at >= Membership.active_since,
        )
    )
    answered = seats.join(LessonAnswer, LessonAnswer.lesson_id == Lesson.id).where(
        LessonAnswer.household_id == Pupil.household_id,
        LessonAnswer.answered_at >= Membership.active_since,
    )
    return any(db.session.scalar(query.limit(1)) is not None for query in (texted, told, answered))


def _is_built_upon(run: MatchRun) -> bool:
    """Whether another run, or a coordinator by hand, has given seats in a group of this one."""
    later = (
        select(Membership.id)
        .join(Membership.group)
        .where(
            Group.run_id == run.id,
            or_(Membership.run_id.is_(None), Membership.run_id != run.id),
            Membership.ended_at.is_(None),
        )
    )
    return db.session.scalar(later.limit(1)) is not None


def _run(run_id: int, *, lock: bool = False) -> MatchRun:
    run = db.session.get(MatchRun, run_id, with_for_update=lock or None)
    if run is None:
        raise NotFound(_l("This matching does not exist."))
    return run


def _outdated() -> Conflict:
    return Conflict(
        _l("Groups, pupils or volunteers have changed since this matching. Start another one.")
    )


def _has_changed(run: MatchRun, publication: Publication) -> bool:
    """Whether the problem, made anew, differs in anything that the publication rests on.

    That is every group in force, what coordinators chose, and of what it adds the tutors, the
    families and the requests. Newcomers that the run did not know of do not matter.
    """
    then, now = read_problem(run.id), build_problem()
    if any(then[part] != now[part] for part in ("lesson_minutes", "start_every")):
        return True
    known = then["channels"].keys() & now["channels"].keys()
    if any(then["channels"][code] != now["channels"][code] for code in known):
        return True
    if _as_set(pins_in_force(then)) != _as_set(pins_in_force(now)):
        return True
    if _goes_against_choices(publication, then, now):
        return True
    rests_on = {
        "tutors": {f"T{addition.proposed.tutor_id}" for addition in publication.additions},
        "requests": {f"R{request.id}" for request in publication.added},
    }
    rests_on["households"] = {
        row["household"] for row in then["requests"] if row["id"] in rests_on["requests"]
    }
    return any(
        _rows(then[part], names) != _rows(now[part], names) for part, names in rests_on.items()
    )


def _goes_against_choices(
    publication: Publication, then: dict[str, Any], now: dict[str, Any]
) -> bool:
    """Whether it would add a pair that is ruled out by now, or pass over a pin of now.

    A pin that it keeps anyway, set since on its own proposal, does not matter; one that it rests on
    and that was taken back does.
    """
    added = {
        f"R{request.id}": addition.proposed
        for addition in publication.additions
        for request in addition.requests
    }
    if any(
        row["request"] in added and row["tutor"] == f"T{added[row['request']].tutor_id}"
        for row in now["vetoes"]
    ):
        return True
    before, after = wished_pins(then), wished_pins(now)
    new = [row for row in after if row not in before]
    gone = [row for row in before if row not in after]
    return any(
        row["request"] not in added or not keeps_pin(added[row["request"]], row) for row in new
    ) or any(
        row["request"] in added and not any(row["request"] == one["request"] for one in after)
        for row in gone
    )


def keeps_pin(group: ProposedGroup, pin: dict[str, Any]) -> bool:
    """Whether a proposed group is the place that a pin of a problem names, as far as it does."""
    return (
        f"T{group.tutor_id}" == pin["tutor"]
        and pin.get("channel") in (None, group.channel)
        and pin.get("language") in (None, group.language)
        and ("starts" not in pin or sorted(pin["starts"]) == sorted(filter(None, group.starts)))
    )


def _misses_places(run: MatchRun) -> bool:
    """Whether a place in force is one that the plan could not keep."""
    in_force = {pin["request"] for pin in pins_in_force(read_problem(run.id))}
    return any(pin["request"] in in_force for pin in read_plan(run.id)["impossible_pins"])


def _as_set(rows: list[dict[str, Any]]) -> set[str]:
    return {json.dumps(row, sort_keys=True) for row in rows}


def _rows(rows: list[dict[str, Any]], names: set[str]) -> dict[str, dict[str, Any]]:
    """Rows by id, without what spoils no plan."""
    return {
        row["id"]: {key: value for key, value in row.items() if key not in _PREFERENCES}
        for row in rows
        if row["id"] in names
    }


def _compare(run: MatchRun) -> Publication:
    seats = {member.request_id: member for member in _seats_in_force(run)}
    proposed = _proposed(run.id)
    staying = _staying(proposed, seats) if run.is_repair else seats
    additions = []
    for group in proposed:
        added = [s.request for s in group.seats if s.request_id not in staying]
        if added:
            kept = [staying[s.request_id] for s in group.seats if s.request_id in staying]
            additions.append(Addition(group, kept[0].group if kept else None, added))
    leaving = [member for request_id, member in seats.items() if request_id not in staying]
    touched = {addition.joins for addition in additions if addition.joins is not None}
    touched |= {member.group for member in leaving}
    live = select(func.count()).select_from(Group).where(Group.state.in_(LIVE_GROUPS))
    return Publication(additions, leaving, kept=(db.session.scalar(live) or 0) - len(touched))


def _seats_in_force(run: MatchRun) -> Iterable[Membership]:
    seats = (
        select(Membership)
        .join(Membership.group)
        .where(Group.state.in_(LIVE_GROUPS), Membership.ended_at.is_(None))
        .order_by(Membership.id)
        .options(joinedload(Membership.group))
    )
    if run.is_repair:
        seats = seats.options(
            joinedload(Membership.request),
            joinedload(Membership.group).selectinload(Group.memberships),
        )
    return db.session.scalars(seats)


def _staying(proposed: list[ProposedGroup], seats: dict[int, Membership]) -> dict[int, Membership]:
    """The seats that a repair leaves as they are: whom with, when and how.

    A group in which only such seats would stay as no active group can have alone ends; those are
    then offered anew in the one that takes its place.
    """
    places = {s.request_id: place_of_group(group) for group in proposed for s in group.seats}
    same: dict[Group, list[Membership]] = {}
    for request_id, member in seats.items():
        place = place_of_group(member.group)
        if place is None or places.get(request_id) == place:
            same.setdefault(member.group, []).append(member)
    return {
        member.request_id: member
        for group, members in same.items()
        if goes_on(group, members)
        for member in members
    }


def _end_places(run: MatchRun, publication: Publication, by: Coordinator | None) -> None:
    """End the seats of those whom a repair moves, with lessons and reminders."""
    offered = {request.id for request in publication.added}
    by_group: dict[Group, list[Membership]] = {}
    for member in publication.leaving:
        by_group.setdefault(member.group, []).append(member)
    for group, members in by_group.items():
        audit.note(
            "move_seats",
            f"group:{group.id}",
            by,
            pupil_ids=[member.request.pupil_id for member in members],
            detail={"run": run.id, "lost": sum(m.request_id not in offered for m in members)},
        )
    if publication.leaving:
        lock_groups(by_group)
        leave_groups(publication.leaving)


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
    if not is_vetted(proposed.tutor) or any(
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
        offer_seat(group, request, run.id)
    return group
