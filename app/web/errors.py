"""The pages for what went wrong, in words that say what to do."""

from __future__ import annotations

from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge

from app.i18n import _, _l
from app.services.errors import ServiceError
from app.web.redirects import local_page

_TEXTS: dict[int, tuple[LazyString, LazyString]] = {
    400: (
        _l("This request can't be understood"),
        _l("Go back, open the page again and try once more."),
    ),
    403: (
        _l("This page is not for you"),
        _l("Your account may not see it. Ask a coordinator of your programme."),
    ),
    404: (
        _l("This page does not exist"),
        _l("Check the address, or begin again at the first page."),
    ),
    405: (
        _l("This page can't be opened like that"),
        _l("Begin again at the first page."),
    ),
    409: (
        _l("This is no longer possible"),
        _l("Something changed in the meantime. Open the page again and look."),
    ),
    429: (
        _l("Too many tries"),
        _l("Wait a few minutes, then try again."),
    ),
}


def register_error_pages(app: Flask) -> None:
    """Register a page for every HTTP error, and for services that refuse."""
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(RequestEntityTooLarge, show_too_large)
    app.register_error_handler(CSRFError, show_expired_form)
    app.register_error_handler(ServiceError, show_refusal)
    app.register_error_handler(InternalServerError, show_fault)


def show_error(error: HTTPException) -> ResponseReturnValue:
    """The page of one status; statuses without words of their own get those of 400."""
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    title, text = _TEXTS.get(error.code, _TEXTS[400])
    return render_template("errors/error.html", title=title, text=text), error.code


def show_too_large(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    """A file above the limit of uploads."""
    megabytes = current_app.config["N9RAW"].max_upload_bytes // (1024 * 1024)
    text = _("It may have at most %(number)s MB. Split it and send the parts.", number=megabytes)
    return render_template("errors/error.html", title=_("This file is too large"), text=text), 413


def show_expired_form(_error: CSRFError) -> ResponseReturnValue:
    """A form without a valid token: it stood open too long, or another site sent it."""
    referrer = request.referrer or ""
    page = local_page(referrer.removeprefix(request.host_url.rstrip("/")))
    return render_template("errors/expired_form.html", page=page), 400


def show_refusal(error: ServiceError) -> ResponseReturnValue:
    """What a service said, where no view showed it at its form."""
    title, _text = _TEXTS.get(error.status, _TEXTS[400])
    return render_template("errors/error.html", title=title, text=error.message), error.status


def show_fault(_error: InternalServerError) -> ResponseReturnValue:
    """A fault of the program. The database may be gone, so nobody is asked who is signed in."""
    return current_app.jinja_env.get_template("errors/fault.html").render(), 500
