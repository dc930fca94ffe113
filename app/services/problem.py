"""The rows as a matching problem: who may be matched, with what, and when.

The problem carries ids only, no names and no numbers, so that it can be kept, sent and looked into.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.extensions import db
from app.i18n import format_minute
from app.models import (
    DAYS,
    Channel,
    ConsentKind,
    Group,
    Household,
    Level,
    Membership,
    Pupil,
    RequestState,
    Subject,
    Tutor,
    TutoringRequest,
    TutorState,
    Veto,
)
from app.models.weekly import WeeklyWindow
from app.services.consent import in_force, shares_number
from app.services.groups import list_live_groups
from app.services.programme import matching_rules


def build_problem() -> dict[str, Any]:
    """The problem as the tables stand now, in the form of docs/problem-format.md.

    In it: vetted tutors, and the waiting requests of pupils whose guardian consents to lessons. A
    household in which a matched child's guardian does not consent to groups is offered one-to-one
    variants alone, since a group shows its telephone number to others. Groups that are offered or
    active are pinned as they stand, with their requests; what a tutor declined is vetoed.
    """
    rules = matching_rules()
    channels = list(db.session.scalars(select(Channel).order_by(Channel.rank)))
    variants = {row.variant_of: row.code for row in channels if row.variant_of}
    groups = list_live_groups()
    seated = {member.request_id for group in groups for member in group.members}
    households = _households_to_match(seated)
    household_rows = [_household_row(row, channels) for row, _pupils in households]
    wanted = {code for row in household_rows for code in row["channels"]}
    tutor_rows = _tutor_rows(variants, wanted, {group.tutor_id for group in groups})
    used = wanted | {code for row in tutor_rows for code in row["channels"]}
    used |= {group.channel for group in groups}
    requests = [
        request for _row, pupils in households for p in pupils for request in _open(p, seated)
    ]
    return {
        "format": "n9raw-problem/1",
        "lesson_minutes": rules.lesson_minutes,
        "start_every": rules.start_every,
        "channels": {
            row.code: {"max_group": row.max_group, "cost": row.cost}
            for row in channels
            if row.code in used
        },
        "tutors": tutor_rows,
        "households": household_rows,
        "requests": [_request_row(request) for request in requests],
        "pins": [_pin(group, member) for group in groups for member in group.members],
        "vetoes": _vetoes({row["id"] for row in tutor_rows}, {r.id for r in requests}),
    }


def _households_to_match(seated: set[int]) -> list[tuple[Household, list[Pupil]]]:
    """Households with something to match, each with its pupils that may be.

    `seated` are the ids of the requests that sit in a group already.
    """
    rows = db.session.scalars(
        select(Household)
        .order_by(Household.id)
        .options(
            joinedload(Household.zone),
            selectinload(Household.pupils).selectinload(Pupil.consents),
            selectinload(Household.pupils)
            .selectinload(Pupil.requests)
            .options(joinedload(TutoringRequest.subject), joinedload(TutoringRequest.level)),
        )
    )
    listed = []
    for household in rows:
        pupils = [pupil for pupil in household.pupils if _open(pupil, seated)]
        if pupils:
            listed.append((household, pupils))
    return listed


def _open(pupil: Pupil, seated: set[int]) -> list[TutoringRequest]:
    """A pupil's requests that wait or sit in a group; none without consent, unless seated."""
    consents = in_force(pupil, ConsentKind.LESSONS)
    return [
        request
        for request in pupil.requests
        if request.id in seated or (consents and request.state is RequestState.WAITING)
    ]


def _household_row(household: Household, channels: Iterable[Channel]) -> dict[str, Any]:
    codes = {row.channel for row in household.channels}
    if not shares_number(household):
        codes = _without_groups(codes, channels)
    return {
        "id": f"H{household.id}",
        "zone": household.zone.name,
        "channels": sorted(codes),
        "languages": sorted(row.language for row in household.languages),
        "reachable": _times(household.windows, household.times_to_agree),
    }


def _without_groups(codes: set[str], channels: Iterable[Channel]) -> set[str]:
    """The channels that stay for a household alone: groups become their one-to-one variants."""
    alone = {row.code for row in channels if row.max_group == 1 and row.code in codes}
    return alone | {row.code for row in channels if row.variant_of in codes}


def _tutor_rows(
    variants: dict[str, str], wanted: set[str], seated: set[int]
) -> list[dict[str, Any]]:
    """Tutors who are vetted, or have a group: `seated` holds the ids of the latter."""
    subjects = {row.id: row.code for row in db.session.scalars(select(Subject))}
    levels = list(db.session.scalars(select(Level).order_by(Level.rank)))
    tutors = db.session.scalars(
        select(Tutor)
        .where(or_(Tutor.state == TutorState.VETTED, Tutor.id.in_(seated)))
        .order_by(Tutor.id)
    )
    return [
        {
            "id": f"T{tutor.id}",
            "teaches": _teaches(tutor, subjects, levels),
            "channels": _tutor_channels(tutor, variants, wanted),
            "languages": sorted(row.language for row in tutor.languages),
            "available": _times(tutor.windows, tutor.times_to_agree),
            "max_lessons_per_week": tutor.max_lessons_per_week,
        }
        for tutor in tutors
    ]


def _teaches(tutor: Tutor, subjects: dict[int, str], levels: list[Level]) -> list[dict[str, Any]]:
    by_subject: dict[str, set[int]] = {}
    for row in tutor.teaches:
        by_subject.setdefault(subjects[row.subject_id], set()).add(row.level_id)
    return [
        {"subject": code, "levels": [level.code for level in levels if level.id in taught]}
        for code, taught in sorted(by_subject.items())
    ]


def _tutor_channels(tutor: Tutor, variants: dict[str, str], wanted: set[str]) -> list[str]:
    """A tutor's channels, with the one-to-one variants that some household needs."""
    codes = {row.channel for row in tutor.channels}
    return sorted(codes | ({variants[code] for code in codes if code in variants} & wanted))


def _request_row(request: TutoringRequest) -> dict[str, Any]:
    return {
        "id": f"R{request.id}",
        "pupil": f"P{request.pupil_id}",
        "household": f"H{request.pupil.household_id}",
        "subject": request.subject.code,
        "level": request.level.code,
        "lessons_per_week": request.lessons_per_week,
        "weight": request.level.weight,
    }


def _pin(group: Group, member: Membership) -> dict[str, Any]:
    """The agreement that a seat in a group is."""
    pin = {
        "request": f"R{member.request_id}",
        "tutor": f"T{group.tutor_id}",
        "channel": group.channel,
        "language": group.language,
        "group": f"G{group.id}",
    }
    return pin | ({"starts": group.starts} if all(group.starts) else {})


def _vetoes(tutors: set[str], requests: set[int]) -> list[dict[str, str]]:
    return [
        {"request": f"R{veto.request_id}", "tutor": f"T{veto.tutor_id}"}
        for veto in db.session.scalars(select(Veto).order_by(Veto.id))
        if f"T{veto.tutor_id}" in tutors and veto.request_id in requests
    ]


def _times(windows: Iterable[WeeklyWindow], to_agree: bool) -> list[list[str]] | None:
    if to_agree:
        return None
    return [
        [DAYS[day], format_minute(start), format_minute(end)]
        for day, start, end in sorted(window.as_window() for window in windows)
    ]
