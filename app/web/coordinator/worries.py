"""Worries of families, and who takes care of them."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_coordinator
from app.services.worries import mark_seen
from app.web.coordinator import blueprint


@blueprint.post("/worries/<int:worry_id>/seen")
def see_worry(worry_id: int) -> ResponseReturnValue:
    """Take a worry off the desk, in the name of who is signed in."""
    mark_seen(worry_id, signed_in_coordinator())
    flash(_("Thank you. Your name is kept beside this worry."), "good")
    return redirect(url_for(".desk"))
