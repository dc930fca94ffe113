"""The questions to a family, in order. Each answer is kept in a draft until all are sent.

A page is open once all questions before it are answered. Nothing that is kept of a family is shown:
known telephones and unknown ones go the same way.
"""

from __future__ import annotations

import secrets

from flask import abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.i18n import page_locale
from app.services import help_request, worries
from app.services.asking import MOST_CHILDREN, offered_levels, offered_subjects
from app.services.consent import consent_texts
from app.services.errors import Invalid
from app.services.help_request import Answers, Question
from app.services.teaching import read_offer
from app.web.account.forms import CodeForm
from app.web.asking import AgreedForm, ChildForm
from app.web.availability import WeekForm
from app.web.help_request import blueprint
from app.web.help_request.forms import GuardianForm, PhoneForm, ZoneForm
from app.web.volunteer.teaching_forms import SeveralForm

_BROWSER = "help_browser"
_SENT = "help_sent"


@blueprint.get("")
def start() -> ResponseReturnValue:
    """What is asked and what follows; who was here before goes on where they left."""
    return render_template(
        "help_request/start.html",
        answers=_answers(),
        next_page=_next_page(),
        can_be_asked=help_request.can_be_asked(),
        contact=worries.safeguarding_contact(),
    )


@blueprint.post("/forget")
def forget() -> ResponseReturnValue:
    """Delete what was given."""
    browser = session.pop(_BROWSER, None)
    if browser is not None:
        help_request.forget(browser)
    return redirect(url_for(".start"), 303)


@blueprint.route("/name", methods=["GET", "POST"])
def guardian() -> ResponseReturnValue:
    """Who asks; the first answer begins the draft."""
    answers = _open(Question.GUARDIAN)
    form = GuardianForm(name=answers.guardian)
    if form.validate_on_submit():
        help_request.keep_guardian(_browser(), form.name.data)
        return _go_on()
    return _page("guardian", Question.GUARDIAN, form)


@blueprint.route("/phone", methods=["GET", "POST"])
def phone() -> ResponseReturnValue:
    """The family's telephone, to which a code is sent."""
    answers = _open(Question.PHONE)
    form = PhoneForm(phone=answers.phone or answers.asked)
    if form.validate_on_submit():
        try:
            help_request.ask_code(_browser(), form.phone.data, page_locale())
            return redirect(url_for(".code"), 303)
        except Invalid as refused:
            form.phone.errors = [refused.message]
    return _page("phone", Question.PHONE, form, contact=worries.safeguarding_contact())


@blueprint.route("/code", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """The code that was sent."""
    answers = _open(Question.PHONE)
    if not answers.asked:
        return redirect(url_for(".phone"), 303)
    form = CodeForm()
    if form.validate_on_submit():
        try:
            help_request.take_code(_browser(), form.code.data)
            return _go_on()
        except Invalid as refused:
            form.code.errors = [refused.message]
    return _page("code", Question.PHONE, form, phone=answers.asked)


@blueprint.route("/commune", methods=["GET", "POST"])
def zone() -> ResponseReturnValue:
    """Where the family lives."""
    answers = _open(Question.ZONE)
    form = ZoneForm(
        help_request.listed_zones(),
        zone=ZoneForm.chosen(answers.zone, answers.zone_name),
        other=answers.zone_name,
    )
    if form.validate_on_submit():
        help_request.keep_zone(_browser(), form.zone_id, form.other.data or "")
        return _go_on()
    return _page("zone", Question.ZONE, form)


@blueprint.route("/languages", methods=["GET", "POST"])
def languages() -> ResponseReturnValue:
    """In which languages the children can be taught."""
    answers = _open(Question.LANGUAGES)
    form = SeveralForm(read_offer().languages, chosen=list(answers.languages))
    if form.validate_on_submit():
        help_request.keep(_browser(), languages=form.codes)
        return _go_on()
    return _page("languages", Question.LANGUAGES, form)


@blueprint.route("/ways", methods=["GET", "POST"])
def channels() -> ResponseReturnValue:
    """How lessons can reach the family."""
    answers = _open(Question.CHANNELS)
    form = SeveralForm(read_offer().channels, chosen=list(answers.channels))
    if form.validate_on_submit():
        help_request.keep(_browser(), channels=form.codes)
        return _go_on()
    return _page("channels", Question.CHANNELS, form)


@blueprint.route("/hours", methods=["GET", "POST"])
def hours() -> ResponseReturnValue:
    """When the telephone is at home."""
    answers = _open(Question.HOURS)
    form = WeekForm.of(answers.windows, answers.to_agree)
    if request.method == "POST":
        form = WeekForm.from_request(request.form)
        if not form.is_copy and not form.errors:
            help_request.keep_hours(_browser(), form.windows, to_agree=form.to_agree)
            return _go_on()
    return _page("hours", Question.HOURS, form)


@blueprint.route("/children", methods=["GET", "POST"])
def children() -> ResponseReturnValue:
    """The children so far, and one more."""
    answers = _open(Question.CHILDREN)
    form = ChildForm()
    if form.validate_on_submit():
        try:
            help_request.add_child(_browser(), form.child)
            return redirect(url_for(".children"), 303)
        except Invalid as refused:
            form.first_name.errors = [refused.message]
    return _page(
        "children",
        Question.CHILDREN,
        form,
        answers=answers,
        next_page=_next_page() if answers.children else None,
        is_full=len(answers.children) >= MOST_CHILDREN,
        **_names(),
    )


@blueprint.post("/children/remove")
def remove_child() -> ResponseReturnValue:
    """Take a child off the list again."""
    _open(Question.CHILDREN)
    place = request.form.get("place", "")
    if place.isascii() and place.isdigit():
        help_request.remove_child(_browser(), int(place[:4]))
    return redirect(url_for(".children"), 303)


@blueprint.route("/agreement", methods=["GET", "POST"])
def agreement() -> ResponseReturnValue:
    """What the guardian agrees to, in plain words; nothing is chosen before."""
    answers = _open(Question.AGREEMENT)
    form = AgreedForm(**_said(answers))
    if form.validate_on_submit():
        help_request.agree(_browser(), form.agreed)
        return _go_on()
    texts = consent_texts(page_locale())
    return _page("agreement", Question.AGREEMENT, form, texts=texts)


@blueprint.route("/check", methods=["GET", "POST"])
def check() -> ResponseReturnValue:
    """All answers, each to be changed; sending them asks for help."""
    answers = _answers()
    if answers.unanswered is not None:
        return redirect(url_for(".sent") if _SENT in session else _next_page(), 303)
    if request.method == "POST":
        help_request.send(_browser(), page_locale())
        session.pop(_BROWSER)
        session[_SENT] = True
        return redirect(url_for(".sent"), 303)
    return render_template(
        "help_request/check.html", answers=answers, offer=read_offer(), **_names()
    )


@blueprint.get("/sent")
def sent() -> ResponseReturnValue:
    """What happens now."""
    if _SENT not in session:
        return redirect(url_for(".start"), 303)
    return render_template("help_request/sent.html", contact=worries.safeguarding_contact())


def _answers() -> Answers:
    return help_request.read_answers(session.get(_BROWSER))


def _open(question: Question) -> Answers:
    """The answers so far, where this question's turn has come."""
    if not help_request.can_be_asked():
        abort(redirect(url_for(".start"), 303))
    answers = _answers()
    if not answers.may_open(question):
        abort(redirect(_next_page(), 303))
    return answers


def _browser() -> str:
    """The token of this browser's draft; it is kept longer than the browser is open.

    Not so where somebody is signed in: their session would be kept with it.
    """
    if not current_user.is_authenticated:
        session.permanent = True
    token: str = session.setdefault(_BROWSER, secrets.token_urlsafe(16))
    return token


def _next_page() -> str:
    """The address of the first question that is open, or of the answers to be checked."""
    question = _answers().unanswered
    return url_for(".check" if question is None else f".{question.value}")


def _go_on() -> ResponseReturnValue:
    return redirect(_next_page(), 303)


def _said(answers: Answers) -> dict[str, str]:
    if answers.agreed is None:
        return {}
    return {"lessons": "yes", "groups": "yes" if answers.agreed.groups else "no"}


def _names() -> dict[str, object]:
    """What the numbers of levels and subjects stand for."""
    return {
        "levels": {row.id: row for row in offered_levels()},
        "subjects": {row.id: row for row in offered_subjects()},
    }


def _page(template: str, question: Question, form: object, **values: object) -> ResponseReturnValue:
    order = list(Question)
    page = render_template(
        f"help_request/{template}.html",
        form=form,
        step=order.index(question) + 1,
        steps=len(order),
        **values,
    )
    return page, 400 if getattr(form, "errors", None) else 200
