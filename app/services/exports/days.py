"""Exports of what makes some days different: days off, Ramadan, weeks of exams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import lazyload

from app.i18n import _l, format_minute, page_locale
from app.models import DayOff, Period, PeriodStarts
from app.services.exports.table import Export, Row, moment, read_names, several, streamed
from app.services.scope import Scope


def _days_off(_scope: Scope) -> Iterator[Row]:
    names, locale = read_names(), page_locale()
    for row in streamed(
        select(DayOff).order_by(DayOff.first_day, DayOff.id).options(lazyload("*"))
    ):
        yield Row(
            (
                row.id,
                row.name_in(locale),
                row.kind.value,
                row.first_day,
                row.last_day,
                row.state.value,
                row.estimated,
                moment(row.decided_at),
                names.coordinator(row.decided_by_id),
            )
        )


def _periods(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    for row in streamed(select(Period).order_by(Period.id)):
        yield Row(
            (
                row.id,
                row.name,
                row.kind.value,
                row.first_day,
                row.last_day,
                None if row.blackout_from is None else format_minute(row.blackout_from),
                None if row.blackout_until is None else format_minute(row.blackout_until),
                None if row.effect is None else row.effect.value,
                several(names.levels[number] for number in row.level_ids or ()),
                moment(row.published_at),
            )
        )


def _period_starts(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    rows = select(PeriodStarts).order_by(PeriodStarts.period_id, PeriodStarts.group_id)
    for row in streamed(rows.options(lazyload("*"))):
        yield Row(
            (
                row.period_id,
                row.group_id,
                json.dumps(row.starts),
                row.state.value,
                moment(row.decided_at),
                names.coordinator(row.decided_by_id),
            )
        )


DAY_EXPORTS: Final = (
    Export(
        "days_off",
        _l("Holidays and days off"),
        (
            _l("Number"),
            _l("Name"),
            _l("Kind"),
            _l("First day"),
            _l("Last day"),
            _l("State"),
            _l("Estimated"),
            _l("Decided at"),
            _l("Decided by"),
        ),
        _days_off,
        ("day_off",),
    ),
    Export(
        "periods",
        _l("Ramadan and exams"),
        (
            _l("Number"),
            _l("Name"),
            _l("Kind"),
            _l("First day"),
            _l("Last day"),
            _l("No lessons from"),
            _l("No lessons until"),
            _l("What becomes of lessons"),
            _l("Levels"),
            _l("Published at"),
        ),
        _periods,
        ("period",),
    ),
    Export(
        "period_times",
        _l("Times of groups in Ramadan and exams"),
        (
            _l("Period’s number"),
            _l("Group’s number"),
            _l("Weekly times"),
            _l("State"),
            _l("Decided at"),
            _l("Decided by"),
        ),
        _period_starts,
        ("period_starts",),
    ),
)
