"""Groups: who waits for an answer, who teaches whom; a volunteer's answer, recorded for them."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import GroupState
from app.security import signed_in_coordinator
from app.services import audit, masking, people, timetable
from app.services import groups as standing
from app.services.errors import Conflict, Invalid
from app.web.access import own_scope
from app.web.coordinator import blueprint, labels, stories, words
from app.web.coordinator.forms import DeclineForm, EndGroupForm
from app.web.coordinator.people import searched_name
from app.web.incoming import asked_number


@blueprint.get("/groups")
def groups() -> ResponseReturnValue:
    """The groups by name and state, offers that wait first; leaves a row in the trace."""
    name = searched_name()
    state = _chosen_state()
    tutor_id = asked_number("tutor")
    entries, page = timetable.find_groups(
        name, state, tutor_id, asked_number("page") or 1, own_scope()
    )
    html = render_template(
        "coordinator/groups.html",
        entries=entries,
        catalogue=people.read_catalogue(),
        page=page,
        searched=name,
        state=state,
        states=list(GroupState),
        tutor=None if tutor_id is None else people.get_tutor(tutor_id),
        labels=labels,
        shown_name=masking.shown_name,
        stories=stories,
        words=words,
    )
    shown = {number for entry in entries for number in entry.pupil_ids}
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html


@blueprint.get("/groups/<int:group_id>")
def group(group_id: int) -> ResponseReturnValue:
    """One group: members, lessons, story; the answer to its offer. Leaves a row in the trace."""
    return _show_group(group_id, DeclineForm(), [])


@blueprint.post("/groups/<int:group_id>/accept")
def accept_group(group_id: int) -> ResponseReturnValue:
    """Record that the volunteer said yes."""
    try:
        row = standing.accept_group(group_id, signed_in_coordinator())
    except Conflict as refusal:
        return _show_group(group_id, DeclineForm(), [str(refusal)]), refusal.status
    flash(
        _("The yes of %(name)s is recorded; the lessons stand below.", name=row.tutor.name), "good"
    )
    return redirect(url_for(".group", group_id=group_id), 303)


@blueprint.post("/groups/<int:group_id>/decline")
def decline_group(group_id: int) -> ResponseReturnValue:
    """Record that the volunteer said no, and why."""
    form = DeclineForm()
    if not form.validate_on_submit():
        return _show_group(group_id, form, []), 400
    try:
        row = standing.decline_group(group_id, form.reason.data, signed_in_coordinator())
    except (Conflict, Invalid) as refusal:
        return _show_group(group_id, form, [str(refusal)]), refusal.status
    flash(_("The no of %(name)s is recorded; the pupils wait again.", name=row.tutor.name), "good")
    return redirect(url_for(".group", group_id=group_id), 303)


@blueprint.post("/groups/<int:group_id>/end")
def end_group(group_id: int) -> ResponseReturnValue:
    """End a group for good, with what was to come of it."""
    form = EndGroupForm()
    if not form.validate_on_submit():
        return _show_group(group_id, DeclineForm(formdata=None), [], form), 400
    try:
        standing.end_group(group_id, form.why.data, signed_in_coordinator())
    except (Conflict, Invalid) as refusal:
        page = _show_group(group_id, DeclineForm(formdata=None), [str(refusal)], form)
        return page, refusal.status
    flash(_("The group has ended; its pupils wait again."), "good")
    return redirect(url_for(".group", group_id=group_id), 303)


def _show_group(
    group_id: int, form: DeclineForm, refused: list[str], ending: EndGroupForm | None = None
) -> str:
    story = timetable.read_group(group_id, own_scope())
    html = render_template(
        "coordinator/group.html",
        story=story,
        catalogue=people.read_catalogue(),
        form=form,
        ending=ending or EndGroupForm(formdata=None),
        refused=refused,
        labels=labels,
        shown_name=masking.shown_name,
        stories=stories,
        words=words,
    )
    audit.record_view(f"/coordinator/groups/{group_id}", signed_in_coordinator(), story.pupil_ids)
    return html


def _chosen_state() -> GroupState | None:
    try:
        return GroupState(request.args.get("state", ""))
    except ValueError:
        return None
