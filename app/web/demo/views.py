"""The demo's outbox: what would have been sent, to whom, in which words."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from app.services.gsm7 import sms_parts
from app.services.outbox import list_newest
from app.web.demo import blueprint
from app.web.message_words import KINDS, STATES

MOST_SHOWN = 100


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
