"""Ten thousand texts due in one minute: two workers hand them all over, and pages still answer.

No relay stands in the way here: workers call Kannel, and Kannel our pages.
"""

from __future__ import annotations

import http.client
import threading
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from app import create_app
from app.extensions import db
from app.services.family_links import make_link
from tests.faults.conftest import CrowdedUrl
from tests.support.databases import make_config
from tests.support.faults_figures import FULL, figures
from tests.support.faults_ledger import Ledger
from tests.support.faults_plant import KANNEL_ASKS, TEXT_HOOK, kannel_settings
from tests.support.kannel import running_kannel
from tests.support.killing import daytime
from tests.support.nursery import Nursery
from tests.support.workers import free_port, wait_for

SENDS_AT_ONCE = 24
GOAL_SECONDS = 60
"""Machines are shared: the figure is told, and a test minds three times as much."""


class Visitor:
    """Somebody who opens a family's page every second; how long each answer took."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit)
        self.seconds: list[float] = []
        self.statuses: set[int] = set()

    def __enter__(self) -> Visitor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            connection = http.client.HTTPConnection(self._address.netloc, timeout=30)
            connection.request("GET", self._address.path)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            self.seconds.append(time.monotonic() - began)
            self.statuses.add(answer.status)
            self._stop.wait(max(0.0, began + 1 - time.monotonic()))


@pytest.mark.parametrize(
    ("messages", "at_most"),
    [
        pytest.param(300, 30, id="few"),
        pytest.param(10_000, 3 * GOAL_SECONDS, id="many", marks=FULL),
    ],
)
def test_two_workers_hand_over_what_is_due_in_a_minute_and_pages_answer(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, at_most: int
) -> None:
    url = crowded(messages)
    ledger = Ledger(url)
    port = free_port()
    hooks = f"http://127.0.0.1:{port}"
    row = f"{messages} due at once, two workers, {url.partition(':')[0]}"
    with (
        ExitStack() as running,
        figures(row, f"lease 60 s, {SENDS_AT_ONCE} sends at once, 1000/s") as found,
    ):
        kannel = running.enter_context(running_kannel(f"{hooks}{TEXT_HOOK}?{KANNEL_ASKS}"))
        settings = kannel_settings(kannel.send_url.removesuffix("/cgi-bin/sendsms"), hooks)
        settings["N9RAW_KANNEL_SENDS_AT_ONCE"] = str(SENDS_AT_ONCE)
        running.enter_context(nursery.running_web(url, settings, port=port))
        running.callback(nursery.kill_all)
        page = _page_of_a_family(url, hooks)
        with Visitor(page):
            time.sleep(0.1)  # the very first page is slower, as templates are read
        began = time.monotonic()
        with Visitor(page) as visitor:
            for _ in range(2):
                nursery.start(url, daytime() | settings)
            wait_for(
                lambda: len(kannel.texts_by_address) >= messages or time.monotonic() > began + 300,
                "delivery stands still",
                seconds=310,
            )
            drained = time.monotonic() - began
            wait_for(lambda: ledger.unsettled() == 0, "messages stay open", seconds=60)
        times = sorted(visitor.seconds)
        found["drained in"] = f"{drained:.1f} s (the goal for 10,000: {GOAL_SECONDS} s)"
        found["pages"] = f"{len(times)}, slowest {times[-1]:.2f} s"
        assert len(kannel.texts_by_address) == messages
        assert set(kannel.texts_by_address.values()) == {1}
        assert drained <= at_most
        assert visitor.statuses == {200}
        assert times[-1] <= 2.0


def _page_of_a_family(url: str, web: str) -> str:
    app = create_app(make_config(url))
    with app.app_context():
        (household_id,) = Ledger(url).rows("SELECT min(household_id) FROM message")[0]
        _household, token = make_link(household_id, None)
        db.engine.dispose()
    return f"{web}/f/{token}"
