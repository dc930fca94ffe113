"""A relay between two programs that speak HTTP: what goes through is kept, and can be spoiled.

It stands between a worker and its gateway, or between a gateway and our pages, both of them real.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Call:
    """A request that came through."""

    began: float
    """By the monotonic clock, when it was read; `ended` when its answer was known."""
    ended: float
    method: str
    path: str
    """With its query."""
    headers: dict[str, str]
    body: bytes
    status: int
    """What the far side answered; 0 where it did not."""

    @property
    def values(self) -> dict[str, str]:
        """What the query says, and a form in the body."""
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        form = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in (query | form).items()}


@dataclass(frozen=True, slots=True)
class Request:
    """What the near side asks, before anybody has answered."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to the near side."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Pass = Callable[[], Answer]
"""Ask the far side, and hear what it says."""
Spoil = Callable[[Request, Pass], Answer | None]
"""What becomes of a request; None cuts the connection instead of answering."""


def straight(_request: Request, ask: Pass) -> Answer:
    """Spoil nothing."""
    return ask()


class Relay:
    """A port of this machine that leads to another one."""

    def __init__(self, port: int, target_port: int) -> None:
        self.port = port
        self.target_port = target_port
        self.calls: list[Call] = []
        self.spoil: Spoil = straight

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, request: Request) -> Answer:
        """Ask the far side; OSError where nobody answers."""
        began = time.monotonic()
        status = 0
        connection = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=60)
        try:
            connection.request(request.method, request.path, request.body, request.headers)
            response = connection.getresponse()
            body = response.read()
            status = response.status
        except http.client.HTTPException as broken:
            raise ConnectionError(str(broken)) from broken
        finally:
            connection.close()
            ended = time.monotonic()
            self.calls.append(
                Call(
                    began,
                    ended,
                    request.method,
                    request.path,
                    request.headers,
                    request.body,
                    status,
                )
            )
        return Answer(status, body, {"Content-Type": response.headers.get("Content-Type", "")})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    relay: Relay

    def handle_error(self, _request: object, _address: object) -> None:
        """Whoever was killed hangs up in the middle: nothing to say of it."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _handle(self) -> None:
        relay = self.server.relay
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            self.command,
            self.path,
            {
                name.lower(): value
                for name, value in self.headers.items()
                if name.lower() != "connection"
            },
            self.rfile.read(length),
        )
        try:
            answer = relay.spoil(request, lambda: relay.ask(request))
        except ConnectionRefusedError:
            answer = Answer(503)  # nobody listens: nothing was taken, and the near side may know
        except OSError:
            answer = None
        if answer is None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = _handle  # noqa: N815 - the server calls them so

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def running_relay(target_port: int) -> Iterator[Relay]:
    """A relay to a port of this machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    relay = server.relay = Relay(server.server_address[1], target_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=20)
