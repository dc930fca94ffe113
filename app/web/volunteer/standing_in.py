"""Giving a lesson in another's place: yes or no, and coming after all."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.security import signed_in_tutor
from app.services import substitution
from app.services.errors import Conflict
from app.web.volunteer import blueprint


@blueprint.post("/questions/<int:question_id>/stand-in")
def answer_offer(question_id: int) -> ResponseReturnValue:
    """Take a lesson that one was asked to give, or not; whoever was too late is thanked."""
    accepts = request.form.get("answer") == "yes"
    try:
        lesson = substitution.answer_offer(question_id, accepts, tutor_id=signed_in_tutor().id)
    except Conflict as late:
        flash(str(late), "warn")
    else:
        if lesson is None:
            flash(_("Thank you for answering. Somebody else is asked."), "good")
        else:
            flash(_("Thank you! You find the family's number and the time below."), "good")
    return redirect(url_for(".week"), 303)


@blueprint.post("/lessons/<int:lesson_id>/come-after-all")
def come_after_all(lesson_id: int) -> ResponseReturnValue:
    """Give a lesson oneself for which somebody else was being looked for."""
    try:
        substitution.come_after_all(lesson_id, tutor_id=signed_in_tutor().id)
    except Conflict as late:
        flash(str(late), "warn")
    else:
        flash(_("Good: the lesson is yours again. Nobody else is asked any more."), "good")
    return redirect(url_for(".week"), 303)
