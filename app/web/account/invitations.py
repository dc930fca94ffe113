"""Whoever was invited chooses a password, and then signs in like everybody else."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.services import invitations
from app.services.errors import Conflict, Invalid
from app.web.account import invitation_blueprint as blueprint
from app.web.account.forms import NewPasswordForm


@blueprint.route("/<token>", methods=["GET", "POST"])
def accept(token: str) -> ResponseReturnValue:
    """What is offered to whom; the password makes the account. Looking changes nothing."""
    invitation = invitations.read_invitation(token)
    form = NewPasswordForm()
    refused, status = "", 400 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            invitations.accept_invitation(token, form.password.data)
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("Your account is ready. Sign in with your new password."), "good")
            return redirect(url_for("account.sign_in"), 303)
    page = render_template(
        "account/invitation.html", invitation=invitation, form=form, refused=refused
    )
    return page, status
