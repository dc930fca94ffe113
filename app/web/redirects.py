"""Where a form may send its reader next: to pages of this program only."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request, url_for
from flask_login import UserMixin
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.models import Coordinator


def local_page(address: str | None) -> str | None:
    """`address` if it is a path of a page here that can be opened with GET, else None.

    Refuses other sites, also in disguise: "//evil.example", "/\\evil.example", control characters.
    """
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return None
    if "\\" in address or not address.isprintable():
        return None
    routes = current_app.url_map.bind_to_environ(request.environ)
    try:
        routes.match(urlsplit(address).path, method="GET")
    except (HTTPException, RequestRedirect, ValueError):
        return None
    return address


def first_page(user: UserMixin) -> str:
    """The address of the page that who is signed in begins with."""
    return url_for("coordinator.desk" if isinstance(user, Coordinator) else "volunteer.week")
