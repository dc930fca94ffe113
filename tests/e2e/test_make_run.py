"""`make run`, as a newcomer meets it: in a copy of the project, from nothing to a proposal."""

from __future__ import annotations

import http.cookiejar
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import ROOT

pytestmark = pytest.mark.slow

_OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
"""What a make that runs these tests tells a make below it; a newcomer's has none above."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git tracks, with this environment as its own."""
    copy = tmp_path_factory.mktemp("newcomer") / "n9raw"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, target)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """A running `make run`."""

    def __init__(self, project: Path, port: int) -> None:
        self.begun = time.monotonic()
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=project,
            env={name: value for name, value in os.environ.items() if name not in _OF_MAKE},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith("Ctrl-C stops it"):
                self.ready.set()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def press_ctrl_c(self) -> None:
        """What a terminal does: the signal goes to make and all in its group."""
        os.killpg(self.process.pid, signal.SIGINT)
        code = self.process.wait(timeout=30)
        self._reader.join(timeout=10)
        # make itself ends by the signal that it got; it would say *** had the program failed.
        assert code in (0, -signal.SIGINT), self.output
        assert "***" not in self.output
        assert self.lines[-1] == "Stopping ..."

    def end(self) -> None:
        if self.process.poll() is None:  # the test failed
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)  # or it would fail the tests after it
                raise
        self._reader.join(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def demo(project: Path, port: int) -> Iterator[Demo]:
    demo = Demo(project, port)
    yield demo
    demo.end()


def sign_in(port: int, email: str, password: str) -> str:
    """The page that a newcomer lands on after signing in."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    address = f"http://127.0.0.1:{port}/account/sign-in"
    form = opener.open(address, timeout=10).read().decode()
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert token is not None
    data = {"csrf_token": token[1], "email": email, "password": password}
    answer = opener.open(address, urllib.parse.urlencode(data).encode(), timeout=10)
    return str(answer.read().decode())


def sign_in_as_volunteer(port: int, email: str) -> str:
    """The volunteer's week, after the code was read among the demo's messages."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    site = f"http://127.0.0.1:{port}"

    def send(path: str, **values: str) -> str:
        form = opener.open(site + path, timeout=10).read().decode()
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        assert token is not None
        data = urllib.parse.urlencode({"csrf_token": token[1], **values}).encode()
        return str(opener.open(site + path, data, timeout=10).read().decode())

    send("/volunteer/sign-in", address=email)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        messages = opener.open(f"{site}/messages", timeout=10).read().decode()
        code = re.search(r"\b\d{6}\b", re.sub(r"<[^>]+>", " ", messages))
        if code is not None:
            return send("/volunteer/sign-in/code", code=code[0])
        time.sleep(0.2)
    raise AssertionError("the worker delivers no code")


def printed(demo: Demo, way: str) -> str:
    """What `make run` printed after this word."""
    found = re.search(rf"{way}:\s+(\S+)", demo.output)
    assert found is not None
    return found[1]


def test_newcomer_gets_from_make_run_to_the_real_proposal(demo: Demo, port: int) -> None:
    assert demo.ready.wait(timeout=120), demo.output
    assert f"http://127.0.0.1:{port}/" in demo.output
    page = sign_in(port, printed(demo, "coordinator"), printed(demo, "password"))
    for shown in ("Rania Mounir", "Aïn Kaïcher", "Mathématiques"):
        assert shown in page
    assert "On vous propose" in sign_in_as_volunteer(port, printed(demo, "e-mail"))
    family = urllib.request.urlopen(printed(demo, "family"), timeout=10).read().decode()
    assert "حصصكم" in family
    assert "<li>" in family
    demo.press_ctrl_c()
    assert "Error" not in demo.output
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_second_run_is_up_soon_and_keeps_its_data(demo: Demo) -> None:
    # The goal is 5 s; a shared machine may take three times as long.
    assert demo.ready.wait(timeout=60), demo.output
    assert time.monotonic() - demo.begun < 15
    assert "Loaded the Khouribga pilot" not in demo.output
    demo.press_ctrl_c()


def test_child_that_dies_is_started_again(demo: Demo) -> None:
    assert demo.ready.wait(timeout=60), demo.output
    worker = subprocess.run(
        ["pgrep", "-f", "flask --app app worker"], capture_output=True, text=True, check=True
    )
    for number in worker.stdout.split():
        if Path(f"/proc/{number}/cwd").resolve() == demo_folder(demo):
            os.kill(int(number), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while "starting it again" not in demo.output and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "The worker ended by itself; starting it again" in demo.output
    demo.press_ctrl_c()


def demo_folder(demo: Demo) -> Path:
    return Path(f"/proc/{demo.process.pid}/cwd").resolve()


def test_busy_port_is_one_clear_line(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = subprocess.run(
            ["make", "run", f"PORT={port}"],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode != 0
    said = [line for line in ran.stderr.splitlines() if " *** " not in line]
    assert said == [
        f"make run: port {port} is in use; choose another with make run PORT={port + 1}"
    ]


def test_reset_is_refused_while_the_demo_runs_and_then_starts_over(
    demo: Demo, project: Path
) -> None:
    assert demo.ready.wait(timeout=60), demo.output
    reset = ["make", "reset"]
    while_running = subprocess.run(reset, cwd=project, capture_output=True, text=True, check=False)
    assert while_running.returncode != 0
    assert "The demo is running" in while_running.stderr
    demo.press_ctrl_c()
    assert (project / "var" / "demo" / "n9raw.db").exists()
    subprocess.run(reset, cwd=project, check=True, capture_output=True)
    assert not (project / "var" / "demo").exists()
