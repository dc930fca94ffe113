"""Families' links: made and shown once, or ended."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_coordinator
from app.services import family_links
from app.web.coordinator import blueprint


@blueprint.post("/families/<int:household_id>/link")
def make_family_link(household_id: int) -> ResponseReturnValue:
    """Make a family's link and show it; nobody can read it again."""
    household, token = family_links.make_link(household_id, signed_in_coordinator())
    # What the browser was asked for may be a proxy's own name.
    site = current_app.config["N9RAW"].public_url or request.host_url.rstrip("/")
    link = site + url_for("family.week", token=token)
    return render_template("coordinator/family_link.html", household=household, link=link)


@blueprint.post("/families/<int:household_id>/link/end")
def end_family_link(household_id: int) -> ResponseReturnValue:
    """End a family's link, such as when its telephone is lost."""
    household = family_links.end_links(household_id, signed_in_coordinator())
    flash(_("The link of %(name)s no longer opens.", name=household.guardian.name), "good")
    return redirect(url_for(".pupils", family=household.id))
