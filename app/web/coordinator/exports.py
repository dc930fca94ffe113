"""Exports: which files there are, and the files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from flask import Response, render_template

from app.security import signed_in_coordinator
from app.services import exports as files
from app.services.vetting_term import today
from app.web.access import own_scope
from app.web.coordinator import blueprint

_PART: Final = 64 * 1024


@blueprint.get("/exports")
def exports() -> str:
    """Every list that the reader may take along, in two formats."""
    scope = own_scope()
    return render_template(
        "coordinator/exports.html",
        exports=files.offered(scope),
        formats=list(files.FileFormat),
        scope=scope,
    )


@blueprint.get("/exports/<key>.<any(csv, xlsx):format_>")
def export_file(key: str, format_: str) -> Response:
    """One export as a file; leaves a row in the trace with the children in it."""
    wanted = files.FileFormat(format_)
    file = files.export_file(key, wanted, signed_in_coordinator())
    response = Response(_parts(file), mimetype=files.CONTENT_TYPES[wanted])
    name = f"n9raw-{key}-{today().isoformat()}.{wanted.value}"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.call_on_close(file.close)
    return response


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_PART):
            yield part
