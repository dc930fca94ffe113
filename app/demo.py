"""`python -m app.demo`: the demo on this machine, web and worker under one parent.

It says what it does, keeps its data in var/demo, and listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import flask_migrate
from flask import Flask

from app import create_app
from app.extensions import db
from app.models import MatchRun
from app.services.demo import DEMO_EMAIL, DEMO_PASSWORD, begin_lessons, load_demo
from app.services.demo_ways_in import open_ways_in
from app.services.runs import ACTIVE, newest_run_id
from config import ROOT
from scheduler.ending import stop_when_told

HOST = "127.0.0.1"
FOLDER = ROOT / "var" / "demo"
_START_WITHIN_SECONDS = 20.0
_MATCH_WITHIN_SECONDS = 60.0
_END_WITHIN_SECONDS = 10.0


class DemoError(RuntimeError):
    """The demo can't start; the message says why and what to do."""


def main() -> int:
    """Run the demo until Ctrl-C; the exit code is 0 for that, 1 where it could not start."""
    parser = argparse.ArgumentParser(prog="make run", description="Run the N9raw demo.")
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    stop = threading.Event()
    stop_when_told(stop)
    try:
        with _only_demo():
            _refuse_busy_port(port)
            _run(port, stop)
    except DemoError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    return 0


def _run(port: int, stop: threading.Event) -> None:
    environment = _demo_environment(port)
    os.environ.update(environment)
    # The demo sends nothing, whatever the shell is set up for.
    os.environ.pop("N9RAW_SMTP_URL", None)
    app = create_app()
    _say("Bringing the database up to date (var/demo/n9raw.db)")
    with app.app_context():
        flask_migrate.upgrade()
        if not stop.is_set() and load_demo():
            _say("Loaded the Khouribga pilot: 20 volunteers, 76 pupils, all made up")
    if stop.is_set():
        return
    _say("Starting the web server and the worker")
    children = [_Child("web", _web_command(port)), _Child("worker", _worker_command())]
    try:
        for child in children:
            child.start()
        _wait_for_web(port, stop)
        _wait_for_match(app, stop)
        if not stop.is_set():
            _begin_lessons(app)
            _say_how_to_get_in(app, port)
        while not stop.wait(timeout=1.0):
            for child in children:
                child.restart_if_ended()
    finally:
        _say("Stopping")
        for child in children:
            child.end()
        with app.app_context():
            db.engine.dispose()


class _Child:
    """One of the processes under this parent."""

    def __init__(self, name: str, command: list[str]) -> None:
        self._name = name
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # In a session of its own, Ctrl-C reaches the parent alone, which ends it in order.
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True
        )

    def restart_if_ended(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            _say(f"The {self._name} ended by itself; starting it again")
            self.start()

    def end(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=_END_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _web_command(port: int) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "app:create_app()",
        "--bind", f"{HOST}:{port}", "--workers", "1", "--threads", "8", "--log-level", "warning",
    ]  # fmt: skip


def _worker_command() -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "app", "worker"]


def _demo_environment(port: int) -> dict[str, str]:
    return {
        "N9RAW_DEMO": "1",
        "N9RAW_DATABASE_URL": f"sqlite:///{FOLDER / 'n9raw.db'}",
        "N9RAW_SECRET_KEY": _kept_secret(FOLDER / "secret"),
        "N9RAW_PUBLIC_URL": f"http://{HOST}:{port}",
    }


def _kept_secret(file: Path) -> str:
    """The demo's secret, made once, so that a restart signs nobody out."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return file.read_text(encoding="ascii")


@contextmanager
def _only_demo() -> Iterator[None]:
    """Hold the demo's folder: a second demo on the same data is refused."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "demo.pid").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError("the demo runs already; stop it with Ctrl-C first") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _refuse_busy_port(port: int) -> None:
    if not 1 <= port <= 65_535:
        raise DemoError(f"PORT must be between 1 and 65535, not {port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise DemoError(f"port {port} needs more rights; try make run PORT=8000") from None
        except OSError:
            raise DemoError(
                f"port {port} is in use; choose another with make run PORT={port + 1}"
            ) from None


def _wait_for_web(port: int, stop: threading.Event) -> None:
    deadline = time.monotonic() + _START_WITHIN_SECONDS
    # Asked through a proxy, 127.0.0.1 would be the proxy's own.
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while not stop.is_set():
        try:
            with directly.open(f"http://{HOST}:{port}/healthz", timeout=2):
                return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise DemoError("the web server did not come up; see what it said above") from None
        stop.wait(timeout=0.1)


def _wait_for_match(app: Flask, stop: threading.Event) -> None:
    """Let the worker end the first matching, so that the first page is a real proposal."""
    deadline = time.monotonic() + _MATCH_WITHIN_SECONDS
    said = False
    while not stop.is_set() and time.monotonic() < deadline:
        with app.app_context():
            newest = newest_run_id()
            run = None if newest is None else db.session.get(MatchRun, newest)
            if run is None or run.state not in ACTIVE:
                return
        if not said:
            _say("The worker is matching volunteers and pupils; this takes up to half a minute")
            said = True
        stop.wait(timeout=0.25)


def _begin_lessons(app: Flask) -> None:
    """Publish the first matching, so that volunteers and families have something to see."""
    with app.app_context():
        active = begin_lessons()
    if active:
        _say(f"Published the proposal; {active} groups are accepted and have their lessons")


def _say_how_to_get_in(app: Flask, port: int) -> None:
    address = f"http://{HOST}:{port}"
    print(
        f"\nN9raw is ready:  {address}/\n"
        f"  coordinator:   {DEMO_EMAIL}\n"
        f"  password:      {DEMO_PASSWORD}\n"
        f"{_other_ways_in(app, address)}"
        "Ctrl-C stops it and keeps its data; make reset starts over.",
        flush=True,
    )


def _other_ways_in(app: Flask, address: str) -> str:
    """How to come in as a volunteer and as a family, once there are lessons."""
    with app.app_context():
        ways = open_ways_in()
        if ways is None:
            return ""
        return (
            f"  volunteer:     {address}/volunteer/\n"
            f"  e-mail:        {ways.tutor.email}   (read the code at {address}/messages)\n"
            f"  family:        {address}/f/{ways.family_token}\n"
            f"  new here:      {address}/volunteer/register  {address}/help\n"
        )


def _say(what: str) -> None:
    print(f"{what} ...", flush=True)


if __name__ == "__main__":
    sys.exit(main())
