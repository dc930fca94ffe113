"""What the volunteer gives, to be changed: the questions of registration, asked again.

A change counts from the next run on.
"""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_tutor
from app.services import teaching as service
from app.services.errors import Invalid
from app.web.availability import WeekForm
from app.web.volunteer import blueprint
from app.web.volunteer.clocks import both_clocks
from app.web.volunteer.teaching_forms import LevelsForm, MostForm, SeveralForm, SubjectForm


@blueprint.get("/teaching")
def teaching() -> ResponseReturnValue:
    """All that the volunteer gives, with links to change it."""
    tutor = signed_in_tutor()
    offer = service.read_offer()
    taught = offer.stretches(service.taught_by(tutor, offer))
    return render_template("registration/given.html", tutor=tutor, offer=offer, taught=taught)


@blueprint.route("/teaching/subjects", methods=["GET", "POST"])
def teaches() -> ResponseReturnValue:
    """What is taught, and one more subject."""
    tutor = signed_in_tutor()
    offer = service.read_offer()
    form = SubjectForm(offer.subjects)
    if form.validate_on_submit():
        return redirect(url_for(".levels", subject=form.subject.data), 303)
    taught = offer.stretches(service.taught_by(tutor, offer))
    return _page("teaches", form, taught=taught, next_page=url_for(".teaching"))


@blueprint.route("/teaching/subjects/<subject>", methods=["GET", "POST"])
def levels(subject: str) -> ResponseReturnValue:
    """From which level to which a subject is taught."""
    tutor = signed_in_tutor()
    offer = service.read_offer()
    chosen = next((row for row in offer.subjects if row.code == subject), None)
    if chosen is None:
        return redirect(url_for(".teaches"))
    form = LevelsForm(offer.levels)
    if form.validate_on_submit():
        service.teach_more(tutor.id, subject, form.first.data, form.last.data)
        return _kept(".teaches")
    return _page("levels", form, subject=chosen)


@blueprint.post("/teaching/subjects/remove")
def remove_subject() -> ResponseReturnValue:
    """Take a subject at some levels away; one at least stays."""
    stretch = (request.form.get(part, "") for part in ("subject", "first", "last"))
    try:
        service.teach_less(signed_in_tutor().id, *stretch)
    except Invalid as refused:
        flash(refused.message, "warn")
        return redirect(url_for(".teaches"), 303)
    return _kept(".teaches")


@blueprint.route("/teaching/languages", methods=["GET", "POST"])
def languages() -> ResponseReturnValue:
    """In which languages lessons can be held."""
    tutor = signed_in_tutor()
    mine = [row.language for row in tutor.languages]
    form = SeveralForm(service.read_offer().languages, chosen=mine)
    if form.validate_on_submit():
        service.set_languages(tutor.id, form.codes)
        return _kept(".teaching")
    return _page("languages", form)


@blueprint.route("/teaching/channels", methods=["GET", "POST"])
def channels() -> ResponseReturnValue:
    """How lessons can be held."""
    tutor = signed_in_tutor()
    mine = [row.channel for row in tutor.channels]
    form = SeveralForm(service.read_offer().channels, chosen=mine)
    if form.validate_on_submit():
        service.set_channels(tutor.id, form.codes)
        return _kept(".teaching")
    return _page("channels", form)


@blueprint.route("/teaching/times", methods=["GET", "POST"])
def times() -> ResponseReturnValue:
    """When the volunteer can teach."""
    tutor = signed_in_tutor()
    form = WeekForm.of([row.as_window() for row in tutor.windows], tutor.times_to_agree)
    if request.method == "POST":
        form = WeekForm.from_request(request.form)
        if not form.is_copy and not form.errors:
            service.set_week(tutor.id, form.windows, to_agree=form.to_agree)
            return _kept(".teaching")
    return _page("week", form, clocks=both_clocks(tutor.time_zone))


@blueprint.route("/teaching/most", methods=["GET", "POST"])
def most() -> ResponseReturnValue:
    """How many lessons a week."""
    tutor = signed_in_tutor()
    form = MostForm(most=str(tutor.max_lessons_per_week))
    if form.validate_on_submit():
        service.set_most_lessons(tutor.id, form.lessons)
        return _kept(".teaching")
    return _page("most", form)


def _kept(endpoint: str) -> ResponseReturnValue:
    flash(_("Kept. It counts from the next timetable on; your groups stay as they are."), "good")
    return redirect(url_for(endpoint), 303)


def _page(template: str, form: object, **values: object) -> ResponseReturnValue:
    page = render_template(
        f"registration/{template}.html", form=form, step=None, steps=None, **values
    )
    return page, 400 if getattr(form, "errors", None) else 200
