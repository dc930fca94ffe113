"""What gateways note of a text that did not arrive is said to coordinators in words."""

from __future__ import annotations

import pytest
from flask import Flask

from app.gateways.telephones import in_words
from app.gateways.twilio import ERRORS as TWILIO
from app.gateways.whatsapp_cloud import ERRORS as META
from app.models import Message, MessageState
from app.web.message_words import why

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

OPERATOR = "The gateway does not let us in: whoever runs the server must look at its settings."
WHATSAPP = "Nobody uses WhatsApp at this number."
NETWORK = "The operator of the network held it back."


SAID = (
    (
        f"Twilio answered 400: {in_words(21610, TWILIO)}",
        "They wrote STOP to the provider: only START from that telephone undoes it there.",
    ),
    (f"Twilio answered 400: {in_words(21211, TWILIO)}", "The telephone number is wrong."),
    (f"Twilio answered 401: {in_words(20003, TWILIO)}", OPERATOR),
    (f"Twilio answered 400: {in_words(21408, TWILIO)}", OPERATOR),
    (in_words(30003, TWILIO), "The telephone was off, or out of reach for too long."),
    (in_words(30005, TWILIO), "Nobody can be reached by SMS at this number."),
    (in_words(30007, TWILIO), NETWORK),
    (in_words(63024, TWILIO), WHATSAPP),
    (in_words(131026, META), WHATSAPP),
    (in_words(131049, META), NETWORK),
    (f"Meta answered 401: {in_words(190, META)}", OPERATOR),
    (f"Meta answered 404: {in_words(132001, META)}", OPERATOR),
)


def test_reasons_are_said_to_coordinators(app: Flask) -> None:
    with app.test_request_context(headers={"Cookie": "n9raw_locale=en"}):
        said = [why(Message(state=MessageState.UNDELIVERED, error=noted)) for noted, _ in SAID]
    assert said == [words for _, words in SAID]
