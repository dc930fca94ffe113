"""The inbox: what families and volunteers wrote."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import TextAreaField

from app.i18n import _, _l
from app.models import InboundMessage
from app.security import signed_in_coordinator
from app.services import audit, writing
from app.services import inbox as texts
from app.services.errors import Conflict, Invalid
from app.web.access import own_scope
from app.web.coordinator import blueprint
from app.web.incoming import asked_number
from app.web.message_words import gateway_name, meaning


class AnswerForm(FlaskForm):
    """A coordinator's answer to a text."""

    text = TextAreaField(_l("Your answer"))


@blueprint.get("/inbox")
def inbox() -> str:
    """What nobody has read yet, or with `?all=yes` all that came in; leaves a row in the trace."""
    everything = request.args.get("all") == "yes"
    rows, page = texts.read_inbox(
        own_scope(), asked_number("page") or 1, unread_only=not everything
    )
    html = render_template(
        "coordinator/inbox.html",
        rows=rows,
        page=page,
        everything=everything,
        meaning=meaning,
        gateway_name=gateway_name,
    )
    _leave_row(rows)
    return html


@blueprint.post("/inbox/<int:inbound_id>/read")
def read_text(inbound_id: int) -> ResponseReturnValue:
    """Take a text out of what waits, in the name of who is signed in."""
    texts.mark_read(inbound_id, signed_in_coordinator())
    return redirect(url_for(".inbox"), 303)


@blueprint.route("/inbox/<int:inbound_id>/answer", methods=["GET", "POST"])
def answer_text(inbound_id: int) -> ResponseReturnValue:
    """Answer a text in one's own words; leaves a row in the trace."""
    form = AnswerForm()
    refused, status = "", 200
    if form.validate_on_submit():
        try:
            texts.answer_text(inbound_id, form.text.data or "", signed_in_coordinator())
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("Your answer leaves by day, as soon as it can."), "good")
            return redirect(url_for(".inbox"), 303)
    row = texts.find_text(inbound_id)
    html = render_template(
        "coordinator/inbox_answer.html",
        row=row,
        form=form,
        refused=refused,
        longest=writing.LONGEST,
        meaning=meaning,
        gateway_name=gateway_name,
    )
    _leave_row([row])
    return html, status


def _leave_row(rows: list[InboundMessage]) -> None:
    shown = {number for row in rows for number in texts.children_of(row)}
    if shown:
        audit.record_view(request.path, signed_in_coordinator(), shown)
