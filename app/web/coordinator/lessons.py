"""Lessons of the coming days, and cancelling one."""

from __future__ import annotations

from itertools import groupby

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import Lesson
from app.security import signed_in_coordinator
from app.services import audit, masking, people, timetable
from app.services import lessons as calendar
from app.services.errors import Conflict, Invalid
from app.web.access import own_scope
from app.web.coordinator import blueprint, labels
from app.web.coordinator.forms import CancelLessonForm
from app.web.incoming import asked_number

DAYS_SHOWN = 14


@blueprint.get("/lessons")
def lessons() -> ResponseReturnValue:
    """The coming two weeks, day by day; leaves a row in the trace."""
    scope = own_scope()
    rows, page = calendar.list_coming_lessons(DAYS_SHOWN, scope, asked_number("page") or 1)
    html = render_template(
        "coordinator/lessons.html",
        page=page,
        days=[list(of_day) for _day, of_day in groupby(rows, lambda row: row.wall_start.date())],
        catalogue=people.read_catalogue(),
        scope=scope,
        masking=masking,
        labels=labels,
    )
    shown = {
        seat.request.pupil_id
        for row in rows
        for seat in row.group.members
        if seat.active_since and masking.is_shown(seat.request.pupil, scope)
    }
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html


@blueprint.route("/lessons/<int:lesson_id>/cancel", methods=["GET", "POST"])
def cancel_lesson(lesson_id: int) -> ResponseReturnValue:
    """Ask why a lesson is cancelled, then cancel it; where that is refused, say why."""
    form = CancelLessonForm()
    refused: list[str] = []
    status = 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            calendar.cancel_lesson(lesson_id, form.reason.data, signed_in_coordinator())
        except (Conflict, Invalid) as refusal:
            refused, status = [str(refusal)], refusal.status
        else:
            flash(_("The lesson is cancelled, and its reminders with it."), "good")
            return redirect(url_for(".lessons"), 303)
    lesson = timetable.get_lesson(lesson_id)
    html = render_template(
        "coordinator/cancel_lesson.html", lesson=lesson, form=form, refused=refused, labels=labels
    )
    audit.record_view(request.path, signed_in_coordinator(), _pupil_ids(lesson))
    return html, status


def _pupil_ids(lesson: Lesson) -> list[int]:
    return [seat.request.pupil_id for seat in lesson.group.members if seat.active_since]
