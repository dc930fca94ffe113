"""Who could give one lesson in its tutor's place, and why the others can't.

Whether somebody fits is asked of the matching's own checker: of a problem that holds this lesson's
requests alone, whose families offer the lesson's own time, way and language, and of a plan that
puts them with that tutor. What it can't know, since it knows weeks and no dates, is looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import subqueryload

import matching
from app.extensions import db
from app.i18n import format_minute
from app.models import (
    DAYS,
    Channel,
    Group,
    Lesson,
    LessonState,
    OfferState,
    Substitution,
    SubstitutionOffer,
    Tutor,
    TutorAbsence,
    TutoringRequest,
    TutorState,
    TutorSubject,
    Veto,
)
from app.models.weekly import MINUTES_PER_DAY
from app.services.examining import Rule, rule_of
from app.services.problem import tutor_rows
from app.services.repairing import plan_in_force
from app.services.vetting_term import expires_on, is_vetted
from scheduler import clock

MARGIN: Final = timedelta(minutes=15)
"""What is left free before and after the lesson of a child whom one does not know."""
LATELY: Final = timedelta(days=28)
LONGEST_LESSON: Final = timedelta(hours=4)


class Hindrance(StrEnum):
    """Why somebody does not give a lesson in another's place, in the order in which it is said."""

    NOT_VETTED = "not_vetted"
    BUSY = "busy"
    VETOED = "vetoed"
    NEEDS = "needs"
    NOT_TAUGHT = "not_taught"
    CHANNEL = "channel"
    LANGUAGE = "language"
    AWAY = "away"
    HOURS = "hours"
    HOURS_UNKNOWN = "hours_unknown"
    NO_LESSONS = "no_lessons"
    SAID_NO = "said_no"


STOPS: Final = frozenset({Hindrance.NOT_VETTED, Hindrance.BUSY, Hindrance.VETOED, Hindrance.NEEDS})
"""What no coordinator can overrule either."""
_OF_RULE: Final = {
    Rule.VETOED: Hindrance.VETOED,
    Rule.NEEDS: Hindrance.NEEDS,
    Rule.NOT_TAUGHT: Hindrance.NOT_TAUGHT,
    Rule.TUTOR_CHANNEL: Hindrance.CHANNEL,
    Rule.TUTOR_LANGUAGE: Hindrance.LANGUAGE,
    Rule.TUTOR_HOURS: Hindrance.HOURS,
    Rule.HOURS_UNKNOWN: Hindrance.HOURS_UNKNOWN,
    Rule.TOO_MANY: Hindrance.NO_LESSONS,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tutor, and what stands against their giving a lesson; nothing where they fit."""

    tutor: Tutor
    hindrances: list[Hindrance]

    @property
    def fits(self) -> bool:
        return not self.hindrances

    @property
    def may_be_given(self) -> bool:
        """Whether a coordinator who agreed it with them may give them the lesson."""
        return STOPS.isdisjoint(self.hindrances)


def find_substitutes(lesson: Lesson, but: Collection[int]) -> list[Tutor]:
    """The tutors who can give a lesson, in the order in which they are asked, without some."""
    return [row.tutor for row in list_candidates(lesson, but) if row.fits]


def list_candidates(lesson: Lesson, but: Collection[int] = ()) -> list[Candidate]:
    """All who teach a lesson's subject at its level, without some and its tutor.

    First those who fit: who gives the fewest lessons that week comes first, then who stood in the
    least of late, then who lives by the families' clock.
    """
    group = lesson.group
    teachers = db.session.scalars(
        select(Tutor)
        .join(TutorSubject, TutorSubject.tutor_id == Tutor.id)
        .where(
            TutorSubject.subject_id == group.subject_id,
            TutorSubject.level_id == group.level_id,
            Tutor.state.in_((TutorState.VETTED, TutorState.PAUSED)),
            Tutor.id.not_in({*but, group.tutor_id}),
        )
        .order_by(Tutor.id)
        .options(
            # In one statement each, however many teach the subject.
            subqueryload(Tutor.teaches),
            subqueryload(Tutor.channels),
            subqueryload(Tutor.languages),
            subqueryload(Tutor.windows),
            subqueryload(Tutor.tags),
        )
    ).all()
    found = judge(lesson, teachers)
    given, lately = _given_that_week(lesson), _stood_in_lately()
    return sorted(
        (Candidate(tutor, found[tutor.id]) for tutor in teachers),
        key=lambda row: (
            not row.fits,
            not row.may_be_given,
            row.tutor.messages_stopped_at is not None,
            given.get(row.tutor.id, 0),
            lately.get(row.tutor.id, 0),
            row.tutor.time_zone is not None,
            row.tutor.id,
        ),
    )


def judge(lesson: Lesson, tutors: Collection[Tutor]) -> dict[int, list[Hindrance]]:
    """By tutor, what stands against their giving a lesson."""
    ids = [tutor.id for tutor in tutors]
    broken = _found_by_matching(lesson, tutors)
    busy = _busy(lesson, ids)
    away = _away(lesson, ids)
    refused = _refused(lesson)
    day = lesson.wall_start.date()
    found = {}
    for tutor in tutors:
        hindrances = set(broken[tutor.id])
        expiry = expires_on(tutor)
        if not is_vetted(tutor) or expiry is None or expiry <= day:
            hindrances.add(Hindrance.NOT_VETTED)
        if tutor.id in busy:
            hindrances.add(Hindrance.BUSY)
        if tutor.id in away:
            hindrances.add(Hindrance.AWAY)
        if tutor.id in refused:
            hindrances.add(Hindrance.SAID_NO)
        found[tutor.id] = [one for one in Hindrance if one in hindrances]
    return found


def seated(lesson: Lesson) -> list[TutoringRequest]:
    """The requests that a lesson to come is for."""
    return [seat.request for seat in lesson.group.members if seat.active_since is not None]


def _found_by_matching(lesson: Lesson, tutors: Collection[Tutor]) -> dict[int, set[Hindrance]]:
    requests = seated(lesson)
    problem = _problem(lesson, requests)
    rows = tutor_rows(tutors, {lesson.group.channel})
    vetoes = _vetoes([request.id for request in requests])
    return {
        tutor.id: _hindrances(
            problem
            | {"tutors": [row], "vetoes": [one for one in vetoes if one["tutor"] == row["id"]]},
            lesson,
        )
        for tutor, row in zip(tutors, rows, strict=True)
    }


def _hindrances(problem: dict[str, Any], lesson: Lesson) -> set[Hindrance]:
    group = lesson.group
    plan = plan_in_force(problem) | {
        "groups": [
            {
                "id": "lesson",
                "tutor": problem["tutors"][0]["id"],
                "subject": group.subject.code,
                "level": group.level.code,
                "channel": group.channel,
                "language": group.language,
                "starts": [_start(lesson.wall_start)],
                "requests": [row["id"] for row in problem["requests"]],
            }
        ]
    }
    wrong = matching.check(matching.read_problem(problem), matching.read_plan(plan))
    rules = {rule_of(violation) for violation in wrong}
    return {_OF_RULE[rule] for rule in rules if rule in _OF_RULE}


def _problem(lesson: Lesson, requests: Iterable[TutoringRequest]) -> dict[str, Any]:
    """The lesson as a problem: what its families agreed to is all that they offer."""
    group, wall = lesson.group, lesson.wall_start
    begins = 60 * wall.hour + wall.minute
    ends = min(begins + lesson.minutes, MINUTES_PER_DAY)
    members = list(requests)
    return {
        "format": "n9raw-problem/1",
        "lesson_minutes": lesson.minutes,
        "start_every": 1,
        "channels": {
            row.code: {"max_group": row.max_group, "cost": row.cost}
            for row in db.session.scalars(select(Channel))
        },
        "tutors": [],
        "households": [
            {
                "id": f"H{number}",
                "zone": "all",
                "channels": [group.channel],
                "languages": [group.language],
                "reachable": [[DAYS[wall.weekday()], format_minute(begins), format_minute(ends)]],
            }
            for number in sorted({request.pupil.household_id for request in members})
        ],
        "requests": [
            {
                "id": f"R{request.id}",
                "pupil": f"P{request.pupil_id}",
                "household": f"H{request.pupil.household_id}",
                "subject": group.subject.code,
                "level": group.level.code,
                "lessons_per_week": 1,
                "weight": 1,
                "needs": sorted(need.tag for need in request.pupil.needs),
            }
            for request in members
        ],
        "pins": [],
        "vetoes": [],
    }


def _start(wall: datetime) -> list[str]:
    return [DAYS[wall.weekday()], f"{wall:%H:%M}"]


def _vetoes(request_ids: list[int]) -> list[dict[str, str]]:
    rows = db.session.execute(
        select(Veto.request_id, Veto.tutor_id).where(Veto.request_id.in_(request_ids))
    )
    return [{"request": f"R{request}", "tutor": f"T{tutor}"} for request, tutor in rows]


def _busy(lesson: Lesson, tutor_ids: Collection[int]) -> set[int]:
    """Those of the tutors who give another lesson then, or right before or after it.

    Who had somebody found for their own lesson of that hour can't give another's either.
    """
    first = lesson.starts_at - MARGIN
    last = lesson.starts_at + timedelta(minutes=lesson.minutes) + MARGIN
    rows = db.session.execute(
        select(Lesson.substitute_id, Group.tutor_id, Lesson.starts_at, Lesson.minutes)
        .join(Lesson.group)
        .where(
            or_(Lesson.substitute_id.in_(tutor_ids), Group.tutor_id.in_(tutor_ids)),
            Lesson.id != lesson.id,
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > first - LONGEST_LESSON,
            Lesson.starts_at < last,
        )
    )
    return {
        tutor_id
        for substitute_id, own_id, starts_at, minutes in rows
        for tutor_id in (substitute_id, own_id)
        if tutor_id is not None and starts_at + timedelta(minutes=minutes) > first
    }


def _away(lesson: Lesson, tutor_ids: Collection[int]) -> set[int]:
    day = lesson.wall_start.date()
    away = select(TutorAbsence.tutor_id).where(
        TutorAbsence.tutor_id.in_(tutor_ids),
        TutorAbsence.first_day <= day,
        TutorAbsence.last_day >= day,
    )
    return set(db.session.scalars(away))


def _refused(lesson: Lesson) -> set[int]:
    """Those who said already that they can't give it, or that they can't after all."""
    return set(
        db.session.scalars(
            select(SubstitutionOffer.tutor_id)
            .join(SubstitutionOffer.substitution)
            .where(
                Substitution.lesson_id == lesson.id,
                SubstitutionOffer.state == OfferState.DECLINED,
            )
        )
    )


def _given_that_week(lesson: Lesson) -> dict[int, int]:
    """How many lessons each tutor gives in the week of this one."""
    day = lesson.wall_start.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = day - timedelta(days=day.weekday())
    giver = func.coalesce(Lesson.substitute_id, Group.tutor_id)
    rows = db.session.execute(
        select(giver, func.count())
        .select_from(Lesson)
        .join(Lesson.group)
        .where(
            Lesson.state != LessonState.CANCELLED,
            Lesson.wall_start >= monday,
            Lesson.wall_start < monday + timedelta(days=7),
        )
        .group_by(giver)
    )
    return {tutor_id: number for tutor_id, number in rows}  # noqa: C416


def _stood_in_lately() -> dict[int, int]:
    rows = db.session.execute(
        select(Lesson.substitute_id, func.count())
        .where(
            Lesson.substitute_id.is_not(None),
            Lesson.state != LessonState.CANCELLED,
            Lesson.starts_at > clock.now() - LATELY,
        )
        .group_by(Lesson.substitute_id)
    )
    return {tutor_id: number for tutor_id, number in rows if tutor_id is not None}
