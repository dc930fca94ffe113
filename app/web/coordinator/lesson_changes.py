"""One lesson: what it is and its story; moved, cancelled, put back. What follows is said before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired

from app.i18n import _, _l
from app.models import AuditEntry, Lesson, LessonState
from app.security import signed_in_coordinator
from app.services import audit, change_policy, changes, free_times, masking, people, timetable
from app.services.change_policy import Act, Role, is_in_time
from app.services.clashes import STOPS, Clash
from app.services.errors import Conflict, Invalid, ServiceError
from app.web.access import own_scope
from app.web.clash_words import clash
from app.web.coordinator import blueprint, labels, stories
from app.web.coordinator.forms import CancelLessonForm
from app.web.fields import DayField
from app.web.times import HOUR, read_hour

MOST_TIMES = 12


class OtherTimeForm(FlaskForm):
    """When a lesson is held instead."""

    class Meta:
        csrf = False
        """It only looks: the page after it carries the token that the change needs."""

    day = DayField(_l("Day"), [InputRequired(_l("Give a day, such as 2026-11-21."))])
    hour = StringField(_l("Hour"), [InputRequired(_l("Give an hour such as 18:30.")), HOUR])

    @property
    def wall_start(self) -> datetime:
        day: date = self.day.data
        hour = read_hour(self.hour.data or "")
        assert hour is not None
        return datetime.combine(day, hour)


@blueprint.get("/lessons/<int:lesson_id>")
def lesson(lesson_id: int) -> ResponseReturnValue:
    """One lesson with all that was done to it; leaves a row in the trace."""
    row = timetable.get_lesson(lesson_id)
    scope = own_scope()
    story = timetable.read_group(row.group_id, scope)
    begun = not is_in_time(Act.CANCEL_LESSON, Role.COORDINATOR, row)
    may_restore = row.state is LessonState.CANCELLED and is_in_time(
        Act.RESTORE_LESSON, Role.COORDINATOR, row
    )
    html = render_template(
        "coordinator/lesson.html",
        lesson=row,
        story=story,
        acts=[act for act in story.acts if _is_about(act, lesson_id)],
        catalogue=people.read_catalogue(),
        begun=begun,
        may_restore=may_restore,
        against=changes.why_not_back(row) if may_restore else [],
        clash=clash,
        labels=labels,
        stories=stories,
        scope=scope,
        masking=masking,
    )
    audit.record_view(request.path, signed_in_coordinator(), story.pupil_ids)
    return html


@blueprint.route("/lessons/<int:lesson_id>/cancel", methods=["GET", "POST"])
def cancel_lesson(lesson_id: int) -> ResponseReturnValue:
    """Ask why a lesson is cancelled, then cancel it; where that is refused, say why."""
    form = CancelLessonForm()
    refused: list[str] = []
    status = 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            changes.cancel_lesson(lesson_id, form.reason.data, signed_in_coordinator())
        except (Conflict, Invalid) as refusal:
            refused, status = [str(refusal)], refusal.status
        else:
            flash(_("The lesson is cancelled, and those concerned are told."), "good")
            return redirect(url_for(".lesson", lesson_id=lesson_id), 303)
    row = timetable.get_lesson(lesson_id)
    html = render_template(
        "coordinator/cancel_lesson.html", lesson=row, form=form, refused=refused, labels=labels
    )
    audit.record_view(request.path, signed_in_coordinator(), _pupil_ids(row))
    return html, status


@blueprint.route("/lessons/<int:lesson_id>/move", methods=["GET", "POST"])
def move_lesson(lesson_id: int) -> ResponseReturnValue:
    """Times that are free; what another one would break; then the lesson is moved."""
    row = timetable.get_lesson(lesson_id)
    # Not both together: a day that the address and the form name would be read as one.
    given = request.form if request.method == "POST" else request.args
    form = OtherTimeForm(given or None)
    asked = bool(given) and form.validate()
    refused, status = "", 400 if given and not asked else 200
    found: Sequence[Clash] = ()
    if asked:
        found = changes.clashes_of(row, form.wall_start, Role.COORDINATOR)
        if request.method == "POST":
            try:
                by = change_policy.coordinator(signed_in_coordinator())
                changes.move_lesson(lesson_id, form.wall_start, by, _overruled())
            except ServiceError as refusal:
                refused, status = str(refusal), refusal.status
            else:
                flash(_("The lesson is moved, and those concerned are told."), "good")
                return redirect(url_for(".lesson", lesson_id=lesson_id), 303)
    html = render_template(
        "coordinator/move_lesson.html",
        lesson=row,
        form=form,
        refused=refused,
        wanted=form.wall_start if asked else None,
        stops=[one for one in found if one in STOPS],
        overrulable=[one for one in found if one not in STOPS],
        overruled=_overruled(),
        times=[] if asked else free_times.free_times(row, Role.COORDINATOR, MOST_TIMES),
        clash=clash,
        labels=labels,
    )
    audit.record_view(request.path, signed_in_coordinator(), _pupil_ids(row))
    return html, status


@blueprint.post("/lessons/<int:lesson_id>/restore")
def restore_lesson(lesson_id: int) -> ResponseReturnValue:
    """Put a cancelled lesson back."""
    try:
        changes.restore_lesson(lesson_id, signed_in_coordinator())
    except (Conflict, Invalid) as refusal:
        flash(str(refusal), "warn")
    else:
        flash(_("The lesson is planned again, and those concerned are told."), "good")
    return redirect(url_for(".lesson", lesson_id=lesson_id), 303)


def _overruled() -> set[Clash]:
    """What was ticked."""
    return {Clash(name) for name in request.form.getlist("overrule") if name in list(Clash)}


def _is_about(act: AuditEntry, lesson_id: int) -> bool:
    return act.subject == f"lesson:{lesson_id}" or lesson_id in act.detail.get("lessons", ())


def _pupil_ids(row: Lesson) -> list[int]:
    return [seat.request.pupil_id for seat in row.group.members if seat.active_since]
