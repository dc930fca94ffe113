"""Terms: the days on which lessons are held."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _, ngettext
from app.models import Lesson, Term
from app.security import signed_in_coordinator
from app.services import term_changes, terms
from app.services.errors import Conflict, Invalid
from app.services.term_changes import NewTerm, Outcome
from app.web.coordinator import blueprint
from app.web.coordinator.programme.forms import RemoveTermForm, TermForm

MOST_LESSONS_SHOWN = 100


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
    form = RemoveTermForm()
    refused: list[str] = []
    status = 200
    if form.validate_on_submit():
        try:
            outcome = term_changes.remove_term(
                term_id, signed_in_coordinator(), agreed=_number(form.agreed.data)
            )
        except Conflict as refusal:
            refused, status = [str(refusal)], refusal.status
        else:
            return _done(outcome)
    lessons = term_changes.lessons_outside(None, term_id)
    return _confirmation(form, lessons, refused, term, removing=True), status


def _edit(form: TermForm, term: Term | None) -> ResponseReturnValue:
    refused: list[str] = []
    if form.validate_on_submit():
        new = NewTerm(form.name.data, form.first_day.data, form.last_day.data)
        term_id = None if term is None else term.id
        agreed = _number(form.agreed.data)
        try:
            lessons = term_changes.lessons_outside(new, term_id)
            if len(lessons) == agreed:
                by = signed_in_coordinator()
                return _done(term_changes.store_term(new, by, term_id=term_id, agreed=agreed))
            return _confirmation(form, lessons, [], term, removing=False)
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
    html = render_template("coordinator/programme/term.html", form=form, refused=refused, term=term)
    return html, 400 if form.errors or refused else 200


def _confirmation(
    form: TermForm | RemoveTermForm,
    lessons: Sequence[Lesson],
    refused: list[str],
    term: Term | None,
    *,
    removing: bool,
) -> str:
    form.agreed.data = str(len(lessons))
    shown = lessons[:MOST_LESSONS_SHOWN]
    return render_template(
        "coordinator/programme/term_lessons.html",
        form=form,
        term=term,
        removing=removing,
        refused=refused,
        total=len(lessons),
        more=len(lessons) - len(shown),
        days=[list(rows) for _day, rows in groupby(shown, lambda row: row.wall_start.date())],
    )


def _done(outcome: Outcome) -> ResponseReturnValue:
    said = [_("Kept.")]
    if outcome.cancelled:
        said.append(
            ngettext(
                "%(num)d lesson is cancelled, and its reminders with it.",
                "%(num)d lessons are cancelled, and their reminders with them.",
                outcome.cancelled,
            )
        )
    if outcome.made:
        said.append(
            ngettext("%(num)d lesson is planned.", "%(num)d lessons are planned.", outcome.made)
        )
    flash(" ".join(said), "good")
    return redirect(url_for(".programme_terms"), 303)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0
