"""Exports of what became of lessons that their volunteer could not give, or that were missed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload

from app.i18n import _l
from app.models import Flag, Substitution, SubstitutionOffer, TutoringRequest
from app.services.exports.table import Export, Row, moment, streamed
from app.services.scope import Scope


def _substitutes(_scope: Scope) -> Iterator[Row]:
    """One row for each volunteer who was to be asked; a search for which there was none has one."""
    asked = (
        select(Substitution, SubstitutionOffer)
        .outerjoin(Substitution.offers)
        .order_by(Substitution.id, SubstitutionOffer.rank)
        .options(joinedload(SubstitutionOffer.tutor).options(lazyload("*")))
    )
    for search, offer in streamed(asked):
        yield Row(
            (
                search.id,
                search.lesson_id,
                search.state.value,
                moment(search.created_at),
                moment(search.until),
                moment(search.ended_at),
                None if offer is None else offer.tutor_id,
                None if offer is None else offer.tutor.name,
                None if offer is None else offer.state.value,
                None if offer is None else moment(offer.asked_at),
                None if offer is None else moment(offer.answered_at),
            )
        )


def _flags(_scope: Scope) -> Iterator[Row]:
    raised = (
        select(Flag)
        .order_by(Flag.id)
        .options(
            joinedload(Flag.closed_by),
            joinedload(Flag.request).joinedload(TutoringRequest.pupil).options(lazyload("*")),
        )
    )
    for flag in streamed(raised):
        pupil = None if flag.request is None else flag.request.pupil
        yield Row(
            (
                flag.id,
                flag.kind.value,
                flag.group_id,
                flag.lesson_id,
                None if pupil is None else pupil.id,
                None if pupil is None else pupil.name,
                moment(flag.raised_at),
                moment(flag.closed_at),
                None if flag.closed_by is None else flag.closed_by.name,
            ),
            () if pupil is None else (pupil.id,),
        )


MISSED_EXPORTS: Final = (
    Export(
        "substitutes",
        _l("Substitutes asked for lessons"),
        (
            _l("Search’s number"),
            _l("Lesson’s number"),
            _l("State"),
            _l("Sought since"),
            _l("Sought until"),
            _l("Ended at"),
            _l("Volunteer’s number"),
            _l("Volunteer"),
            _l("Answer"),
            _l("Asked at"),
            _l("Answered at"),
        ),
        _substitutes,
        ("substitution", "substitution_offer"),
    ),
    Export(
        "flags",
        _l("Missed lessons that a coordinator looks after"),
        (
            _l("Number"),
            _l("Kind"),
            _l("Group’s number"),
            _l("Lesson’s number"),
            _l("Pupil’s number"),
            _l("Pupil"),
            _l("Raised at"),
            _l("Closed at"),
            _l("Closed by"),
        ),
        _flags,
        ("flag",),
    ),
)
