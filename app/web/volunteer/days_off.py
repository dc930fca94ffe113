"""Days off: planned after what they cancel was shown, and taken back."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _, ngettext
from app.security import signed_in_tutor
from app.services import absences
from app.services.absences import PlannedAbsence
from app.services.errors import Conflict, Invalid
from app.web.volunteer import blueprint
from app.web.volunteer.forms import DaysOffForm


@blueprint.route("/days-off", methods=["GET", "POST"])
def days_off() -> ResponseReturnValue:
    """The days off that are planned; new ones are shown with what they cancel, then planned."""
    tutor = signed_in_tutor()
    form = DaysOffForm([_("I am travelling"), _("I have exams"), _("I have holidays")])
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        days = form.first_day.data, form.last_day.data
        try:
            if "sure" not in request.form:
                preview = absences.preview_absence(tutor.id, *days, seek=form.seeks)
                return render_template(
                    "volunteer/days_off_sure.html", form=form, preview=preview, tutor=tutor
                )
            planned = absences.plan_absence(tutor.id, *days, form.reason, seek=form.seeks)
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_planned(planned), "good")
            return redirect(url_for(".days_off"), 303)
    html = render_template(
        "volunteer/days_off.html",
        form=form,
        refused=refused,
        tutor=tutor,
        planned=absences.list_absences(tutor.id),
    )
    return html, status


@blueprint.post("/days-off/<int:absence_id>/take-back")
def take_days_off_back(absence_id: int) -> ResponseReturnValue:
    """Give the lessons of these days after all."""
    back = absences.take_absence_back(signed_in_tutor().id, absence_id)
    text = ngettext(
        "The days off are taken back. %(num)s lesson is planned again; the family is told.",
        "The days off are taken back. %(num)s lessons are planned again; the families are told.",
        len(back.lessons),
    )
    flash(text if back.lessons else _("The days off are taken back."), "good")
    return redirect(url_for(".days_off"), 303)


def _planned(planned: PlannedAbsence) -> str:
    text = _("Your days off are planned.")
    if planned.lessons:
        text += " " + ngettext(
            "%(num)s lesson is cancelled, and the family is told by message.",
            "%(num)s lessons are cancelled, and the families are told by message.",
            len(planned.lessons),
        )
    if planned.sought:
        text += " " + ngettext(
            "For %(num)s lesson we look for somebody else.",
            "For %(num)s lessons we look for somebody else.",
            len(planned.sought),
        )
    return text
