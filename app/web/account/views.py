"""Signing in and out."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from app.services import demo
from app.services.coordinators import sign_in as check_credentials
from app.services.errors import Invalid
from app.services.runs import newest_run_id
from app.web.account import blueprint
from app.web.account.forms import SignInForm
from app.web.redirects import local_page


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """The form; with the right e-mail and password, on to the page that was asked for."""
    if current_user.is_authenticated:
        return redirect(url_for("coordinator.desk"))
    form = SignInForm()
    refusals = []
    if form.validate_on_submit():
        try:
            coordinator = check_credentials(form.email.data, form.password.data)
        except Invalid as refused:
            refusals.append(refused.message)
        else:
            _forget_session()
            login_user(coordinator)
            return redirect(local_page(request.args.get("next")) or _first_page())
    status = 400 if form.is_submitted() else 200
    page = render_template(
        "account/sign_in.html", form=form, refusals=refusals, demo=_demo_account()
    )
    return page, status


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    logout_user()
    _forget_session()
    return redirect(url_for("public.home"))


def _forget_session() -> None:
    """Begin a new session: nothing of one person's stays for the next, but the language."""
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale


def _demo_account() -> dict[str, str] | None:
    """Who a visitor of the demo may sign in as."""
    if not current_app.config["N9RAW"].demo:
        return None
    return {"email": demo.DEMO_EMAIL, "password": demo.DEMO_PASSWORD}


def _first_page() -> str:
    if newest_run_id() is None:
        return url_for("coordinator.desk")
    return url_for("coordinator.latest_run")
