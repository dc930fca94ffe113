"""The whole works for tests of faults: a database, our pages, Kannel, and workers to deliver.

Between Kannel and our pages stands a relay, and one between the workers and Kannel, so that what
went each way is known from outside of the program, with its instants.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tests.support.faults_ledger import Ledger
from tests.support.faults_relay import Call, Relay, Request, running_relay
from tests.support.kannel import PASSWORD, USERNAME, Kannel, running_kannel
from tests.support.killing import daytime
from tests.support.nursery import Nursery, Process
from tests.support.workers import free_port, wait_for

HOOK_SECRET = "known-to-all-for-tests-only-0123456789"
TEXT_HOOK = f"/hooks/kannel/{HOOK_SECRET}/text"
RECEIPT_HOOK = f"/hooks/kannel/{HOOK_SECRET}/receipt"
KANNEL_ASKS = "from=%p&to=%P&text=%a&charset=%C&coding=%c&id=%I"
IN_FLIGHT = 8
"""How many texts of one worker may be on the wire, and on record as handed over."""


@dataclass(frozen=True)
class Waits:
    """The waits of the contract, short enough to be waited for."""

    send: float
    lease: float
    wait: float

    @property
    def settings(self) -> dict[str, str]:
        return {
            "N9RAW_SEND_TIMEOUT_SECONDS": str(self.send),
            "N9RAW_MESSAGE_LEASE_SECONDS": str(self.lease),
            "N9RAW_RESEND_WAIT_SECONDS": str(self.wait),
        }

    @property
    def in_words(self) -> str:
        return f"lease {self.lease:.0f} s, wait {self.wait:.0f} s, {IN_FLIGHT} in flight, 1000/s"


def waits_for(messages: int) -> Waits:
    """Shorter ones for the small numbers of `make test`."""
    return Waits(2, 4, 8) if messages >= FULL_SIZE else Waits(1, 2, 4)


FULL_SIZE = 1000
"""From so many messages on a test is one of `make faults`."""


@dataclass
class Plant:
    """What runs, and what of it is known."""

    database_url: str
    ledger: Ledger
    kannel: Kannel
    hooks: Relay
    """From Kannel to our pages."""
    sending: Relay
    """From workers to Kannel's smsbox."""
    web: str
    nursery: Nursery
    settings: dict[str, str] = field(default_factory=dict)

    def start_worker(self, **settings: str) -> Process:
        return self.nursery.start(self.database_url, daytime() | self.settings | settings)

    def text_in(self, sender: str, text: str, provider_id: str) -> int:
        """Bring a text to our pages as Kannel does; the status that they answer, or 0."""
        query = urlencode({"from": sender, "text": text, "charset": "UTF-8", "id": provider_id})
        request = Request("GET", f"{TEXT_HOOK}?{query}", {}, b"")
        try:
            return self.hooks.ask(request).status
        except OSError:
            return 0

    def start_workers(self, number: int, **settings: str) -> list[Process]:
        return [self.start_worker(**settings) for _ in range(number)]

    def wait_until_settled(self, seconds: float) -> None:
        """Wait until no message is open or in doubt; a fresh worker now and then tidies up."""

        def is_settled() -> bool:
            if self.ledger.unsettled() == 0:
                return True
            self.nursery.end(self.nursery.workers[0])
            self.start_worker()
            return _looks_settled(self.ledger, 5.0)

        wait_for(is_settled, f"messages stay open: {self.ledger.states()}", seconds=seconds)

    @property
    def arrived(self) -> Counter[int]:
        """How many times each message came to the fake SMSC, by its id."""
        by_phone = self.messages_by_phone()
        return Counter({by_phone[to]: times for to, times in self.kannel.texts_by_address.items()})

    def messages_by_phone(self) -> dict[str, int]:
        """The one message of each telephone."""
        found = self.ledger.rows(
            "SELECT household.phone, message.id FROM message"
            " JOIN household ON household.id = message.household_id"
        )
        assert len(dict(found)) == len(found), "a telephone has several messages"
        return dict(found)

    def first_arrivals(self) -> dict[int, float]:
        """When each message first came to the fake SMSC, by the monotonic clock."""
        by_phone = self.messages_by_phone()
        first: dict[int, float] = {}
        for each in list(self.kannel.arrivals):
            if each.part == 1:
                first.setdefault(by_phone[each.to], each.at)
        return first

    def first_receipts(self) -> dict[int, float]:
        """When we first acknowledged a receipt of each message."""
        first: dict[int, float] = {}
        for call in sorted(receipts_in(self.hooks), key=lambda call: call.ended):
            first.setdefault(message_of(call), call.ended)
        return first


def receipts_in(relay: Relay) -> list[Call]:
    """The receipts that came through and were acknowledged."""
    return [
        call
        for call in list(relay.calls)
        if urlsplit(call.path).path == RECEIPT_HOOK and call.status == 200
    ]


def message_of(call: Call) -> int:
    """Of which message a receipt is."""
    found = re.fullmatch(r"n9raw-(\d+)", call.values["reference"])
    assert found, "a receipt of no message of ours"
    return int(found[1])


def sends_in(relay: Relay) -> list[tuple[int, Call]]:
    """The texts that workers handed to Kannel, each with the id of its message."""
    return [(_sent_message(call.headers), call) for call in list(relay.calls)]


def _sent_message(headers: Mapping[str, str]) -> int:
    found = re.search(r"reference=n9raw-(\d+)\b", headers["x-kannel-dlr-url"])
    assert found, "a text without our reference"
    return int(found[1])


def kannel_settings(sending_url: str, hooks_url: str) -> dict[str, str]:
    """The environment of a program that sends by Kannel, as fast as it can."""
    return {
        "N9RAW_KANNEL_URL": f"{sending_url}/cgi-bin/sendsms",
        "N9RAW_KANNEL_USERNAME": USERNAME,
        "N9RAW_KANNEL_PASSWORD": PASSWORD,
        "N9RAW_KANNEL_HOOK_SECRET": HOOK_SECRET,
        "N9RAW_KANNEL_HOOKS_URL": hooks_url,
        "N9RAW_KANNEL_FROM": "N9RAW",
        "N9RAW_KANNEL_RECEIVES": "1",
        "N9RAW_KANNEL_PER_SECOND": "1000",
        "N9RAW_KANNEL_SENDS_AT_ONCE": str(IN_FLIGHT),
    }


@contextmanager
def running_plant(
    database_url: str,
    nursery: Nursery,
    waits: Waits,
    *,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Plant]:
    """The works on a database, without a worker yet; its workers end with it."""
    with ExitStack() as running:
        port = free_port()
        hooks = running.enter_context(running_relay(port))
        kannel = running.enter_context(running_kannel(f"{hooks.url}{TEXT_HOOK}?{KANNEL_ASKS}"))
        sending = running.enter_context(running_relay(kannel.send_port))
        all_settings = (
            waits.settings | kannel_settings(sending.url, hooks.url) | dict(settings or {})
        )
        running.enter_context(nursery.running_web(database_url, all_settings, port=port))
        running.callback(nursery.kill_all)
        yield Plant(
            database_url,
            Ledger(database_url),
            kannel,
            hooks,
            sending,
            f"http://127.0.0.1:{port}",
            nursery,
            all_settings,
        )


def _looks_settled(ledger: Ledger, seconds: float) -> bool:
    try:
        wait_for(lambda: ledger.unsettled() == 0, "open", seconds=seconds)
    except AssertionError:
        return False
    return True
