"""A local server that speaks Meta's documented WhatsApp Cloud API, and makes the calls it signs."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from tests.support.fake_provider import Asked, Call, FakeProvider, running

SENDER_ID = "106540352242922"
TOKEN = "EAAJB-token"
APP_SECRET = "3d9c7c04b7b14a0a8f6e2f3a9f1c5d7e"
VERIFY_TOKEN = "a word of our own"
TEMPLATES = {("n9raw_message", "fr"), ("n9raw_message", "ar")}
VERSION = "v23.0"


class FakeMeta(FakeProvider):
    """One sending number at Meta. `sent` holds each message, and the "id" that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.hook_url: str | None = None
        """Where each message is reported as sent and delivered at once, over the network."""

    def settings(self, **more: str) -> dict[str, str]:
        """The environment of a program that sends by this server."""
        return {
            "N9RAW_WHATSAPP_URL": f"{self.base_url}/{VERSION}",
            "N9RAW_WHATSAPP_SENDER_ID": SENDER_ID,
            "N9RAW_WHATSAPP_TOKEN": TOKEN,
            "N9RAW_WHATSAPP_APP_SECRET": APP_SECRET,
            "N9RAW_WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
            "N9RAW_WHATSAPP_TEMPLATES": "fr=n9raw_message:fr,ar=n9raw_message:ar",
            "N9RAW_WHATSAPP_PER_SECOND": "1000",
            **more,
        }

    @property
    def references(self) -> Counter[str]:
        """How often each of our references came in."""
        return Counter(message["biz_opaque_callback_data"] for message in self.sent)

    @property
    def texts(self) -> list[str]:
        return [_variable(message) for message in self.sent]

    def take(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, self.refusal(401, 190)
        if asked.path != f"/{VERSION}/{SENDER_ID}/messages":
            return 400, self.refusal(400, 100)
        message = json.loads(asked.body)
        wrong = _wrong(message)
        if wrong is not None:
            return wrong[0], self.refusal(*wrong)
        number = message["to"].removeprefix("+")
        message["id"] = f"wamid.{b64encode(number.encode() + secrets.token_bytes(24)).decode()}"
        self.sent.append(message)
        if self.hook_url is not None:
            for status in ("sent", "delivered"):
                self.receipts(self.hook_url, (message, status, None)).make()
        answer = {
            "messaging_product": "whatsapp",
            "contacts": [{"input": message["to"], "wa_id": number}],
            "messages": [{"id": message["id"], "message_status": "accepted"}],
        }
        return 200, answer

    def refusal(self, status: int, code: int | None) -> dict[str, Any]:
        code = code or {401: 190, 429: 130429}.get(status, 131000)
        error = {
            "message": f"(#{code}) as documented",
            "type": "OAuthException",
            "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": "as documented"},
            "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
        }
        return {"error": error}

    def receipts(self, url: str, *statuses: tuple[dict[str, Any], str, int | None]) -> Call:
        """One call that tells how far some of `sent` got; each (message, status, error code)."""
        changes = [_value(statuses=[_status(*status)]) for status in statuses]
        return signed(url, _brought(*changes))

    def texts_in(self, url: str, *messages: dict[str, Any]) -> Call:
        """One call that brings texts, see `text_of` and `button_of`."""
        return signed(url, _brought(*(_value(messages=[message]) for message in messages)))

    def greeting(self, url: str, challenge: str, word: str = VERIFY_TOKEN) -> Call:
        """The unsigned question when the address is entered at Meta."""
        query = {"hub.mode": "subscribe", "hub.verify_token": word, "hub.challenge": challenge}
        return Call(f"{url}?{urlencode(query)}", b"", {}, method="GET")


def text_of(sender: str, body: str, number: int = 1) -> dict[str, Any]:
    """A text that somebody wrote; Meta writes numbers without a plus."""
    return _from(sender, number) | {"type": "text", "text": {"body": body}}


def button_of(sender: str, payload: str, text: str, number: int = 1) -> dict[str, Any]:
    """A button of a template that was pressed."""
    button = {"payload": payload, "text": text}
    return _from(sender, number) | {"type": "button", "button": button}


def signed(url: str, brought: dict[str, Any], app_secret: str = APP_SECRET) -> Call:
    """A call with its signature; Meta escapes what is not ASCII, and signs it escaped."""
    body = json.dumps(brought).encode()
    digest = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}
    return Call(url, body, headers)


def _wrong(message: dict[str, Any]) -> tuple[int, int] | None:
    """The status and the code that a message is refused with."""
    if message.get("messaging_product") != "whatsapp":
        return 400, 100
    if message.get("type") != "template":
        return 400, 131047
    template = message["template"]
    if (template["name"], template["language"]["code"]) not in TEMPLATES:
        return 404, 132001
    parameters = template["components"][0]["parameters"]
    if len(parameters) != 1:
        return 400, 132000
    if re.search(r"[\n\t]| {5}", _variable(message)):
        return 400, 132018
    return None


def _variable(message: dict[str, Any]) -> str:
    return str(message["template"]["components"][0]["parameters"][0]["text"])


def _from(sender: str, number: int) -> dict[str, Any]:
    return {
        "from": sender.removeprefix("+"),
        "id": f"wamid.in{number}",
        "timestamp": "1795326352",
    }


def _status(message: dict[str, Any], status: str, error: int | None) -> dict[str, Any]:
    said = {
        "id": message["id"],
        "status": status,
        "timestamp": "1795326352",
        "recipient_id": message["to"].removeprefix("+"),
        "biz_opaque_callback_data": message["biz_opaque_callback_data"],
    }
    if error is not None:
        said["errors"] = [{"code": error, "title": "as documented", "message": "as documented"}]
    return said


def _value(**content: list[dict[str, Any]]) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": SENDER_ID}
    return {"messaging_product": "whatsapp", "metadata": metadata, **content}


def _brought(*values: dict[str, Any]) -> dict[str, Any]:
    """Each in an entry of its own."""
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
            for value in values
        ],
    }


@contextmanager
def running_meta() -> Iterator[FakeMeta]:
    """A number at Meta, on this machine."""
    with running(FakeMeta()) as meta:
        yield meta
