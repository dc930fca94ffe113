"""The demo's outbox: what would have been sent, to whom, in which words."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString

from app.i18n import _l
from app.models import MessageKind, MessageState
from app.services.gsm7 import sms_parts
from app.services.outbox import list_newest
from app.web.demo import blueprint

MOST_SHOWN = 100

KINDS: dict[MessageKind, LazyString] = {
    MessageKind.LESSON_24H: _l("Reminder of the day before"),
    MessageKind.LESSON_2H: _l("Reminder two hours before"),
    MessageKind.SIGN_IN_CODE: _l("Sign-in code"),
    MessageKind.FAMILY_LINK: _l("Link of a family's page"),
    MessageKind.CONTACT_CODE: _l("Code to confirm an address"),
    MessageKind.LESSONS_END: _l("End of lessons"),
}
STATES: dict[MessageState, tuple[LazyString, str]] = {
    MessageState.PLANNED: (_l("waiting"), "neutral"),
    MessageState.CLAIMED: (_l("on its way"), "neutral"),
    MessageState.HANDING: (_l("on its way"), "neutral"),
    MessageState.ACCEPTED: (_l("taken on by the network"), "good"),
    MessageState.UNDELIVERED: (_l("not delivered so far"), "warn"),
    MessageState.DELIVERED: (_l("delivered"), "good"),
    MessageState.FAILED: (_l("could not be sent"), "bad"),
    MessageState.EXPIRED: (_l("expired"), "warn"),
    MessageState.CANCELLED: (_l("no longer needed"), "neutral"),
    MessageState.SUPPRESSED: (_l("held back: the family wants no messages"), "neutral"),
}


@blueprint.get("/messages")
def messages() -> ResponseReturnValue:
    """The newest messages with their texts; nobody signs in, since all in them is made up."""
    return render_template(
        "demo/messages.html",
        messages=list_newest(MOST_SHOWN),
        kinds=KINDS,
        states=STATES,
        sms_parts=sms_parts,
    )
