"""Exports of the figures: how requests stand, and the lessons of the last weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from app.i18n import _l, page_locale
from app.services.exports.table import Export, Row
from app.services.figures import STANDING_WORDS, Standing, count_lessons, count_requests
from app.services.scope import Scope


def _figures(scope: Scope) -> Iterator[Row]:
    counts: dict[tuple[str, str, str], Counter[Standing]] = {}
    locale = page_locale()
    for cell in count_requests(scope):
        key = (cell.zone.name_in(locale), cell.subject.name_in(locale), cell.level.code)
        counts.setdefault(key, Counter())[cell.standing] += cell.requests
    for key, counted in counts.items():
        yield Row((*key, counted.total(), *(counted[standing] for standing in Standing)))


def _weeks(scope: Scope) -> Iterator[Row]:
    for week in count_lessons(scope):
        yield Row(
            (
                week.first_day,
                week.last_day,
                week.held,
                week.missed,
                week.not_noted,
                week.hours,
            )
        )


COUNTED_EXPORTS: Final = (
    Export(
        "figures",
        _l("Figures of requests"),
        (
            _l("Zone"),
            _l("Subject"),
            _l("Level"),
            _l("Asked"),
            *(STANDING_WORDS[standing] for standing in Standing),
        ),
        _figures,
        (),
        for_zones=True,
    ),
    Export(
        "weeks",
        _l("Lessons of the last eight weeks"),
        (
            _l("First day"),
            _l("Last day"),
            _l("Held"),
            _l("Missed or cancelled"),
            _l("Not noted"),
            _l("Hours given"),
        ),
        _weeks,
        (),
        for_zones=True,
    ),
)
