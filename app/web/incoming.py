"""What addresses, forms and files may hold: numbers that a row can have, and no NUL character.

PostgreSQL knows neither a larger number nor a text with NUL, SQLite no number above its own limit.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import chain
from typing import Final

from flask import Flask, abort, request, request_started
from werkzeug.routing import BaseConverter

_DAY: Final = re.compile("20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_NUMBER: Final = "[1-9][0-9]{0,8}"
"""1 to 999,999,999, more than a table will ever have rows."""
_LONGEST_FORM: Final = 500_000
"""Bytes of what a form may hold: strangers can send one too."""
_TAKES_A_FILE: Final = "coordinator.check_list"
_FROM_GATEWAYS: Final = "hooks.take"
_LONGEST_HOOK: Final = 3_000_000
"""Bytes of what a gateway may bring at once; Meta says so of its own."""


class RowNumber(BaseConverter):
    """`<int:...>` in an address; what is no number of a row is no page."""

    regex = _NUMBER

    def to_python(self, value: str) -> int:
        return int(value)


def init_incoming(app: Flask) -> None:
    """Bound what comes in; call it before a page is registered."""
    # As a signal: the check of forms' tokens, which reads the form, comes before later functions.
    request_started.connect(limit_form, app)
    app.url_map.converters = {**app.url_map.converters, "int": RowNumber}
    app.before_request(refuse_nul)


def asked_number(name: str) -> int | None:
    """The number after `?name=`; None where there is none that a row can have."""
    return row_number(request.args.get(name, ""))


def row_number(text: str) -> int | None:
    """A number that a row can have, as a form sends it; None for anything else."""
    return int(text) if re.fullmatch(_NUMBER, text) else None


def posted_number(name: str) -> int | None:
    """The number in a form's field; None where there is none that a row can have."""
    return row_number(request.form.get(name, ""))


def asked_day(name: str) -> date | None:
    """The day after `?name=`, such as 2026-12-07; None where there is none of our times."""
    text = request.args.get(name, "")
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def limit_form(app: Flask, **_kwargs: object) -> None:
    """Let nothing but a list be longer than any form: what is longer is answered by 413, unread."""
    if request.endpoint != _TAKES_A_FILE:
        longest = _LONGEST_HOOK if request.endpoint == _FROM_GATEWAYS else _LONGEST_FORM
        request.max_content_length = min(longest, app.config["MAX_CONTENT_LENGTH"])


def refuse_nul() -> None:
    """Answer 400 to whatever holds a NUL character: no keyboard writes one.

    What gateways bring is left to them, byte by byte: half of an Arabic text's bytes may be NUL.
    """
    if request.endpoint == _FROM_GATEWAYS:
        return
    given = chain(
        (request.path,),
        *((name, value) for name, value in request.args.items(multi=True)),
        *((name, value) for name, value in request.form.items(multi=True)),
        *((name, file.filename or "") for name, file in request.files.items(multi=True)),
    )
    if any("\0" in text for text in given):
        abort(400)
