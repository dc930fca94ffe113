"""What every page of a family begins with: the household of its link, and the language."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import LOCALE_COOKIE, PAGE_LOCALES, show_page_in
from app.models import Household
from app.services import family_links, worries
from app.services.errors import ServiceError
from app.web.family import blueprint
from app.web.redirects import local_page

_PAGE_FOR = {"ary": "fr"}
"""Whose messages are in Latin letters reads a page in Latin letters."""


def open_page(token: str) -> Household:
    """The household of the link; the page is in the language chosen here, or in its messages'."""
    household = family_links.open_link(token)
    if request.cookies.get(LOCALE_COOKIE) not in PAGE_LOCALES:
        language = household.message_language
        show_page_in(_PAGE_FOR.get(language, language))
    return household


def show(template: str, token: str, **values: object) -> str:
    """A page of the family, with what all of them show."""
    return render_template(
        template,
        token=token,
        here=local_page(request.path) or url_for(".week", token=token),
        contact=worries.safeguarding_contact(),
        **values,
    )


def back(token: str, anchor: str | None = None) -> ResponseReturnValue:
    """To the first page, at the place that was changed."""
    return redirect(url_for(".week", token=token, _anchor=anchor), 303)


@blueprint.errorhandler(ServiceError)
def refused(error: ServiceError) -> ResponseReturnValue:
    """Why something is not possible; one page for all links that never were, or have ended."""
    if isinstance(error, family_links.UnknownLink):
        return render_template("family/unknown.html"), 404
    token = (request.view_args or {})["token"]
    return show("family/refused.html", token, why=error.message), error.status
