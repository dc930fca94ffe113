"""Who may come in, and what every answer carries: sign-in wiring and response headers."""

from __future__ import annotations

from ipaddress import ip_address

from flask import Flask, Response, abort, request
from flask_login import current_user

from app.extensions import csrf, db, login_manager
from app.i18n import _l
from app.models import Coordinator

_CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def init_security(app: Flask) -> None:
    """Wire Flask-Login, CSRF protection and the headers into the application."""
    csrf.init_app(app)
    login_manager.init_app(app)
    login_manager.login_view = "account.sign_in"
    login_manager.login_message = _l("Sign in to see this page.")
    login_manager.login_message_category = "warn"
    login_manager.user_loader(load_user)
    app.after_request(_add_headers)
    if app.config["N9RAW"].demo:
        app.before_request(_refuse_other_machines)


def load_user(session_key: str) -> Coordinator | None:
    """The coordinator behind a session's key, unless the password changed since."""
    kind, _, rest = session_key.partition(":")
    number = rest.partition(":")[0]
    if kind != "coordinator" or not number.isdecimal():
        return None
    coordinator = db.session.get(Coordinator, int(number))
    if coordinator is None or coordinator.get_id() != session_key:
        return None
    return coordinator


def signed_in_coordinator() -> Coordinator:
    """The coordinator of this request; only for views that require one."""
    user = current_user._get_current_object()
    if not isinstance(user, Coordinator):
        raise RuntimeError("this view is not guarded by login_required")
    return user


def _refuse_other_machines() -> None:
    """The demo's password stands on its sign-in page: nobody but this machine may use it."""
    if request.remote_addr is None or not ip_address(request.remote_addr).is_loopback:
        abort(403)


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _CONTENT_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint != "static":
        # Pages hold children's data: neither a shared computer nor a proxy may keep them.
        response.headers["Cache-Control"] = "no-store"
    elif "v" in request.args:
        # The address of a static file changes with its content, see static_url.
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
