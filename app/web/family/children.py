"""A child or a subject is asked for; a child's lessons are stopped."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from app.i18n import page_locale
from app.services import family_children
from app.services.consent import consent_texts
from app.services.errors import Invalid
from app.web.asking import AgreedForm, ChildForm, SubjectsForm
from app.web.family import blueprint
from app.web.family.pages import back, open_page, show


@blueprint.route("/children", methods=["GET", "POST"])
def add_child(token: str) -> ResponseReturnValue:
    """Another child, with what it needs and what the guardian agrees to."""
    household = open_page(token)
    form, agreed = ChildForm(), AgreedForm()
    refusals = []
    if request.method == "POST" and all([form.validate(), agreed.validate()]):
        try:
            family_children.ask_for_child(household.id, form.child, agreed.agreed)
            return back(token, "children")
        except Invalid as refused:
            refusals.append(refused.message)
    page = show(
        "family/add_child.html",
        token,
        form=form,
        agreed=agreed,
        refusals=refusals,
        texts=consent_texts(page_locale()),
        shares_number=family_children.shares_number_by_a_child(household),
    )
    return page, 400 if request.method == "POST" else 200


@blueprint.route("/children/<int:pupil_id>", methods=["GET", "POST"])
def ask_for_subjects(token: str, pupil_id: int) -> ResponseReturnValue:
    """More subjects for a child; and a yes to its lessons, where there is none."""
    household = open_page(token)
    child = family_children.child_of(household, pupil_id)
    form = SubjectsForm(family_children.subjects_to_ask(child))
    agreed = None if child.consented else AgreedForm()
    refusals = []
    if request.method == "POST" and all([form.validate(), agreed is None or agreed.validate()]):
        said = None if agreed is None else agreed.agreed
        try:
            family_children.ask_for_subjects(household.id, pupil_id, form.chosen_subjects, said)
            return back(token, "children")
        except Invalid as refused:
            refusals.append(refused.message)
    page = show(
        "family/ask_for_subjects.html",
        token,
        child=child,
        form=form,
        agreed=agreed,
        refusals=refusals,
        texts=consent_texts(page_locale()),
        shares_number=family_children.shares_number_by_a_child(household),
    )
    return page, 400 if request.method == "POST" else 200


@blueprint.route("/children/<int:pupil_id>/stop", methods=["GET", "POST"])
def stop_lessons(token: str, pupil_id: int) -> ResponseReturnValue:
    """What ends with a child's lessons; the button ends it."""
    household = open_page(token)
    if request.method == "POST":
        family_children.stop_lessons(household.id, pupil_id)
        return back(token, "children")
    child = family_children.child_of(household, pupil_id)
    return show(
        "family/stop_lessons.html", token, child=child, seats=family_children.seats_of(pupil_id)
    )
