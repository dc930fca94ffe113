"""Zones: added, renamed, merged."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from app.i18n import _, page_locale
from app.security import signed_in_coordinator
from app.services import zones
from app.services.errors import Conflict, Invalid
from app.web.coordinator import blueprint
from app.web.coordinator.people import searched_name
from app.web.coordinator.programme.forms import KnownZoneForm, MergeForm, ZoneForm
from app.web.incoming import asked_number


@blueprint.get("/programme/zones")
def programme_zones() -> ResponseReturnValue:
    """The zones, by name."""
    searched = searched_name()
    rows, page = zones.find_zones(searched, asked_number("page") or 1)
    return render_template(
        "coordinator/programme/zones.html", rows=rows, page=page, searched=searched
    )


@blueprint.route("/programme/zones/new", methods=["GET", "POST"])
def programme_add_zone() -> ResponseReturnValue:
    """Add a zone."""
    form = ZoneForm()
    refused: list[str] = []
    if form.validate_on_submit():
        try:
            zone = zones.add_zone(
                form.name.data,
                form.name_ar.data or "",
                signed_in_coordinator(),
                where=form.where,
            )
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
        else:
            flash(_("%(name)s is on the list.", name=zone.name), "good")
            return redirect(url_for(".programme_zones"), 303)
    html = render_template(
        "coordinator/programme/zone.html", form=form, refused=refused, entry=None
    )
    return html, 400 if form.errors or refused else 200


@blueprint.route("/programme/zones/<int:zone_id>", methods=["GET", "POST"])
def programme_zone(zone_id: int) -> ResponseReturnValue:
    """Rename a zone, or list it or not."""
    entry = zones.get_zone(zone_id)
    form = KnownZoneForm(obj=entry.zone)
    refused: list[str] = []
    if form.validate_on_submit():
        try:
            zones.change_zone(
                zone_id,
                form.name.data,
                form.name_ar.data or "",
                listed=form.listed.data,
                by=signed_in_coordinator(),
                where=form.where,
            )
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
        else:
            flash(_("Kept."), "good")
            return redirect(url_for(".programme_zones"), 303)
    html = render_template(
        "coordinator/programme/zone.html", form=form, refused=refused, entry=entry
    )
    return html, 400 if form.errors or refused else 200


@blueprint.route("/programme/zones/<int:zone_id>/merge", methods=["GET", "POST"])
def programme_merge_zone(zone_id: int) -> ResponseReturnValue:
    """Make one of two zones."""
    entry = zones.get_zone(zone_id)
    form = MergeForm()
    locale = page_locale()
    form.into.choices = [
        SelectChoice(zone.id, zone.name_in(locale))
        for zone in zones.all_zones()
        if zone.id != zone_id
    ]
    refused: list[str] = []
    if form.validate_on_submit():
        try:
            kept = zones.merge_zones(zone_id, form.into.data, signed_in_coordinator())
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
        else:
            name = kept.name_in(locale)
            flash(_("Both zones are now %(name)s.", name=name), "good")
            return redirect(url_for(".programme_zones"), 303)
    html = render_template(
        "coordinator/programme/merge_zone.html", form=form, refused=refused, entry=entry
    )
    return html, 400 if request.method == "POST" else 200
