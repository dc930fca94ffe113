"""Flags that missed lessons raise: taken care of, with a word on how."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app.i18n import _, _l
from app.security import signed_in_coordinator
from app.services import audit, flags
from app.services.errors import Conflict, Invalid
from app.services.free_text import LONGEST_REASON
from app.web.coordinator import blueprint


class CloseFlagForm(FlaskForm):
    """What was done about it."""

    note = StringField(
        _l("What did you do?"),
        [
            InputRequired(_l("Say what you did.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )


@blueprint.route("/flags/<int:flag_id>/close", methods=["GET", "POST"])
def close_flag(flag_id: int) -> ResponseReturnValue:
    """Take a flag off the desk; leaves a row in the trace."""
    form = CloseFlagForm()
    refused: list[str] = []
    status = 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            flags.close_flag(flag_id, form.note.data or "", signed_in_coordinator())
        except (Conflict, Invalid) as refusal:
            refused, status = [str(refusal)], refusal.status
        else:
            flash(_("Thank you. Your name is kept beside it."), "good")
            return redirect(url_for(".desk"), 303)
    flag = flags.get_flag(flag_id)
    pupils = flags.pupils_of(flag)
    html = render_template(
        "coordinator/close_flag.html", flag=flag, pupils=pupils, form=form, refused=refused
    )
    audit.record_view(request.path, signed_in_coordinator(), [pupil.id for pupil in pupils])
    return html, status
