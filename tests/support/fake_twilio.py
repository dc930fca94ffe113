"""A local server that speaks Twilio's documented Messages API, and makes the calls it signs."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urldefrag, urlencode, urlsplit

from tests.support.fake_provider import Asked, Call, FakeProvider, running

ACCOUNT = "AC" + "1" * 32
TOKEN = "2bd9e9638872de601313dc77410d3b23"
SENDER = "+15005550006"
CONTENT = {"fr": "HX" + "a" * 32, "ar": "HX" + "b" * 32}


class FakeTwilio(FakeProvider):
    """One account at Twilio. `sent` holds the fields of each message, and its "Sid"."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped: set[str] = set()
        """Numbers that wrote STOP to the sender."""
        self.calls_back = False
        """Whether each message is reported as sent and delivered at once, over the network."""

    def settings(self, hooks_url: str, **more: str) -> dict[str, str]:
        """The environment of a program that sends SMS by this server."""
        return {
            "N9RAW_TWILIO_URL": self.base_url,
            "N9RAW_TWILIO_ACCOUNT": ACCOUNT,
            "N9RAW_TWILIO_TOKEN": TOKEN,
            "N9RAW_TWILIO_FROM": SENDER,
            "N9RAW_TWILIO_HOOKS_URL": hooks_url,
            "N9RAW_TWILIO_PER_SECOND": "1000",
            **more,
        }

    def whatsapp_settings(self, hooks_url: str, **more: str) -> dict[str, str]:
        """As `settings`, for WhatsApp."""
        return {
            **{k: v for k, v in self.settings(hooks_url).items() if "FROM" not in k},
            "N9RAW_TWILIO_WHATSAPP_FROM": SENDER,
            "N9RAW_TWILIO_WHATSAPP_CONTENT": ",".join(f"{k}={v}" for k, v in CONTENT.items()),
            "N9RAW_TWILIO_WHATSAPP_PER_SECOND": "1000",
            **more,
        }

    @property
    def references(self) -> Counter[str]:
        """How often each of our references came in."""
        return Counter(_reference(fields) for fields in self.sent)

    def take(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        if asked.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return 404, self.refusal(404, 20404)
        credentials = b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {credentials}":
            return 401, self.refusal(401, 20003)
        fields = dict(parse_qsl(asked.body.decode(), strict_parsing=True))
        wrong = self._wrong(fields)
        if wrong is not None:
            return 400, self.refusal(400, wrong)
        fields["Sid"] = f"SM{secrets.token_hex(16)}"
        self.sent.append(fields)
        if self.calls_back:
            for status in ("sent", "delivered"):
                self.receipt(fields, status).make()
        answer = {
            "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": fields.get("Body", ""),
            "direction": "outbound-api", "error_code": None, "error_message": None,
            "from": fields.get("From"), "num_segments": "1", "price": None, "sid": fields["Sid"],
            "status": "queued", "to": fields["To"],
        }  # fmt: skip
        return 201, answer

    def _wrong(self, fields: dict[str, str]) -> int | None:
        number = fields.get("To", "").removeprefix("whatsapp:")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", number):
            return 21211
        if number in self.stopped:
            return 21610
        if "From" not in fields and "MessagingServiceSid" not in fields:
            return 21603
        if "Body" not in fields and "ContentSid" not in fields:
            return 21602
        if "\n" in fields.get("ContentVariables", "") or "\\n" in fields.get(
            "ContentVariables", ""
        ):
            return 21656
        return None

    def refusal(self, status: int, code: int | None) -> dict[str, Any]:
        code = code or {401: 20003, 404: 20404, 429: 20429}.get(status, 20500)
        return {
            "code": code,
            "message": f"Error {code}",
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }

    def receipt(self, fields: dict[str, Any], status: str, error: int | None = None) -> Call:
        """The call that tells how far one of `sent` got: queued, sent, delivered, failed..."""
        said = {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "From": fields.get("From", SENDER),
            "MessageSid": fields["Sid"],
            "MessageStatus": status,
            "SmsSid": fields["Sid"],
            "SmsStatus": status,
            "To": fields["To"],
        }
        if error is not None:
            said["ErrorCode"] = str(error)
        # What stands behind the # tells Twilio how to call, and is no part of what it calls.
        return signed(urldefrag(fields["StatusCallback"]).url, said)

    def text(self, url: str, sender: str, body: str, sid: str | None = None) -> Call:
        """The call that brings a text; `sender` is whatsapp:+... there."""
        said = {
            "AccountSid": ACCOUNT,
            "Body": body,
            "From": sender,
            "MessageSid": sid or f"SM{secrets.token_hex(16)}",
            "NumMedia": "0",
            "NumSegments": "1",
            "To": SENDER,
        }
        return signed(url, said)

    def ring(self, url: str, caller: str, sid: str | None = None) -> Call:
        """The call that asks what to do with a telephone that rings."""
        said = {
            "AccountSid": ACCOUNT,
            "CallSid": sid or f"CA{secrets.token_hex(16)}",
            "CallStatus": "ringing",
            "Direction": "inbound",
            "From": caller,
            "To": SENDER,
        }
        return signed(url, said)


def signed(url: str, fields: dict[str, str], token: str = TOKEN) -> Call:
    """A call with the signature as Twilio documents it."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": b64encode(digest).decode(),
    }
    return Call(url, urlencode(fields).encode(), headers)


def _reference(fields: dict[str, Any]) -> str:
    return parse_qs(urlsplit(fields["StatusCallback"]).query)["reference"][0]


@contextmanager
def running_twilio() -> Iterator[FakeTwilio]:
    """An account at Twilio, on this machine."""
    with running(FakeTwilio()) as twilio:
        yield twilio
