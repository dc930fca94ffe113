"""What the fake providers share: a local HTTP server that can be told to misbehave."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.gateways import Hook

_HANGS_SECONDS = 60.0


class Fault(Enum):
    """How a request goes wrong without an answer."""

    CUT_BEFORE = "the connection breaks before the text is taken"
    CUT_AFTER = "the text is taken, and the answer is cut"
    HANG = "the text is taken, and no answer comes"
    DRIP = "the text is taken, and the answer comes a byte at a time"


@dataclass(frozen=True)
class Call:
    """A call of the provider's to us, with its signature."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"

    @property
    def hook(self) -> Hook:
        """What a gateway is shown of it."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Hook(self.method, self.url, headers, self.body)

    def to(self, client: FlaskClient) -> TestResponse:
        """Make it by Flask's test client."""
        path = self.url.removeprefix("{0.scheme}://{0.netloc}".format(urlsplit(self.url)))
        return client.open(path, method=self.method, data=self.body, headers=dict(self.headers))

    def make(self) -> int:
        """Make it over the network; the status of the answer, 0 where none came."""
        request = urllib.request.Request(
            self.url, self.body, dict(self.headers), method=self.method
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By name in small letters."""
    body: bytes


class FakeProvider:
    """A provider on a free port. `sent` holds what it took, newest last."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.connections = 0
        self.rest_seconds = 0
        """How long it asks to be left alone where it refuses, by Retry-After; 0 says nothing."""
        self.ends = threading.Event()
        self.port = 9
        """Where nobody listens, until it runs."""
        self._faults: deque[Fault | int | tuple[int, int]] = deque()
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail_next(self, how: Fault | int | tuple[int, int], times: int = 1) -> None:
        """Let the next requests fail: by a fault, an HTTP status, or a status and an error code."""
        with self._lock:
            self._faults.extend([how] * times)

    def take(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        """Take or refuse a text: the status and the JSON of the answer."""
        raise NotImplementedError

    def refusal(self, status: int, code: int | None) -> dict[str, Any]:
        """How this provider words an error."""
        raise NotImplementedError

    def next_fault(self) -> Fault | int | tuple[int, int] | None:
        with self._lock:
            return self._faults.popleft() if self._faults else None


P = TypeVar("P", bound=FakeProvider)


@contextmanager
def running(provider: P) -> Iterator[P]:
    """Serve for a provider, each connection by a thread of its own."""

    class Handler(_Handler):
        fake = provider

    with _Server(("127.0.0.1", 0), Handler) as server:
        provider.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield provider
        finally:
            provider.ends.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    fake: FakeProvider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.fake.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, body)
        fault = self.fake.next_fault()
        if fault is Fault.CUT_BEFORE:
            return self._cut()
        if isinstance(fault, int):
            return self._answer(fault, self.fake.refusal(fault, None))
        if isinstance(fault, tuple):
            return self._answer(fault[0], self.fake.refusal(*fault))
        status, said = self.fake.take(asked)
        if fault is Fault.CUT_AFTER:
            return self._cut()
        if fault is Fault.HANG:
            self.fake.ends.wait(_HANGS_SECONDS)
            return self._cut()
        return self._answer(status, said, every_seconds=0.05 if fault is Fault.DRIP else 0.0)

    do_GET = do_POST  # noqa: N815 - the server calls it so

    def _answer(self, status: int, said: dict[str, Any], every_seconds: float = 0.0) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status >= 400 and self.fake.rest_seconds:
            self.send_header("Retry-After", str(self.fake.rest_seconds))
        self.end_headers()
        pieces = [body] if not every_seconds else [bytes([byte]) for byte in body]
        for piece in pieces:
            try:
                self.wfile.write(piece)
            except OSError:
                return  # the other side had enough
            time.sleep(every_seconds)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""
