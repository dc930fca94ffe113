"""Who may come in, and what every answer carries: sign-in wiring and response headers."""

from __future__ import annotations

import logging
import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from flask_login import current_user

from app.extensions import csrf, db, login_manager
from app.i18n import _l
from app.models import Coordinator, Tutor
from config import THIS_MACHINE

_CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


_SECRET_LINKS = ("/f/", "/calendar/", "/invitation/")
"""How the addresses begin that open a page to whoever knows them."""


def init_security(app: Flask) -> None:
    """Wire Flask-Login, CSRF protection and the headers into the application."""
    csrf.init_app(app)
    login_manager.init_app(app)
    login_manager.login_view = "account.sign_in"
    login_manager.blueprint_login_views = {"volunteer": "volunteer_account.sign_in"}
    login_manager.login_message = _l("Sign in to see this page.")
    login_manager.login_message_category = "warn"
    login_manager.user_loader(load_user)
    app.after_request(_add_headers)
    _keep_links_out_of_logs(app.logger)
    if app.config["N9RAW"].demo:
        app.before_request(_refuse_other_machines)


def load_user(session_key: str) -> Coordinator | Tutor | None:
    """Whoever a session's key names, asked at each request.

    Nobody once a coordinator's password changed or account was closed, or a tutor was suspended
    or left.
    """
    kind, _, rest = session_key.partition(":")
    number = rest.partition(":")[0]
    if not number.isdecimal():
        return None
    user: Coordinator | Tutor | None = None
    if kind == "coordinator":
        user = db.session.get(Coordinator, int(number))
        if user is not None and user.closed_at is not None:
            return None
    elif kind == "tutor":
        user = _tutor_who_may_sign_in(int(number))
    return user if user is not None and user.get_id() == session_key else None


def _tutor_who_may_sign_in(number: int) -> Tutor | None:
    tutor = db.session.get(Tutor, number)
    return tutor if tutor is not None and tutor.may_sign_in else None


def signed_in_coordinator() -> Coordinator:
    """The coordinator of this request; for pages that app/web/access.py opens to staff alone."""
    user = current_user._get_current_object()
    if not isinstance(user, Coordinator):
        raise RuntimeError("app/web/access.py opens this page to others than staff")
    return user


def signed_in_tutor() -> Tutor:
    """The volunteer of this request; for pages that app/web/access.py opens to volunteers."""
    user = current_user._get_current_object()
    if not isinstance(user, Tutor):
        raise RuntimeError("app/web/access.py opens this page to others than volunteers")
    return user


class HideSecretLinks(logging.Filter):
    """Takes secret addresses, and names that were searched for, out of what is logged."""

    _LINK = re.compile(r"/(f|calendar|invitation)/[\w-]+")
    _NAME = re.compile(r"((?:[?&]|%3F|%26)name(?:=|%3D))[^&\s\"]+", re.IGNORECASE)
    """In an address, and in the one that a sign-in page leads back to."""
    _HOOK = re.compile(r"(/hooks/\w+)[/?][^\s\"]*")
    """What gateways call holds secrets, telephones and texts."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        hidden = self._NAME.sub(r"\1...", self._LINK.sub(r"/\1/...", said))
        hidden = self._HOOK.sub(r"\1/...", hidden)
        if hidden != said:
            record.msg, record.args = hidden, None
        return True


def _keep_links_out_of_logs(logger: logging.Logger) -> None:
    """Flask, Werkzeug's server for developers and gunicorn write the address of what failed."""
    names = ("werkzeug", "gunicorn.error", "gunicorn.access")
    for one in (logger, *map(logging.getLogger, names)):
        if not any(isinstance(known, HideSecretLinks) for known in one.filters):
            one.addFilter(HideSecretLinks())


def _refuse_other_machines() -> None:
    """The demo's password stands on its sign-in page: nobody but this machine may use it.

    What a proxy passes on comes from this machine too, but says so, or under another name.
    """
    here = request.remote_addr is not None and ip_address(request.remote_addr).is_loopback
    passed_on = any(
        name.lower() == "forwarded" or name.lower().startswith("x-forwarded-")
        for name, _value in request.headers
    )
    if not here or passed_on or _asked_host() not in THIS_MACHINE:
        abort(403)


def _asked_host() -> str | None:
    """The name that the browser called, without its port; None where it can't be read."""
    try:
        return urlsplit(f"//{request.host}").hostname
    except ValueError:
        return None


def _add_headers(response: Response) -> Response:
    if request.path.startswith(_SECRET_LINKS):
        # The link is the key: no other site and no search engine may learn it.
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers.setdefault("Content-Security-Policy", _CONTENT_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint == "public.calendar":
        # Phones keep it; they ask whether it changed.
        response.headers["Cache-Control"] = "private, no-cache"
    elif request.endpoint != "static":
        # Pages hold children's data: neither a shared computer nor a proxy may keep them.
        response.headers["Cache-Control"] = "no-store"
    elif "v" in request.args:
        # The address of a static file changes with its content, see static_url.
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
