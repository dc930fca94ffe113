"""One lesson of a family: called off where nobody else comes, another time asked for; a week away;
one subject stopped. GET shows; buttons change.
"""

from __future__ import annotations

from datetime import datetime

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _l
from app.services import asked_times, change_policy, changes, family, family_children, weeks
from app.services.errors import NotFound
from app.services.family import FamilyLesson
from app.web.family import blueprint
from app.web.family.pages import back, open_page, show


@blueprint.get("/lessons/<int:lesson_id>")
def lesson(token: str, lesson_id: int) -> ResponseReturnValue:
    """What the family can do about one lesson."""
    household = open_page(token)
    entry = _entry(family.coming_lessons(household), lesson_id)
    return show(
        "family/lesson.html",
        token,
        entry=entry,
        alone=changes.comes_alone(entry.lesson, household.id),
        times=asked_times.times_to_ask(entry.lesson, household.id) if entry.is_open else [],
        asked=asked_times.asked_for([lesson_id]).get(lesson_id),
        asked_time=asked_times.asked_time,
    )


@blueprint.post("/lessons/<int:lesson_id>/cancel")
def cancel_lesson(token: str, lesson_id: int) -> ResponseReturnValue:
    """Call a lesson off to which nobody else comes."""
    changes.cancel_lesson(lesson_id, "", household_id=open_page(token).id)
    return back(token, f"l{lesson_id}")


@blueprint.post("/lessons/<int:lesson_id>/time")
def ask_for_time(token: str, lesson_id: int) -> ResponseReturnValue:
    """Ask the volunteer for another time."""
    household = open_page(token)
    _entry(family.coming_lessons(household), lesson_id)
    try:
        wanted = datetime.fromisoformat(request.form.get("time", ""))
    except ValueError:
        return back(token, f"l{lesson_id}")
    if wanted.tzinfo is not None:
        return back(token, f"l{lesson_id}")
    asked_times.ask_for_time(household.id, lesson_id, wanted)
    # The lesson's own page says that the volunteer is asked; the week has no room for it.
    return redirect(url_for(".lesson", token=token, lesson_id=lesson_id), 303)


@blueprint.route("/away", methods=["GET", "POST"])
def away(token: str) -> ResponseReturnValue:
    """The coming weeks; the button of one says that the family is away."""
    household = open_page(token)
    listed = weeks.weeks_of_family(household.id)
    if request.method == "POST":
        monday = {str(week.monday): week.monday for week in listed}.get(
            request.form.get("week", "")
        )
        if monday is not None:
            weeks.family_away(household.id, monday, change_policy.family(household.id))
        return back(token)
    return show(
        "family/away.html",
        token,
        weeks=listed,
        household=household,
        alone=lambda lesson: changes.comes_alone(lesson, household.id),
    )


@blueprint.route("/subjects/<int:request_id>/stop", methods=["GET", "POST"])
def stop_subject(token: str, request_id: int) -> ResponseReturnValue:
    """What ends with one subject; the button ends it."""
    household = open_page(token)
    if request.method == "POST":
        family_children.stop_subject(household.id, request_id)
        return back(token, "children")
    asked = family_children.asked_subject(household, request_id)
    return show("family/stop_subject.html", token, asked=asked)


def _entry(lessons: list[FamilyLesson], lesson_id: int) -> FamilyLesson:
    for entry in lessons:
        if entry.lesson.id == lesson_id:
            return entry
    raise NotFound(_l("This lesson does not exist."))
