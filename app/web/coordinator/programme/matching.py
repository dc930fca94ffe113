"""How long lessons are and when they may start."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_coordinator
from app.services.errors import Invalid
from app.services.programme import MatchingRules, matching_rules, set_matching_rules
from app.web.coordinator import blueprint
from app.web.coordinator.programme.forms import MatchingForm


@blueprint.route("/programme/lesson-length", methods=["GET", "POST"])
def programme_matching() -> ResponseReturnValue:
    """Set what every run goes by."""
    form = MatchingForm(obj=matching_rules())
    refused: list[str] = []
    if form.validate_on_submit():
        rules = MatchingRules(form.lesson_minutes.data, form.start_every.data)
        try:
            set_matching_rules(rules, signed_in_coordinator())
        except Invalid as refusal:
            refused = [str(refusal)]
        else:
            flash(_("Kept. The next matching goes by it."), "good")
            return redirect(url_for(".programme_start"), 303)
    html = render_template("coordinator/programme/matching.html", form=form, refused=refused)
    return html, 400 if form.errors or refused else 200
