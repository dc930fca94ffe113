"""What a volunteer changes of lessons to come: one, a week, the weekly times, the end of a group.

Each page says what follows before it is done; who may do what is in change_policy.py.
"""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_tutor
from app.services import (
    asked_times,
    change_policy,
    changes,
    free_times,
    group_moves,
    groups,
    volunteer,
    weeks,
)
from app.services.change_policy import Act, Role, is_in_time
from app.services.errors import Conflict, ServiceError
from app.services.volunteer import TutorGroup
from app.web.clash_words import clash_for_tutor
from app.web.times import starts_of, times_form
from app.web.volunteer import blueprint
from app.web.volunteer.change_forms import CantForm, OtherTimeForm, WeekOffForm
from app.web.volunteer.forms import ReasonForm

MOST_TIMES = 15


@blueprint.route("/lessons/<int:lesson_id>/cancel", methods=["GET", "POST"])
def cancel_lesson(lesson_id: int) -> ResponseReturnValue:
    """I can't that day: somebody else is looked for, or the lesson is cancelled."""
    tutor = signed_in_tutor()
    entry = volunteer.get_lesson(tutor, lesson_id)
    may_seek = is_in_time(Act.FIND_SUBSTITUTE, Role.TUTOR, entry.lesson)
    form = CantForm(_reasons(), may_seek=may_seek)
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            if form.seeks:
                changes.find_substitute(lesson_id, form.reason, tutor.id)
                flash(_("We look for somebody else. You are told who gives the lesson."), "good")
            else:
                changes.cancel_lesson(lesson_id, form.reason, tutor_id=tutor.id)
                flash(_("The lesson is cancelled, and the family is told by message."), "good")
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
        else:
            return redirect(url_for(".week"), 303)
    html = render_template(
        "volunteer/cancel_lesson.html",
        tutor=tutor,
        form=form,
        entry=entry,
        refused=refused,
        may_move=is_in_time(Act.MOVE_LESSON, Role.TUTOR, entry.lesson),
    )
    return html, status


@blueprint.route("/lessons/<int:lesson_id>/move", methods=["GET", "POST"])
def move_lesson(lesson_id: int) -> ResponseReturnValue:
    """Hold one lesson at another time that suits everybody."""
    tutor = signed_in_tutor()
    entry = volunteer.get_lesson(tutor, lesson_id)
    form = OtherTimeForm(free_times.free_times(entry.lesson, Role.TUTOR, MOST_TIMES))
    refused: list[str] = []
    status = 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            changes.move_lesson(lesson_id, form.wall_start, change_policy.tutor(tutor.id))
        except ServiceError as refusal:
            found = changes.clashes_of(entry.lesson, form.wall_start, Role.TUTOR)
            refused = [str(refusal), *map(clash_for_tutor, found)]
            status = refusal.status
        else:
            flash(_("The lesson is moved, and the family is told by message."), "good")
            return redirect(url_for(".week"), 303)
    html = render_template(
        "volunteer/move_lesson.html", tutor=tutor, form=form, entry=entry, refused=refused
    )
    return html, status


@blueprint.post("/questions/<int:question_id>/other-time")
def answer_asked_time(question_id: int) -> ResponseReturnValue:
    """Hold a lesson when its family asks for it, or when it was to be."""
    accepts = request.form.get("answer") == "yes"
    try:
        asked_times.answer_asked_time(question_id, accepts, tutor_id=signed_in_tutor().id)
    except Conflict as refusal:
        flash(str(refusal), "warn")
    else:
        flash(_("The lesson is moved.") if accepts else _("The lesson stays as it was."), "good")
    return redirect(url_for(".week"), 303)


@blueprint.route("/groups/<int:group_id>/times", methods=["GET", "POST"])
def move_group(group_id: int) -> ResponseReturnValue:
    """Other weekly times for good: what they would mean, then they hold from next week on."""
    tutor = signed_in_tutor()
    entry = volunteer.get_group(tutor, group_id)
    form = times_form(len(entry.group.starts), given=request.values)
    preview, refused, status = None, "", 200
    if request.values and form.validate():
        starts = starts_of(form) or []
        try:
            if request.method == "POST":
                group_moves.move_group(group_id, starts, tutor_id=tutor.id)
                flash(_("The weekly times are changed, and the families are told."), "good")
                return redirect(url_for(".week"), 303)
            preview = group_moves.preview_move(group_id, starts)
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
    html = render_template(
        "volunteer/move_group.html", entry=entry, form=form, preview=preview, refused=refused
    )
    return html, 400 if form.errors else status


@blueprint.route("/groups/<int:group_id>/week-off", methods=["GET", "POST"])
def cancel_week(group_id: int) -> ResponseReturnValue:
    """No lessons of one group in one week."""
    tutor = signed_in_tutor()
    entry = volunteer.get_group(tutor, group_id)
    form = WeekOffForm(weeks.weeks_of_group(group_id), _reasons())
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            weeks.cancel_week(group_id, form.monday, form.reason, None, tutor_id=tutor.id)
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("The lessons of this week are cancelled, and the families are told."), "good")
            return redirect(url_for(".week"), 303)
    html = render_template("volunteer/cancel_week.html", entry=entry, form=form, refused=refused)
    return html, status


@blueprint.route("/groups/<int:group_id>/end", methods=["GET", "POST"])
def end_group(group_id: int) -> ResponseReturnValue:
    """End one group for good, after what ends with it was said."""
    tutor = signed_in_tutor()
    entry: TutorGroup = volunteer.get_group(tutor, group_id)
    form = ReasonForm([_("I have too much to do"), _("I am moving or travelling")])
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            groups.end_group(group_id, form.reason, tutor_id=tutor.id)
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(
                _("The group has ended. The families are told, and wait for somebody else."), "good"
            )
            return redirect(url_for(".week"), 303)
    html = render_template("volunteer/end_group.html", entry=entry, form=form, refused=refused)
    return html, status


def _reasons() -> list[str]:
    return [_("I am ill"), _("I have to work or study"), _("I am travelling")]
