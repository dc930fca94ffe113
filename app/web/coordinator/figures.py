"""Figures: who asked, who is served, who waits and why, as charts with their numbers."""

from __future__ import annotations

from flask import render_template

from app.services.figures import PARTS, SHARE_WORDS, STANDING_WORDS, Bar, read_figures
from app.services.paging import page_of
from app.web.access import own_scope
from app.web.coordinator import blueprint
from app.web.incoming import asked_number

ZONES_PER_PAGE = 30


@blueprint.get("/figures")
def figures() -> str:
    """How requests stand by zone, subject and level, and the lessons of eight weeks."""
    counted = read_figures(own_scope())
    page = page_of(len(counted.zones), asked_number("page") or 1, ZONES_PER_PAGE)
    return render_template(
        "coordinator/figures.html",
        figures=counted,
        zones=page.cut(counted.zones),
        page=page,
        legend=[(part.value, SHARE_WORDS[part]) for part in PARTS if counted.whole.share(part)],
        shares=_shares,
        standing_words=STANDING_WORDS,
    )


def _shares(bar: Bar) -> list[tuple[str, int]]:
    """The parts of a bar with their class, in the order in which they are drawn."""
    return [(part.value, bar.share(part)) for part in PARTS]
