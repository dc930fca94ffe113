"""Past lessons: how they went, and who was there."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_tutor
from app.services import attendance
from app.services.errors import Conflict, Invalid
from app.web.incoming import asked_number
from app.web.volunteer import blueprint, words
from app.web.volunteer.forms import NoteForm


@blueprint.get("/lessons")
def lessons() -> ResponseReturnValue:
    """The lessons of the last weeks, those that wait for a word first."""
    entries, page = attendance.list_past_lessons(signed_in_tutor(), asked_number("page") or 1)
    return render_template("volunteer/lessons.html", entries=entries, page=page, words=words)


@blueprint.route("/lessons/<int:lesson_id>/note", methods=["GET", "POST"])
def note_lesson(lesson_id: int) -> ResponseReturnValue:
    """Say how a lesson went; what was said before can be corrected for a while."""
    tutor = signed_in_tutor()
    entry = attendance.get_past_lesson(lesson_id, tutor_id=tutor.id)
    form = NoteForm(entry)
    refused, status = "", 400 if request.method == "POST" else 200
    if request.method == "GET":
        form.show(entry)
    if form.validate_on_submit():
        try:
            attendance.note_lesson(
                lesson_id, form.outcome, form.absent.data, form.note.data or "", tutor_id=tutor.id
            )
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("Noted. Thank you!"), "good")
            return redirect(url_for(_way_back()), 303)
    html = render_template(
        "volunteer/note_lesson.html", entry=entry, form=form, refused=refused, back=_way_back()
    )
    return html, status


def _way_back() -> str:
    """The page from which a lesson was noted."""
    return "volunteer.week" if request.values.get("back") == "week" else "volunteer.lessons"
