"""A volunteer's week: what is offered, who is taught, which lessons come; and their settings."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _, page_locale
from app.security import signed_in_tutor
from app.services import asked_times, groups, volunteer
from app.services.calendar_year import coming_breaks
from app.web.volunteer import blueprint, words
from app.web.volunteer.forms import ReasonForm, SettingsForm


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """The short address of the week."""
    return redirect(url_for(".week"))


@blueprint.get("/week")
def week() -> ResponseReturnValue:
    """Offers, groups with the families' numbers, coming lessons; numbers leave a trace."""
    tutor = signed_in_tutor()
    shown = volunteer.read_week(tutor)
    page = render_template(
        "volunteer/week.html",
        tutor=tutor,
        week=shown,
        wishes=asked_times.asked_of(tutor.id),
        breaks=coming_breaks({entry.group.level_id for entry in shown.groups}, page_locale()),
        asked_time=asked_times.asked_time,
        words=words,
    )
    if shown.pupils_with_contact:
        volunteer.note_contacts_shown(tutor, request.path, shown.pupils_with_contact)
    return page


@blueprint.post("/groups/<int:group_id>/accept")
def accept(group_id: int) -> ResponseReturnValue:
    """Take what is offered; the families' numbers and the lessons then stand on the week."""
    groups.accept_group(group_id, tutor_id=signed_in_tutor().id)
    flash(_("Thank you! You find the families' numbers and the lessons below."), "good")
    return redirect(url_for(".week"))


@blueprint.route("/groups/<int:group_id>/decline", methods=["GET", "POST"])
def decline(group_id: int) -> ResponseReturnValue:
    """Say no to what is offered, with a reason."""
    tutor = signed_in_tutor()
    form = ReasonForm(
        [
            _("The time does not suit me"),
            _("I can't take more lessons now"),
            _("I can't teach this subject or level"),
        ]
    )
    if form.validate_on_submit():
        groups.decline_group(group_id, form.reason, tutor_id=tutor.id)
        flash(_("Declined. The coordinators look for somebody else."), "good")
        return redirect(url_for(".week"))
    offer = volunteer.get_offer(tutor, group_id)
    page = render_template("volunteer/decline.html", tutor=tutor, form=form, offer=offer)
    return page, 400 if form.is_submitted() else 200


@blueprint.route("/settings", methods=["GET", "POST"])
def settings() -> ResponseReturnValue:
    """The language of messages, whether there is one on Sundays, and where the volunteer lives."""
    tutor = signed_in_tutor()
    form = SettingsForm(tutor.time_zone)
    if request.method == "GET":
        form.language.data = tutor.message_language
        form.time_zone.data = tutor.time_zone or ""
        form.digest.data = tutor.wants_digest
    if form.validate_on_submit():
        volunteer.set_preferences(
            tutor.id, form.language.data, form.time_zone.data or None, digest=form.digest.data
        )
        flash(_("Kept."), "good")
        return redirect(url_for(".week"))
    page = render_template("volunteer/settings.html", tutor=tutor, form=form)
    return page, 400 if form.is_submitted() else 200
