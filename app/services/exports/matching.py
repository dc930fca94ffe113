"""Exports of groups and lessons, and of the matchings that proposed them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload, lazyload, selectinload

from app.i18n import _l, weekday_name
from app.models import (
    DAYS,
    Attendance,
    Group,
    Household,
    Lesson,
    LessonAnswer,
    MatchRun,
    Membership,
    Pin,
    ProposedGroup,
    ProposedSeat,
    Pupil,
    Tutor,
    TutoringRequest,
    UnservedRequest,
    Veto,
)
from app.services.exports.table import Export, Row, moment, read_names, several, streamed
from app.services.masking import is_shown, shown_name
from app.services.reasons import reason_in_words
from app.services.scope import Scope
from app.services.within import groups_within


def _groups(scope: Scope) -> Iterator[Row]:
    names = read_names()
    groups = (
        select(Group)
        .where(groups_within(scope, Group.id))
        .order_by(Group.id)
        .options(
            joinedload(Group.tutor).options(lazyload("*")),
            selectinload(Group.memberships)
            .joinedload(Membership.request)
            .joinedload(TutoringRequest.pupil)
            .joinedload(Pupil.household)
            .options(lazyload("*")),
        )
    )
    for group in streamed(groups):
        pupils = [seat.request.pupil for seat in group.members]
        yield Row(
            (
                group.id,
                group.tutor_id,
                group.tutor.name,
                names.subjects[group.subject_id],
                names.levels[group.level_id],
                names.channels[group.channel],
                names.languages[group.language],
                _starts(group.starts),
                group.state.value,
                several(str(shown_name(pupil, scope)) for pupil in pupils),
                group.run_id,
                moment(group.offered_at),
                moment(group.decided_at),
                names.coordinator(group.decided_by_id),
                group.decline_reason,
                moment(group.ended_at),
            ),
            tuple(pupil.id for pupil in pupils if is_shown(pupil, scope)),
        )


def _seats(_scope: Scope) -> Iterator[Row]:
    seats = (
        select(Membership, Pupil.id, Pupil.first_name, Pupil.last_name)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .order_by(Membership.id)
    )
    for seat, pupil_id, first_name, last_name in streamed(seats):
        yield Row(
            (
                seat.id,
                seat.group_id,
                seat.request_id,
                pupil_id,
                f"{first_name} {last_name}".strip(),
                seat.run_id,
                moment(seat.active_since),
                moment(seat.ended_at),
            ),
            (pupil_id,),
        )


def _lessons(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    substitute = aliased(Tutor)
    lessons = (
        select(
            Lesson,
            Tutor.first_name,
            Tutor.last_name,
            substitute.first_name,
            substitute.last_name,
            Group.subject_id,
            Group.level_id,
        )
        .join(Lesson.group)
        .join(Group.tutor)
        .outerjoin(substitute, substitute.id == Lesson.substitute_id)
        .order_by(Lesson.id)
    )
    for lesson, first, last, sub_first, sub_last, subject_id, level_id in streamed(lessons):
        yield Row(
            (
                lesson.id,
                lesson.group_id,
                f"{first} {last}".strip(),
                f"{sub_first or ''} {sub_last or ''}".strip(),
                names.subjects[subject_id],
                names.levels[level_id],
                lesson.wall_start,
                lesson.zone,
                lesson.minutes,
                lesson.state.value,
                moment(lesson.cancelled_at),
                reason_in_words(lesson.cancel_reason or ""),
                lesson.note,
                moment(lesson.noted_at),
            )
        )


def _attendance(_scope: Scope) -> Iterator[Row]:
    noted = (
        select(Attendance, Lesson.wall_start, Pupil.id, Pupil.first_name, Pupil.last_name)
        .join(Attendance.lesson)
        .join(Attendance.request)
        .join(TutoringRequest.pupil)
        .order_by(Attendance.lesson_id, Attendance.request_id)
    )
    for row, wall_start, pupil_id, first_name, last_name in streamed(noted):
        yield Row(
            (
                row.lesson_id,
                wall_start,
                row.request_id,
                pupil_id,
                f"{first_name} {last_name}".strip(),
                row.present,
            ),
            (pupil_id,),
        )


def _answers(_scope: Scope) -> Iterator[Row]:
    answers = (
        select(LessonAnswer)
        .order_by(LessonAnswer.lesson_id, LessonAnswer.household_id)
        .options(
            joinedload(LessonAnswer.lesson),
            joinedload(LessonAnswer.household).options(
                lazyload("*"),
                joinedload(Household.guardian),
                selectinload(Household.pupils).options(lazyload("*")),
            ),
        )
    )
    for answer in streamed(answers):
        yield Row(
            (
                answer.lesson_id,
                answer.lesson.wall_start,
                answer.household_id,
                answer.household.guardian.name,
                answer.coming,
                moment(answer.answered_at),
            ),
            tuple(pupil.id for pupil in answer.household.pupils),
        )


def _runs(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    for run in streamed(select(MatchRun).order_by(MatchRun.id)):
        yield Row(
            (
                run.id,
                run.state.value,
                names.coordinator(run.requested_by_id),
                moment(run.requested_at),
                run.seed,
                run.seconds,
                run.iterations,
                run.may_move,
                run.best_weight,
                run.bound_weight,
                moment(run.started_at),
                moment(run.finished_at),
                run.failure,
                run.moved_seats,
            )
        )


def _proposals(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    groups = (
        select(ProposedGroup)
        .order_by(ProposedGroup.id)
        .options(
            joinedload(ProposedGroup.tutor).options(lazyload("*")),
            selectinload(ProposedGroup.seats)
            .joinedload(ProposedSeat.request)
            .joinedload(TutoringRequest.pupil)
            .options(lazyload("*")),
        )
    )
    for group in streamed(groups):
        pupils = [seat.request.pupil for seat in group.seats]
        yield Row(
            (
                group.run_id,
                group.id,
                group.tutor_id,
                group.tutor.name,
                names.subjects[group.subject_id],
                names.levels[group.level_id],
                names.channels[group.channel],
                names.languages[group.language],
                _starts(group.starts),
                several(pupil.name for pupil in pupils),
            ),
            tuple(pupil.id for pupil in pupils),
        )


def _unserved(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    rows = (
        select(UnservedRequest, TutoringRequest, Pupil.first_name, Pupil.last_name)
        .join(UnservedRequest.request)
        .join(TutoringRequest.pupil)
        .order_by(UnservedRequest.id)
    )
    for entry, request, first_name, last_name in streamed(rows):
        yield Row(
            (
                entry.run_id,
                entry.request_id,
                f"{first_name} {last_name}".strip(),
                names.subjects[request.subject_id],
                names.levels[request.level_id],
                entry.reason,
                json.dumps(entry.detail, ensure_ascii=False, sort_keys=True),
            ),
            (request.pupil_id,),
        )


def _vetoes(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    vetoes = (
        select(Veto, Tutor.first_name, Tutor.last_name, Pupil)
        .join(Tutor, Tutor.id == Veto.tutor_id)
        .join(TutoringRequest, TutoringRequest.id == Veto.request_id)
        .join(TutoringRequest.pupil)
        .order_by(Veto.id)
    )
    for veto, first_name, last_name, pupil in streamed(vetoes):
        yield Row(
            (
                veto.id,
                veto.request_id,
                pupil.name,
                veto.tutor_id,
                f"{first_name} {last_name}".strip(),
                veto.reason,
                names.coordinator(veto.by_id),
                moment(veto.created_at),
            ),
            (pupil.id,),
        )


def _pins(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    pins = (
        select(Pin)
        .order_by(Pin.id)
        .options(
            joinedload(Pin.tutor).options(lazyload("*")),
            joinedload(Pin.request).joinedload(TutoringRequest.pupil),
        )
    )
    for pin in streamed(pins):
        pupil = pin.request.pupil
        yield Row(
            (
                pin.id,
                pin.request_id,
                pupil.name,
                pin.tutor_id,
                pin.tutor.name,
                names.channels.get(pin.channel, ""),
                names.languages.get(pin.language, ""),
                _starts(pin.starts or ()),
                pin.label,
                names.coordinator(pin.by_id),
                moment(pin.created_at),
            ),
            (pupil.id,),
        )


def _starts(starts: Iterable[list[Any] | None]) -> str:
    """Weekly starts in wall time; nothing where they are to be agreed."""
    return several(
        f"{weekday_name(DAYS.index(start[0]))} {start[1]}" for start in starts if start is not None
    )


MATCHING_EXPORTS: Final = (
    Export(
        "groups",
        _l("Groups"),
        (
            _l("Number"),
            _l("Volunteer’s number"),
            _l("Volunteer"),
            _l("Subject"),
            _l("Level"),
            _l("Channel"),
            _l("Language"),
            _l("Weekly start"),
            _l("State"),
            _l("Pupils"),
            _l("Matching’s number"),
            _l("Offered at"),
            _l("Answered at"),
            _l("Answer recorded by"),
            _l("Reason of the no"),
            _l("Ended at"),
        ),
        _groups,
        ("tutoring_group",),
        for_zones=True,
    ),
    Export(
        "seats",
        _l("Seats in groups"),
        (
            _l("Number"),
            _l("Group’s number"),
            _l("Request’s number"),
            _l("Pupil’s number"),
            _l("Pupil"),
            _l("Matching’s number"),
            _l("Active since"),
            _l("Ended at"),
        ),
        _seats,
        ("membership",),
    ),
    Export(
        "lessons",
        _l("Lessons"),
        (
            _l("Number"),
            _l("Group’s number"),
            _l("Volunteer"),
            _l("Given in their place by"),
            _l("Subject"),
            _l("Level"),
            _l("Start, by the family’s clock"),
            _l("Time zone"),
            _l("Minutes"),
            _l("State"),
            _l("Cancelled at"),
            _l("Reason of the cancellation"),
            _l("Note of the volunteer"),
            _l("Noted at"),
        ),
        _lessons,
        ("lesson",),
    ),
    Export(
        "attendance",
        _l("Attendance"),
        (
            _l("Lesson’s number"),
            _l("Start, by the family’s clock"),
            _l("Request’s number"),
            _l("Pupil’s number"),
            _l("Pupil"),
            _l("Present"),
        ),
        _attendance,
        ("attendance",),
    ),
    Export(
        "answers",
        _l("Families’ answers on lessons"),
        (
            _l("Lesson’s number"),
            _l("Start, by the family’s clock"),
            _l("Family’s number"),
            _l("Guardian"),
            _l("Will be there"),
            _l("Answered at"),
        ),
        _answers,
        ("lesson_answer",),
    ),
    Export(
        "runs",
        _l("Matchings"),
        (
            _l("Number"),
            _l("State"),
            _l("Asked by"),
            _l("Asked at"),
            _l("Seed"),
            _l("Seconds"),
            _l("Steps"),
            _l("Families who may move"),
            _l("Points served"),
            _l("Points at most"),
            _l("Started at"),
            _l("Finished at"),
            _l("What went wrong"),
            _l("Places that it ended"),
        ),
        _runs,
        ("match_run",),
    ),
    Export(
        "proposals",
        _l("Proposed groups"),
        (
            _l("Matching’s number"),
            _l("Number"),
            _l("Volunteer’s number"),
            _l("Volunteer"),
            _l("Subject"),
            _l("Level"),
            _l("Channel"),
            _l("Language"),
            _l("Weekly start"),
            _l("Pupils"),
        ),
        _proposals,
        ("proposed_group", "proposed_seat"),
    ),
    Export(
        "unserved",
        _l("Requests that matchings left waiting"),
        (
            _l("Matching’s number"),
            _l("Request’s number"),
            _l("Pupil"),
            _l("Subject"),
            _l("Level"),
            _l("Reason"),
            _l("Details"),
        ),
        _unserved,
        ("unserved_request",),
    ),
    Export(
        "vetoes",
        _l("Vetoes"),
        (
            _l("Number"),
            _l("Request’s number"),
            _l("Pupil"),
            _l("Volunteer’s number"),
            _l("Volunteer"),
            _l("Reason"),
            _l("Recorded by"),
            _l("Written at"),
        ),
        _vetoes,
        ("veto",),
    ),
    Export(
        "pins",
        _l("Places to be kept"),
        (
            _l("Number"),
            _l("Request’s number"),
            _l("Pupil"),
            _l("Volunteer’s number"),
            _l("Volunteer"),
            _l("Channel"),
            _l("Language"),
            _l("Weekly start"),
            _l("Together as"),
            _l("Recorded by"),
            _l("Written at"),
        ),
        _pins,
        ("pin",),
    ),
)
