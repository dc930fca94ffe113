"""The rows as a matching problem: who may be matched, with what, and when.

The problem carries ids only, no names and no numbers, so that it can be kept, sent and looked into.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
    MatchRun,
    Membership,
    Pupil,
    RequestState,
    RunState,
    Subject,
    Tutor,
    TutoringRequest,
    TutorState,
    Veto,
)
from app.models.weekly import WeeklyWindow
from app.services.consent import in_force, shares_number
from app.services.groups import list_live_groups
from app.services.pins import as_row, list_pins, why_unused
from app.services.programme import matching_rules
from app.services.vetting_term import is_vetted
from app.services.weights import weight_today


def build_problem(
    *, requests: Collection[int] = (), tutors: Collection[int] = ()
) -> dict[str, Any]:
    """The problem as the tables stand now, in the form of docs/problem-format.md.

    In it: vetted tutors, and the waiting requests of pupils whose guardian consents to lessons. A
    household in which a matched child's guardian does not consent to groups is offered one-to-one
    variants alone, since a group shows its telephone number to others. Groups that are offered or
    active are pinned as they stand, with their requests; then come the places that coordinators
    want kept. What a tutor declined, or a coordinator ruled out, is vetoed.

    `requests` and `tutors` are ids of others that are to be in it, whatever speaks against them.
    """
    rules = matching_rules()
    channels = list(db.session.scalars(select(Channel).order_by(Channel.rank)))
    variants = {row.variant_of: row.code for row in channels if row.variant_of}
    groups = list_live_groups()
    seats = {member.request_id: group for group in groups for member in group.members}
    households = _households_to_match(seats.keys() | {*requests})
    household_rows = [_household_row(row, channels) for row, _pupils in households]
    wished = [
        pin
        for pin in list_pins()
        if not why_unused(pin, seats, {row.code: row for row in channels})
    ]
    wanted = {code for row in household_rows for code in row["channels"]}
    tutor_rows = _tutor_rows(variants, wanted, groups, tutors)
    used = wanted | {code for row in tutor_rows for code in row["channels"]}
    used |= {group.channel for group in groups} | {pin.channel for pin in wished if pin.channel}
    asked = [
        request
        for _row, pupils in households
        for pupil in pupils
        for request in _open(pupil, seats.keys() | {*requests})
    ]
    vetoes = _vetoes({row["id"] for row in tutor_rows}, {request.id for request in asked})
    previous = _previous_tutors({row["id"] for row in tutor_rows}, vetoes)
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
        "requests": [_request_row(row, seats.get(row.id), previous) for row in asked],
        "pins": [_pin(group, member) for group in groups for member in group.members]
        + [as_row(pin) for pin in wished],
        "vetoes": vetoes,
    }


def _households_to_match(seated: Collection[int]) -> list[tuple[Household, list[Pupil]]]:
    """Households with something to match, each with its pupils that may be.

    `seated` are the ids of the requests that sit in a group already.
    """
    rows = db.session.scalars(
        select(Household)
        .order_by(Household.id)
        .options(
            joinedload(Household.zone),
            selectinload(Household.pupils).selectinload(Pupil.consents),
            selectinload(Household.pupils).selectinload(Pupil.needs),
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


def _open(pupil: Pupil, seated: Collection[int]) -> list[TutoringRequest]:
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
    variants: dict[str, str], wanted: set[str], groups: list[Group], besides: Collection[int]
) -> list[dict[str, Any]]:
    """Tutors who are vetted, or have a group in force, or are among `besides`."""
    subjects = {row.id: row.code for row in db.session.scalars(select(Subject))}
    levels = list(db.session.scalars(select(Level).order_by(Level.rank)))
    given: dict[int, list[Group]] = {}
    for group in groups:
        given.setdefault(group.tutor_id, []).append(group)
    tutors = db.session.scalars(
        select(Tutor)
        .where(or_(Tutor.state == TutorState.VETTED, Tutor.id.in_({*given, *besides})))
        .order_by(Tutor.id)
    )
    return [
        _with_agreements(
            _tutor_row(tutor, subjects, levels, variants, wanted), given.get(tutor.id, [])
        )
        for tutor in tutors
        if is_vetted(tutor) or tutor.id in given or tutor.id in besides
    ]


def tutor_rows(tutors: Iterable[Tutor], wanted: set[str]) -> list[dict[str, Any]]:
    """Tutors as a problem has them, whatever speaks against them; `wanted` are channels."""
    subjects = {row.id: row.code for row in db.session.scalars(select(Subject))}
    levels = list(db.session.scalars(select(Level).order_by(Level.rank)))
    variants = {
        row.variant_of: row.code for row in db.session.scalars(select(Channel)) if row.variant_of
    }
    return [_tutor_row(tutor, subjects, levels, variants, wanted) for tutor in tutors]


def _tutor_row(
    tutor: Tutor,
    subjects: dict[int, str],
    levels: list[Level],
    variants: dict[str, str],
    wanted: set[str],
) -> dict[str, Any]:
    tags = sorted(row.tag for row in tutor.tags)
    return {
        "id": f"T{tutor.id}",
        "teaches": _teaches(tutor, subjects, levels),
        "channels": _tutor_channels(tutor, variants, wanted),
        "languages": sorted(row.language for row in tutor.languages),
        "available": _times(tutor.windows, tutor.times_to_agree),
        "max_lessons_per_week": tutor.max_lessons_per_week,
    } | ({"tags": tags} if tags else {})


def _with_agreements(row: dict[str, Any], groups: list[Group]) -> dict[str, Any]:
    """A tutor's row with what was agreed beyond it, for as long as the groups last.

    A pin is exempt from hours, ways and languages, but not from what is taught and how often: no
    later run could keep a seat that a coordinator gave against those, or the group of a tutor who
    wants to give less by now.
    """
    lessons = sum(len(group.starts) for group in groups)
    taught = {entry["subject"]: list(entry["levels"]) for entry in row["teaches"]}
    for group in groups:
        levels = taught.setdefault(group.subject.code, [])
        if group.level.code not in levels:
            levels.append(group.level.code)
    return row | {
        "teaches": [{"subject": code, "levels": taught[code]} for code in sorted(taught)],
        "max_lessons_per_week": max(row["max_lessons_per_week"], lessons),
    }


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


def _request_row(
    request: TutoringRequest, group: Group | None, previous: dict[int, int]
) -> dict[str, Any]:
    """A request; one that sits in a group has as many lessons as were agreed there."""
    row = {
        "id": f"R{request.id}",
        "pupil": f"P{request.pupil_id}",
        "household": f"H{request.pupil.household_id}",
        "subject": request.subject.code,
        "level": request.level.code,
        "lessons_per_week": len(group.starts) if group else request.lessons_per_week,
        "weight": weight_today(request.level),
    }
    needs = sorted(need.tag for need in request.pupil.needs)
    former = None if group else previous.get(request.id)
    return (
        row
        | ({"needs": needs} if needs else {})
        | ({"previous_tutor": f"T{former}"} if former else {})
    )


def _previous_tutors(tutors: set[str], vetoes: list[dict[str, str]]) -> dict[int, int]:
    """The last tutor of each request that had one and lost the seat; none who can't have it again.

    What was accepted and then taken back with its whole publication never began.
    """
    ruled_out = {(row["request"], row["tutor"]) for row in vetoes}
    seats = db.session.execute(
        select(Membership.request_id, Group.tutor_id)
        .join(Membership.group)
        .outerjoin(MatchRun, MatchRun.id == Membership.run_id)
        .where(
            Membership.active_since.is_not(None),
            Membership.ended_at.is_not(None),
            or_(MatchRun.id.is_(None), MatchRun.state != RunState.UNDONE),
        )
        .order_by(Membership.ended_at, Membership.id)
    )
    last = {request_id: tutor_id for request_id, tutor_id in seats}  # noqa: C416
    return {
        request_id: tutor_id
        for request_id, tutor_id in last.items()
        if f"T{tutor_id}" in tutors and (f"R{request_id}", f"T{tutor_id}") not in ruled_out
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
