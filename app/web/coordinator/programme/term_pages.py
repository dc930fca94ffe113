"""Terms: the days on which lessons are held."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import Term
from app.security import signed_in_coordinator
from app.services import term_changes, terms
from app.services.errors import Conflict, Invalid
from app.services.term_changes import NewTerm
from app.web.coordinator import blueprint
from app.web.coordinator.programme.confirming import ask_then_change
from app.web.coordinator.programme.forms import TermForm


@blueprint.get("/programme/terms")
def programme_terms() -> ResponseReturnValue:
    """The terms, in the order of time."""
    return render_template("coordinator/programme/terms.html", terms=terms.list_terms())


@blueprint.route("/programme/terms/new", methods=["GET", "POST"])
def programme_add_term() -> ResponseReturnValue:
    """Add a term, once the lessons that it cancels have been seen."""
    return _edit(TermForm(), None)


@blueprint.route("/programme/terms/<int:term_id>", methods=["GET", "POST"])
def programme_term(term_id: int) -> ResponseReturnValue:
    """Change a term, once the lessons that this cancels have been seen."""
    term = term_changes.get_term(term_id)
    return _edit(TermForm(obj=term), term)


@blueprint.route("/programme/terms/<int:term_id>/remove", methods=["GET", "POST"])
def programme_remove_term(term_id: int) -> ResponseReturnValue:
    """Ask whether a term goes, with the lessons that end with it; then take it away."""
    term = term_changes.get_term(term_id)
    by = signed_in_coordinator()
    return ask_then_change(
        lambda: term_changes.preview_terms(None, term_id),
        lambda agreed: term_changes.remove_term(term_id, by, agreed=agreed),
        title=_("Take %(name)s away?", name=term.name),
        back=url_for(".programme_terms"),
        button=_("Take away"),
    )


def _edit(form: TermForm, term: Term | None) -> ResponseReturnValue:
    refused: list[str] = []
    if form.validate_on_submit():
        new = NewTerm(form.name.data, form.first_day.data, form.last_day.data)
        term_id = None if term is None else term.id
        by = signed_in_coordinator()
        try:
            return ask_then_change(
                lambda: term_changes.preview_terms(new, term_id),
                lambda agreed: term_changes.store_term(new, by, term_id=term_id, agreed=agreed),
                back=url_for(".programme_terms"),
                button=_("Keep, and change the lessons"),
                values=form.values,
            )
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
    html = render_template("coordinator/programme/term.html", form=form, refused=refused, term=term)
    return html, 400 if form.errors or refused else 200
