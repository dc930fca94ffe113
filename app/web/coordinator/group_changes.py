"""Groups moved for good or off for a week, families away for a week, volunteers' days off."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectChoice, StringField
from wtforms.validators import InputRequired, Length

from app.i18n import _, _l
from app.models import Group, Tutor
from app.security import signed_in_coordinator
from app.services import (
    absences,
    audit,
    change_policy,
    examining,
    group_moves,
    people,
    weeks,
)
from app.services.errors import ServiceError
from app.services.examining import Rule
from app.services.free_text import LONGEST_REASON
from app.services.group_moves import MovePreview
from app.services.households import get_household
from app.services.weeks import Week
from app.web.coordinator import blueprint, broken, words
from app.web.fields import DayField
from app.web.times import WeekChoice, starts_of, times_form


class _Why(FlaskForm):
    why = StringField(
        _l("Why?"),
        [
            InputRequired(_l("Say why.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )


class WeekForm(WeekChoice, _Why):
    """Which week, and why."""

    def __init__(self, listed: list[Week], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.list_weeks(listed)


class DaysOffForm(_Why):
    """From which day to which a volunteer is away, what becomes of the lessons, and why."""

    first_day = DayField(_l("First day off"), [InputRequired(_l("Give the first day."))])
    last_day = DayField(_l("Last day off"), [InputRequired(_l("Give the last day."))])
    what = RadioField(
        _l("What becomes of the lessons?"),
        choices=[
            SelectChoice("seek", _l("Look for somebody else who gives them")),
            SelectChoice("cancel", _l("Cancel them")),
        ],
        default="seek",
        validate_choice=False,
    )


@blueprint.route("/groups/<int:group_id>/move", methods=["GET", "POST"])
def move_group(group_id: int) -> ResponseReturnValue:
    """Other weekly times for good: what they would break, then they hold from next week on."""
    group = examining.get_live_group(group_id)
    form = times_form(len(group.starts), given=request.values)
    preview: MovePreview | None = None
    refused, status = "", 400 if request.values and not form.validate() else 200
    if request.values and form.validate():
        starts = starts_of(form) or []
        try:
            if request.method == "POST":
                by = signed_in_coordinator()
                group_moves.move_group(group_id, starts, _overruled(), by)
                flash(_("The weekly times are changed, and those concerned are told."), "good")
                return redirect(url_for(".group", group_id=group_id), 303)
            preview = group_moves.preview_move(group_id, starts)
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
            preview = _preview(group_id, starts)
    html = render_template(
        "coordinator/move_group.html",
        group=group,
        form=form,
        preview=preview,
        refused=refused,
        overruled=_overruled(),
        catalogue=people.read_catalogue(),
        channels=people.read_catalogue().channels,
        broken=broken,
        words=words,
    )
    audit.record_view(request.path, signed_in_coordinator(), _pupil_ids(group))
    return html, status


@blueprint.route("/groups/<int:group_id>/week", methods=["GET", "POST"])
def cancel_week(group_id: int) -> ResponseReturnValue:
    """No lessons of one group in one week."""
    group = examining.get_live_group(group_id)
    form = WeekForm(weeks.weeks_of_group(group_id))
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            weeks.cancel_week(group_id, form.monday, form.why.data or "", signed_in_coordinator())
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("The lessons of this week are cancelled, and told."), "good")
            return redirect(url_for(".group", group_id=group_id), 303)
    html = render_template(
        "coordinator/cancel_week.html",
        group=group,
        form=form,
        refused=refused,
        catalogue=people.read_catalogue(),
        words=words,
    )
    audit.record_view(request.path, signed_in_coordinator(), _pupil_ids(group))
    return html, status


@blueprint.route("/families/<int:household_id>/away", methods=["GET", "POST"])
def family_away(household_id: int) -> ResponseReturnValue:
    """A family that is away for a week, as it told a coordinator."""
    household = get_household(household_id)
    form = WeekForm(weeks.weeks_of_family(household_id))
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        by = change_policy.coordinator(signed_in_coordinator())
        try:
            weeks.family_away(household_id, form.monday, by, form.why.data or "")
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("Noted: the family is not expected in that week."), "good")
            return redirect(url_for(".family", household_id=household_id), 303)
    html = render_template(
        "coordinator/family_away.html", household=household, form=form, refused=refused
    )
    audit.record_view(
        request.path, signed_in_coordinator(), [pupil.id for pupil in household.pupils]
    )
    return html, status


@blueprint.route("/tutors/<int:tutor_id>/days-off", methods=["GET", "POST"])
def days_off_of(tutor_id: int) -> ResponseReturnValue:
    """A volunteer's days off: those that are planned, and new ones after what they do was shown."""
    tutor: Tutor = people.get_tutor(tutor_id)
    form = DaysOffForm()
    refused, status = "", 400 if request.method == "POST" else 200
    preview = None
    if form.validate_on_submit():
        days, seek = (form.first_day.data, form.last_day.data), form.what.data != "cancel"
        try:
            if "sure" in request.form:
                by = signed_in_coordinator()
                absences.plan_absence(tutor_id, *days, form.why.data or "", by, seek=seek)
                flash(_("The days off are planned, and those concerned are told."), "good")
                return redirect(url_for(".days_off_of", tutor_id=tutor_id), 303)
            preview, status = absences.preview_absence(tutor_id, *days, seek=seek), 200
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
    html = render_template(
        "coordinator/days_off_of.html",
        tutor=tutor,
        form=form,
        preview=preview,
        refused=refused,
        planned=absences.list_absences(tutor_id),
    )
    lessons = [] if preview is None else [*preview.lessons, *preview.sought]
    shown = {number for lesson in lessons for number in _pupil_ids(lesson.group)}
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html, status


@blueprint.post("/tutors/<int:tutor_id>/days-off/<int:absence_id>/take-back")
def take_days_off_of_back(tutor_id: int, absence_id: int) -> ResponseReturnValue:
    """The volunteer can be there after all."""
    absences.take_absence_back(tutor_id, absence_id, signed_in_coordinator())
    flash(_("The days off are taken back."), "good")
    return redirect(url_for(".days_off_of", tutor_id=tutor_id), 303)


def _preview(group_id: int, starts: list[list[str]]) -> MovePreview | None:
    try:
        return group_moves.preview_move(group_id, starts)
    except ServiceError:
        return None


def _overruled() -> set[Rule]:
    """The rules that were ticked."""
    return {Rule(name) for name in request.form.getlist("overrule") if name in list(Rule)}


def _pupil_ids(group: Group) -> set[int]:
    return {member.request.pupil_id for member in group.members}
