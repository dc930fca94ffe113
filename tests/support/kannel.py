"""A real Kannel for tests: bearerbox, smsbox, and the fake SMSC of its packages.

What the fake SMSC was given is kept with its instants; texts from telephones go the other way. The
fake SMSC reports every text as delivered at once.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import psutil
import pytest

from tests.support.workers import free_port

BEARERBOX = Path("/usr/sbin/bearerbox")
SMSBOX = Path("/usr/sbin/smsbox")
FAKE_SMSC = Path("/usr/lib/kannel/test/fakesmsc")
USERNAME = "tutor"
PASSWORD = "secret"
OUR_NUMBER = "7000"
_START_SECONDS = 20.0

_CONFIGURATION = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = bar
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
box-deny-ip = "*.*.*.*"
store-type = spool
store-location = "{folder}/store"
dlr-storage = internal
log-file = "{folder}/bb.log"
log-level = 2

group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {send}
sendsms-interface = 127.0.0.1
log-file = "{folder}/sb.log"
http-request-retry = 100
http-queue-delay = 1
max-pending-requests = 4
log-level = 2

group = sendsms-user
username = {username}
password = {password}
user-allow-ip = 127.0.0.1
max-messages = 10
concatenation = true
default-sender = "N9RAW"

group = sms-service
keyword = default
get-url = "{get_url}"
max-messages = 3
concatenation = true
catch-all = true
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One SMS that the fake SMSC was given; a long text is several."""

    at: float
    """By the monotonic clock."""
    to: str
    text: str
    part: int
    parts: int


def kannel_missing() -> str | None:
    """Why there is no Kannel here; None where there is one."""
    if all(program.exists() for program in (BEARERBOX, SMSBOX, FAKE_SMSC)):
        return None
    return "no Kannel; install: apt-get install kannel kannel-extras"


class Kannel:
    """Three processes with ports and a folder of their own."""

    def __init__(self, folder: Path, get_url: str) -> None:
        self.folder = folder
        self.arrivals: list[Arrival] = []
        self.send_port = free_port()
        self._ports = {name: free_port() for name in ("admin", "box", "smsc")}
        (folder / "store").mkdir(exist_ok=True)
        (folder / "kannel.conf").write_text(
            _CONFIGURATION.format(
                folder=folder,
                send=self.send_port,
                username=USERNAME,
                password=PASSWORD,
                get_url=get_url,
                **self._ports,
            )
        )
        self._bearerbox: subprocess.Popen[bytes] | None = None
        self._smsbox: subprocess.Popen[bytes] | None = None
        self._smsc: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def send_url(self) -> str:
        return f"http://127.0.0.1:{self.send_port}/cgi-bin/sendsms"

    @property
    def texts_by_address(self) -> Counter[str]:
        """How many texts each number was sent; a long one counts once."""
        return Counter(each.to for each in list(self.arrivals) if each.part == 1)

    def texts_to(self, number: str) -> list[str]:
        """The texts that a number was sent, long ones put together, in order."""
        texts: list[str] = []
        for each in list(self.arrivals):
            if each.to == number:
                if each.part == 1:
                    texts.append(each.text)
                else:
                    texts[-1] += each.text
        return texts

    def start(self) -> None:
        """Start whatever does not run."""
        if self._bearerbox is None:
            self._bearerbox = self._bring_up(BEARERBOX, {self._ports["box"], self._ports["smsc"]})
        if self._smsbox is None:
            self._smsbox = self._bring_up(SMSBOX, {self.send_port})
        if self._smsc is None:
            self.connect_phones()

    def _run(self, program: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [program, self.folder / "kannel.conf"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )

    def _bring_up(self, program: Path, ports: set[int]) -> subprocess.Popen[bytes]:
        """Start a box until it stays, as a supervisor does.

        smsbox 1.4.5 falls over where a text comes before it has made its counters.
        """
        deadline = time.monotonic() + _START_SECONDS
        while True:
            process = self._run(program)
            while process.poll() is None and not _listens(process, ports):
                if time.monotonic() > deadline:
                    process.kill()
                    process.wait()
                time.sleep(0.02)
            time.sleep(0.1)  # what falls over does so at the first text
            if process.poll() is None:
                return process
            assert time.monotonic() < deadline, f"{program} does not come up on {ports}"

    def connect_phones(self, *sent: tuple[str, str], every_seconds: float = 0.01) -> None:
        """Connect the fake SMSC; it first hands these texts in, as (sender, text).

        Where there are several it draws them at random, so each should be able to come twice.
        """
        self.disconnect_phones()
        messages = [f"{sender} {OUR_NUMBER} data {quote(text)}" for sender, text in sent]
        command = [
            str(FAKE_SMSC), "-H", "127.0.0.1", "-r", str(self._ports["smsc"]),
            "-i", str(every_seconds), "-m", str(len(messages)), *(messages or ["1 1 text none"]),
        ]  # fmt: skip
        self._smsc = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, args=(self._smsc,), daemon=True)
        self._reader.start()

    def disconnect_phones(self) -> None:
        if self._smsc is not None:
            self._smsc.terminate()
            self._smsc.wait(timeout=20)
            assert self._reader is not None
            self._reader.join(timeout=20)
            assert self._smsc.stderr is not None
            self._smsc.stderr.close()
            self._smsc = None

    def _read(self, smsc: subprocess.Popen[str]) -> None:
        assert smsc.stderr is not None
        for line in smsc.stderr:
            begin = line.find("Got message")
            if begin >= 0:
                self._keep(line[line.index("<", begin) + 1 : line.rindex(">")])

    def _keep(self, line: str) -> None:
        found = _LINE.fullmatch(line)
        if found:
            self.arrivals.append(_arrival(found))
        else:  # a text of several lines comes as so many
            last = self.arrivals[-1]
            self.arrivals[-1] = replace(last, text=f"{last.text}\n{line}")

    def send_in(self, sender: str, text: str) -> None:
        """Hand one text in, as if from a telephone."""
        self.connect_phones((sender, text))

    def kill_smsbox(self) -> None:
        """Kill it with -9; what was under way there is cut off."""
        assert self._smsbox is not None
        self._smsbox.kill()
        self._smsbox.wait(timeout=20)
        self._smsbox = None

    def kill_bearerbox(self) -> None:
        """Kill it with -9; smsbox ends by itself then, and the fake SMSC is cut off."""
        assert self._bearerbox is not None
        assert self._smsbox is not None
        self._bearerbox.kill()
        self._bearerbox.wait(timeout=20)
        self._bearerbox = None
        try:
            self._smsbox.wait(timeout=2)
            self._smsbox = None
        except subprocess.TimeoutExpired:
            self.kill_smsbox()
        self.disconnect_phones()

    def stop(self) -> None:
        self.disconnect_phones()
        for process in (self._smsbox, self._bearerbox):
            if process is not None:
                process.send_signal(signal.SIGTERM)
        for process in (self._smsbox, self._bearerbox):
            if process is not None:
                try:
                    process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(timeout=20)
        self._smsbox = self._bearerbox = None

    def queued(self) -> int:
        """How many texts or receipts Kannel keeps and has not passed on."""
        return sum(1 for each in (self.folder / "store").rglob("*") if each.is_file())


@contextmanager
def running_kannel(get_url: str) -> Iterator[Kannel]:
    """A Kannel that brings texts to `get_url` (with Kannel's own % letters), or a skipped test."""
    missing = kannel_missing()
    if missing:
        pytest.skip(missing)
    folder = Path(tempfile.mkdtemp(prefix="n9raw-kannel-"))
    kannel = Kannel(folder, get_url)
    try:
        kannel.start()
        yield kannel
    finally:
        kannel.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _listens(process: subprocess.Popen[bytes], ports: set[int]) -> bool:
    """By its own sockets: bearerbox would take one who tries for the SMSC, and hand it texts."""
    sockets = psutil.Process(process.pid).net_connections("tcp")
    return ports <= {each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN}


_LINE = re.compile(
    r"\S* (?P<to>\+\d+) (?:udh (?P<udh>\S+) (?P<coded>data|text)|(?P<kind>data|text)) (?P<text>.*)"
)


def _arrival(line: re.Match[str]) -> Arrival:
    text = line["text"]
    if (line["coded"] or line["kind"]) == "data":
        content = unquote_to_bytes(text.replace("+", " "))
        # Half of UTF-16's bytes are below 8 in our languages; none of UTF-8's are.
        text = content.decode("utf-16-be" if min(content, default=32) < 8 else "utf-8", "replace")
    parts, part = unquote_to_bytes(line["udh"])[-2:] if line["udh"] else (1, 1)
    return Arrival(time.monotonic(), line["to"], text, part, parts)
