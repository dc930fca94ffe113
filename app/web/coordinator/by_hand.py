"""Places by hand: into a group and out of it, a new group, times; what it breaks is said before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import Group, ProposedGroup
from app.security import signed_in_coordinator
from app.services import audit, by_hand, examining, people
from app.services import choices as chosen
from app.services.choices import Place
from app.services.errors import ServiceError
from app.services.examining import Examination, Rule
from app.web.coordinator import blueprint, broken, labels, words
from app.web.coordinator.by_hand_forms import TakeOutForm, new_group_form
from app.web.coordinator.forms import RuleOutForm
from app.web.coordinator.people import searched_name
from app.web.incoming import asked_number, posted_number, row_number
from app.web.times import starts_of, times_form


@blueprint.route("/groups/<int:group_id>/add", methods=["GET", "POST"])
def add_to_group(group_id: int) -> ResponseReturnValue:
    """Who waits for what a group learns; then what one's joining breaks; then the offer."""
    group = examining.get_live_group(group_id)
    back = url_for(".group", group_id=group_id)
    request_id = posted_number("request") or asked_number("request")
    if request_id is None:
        return _show_waiting(group, back, url_for(".add_to_group", group_id=group_id))

    def place() -> ResponseReturnValue:
        by_hand.place_in_group(group_id, request_id, _overruled(), signed_in_coordinator())
        flash(_("The place is offered to the volunteer, who answers it like any offer."), "good")
        return redirect(back, 303)

    return _examined(
        lambda: examining.examine_join(
            examining.get_live_group(group_id), examining.get_request(request_id)
        ),
        place,
        back,
        {"request": request_id},
        button=_("Offer the place"),
    )


@blueprint.route("/matching/<int:run_id>/groups/<int:proposed_id>/add", methods=["GET", "POST"])
def add_to_proposed(run_id: int, proposed_id: int) -> ResponseReturnValue:
    """Who waits for what a proposed group learns; then what it breaks; then the place is kept."""
    proposed = chosen.get_proposed(run_id, proposed_id)
    back = url_for(".proposed_group", run_id=run_id, proposed_id=proposed_id)
    request_id = posted_number("request") or asked_number("request")
    if request_id is None:
        here = url_for(".add_to_proposed", run_id=run_id, proposed_id=proposed_id)
        return _show_waiting(proposed, back, here)

    def place() -> ResponseReturnValue:
        by_hand.place_in_proposal(
            run_id, proposed_id, request_id, _overruled(), signed_in_coordinator()
        )
        flash(_("The place is kept. Solve again to see the proposal with it."), "good")
        return redirect(url_for(".run", run_id=run_id), 303)

    return _examined(
        lambda: examining.examine_proposed(
            chosen.get_proposed(run_id, proposed_id), examining.get_request(request_id)
        ),
        place,
        back,
        {"request": request_id},
        button=_("Keep this place"),
    )


@blueprint.get("/requests/<int:request_id>")
def request_place(request_id: int) -> str:
    """One request: its place, what was chosen for it, and a place by hand."""
    return _show_request(request_id, RuleOutForm(formdata=None), [])


@blueprint.route("/requests/<int:request_id>/new-group", methods=["GET", "POST"])
def new_group(request_id: int) -> ResponseReturnValue:
    """What a new group of one would break; then it is offered, or kept for the next matching."""
    row = examining.get_request(request_id)
    form = new_group_form(row, *by_hand.list_tutors(row), given=request.values)
    if not form.validate():
        return _show_request(request_id, RuleOutForm(formdata=None), [], form), 400
    wanted = Place(
        row_number(form["tutor"].data) or 0,
        starts_of(form),
        form["channel"].data,
        form["language"].data,
    )

    def place() -> ResponseReturnValue:
        if request.form.get("keep") == "1":
            by_hand.pin_new(row.id, wanted, _overruled(), signed_in_coordinator())
            flash(_("The place is kept. Solve again to see the proposal with it."), "good")
            return redirect(url_for(".request_place", request_id=request_id), 303)
        group = by_hand.make_group(row.id, wanted, _overruled(), signed_in_coordinator())
        flash(_("The place is offered to the volunteer, who answers it like any offer."), "good")
        return redirect(url_for(".group", group_id=group.id), 303)

    try:
        return _examined(
            lambda: examining.examine_new(examining.get_request(request_id), wanted),
            place,
            url_for(".request_place", request_id=request_id),
            {name: field.data for name, field in form._fields.items() if field.data},
            button=_("Offer the place"),
            may_keep=True,
        )
    except ServiceError as refusal:
        page = _show_request(request_id, RuleOutForm(formdata=None), [str(refusal)], form)
        return page, refusal.status


@blueprint.post("/requests/<int:request_id>/rule-out")
def rule_out_request(request_id: int) -> ResponseReturnValue:
    """Keep a volunteer and this request apart in all later matchings."""
    form = RuleOutForm()
    tutor_id = posted_number("with_tutor")
    refused = [] if tutor_id else [_("Choose a volunteer.")]
    if not form.validate_on_submit() or tutor_id is None:
        return _show_request(request_id, form, refused), 400
    try:
        chosen.rule_out(request_id, tutor_id, form.reason.data, signed_in_coordinator())
    except ServiceError as refusal:
        return _show_request(request_id, form, [str(refusal)]), refusal.status
    flash(_("Noted: from the next matching on they are not put together."), "good")
    return redirect(url_for(".request_place", request_id=request_id), 303)


@blueprint.route("/groups/<int:group_id>/seats/<int:seat_id>/take-out", methods=["GET", "POST"])
def take_out(group_id: int, seat_id: int) -> ResponseReturnValue:
    """Ask why a pupil leaves a group, and say what ends; then end the seat."""
    group = examining.get_live_group(group_id)
    seat = by_hand.get_seat(group, seat_id)
    form = TakeOutForm()
    if form.validate_on_submit():
        by_hand.take_out(
            group_id,
            seat_id,
            form.reason.data,
            signed_in_coordinator(),
            rule_out=form.rule_out.data,
        )
        flash(_("The place has ended; the pupil waits again."), "good")
        return redirect(url_for(".group", group_id=group_id), 303)
    html = render_template(
        "coordinator/take_out.html",
        group=group,
        seat=seat,
        ending=by_hand.ending_with(seat),
        form=form,
        catalogue=people.read_catalogue(),
        words=words,
    )
    audit.record_view(request.path, signed_in_coordinator(), [seat.request.pupil_id])
    return html, 400 if form.errors else 200


@blueprint.route("/groups/<int:group_id>/times", methods=["GET", "POST"])
def agree_times(group_id: int) -> ResponseReturnValue:
    """The weekly times that a group still has to agree; what they break; then lessons are made."""
    group = examining.get_live_group(group_id)
    back = url_for(".group", group_id=group_id)
    form = times_form(len(group.starts), given=request.values)
    if not request.values or not form.validate():
        return _show_times(group, form, []), 400 if form.errors else 200
    starts = starts_of(form) or []

    def place() -> ResponseReturnValue:
        by_hand.set_times(group_id, starts, _overruled(), signed_in_coordinator())
        flash(_("The times are set. If the group is active, its lessons stand below."), "good")
        return redirect(back, 303)

    try:
        return _examined(
            lambda: examining.examine_times(examining.get_live_group(group_id), starts),
            place,
            url_for(".agree_times", group_id=group_id),
            {name: field.data for name, field in form._fields.items() if field.data},
            button=_("Set these times"),
        )
    except ServiceError as refusal:
        return _show_times(group, form, [str(refusal)]), refusal.status


def _examined(
    examine: Callable[[], Examination],
    place: Callable[[], ResponseReturnValue],
    back: str,
    values: dict[str, Any],
    *,
    button: str,
    may_keep: bool = False,
) -> ResponseReturnValue:
    """The page that says what a change breaks; on POST the change, or why it is refused."""
    examined = examine()
    refused, status = "", 200
    if request.method == "POST":
        try:
            return place()
        except ServiceError as refusal:
            refused, status = str(refusal), refusal.status
            examined = examine()
    html = render_template(
        "coordinator/place.html",
        examined=examined,
        channels=people.read_catalogue().channels,
        catalogue=people.read_catalogue(),
        refused=refused,
        overruled=_overruled(),
        back=back,
        values=values,
        button=button,
        may_keep=may_keep,
        broken=broken,
    )
    audit.record_view(request.path, signed_in_coordinator(), examined.pupil_ids)
    return html, status


def _overruled() -> set[Rule]:
    """The rules that were ticked."""
    return {Rule(name) for name in request.form.getlist("overrule") if name in list(Rule)}


def _show_waiting(group: Group | ProposedGroup, back: str, here: str) -> str:
    name = searched_name()
    waiting, page = by_hand.list_waiting(
        group.subject_id, group.level_id, name, asked_number("page") or 1
    )
    html = render_template(
        "coordinator/waiting_for_group.html",
        group=group,
        waiting=waiting,
        page=page,
        searched=name,
        back=back,
        here=here,
        endpoint=request.endpoint,
        arguments=request.view_args or {},
        labels=labels,
        words=words,
    )
    audit.record_view(request.path, signed_in_coordinator(), {row.pupil_id for row in waiting})
    return html


def _show_request(
    request_id: int, form: RuleOutForm, refused: list[str], placing: Any = None
) -> str:
    row = examining.get_request(request_id)
    tutors = by_hand.list_tutors(row)
    html = render_template(
        "coordinator/request_place.html",
        row=row,
        seat=examining.seat_of(request_id),
        choices=chosen.choices_of(request_id),
        groups=by_hand.list_open_groups(row),
        tutors=tutors,
        placing=placing if placing is not None else new_group_form(row, *tutors),
        form=form,
        refused=refused,
        catalogue=people.read_catalogue(),
        labels=labels,
        words=words,
    )
    path = url_for(".request_place", request_id=request_id)
    audit.record_view(path, signed_in_coordinator(), [row.pupil_id])
    return html


def _show_times(group: Group, form: Any, refused: list[str]) -> str:
    html = render_template(
        "coordinator/agree_times.html",
        group=group,
        form=form,
        refused=refused,
        catalogue=people.read_catalogue(),
        words=words,
    )
    pupil_ids = {member.request.pupil_id for member in group.members}
    audit.record_view(request.path, signed_in_coordinator(), pupil_ids)
    return html
