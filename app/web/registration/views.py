"""The questions of registration, in order. Each is kept as it is answered, in a draft.

A page is open once all questions before it are answered; who is ahead of them is led back.
"""

from __future__ import annotations

import secrets

from flask import abort, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.gateways import AddressKind
from app.i18n import page_locale
from app.services import registration
from app.services.addresses import reaches
from app.services.charter import CHARTER_VERSION, charter
from app.services.errors import Conflict, Invalid
from app.services.registration import Answers, Question
from app.services.teaching import read_offer
from app.web.account.forms import AddressForm, CodeForm
from app.web.account.sessions import begin_session
from app.web.availability import WeekForm
from app.web.redirects import first_page
from app.web.registration import blueprint
from app.web.registration.forms import CharterForm, NameForm, PlaceForm
from app.web.volunteer.clocks import both_clocks
from app.web.volunteer.places import places
from app.web.volunteer.teaching_forms import LevelsForm, MostForm, SeveralForm, SubjectForm

_BROWSER = "registration_browser"
_DONE = "registered"


@blueprint.before_request
def lead_on_who_is_signed_in() -> ResponseReturnValue | None:
    """Whoever has an account needs no second one."""
    if current_user.is_authenticated:
        return redirect(first_page(current_user._get_current_object()))
    return None


@blueprint.get("")
def start() -> ResponseReturnValue:
    """What is asked and what follows; who was here before goes on where they left."""
    return render_template("registration/start.html", answers=_answers(), next_page=_next_page())


@blueprint.post("/forget")
def forget() -> ResponseReturnValue:
    """Delete what was given."""
    browser = session.pop(_BROWSER, None)
    if browser is not None:
        registration.forget(browser)
    return redirect(url_for(".start"), 303)


@blueprint.route("/name", methods=["GET", "POST"])
def name() -> ResponseReturnValue:
    """First and last name; the first answer begins the draft."""
    answers = _open(Question.NAME)
    form = NameForm(first_name=answers.first_name, last_name=answers.last_name)
    if form.validate_on_submit():
        registration.keep(_browser(), **form.names)
        return _go_on()
    return _page("name", Question.NAME, form)


@blueprint.route("/address", methods=["GET", "POST"])
def address() -> ResponseReturnValue:
    """An e-mail address or telephone number, to which a code is sent."""
    answers = _open(Question.ADDRESS)
    form = AddressForm(address=answers.address or answers.asked)
    if form.validate_on_submit():
        try:
            registration.ask_code(_browser(), form.address.data, page_locale())
            return redirect(url_for(".code"), 303)
        except Invalid as refused:
            form.address.errors = [refused.message]
    return _page("address", Question.ADDRESS, form, by_phone=reaches(AddressKind.PHONE))


@blueprint.route("/code", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """The code that was sent; a volunteer who has the address already is signed in."""
    answers = _open(Question.ADDRESS)
    if not answers.asked:
        return redirect(url_for(".address"))
    form = CodeForm()
    if form.validate_on_submit():
        try:
            tutor = registration.take_code(_browser(), form.code.data)
        except Invalid as refused:
            form.code.errors = [refused.message]
        except Conflict:
            return render_template("registration/talk.html", known=False)
        else:
            if tutor is None:
                return _go_on()
            begin_session(tutor)
            return redirect(first_page(tutor), 303)
    return _page("code", Question.ADDRESS, form, address=answers.asked)


@blueprint.route("/subjects", methods=["GET", "POST"])
def teaches() -> ResponseReturnValue:
    """What is taught so far, and one more subject."""
    answers = _open(Question.TEACHES)
    offer = read_offer()
    form = SubjectForm(offer.subjects)
    if form.validate_on_submit():
        return redirect(url_for(".levels", subject=form.subject.data), 303)
    taught = offer.stretches(answers.taught)
    next_page = _next_page() if taught else None
    return _page("teaches", Question.TEACHES, form, taught=taught, next_page=next_page)


@blueprint.route("/subjects/<subject>", methods=["GET", "POST"])
def levels(subject: str) -> ResponseReturnValue:
    """From which level to which a subject is taught."""
    _open(Question.TEACHES)
    offer = read_offer()
    chosen = next((row for row in offer.subjects if row.code == subject), None)
    if chosen is None:
        return redirect(url_for(".teaches"))
    form = LevelsForm(offer.levels)
    if form.validate_on_submit():
        registration.add_subject(_browser(), subject, form.first.data, form.last.data)
        return redirect(url_for(".teaches"), 303)
    return _page("levels", Question.TEACHES, form, subject=chosen)


@blueprint.post("/subjects/remove")
def remove_subject() -> ResponseReturnValue:
    """Take a subject at some levels away again."""
    _open(Question.TEACHES)
    stretch = (request.form.get(part, "") for part in ("subject", "first", "last"))
    registration.remove_subject(_browser(), *stretch)
    return redirect(url_for(".teaches"), 303)


@blueprint.route("/languages", methods=["GET", "POST"])
def languages() -> ResponseReturnValue:
    """In which languages lessons can be held."""
    answers = _open(Question.LANGUAGES)
    form = SeveralForm(read_offer().languages, chosen=list(answers.languages))
    if form.validate_on_submit():
        registration.keep(_browser(), languages=form.codes)
        return _go_on()
    return _page("languages", Question.LANGUAGES, form)


@blueprint.route("/channels", methods=["GET", "POST"])
def channels() -> ResponseReturnValue:
    """How lessons can be held."""
    answers = _open(Question.CHANNELS)
    form = SeveralForm(read_offer().channels, chosen=list(answers.channels))
    if form.validate_on_submit():
        registration.keep(_browser(), channels=form.codes)
        return _go_on()
    return _page("channels", Question.CHANNELS, form)


@blueprint.route("/place", methods=["GET", "POST"])
def place() -> ResponseReturnValue:
    """Where the volunteer lives, for their clock."""
    answers = _open(Question.PLACE)
    form = PlaceForm(current_app.config["N9RAW"].civil_zone, place=answers.place or "")
    if form.validate_on_submit():
        registration.keep(_browser(), place=form.place.data)
        return _go_on()
    return _page("place", Question.PLACE, form)


@blueprint.route("/times", methods=["GET", "POST"])
def week() -> ResponseReturnValue:
    """When the volunteer can teach."""
    answers = _open(Question.WEEK)
    form = WeekForm.of(answers.windows, answers.to_agree)
    if request.method == "POST":
        form = WeekForm.from_request(request.form)
        if not form.is_copy and not form.errors:
            registration.keep_week(_browser(), form.windows, to_agree=form.to_agree)
            return _go_on()
    page = _render("week", Question.WEEK, form, clocks=both_clocks(answers.place))
    return page, 400 if form.errors else 200


@blueprint.route("/most", methods=["GET", "POST"])
def most() -> ResponseReturnValue:
    """How many lessons a week."""
    answers = _open(Question.MOST)
    form = MostForm(most=str(answers.most or ""))
    if form.validate_on_submit():
        registration.keep(_browser(), most=form.lessons)
        return _go_on()
    return _page("most", Question.MOST, form)


@blueprint.route("/charter", methods=["GET", "POST"])
def charter_of_conduct() -> ResponseReturnValue:
    """The charter, to be read and accepted."""
    answers = _open(Question.CHARTER)
    form = CharterForm(accepted=answers.charter == CHARTER_VERSION)
    if form.validate_on_submit():
        registration.accept_charter(_browser())
        return _go_on()
    rules = charter(page_locale())
    return _page("charter", Question.CHARTER, form, rules=rules, version=CHARTER_VERSION)


@blueprint.route("/check", methods=["GET", "POST"])
def check() -> ResponseReturnValue:
    """All answers, each to be changed; sending them makes a volunteer of them."""
    answers = _answers()
    if answers.unanswered is not None:
        return redirect(url_for(".done") if _DONE in session else _next_page())
    if request.method == "POST":
        try:
            registration.register(_browser(), page_locale())
        except Conflict:
            return render_template("registration/talk.html", known=True)
        session.pop(_BROWSER)
        session[_DONE] = True
        return redirect(url_for(".done"), 303)
    return render_template(
        "registration/check.html",
        answers=answers,
        offer=read_offer(),
        place=dict(places(answers.place or None)).get(answers.place or ""),
    )


@blueprint.get("/done")
def done() -> ResponseReturnValue:
    """What happens now."""
    if _DONE not in session:
        return redirect(url_for(".start"))
    return render_template("registration/done.html")


def _answers() -> Answers:
    return registration.read_answers(session.get(_BROWSER), read_offer())


def _open(question: Question) -> Answers:
    """The answers so far, where this question's turn has come."""
    answers = _answers()
    if not answers.may_open(question):
        abort(redirect(_next_page(), 303))
    return answers


def _browser() -> str:
    """The token of this browser's draft; it is kept longer than the browser is open."""
    session.permanent = True
    token: str = session.setdefault(_BROWSER, secrets.token_urlsafe(16))
    return token


def _next_page() -> str:
    """The address of the first question that is open, or of the answers to be checked."""
    question = _answers().unanswered
    return url_for(".check" if question is None else _PAGES[question])


_PAGES = {question: f".{question.value}" for question in Question} | {
    Question.CHARTER: ".charter_of_conduct"
}


def _go_on() -> ResponseReturnValue:
    return redirect(_next_page(), 303)


def _page(template: str, question: Question, form: object, **values: object) -> ResponseReturnValue:
    page = _render(template, question, form, **values)
    return page, 400 if getattr(form, "errors", None) else 200


def _render(template: str, question: Question, form: object, **values: object) -> str:
    order = list(Question)
    return render_template(
        f"registration/{template}.html",
        form=form,
        step=order.index(question) + 1,
        steps=len(order),
        **values,
    )
