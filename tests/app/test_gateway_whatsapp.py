"""WhatsApp by Meta's Cloud API: templates out, and only what Meta signed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.gateways import (
    DeliveryReceipt,
    Hook,
    HookedGateway,
    HookRefused,
    InboundText,
    OutgoingText,
    Permanent,
    ReceiptState,
    Received,
    Retryable,
)
from app.gateways.whatsapp_cloud import signature
from tests.support.fake_meta import FakeMeta, button_of, running_meta, signed, text_of
from tests.support.fake_provider import Fault
from tests.support.gateways import configured

URL = "https://n9raw.ma/hooks/whatsapp"
PHONE = "+212612345678"
TEXT = OutgoingText("n9raw-12", PHONE, "", "نقراو:\nهبة 18:00", "ar")


@pytest.fixture(scope="module")
def server() -> Iterator[FakeMeta]:
    with running_meta() as meta:
        yield meta


@pytest.fixture
def meta(server: FakeMeta) -> FakeMeta:
    """A number that has sent nothing yet."""
    server.sent.clear()
    return server


def gateway(meta: FakeMeta, **settings: str) -> HookedGateway:
    return configured("whatsapp", meta.settings(**settings))


def test_text_leaves_as_the_variable_of_its_languages_template(meta: FakeMeta) -> None:
    receipt = gateway(meta).send(TEXT)
    (message,) = meta.sent
    assert (receipt.state, receipt.provider_id) == (ReceiptState.ACCEPTED, message.pop("id"))
    variable = {"type": "text", "text": "نقراو: · هبة 18:00"}
    assert message == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": PHONE,
        "type": "template",
        "template": {
            "name": "n9raw_message",
            "language": {"code": "ar"},
            "components": [{"type": "body", "parameters": [variable]}],
        },
        "biz_opaque_callback_data": "n9raw-12",
    }


def test_darija_leaves_by_the_french_template_unless_it_has_its_own(meta: FakeMeta) -> None:
    darija = replace(TEXT, language="ary")
    gateway(meta).send(darija)
    own = "fr=n9raw_message:fr,ar=n9raw_message:ar,ary=n9raw_message:ar"
    gateway(meta, N9RAW_WHATSAPP_TEMPLATES=own).send(darija)
    codes = [message["template"]["language"]["code"] for message in meta.sent]
    assert codes == ["fr", "ar"]


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ((400, 131026), Permanent, "nobody uses WhatsApp at this number"),
        ((400, 131047), Permanent, "only a template may leave"),
        ((400, 131009), Permanent, "400: error 131009"),
        ((400, 130429), Retryable, "too much was sent at once"),
        ((400, 131056), Retryable, "too much was sent to this recipient at once"),
        ((401, 190), Retryable, "the access token has expired or was withdrawn"),
        ((404, 132001), Retryable, "there is no such template in this language"),
        (429, Retryable, "429: too much was sent at once (error 130429)"),
        (500, Retryable, "500: Meta gave no reason (error 131000)"),
    ],
)
def test_what_meta_answers_decides(
    meta: FakeMeta, how: int | tuple[int, int], error: type[Exception], words: str
) -> None:
    meta.fail_next(how)
    with pytest.raises(error) as refusal:
        gateway(meta).send(TEXT)
    assert words in str(refusal.value)
    assert not getattr(refusal.value, "in_doubt", False)


def test_cut_answer_leaves_doubt(meta: FakeMeta) -> None:
    meta.fail_next(Fault.CUT_AFTER)
    with pytest.raises(Retryable) as refusal:
        gateway(meta).send(TEXT)
    assert refusal.value.in_doubt


def test_several_entries_come_in_one_call(meta: FakeMeta) -> None:
    for number in (12, 13, 14):
        gateway(meta).send(replace(TEXT, reference=f"n9raw-{number}"))
    first, second, third = meta.sent
    call = meta.receipts(URL, (first, "read", None), (second, "failed", 131026), (third, "x", None))
    received = gateway(meta).receive(call.hook)
    unreachable = "nobody uses WhatsApp at this number, or it can't be written to (error 131026)"
    assert received.receipts == (
        DeliveryReceipt("n9raw-12", first["id"], ReceiptState.DELIVERED, None),
        DeliveryReceipt("n9raw-13", second["id"], ReceiptState.UNDELIVERED, unreachable),
    )


def test_texts_and_buttons_come_in(meta: FakeMeta) -> None:
    list_reply = {"type": "list_reply", "list_reply": {"id": "2", "title": "Non"}}
    messages = [
        text_of(PHONE, "١", 1),
        button_of(PHONE, "2", "Nous ne viendrons pas", 2),
        text_of(PHONE, "", 3) | {"type": "interactive", "interactive": list_reply},
        text_of(PHONE, "", 4) | {"type": "image", "image": {"caption": "cahier"}},
        text_of(PHONE, "", 5) | {"type": "audio", "audio": {"id": "1"}},
        text_of(PHONE, "", 6) | {"type": "reaction", "reaction": {"emoji": "👍"}},
    ]
    received = gateway(meta).receive(meta.texts_in(URL, *messages).hook)
    assert received.texts == (
        InboundText("wamid.in1", PHONE, "١"),
        InboundText("wamid.in2", PHONE, "2"),
        InboundText("wamid.in3", PHONE, "2"),
        InboundText("wamid.in4", PHONE, "[image] cahier"),
        InboundText("wamid.in5", PHONE, "[audio]"),
    )


def test_signature_is_over_the_bytes_as_they_came(meta: FakeMeta) -> None:
    call = meta.texts_in(URL, text_of(PHONE, "نعم"))
    good = call.hook
    assert gateway(meta).receive(good).texts[0].text == "نعم"
    same_but_for_escapes = json.dumps(json.loads(call.body), ensure_ascii=False).encode()
    forged = [
        replace(good, body=same_but_for_escapes),
        replace(good, body=good.body + b" "),
        replace(good, headers={}),
        replace(good, headers={"x-hub-signature-256": "sha256="}),
        signed(URL, json.loads(call.body), app_secret="guess").hook,
    ]
    for hook in forged:
        with pytest.raises(HookRefused) as refusal:
            gateway(meta).receive(hook)
        assert refusal.value.status == 403


def test_signature_is_hmac_sha256() -> None:
    # RFC 4231, test case 2.
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature("Jefe", b"what do ya want for nothing?") == f"sha256={digest}"


@pytest.mark.parametrize(
    "brought",
    [
        {},
        {"entry": None},
        {"entry": [1, {"changes": [{"field": "account_update", "value": {"messages": [{}]}}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": {"messages": [{"from": 1}]}}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": {"statuses": [{}]}}]}]},
    ],
)
def test_signed_things_that_are_no_texts_are_nothing(
    meta: FakeMeta, brought: dict[str, object]
) -> None:
    assert gateway(meta).receive(signed(URL, brought).hook) == Received()


def test_meta_gets_its_word_back_when_the_address_is_entered(meta: FakeMeta) -> None:
    answer = gateway(meta).receive(meta.greeting(URL, "1158201444").hook).answer
    assert (answer.status, answer.body) == (200, b"1158201444")
    with pytest.raises(HookRefused):
        gateway(meta).receive(meta.greeting(URL, "1158201444", word="guess").hook)
    with pytest.raises(HookRefused):
        gateway(meta).receive(Hook("GET", URL, {}, b""))
