"""The family's lessons, its messages, its hours, its worries. GET shows; buttons change."""

from __future__ import annotations

from itertools import groupby

from flask import make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString

from app.i18n import PAGE_LOCALES, _, _l, page_locale, remember_locale
from app.services import call_me, family, family_children, lesson_answers, worries
from app.services.calendar_year import coming_breaks
from app.services.family import FamilyLesson
from app.services.new_times import open_proposals, proposed_time
from app.web.availability import WeekForm
from app.web.family import blueprint
from app.web.family.pages import back, open_page, show
from app.web.incoming import row_number
from app.web.redirects import local_page

MOST_LESSONS = 40
"""More would not fit into the weight of the page; the rest is counted."""
MESSAGE_LANGUAGES: dict[str, LazyString | str] = {
    "ar": "العربية",
    "fr": "Français",
    "ary": _l("Darija in Latin letters"),
}


@blueprint.get("")
def week(token: str) -> ResponseReturnValue:
    """The lessons of the next four weeks, by day, and all that the family can do."""
    household = open_page(token)
    lessons = family.coming_lessons(household)
    shown = lessons[:MOST_LESSONS]
    return show(
        "family/week.html",
        token,
        household=household,
        proposals=[(row, proposed_time(row)) for row in open_proposals(household.id)],
        days=groupby(shown, key=lambda entry: entry.lesson.wall_start.date()),
        can_answer=any(entry.is_open for entry in shown),
        how=how_held,
        more=len(lessons) - len(shown),
        children=family_children.children(household),
        breaks=coming_breaks({pupil.level_id for pupil in household.pupils}, page_locale()),
        call=family.newest_call(household),
        languages=MESSAGE_LANGUAGES,
    )


def how_held(entry: FamilyLesson) -> str:
    """With whom a lesson is, and what happens at its hour."""
    tutor = entry.lesson.given_by.first_name
    match entry.channel.variant_of or entry.channel.code:
        case "call":
            return _("%(tutor)s calls you", tutor=tutor)
        case "whatsapp":
            return _("%(tutor)s calls you on WhatsApp", tutor=tutor)
        case "video":
            return _("%(tutor)s sends you a link for a video call", tutor=tutor)
        case _other:
            return _("in person with %(tutor)s, at the agreed place", tutor=tutor)


@blueprint.post("/answers")
def answer(token: str) -> ResponseReturnValue:
    """We'll be there, or we can't: the button's name says which, its value which lesson."""
    household = open_page(token)
    coming = "coming" in request.form
    lesson_id = row_number(request.form.get("coming" if coming else "absent", ""))
    if lesson_id is None:
        return back(token)
    lesson_answers.answer_lesson(household.id, lesson_id, coming=coming)
    return back(token, f"l{lesson_id}")


@blueprint.post("/call")
def ask_for_call(token: str) -> ResponseReturnValue:
    """Have the volunteer of a lesson that is near call, or a coordinator."""
    call_me.ask(open_page(token).id)
    return back(token, "call")


@blueprint.route("/hours", methods=["GET", "POST"])
def hours(token: str) -> ResponseReturnValue:
    """When the telephone is at home."""
    household = open_page(token)
    if request.method == "POST":
        form = WeekForm.from_request(request.form)
        if not form.errors and not form.is_copy:
            family.set_hours(household.id, form.windows, to_agree=form.to_agree)
            return back(token, "hours")
    else:
        windows = [window.as_window() for window in household.windows]
        form = WeekForm.of(windows, household.times_to_agree)
    return show("family/hours.html", token, form=form), 400 if form.errors else 200


@blueprint.post("/language")
def choose_language(token: str) -> ResponseReturnValue:
    """Show the pages in another language, in this browser."""
    open_page(token)
    here = url_for(".week", token=token)
    wanted = local_page(request.form.get("next")) or here
    answered = make_response(redirect(wanted if wanted.startswith(here) else here, 303))
    chosen = request.form.get("locale", "")
    if chosen in PAGE_LOCALES:
        remember_locale(answered, chosen)
    return answered


@blueprint.post("/messages")
def set_messages(token: str) -> ResponseReturnValue:
    """Stop the messages, or send them again."""
    household = open_page(token)
    family.set_messages(household.id, wanted=request.form.get("wanted") == "yes")
    return back(token, "messages")


@blueprint.post("/messages/language")
def set_message_language(token: str) -> ResponseReturnValue:
    """Write to the family in another language or script."""
    household = open_page(token)
    family.set_message_language(household.id, request.form.get("language", ""))
    return back(token, "messages")


@blueprint.post("/worry")
def report_worry(token: str) -> ResponseReturnValue:
    """Keep a worry, with words or without."""
    household = open_page(token)
    worries.report_worry(household.id, request.form.get("text", ""))
    return redirect(url_for(".worry", token=token), 303)


@blueprint.get("/worry")
def worry(token: str) -> ResponseReturnValue:
    """Who reads a worry, and what follows."""
    open_page(token)
    return show("family/worry.html", token)
