"""The family's lessons, its worries, its messages. GET shows; only buttons change anything."""

from __future__ import annotations

from itertools import groupby

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.i18n import show_page_in
from app.models import Household
from app.services import family, family_links, worries
from app.services.errors import NotFound
from app.web.family import blueprint

LOCALES = ("ar", "fr")
MOST_LESSONS = 40
"""More would not fit into the weight of the page; the rest is counted."""


@blueprint.get("")
def week(token: str) -> ResponseReturnValue:
    """The lessons of the next four weeks, by day."""
    household = _open(token)
    lessons = family.coming_lessons(household)
    shown = lessons[:MOST_LESSONS]
    return _page(
        "family/week.html",
        token,
        household=household,
        days=groupby(shown, key=lambda entry: entry.lesson.wall_start.date()),
        lessons=shown,
        more=len(lessons) - len(shown),
    )


@blueprint.post("/language")
def choose_language(token: str) -> ResponseReturnValue:
    """Show the page in the other language, in this browser."""
    _open(token)
    if request.form.get("locale") in LOCALES:
        session["family_locale"] = request.form["locale"]
    return _back(token)


@blueprint.post("/messages")
def set_messages(token: str) -> ResponseReturnValue:
    """Stop the messages, or send them again."""
    household = _open(token)
    family.set_messages(household.id, wanted=request.form.get("wanted") == "yes")
    return _back(token)


@blueprint.post("/worry")
def report_worry(token: str) -> ResponseReturnValue:
    """Keep a worry, with words or without."""
    household = _open(token)
    worries.report_worry(household.id, request.form.get("text", ""))
    return redirect(url_for(".worry", token=token), 303)


@blueprint.get("/worry")
def worry(token: str) -> ResponseReturnValue:
    """Who reads a worry, and what follows."""
    household = _open(token)
    return _page("family/worry.html", token, household=household)


@blueprint.errorhandler(NotFound)
def unknown_link(_error: NotFound) -> ResponseReturnValue:
    """The same page for a link that never was, has ended or was revoked."""
    return render_template("family/unknown.html"), 404


def _open(token: str) -> Household:
    """The household of the link; the page is then in its language, or the one chosen here."""
    household = family_links.open_link(token)
    chosen = session.get("family_locale", household.message_language)
    show_page_in(chosen if chosen in LOCALES else LOCALES[0])
    return household


def _page(template: str, token: str, **values: object) -> str:
    contact = worries.safeguarding_contact()
    return render_template(template, token=token, locales=LOCALES, contact=contact, **values)


def _back(token: str) -> ResponseReturnValue:
    return redirect(url_for(".week", token=token), 303)
