"""Figures: who asked, who is served, who waits and why; lessons held and hours given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from flask import current_app
from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import aliased

from app.extensions import db
from app.i18n import _l, page_locale
from app.models import (
    LIVE_GROUPS,
    Consent,
    ConsentKind,
    Group,
    Household,
    Lesson,
    LessonState,
    Level,
    MatchRun,
    Membership,
    ProposedGroup,
    ProposedSeat,
    Pupil,
    RequestState,
    RunState,
    Subject,
    TutoringRequest,
    UnservedRequest,
    Zone,
)
from app.services.scope import Scope
from app.services.within import groups_within
from scheduler import clock

WEEKS_SHOWN: Final = 8
_FINISHED: Final = (RunState.DONE, RunState.PUBLISHED, RunState.UNDONE)


class Standing(StrEnum):
    """How a request stands: served, or what it waits for. The middle ones are a run's reasons."""

    SERVED = "served"
    OFFERED = "offered"
    PROPOSED = "proposed"
    NO_TUTOR = "no_tutor"
    NEEDS_UNMET = "needs_unmet"
    TOO_FEW_LESSONS = "too_few_lessons"
    VETOED = "vetoed"
    TAKEN = "taken"
    NO_COMMON_CHANNEL = "no_common_channel"
    NO_COMMON_LANGUAGE = "no_common_language"
    NO_COMMON_TIME = "no_common_time"
    PHONE_BUSY = "phone_busy"
    NOT_MATCHED = "not_matched"
    """The newest run did not know it yet."""
    NO_CONSENT = "no_consent"
    TO_CONFIRM = "to_confirm"


class Share(StrEnum):
    """The parts of a bar: standings that ask for the same thing to be done."""

    SERVED = "served"
    COMING = "coming"
    VOLUNTEERS = "volunteers"
    MEETING = "meeting"
    MATCHING = "matching"
    STAFF = "staff"


STANDING_WORDS: Final = {
    Standing.SERVED: _l("Served"),
    Standing.OFFERED: _l("offered: the volunteer has not answered yet"),
    Standing.PROPOSED: _l("proposed: the matching is not published yet"),
    Standing.NO_TUTOR: _l("nobody teaches it"),
    Standing.NEEDS_UNMET: _l("no volunteer meets the needs"),
    Standing.TOO_FEW_LESSONS: _l("no volunteer gives that many lessons"),
    Standing.VETOED: _l("every volunteer was ruled out"),
    Standing.TAKEN: _l("every place is taken"),
    Standing.NO_COMMON_CHANNEL: _l("no common channel"),
    Standing.NO_COMMON_LANGUAGE: _l("no common language"),
    Standing.NO_COMMON_TIME: _l("no common time"),
    Standing.PHONE_BUSY: _l("the telephone is in other lessons"),
    Standing.NOT_MATCHED: _l("in no matching yet"),
    Standing.NO_CONSENT: _l("no consent"),
    Standing.TO_CONFIRM: _l("to be confirmed"),
}
SHARE_WORDS: Final = {
    Share.SERVED: _l("Served"),
    Share.COMING: _l("Offered or proposed"),
    Share.VOLUNTEERS: _l("Waiting: volunteers lack"),
    Share.MEETING: _l("Waiting: no common time or way"),
    Share.MATCHING: _l("Waiting for a matching"),
    Share.STAFF: _l("Waiting for consent or confirmation"),
}
PARTS: Final = {
    Share.SERVED: (Standing.SERVED,),
    Share.COMING: (Standing.OFFERED, Standing.PROPOSED),
    Share.VOLUNTEERS: (
        Standing.NO_TUTOR,
        Standing.NEEDS_UNMET,
        Standing.TOO_FEW_LESSONS,
        Standing.VETOED,
        Standing.TAKEN,
    ),
    Share.MEETING: (
        Standing.NO_COMMON_CHANNEL,
        Standing.NO_COMMON_LANGUAGE,
        Standing.NO_COMMON_TIME,
        Standing.PHONE_BUSY,
    ),
    Share.MATCHING: (Standing.NOT_MATCHED,),
    Share.STAFF: (Standing.NO_CONSENT, Standing.TO_CONFIRM),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """How many requests of one zone, subject and level stand alike."""

    zone: Zone
    subject: Subject
    level: Level
    standing: Standing
    requests: int


@dataclass(slots=True)
class Bar:
    """The requests of one zone, subject or level."""

    name: str
    counts: Counter[Standing] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        return self.counts.total()

    @property
    def served(self) -> int:
        return self.counts[Standing.SERVED]

    @property
    def waiting(self) -> int:
        return self.asked - self.served

    @property
    def reasons(self) -> list[tuple[Standing, int]]:
        """Why those who wait do, in the order of `Standing`."""
        found = ((standing, self.counts[standing]) for standing in Standing)
        return [(s, number) for s, number in found if number and s is not Standing.SERVED]

    def share(self, part: Share) -> int:
        """How many requests a part of the bar stands for."""
        return sum(self.counts[standing] for standing in PARTS[part])


@dataclass(frozen=True, slots=True)
class Week:
    """The lessons that one week from Monday had: held, not held, cancelled, not noted."""

    first_day: date
    lessons: Counter[LessonState]
    minutes: int
    """Of those held."""

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=6)

    @property
    def held(self) -> int:
        return self.lessons[LessonState.HELD]

    @property
    def missed(self) -> int:
        """Lessons that took place without the pupil, or not at all."""
        states = (LessonState.PUPIL_ABSENT, LessonState.NOT_HELD, LessonState.CANCELLED)
        return sum(self.lessons[state] for state in states)

    @property
    def not_noted(self) -> int:
        """Lessons of which nobody said anything yet."""
        return self.lessons[LessonState.PLANNED]

    @property
    def total(self) -> int:
        return self.lessons.total()

    @property
    def hours(self) -> float:
        return self.minutes / 60


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the page of figures shows."""

    zones: list[Bar]
    subjects: list[Bar]
    levels: list[Bar]
    whole: Bar
    weeks: list[Week]
    run: MatchRun | None
    """The matching whose reasons are given."""


def read_figures(scope: Scope) -> Figures:
    """Count the requests of these zones that have not ended, and the lessons of eight weeks."""
    cells = count_requests(scope)
    locale = page_locale()
    by_rank = sorted(cells, key=lambda cell: cell.level.rank)
    return Figures(
        zones=_longest_first(_bars((cell.zone.name_in(locale), cell) for cell in cells)),
        subjects=_longest_first(_bars((cell.subject.name_in(locale), cell) for cell in cells)),
        levels=_bars((cell.level.name_in(locale), cell) for cell in by_rank),
        whole=next(iter(_bars(("", cell) for cell in cells)), Bar("")),
        weeks=count_lessons(scope),
        run=_newest_run(),
    )


def count_requests(scope: Scope) -> list[Cell]:
    """How requests of these zones stand, by zone, subject and level; what has ended is left out."""
    run = _newest_run()
    standing = _standing(run)
    one = (
        select(
            Household.zone_id.label("zone_id"),
            TutoringRequest.subject_id.label("subject_id"),
            TutoringRequest.level_id.label("level_id"),
            standing.label("standing"),
        )
        .select_from(TutoringRequest)
        .join(TutoringRequest.pupil)
        .join(Pupil.household)
        .outerjoin(
            UnservedRequest,
            (UnservedRequest.request_id == TutoringRequest.id)
            & (UnservedRequest.run_id == (0 if run is None else run.id)),
        )
        .where(TutoringRequest.state != RequestState.ENDED, scope.limits(Household.zone_id))
        .subquery()
    )
    columns = (one.c.zone_id, one.c.subject_id, one.c.level_id, one.c.standing)
    rows = db.session.execute(select(*columns, func.count()).group_by(*columns)).all()
    zones = {row.id: row for row in db.session.scalars(select(Zone))}
    subjects = {row.id: row for row in db.session.scalars(select(Subject))}
    levels = {row.id: row for row in db.session.scalars(select(Level))}
    return sorted(
        (
            Cell(zones[zone], subjects[subject], levels[level], Standing(standing), number)
            for zone, subject, level, standing, number in rows
        ),
        key=lambda cell: (cell.zone.key, cell.subject.code, cell.level.rank, cell.standing),
    )


def count_lessons(scope: Scope) -> list[Week]:
    """The lessons of the last eight weeks, this one included, that have begun; the newest last."""
    now = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone)
    monday = now.date() - timedelta(days=now.weekday())
    first = monday - timedelta(weeks=WEEKS_SHOWN - 1)
    lessons: dict[date, Counter[LessonState]] = {}
    minutes: Counter[date] = Counter()
    # One row a start and state: the weeks are cut here, since the databases differ on dates.
    counted = db.session.execute(
        select(Lesson.wall_start, Lesson.state, func.count(), func.sum(Lesson.minutes))
        .where(
            Lesson.wall_start >= datetime.combine(first, time()),
            Lesson.wall_start <= now,
            groups_within(scope, Lesson.group_id),
        )
        .group_by(Lesson.wall_start, Lesson.state)
    )
    for wall_start, state, number, length in counted:
        week = wall_start.date() - timedelta(days=wall_start.weekday())
        lessons.setdefault(week, Counter())[state] += number
        if state is LessonState.HELD:
            minutes[week] += int(length)
    weeks = [first + timedelta(weeks=number) for number in range(WEEKS_SHOWN)]
    return [Week(week, lessons.get(week, Counter()), minutes[week]) for week in weeks]


def _newest_run() -> MatchRun | None:
    return db.session.scalar(
        select(MatchRun).where(MatchRun.state.in_(_FINISHED)).order_by(MatchRun.id.desc()).limit(1)
    )


def _standing(run: MatchRun | None) -> ColumnElement[str]:
    """The first that is true of a request, of a query that joins what the run left unserved."""
    newest = (
        select(func.max(Consent.id))
        .where(Consent.kind == ConsentKind.LESSONS)
        .group_by(Consent.pupil_id)
    )
    consenting = select(Consent.pupil_id).where(Consent.id.in_(newest), Consent.given)
    seat, group = aliased(Membership), aliased(Group)
    offered = (
        select(seat.request_id)
        .join(group, group.id == seat.group_id)
        .where(seat.ended_at.is_(None), seat.active_since.is_(None), group.state.in_(LIVE_GROUPS))
    )
    request = TutoringRequest
    conditions: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [
        (request.state == RequestState.SERVED, literal(Standing.SERVED.value)),
        (request.state == RequestState.TO_CONFIRM, literal(Standing.TO_CONFIRM.value)),
        (request.pupil_id.not_in(consenting), literal(Standing.NO_CONSENT.value)),
        (request.id.in_(offered), literal(Standing.OFFERED.value)),
    ]
    if run is not None and run.state is RunState.DONE:
        proposed = (
            select(ProposedSeat.request_id)
            .join(ProposedGroup, ProposedGroup.id == ProposedSeat.group_id)
            .where(ProposedGroup.run_id == run.id)
        )
        conditions.append((request.id.in_(proposed), literal(Standing.PROPOSED.value)))
    return case(
        *conditions,
        else_=func.coalesce(UnservedRequest.reason, literal(Standing.NOT_MATCHED.value)),
    )


def _bars(named: Iterable[tuple[str, Cell]]) -> list[Bar]:
    bars: dict[str, Bar] = {}
    for name, cell in named:
        bars.setdefault(name, Bar(name)).counts[cell.standing] += cell.requests
    return list(bars.values())


def _longest_first(bars: list[Bar]) -> list[Bar]:
    """Where most wait stands on top."""
    return sorted(bars, key=lambda bar: (-bar.waiting, -bar.asked, bar.name))
