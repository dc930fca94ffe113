"""Twilio: SMS and WhatsApp over its Messages API, and the calls that it signs.

What it calls: <hooks>/hooks/<gateway>/receipt, /text, and for telephones that ring /call.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from app.gateways import (
    AddressKind,
    Cost,
    DeliveryReceipt,
    Hook,
    HookAnswer,
    HookRefused,
    InboundText,
    MissedCall,
    OutgoingText,
    Permanent,
    Receipt,
    ReceiptState,
    Received,
    Retryable,
)
from app.gateways.http import Answer, post
from app.gateways.numbers import check_number, in_e164
from app.gateways.telephones import ForTelephones, behind, in_words, on_one_line
from gateway_settings import TwilioSettings

_STATES: Final = {
    "accepted": ReceiptState.ACCEPTED,
    "scheduled": ReceiptState.ACCEPTED,
    "queued": ReceiptState.ACCEPTED,
    "sending": ReceiptState.ACCEPTED,
    "sent": ReceiptState.ACCEPTED,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.DELIVERED,
    "undelivered": ReceiptState.UNDELIVERED,
    "failed": ReceiptState.UNDELIVERED,
    "canceled": ReceiptState.UNDELIVERED,
}

ERRORS: Final = {
    20003: "Twilio refuses the account or its token",
    20404: "Twilio does not know the account",
    20429: "too much was asked of Twilio at once",
    21211: "this is no telephone number",
    21408: "the account may not send to this country",
    21606: "the sending number is not the account's, or can't send there",
    21608: "a trial account writes to verified numbers alone",
    21610: "the recipient wrote STOP to Twilio's number; only START from there undoes it",
    21612: "this sender can't reach this number",
    21614: "the number takes no SMS",
    21617: "the text is too long",
    30001: "Twilio's queue was full",
    30002: "the account was suspended",
    30003: "the telephone is off or out of reach",
    30004: "the recipient or the operator blocks these texts",
    30005: "nobody has this number",
    30006: "the number is a landline, or its operator takes no SMS",
    30007: "the operator took it for spam",
    30008: "the operator gave no reason",
    30034: "the sender is not registered for this country",
    63003: "nobody uses WhatsApp at this number",
    63007: "the WhatsApp sender is not the account's",
    63016: "WhatsApp wants a template, and this one is none",
    63018: "too much was sent to WhatsApp at once",
    63024: "nobody uses WhatsApp at this number",
    63032: "WhatsApp does not let this recipient be written to",
    63049: "WhatsApp chose not to deliver it",
}
"""What error codes mean, for operators."""

_OURS: Final = frozenset({20003, 20404, 21408, 21606, 21608, 30002, 63007})
"""Codes that speak of the account, not of the recipient: tried again, as it may be mended."""
_LATER: Final = frozenset({20429, 30001, 63018})

_CALL_AGAIN: Final = "#rc=5&rp=5xx,ct,rt"
"""Twilio's way to be told that a call which fails is to be made again; it signs without it."""

_MOST_FIELDS: Final = 200

_OPT_OUTS: Final = frozenset(
    ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke")
)
_OPT_INS: Final = frozenset(("start", "yes", "unstop"))
"""What Twilio itself obeys where it is all that an SMS says."""

_EMPTY: Final = HookAnswer(body=b"<Response/>", content_type="text/xml; charset=utf-8")
_REJECT: Final = HookAnswer(
    body=b"<Response><Reject/></Response>", content_type="text/xml; charset=utf-8"
)
"""The call is not answered, so that neither side pays for it."""


class _TwilioGateway(ForTelephones[TwilioSettings]):
    """What SMS and WhatsApp by Twilio have in common."""

    name: str

    def receive(self, hook: Hook) -> Received:
        """Verify and read a receipt, a text or a call."""
        rest = behind(hook.url, self.name)
        fields = self._verified(hook, rest)
        what = urlsplit(rest).path
        if what == "receipt":
            return self._receipt(fields, urlsplit(rest).query)
        if what == "text":
            return self._text(fields)
        if what == "call":
            return self._call(fields)
        raise HookRefused("Twilio has nothing to bring there", status=404)

    def _send(self, outgoing: OutgoingText, fields: Mapping[str, str]) -> Receipt:
        check_number(outgoing.address)
        hooks = f"{self._settings.hooks_url}/hooks/{self.name}"
        query = urlencode({"reference": outgoing.reference})
        body = urlencode({**fields, "StatusCallback": f"{hooks}/receipt?{query}{_CALL_AGAIN}"})
        answer = post(
            f"{self._settings.url}/2010-04-01/Accounts/{self._settings.account}/Messages.json",
            body.encode(),
            {
                "Authorization": self._authorization(),
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            self._timeout_seconds,
        )
        return _receipt_of(answer)

    def _authorization(self) -> str:
        pair = f"{self._settings.account}:{self._settings.token}".encode()
        return f"Basic {b64encode(pair).decode()}"

    def _verified(self, hook: Hook, rest: str) -> dict[str, str]:
        """The fields of what was called, if Twilio signed them and the address."""
        if hook.method != "POST":
            raise HookRefused("Twilio calls by POST")
        pairs = _fields(hook.body)
        # As Twilio was told it: a proxy may have shown us another one.
        address = f"{self._settings.hooks_url}/hooks/{self.name}/{rest}"
        expected = signature(self._settings.token, address, pairs)
        given = hook.headers.get("x-twilio-signature", "")
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise HookRefused("the signature is wrong")
        return dict(pairs)

    def _receipt(self, fields: Mapping[str, str], query: str) -> Received:
        state = _STATES.get(fields.get("MessageStatus", ""))
        if state is None:
            return Received(answer=_EMPTY)
        reason = None
        if state is ReceiptState.UNDELIVERED:
            reason = in_words(fields.get("ErrorCode"), ERRORS)
        receipt = DeliveryReceipt(
            reference=dict(parse_qsl(query)).get("reference"),
            provider_id=fields.get("MessageSid"),
            state=state,
            reason=reason,
        )
        return Received(receipts=(receipt,), answer=_EMPTY)

    def _text(self, fields: Mapping[str, str]) -> Received:
        sender, sid = _number(fields), fields.get("MessageSid")
        if sender is None or not sid:
            return Received(answer=_EMPTY)
        words = fields.get("ButtonPayload") or fields.get("Body", "")
        text = InboundText(sid, sender, words.replace("\0", ""), self._opted(fields))
        return Received(texts=(text,), answer=_EMPTY)

    def _opted(self, fields: Mapping[str, str]) -> bool | None:
        """As a messaging service says it, where it has words of its own."""
        return {"STOP": False, "START": True}.get(fields.get("OptOutType", ""))

    def _call(self, fields: Mapping[str, str]) -> Received:
        caller, sid = _number(fields), fields.get("CallSid")
        if caller is None or not sid:
            return Received(answer=_REJECT)
        return Received(calls=(MissedCall(sid, caller),), answer=_REJECT)


class TwilioGateway(_TwilioGateway):
    """SMS by Twilio."""

    name = "twilio"
    reaches: Final[tuple[AddressKind, ...]] = (AddressKind.PHONE,)

    def cost(self, text: str) -> Cost:
        return self._cost_as_sms(text)

    def send(self, outgoing: OutgoingText) -> Receipt:
        """Hand over one SMS; accepted means that Twilio has it in its queue."""
        sender = self._settings.sender
        by = "MessagingServiceSid" if sender.startswith("MG") else "From"
        return self._send(outgoing, {"To": outgoing.address, by: sender, "Body": outgoing.text})

    def _opted(self, fields: Mapping[str, str]) -> bool | None:
        word = fields.get("Body", "").strip().casefold()
        if word in _OPT_OUTS or word in _OPT_INS:
            return word in _OPT_INS
        return super()._opted(fields)


class TwilioWhatsAppGateway(_TwilioGateway):
    """WhatsApp by Twilio. Outside the day after a family's last text it takes templates alone."""

    name = "twilio_whatsapp"
    reaches: Final[tuple[AddressKind, ...]] = (AddressKind.WHATSAPP,)

    def cost(self, text: str) -> Cost:
        return self._cost(1)

    def send(self, outgoing: OutgoingText) -> Receipt:
        """Hand over one text as variable 1 of its language's content template."""
        content = self._settings.content
        variables = json.dumps({"1": on_one_line(outgoing.text)}, ensure_ascii=False)
        fields = {
            "To": f"whatsapp:{outgoing.address}",
            "From": f"whatsapp:{self._settings.sender}",
            "ContentSid": content.get(outgoing.language, content["fr"]),
            "ContentVariables": variables,
        }
        return self._send(outgoing, fields)


def signature(token: str, address: str, fields: Iterable[tuple[str, str]]) -> str:
    """What Twilio writes into X-Twilio-Signature: over the address, then each field, sorted."""
    signed = address + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def _fields(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form, no more than Twilio ever sends: strangers can send one too."""
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, strict_parsing=True
        )
    except ValueError:
        raise HookRefused("this is no form of Twilio's", status=400) from None


def _receipt_of(answer: Answer) -> Receipt:
    said = answer.json()
    if 200 <= answer.status < 300:
        sid = said.get("sid")
        if not isinstance(sid, str) or not sid:
            raise Retryable("Twilio's answer can't be read", in_doubt=True)
        return Receipt(_STATES.get(str(said.get("status")), ReceiptState.ACCEPTED), sid)
    code = said.get("code")
    reason = f"Twilio answered {answer.status}: {in_words(code, ERRORS)}"
    is_final = 400 <= answer.status < 500 and answer.status not in (401, 403, 404, 408, 429)
    if is_final and code not in _OURS | _LATER:
        raise Permanent(reason)
    raise Retryable(reason, after_seconds=answer.rest_seconds)


def _number(fields: Mapping[str, str]) -> str | None:
    return in_e164(fields.get("From", "").removeprefix("whatsapp:"))
