"""Families' links: made and shown once, sent by message, or ended."""

from __future__ import annotations

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _, ngettext
from app.security import signed_in_coordinator
from app.services import family_links, link_messages
from app.services.people import list_zones
from app.web.access import own_scope
from app.web.coordinator import blueprint
from app.web.incoming import row_number


@blueprint.post("/families/<int:household_id>/link")
def make_family_link(household_id: int) -> ResponseReturnValue:
    """Make a family's link and show it; nobody can read it again."""
    household, token = family_links.make_link(household_id, signed_in_coordinator())
    # What the browser was asked for may be a proxy's own name.
    site = current_app.config["N9RAW"].public_url or request.host_url.rstrip("/")
    link = site + url_for("family.week", token=token)
    return render_template("coordinator/family_link.html", household=household, link=link)


@blueprint.post("/families/<int:household_id>/link/send")
def send_family_link(household_id: int) -> ResponseReturnValue:
    """Send a family a new link, which nobody else gets to see."""
    household = link_messages.send_link(household_id, signed_in_coordinator())
    flash(_("The link is on its way to %(name)s.", name=household.guardian.name), "good")
    return redirect(url_for(".family", household_id=household.id), 303)


@blueprint.post("/families/<int:household_id>/link/end")
def end_family_link(household_id: int) -> ResponseReturnValue:
    """End a family's link, such as when its telephone is lost."""
    household = family_links.end_links(household_id, signed_in_coordinator())
    flash(_("The link of %(name)s no longer opens.", name=household.guardian.name), "good")
    return redirect(url_for(".family", household_id=household.id), 303)


@blueprint.get("/families/links")
def unlinked_families() -> ResponseReturnValue:
    """How many families of a zone have no link, before one is sent to all of them."""
    zone_id, with_lessons = _zone_id(), request.args.get("lessons", "yes") == "yes"
    lacking, sendable = link_messages.count_without_link(
        own_scope(), zone_id, with_lessons=with_lessons
    )
    return render_template(
        "coordinator/family_links.html",
        zones=list_zones(own_scope()),
        zone_id=zone_id,
        with_lessons=with_lessons,
        lacking=lacking,
        sendable=sendable,
        can_send=link_messages.can_send(),
    )


@blueprint.post("/families/links")
def send_family_links() -> ResponseReturnValue:
    """Send a link to each of those families."""
    zone_id, lessons = _zone_id(), request.args.get("lessons", "yes")
    sent = link_messages.send_links(
        own_scope(), zone_id, signed_in_coordinator(), with_lessons=lessons == "yes"
    )
    flash(ngettext("%(num)s link is on its way.", "%(num)s links are on their way.", sent), "good")
    return redirect(url_for(".unlinked_families", zone=zone_id, lessons=lessons), 303)


def _zone_id() -> int | None:
    """The zone that was asked for, which must be one's own; None for all of one's own."""
    zone_id = row_number(request.args.get("zone", ""))
    if zone_id is not None and not own_scope().includes(zone_id):
        abort(404)
    return zone_id
