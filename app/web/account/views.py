"""Coordinators: password, then the authenticator app's code; signing out is for everyone."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.models import Coordinator
from app.security import load_user
from app.services import demo, second_factor
from app.services.coordinators import check_password, sign_in_by_password
from app.services.errors import Invalid
from app.services.runs import newest_run_id
from app.web.account import blueprint
from app.web.account.forms import AppCodeForm, SignInForm
from app.web.account.sessions import begin_session, forget_session
from app.web.redirects import first_page, local_page
from scheduler import clock

_HALF_WAY_HOLDS = timedelta(minutes=10)
_HALF_WAY = "password_was_right"


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """E-mail and password; where they are right, on to the second factor."""
    if current_user.is_authenticated:
        return redirect(first_page(current_user._get_current_object()))
    form = SignInForm()
    refusals = []
    if form.validate_on_submit():
        try:
            if not second_factor.is_asked():
                coordinator = sign_in_by_password(form.email.data, form.password.data)
                return _let_in(coordinator)
            coordinator = check_password(form.email.data, form.password.data)
        except Invalid as refused:
            refusals.append(refused.message)
        else:
            _remember_half_way(second_factor.begin(coordinator.id))
            return redirect(url_for(".app_code", next=request.args.get("next") or None))
    status = 400 if form.is_submitted() else 200
    page = render_template(
        "account/sign_in.html", form=form, refusals=refusals, demo=_demo_account()
    )
    return page, status


@blueprint.route("/second-factor", methods=["GET", "POST"])
def app_code() -> ResponseReturnValue:
    """The authenticator app's code; at the first visit, what to put into the app."""
    coordinator = _who_is_half_way()
    if coordinator is None:
        return redirect(url_for(".sign_in", next=request.args.get("next") or None))
    form = AppCodeForm()
    refusals = []
    if form.validate_on_submit():
        try:
            return _let_in(second_factor.check_code(coordinator.id, form.code.data))
        except Invalid as refused:
            refusals.append(refused.message)
    known = second_factor.is_set_up(coordinator)
    page = render_template(
        "account/app_code.html",
        form=form,
        refusals=refusals,
        set_up=None if known else second_factor.set_up_of(coordinator),
    )
    return page, 400 if form.is_submitted() else 200


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    forget_session()
    return redirect(url_for("public.home"))


def _let_in(coordinator: Coordinator) -> ResponseReturnValue:
    begin_session(coordinator)
    return redirect(local_page(request.args.get("next")) or _first_page())


def _remember_half_way(coordinator: Coordinator) -> None:
    """Note in the session whose password was right; it opens no page but the second factor's."""
    forget_session()
    until = clock.now() + _HALF_WAY_HOLDS
    session[_HALF_WAY] = [coordinator.get_id(), until.isoformat()]


def _who_is_half_way() -> Coordinator | None:
    key, until = session.get(_HALF_WAY, (None, None))
    if key is None or datetime.fromisoformat(until) < clock.now():
        return None
    user = load_user(key)
    return user if isinstance(user, Coordinator) else None


def _demo_account() -> dict[str, str] | None:
    """Who a visitor of the demo may sign in as."""
    if not current_app.config["N9RAW"].demo:
        return None
    return {"email": demo.DEMO_EMAIL, "password": demo.DEMO_PASSWORD}


def _first_page() -> str:
    if newest_run_id() is None:
        return url_for("coordinator.desk")
    return url_for("coordinator.latest_run")
