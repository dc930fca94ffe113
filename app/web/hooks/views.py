"""One address for all gateways: what was called, byte by byte, goes to who can verify it."""

from __future__ import annotations

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from app.gateways import Hook
from app.services.hooks import take_hook
from app.web.hooks import blueprint


@blueprint.route("/<gateway>", methods=["GET", "POST"])
@blueprint.route("/<gateway>/<path:rest>", methods=["GET", "POST"])
def take(gateway: str, rest: str = "") -> ResponseReturnValue:
    hook = Hook(
        method=request.method,
        url=_called_address(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=False),
    )
    answer = take_hook(gateway, hook)
    return Response(answer.body, status=answer.status, content_type=answer.content_type)


def _called_address() -> str:
    """The public address that was called, as the caller knows it, so as it may have signed it.

    A proxy may have called us by another name, or without TLS.
    """
    query = str(request.environ.get("QUERY_STRING", ""))
    public = current_app.config["N9RAW"].public_url or request.host_url.rstrip("/")
    return f"{public}{request.path}" + (f"?{query}" if query else "")
