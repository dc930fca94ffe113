"""One family's page: all that is known of it, what was done to it, notes."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_coordinator
from app.services import (
    audit,
    family_view,
    households,
    link_messages,
    new_times,
    notes,
    people,
)
from app.services.errors import Conflict
from app.web.coordinator import blueprint, family_stories, labels, words
from app.web.coordinator.family_forms import means_of_consent, message_languages
from app.web.coordinator.tutor_forms import NoteForm
from app.web.incoming import asked_number


@blueprint.get("/families/<int:household_id>")
def family(household_id: int) -> ResponseReturnValue:
    """Everything about one family; leaves a row in the trace."""
    return _show_family(household_id, NoteForm(formdata=None))


def _show_family(household_id: int, form: NoteForm) -> str:
    view = family_view.read_family(household_id)
    acts, page = family_view.family_history(view, asked_number("page") or 1)
    html = render_template(
        "coordinator/family.html",
        view=view,
        household=view.household,
        acts=acts,
        page=page,
        form=form,
        catalogue=people.read_catalogue(),
        can_send=link_messages.can_send(),
        labels=labels,
        words=words,
        stories=family_stories,
        message_languages=message_languages(),
        means_of_consent=means_of_consent,
        proposed_time=new_times.proposed_time,
        me=signed_in_coordinator(),
    )
    audit.record_view(request.path, signed_in_coordinator(), view.pupil_ids)
    return html


@blueprint.post("/families/<int:household_id>/notes")
def note_family(household_id: int) -> ResponseReturnValue:
    """Keep a note for the other coordinators."""
    form = NoteForm()
    if not form.validate_on_submit():
        return _show_family(household_id, form), 400
    notes.add_note(household_id, form.text.data or "", signed_in_coordinator())
    flash(_("The note is kept."), "good")
    return redirect(url_for(".family", household_id=household_id, _anchor="notes"), 303)


@blueprint.post("/families/<int:household_id>/notes/<int:note_id>/remove")
def remove_family_note(household_id: int, note_id: int) -> ResponseReturnValue:
    """Remove a note of one's own."""
    notes.remove_note(household_id, note_id, signed_in_coordinator())
    flash(_("The note is removed."), "good")
    return redirect(url_for(".family", household_id=household_id, _anchor="notes"), 303)


@blueprint.post("/families/<int:household_id>/messages/<any(stop, send):step>")
def set_family_messages(household_id: int, step: str) -> ResponseReturnValue:
    """Stop the messages to a family that said so, or send them again."""
    households.set_messages(household_id, signed_in_coordinator(), wanted=step == "send")
    if step == "send":
        flash(_("The family gets messages again."), "good")
    else:
        flash(_("No more messages go to this family."), "good")
    return redirect(url_for(".family", household_id=household_id), 303)


@blueprint.post("/families/<int:household_id>/times/<int:question_id>/<any(yes, no):said>")
def answer_new_time(household_id: int, question_id: int, said: str) -> ResponseReturnValue:
    """Keep what a family said on the telephone of another time for a lesson."""
    by = signed_in_coordinator()
    try:
        lesson = new_times.answer_new_time(
            question_id, said == "yes", household_id=household_id, by=by
        )
    except Conflict as refusal:
        flash(str(refusal), "warn")
    else:
        if lesson is not None:
            flash(
                _("All agree: the lesson takes place then, and those concerned are told."), "good"
            )
        elif said == "yes":
            flash(_("The family’s yes is kept. Other families have yet to agree."), "good")
        else:
            flash(_("The family’s no is kept: the lesson stays cancelled."), "good")
    return redirect(url_for(".family", household_id=household_id), 303)


@blueprint.post("/zones/<int:zone_id>/list")
def list_zone(zone_id: int) -> ResponseReturnValue:
    """Take a zone that a family named into the list."""
    zone = households.list_zone(zone_id, signed_in_coordinator())
    flash(_("%(zone)s is one of the zones now.", zone=zone.name), "good")
    return redirect(url_for(".requests_to_confirm"), 303)
