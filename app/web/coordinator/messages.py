"""The message desk: what went and what did not, what it costs, sending again, writing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from babel.numbers import format_decimal
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, TextAreaField

from app.extensions import db
from app.i18n import _, _l, ngettext, page_locale
from app.models import Group, Household, MessageKind, Tutor, Zone
from app.security import signed_in_coordinator
from app.services import audit, message_costs, message_desk, writing
from app.services.errors import Conflict, Invalid
from app.services.inbox import first_unread
from app.services.message_desk import Filters
from app.services.people import list_zones
from app.services.writing import Target
from app.web.access import own_scope
from app.web.coordinator import blueprint
from app.web.incoming import asked_day, asked_number
from app.web.message_words import KINDS, STATES, gateway_name, meaning, why
from scheduler import clock

COUNTED_DAYS = 7
NUMBER_LOCALES = {"fr": "fr", "ar": "ar_MA", "en": "en_GB"}


class WriteForm(FlaskForm):
    """A coordinator's own words."""

    text = TextAreaField(_l("Your words"))
    with_tutor = BooleanField(_l("To the volunteer too"))


@blueprint.get("/messages")
def messages() -> str:
    """Messages by what became of them, with filters; leaves a row in the trace."""
    scope = own_scope()
    filters = _asked_filters()
    rows, page = message_desk.read_messages(scope, filters, asked_number("page") or 1)
    since = clock.now() - timedelta(days=COUNTED_DAYS)
    html = render_template(
        "coordinator/messages.html",
        rows=rows,
        page=page,
        filters=filters,
        is_narrowed=filters != Filters(),
        counted=message_desk.count_states(scope, since),
        unread=first_unread(scope).total,
        gateways=message_desk.gateways_used(scope),
        zones=list_zones(scope),
        kinds=KINDS,
        states=STATES,
        why=why,
        gateway_name=gateway_name,
        is_everywhere=scope.is_everywhere,
        days=COUNTED_DAYS,
    )
    shown = message_desk.pupils_of(rows)
    if shown:
        audit.record_view(request.path, signed_in_coordinator(), shown)
    return html


@blueprint.get("/messages/costs")
def message_prices() -> str:
    """What this month cost by gateway, and what the planned lessons will cost."""
    return render_template(
        "coordinator/message_costs.html",
        costs=message_costs.read_costs(own_scope()),
        gateway_name=gateway_name,
        dirhams=dirhams,
        is_everywhere=own_scope().is_everywhere,
    )


@blueprint.get("/messages/<int:message_id>")
def message(message_id: int) -> str:
    """One message's story; leaves a row in the trace where it names a family."""
    story = message_desk.read_story(message_id)
    html = render_template(
        "coordinator/message.html",
        story=story,
        message=story.message,
        is_secret=message_desk.is_secret(story.message),
        kinds=KINDS,
        states=STATES,
        why=why,
        gateway_name=gateway_name,
        meaning=meaning,
        dirhams=dirhams,
    )
    if story.pupil_ids:
        audit.record_view(request.path, signed_in_coordinator(), story.pupil_ids)
    return html


@blueprint.post("/messages/<int:message_id>/again")
def send_message_again(message_id: int) -> ResponseReturnValue:
    """Send what did not arrive once more, where it is still of use."""
    again = message_desk.send_again(message_id, signed_in_coordinator())
    flash(_("It is sent again."), "good")
    return redirect(url_for(".message", message_id=again.id), 303)


@blueprint.route("/families/<int:household_id>/write", methods=["GET", "POST"])
def write_to_family(household_id: int) -> ResponseReturnValue:
    """Write to one family."""
    household = db.session.get(Household, household_id) or abort(404)
    back = url_for(".family", household_id=household_id)
    return _write(Target("household", household_id), household.guardian.name, back)


@blueprint.route("/volunteers/<int:tutor_id>/write", methods=["GET", "POST"])
def write_to_tutor(tutor_id: int) -> ResponseReturnValue:
    """Write to one volunteer."""
    tutor = db.session.get(Tutor, tutor_id) or abort(404)
    return _write(Target("tutor", tutor_id), tutor.name, url_for(".tutor", tutor_id=tutor_id))


@blueprint.route("/groups/<int:group_id>/write", methods=["GET", "POST"])
def write_to_group(group_id: int) -> ResponseReturnValue:
    """Write to a group's families, and to its volunteer if one wants."""
    group = db.session.get(Group, group_id) or abort(404)
    target = Target("group", group_id, with_tutor="with_tutor" in request.form)
    name = _("%(tutor)s’s group", tutor=group.tutor.name)
    return _write(target, name, url_for(".group", group_id=group_id))


@blueprint.route("/zones/<int:zone_id>/write", methods=["GET", "POST"])
def write_to_zone(zone_id: int) -> ResponseReturnValue:
    """Write to all families of a zone."""
    zone = db.session.get(Zone, zone_id) or abort(404)
    return _write(Target("zone", zone_id), zone.name, url_for(".messages", zone=zone_id))


def _write(target: Target, name: str, back: str) -> ResponseReturnValue:
    """Ask for the words, say whom they reach and for how much, then send them."""
    form = WriteForm()
    preview, refused, status = None, "", 200
    if form.validate_on_submit():
        text = form.text.data or ""
        try:
            if request.form.get("step") == "send":
                sent = writing.send(target, text, signed_in_coordinator())
                flash(
                    ngettext(
                        "%(num)s message leaves by day.", "%(num)s messages leave by day.", sent
                    ),
                    "good",
                )
                return redirect(back, 303)
            if request.form.get("step") == "check":
                preview = writing.preview(target, text)
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
    html = render_template(
        "coordinator/write.html",
        target=target,
        name=name,
        back=back,
        form=form,
        preview=preview,
        refused=refused,
        longest=writing.LONGEST,
        dirhams=dirhams,
    )
    if preview is not None and preview.pupil_ids:
        audit.record_view(request.path, signed_in_coordinator(), preview.pupil_ids)
    return html, status


def dirhams(thousandths: int) -> str:
    """An amount in dirhams, such as "12.50", as the reader writes it."""
    amount = Decimal(thousandths) / 1000
    return str(format_decimal(amount, "#,##0.00", locale=NUMBER_LOCALES[page_locale()]))


def _asked_filters() -> Filters:
    states, kind = request.args.get("state", ""), request.args.get("kind", "")
    return Filters(
        states=states if states in message_desk.STATES else "",
        kind=MessageKind(kind) if kind in set(MessageKind) else None,
        gateway=request.args.get("gateway", "")[:24],
        zone_id=asked_number("zone"),
        day=asked_day("day"),
    )
