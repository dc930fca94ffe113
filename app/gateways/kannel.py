"""Kannel: texts over HTTP to its smsbox, receipts and texts from it by addresses that it calls.

Kannel signs nothing, so the addresses that it is told to call hold a secret:
<hooks>/hooks/kannel/<secret>/receipt, /text and /call.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from app.gateways import (
    AddressKind,
    Cost,
    DeliveryReceipt,
    Hook,
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
from app.gateways.sms_parts import is_gsm7
from app.gateways.telephones import ForTelephones, behind
from gateway_settings import KannelSettings

_DELIVERED, _UNDELIVERED, _TAKEN, _REFUSED = 1, 2, 8, 16
_STATES: Final = {
    _DELIVERED: ReceiptState.DELIVERED,
    _UNDELIVERED: ReceiptState.UNDELIVERED,
    _TAKEN: ReceiptState.ACCEPTED,
    _REFUSED: ReceiptState.UNDELIVERED,
}
"""What Kannel calls us for: that the operator took a text, which ends a doubt, and its end."""

_ASKS_FOR_US: Final = (401, 403, 404)
"""Answers that say nothing of the text: a wrong password or path, a machine that is not let in."""

_OPERATORS_WORDS: Final = {
    "EXPIRED": "the telephone could not be reached in time",
    "DELETED": "the operator deleted it",
    "UNDELIV": "the operator could not deliver it",
    "REJECTD": "the operator refused it",
    "UNKNOWN": "the operator does not know what became of it",
}
_STATUS = re.compile(r"\bstat:([A-Z]{3,10})(?: err:(\w{1,8}))?")
"""In what an operator says; no more is kept of it, since the text's beginning stands there too."""


class KannelGateway(ForTelephones[KannelSettings]):
    """One smsbox of Kannel's."""

    name: ClassVar[str] = "kannel"
    reaches: ClassVar[tuple[AddressKind, ...]] = (AddressKind.PHONE,)

    def cost(self, text: str) -> Cost:
        return self._cost_as_sms(text)

    def send(self, outgoing: OutgoingText) -> Receipt:
        """Hand over one text; accepted means that Kannel keeps it on its disk."""
        check_number(outgoing.address)
        answer = post(
            self._settings.url,
            outgoing.text.encode(),
            self._headers(outgoing),
            self._timeout_seconds,
        )
        if answer.status == 202:
            # Kannel names texts only in its receipts, which bear our reference.
            return Receipt(ReceiptState.ACCEPTED, provider_id=outgoing.reference)
        raise _refusal(answer)

    def receive(self, hook: Hook) -> Received:
        """Read what Kannel calls: a receipt, a text, or a missed call that something else saw."""
        address = urlsplit(hook.url)
        secret, _, what = behind(address.path, self.name).partition("/")
        if not hmac.compare_digest(secret.encode(), self._settings.hook_secret.encode()):
            raise HookRefused("the secret in the address is wrong")
        if (hook.method, what) == ("GET", "receipt"):
            return _receipt(_fields(address.query.encode()))
        if (hook.method, what) == ("GET", "text"):
            return self._text(_fields(address.query.encode()))
        if (hook.method, what) == ("POST", "call"):
            return self._call(_fields(hook.body))
        raise HookRefused("Kannel has nothing to bring there", status=404)

    def _headers(self, outgoing: OutgoingText) -> dict[str, str]:
        """All but the text. They are headers since addresses end in logs, telephones and all."""
        settings = self._settings
        query = urlencode({"reference": outgoing.reference})
        hook = f"{settings.hooks_url}/hooks/{self.name}/{settings.hook_secret}/receipt?{query}"
        return {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": settings.username,
            "X-Kannel-Password": settings.password,
            "X-Kannel-From": settings.sender,
            "X-Kannel-To": outgoing.address,
            "X-Kannel-Coding": "0" if is_gsm7(outgoing.text) else "2",
            "X-Kannel-DLR-Mask": str(sum(_STATES)),
            "X-Kannel-DLR-Url": f"{hook}&state=%d&reason=%A",
        }

    def _text(self, fields: Mapping[str, bytes]) -> Received:
        sender = in_e164(_plain(fields, "from"), self._settings.country)
        if sender is None:
            return Received()  # a company's name or a short code: nobody whom we know
        text = InboundText(provider_id=_id(fields), address=sender, text=_text_of(fields))
        return Received(texts=(text,))

    def _call(self, fields: Mapping[str, bytes]) -> Received:
        caller = in_e164(_plain(fields, "from"), self._settings.country)
        if caller is None:
            return Received()
        return Received(calls=(MissedCall(provider_id=_id(fields), address=caller),))


def _refusal(answer: Answer) -> Retryable | Permanent:
    if answer.status in _ASKS_FOR_US:
        return Retryable(f"Kannel lets us in no more: it answered {answer.status}")
    if 400 <= answer.status < 500:
        return Permanent(f"Kannel refused it: it answered {answer.status}")
    reason = f"Kannel can't take it now: it answered {answer.status}"
    return Retryable(reason, after_seconds=answer.rest_seconds)


def _fields(encoded: bytes) -> dict[str, bytes]:
    """The fields of a query or a form, as bytes: each may be in a character set of its own."""
    pairs = parse_qsl(encoded.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return {name: value.encode("latin-1") for name, value in pairs}


def _plain(fields: Mapping[str, bytes], name: str) -> str:
    return fields.get(name, b"").decode("ascii", "replace").strip()


def _id(fields: Mapping[str, bytes]) -> str:
    found = _plain(fields, "id")
    if not re.fullmatch(r"[!-~]{1,120}", found):
        raise HookRefused("the field id is missing, or is no id", status=400)
    return found


def _text_of(fields: Mapping[str, bytes]) -> str:
    """The words of a text that came in; Arabic ones come as UTF-16BE."""
    character_set = _plain(fields, "charset") or "UTF-8"
    written = fields.get("text", b"")
    try:
        return written.decode(character_set).replace("\0", "")
    except (LookupError, UnicodeDecodeError):
        return written.decode("utf-8", "replace").replace("\0", "")


def _receipt(fields: Mapping[str, bytes]) -> Received:
    reference, state = _plain(fields, "reference"), _plain(fields, "state")
    if not re.fullmatch(r"[\w-]{1,40}", reference) or not state.isdecimal():
        raise HookRefused("the receipt names no text or no state", status=400)
    raised = _STATES.get(int(state))
    if raised is None:
        return Received()
    reason = None
    if raised is ReceiptState.UNDELIVERED:
        reason = _reason(_plain(fields, "reason"))
    return Received(receipts=(DeliveryReceipt(reference, None, raised, reason),))


def _reason(said: str) -> str:
    found = _STATUS.search(said)
    if found is None:
        return "the operator did not deliver it"
    words = _OPERATORS_WORDS.get(found[1], f"the operator says {found[1]}")
    return words if found[2] is None else f"{words} (error {found[2]})"
