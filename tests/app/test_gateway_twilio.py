"""SMS and WhatsApp by Twilio: what leaves, what its answers mean, and that only Twilio is heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from app.gateways import (
    DeliveryReceipt,
    Hook,
    HookedGateway,
    HookRefused,
    InboundText,
    MissedCall,
    OutgoingText,
    Permanent,
    ReceiptState,
    Received,
    Retryable,
)
from app.gateways.twilio import signature
from tests.support.fake_provider import Call, Fault
from tests.support.fake_twilio import CONTENT, SENDER, FakeTwilio, running_twilio, signed
from tests.support.gateways import configured

HOOKS = "https://n9raw.ma/cours"
PHONE = "+212612345678"
TEXT = OutgoingText("n9raw-12", PHONE, "", "N9raw: Hiba à 18:00\n\nRépondez 1 ou 2", "fr")


@pytest.fixture(scope="module")
def server() -> Iterator[FakeTwilio]:
    with running_twilio() as twilio:
        yield twilio


@pytest.fixture
def twilio(server: FakeTwilio) -> FakeTwilio:
    """An account that has sent nothing yet."""
    server.sent.clear()
    server.stopped.clear()
    return server


def sms(twilio: FakeTwilio, **settings: str) -> HookedGateway:
    return configured("twilio", twilio.settings(HOOKS, **settings))


def whatsapp(twilio: FakeTwilio) -> HookedGateway:
    return configured("twilio_whatsapp", twilio.whatsapp_settings(HOOKS))


def hook_of(call: Call) -> Hook:
    """The call as it arrives behind a proxy that has another name and speaks no TLS."""
    parts = urlsplit(call.url)
    inner = f"http://127.0.0.1:8000{parts.path.removeprefix('/cours')}"
    return replace(call.hook, url=f"{inner}?{parts.query}" if parts.query else inner)


def test_sms_leaves_with_the_address_of_its_receipts(twilio: FakeTwilio) -> None:
    receipt = sms(twilio).send(TEXT)
    (fields,) = twilio.sent
    assert (receipt.state, receipt.provider_id) == (ReceiptState.ACCEPTED, fields.pop("Sid"))
    assert fields == {
        "To": PHONE,
        "From": SENDER,
        "Body": TEXT.text,
        "StatusCallback": f"{HOOKS}/hooks/twilio/receipt?reference=n9raw-12#rc=5&rp=5xx,ct,rt",
    }


def test_messaging_service_is_named_as_such(twilio: FakeTwilio) -> None:
    sms(twilio, N9RAW_TWILIO_FROM="MG" + "c" * 32).send(TEXT)
    assert twilio.sent[0]["MessagingServiceSid"] == "MG" + "c" * 32
    assert "From" not in twilio.sent[0]


@pytest.mark.parametrize(("language", "content"), [("fr", "fr"), ("ary", "fr"), ("ar", "ar")])
def test_whatsapp_leaves_as_a_template_on_one_line(
    twilio: FakeTwilio, language: str, content: str
) -> None:
    whatsapp(twilio).send(replace(TEXT, language=language))
    (fields,) = twilio.sent
    assert (fields["To"], fields["From"]) == (f"whatsapp:{PHONE}", f"whatsapp:{SENDER}")
    assert fields["ContentSid"] == CONTENT[content]
    assert fields["ContentVariables"] == '{"1": "N9raw: Hiba à 18:00 · Répondez 1 ou 2"}'
    assert fields["StatusCallback"].startswith(f"{HOOKS}/hooks/twilio_whatsapp/receipt?")


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ((400, 21211), Permanent, "400: this is no telephone number (error 21211)"),
        ((400, 21610), Permanent, "the recipient wrote STOP to Twilio's number"),
        ((400, 12345), Permanent, "400: error 12345"),
        ((400, 21606), Retryable, "the sending number is not the account's"),
        ((401, 20003), Retryable, "401: Twilio refuses the account or its token"),
        ((429, 20429), Retryable, "429: too much was asked of Twilio at once"),
        (302, Retryable, "302: error 20500"),
        (500, Retryable, "500: error 20500"),
        (503, Retryable, "503: error 20500"),
    ],
)
def test_what_twilio_answers_decides(
    twilio: FakeTwilio, how: int | tuple[int, int], error: type[Exception], words: str
) -> None:
    twilio.fail_next(how)
    with pytest.raises(error) as refusal:
        sms(twilio).send(TEXT)
    assert words in str(refusal.value)
    assert not getattr(refusal.value, "in_doubt", False)
    assert twilio.sent == []


@pytest.mark.parametrize("seconds", [0, 7])
def test_provider_is_left_alone_as_long_as_it_asks(
    twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    monkeypatch.setattr(twilio, "rest_seconds", seconds)
    twilio.fail_next(429)
    with pytest.raises(Retryable) as refusal:
        sms(twilio).send(TEXT)
    assert refusal.value.after_seconds == seconds


def test_stop_at_the_provider_is_final(twilio: FakeTwilio) -> None:
    twilio.stopped.add(PHONE)
    with pytest.raises(Permanent, match="wrote STOP"):
        sms(twilio).send(TEXT)


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.HANG, Fault.DRIP])
def test_answer_that_does_not_come_whole_and_in_time_leaves_doubt(
    twilio: FakeTwilio, fault: Fault
) -> None:
    twilio.fail_next(fault)
    with pytest.raises(Retryable, match=r"broke before|no whole answer came in time") as refusal:
        sms(twilio, N9RAW_SEND_TIMEOUT_SECONDS="0.4").send(TEXT)
    assert refusal.value.in_doubt
    assert len(twilio.sent) == 1


def test_connection_is_kept_and_taken_up_anew_after_a_fault(twilio: FakeTwilio) -> None:
    gateway = sms(twilio)
    gateway.send(TEXT)
    before = twilio.connections
    for _ in range(3):
        gateway.send(TEXT)
    assert twilio.connections == before
    twilio.fail_next(Fault.CUT_BEFORE)
    with pytest.raises(Retryable):
        gateway.send(TEXT)
    gateway.send(TEXT)
    assert twilio.connections == before + 1


def test_encryption_that_was_asked_for_is_never_left_out(twilio: FakeTwilio) -> None:
    over_tls = twilio.base_url.replace("http:", "https:")
    with pytest.raises(Retryable, match="while connecting") as refusal:
        sms(twilio, N9RAW_TWILIO_URL=over_tls).send(TEXT)
    assert not refusal.value.in_doubt
    assert twilio.sent == []


def test_proxy_of_the_environment_is_not_asked(
    twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert sms(twilio).send(TEXT).state is ReceiptState.ACCEPTED


def test_signature_is_that_of_twilios_own_example() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", url, fields.items()) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    assert signed(url, fields, "12345").headers["X-Twilio-Signature"] == (
        "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    )


@pytest.mark.parametrize(
    ("status", "error", "state", "reason"),
    [
        ("queued", None, ReceiptState.ACCEPTED, None),
        ("sent", None, ReceiptState.ACCEPTED, None),
        ("delivered", None, ReceiptState.DELIVERED, None),
        (
            "undelivered",
            30003,
            ReceiptState.UNDELIVERED,
            "the telephone is off or out of reach (error 30003)",
        ),
        ("failed", None, ReceiptState.UNDELIVERED, "no reason was given"),
    ],
)
def test_receipts_say_how_far_a_text_got(
    twilio: FakeTwilio, status: str, error: int | None, state: ReceiptState, reason: str | None
) -> None:
    sms(twilio).send(TEXT)
    received = sms(twilio).receive(hook_of(twilio.receipt(twilio.sent[0], status, error)))
    sid = twilio.sent[0]["Sid"]
    assert received.receipts == (DeliveryReceipt("n9raw-12", sid, state, reason),)
    assert (received.answer.status, received.answer.body) == (200, b"<Response/>")


def test_texts_and_calls_come_in(twilio: FakeTwilio) -> None:
    by_sms = twilio.text(f"{HOOKS}/hooks/twilio/text", PHONE, "١ نعم", sid="SM1")
    assert sms(twilio).receive(hook_of(by_sms)).texts == (InboundText("SM1", PHONE, "١ نعم"),)
    url = f"{HOOKS}/hooks/twilio_whatsapp/text"
    by_whatsapp = twilio.text(url, f"whatsapp:{PHONE}", "", sid="SM2")
    received = whatsapp(twilio).receive(hook_of(by_whatsapp))
    assert received.texts == (InboundText("SM2", PHONE, ""),)
    ringing = sms(twilio).receive(hook_of(twilio.ring(f"{HOOKS}/hooks/twilio/call", PHONE, "C1")))
    assert ringing.calls == (MissedCall("C1", PHONE),)
    assert ringing.answer.body == b"<Response><Reject/></Response>"


@pytest.mark.parametrize(
    ("body", "opted"),
    [
        *((word, False) for word in ("STOP", "StopAll", "UNSUBSCRIBE", " cancel ", "End", "QUIT")),
        *((word, True) for word in ("START", "yes", "Unstop\n")),
        *((words, None) for words in ("stop it", "the end", "1", "", "oui")),
    ],
)
def test_words_that_twilio_itself_obeys_are_told(
    twilio: FakeTwilio, body: str, opted: bool | None
) -> None:
    by_sms = sms(twilio).receive(hook_of(twilio.text(f"{HOOKS}/hooks/twilio/text", PHONE, body)))
    assert [text.opted for text in by_sms.texts] == [opted]
    url = f"{HOOKS}/hooks/twilio_whatsapp/text"
    by_whatsapp = whatsapp(twilio).receive(hook_of(twilio.text(url, f"whatsapp:{PHONE}", body)))
    assert [text.opted for text in by_whatsapp.texts] == [None]


def test_words_of_a_messaging_service_are_told_by_twilio(twilio: FakeTwilio) -> None:
    fields = {"From": PHONE, "Body": "basta", "MessageSid": "SM1", "OptOutType": "STOP"}
    hook = hook_of(signed(f"{HOOKS}/hooks/twilio/text", fields))
    assert [text.opted for text in sms(twilio).receive(hook).texts] == [False]


def test_hidden_caller_is_rejected_and_nobody(twilio: FakeTwilio) -> None:
    hidden = twilio.ring(f"{HOOKS}/hooks/twilio/call", "anonymous")
    received = sms(twilio).receive(hook_of(hidden))
    assert (received.calls, received.answer.content_type) == ((), "text/xml; charset=utf-8")


def test_only_what_twilio_signed_is_heard(twilio: FakeTwilio) -> None:
    call = twilio.text(f"{HOOKS}/hooks/twilio/text?a=1", PHONE, "STOP")
    good = hook_of(call)
    assert sms(twilio).receive(good).texts
    forged = [
        replace(good, headers={}),
        replace(good, body=good.body + b"&Body=1"),
        replace(good, url=good.url.replace("a=1", "a=2")),
        replace(good, url=good.url.replace("/text", "/receipt")),
        replace(good, method="GET"),
        hook_of(signed(call.url, {"From": PHONE, "Body": "STOP", "MessageSid": "SM1"}, "guess")),
    ]
    for hook in forged:
        with pytest.raises(HookRefused) as refusal:
            sms(twilio).receive(hook)
        assert refusal.value.status == 403
    with pytest.raises(HookRefused) as overlong:
        sms(twilio).receive(replace(good, body=b"&".join([b"a=1"] * 201)))
    assert overlong.value.status == 400
    with pytest.raises(HookRefused) as unknown:
        sms(twilio).receive(hook_of(signed(f"{HOOKS}/hooks/twilio/other", {"a": "1"})))
    assert unknown.value.status == 404


def test_status_that_is_new_to_us_changes_nothing(twilio: FakeTwilio) -> None:
    sms(twilio).send(TEXT)
    received = sms(twilio).receive(hook_of(twilio.receipt(twilio.sent[0], "partially_delivered")))
    assert received == Received(answer=received.answer)
