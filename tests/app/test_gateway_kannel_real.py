"""A real Kannel takes what the gateway sends, and the gateway reads what a real Kannel calls."""

from __future__ import annotations

from app.gateways import Hook, InboundText, OutgoingText, ReceiptState, Received
from app.gateways.configured import hooked_gateway
from app.gateways.kannel import KannelGateway
from tests.support.databases import make_config
from tests.support.fake_provider import Asked, FakeProvider, running
from tests.support.kannel import PASSWORD, USERNAME, Kannel, running_kannel
from tests.support.workers import wait_for

SECRET = "kannel-calls-us-with-this"
PHONE = "+212612345678"
FRENCH = "N9raw: cours de Hiba à 18:00 [maths] {1} ~ 5 €. " * 4
ARABIC = "نقراو: حصة هبة غدا 18:00، الرياضيات. " * 4


class Called(FakeProvider):
    """Keeps the addresses that Kannel calls."""

    def take(self, asked: Asked) -> tuple[int, dict[str, object]]:
        self.sent.append({"url": f"{self.base_url}{asked.path}"})
        return 200, {}


def test_texts_receipts_and_answers_pass_through_a_real_kannel() -> None:
    with running(Called()) as called:
        hooks = f"{called.base_url}/hooks/kannel/{SECRET}"
        with running_kannel(f"{hooks}/text?from=%p&text=%a&charset=%C&id=%I") as kannel:
            gateway = _gateway(kannel, called)
            for number, text in enumerate((FRENCH, ARABIC), start=1):
                gateway.send(OutgoingText(f"n9raw-{number}", PHONE, "", text.strip(), "fr"))
            expected = {
                (f"n9raw-{number}", state)
                for number in (1, 2)
                for state in (ReceiptState.ACCEPTED, ReceiptState.DELIVERED)
            }
            wait_for(lambda: expected <= _receipts(gateway, called), "receipts are missing")
            assert sorted(kannel.texts_to(PHONE)) == sorted([FRENCH.strip(), ARABIC.strip()])
            kannel.send_in("212612345678", "نعم 1")
            wait_for(lambda: _texts(gateway, called), "the answer does not come")
        (answer,) = _texts(gateway, called)
        assert (answer.address, answer.text) == (PHONE, "نعم 1")


def _gateway(kannel: Kannel, called: Called) -> KannelGateway:
    settings = {
        "N9RAW_KANNEL_URL": kannel.send_url,
        "N9RAW_KANNEL_USERNAME": USERNAME,
        "N9RAW_KANNEL_PASSWORD": PASSWORD,
        "N9RAW_KANNEL_HOOK_SECRET": SECRET,
        "N9RAW_KANNEL_HOOKS_URL": called.base_url,
        "N9RAW_KANNEL_FROM": "N9raw",
    }
    gateway = hooked_gateway(make_config("", **settings), "kannel")
    assert isinstance(gateway, KannelGateway)
    return gateway


def _received(gateway: KannelGateway, called: Called) -> list[Received]:
    return [gateway.receive(Hook("GET", call["url"], {}, b"")) for call in list(called.sent)]


def _receipts(gateway: KannelGateway, called: Called) -> set[tuple[str | None, ReceiptState]]:
    return {
        (receipt.reference, receipt.state)
        for received in _received(gateway, called)
        for receipt in received.receipts
    }


def _texts(gateway: KannelGateway, called: Called) -> list[InboundText]:
    return [text for received in _received(gateway, called) for text in received.texts]
