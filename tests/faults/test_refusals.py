"""What gateways refuse, and how: tried again or final as it is meant, and nothing in between."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.faults.conftest import CrowdedUrl
from tests.support.fake_meta import running_meta
from tests.support.fake_provider import FakeProvider
from tests.support.fake_twilio import running_twilio
from tests.support.faults_figures import FULL, figures
from tests.support.faults_ledger import Ledger
from tests.support.faults_plant import Waits
from tests.support.faults_relay import Answer, Pass, Request, running_relay
from tests.support.killing import daytime
from tests.support.mail import running_mail_server
from tests.support.nursery import Nursery
from tests.support.workers import free_port, wait_for

RETRIES = (1, 2, 4)
WAITS = Waits(send=2, lease=3, wait=3).settings | {"N9RAW_RETRY_AT_SECONDS": "1,2,4"}
IN_WORDS = "send timeout 2 s, lease 3 s, wait 3 s, tries at 0, 1, 2, 4 s"
HANGS_SECONDS = 2.5
"""Longer than a send may take."""

FATES = {
    "taken": 40,
    "429 once": 15,
    "503 twice": 15,
    "500 always": 5,
    "400": 15,
    "taken, then hangs": 5,
    "hangs before it is taken": 5,
}
"""What becomes of so many messages in a hundred."""
REQUESTS = {
    "taken": 1,
    "429 once": 2,
    "503 twice": 3,
    "500 always": 1 + len(RETRIES),
    "400": 1,
    "taken, then hangs": 1,
    "hangs before it is taken": 2,
}
"""How often a message of that fate is handed over in all."""
NEVER_TAKEN = ("500 always", "400")
SIZES = [pytest.param(60, 0, id="few"), pytest.param(1000, 1, id="many", marks=FULL)]


class Spoiler:
    """Treats each message by its fate, in the provider's own words."""

    def __init__(
        self, provider: FakeProvider, refused: tuple[int, int], reference_of: Callable[[bytes], str]
    ) -> None:
        self._provider = provider
        self._refused = refused
        self._reference_of = reference_of
        self._lock = threading.Lock()
        self.fates: dict[str, str] = {}
        self.requests: Counter[str] = Counter()

    def __call__(self, request: Request, ask: Pass) -> Answer | None:
        reference = self._reference_of(request.body)
        with self._lock:
            self.requests[reference] += 1
            before = self.requests[reference] - 1
        fate = self.fates[reference]
        if fate == "400":
            return self._refusal(*self._refused)
        if fate == "500 always":
            return self._refusal(500, None)
        if fate == "429 once" and before == 0:
            return self._refusal(429, None)
        if fate == "503 twice" and before < 2:
            return self._refusal(503, None)
        if fate == "taken, then hangs":
            ask()
            time.sleep(HANGS_SECONDS)
            return None
        if fate == "hangs before it is taken" and before == 0:
            time.sleep(HANGS_SECONDS)
            return None
        return ask()

    def _refusal(self, status: int, code: int | None) -> Answer:
        body = json.dumps(self._provider.refusal(status, code)).encode()
        return Answer(status, body, {"Content-Type": "application/json"})


def _reference_at_twilio(body: bytes) -> str:
    callback = parse_qs(body.decode())["StatusCallback"][0]
    return parse_qs(urlsplit(callback).query)["reference"][0]


def _reference_at_meta(body: bytes) -> str:
    return str(json.loads(body)["biz_opaque_callback_data"])


@pytest.mark.parametrize(("messages", "seed"), SIZES)
@pytest.mark.parametrize("name", ["twilio", "meta"])
def test_what_a_provider_answers_is_taken_as_it_is_meant(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, seed: int, name: str
) -> None:
    url = crowded(messages)
    ledger = Ledger(url)
    port = free_port()
    row = f"429, 5xx, 400 and hangs of {name}, {messages} messages, {url.partition(':')[0]}"
    with ExitStack() as running, figures(row, f"seed {seed}", IN_WORDS) as found:
        if name == "twilio":
            twilio = running.enter_context(running_twilio())
            twilio.calls_back = True
            relay = running.enter_context(running_relay(twilio.port))
            settings = twilio.settings(f"http://127.0.0.1:{port}", N9RAW_TWILIO_URL=relay.url)
            spoiler = Spoiler(twilio, (400, 21211), _reference_at_twilio)
            took = twilio.references
        else:
            meta = running.enter_context(running_meta())
            meta.hook_url = f"http://127.0.0.1:{port}/hooks/whatsapp"
            relay = running.enter_context(running_relay(meta.port))
            settings = meta.settings(N9RAW_WHATSAPP_URL=f"{relay.url}/v23.0")
            spoiler = Spoiler(meta, (400, 131026), _reference_at_meta)
            ledger.change(
                "INSERT INTO household_channel (household_id, channel)"
                " SELECT id, 'whatsapp' FROM household WHERE id IN"
                " (SELECT household_id FROM message)"
            )
        spoiler.fates = _draw_fates(messages, random.Random(seed))
        relay.spoil = spoiler
        settings = WAITS | settings
        running.enter_context(nursery.running_web(url, settings, port=port))
        _deliver_all(nursery, ledger, url, settings, messages)
        took = (twilio if name == "twilio" else meta).references
        states = {f"n9raw-{row[0]}": row[1] for row in ledger.rows("SELECT id, state FROM message")}
        fates = spoiler.fates
        wrong_state = [
            one
            for one, fate in fates.items()
            if (states[one] == "failed") != (fate in NEVER_TAKEN)
            or (fate not in NEVER_TAKEN and states[one] not in ("accepted", "delivered"))
        ]
        found["ended as meant"] = messages - len(wrong_state)
        found["taken twice"] = sum(1 for times in took.values() if times > 1)
        found["requests"] = sum(spoiler.requests.values())
        assert wrong_state == []
        assert took == {one: 1 for one, fate in fates.items() if fate not in NEVER_TAKEN}
        assert spoiler.requests == {one: REQUESTS[fate] for one, fate in fates.items()}


def _draw_fates(messages: int, chance: random.Random) -> dict[str, str]:
    drawn = chance.choices(list(FATES), weights=list(FATES.values()), k=messages)
    return {f"n9raw-{number}": fate for number, fate in enumerate(drawn, 1)}


@pytest.mark.parametrize(("messages", "seed"), SIZES)
def test_what_a_mail_server_answers_is_taken_as_it_is_meant(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, seed: int
) -> None:
    url = crowded(messages)
    ledger = Ledger(url)
    chance = random.Random(seed)
    row = f"SMTP 451 and 550, {messages} messages, {url.partition(':')[0]}"
    with running_mail_server() as mailbox, figures(row, f"seed {seed}", IN_WORDS) as found:
        addresses = [
            row[0]
            for row in ledger.rows(
                "SELECT email FROM household WHERE email IS NOT NULL ORDER BY id"
            )
        ]
        chance.shuffle(addresses)
        gone, busy = addresses[: messages // 10], addresses[messages // 10 : messages // 5]
        mailbox.refused_recipients |= dict.fromkeys(gone, "550 5.1.1 nobody here")
        mailbox.refused_recipients |= dict.fromkeys(busy, "451 4.2.1 busy")
        mailbox.answers += ["451 4.3.0 later"] * (messages // 4)
        mailbox.answers += ["550 5.7.1 not this one"] * (messages // 20)
        _deliver_all(nursery, ledger, url, WAITS | mailbox.settings, messages)
        tries = Counter(
            (state, tries)
            for state, tries in ledger.rows(
                "SELECT message.state, message.tries FROM message"
                " JOIN household ON household.id = message.household_id"
            )
        )
        failed = sum(number for (state, _tries), number in tries.items() if state == "failed")
        found["accepted"] = len(mailbox.mails)
        found["failed"] = failed
        found["arrived twice"] = len(mailbox.mails) - len(mailbox.references)
        assert set(mailbox.references.values()) == {1}
        assert failed == len(gone) + len(busy) + messages // 20
        assert len(mailbox.mails) == messages - failed
        assert tries["failed", 1 + len(RETRIES)] >= len(busy)
        assert {state for state, _tries in tries} == {"accepted", "failed"}


def _deliver_all(
    nursery: Nursery, ledger: Ledger, url: str, settings: dict[str, str], messages: int
) -> None:
    workers = [nursery.start(url, daytime() | settings) for _ in range(2)]
    wait_for(lambda: ledger.unsettled() == 0, "messages stay open", seconds=60 + messages / 4)
    for worker in workers:
        nursery.end(worker)
