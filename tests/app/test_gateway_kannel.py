"""Texts leave by Kannel as it wants them, and what it calls is read byte by byte."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from app.gateways import (
    DeliveryReceipt,
    Hook,
    HookRefused,
    InboundText,
    MissedCall,
    OutgoingText,
    Permanent,
    ReceiptState,
    Received,
    Retryable,
)
from app.gateways.configured import configured_gateways, hooked_gateway
from app.gateways.kannel import KannelGateway
from app.security import HideSecretLinks
from tests.support.databases import make_config
from tests.support.fake_provider import Asked, FakeProvider, Fault, running

SECRET = "kannel-calls-us-with-this"
HOOKS = "http://127.0.0.1:8000"
PHONE = "+212612345678"
ARABIC = "نقراو: غدا 18:00"


class FakeSmsbox(FakeProvider):
    """Takes everything, as Kannel words it; the real one is asked in tests/faults."""

    def take(self, asked: Asked) -> tuple[int, dict[str, object]]:
        self.sent.append({"path": asked.path, "text": asked.body.decode(), **asked.headers})
        return 202, {}

    def refusal(self, status: int, code: int | None) -> dict[str, object]:
        return {}


@pytest.fixture(scope="module")
def smsbox() -> Iterator[FakeSmsbox]:
    with running(FakeSmsbox()) as fake:
        yield fake


def gateway(url: str = "http://127.0.0.1:9/sms", **settings: str) -> KannelGateway:
    environment = {
        "N9RAW_KANNEL_URL": url,
        "N9RAW_KANNEL_USERNAME": "tutor",
        "N9RAW_KANNEL_PASSWORD": "password",
        "N9RAW_KANNEL_HOOK_SECRET": SECRET,
        "N9RAW_KANNEL_HOOKS_URL": HOOKS,
        "N9RAW_KANNEL_FROM": "N9raw",
    }
    (found,) = configured_gateways(make_config("", **environment | settings))
    assert isinstance(found, KannelGateway)
    return found


def text(words: str, address: str = PHONE) -> OutgoingText:
    return OutgoingText("n9raw-12", address, "", words, "fr")


def called(rest: str, *, secret: str = SECRET, method: str = "GET", body: bytes = b"") -> Received:
    hook = Hook(method, f"{HOOKS}/hooks/kannel/{secret}/{rest}", {}, body)
    return gateway().receive(hook)


def test_text_leaves_with_its_receipt_address_and_nothing_in_the_url(smsbox: FakeSmsbox) -> None:
    receipt = gateway(f"{smsbox.base_url}/cgi-bin/sendsms").send(text("Bonjour à 18:00 é"))
    taken = smsbox.sent[-1]
    assert (receipt.state, receipt.provider_id) == (ReceiptState.ACCEPTED, "n9raw-12")
    assert taken["path"] == "/cgi-bin/sendsms"
    assert taken["text"] == "Bonjour à 18:00 é"
    wanted = {
        "content-type": "text/plain; charset=UTF-8",
        "x-kannel-username": "tutor",
        "x-kannel-from": "N9raw",
        "x-kannel-to": PHONE,
        "x-kannel-coding": "0",
        "x-kannel-dlr-mask": "27",
        "x-kannel-dlr-url": f"{HOOKS}/hooks/kannel/{SECRET}/receipt"
        "?reference=n9raw-12&state=%d&reason=%A",
    }
    assert {name: taken[name] for name in wanted} == wanted


@pytest.mark.parametrize(("words", "coding"), [(ARABIC, "2"), ("fenêtre", "2"), ("{€}", "0")])
def test_text_beyond_gsm7_leaves_as_ucs2(smsbox: FakeSmsbox, words: str, coding: str) -> None:
    gateway(smsbox.base_url).send(text(words))
    assert (smsbox.sent[-1]["text"], smsbox.sent[-1]["x-kannel-coding"]) == (words, coding)


@pytest.mark.parametrize("number", ["+212600000101", "+212600000299", "0612345678", "+2126 1", ""])
def test_made_up_and_unusable_numbers_never_reach_the_wire(smsbox: FakeSmsbox, number: str) -> None:
    before = len(smsbox.sent)
    with pytest.raises(Permanent, match=r"demo's|no telephone number"):
        gateway(smsbox.base_url).send(text("a", number))
    assert len(smsbox.sent) == before


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, Permanent, "Kannel refused it: it answered 400"),
        (403, Retryable, "Kannel lets us in no more: it answered 403"),
        (404, Retryable, "Kannel lets us in no more: it answered 404"),
        (302, Retryable, "Kannel can't take it now: it answered 302"),
        (503, Retryable, "Kannel can't take it now: it answered 503"),
    ],
)
def test_what_kannel_answers_decides(
    smsbox: FakeSmsbox, status: int, error: type[Exception], words: str
) -> None:
    smsbox.fail_next(status)
    with pytest.raises(error, match=f"^{words}$") as refusal:
        gateway(smsbox.base_url).send(text("a"))
    assert not getattr(refusal.value, "in_doubt", False)


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_cut_answer_leaves_doubt(smsbox: FakeSmsbox, fault: Fault) -> None:
    smsbox.fail_next(fault)
    with pytest.raises(Retryable, match="the connection broke before the answer") as refusal:
        gateway(smsbox.base_url).send(text("a"))
    assert refusal.value.in_doubt


def test_kannel_that_is_not_there_leaves_none() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    with pytest.raises(Retryable, match="while connecting") as refusal:
        gateway(url).send(text("a"))
    assert not refusal.value.in_doubt


@pytest.mark.parametrize(
    ("state", "raised"),
    [
        (8, ReceiptState.ACCEPTED),
        (1, ReceiptState.DELIVERED),
        (2, ReceiptState.UNDELIVERED),
        (16, ReceiptState.UNDELIVERED),
    ],
)
def test_receipts_name_our_reference(state: int, raised: ReceiptState) -> None:
    (receipt,) = called(f"receipt?reference=n9raw-12&state={state}&reason=").receipts
    assert (receipt.reference, receipt.provider_id, receipt.state) == ("n9raw-12", None, raised)


def test_receipt_that_says_only_that_it_waits_raises_nothing() -> None:
    assert called("receipt?reference=n9raw-12&state=4&reason=ACK%2F") == Received()


def test_reason_is_put_in_words_without_the_text_that_operators_repeat() -> None:
    said = "id:0123 sub:001 dlvrd:000 stat:EXPIRED err:027 text:Votre code 123456"
    (receipt,) = called(f"receipt?reference=n9raw-1&state=2&reason={quote(said)}").receipts
    assert receipt.reason == "the telephone could not be reached in time (error 027)"
    (unclear,) = called("receipt?reference=n9raw-1&state=16&reason=NACK%2F11%2FInvalid").receipts
    assert unclear == DeliveryReceipt(
        "n9raw-1", None, ReceiptState.UNDELIVERED, "the operator did not deliver it"
    )


@pytest.mark.parametrize(
    ("content", "character_set", "words"),
    [
        # As a real Kannel sent them.
        ("%06F%069%06E%00+%001", "UTF-16BE", "نعم 1"),
        ("1+%C3%A9+%C3%A0+bient%C3%B4t", "UTF-8", "1 é à bientôt"),
        ("STOP", "", "STOP"),
        ("%E9", "no-such-set", "\ufffd"),
    ],
)
def test_texts_come_in_their_own_character_set(
    content: str, character_set: str, words: str
) -> None:
    received = called(f"text?from=212612345678&text={content}&charset={character_set}&id=b3-1")
    assert received == Received(texts=(InboundText("b3-1", PHONE, words),))
    assert received.answer.body == b""


@pytest.mark.parametrize(
    "sender", ["0612345678", "212612345678", "%2B212612345678", "00212612345678"]
)
def test_senders_are_brought_into_e164(sender: str) -> None:
    (found,) = called(f"text?from={sender}&text=1&id=a").texts
    assert found.address == PHONE


@pytest.mark.parametrize("sender", ["IAM", "5555", ""])
def test_texts_of_companies_are_nobodys(sender: str) -> None:
    assert called(f"text?from={sender}&text=Promo&id=a") == Received()


def test_missed_call_comes_as_a_form() -> None:
    received = called("call", method="POST", body=b"from=0612345678&id=1795326352.7")
    assert received == Received(calls=(MissedCall("1795326352.7", PHONE),))


@pytest.mark.parametrize(
    ("secret", "rest", "method", "status"),
    [
        ("kannel-calls-us-with-thi", "receipt?reference=n9raw-1&state=1", "GET", 403),
        ("", "receipt?reference=n9raw-1&state=1", "GET", 403),
        (SECRET, "receipt?reference=n9raw-1&state=1", "HEAD", 404),
        (SECRET, "receipt?reference=n9raw-1&state=1", "POST", 404),
        (SECRET, "call", "GET", 404),
        (SECRET, "", "GET", 404),
        (SECRET, "receipt?state=1", "GET", 400),
        (SECRET, "receipt?reference=n9raw-1&state=%25d", "GET", 400),
        (SECRET, f"receipt?reference={'1' * 41}&state=1", "GET", 400),
        (SECRET, "text?from=212612345678&text=1", "GET", 400),
    ],
)
def test_what_is_not_kannels_is_refused(secret: str, rest: str, method: str, status: int) -> None:
    with pytest.raises(HookRefused) as refusal:
        called(rest, secret=secret, method=method)
    assert refusal.value.status == status


def test_costs_are_those_of_its_parts() -> None:
    priced = gateway(N9RAW_KANNEL_PRICE="0.35")
    assert [
        (priced.cost(words).parts, priced.cost(words).thousandths) for words in ("a", ARABIC * 5)
    ] == [
        (1, 350),
        (2, 700),
    ]


def test_secrets_stand_in_no_repr() -> None:
    config = make_config(
        "",
        N9RAW_KANNEL_URL="http://127.0.0.1:9",
        N9RAW_KANNEL_USERNAME="tutor",
        N9RAW_KANNEL_PASSWORD="pa55word",
        N9RAW_KANNEL_HOOK_SECRET=SECRET,
        N9RAW_KANNEL_HOOKS_URL=HOOKS,
        N9RAW_KANNEL_FROM="N9raw",
    )
    shown = repr(config) + repr(hooked_gateway(config, "kannel"))
    assert "pa55word" not in shown
    assert SECRET not in shown


def test_addresses_of_hooks_stay_out_of_logs() -> None:
    line = '127.0.0.1 "GET %s HTTP/1.1" 200'
    record = logging.LogRecord(
        "gunicorn.access", logging.INFO, "", 0, line,
        (f"/hooks/kannel/{SECRET}/text?from=%2B212612345678&text=STOP",), None,
    )  # fmt: skip
    assert HideSecretLinks().filter(record)
    assert record.getMessage() == '127.0.0.1 "GET /hooks/kannel/... HTTP/1.1" 200'
