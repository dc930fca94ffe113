"""WhatsApp by Meta's Cloud API: templates out, and what Meta signs and brings to /hooks/whatsapp.

Families are written to at any time, which Meta allows with templates that it has approved; each
holds one variable, which is our text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlsplit

from app.gateways import (
    AddressKind,
    Cost,
    DeliveryReceipt,
    Hook,
    HookAnswer,
    HookRefused,
    InboundText,
    OutgoingText,
    Permanent,
    Receipt,
    ReceiptState,
    Received,
    Retryable,
)
from app.gateways.http import Answer, post
from app.gateways.numbers import check_number, in_e164
from app.gateways.telephones import ForTelephones, in_words, on_one_line
from gateway_settings import WhatsAppSettings

_STATES: Final = {
    "sent": ReceiptState.ACCEPTED,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.DELIVERED,
    "failed": ReceiptState.UNDELIVERED,
}

ERRORS: Final = {
    0: "Meta refuses the access token",
    4: "too much was asked of Meta at once",
    10: "the token may not send",
    100: "Meta does not understand a field",
    190: "the access token has expired or was withdrawn",
    200: "the token may not send",
    368: "Meta blocks the account for breaking its rules",
    80007: "too much was asked of Meta at once",
    130429: "too much was sent at once",
    130472: "Meta keeps this recipient out for an experiment",
    130497: "the account may not send to this country",
    131000: "Meta gave no reason",
    131005: "the token may not send",
    131016: "Meta's service is out of order",
    131021: "sender and recipient are the same",
    131026: "nobody uses WhatsApp at this number, or it can't be written to",
    131030: "a test number writes to listed numbers alone",
    131031: "the account is locked",
    131042: "the account's payment failed",
    131045: "the sending number is not registered",
    131047: "more than a day since the recipient's last text: only a template may leave",
    131048: "too many recipients took texts for spam",
    131049: "Meta chose not to deliver it",
    131050: "the recipient wants no such texts from this account",
    131056: "too much was sent to this recipient at once",
    131057: "Meta mends the account",
    132000: "the template has not exactly one variable",
    132001: "there is no such template in this language, or it is not approved yet",
    132005: "the text is too long for the template",
    132007: "the template breaks Meta's rules",
    132012: "the template's variable is of another kind",
    132015: "Meta has paused the template",
    132016: "Meta has switched the template off",
    133004: "Meta's service is out of order",
    133010: "the sending number is not registered",
}
"""What error codes mean, for operators."""

_TRIED_AGAIN: Final = frozenset(
    {0, 1, 2, 3, 4, 10, 190, 200, 368, 80007, 130429, 131000, 131005, 131016, 131031, 131042}
    | {131045, 131048, 131056, 131057, 132001, 132015, 132016, 133004, 133010}
)
"""Codes that speak of a rush, of Meta, or of what the operator has to mend; the rest is final."""


class WhatsAppGateway(ForTelephones[WhatsAppSettings]):
    """One number at Meta."""

    name: ClassVar[str] = "whatsapp"
    reaches: ClassVar[tuple[AddressKind, ...]] = (AddressKind.WHATSAPP,)

    def cost(self, text: str) -> Cost:
        return self._cost(1)

    def send(self, outgoing: OutgoingText) -> Receipt:
        """Hand over one text in its language's template; accepted means that Meta has it."""
        check_number(outgoing.address)
        answer = post(
            f"{self._settings.url}/{self._settings.sender_id}/messages",
            json.dumps(self._message(outgoing)).encode(),
            {
                "Authorization": f"Bearer {self._settings.token}",
                "Content-Type": "application/json",
            },
            self._timeout_seconds,
        )
        return _receipt_of(answer)

    def receive(self, hook: Hook) -> Received:
        """Answer Meta's question whether we are there, or verify and read what it brought."""
        if hook.method == "GET":
            return self._greeted(dict(parse_qsl(urlsplit(hook.url).query)))
        expected = signature(self._settings.app_secret, hook.body)
        given = hook.headers.get("x-hub-signature-256", "")
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise HookRefused("the signature is wrong")
        try:
            brought = json.loads(hook.body)
        except ValueError:
            raise HookRefused("what was signed is no JSON", status=400) from None
        values = list(_values(brought))
        return Received(
            receipts=tuple(
                receipt
                for value in values
                for status in _objects(value, "statuses")
                if (receipt := _receipt(status)) is not None
            ),
            texts=tuple(
                text
                for value in values
                for message in _objects(value, "messages")
                if (text := _text(message)) is not None
            ),
        )

    def _message(self, outgoing: OutgoingText) -> dict[str, Any]:
        templates = self._settings.templates
        name, code = templates.get(outgoing.language, templates["fr"])
        variable = {"type": "text", "text": on_one_line(outgoing.text)}
        return {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": outgoing.address,
            "type": "template",
            "template": {
                "name": name,
                "language": {"code": code},
                "components": [{"type": "body", "parameters": [variable]}],
            },
            "biz_opaque_callback_data": outgoing.reference,
        }

    def _greeted(self, query: dict[str, str]) -> Received:
        """Meta asks once, unsigned, when the address is entered; it wants its own word back."""
        word = query.get("hub.verify_token", "")
        is_known = hmac.compare_digest(word.encode(), self._settings.verify_token.encode())
        if query.get("hub.mode") != "subscribe" or not is_known:
            raise HookRefused("the verify token is wrong")
        return Received(answer=HookAnswer(body=query.get("hub.challenge", "").encode()))


def signature(app_secret: str, body: bytes) -> str:
    """What Meta writes into X-Hub-Signature-256: over the bytes as they came."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def _receipt_of(answer: Answer) -> Receipt:
    said = answer.json()
    if 200 <= answer.status < 300:
        taken = [message.get("id") for message in _objects(said, "messages")]
        if len(taken) != 1 or not isinstance(taken[0], str):
            raise Retryable("Meta's answer can't be read", in_doubt=True)
        return Receipt(ReceiptState.ACCEPTED, taken[0])
    error = said.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    reason = f"Meta answered {answer.status}: {in_words(code, ERRORS)}"
    is_final = 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 429)
    if is_final and code not in _TRIED_AGAIN:
        raise Permanent(reason)
    raise Retryable(reason, after_seconds=answer.rest_seconds)


def _values(brought: object) -> Iterator[dict[str, Any]]:
    """What each change of each entry holds: Meta puts several into one call."""
    for entry in _objects(brought, "entry"):
        for change in _objects(entry, "changes"):
            value = change.get("value")
            if change.get("field") == "messages" and isinstance(value, dict):
                yield value


def _objects(holder: object, name: str) -> list[dict[str, Any]]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _receipt(status: dict[str, Any]) -> DeliveryReceipt | None:
    state = _STATES.get(str(status.get("status")))
    if state is None:
        return None
    reference, provider_id = status.get("biz_opaque_callback_data"), status.get("id")
    reason = None
    if state is ReceiptState.UNDELIVERED:
        codes = [error.get("code") for error in _objects(status, "errors")]
        reason = in_words(codes[0] if codes else None, ERRORS)
    return DeliveryReceipt(
        reference=reference if isinstance(reference, str) else None,
        provider_id=provider_id if isinstance(provider_id, str) else None,
        state=state,
        reason=reason,
    )


def _text(message: dict[str, Any]) -> InboundText | None:
    sender, provider_id = in_e164(str(message.get("from", ""))), message.get("id")
    kind = str(message.get("type"))
    if sender is None or not isinstance(provider_id, str) or kind in _SAYS_NOTHING:
        return None
    words = _words(message, kind).replace("\0", "")
    return InboundText(provider_id=provider_id, address=sender, text=words)


_SAYS_NOTHING: Final = ("reaction", "system", "unsupported")


def _words(message: dict[str, Any], kind: str) -> str:
    """A text, the button that was pressed, or what else came, in brackets."""
    part = message.get(kind)
    part = part if isinstance(part, dict) else {}
    if kind == "text":
        return str(part.get("body", ""))
    if kind == "button":
        return str(part.get("payload") or part.get("text") or "")
    if kind == "interactive":
        reply = part.get("button_reply") or part.get("list_reply")
        return str(reply.get("id") or reply.get("title")) if isinstance(reply, dict) else ""
    caption = part.get("caption")
    return f"[{kind}] {caption}" if caption else f"[{kind}]"
