"""Another time for a lesson that nobody could give: whether it suits the family."""

from __future__ import annotations

from contextlib import suppress

from flask import request
from flask.typing import ResponseReturnValue

from app.services import new_times
from app.services.errors import Conflict
from app.web.family import blueprint
from app.web.family.pages import back, open_page


@blueprint.post("/times/<int:question_id>")
def answer_new_time(token: str, question_id: int) -> ResponseReturnValue:
    """Yes or no; what is settled meanwhile stands on the page that comes next."""
    household = open_page(token)
    with suppress(Conflict):
        new_times.answer_new_time(question_id, "yes" in request.form, household_id=household.id)
    return back(token)
