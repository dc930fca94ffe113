"""Volunteers and their vetting, families and their pupils."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import TutorState
from app.security import signed_in_coordinator
from app.services import audit, codes, people, vetting
from app.services.family_links import linked_households
from app.web.coordinator import blueprint, labels
from app.web.incoming import asked_number

LONGEST_SEARCH = 80


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
    row = people.get_tutor(tutor_id)
    catalogue = people.read_catalogue()
    return render_template(
        "coordinator/tutor.html",
        tutor=row,
        taught=people.taught_by(row, catalogue),
        catalogue=catalogue,
        sign_in_closed=codes.is_closed(tutor_id),
        labels=labels,
    )


@blueprint.post("/volunteers/<int:tutor_id>/let-in-again")
def let_in_again(tutor_id: int) -> ResponseReturnValue:
    """Send codes again to a volunteer with too many wrong tries."""
    row = codes.let_in_again(tutor_id, signed_in_coordinator())
    flash(_("%(name)s can ask for a code again.", name=row.name), "good")
    return redirect(url_for(".tutor", tutor_id=tutor_id))


@blueprint.post("/volunteers/<int:tutor_id>/vet")
def vet(tutor_id: int) -> ResponseReturnValue:
    """Vet one volunteer, in the name of who is signed in."""
    row = vetting.vet_tutor(tutor_id, signed_in_coordinator())
    flash(_("%(name)s is vetted and takes part in the next matching.", name=row.name), "good")
    return redirect(url_for(".tutors", state=TutorState.REGISTERED.value))


@blueprint.post("/volunteers/<int:tutor_id>/withdraw-vetting")
def withdraw_vetting(tutor_id: int) -> ResponseReturnValue:
    """Take one volunteer's vetting back."""
    row = vetting.withdraw_vetting(tutor_id, signed_in_coordinator())
    flash(_("%(name)s waits for vetting again.", name=row.name), "good")
    return redirect(url_for(".tutor", tutor_id=tutor_id))


@blueprint.get("/pupils")
def pupils() -> ResponseReturnValue:
    """The families with their children, by zone and name; leaves a row in the trace.

    `?family=` asks for one by its number: names have no place in addresses that we make.
    """
    name = searched_name()
    zone_id = asked_number("zone")
    households, page = people.find_households(
        name, zone_id, asked_number("page") or 1, household_id=asked_number("family")
    )
    html = render_template(
        "coordinator/pupils.html",
        households=households,
        linked=linked_households([household.id for household in households]),
        catalogue=people.read_catalogue(),
        page=page,
        searched=name,
        zone_id=zone_id,
        zones=people.list_zones(),
        labels=labels,
    )
    shown = [pupil.id for household in households for pupil in household.pupils]
    audit.record_view(request.path, signed_in_coordinator(), shown)
    return html


def searched_name() -> str:
    return request.args.get("name", "").strip()[:LONGEST_SEARCH]


def _chosen_state() -> TutorState | None:
    try:
        return TutorState(request.args.get("state", ""))
    except ValueError:
        return None
