"""The secret address of a volunteer's calendar: made and shown once, or ended."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_tutor
from app.services import calendar_feed
from app.web.addresses import public_address
from app.web.volunteer import blueprint


@blueprint.route("/calendar", methods=["GET", "POST"])
def calendar() -> ResponseReturnValue:
    """How a phone shows the lessons; with POST, a new address for it, which ends the one before."""
    tutor = signed_in_tutor()
    link = None
    if request.method == "POST":
        token = calendar_feed.make_feed(tutor.id)
        link = public_address("public.calendar", token=token)
    return render_template(
        "volunteer/calendar.html",
        has_address=tutor.calendar_token_hash is not None,
        link=link,
        webcal=link and "webcal:" + link.partition(":")[2],
    )


@blueprint.post("/calendar/end")
def end_calendar() -> ResponseReturnValue:
    """End the address, such as when it came into other hands."""
    calendar_feed.end_feed(signed_in_tutor().id)
    flash(_("The address of the calendar no longer opens."), "good")
    return redirect(url_for(".calendar"), 303)
