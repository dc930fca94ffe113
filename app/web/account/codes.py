"""Volunteers: an address is given, a code is sent there, the code is typed."""

from __future__ import annotations

import secrets

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.services.codes import ask_code, take_code
from app.services.errors import Invalid
from app.web.account import volunteer_blueprint as blueprint
from app.web.account.forms import AddressForm, VolunteerCodeForm
from app.web.account.sessions import begin_session
from app.web.redirects import first_page, local_page

_BROWSER = "code_browser"


@blueprint.route("", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Where to send a code. What follows looks the same with and without an account."""
    if current_user.is_authenticated:
        return redirect(first_page(current_user._get_current_object()))
    form = AddressForm()
    if form.validate_on_submit():
        browser = session.setdefault(_BROWSER, secrets.token_urlsafe(16))
        ask_code(form.address.data, browser)
        return redirect(url_for(".enter_code", next=request.args.get("next") or None))
    page = render_template("account/volunteer_sign_in.html", form=form)
    return page, 400 if form.is_submitted() else 200


@blueprint.route("/code", methods=["GET", "POST"])
def enter_code() -> ResponseReturnValue:
    """The code that was sent; where it is right, on to the page that was asked for."""
    if current_user.is_authenticated:
        return redirect(first_page(current_user._get_current_object()))
    browser = session.get(_BROWSER)
    if browser is None:
        return redirect(url_for(".sign_in", next=request.args.get("next") or None))
    form = VolunteerCodeForm()
    refusals = []
    if form.validate_on_submit():
        try:
            tutor = take_code(browser, form.code.data)
        except Invalid as refused:
            refusals.append(refused.message)
        else:
            begin_session(tutor, remember=form.stay.data)
            session.setdefault("locale", tutor.message_language)
            return redirect(local_page(request.args.get("next")) or first_page(tutor))
    page = render_template("account/volunteer_code.html", form=form, refusals=refusals)
    return page, 400 if form.is_submitted() else 200
