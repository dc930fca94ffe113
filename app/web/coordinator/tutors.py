"""Volunteers: the list, one volunteer's page, and vetting in the name of who is signed in."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import TutorState
from app.security import signed_in_coordinator
from app.services import codes, people, tutor_notes, vetting
from app.services.errors import Conflict, Invalid
from app.services.vetting import VettingChecks
from app.services.vetting_term import ends_soon, expires_on
from app.web.coordinator import blueprint, labels
from app.web.coordinator.people import searched_name
from app.web.coordinator.tutor_forms import NoteForm, VettingForm
from app.web.incoming import asked_number


@blueprint.get("/volunteers")
def tutors() -> ResponseReturnValue:
    """The volunteers, by name and state."""
    name = searched_name()
    state = _chosen_state()
    rows, page = people.find_tutors(name, state, asked_number("page") or 1)
    catalogue = people.read_catalogue()
    return render_template(
        "coordinator/tutors.html",
        tutors=[(tutor, people.taught_by(tutor, catalogue)) for tutor in rows],
        catalogue=catalogue,
        page=page,
        searched=name,
        state=state,
        states=list(TutorState),
        labels=labels,
    )


@blueprint.get("/volunteers/<int:tutor_id>")
def tutor(tutor_id: int) -> ResponseReturnValue:
    """Who a volunteer is: what a coordinator reads before vouching for them."""
    return _show_tutor(tutor_id)


@blueprint.post("/volunteers/<int:tutor_id>/let-in-again")
def let_in_again(tutor_id: int) -> ResponseReturnValue:
    """Send codes again to a volunteer with too many wrong tries."""
    row = codes.let_in_again(tutor_id, signed_in_coordinator())
    flash(_("%(name)s can ask for a code again.", name=row.name), "good")
    return redirect(url_for(".tutor", tutor_id=tutor_id), 303)


@blueprint.post("/volunteers/<int:tutor_id>/vet")
def vet(tutor_id: int) -> ResponseReturnValue:
    """Vet one volunteer, or renew the vetting, in the name of who is signed in."""
    form = VettingForm()
    row = people.get_tutor(tutor_id)
    form.ask_for_charter(row.charter_accepted_at is None)
    if not form.validate_on_submit():
        return _show_tutor(tutor_id, form), 400
    checks = VettingChecks(
        identity_seen_on=form.identity_seen_on.data,
        interviewed_on=form.interviewed_on.data,
        certificate_seen_on=form.certificate_seen_on.data,
        charter_accepted_on=form.charter_accepted_on.data,
    )
    try:
        row = vetting.vet_tutor(tutor_id, signed_in_coordinator(), checks)
    except (Conflict, Invalid) as refusal:
        return _show_tutor(tutor_id, form, refused=[str(refusal)]), refusal.status
    flash(_("%(name)s is vetted and takes part in the next matching.", name=row.name), "good")
    return redirect(url_for(".tutor", tutor_id=tutor_id), 303)


@blueprint.post("/volunteers/<int:tutor_id>/withdraw-vetting")
def withdraw_vetting(tutor_id: int) -> ResponseReturnValue:
    """Take one volunteer's vetting back."""
    row = vetting.withdraw_vetting(tutor_id, signed_in_coordinator())
    flash(_("%(name)s waits for vetting again.", name=row.name), "good")
    return redirect(url_for(".tutor", tutor_id=tutor_id), 303)


@blueprint.post("/volunteers/<int:tutor_id>/notes")
def note_tutor(tutor_id: int) -> ResponseReturnValue:
    """Keep a note on a volunteer, for all coordinators."""
    form = NoteForm()
    if not form.validate_on_submit():
        return _show_tutor(tutor_id, noting=form), 400
    tutor_notes.note_tutor(tutor_id, form.text.data, signed_in_coordinator())
    flash(_("The note is kept, with your name."), "good")
    return redirect(url_for(".tutor", tutor_id=tutor_id, _anchor="notes"), 303)


def _show_tutor(
    tutor_id: int,
    form: VettingForm | None = None,
    *,
    noting: NoteForm | None = None,
    refused: list[str] | None = None,
) -> str:
    row = people.get_tutor(tutor_id)
    if form is None:
        form = VettingForm(formdata=None)
        form.ask_for_charter(row.charter_accepted_at is None)
    catalogue = people.read_catalogue()
    return render_template(
        "coordinator/tutor.html",
        tutor=row,
        taught=people.taught_by(row, catalogue),
        tags=people.tags_of(row),
        catalogue=catalogue,
        sign_in_closed=codes.is_closed(tutor_id),
        expires_on=expires_on(row),
        ends_soon=ends_soon(row),
        notes=tutor_notes.notes_on(tutor_id),
        form=form,
        noting=noting or NoteForm(formdata=None),
        refused=refused or [],
        labels=labels,
    )


def _chosen_state() -> TutorState | None:
    try:
        return TutorState(request.args.get("state", ""))
    except ValueError:
        return None
