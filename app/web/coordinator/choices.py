"""Choices for the runs to come: places kept, pairs ruled out, set from a proposal or taken back."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _, ngettext
from app.models import Pin, ProposedGroup, RunState
from app.security import signed_in_coordinator
from app.services import audit, people, runs
from app.services import choices as chosen
from app.services.errors import ServiceError
from app.services.pins import list_pins
from app.web.coordinator import blueprint, labels, words
from app.web.coordinator.forms import RuleOutForm
from app.web.incoming import asked_number, posted_number

STILL_OPEN = (RunState.DONE, RunState.CANCELLED)
"""The states of a run in which its proposal can be corrected."""


@blueprint.get("/matching/choices")
def choices() -> str:
    """All places kept and pairs ruled out, by whom and when; leaves a row in the trace."""
    listed = chosen.list_choices(asked_number("page") or 1)
    html = render_template(
        "coordinator/choices.html",
        choices=listed,
        catalogue=people.read_catalogue(),
        newest_run=runs.newest_finished_run(),
        labels=labels,
        words=words,
    )
    audit.record_view(request.path, signed_in_coordinator(), listed.pupil_ids)
    return html


@blueprint.post("/matching/choices/pins/<int:pin_id>/remove")
def remove_pin(pin_id: int) -> ResponseReturnValue:
    """Keep a place no longer, or none of its group."""
    number = chosen.unpin(
        pin_id, signed_in_coordinator(), together=request.form.get("together") == "1"
    )
    flash(
        ngettext("%(num)s place is kept no longer.", "%(num)s places are kept no longer.", number),
        "good",
    )
    return redirect(_back(), 303)


@blueprint.post("/matching/choices/vetoes/<int:veto_id>/remove")
def remove_veto(veto_id: int) -> ResponseReturnValue:
    """Let a volunteer and a pupil be put together again."""
    chosen.take_veto_back(veto_id, signed_in_coordinator())
    flash(_("They can be put together again."), "good")
    return redirect(_back(), 303)


@blueprint.get("/matching/<int:run_id>/groups/<int:proposed_id>")
def proposed_group(run_id: int, proposed_id: int) -> str:
    """One group of a proposal, and what can be done about it; leaves a row in the trace."""
    return _show(chosen.get_proposed(run_id, proposed_id), RuleOutForm(formdata=None), [])


@blueprint.post("/matching/<int:run_id>/groups/<int:proposed_id>/pin")
def pin_proposed(run_id: int, proposed_id: int) -> ResponseReturnValue:
    """Keep the whole group, or one place of it, in the next matching."""
    try:
        pins = chosen.pin_proposed(
            run_id, proposed_id, posted_number("request"), signed_in_coordinator()
        )
    except ServiceError as refusal:
        proposed = chosen.get_proposed(run_id, proposed_id)
        page = _show(proposed, RuleOutForm(formdata=None), [str(refusal)])
        return page, refusal.status
    flash(
        ngettext(
            "%(num)s place is kept from the next matching on.",
            "%(num)s places are kept from the next matching on.",
            len(pins),
        ),
        "good",
    )
    return redirect(url_for(".proposed_group", run_id=run_id, proposed_id=proposed_id), 303)


@blueprint.post("/matching/<int:run_id>/groups/<int:proposed_id>/rule-out")
def rule_out_proposed(run_id: int, proposed_id: int) -> ResponseReturnValue:
    """Take a pupil out of a proposed group: the next matching does not put the two together."""
    proposed = chosen.get_proposed(run_id, proposed_id)
    form = RuleOutForm()
    if not form.validate_on_submit():
        return _show(proposed, form, []), 400
    try:
        chosen.rule_out(
            posted_number("request") or 0,
            proposed.tutor_id,
            form.reason.data,
            signed_in_coordinator(),
        )
    except ServiceError as refusal:
        return _show(proposed, form, [str(refusal)]), refusal.status
    flash(_("Noted: from the next matching on they are not put together."), "good")
    return redirect(url_for(".proposed_group", run_id=run_id, proposed_id=proposed_id), 303)


def _show(proposed: ProposedGroup, form: RuleOutForm, refused: list[str]) -> str:
    run = runs.get_run(proposed.run_id)
    members = [seat.request for seat in proposed.seats]
    html = render_template(
        "coordinator/proposed_group.html",
        run=run,
        group=proposed,
        is_open=run.state in STILL_OPEN,
        seated=chosen.seated([member.id for member in members]),
        pins=_pins_with(proposed),
        ruled_out=chosen.ruled_out_from(proposed.tutor_id, [member.id for member in members]),
        form=form,
        asked=posted_number("request"),
        refused=refused,
        catalogue=people.read_catalogue(),
        words=words,
    )
    path = url_for(".proposed_group", run_id=run.id, proposed_id=proposed.id)
    audit.record_view(path, signed_in_coordinator(), {member.pupil_id for member in members})
    return html


def _pins_with(proposed: ProposedGroup) -> dict[int, Pin]:
    """What is kept for the members with this volunteer, by request."""
    members = {seat.request_id for seat in proposed.seats}
    return {
        pin.request_id: pin
        for pin in list_pins()
        if pin.request_id in members and pin.tutor_id == proposed.tutor_id
    }


def _back() -> str:
    """The page that a choice was taken back on: a proposed group, a request, or the list."""
    run_id, group_id = posted_number("run"), posted_number("group")
    if run_id and group_id:
        return url_for(".proposed_group", run_id=run_id, proposed_id=group_id)
    request_id = posted_number("of_request")
    if request_id:
        return url_for(".request_place", request_id=request_id)
    return url_for(".choices")
