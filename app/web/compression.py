"""Smaller answers: families' pages and style sheets leave compressed, where the browser takes that.

Nothing else does. The length of a compressed page can tell a secret in it to whoever may have the
page asked for again and again with words of their own in it (BREACH). Whoever can ask for a
family's page has its secret already, the link, and a style sheet holds none.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request


def init_compression(app: Flask) -> None:
    """Compress what may be, before it leaves."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """The answer as it is, or as gzip."""
    if not (request.blueprint == "family" or response.mimetype == "text/css"):
        return response
    response.vary.add("Accept-Encoding")
    has_body = response.status_code == 200 or response.status_code >= 400
    if not has_body or request.accept_encodings.quality("gzip") <= 0:
        return response
    response.direct_passthrough = False
    response.set_data(gzip.compress(response.get_data(), mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    # It names the bytes of the file, which these are not.
    response.headers.pop("ETag", None)
    return response
