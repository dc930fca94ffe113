"""Other weekly times in a special period: proposed, changed or dismissed, and published.

A group gets other times where its own are forbidden in Ramadan, or more of them where exams double
its lessons. Published, its lessons of the period are moved and made at these; after the period its
weekly times are what they were.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.database import transaction
from app.extensions import db
from app.i18n import _l, format_minute
from app.models import (
    Coordinator,
    ExamEffect,
    Group,
    GroupState,
    Period,
    PeriodKind,
    PeriodStarts,
    PeriodStartsState,
)
from app.services import audit, choices
from app.services.calendar_changes import Effects, Outcome, change_calendar, preview
from app.services.choices import Place
from app.services.errors import Conflict, Invalid, NotFound
from app.services.examining import STOPS, Examination, Rule, new_faults, rule_of
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME, list_live_groups
from app.services.period_week import PeriodWeek, Starts
from app.services.periods import get_period
from app.services.problem import build_problem
from app.services.programme import matching_rules
from app.services.repairing import plan_in_force
from app.services.school_calendar import aside_in, blackout_of, read_starts, special
from scheduler import clock
from scheduler.calendar import SchoolCalendar, Start, overlaps


@dataclass(frozen=True, slots=True)
class Row:
    """A group that a period concerns, with what is proposed or published for it."""

    group: Group
    state: PeriodStartsState | None
    """None while nothing was looked for."""
    old: list[list[Any]]
    """Its own weekly times that the period takes from it, or to which others are added."""
    new: list[list[Any]]
    """Those that it gets."""

    @property
    def is_missing(self) -> bool:
        """Whether a time common to all is still to be agreed."""
        return len(self.new) < len(self.old)


def concerned(period: Period) -> list[Row]:
    """The active groups that a period concerns, those that lack a time first."""
    known = {row.group_id: row for row in _rows(period.id)}
    needs = _Needs(period)
    active = db.session.scalars(
        select(Group)
        .where(Group.state == GroupState.ACTIVE)
        .order_by(Group.id)
        .options(
            joinedload(Group.tutor).lazyload("*"),
            joinedload(Group.subject),
            joinedload(Group.level),
        )
    )
    found = []
    for group in active:
        places = needs.of(group)
        if places:
            found.append(_row(period, group, places, known.get(group.id)))
    return sorted(found, key=lambda row: (not row.is_missing, row.group.tutor.name, row.group.id))


def row_of(period: Period, group: Group) -> Row:
    """One group's; NotFound where the period does not concern it."""
    places = _Needs(period).of(group)
    if group.state is not GroupState.ACTIVE or not places:
        raise NotFound(_l("This period does not concern the group."))
    return _row(period, group, places, db.session.get(PeriodStarts, (period.id, group.id)))


def wants_times(period: Period) -> bool:
    """Whether a period gives groups other times, or more."""
    return period.kind is PeriodKind.RAMADAN or period.effect is ExamEffect.DOUBLE


def has_unpublished(period: Period) -> bool:
    """Whether times in a period wait for a coordinator: to be looked for, or to be published."""
    return period.published_at is None or any(
        row.state is None or (row.state is PeriodStartsState.PROPOSED and row.new)
        for row in concerned(period)
    )


class _Needs:
    """Which of the groups' own starts get another one in a period, or one more."""

    def __init__(self, period: Period) -> None:
        self.is_ramadan = period.kind is PeriodKind.RAMADAN
        self.doubles = period.effect is ExamEffect.DOUBLE
        self.level_ids = period.level_ids
        self.blackout = blackout_of(period)
        self.minutes = matching_rules().lesson_minutes
        self.aside = aside_in(period)

    def forbids(self, start: Start) -> bool:
        """Whether no lesson may be held then."""
        return self.blackout is not None and overlaps(start[1], self.minutes, self.blackout)

    def of(self, group: Group) -> list[int]:
        """The places of those starts."""
        concerned = self.level_ids is None or group.level_id in self.level_ids
        return [
            place
            for place, start in enumerate(read_starts(group.starts))
            if start and concerned and (self.doubles or self._falls_away(group, place, start))
        ]

    def _falls_away(self, group: Group, place: int, start: Start) -> bool:
        return self.forbids(start) or place in self.aside.get(group.id, ())

    def as_held(self, group: Group, given: Starts) -> Starts:
        """When a group meets in the period; None for what is not agreed, or forbidden."""
        forbidden = self.of(group) if self.is_ramadan else []
        held: Starts = []
        for place, own in enumerate(group.starts):
            other = given[place] if place < len(given) else None
            held.append(other or (None if place in forbidden else own))
        return held + given[len(group.starts) :]


def _row(period: Period, group: Group, places: list[int], row: PeriodStarts | None) -> Row:
    given = [] if row is None else row.starts
    if period.kind is PeriodKind.RAMADAN:
        new = [given[place] for place in places if place < len(given)]
    else:
        new = given[len(group.starts) :]
    return Row(
        group=group,
        state=None if row is None else row.state,
        old=[start for place in places if (start := group.starts[place])],
        new=[start for start in new if start is not None],
    )


# --- proposing


def propose_starts(period_id: int, by: Coordinator | None) -> int:
    """Look for the times that active groups need in a period; for how many groups it looked.

    What a coordinator changed, dismissed or published stays as it is.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        period = get_period(period_id)
        for row in _rows(period.id):
            if row.state is PeriodStartsState.PROPOSED and row.decided_by_id is None:
                db.session.delete(row)
        db.session.flush()
        kept = {row.group_id: row for row in _rows(period.id)}
        week = PeriodWeek(period, _given(kept.values()))
        needs = _Needs(period)
        found = week.propose(
            group
            for group in week.groups.values()
            if group.state is GroupState.ACTIVE and group.id not in kept and needs.of(group)
        )
        db.session.add_all(
            PeriodStarts(
                period_id=period.id,
                group_id=group_id,
                starts=starts,
                state=PeriodStartsState.PROPOSED,
            )
            for group_id, starts in found.items()
        )
        audit.note("propose_starts", f"period:{period.id}", by, detail={"groups": len(found)})
    return len(found)


def examine_starts(period_id: int, group_id: int, new: Sequence[list[str]]) -> Examination:
    """What these times in a period would break, by the rules of all places by hand."""
    period, group = get_period(period_id), _group(group_id)
    starts = _checked(period, group, new)
    problem = build_problem()
    given = _given(_rows(period.id))
    needs = _Needs(period)
    held = {
        f"G{one.id}": [start for start in needs.as_held(one, given.get(one.id, [])) if start]
        for one in list_live_groups()
    }
    own = f"G{group.id}"
    rows = [row | {"starts": held[row["id"]]} for row in plan_in_force(problem)["groups"]]
    before = [row for row in rows if row["id"] != own and row["starts"]]
    asked = [start for start in needs.as_held(group, starts) if start]
    after = [*before, *(row | {"starts": asked} for row in rows if row["id"] == own)]
    members = {f"R{member.request_id}" for member in group.members}
    problem["pins"] = [pin for pin in problem["pins"] if pin["request"] not in members]
    rules = {rule_of(fault) for fault in new_faults(problem, before, after)}
    # More lessons than were asked for are what a period is for; unknown hours were asked for by
    # telephone. What the seats themselves break was settled when they were given.
    found = rules & {
        Rule.TUTOR_BUSY, Rule.PHONE_BUSY, Rule.PUPIL_BUSY, Rule.TUTOR_HOURS, Rule.FAMILY_HOURS,
        Rule.GRID, Rule.TOO_MANY,
    }  # fmt: skip
    return Examination(
        tutor=group.tutor,
        requests=[member.request for member in group.members],
        place=Place(group.tutor_id, [list(one) for one in new], group.channel, group.language),
        broken=[rule for rule in Rule if rule in found],
        stops=STOPS,
    )


def set_starts(
    period_id: int,
    group_id: int,
    new: Sequence[list[str]],
    overruled: Collection[Rule],
    by: Coordinator | None,
) -> None:
    """Propose times of a coordinator's own for a group, which were agreed by telephone.

    They count once they are published. Conflict where a rule is broken that can't be overruled, or
    is not among those that the coordinator overrules.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        examined = examine_starts(period_id, group_id, new)
        if examined.stopping:
            raise Conflict(_l("A rule stands against this that nobody can overrule."))
        if not set(examined.overrulable) <= set(overruled):
            raise Conflict(_l("Tick each broken rule that you overrule."))
        period, group = get_period(period_id), _group(group_id)
        row = _row_to_change(period, group)
        row.starts = _checked(period, group, new)
        _decide(row, PeriodStartsState.PROPOSED, by, "set_period_starts")


def dismiss_starts(period_id: int, group_id: int, by: Coordinator | None) -> None:
    """Give a group no other times: at hours that are forbidden it has no lessons, nor more."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        row = _row_to_change(get_period(period_id), _group(group_id))
        row.starts = [None for _start in row.starts]
        _decide(row, PeriodStartsState.DISMISSED, by, "dismiss_period_starts")


def _row_to_change(period: Period, group: Group) -> PeriodStarts:
    row = db.session.get(PeriodStarts, (period.id, group.id))
    if row is None:
        row = PeriodStarts(
            period_id=period.id,
            group_id=group.id,
            starts=[None] * len(group.starts),
            state=PeriodStartsState.PROPOSED,
        )
        db.session.add(row)
    elif row.state is PeriodStartsState.PUBLISHED:
        raise Conflict(_l("These times are published: move the lessons one by one."))
    return row


# --- publishing


def preview_publication(period_id: int) -> Effects:
    """What publishing a period would do to lessons."""
    period = get_period(period_id)
    rows = [row for row in _rows(period.id) if row.state is not PeriodStartsState.DISMISSED]
    starts = {row.group_id: read_starts(row.starts) for row in rows}

    def after(calendar: SchoolCalendar) -> SchoolCalendar:
        others = tuple(one for one in calendar.periods if one.id != period.id)
        return replace(calendar, periods=(*others, special(period, starts)))

    return preview(after)


def publish_starts(period_id: int, by: Coordinator | None, *, agreed: int = 0) -> Outcome:
    """Have lessons follow a period, at the times that are proposed; all concerned are told.

    `agreed` as in `change_calendar`. What is proposed later is published in the same way. Conflict
    where a time meets another lesson by now.
    """

    def change() -> None:
        period = get_period(period_id)
        if not wants_times(period):
            raise Conflict(_l("This period gives groups no other times."))
        rows = [row for row in _rows(period.id) if row.state is PeriodStartsState.PROPOSED]
        week = PeriodWeek(period, _given(_rows(period.id)))
        for row in rows:
            group = week.groups.get(row.group_id)
            if group is None or not any(row.starts):
                continue
            if week.clashes(group):
                raise Conflict(
                    _l(
                        "The times proposed for %(name)s meet other lessons by now. Change them,"
                        " or look for times again.",
                        name=group.tutor.name,
                    )
                )
            row.state = PeriodStartsState.PUBLISHED
            row.decided_at = clock.now()
            row.decided_by_id = None if by is None else by.id
        period.published_at = period.published_at or clock.now()
        audit.note("publish_period", f"period:{period.id}", by, detail={"groups": len(rows)})

    return change_calendar(change, agreed)


# ---


def _rows(period_id: int) -> list[PeriodStarts]:
    return list(
        db.session.scalars(
            select(PeriodStarts)
            .where(PeriodStarts.period_id == period_id)
            .order_by(PeriodStarts.group_id)
        )
    )


def _given(rows: Collection[PeriodStarts]) -> dict[int, Starts]:
    return {row.group_id: row.starts for row in rows}


def _group(group_id: int) -> Group:
    group = db.session.get(Group, group_id)
    if group is None or group.state is not GroupState.ACTIVE:
        raise NotFound(_l("This group does not exist."))
    return group


def _checked(period: Period, group: Group, new: Sequence[list[str]]) -> Starts:
    """Times as rows keep them: in the places of those that they replace, or after all."""
    needs = _Needs(period)
    places = needs.of(group)
    if len(new) != len(places):
        raise Invalid(_l("Give a time for each weekly lesson."))
    if needs.is_ramadan:
        starts: Starts = [None] * len(group.starts)
        for place, start in zip(places, new, strict=True):
            starts[place] = list(start)
    else:
        starts = [None] * len(group.starts) + [list(start) for start in new]
    choices.check_starts([start for start in needs.as_held(group, starts) if start])
    for wanted in read_starts(starts):
        if wanted and needs.blackout and needs.forbids(wanted):
            raise Invalid(
                _l(
                    "No lesson is held from %(begins)s to %(ends)s.",
                    begins=format_minute(needs.blackout[0]),
                    ends=format_minute(needs.blackout[1]),
                )
            )
    return starts


def _decide(
    row: PeriodStarts, state: PeriodStartsState, by: Coordinator | None, action: str
) -> None:
    row.state = state
    row.decided_at = clock.now()
    row.decided_by_id = None if by is None else by.id
    db.session.flush()
    audit.note(
        action, f"period:{row.period_id}", by, detail={"group": row.group_id, "starts": row.starts}
    )
