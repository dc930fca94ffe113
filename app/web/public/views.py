"""The first page, the choice of language, and a sign of life for monitors."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.i18n import PAGE_LOCALES, remember_locale
from app.services.health import check_database
from app.web.public import blueprint
from app.web.redirects import first_page, local_page


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """What N9raw is; who is signed in goes on to their first page."""
    if current_user.is_authenticated:
        return redirect(first_page(current_user._get_current_object()))
    return render_template("public/home.html")


@blueprint.post("/language")
def choose_language() -> ResponseReturnValue:
    """Remember a language in this browser, and show the page again."""
    chosen = request.form.get("locale", "")
    answer = make_response(
        redirect(local_page(request.form.get("next")) or url_for("public.home"), 303)
    )
    if chosen in PAGE_LOCALES:
        remember_locale(answer, chosen)
    return answer


@blueprint.get("/healthz")
def health() -> ResponseReturnValue:
    """200 while the program can reach its database."""
    check_database()
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}
