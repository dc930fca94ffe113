"""A coordinator's own account: messages, another password, codes for a lost telephone."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_coordinator
from app.services import coordinators, recovery_codes, second_factor
from app.services.coordinators import change_own_password
from app.services.errors import Invalid
from app.web.account import blueprint
from app.web.account.forms import MessagesForm, OwnPasswordForm
from app.web.account.sessions import begin_session


@blueprint.get("")
def own() -> ResponseReturnValue:
    """Who is signed in, and what they can change of their account."""
    return _show(OwnPasswordForm())


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Another password; all other sessions end."""
    form = OwnPasswordForm()
    if not form.validate_on_submit():
        return _show(form), 400
    try:
        row = change_own_password(signed_in_coordinator(), form.present.data, form.password.data)
    except Invalid as refusal:
        return _show(form, [str(refusal)]), refusal.status
    begin_session(row)
    flash(_("Your password is changed. Other browsers were signed out."), "good")
    return redirect(url_for(".own"), 303)


@blueprint.post("/messages")
def set_messages() -> ResponseReturnValue:
    """In which language they are written to, and whether each morning."""
    form = MessagesForm()
    if not form.validate_on_submit():
        return _show(OwnPasswordForm(formdata=None), messages=form), 400
    coordinators.set_messages(signed_in_coordinator(), form.language.data, digest=form.digest.data)
    flash(_("Kept."), "good")
    return redirect(url_for(".own"), 303)


@blueprint.post("/recovery-codes")
def make_recovery_codes() -> ResponseReturnValue:
    """Ten codes, shown this once."""
    codes = recovery_codes.make_codes(signed_in_coordinator())
    return render_template("account/recovery_codes.html", codes=codes)


def _show(
    form: OwnPasswordForm,
    refused: list[str] | None = None,
    messages: MessagesForm | None = None,
) -> str:
    coordinator = signed_in_coordinator()
    as_it_is = {"language": coordinator.message_language, "digest": coordinator.wants_digest}
    return render_template(
        "account/own.html",
        coordinator=coordinator,
        form=form,
        messages=messages or MessagesForm(formdata=None, data=as_it_is),
        refused=refused or [],
        second_factor=second_factor.is_asked(),
        codes_left=recovery_codes.count_left(coordinator),
    )
