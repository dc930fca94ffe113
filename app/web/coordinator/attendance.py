"""How a lesson went, said by a coordinator where its volunteer does not or no longer can."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_coordinator
from app.services import attendance, audit
from app.services.errors import Conflict, Invalid
from app.web.coordinator import blueprint, labels
from app.web.volunteer.forms import NoteForm


@blueprint.route("/lessons/<int:lesson_id>/note", methods=["GET", "POST"])
def note_lesson(lesson_id: int) -> ResponseReturnValue:
    """Say whether a lesson was held, and who was there; leaves a row in the trace."""
    entry = attendance.get_past_lesson(lesson_id)
    form = NoteForm(entry)
    refused, status = "", 400 if request.method == "POST" else 200
    if request.method == "GET":
        form.show(entry)
    if form.validate_on_submit():
        try:
            attendance.note_lesson(
                lesson_id,
                form.outcome,
                form.absent.data,
                form.note.data or "",
                by=signed_in_coordinator(),
            )
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("Noted. Thank you!"), "good")
            return redirect(url_for(".desk"), 303)
    html = render_template(
        "coordinator/note_lesson.html", entry=entry, form=form, refused=refused, labels=labels
    )
    shown = [pupil.id for pupil in entry.pupils]
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html, status
