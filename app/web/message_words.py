"""What messages are, how far they got, and why no further, in the reader's words."""

from __future__ import annotations

import re
from typing import Final

from flask_babel.speaklater import LazyString

from app.i18n import _, _l
from app.models import InboundMessage, Meaning, Message, MessageKind, MessageState
from app.services.outbox import IN_DOUBT

KINDS: Final[dict[MessageKind, LazyString]] = {
    MessageKind.LESSON_24H: _l("Reminder of the day before"),
    MessageKind.LESSON_2H: _l("Reminder two hours before"),
    MessageKind.SIGN_IN_CODE: _l("Sign-in code"),
    MessageKind.FAMILY_LINK: _l("Link of a family's page"),
    MessageKind.CONTACT_CODE: _l("Code to confirm an address"),
    MessageKind.LESSONS_END: _l("End of lessons"),
    MessageKind.GROUP_OFFER: _l("Offer of pupils"),
    MessageKind.NEW_GROUP: _l("Lessons begin"),
    MessageKind.CHANGE: _l("Change of lessons"),
    MessageKind.CANCELLATION: _l("Lessons are cancelled"),
    MessageKind.SUBSTITUTION: _l("Somebody else gives a lesson"),
    MessageKind.QUESTION: _l("Question"),
    MessageKind.DIGEST: _l("Digest"),
    MessageKind.NOTE: _l("A coordinator’s own words"),
    MessageKind.CALL_ME: _l("A family asks for a call"),
    MessageKind.REPLY: _l("Answer to a text"),
    MessageKind.CHECK: _l("Test of a gateway"),
}
STATES: Final[dict[MessageState, tuple[LazyString, str]]] = {
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
GATEWAYS: Final[dict[str, LazyString | str]] = {
    "console": _l("demonstration, nothing leaves"),
    "email": _l("e-mail"),
    "kannel": _l("SMS by Kannel"),
    "twilio": _l("SMS by Twilio"),
    "twilio_whatsapp": _l("WhatsApp by Twilio"),
    "whatsapp": "WhatsApp",
}
_EXPIRED: Final = _l("It could not leave while it was still of use.")
_WHY: Final[tuple[tuple[str, LazyString], ...]] = (
    ("^no gateway reaches", _l("No way leads there: no gateway has an address of theirs.")),
    ("^no time was left by day", _l("No time was left by day: nothing leaves at night.")),
    (
        re.escape(IN_DOUBT),
        _l("It may have left: the connection broke, and no receipt came."),
    ),
    ("no e-mail address", _l("The e-mail address is wrong.")),
    ("reserved for examples", _l("The e-mail address is made up.")),
    ("no telephone number", _l("The telephone number is wrong.")),
    (
        "wrote STOP|wants no such texts",
        _l("They wrote STOP to the provider: only START from that telephone undoes it there."),
    ),
    (
        "nobody uses WhatsApp",
        _l("Nobody uses WhatsApp at this number."),
    ),
    (
        "nobody has this number|landline|takes no SMS",
        _l("Nobody can be reached by SMS at this number."),
    ),
    (
        "telephone is off|telephone could not be reached",
        _l("The telephone was off, or out of reach for too long."),
    ),
    (
        "the operator|for spam|blocks these texts|chose not to deliver",
        _l("The operator of the network held it back."),
    ),
    (
        "account|token|template|sending number|sender",
        _l("The gateway does not let us in: whoever runs the server must look at its settings."),
    ),
    ("the number is one of the demo", _l("The telephone number is made up.")),
    (
        "mail server answered 5",
        _l("The mail server refused it: the address may be wrong, or the mailbox full."),
    ),
    ("mail server answered 4", _l("The mail server could not take it, though it was tried again.")),
    (
        "lets us in no more|answered 40[13]",
        _l("The gateway does not let us in: whoever runs the server must look at its settings."),
    ),
    ("answered 429|took the gateway too long", _l("The gateway could not take so many at once.")),
    (
        "answered 5|can't take it now|connection broke|in time| while ",
        _l("The gateway could not be reached, though it was tried again."),
    ),
    (
        "refused it|answered 4",
        _l("The gateway refused it: the number may be wrong, or out of use."),
    ),
)
"""What gateways and the outbox note for operators, by a part of it, and what that means."""


def why(message: Message) -> str:
    """Why a message did not arrive, or has not yet; "" where nothing is to be said."""
    noted = message.error or ""
    known = next((words for pattern, words in _WHY if re.search(pattern, noted)), None)
    if known is not None:
        return str(known)
    if message.state is MessageState.UNDELIVERED:
        return _("The network could not bring it: the telephone may be off, or out of use.")
    if message.state is MessageState.EXPIRED:
        return str(_EXPIRED)
    return _("The gateway did not take it.") if message.error else ""


def gateway_name(name: str) -> str:
    """A gateway by what it is, else by its own name."""
    return str(GATEWAYS.get(name, name))


MEANINGS: Final[dict[Meaning, tuple[LazyString, str]]] = {
    Meaning.COMING: (_l("will be there"), "good"),
    Meaning.NOT_COMING: (_l("can’t come"), "warn"),
    Meaning.ANSWER: (_l("answer to a question"), "good"),
    Meaning.STOP: (_l("wants no messages"), "warn"),
    Meaning.START: (_l("wants messages again"), "good"),
    Meaning.FREE_TEXT: (_l("own words"), "neutral"),
    Meaning.CALL_ME: (_l("asks for a call"), "warn"),
    Meaning.WORRY: (_l("worry"), "bad"),
    Meaning.UNKNOWN_NUMBER: (_l("unknown number"), "warn"),
}


def meaning(row: InboundMessage) -> tuple[LazyString, str]:
    """What a text that came in was taken for, and how that is to be shown."""
    return MEANINGS[row.meaning]
