"""Every rule that a change by hand would break, told before it is made.

Which rules are broken is asked of the matching's own checker: of what is in force, and of the same
with the change. What it finds in the second alone is what the change breaks. The new seat has no
pin there, so it is held to every rule, also those that an agreement is exempt from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, selectinload

import matching
from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Channel,
    ConsentKind,
    Group,
    Membership,
    ProposedGroup,
    RequestState,
    Tutor,
    TutoringRequest,
)
from app.services import choices
from app.services.choices import Place
from app.services.consent import in_force, shares_number
from app.services.errors import Conflict, Invalid, NotFound
from app.services.pins import pins_in_force
from app.services.problem import build_problem
from app.services.repairing import plan_in_force
from app.services.vetting_term import is_vetted
from matching import Violation


class Rule(StrEnum):
    """What a place can break, in the order in which a page says it."""

    NOT_WAITING = "not_waiting"
    CONSENT = "consent"
    GROUP_CONSENT = "group_consent"
    NOT_VETTED = "not_vetted"
    OTHER_GROUP = "other_group"
    GROUP_FULL = "group_full"
    TUTOR_BUSY = "tutor_busy"
    PHONE_BUSY = "phone_busy"
    PUPIL_BUSY = "pupil_busy"
    NO_TIME = "no_time"
    NOT_TAUGHT = "not_taught"
    VETOED = "vetoed"
    NEEDS = "needs"
    TUTOR_CHANNEL = "tutor_channel"
    FAMILY_CHANNEL = "family_channel"
    TUTOR_LANGUAGE = "tutor_language"
    FAMILY_LANGUAGE = "family_language"
    TUTOR_HOURS = "tutor_hours"
    FAMILY_HOURS = "family_hours"
    HOURS_UNKNOWN = "hours_unknown"
    GRID = "grid"
    LESSONS = "lessons"
    TOO_MANY = "too_many"


STOPS: Final = frozenset(
    {
        Rule.NOT_WAITING,
        Rule.CONSENT,
        Rule.GROUP_CONSENT,
        Rule.NOT_VETTED,
        Rule.OTHER_GROUP,
        Rule.GROUP_FULL,
        Rule.TUTOR_BUSY,
        Rule.PHONE_BUSY,
        Rule.PUPIL_BUSY,
        Rule.NO_TIME,
    }
)
"""What nobody can overrule: consent, vetting, and what can't be at all."""
STOPS_OF_PINS: Final = STOPS | {Rule.NOT_TAUGHT, Rule.LESSONS}
"""A pin is exempt from neither of the two more."""

_BY_NAME: Final = {
    "members_differ": Rule.OTHER_GROUP,
    "max_group": Rule.GROUP_FULL,
    "tutor_busy": Rule.TUTOR_BUSY,
    "phones": Rule.PHONE_BUSY,
    "pupil_busy": Rule.PUPIL_BUSY,
    "teaches": Rule.NOT_TAUGHT,
    "vetoed": Rule.VETOED,
    "needs": Rule.NEEDS,
    "tutor_window": Rule.TUTOR_HOURS,
    "household_window": Rule.FAMILY_HOURS,
    "grid": Rule.GRID,
    "lessons_per_week": Rule.LESSONS,
    "max_lessons_per_week": Rule.TOO_MANY,
}


def rule_of(violation: Violation) -> Rule | None:
    """The rule that the checker found broken; None for what is no matter of a place."""
    of_tutor = violation.what.startswith("the tutor")
    match violation.rule:
        case "channel":
            return Rule.TUTOR_CHANNEL if of_tutor else Rule.FAMILY_CHANNEL
        case "language":
            return Rule.TUTOR_LANGUAGE if of_tutor else Rule.FAMILY_LANGUAGE
        case "times_to_be_agreed":
            needs_time = violation.what.endswith("must have a start")
            return Rule.NO_TIME if needs_time else Rule.HOURS_UNKNOWN
    return _BY_NAME.get(violation.rule)


@dataclass(frozen=True, slots=True)
class Examination:
    """What a change by hand would be, and every rule that it would break."""

    tutor: Tutor
    requests: list[TutoringRequest]
    """Who would get the place, or the time."""
    place: Place
    broken: list[Rule]
    stops: frozenset[Rule]

    @property
    def stopping(self) -> list[Rule]:
        """The broken rules that can't be overruled."""
        return [rule for rule in self.broken if rule in self.stops]

    @property
    def overrulable(self) -> list[Rule]:
        return [rule for rule in self.broken if rule not in self.stops]

    @property
    def pupil_ids(self) -> set[int]:
        return {request.pupil_id for request in self.requests}


def examine_join(group: Group, request: TutoringRequest) -> Examination:
    """What a request's joining a group in force would break."""
    refuse_seated(request)
    problem = _problem(request, [group.tutor_id])
    before = plan_in_force(problem)["groups"]
    after = [
        row | {"requests": [*row["requests"], f"R{request.id}"]}
        if row["id"] == f"G{group.id}"
        else row
        for row in before
    ]
    place = choices.place_of(group)
    return _examine_seat(problem, before, after, group.tutor, request, place, STOPS)


def examine_proposed(proposed: ProposedGroup, request: TutoringRequest) -> Examination:
    """What a place in a proposed group would break, beside all that its run proposes."""
    refuse_seated(request)
    groups = _proposed_groups(proposed.run_id)
    problem = _problem(request, {group.tutor_id for group in groups})
    known = {row["id"] for row in problem["requests"]} - {f"R{request.id}"}
    before = [_row(group, known) for group in groups]
    after = [
        row | {"requests": [*row["requests"], f"R{request.id}"]}
        if row["id"] == f"G{proposed.id}"
        else row
        for row in before
    ]
    place = choices.place_of(proposed)
    return _examine_seat(problem, before, after, proposed.tutor, request, place, STOPS_OF_PINS)


def examine_new(request: TutoringRequest, place: Place) -> Examination:
    """What a group of one at this place would break."""
    refuse_seated(request)
    tutor = db.session.get(Tutor, place.tutor_id)
    if tutor is None or place.channel is None or place.language is None:
        raise Invalid(_l("Choose the volunteer, the way and the language."))
    choices.check_place(place)
    place = replace(place, channel=_for_one(request, place.channel))
    problem = _problem(request, [tutor.id])
    before = plan_in_force(problem)["groups"]
    new: dict[str, Any] = {
        "id": "new",
        "tutor": f"T{tutor.id}",
        "subject": request.subject.code,
        "level": request.level.code,
        "channel": place.channel,
        "language": place.language,
        "starts": place.starts or [None] * request.lessons_per_week,
        "requests": [f"R{request.id}"],
    }
    return _examine_seat(problem, before, [*before, new], tutor, request, place, STOPS)


def _examine_seat(
    problem: dict[str, Any],
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    tutor: Tutor,
    request: TutoringRequest,
    place: Place,
    stops: frozenset[Rule],
) -> Examination:
    found = _rules_of(new_faults(problem, before, after))
    found |= set(_unknown_to_matching(tutor, [request], place))
    if request.state is not RequestState.WAITING:
        found.add(Rule.NOT_WAITING)
    if Rule.GROUP_CONSENT in found and _uses(request, place.channel):
        # The family is offered this way alone, since it keeps its number to itself.
        found.discard(Rule.FAMILY_CHANNEL)
    return Examination(tutor, [request], place, [rule for rule in Rule if rule in found], stops)


def examine_times(group: Group, starts: list[list[str]]) -> Examination:
    """What these weekly times would break for a group whose times are to be agreed."""
    if None not in group.starts:
        raise Conflict(_l("The times of this group are agreed already."))
    return _examine_starts(group, starts)


def examine_move(group: Group, starts: list[list[str]]) -> Examination:
    """What other weekly times would break for a group in force."""
    if None in group.starts:
        raise Conflict(_l("The times of this group are still to be agreed."))
    return _examine_starts(group, starts)


def _examine_starts(group: Group, starts: list[list[str]]) -> Examination:
    if len(starts) != len(group.starts):
        raise Invalid(_l("Give a time for each weekly lesson."))
    choices.check_starts(starts)
    problem = build_problem()
    before = plan_in_force(problem)["groups"]
    after = [row | {"starts": starts} if row["id"] == f"G{group.id}" else row for row in before]
    # Held to everybody's hours, as seats that are new: what was agreed said nothing of times.
    members = {f"R{member.request_id}" for member in group.members}
    problem["pins"] = [pin for pin in problem["pins"] if pin["request"] not in members]
    requests = [member.request for member in group.members]
    place = Place(group.tutor_id, starts, group.channel, group.language)
    found = _rules_of(new_faults(problem, before, after))
    found |= set(_unknown_to_matching(group.tutor, requests, place))
    # Giving the times that nobody gave before is what this is for.
    found.discard(Rule.HOURS_UNKNOWN)
    broken = [rule for rule in Rule if rule in found]
    return Examination(group.tutor, requests, place, broken, STOPS)


def _problem(request: TutoringRequest, tutor_ids: Collection[int]) -> dict[str, Any]:
    """What is in force and who waits, with this request and these tutors in any case."""
    channels = {
        row.code: {"max_group": row.max_group, "cost": row.cost}
        for row in db.session.scalars(select(Channel))
    }
    return build_problem(requests=[request.id], tutors=tutor_ids) | {"channels": channels}


def _rules_of(faults: Iterable[Violation]) -> set[Rule]:
    return {rule for fault in faults if (rule := rule_of(fault)) is not None}


def _unknown_to_matching(
    tutor: Tutor, requests: Iterable[TutoringRequest], place: Place
) -> Iterator[Rule]:
    """What the matching never sees, since it is not given who may not be matched."""
    if not is_vetted(tutor):
        yield Rule.NOT_VETTED
    shared = db.session.get_one(Channel, place.channel).max_group > 1
    for request in requests:
        if not in_force(request.pupil, ConsentKind.LESSONS):
            yield Rule.CONSENT
        if shared and not shares_number(request.pupil.household):
            yield Rule.GROUP_CONSENT


def _for_one(request: TutoringRequest, channel: str) -> str:
    """The channel, or its one-to-one variant for a family that keeps its number to itself."""
    if shares_number(request.pupil.household):
        return channel
    variant = db.session.scalar(select(Channel.code).where(Channel.variant_of == channel))
    return variant or channel


def _uses(request: TutoringRequest, channel: str | None) -> bool:
    return channel in {row.channel for row in request.pupil.household.channels}


def new_faults(
    problem: dict[str, Any], before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[Violation]:
    """What the checker finds wrong with the groups after a change, and not before it.

    Only whom the change can touch is looked at: who sits in a changed group, or in one beside it.
    """
    changed = [row for row in (*before, *after) if row not in before or row not in after]
    tutors = {row["tutor"] for row in changed}
    home = {row["id"]: row["household"] for row in problem["requests"]}
    homes = {home[name] for name in _members(changed)}

    def near(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            row
            for row in groups
            if row["tutor"] in tutors or any(home[name] in homes for name in row["requests"])
        ]

    touched = _reduced(problem, near([*before, *after]))
    known = set(_faults(touched, near(before)))
    return [fault for fault in _faults(touched, near(after)) if fault not in known]


def _reduced(problem: dict[str, Any], groups: list[dict[str, Any]]) -> dict[str, Any]:
    """The problem of nobody but those who sit in these groups, or teach them."""
    seated = _members(groups)
    tutors = {row["tutor"] for row in groups}
    requests = [row for row in problem["requests"] if row["id"] in seated]
    homes = {row["household"] for row in requests}
    return problem | {
        "tutors": [row for row in problem["tutors"] if row["id"] in tutors],
        "households": [row for row in problem["households"] if row["id"] in homes],
        "requests": [
            {key: value for key, value in row.items() if key != "previous_tutor"}
            for row in requests
        ],
        "pins": [pin for pin in problem["pins"] if pin["request"] in seated],
        "vetoes": [
            row for row in problem["vetoes"] if row["request"] in seated and row["tutor"] in tutors
        ],
    }


def _faults(problem: dict[str, Any], groups: list[dict[str, Any]]) -> list[Violation]:
    """What the checker finds; of pins, those of who sits in a group of these bear on it."""
    kept = [row for row in groups if row["requests"]]
    seated = _members(kept)
    plan = plan_in_force(problem) | {
        "groups": kept,
        "unserved": [
            {"request": row["id"], "reason": "no_tutor", "detail": {}}
            for row in problem["requests"]
            if row["id"] not in seated
        ],
    }
    known = problem | {"pins": [pin for pin in pins_in_force(problem) if pin["request"] in seated]}
    return matching.check(matching.read_problem(known), matching.read_plan(plan))


def _members(groups: Iterable[dict[str, Any]]) -> set[str]:
    return {name for row in groups for name in row["requests"]}


def _row(group: ProposedGroup, known: Collection[str]) -> dict[str, Any]:
    members = [f"R{seat.request_id}" for seat in group.seats]
    return {
        "id": f"G{group.id}",
        "tutor": f"T{group.tutor_id}",
        "subject": group.subject.code,
        "level": group.level.code,
        "channel": group.channel,
        "language": group.language,
        "starts": group.starts,
        "requests": [name for name in members if name in known],
    }


# --- whom it is about


def get_request(request_id: int) -> TutoringRequest:
    """The request of that id; NotFound if there is none."""
    request = db.session.get(TutoringRequest, request_id)
    if request is None:
        raise NotFound(_l("This request does not exist."))
    return request


def seat_of(request_id: int) -> Membership | None:
    """The seat in force of a request, if it has one."""
    return db.session.scalar(
        select(Membership)
        .join(Membership.group)
        .where(
            Membership.request_id == request_id,
            Membership.ended_at.is_(None),
            Group.state.in_(LIVE_GROUPS),
        )
    )


def refuse_seated(request: TutoringRequest) -> None:
    """Conflict where the request has a seat already."""
    if seat_of(request.id) is not None:
        raise Conflict(
            _l("The pupil sits in a group for this already: take them out of that one first.")
        )


def get_live_group(group_id: int, *, lock: bool = False) -> Group:
    group = db.session.get(Group, group_id, with_for_update=lock or None)
    if group is None:
        raise NotFound(_l("This group does not exist."))
    if group.state not in LIVE_GROUPS:
        raise Conflict(_l("This group has ended already."))
    return group


def _proposed_groups(run_id: int) -> list[ProposedGroup]:
    return list(
        db.session.scalars(
            select(ProposedGroup)
            .where(ProposedGroup.run_id == run_id)
            .options(
                lazyload(ProposedGroup.tutor),
                joinedload(ProposedGroup.subject),
                joinedload(ProposedGroup.level),
                selectinload(ProposedGroup.seats).options(lazyload("*")),
            )
        )
    )
