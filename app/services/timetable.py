"""What the coordinators' pages show of groups and lessons: who waits for an answer, what comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload, lazyload, selectinload, subqueryload

from app.extensions import db
from app.i18n import _l, plain_key
from app.models import (
    LIVE_GROUPS,
    AuditEntry,
    Group,
    GroupState,
    Household,
    Lesson,
    Membership,
    Pupil,
    Tutor,
    TutoringRequest,
)
from app.services.errors import NotFound
from app.services.masking import is_shown, is_whole
from app.services.paging import Page, page_of
from app.services.scope import Scope
from app.services.within import WITHOUT_HOURS, groups_within
from scheduler import clock

PER_PAGE = 50
DECLINED_SHOWN_FOR = timedelta(days=30)
PUBLISHING = ("publish_run", "undo_publication")
CHOICES = ("pin", "unpin", "veto", "unveto")
"""What coordinators choose for a request and a tutor, for the runs to come."""
BY_HAND = ("place_by_hand", "make_group")


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """A group as it stands, with the seats that its tutor accepted and those that are offered."""

    group: Group
    accepted: list[Membership]
    offered: list[Membership]
    """Seats that wait for the tutor's answer."""
    waiting_since: datetime | None
    """When the oldest of them was offered; None where none waits."""
    scope: Scope
    """The zones of who reads: pupils of others have no name here."""

    @property
    def seats(self) -> list[Membership]:
        return self.accepted + self.offered

    @property
    def pupil_ids(self) -> set[int]:
        """The children who are shown by name."""
        return {
            seat.request.pupil_id for seat in self.seats if is_shown(seat.request.pupil, self.scope)
        }

    @property
    def may_change(self) -> bool:
        """Whether all who ever sat in it are of the reader's zones."""
        return is_whole(self.group, self.scope)


@dataclass(frozen=True, slots=True)
class GroupStory:
    """One group with its coming lessons and all that was done to it, the oldest first."""

    entry: GroupEntry
    lessons: list[Lesson]
    acts: list[AuditEntry]
    lesson_starts: dict[int, datetime]
    """The wall time of each lesson that the group ever had, by id."""

    @property
    def pupil_ids(self) -> set[int]:
        return self.entry.pupil_ids


def find_groups(
    name: str, state: GroupState | None, tutor_id: int | None, page_number: int, scope: Scope
) -> tuple[list[GroupEntry], Page]:
    """One page of the groups of these zones in which the tutor's or a pupil's name contains `name`.

    First those that wait for an answer, the longest first; then the active; then what ended, the
    newest first. Without a state these are the groups in force and what was declined of late; the
    state "offered" includes active groups that somebody is to join.
    """
    rows = db.session.scalars(
        select(Group)
        .where(*_wanted(state, tutor_id), groups_within(scope, Group.id))
        .options(*_with_people(), joinedload(Group.subject), joinedload(Group.level))
    ).all()
    entries = _entries(rows, scope)
    if state is GroupState.OFFERED:
        entries = [entry for entry in entries if entry.offered]
    found = sorted((entry for entry in entries if _named(entry, name)), key=_place)
    page = page_of(len(found), page_number, PER_PAGE)
    return list(page.cut(found)), page


def read_group(group_id: int, scope: Scope) -> GroupStory:
    """A group with its members' families and consents, its lessons and its story.

    What was done to pupils of other zones alone is left out of the story.
    """
    group = db.session.scalar(
        select(Group)
        .where(Group.id == group_id)
        .options(
            *_with_people(),
            joinedload(Group.subject),
            joinedload(Group.level),
            joinedload(Group.decided_by),
        )
    )
    if group is None:
        raise NotFound(_l("This group does not exist."))
    members = select(TutoringRequest.pupil_id).where(
        TutoringRequest.id.in_([seat.request_id for seat in group.memberships])
    )
    db.session.scalars(
        select(Pupil).where(Pupil.id.in_(members)).options(selectinload(Pupil.consents))
    ).all()
    lessons = db.session.scalars(
        select(Lesson).where(Lesson.group_id == group.id).order_by(Lesson.starts_at, Lesson.id)
    ).all()
    now = clock.now()
    return GroupStory(
        entry=_entries([group], scope)[0],
        lessons=[lesson for lesson in lessons if lesson.starts_at > now],
        acts=_shown(_acts(group, [lesson.id for lesson in lessons]), group, scope),
        lesson_starts={lesson.id: lesson.wall_start for lesson in lessons},
    )


def get_lesson(lesson_id: int) -> Lesson:
    """The lesson of that id; NotFound if there is none."""
    lesson = db.session.get(Lesson, lesson_id)
    if lesson is None:
        raise NotFound(_l("This lesson does not exist."))
    return lesson


def acts_on(subjects: Iterable[str], *, only: tuple[str, ...] | None = None) -> list[AuditEntry]:
    """What was done to these subjects, the oldest first; views are left out."""
    query = select(AuditEntry).where(
        AuditEntry.subject.in_(list(subjects)), AuditEntry.action != "view"
    )
    if only is not None:
        query = query.where(AuditEntry.action.in_(only))
    return list(
        db.session.scalars(
            query.options(joinedload(AuditEntry.coordinator)).order_by(AuditEntry.id)
        )
    )


def _acts(group: Group, lesson_ids: list[int]) -> list[AuditEntry]:
    own = acts_on([f"group:{group.id}", *(f"lesson:{number}" for number in lesson_ids)])
    runs = {group.run_id, *(seat.run_id for seat in group.memberships)}
    published = acts_on([f"run:{number}" for number in runs], only=PUBLISHING)
    requests = [f"request:{seat.request_id}" for seat in group.memberships]
    chosen = [
        act
        for act in acts_on(requests, only=CHOICES)
        if act.detail.get("with_tutor") == group.tutor_id
    ]
    return sorted(own + published + chosen, key=lambda act: act.id)


def _wanted(state: GroupState | None, tutor_id: int | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if tutor_id is not None:
        conditions.append(Group.tutor_id == tutor_id)
    if state is GroupState.OFFERED:
        conditions.append(Group.state.in_(LIVE_GROUPS))
    elif state is not None:
        conditions.append(Group.state == state)
    else:
        recently = clock.now() - DECLINED_SHOWN_FOR
        declined = (Group.state == GroupState.DECLINED) & (Group.ended_at > recently)
        conditions.append(or_(Group.state.in_(LIVE_GROUPS), declined))
    return conditions


def _with_people() -> tuple[Any, ...]:
    """The tutor, and all who ever had a seat, with zone; not what else is known of them."""
    return (
        joinedload(Group.tutor).options(lazyload("*")),
        subqueryload(Group.memberships)
        .joinedload(Membership.request)
        .joinedload(TutoringRequest.pupil)
        .joinedload(Pupil.household)
        .options(*WITHOUT_HOURS, joinedload(Household.zone)),
    )


def _shown(acts: list[AuditEntry], group: Group, scope: Scope) -> list[AuditEntry]:
    pupils = {seat.request.pupil_id: seat.request.pupil for seat in group.memberships}
    own = {number for number, pupil in pupils.items() if is_shown(pupil, scope)}
    return [
        act
        for act in acts
        if scope.is_everywhere or not act.pupil_ids or not own.isdisjoint(act.pupil_ids)
    ]


def _entries(groups: Iterable[Group], scope: Scope) -> list[GroupEntry]:
    listed = list(groups)
    waiting = {
        seat.run_id for group in listed for seat in group.members if seat.active_since is None
    }
    published = {
        act.subject: act.at
        for act in acts_on([f"run:{number}" for number in waiting], only=PUBLISHING[:1])
    }
    by_hand = _given_by_hand(listed)
    entries = []
    for group in listed:
        live = group.state in LIVE_GROUPS
        # A group that was declined or ended keeps showing whom it was for.
        seats = group.members if live else group.memberships
        offered = [seat for seat in seats if live and seat.active_since is None]
        entries.append(
            GroupEntry(
                group=group,
                accepted=[seat for seat in seats if seat not in offered],
                offered=offered,
                waiting_since=min(
                    (
                        by_hand.get((group.id, seat.request.pupil_id), group.offered_at)
                        if seat.run_id is None
                        else published.get(f"run:{seat.run_id}", group.offered_at)
                        for seat in offered
                    ),
                    default=None,
                ),
                scope=scope,
            )
        )
    return entries


def _given_by_hand(groups: Iterable[Group]) -> dict[tuple[int, int], datetime]:
    """When a coordinator last offered a seat by hand, by group and pupil."""
    ids = {
        group.id
        for group in groups
        if any(seat.run_id is None and seat.active_since is None for seat in group.members)
    }
    given = acts_on([f"group:{number}" for number in ids], only=BY_HAND)
    return {
        (int(act.subject.partition(":")[2]), pupil_id): act.at
        for act in given
        for pupil_id in act.pupil_ids
    }


def _named(entry: GroupEntry, searched: str) -> bool:
    key = plain_key(searched)
    people: list[Tutor | Pupil] = [entry.group.tutor]
    people += [
        seat.request.pupil for seat in entry.seats if is_shown(seat.request.pupil, entry.scope)
    ]
    return any(
        key in plain_key(text)
        for person in people
        for text in (person.first_name + person.last_name, person.last_name + person.first_name)
    )


def _place(entry: GroupEntry) -> tuple[int, float, str, int]:
    group = entry.group
    if entry.waiting_since is not None:
        return 0, entry.waiting_since.timestamp(), "", group.id
    if group.state is GroupState.ACTIVE:
        return 1, 0, plain_key(group.tutor.last_name + group.tutor.first_name), group.id
    ended = group.ended_at or group.offered_at
    return 2, -ended.timestamp(), "", group.id
