"""Who gives one lesson in its volunteer's place: the search, and giving it by hand."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import OfferState
from app.security import signed_in_coordinator
from app.services import audit, substitution
from app.services.errors import Conflict, Invalid
from app.services.substitutes import Hindrance
from app.web.coordinator import blueprint, labels
from app.web.incoming import asked_number, posted_number


@blueprint.get("/lessons/<int:lesson_id>/substitute")
def substitute(lesson_id: int) -> ResponseReturnValue:
    """Who is asked, who could give it, and why others don't fit; leaves a row in the trace."""
    shown = substitution.read_search(lesson_id, asked_number("page") or 1)
    html = render_template(
        "coordinator/substitute.html",
        shown=shown,
        lesson=shown.lesson,
        labels=labels,
        hindrance=hindrance,
        offer_state=offer_state,
    )
    pupil_ids = [seat.request.pupil_id for seat in shown.lesson.group.members]
    audit.record_view(request.path, signed_in_coordinator(), pupil_ids)
    return html


@blueprint.post("/lessons/<int:lesson_id>/substitute")
def give_to_substitute(lesson_id: int) -> ResponseReturnValue:
    """Give the lesson to a volunteer who agreed to it on the telephone."""
    tutor_id = posted_number("tutor") or 0
    try:
        lesson = substitution.give_by_hand(lesson_id, tutor_id, signed_in_coordinator())
    except (Conflict, Invalid) as refusal:
        flash(str(refusal), "warn")
    else:
        name = lesson.given_by.name
        flash(_("%(name)s gives the lesson. Everybody concerned is told.", name=name), "good")
    return _back(lesson_id)


@blueprint.post("/lessons/<int:lesson_id>/substitute/search")
def seek_substitute(lesson_id: int) -> ResponseReturnValue:
    """Have volunteers asked, since who gives the lesson said that they can't."""
    try:
        substitution.start_search(lesson_id, signed_in_coordinator())
    except Conflict as refusal:
        flash(str(refusal), "warn")
    return _back(lesson_id)


@blueprint.post("/lessons/<int:lesson_id>/substitute/end")
def end_substitute_search(lesson_id: int) -> ResponseReturnValue:
    """Ask nobody any more: the group's own volunteer gives the lesson."""
    try:
        substitution.come_after_all(lesson_id, by=signed_in_coordinator())
    except Conflict as refusal:
        flash(str(refusal), "warn")
    else:
        flash(_("Nobody is asked any more. The lesson stays with its own volunteer."), "good")
    return _back(lesson_id)


def _back(lesson_id: int) -> ResponseReturnValue:
    return redirect(url_for(".substitute", lesson_id=lesson_id), 303)


def hindrance(found: Hindrance) -> str:
    """Why somebody does not give a lesson."""
    return {
        Hindrance.NOT_VETTED: _("is not vetted, or not any more on that day"),
        Hindrance.BUSY: _("has another lesson then"),
        Hindrance.VETOED: _("was ruled out for a pupil of this group"),
        Hindrance.NEEDS: _("does not meet what a pupil needs"),
        Hindrance.NOT_TAUGHT: _("does not teach this subject at this level"),
        Hindrance.CHANNEL: _("does not hold lessons this way"),
        Hindrance.LANGUAGE: _("does not teach in this language"),
        Hindrance.AWAY: _("is away that day"),
        Hindrance.HOURS: _("is not free at this hour of the week"),
        Hindrance.HOURS_UNKNOWN: _("gave no hours yet"),
        Hindrance.NO_LESSONS: _("gives no lessons at present"),
        Hindrance.SAID_NO: _("said that they can't"),
    }[found]


def offer_state(state: OfferState) -> tuple[str, str]:
    """(words, kind of tag) for how far the question to somebody is."""
    return {
        OfferState.WAITING: (_("is asked later"), "neutral"),
        OfferState.ASKED: (_("is asked"), "warn"),
        OfferState.ACCEPTED: (_("said yes"), "good"),
        OfferState.DECLINED: (_("said no"), "neutral"),
        OfferState.CLOSED: (_("is no longer asked"), "neutral"),
    }[state]
