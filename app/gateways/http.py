"""The one HTTP client of the gateways: connections that stay open, and one time limit for all.

It follows no redirect, tries nothing twice, and takes no proxy from the environment. Any number of
threads may use it at once. It logs nothing: an address may hold a number.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse, HTTPResponse

from app.gateways import Retryable

_MOST_CONNECTIONS = 50
"""To one server, kept open; more than a worker sends at once."""

# It would write addresses that were called.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes = field(repr=False)
    rest_seconds: float = 0.0
    """How long the server asked to be left alone, where it did."""

    def json(self) -> dict[str, Any]:
        """The object in it; empty where there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
    """Send one request and wait for the whole answer, no longer than that; Retryable if none came.

    It is in doubt from the moment when the connection stood: the other side may have read it all.
    """
    try:
        response = _connections().request(
            "POST",
            url,
            body=body,
            headers=dict(headers),
            timeout=urllib3.Timeout(total=timeout_seconds),
            retries=False,
            redirect=False,
        )
    except _NotConnected as fault:
        raise Retryable(f"{fault} while connecting") from None
    except ReadTimeoutError:
        raise Retryable("no whole answer came in time", in_doubt=True) from None
    except (HTTPError, OSError) as fault:
        reason = f"the connection broke before the answer ({type(fault).__name__})"
        raise Retryable(reason, in_doubt=True) from None
    return _answer(response)


def _answer(response: BaseHTTPResponse) -> Answer:
    asked = response.headers.get("Retry-After", "")
    rest = float(asked) if re.fullmatch(r"\d{1,4}", asked, re.ASCII) else 0.0
    return Answer(response.status, response.data, rest)


class _NotConnected(HTTPError):
    """Nothing of a request has left, since the connection never stood."""


class _Bounded(HTTPConnection):
    """A connection whose answer must be whole in time, however slowly the other side talks.

    urllib3's own limit is for each read, so that a byte now and then would hold a worker for ever.
    """

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError) as fault:
            raise _NotConnected(type(fault).__name__) from None

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        assert isinstance(self.timeout, float)
        was_cut = threading.Event()
        alarm = threading.Timer(self.timeout, _cut, (self.sock, was_cut))
        alarm.daemon = True
        alarm.start()
        try:
            return super().getresponse()
        except Exception:
            if was_cut.is_set():
                raise TimeoutError from None  # which urllib3 words as a read that took too long
            raise
        finally:
            alarm.cancel()


def _cut(sock: socket.socket, was_cut: threading.Event) -> None:
    was_cut.set()
    with suppress(OSError):  # it may have been closed meanwhile
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _BoundedSecure(_Bounded, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _BoundedSecure


@cache
def _connections() -> urllib3.PoolManager:
    manager = urllib3.PoolManager(maxsize=_MOST_CONNECTIONS)
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return manager
