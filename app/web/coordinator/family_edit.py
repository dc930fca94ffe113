"""Families and children added and changed by hand; what would end in groups is said before."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from app.i18n import _
from app.models import Household, Pupil, RequestState, TutoringRequest
from app.security import signed_in_coordinator
from app.services import audit, households, people, pupils, requests, statements
from app.services.consent import CONSENT_TEXT_VERSION, TEXT_LANGUAGES, consent_texts
from app.services.errors import Conflict, Invalid
from app.services.family_changes import SeatsWouldEnd
from app.services.households import PhoneTaken, get_household
from app.web.access import own_scope
from app.web.availability import WeekForm
from app.web.coordinator import blueprint, family_forms, words
from app.web.coordinator.tutor_edit import BothForms
from app.web.incoming import row_number


@blueprint.route("/families/new", methods=["GET", "POST"])
def add_family() -> ResponseReturnValue:
    """Add a family by hand; its children come on the next pages."""
    return _edit_family(None)


@blueprint.route("/families/<int:household_id>/edit", methods=["GET", "POST"])
def edit_family(household_id: int) -> ResponseReturnValue:
    """Change what is known of a family."""
    return _edit_family(get_household(household_id))


def _edit_family(household: Household | None) -> ResponseReturnValue:
    scope = own_scope()
    held = [] if household is None else [household.zone_id]
    zones = households.zones_to_choose(scope, held)
    form = family_forms.FamilyForm.of(household, zones, people.read_catalogue())
    sent = request.method == "POST"
    week = WeekForm.from_request(request.form) if sent else _week_of(household)
    refused, taken, status = [], None, 200
    if sent and not week.is_copy:
        # Both, so that everything that is wrong is said at once.
        valid = form.validate()
        if valid and not week.errors:
            try:
                return _keep_family(household, form, week)
            except PhoneTaken as known:
                form.phone.errors = [str(known)]
                taken = known.household
            except (Conflict, Invalid) as refusal:
                refused = [str(refusal)]
        status = 400
    html = render_template(
        "coordinator/family_edit.html",
        household=household,
        form=form,
        week=week,
        both=BothForms(form, week),
        refused=refused,
        taken=taken,
    )
    shown = [pupil.id for family in (household, taken) if family for pupil in family.pupils]
    if shown:
        audit.record_view(request.path, signed_in_coordinator(), shown)
    return html, status


def _keep_family(
    household: Household | None, form: family_forms.FamilyForm, week: WeekForm
) -> ResponseReturnValue:
    by, scope = signed_in_coordinator(), own_scope()
    if household is None:
        added = households.add_household(form.details(week), by, scope)
        flash(_("The family is added. Now its children."), "good")
        return redirect(url_for(".add_pupil", household_id=added.id), 303)
    changed = households.change_household(household.id, form.details(week), by, scope)
    if "phone" in changed:
        flash(_("What you changed is kept. The family's link went to the old number: it ended."))
    else:
        flash(_("What you changed is kept."), "good")
    return redirect(url_for(".family", household_id=household.id), 303)


def _week_of(household: Household | None) -> WeekForm:
    if household is None:
        return WeekForm()
    windows = [window.as_window() for window in household.windows]
    return WeekForm.of(windows, household.times_to_agree)


@blueprint.route("/families/<int:household_id>/pupils/new", methods=["GET", "POST"])
def add_pupil(household_id: int) -> ResponseReturnValue:
    """Add one child after another to a family."""
    household = get_household(household_id)
    catalogue = people.read_catalogue()
    form = family_forms.new_pupil_form(catalogue, household.guardian.name)
    form.offer_all(catalogue.levels.values(), pupils.list_tags())

    def save() -> ResponseReturnValue:
        pupil = pupils.add_pupil(
            household_id,
            form.details(),
            form.wanted(),
            form.statements(),
            signed_in_coordinator(),
            _agreed(),
        )
        flash(_("%(name)s is added.", name=pupil.first_name), "good")
        another = request.form.get("next") == "another"
        page = ".add_pupil" if another else ".family"
        return redirect(url_for(page, household_id=household_id), 303)

    return _answer(form, household, save, "coordinator/pupil_new.html", **_asked_in(household))


@blueprint.route("/pupils/<int:pupil_id>/edit", methods=["GET", "POST"])
def edit_pupil(pupil_id: int) -> ResponseReturnValue:
    """Change a child's name, school year or needs."""
    pupil = pupils.get_pupil(pupil_id)
    catalogue = people.read_catalogue()
    form = family_forms.PupilForm(data=family_forms.pupil_data(pupil))
    form.offer(pupil, catalogue.levels.values(), pupils.list_tags())

    def save() -> ResponseReturnValue:
        pupils.change_pupil(pupil_id, form.details(), signed_in_coordinator(), _agreed())
        flash(_("What you changed is kept."), "good")
        return _to_family(pupil)

    return _answer(form, pupil.household, save, "coordinator/pupil_edit.html", pupil=pupil)


@blueprint.route("/pupils/<int:pupil_id>/consent", methods=["GET", "POST"])
def record_consent(pupil_id: int) -> ResponseReturnValue:
    """Record what the guardian says of a child's lessons."""
    pupil = pupils.get_pupil(pupil_id)
    form = family_forms.consent_form(pupil.household.guardian.name)

    def save() -> ResponseReturnValue:
        said = form.statements()
        statements.record_statements(pupil_id, said, signed_in_coordinator(), _agreed())
        flash(_("The guardian's answer is recorded."), "good")
        return _to_family(pupil)

    asked = _asked_in(pupil.household)
    return _answer(form, pupil.household, save, "coordinator/consent.html", pupil=pupil, **asked)


@blueprint.route("/pupils/<int:pupil_id>/subjects/new", methods=["GET", "POST"])
def add_request(pupil_id: int) -> ResponseReturnValue:
    """Ask for one more subject for a child."""
    pupil = pupils.get_pupil(pupil_id)
    form = family_forms.SubjectForm()
    asked = {row.subject_id for row in pupil.requests if row.state is not RequestState.ENDED}
    subjects = people.read_catalogue().subjects.values()
    form.offer(row for row in subjects if not row.retired and row.id not in asked)

    def save() -> ResponseReturnValue:
        subject_id, number = int(form.subject_id.data), form.lessons.data
        requests.add_request(pupil_id, subject_id, number, signed_in_coordinator())
        flash(_("The subject is asked for."), "good")
        return _to_family(pupil)

    return _answer(form, pupil.household, save, "coordinator/request_new.html", pupil=pupil)


@blueprint.route("/requests/<int:request_id>/edit", methods=["GET", "POST"])
def edit_request(request_id: int) -> ResponseReturnValue:
    """Change how many lessons a week are asked for."""
    row = requests.get_request(request_id)
    form = family_forms.LessonsForm(data={"lessons": row.lessons_per_week})
    form.lessons.choices = family_forms.lesson_choices()

    def save() -> ResponseReturnValue:
        requests.change_lessons(request_id, form.lessons.data, signed_in_coordinator(), _agreed())
        flash(_("What you changed is kept."), "good")
        return _to_family(row.pupil)

    return _about_request(row, form, save, "coordinator/request_edit.html")


@blueprint.route("/requests/<int:request_id>/end", methods=["GET", "POST"])
def end_request(request_id: int) -> ResponseReturnValue:
    """End a request, with its reason."""
    row = requests.get_request(request_id)
    form = family_forms.EndRequestForm()

    def save() -> ResponseReturnValue:
        reason = form.reason.data or ""
        requests.end_request(request_id, reason, signed_in_coordinator(), _agreed())
        flash(_("The request has ended."), "good")
        return _to_family(row.pupil)

    return _about_request(row, form, save, "coordinator/request_end.html")


@blueprint.post("/requests/<int:request_id>/again")
def ask_again(request_id: int) -> ResponseReturnValue:
    """Have a request that ended wait again."""
    row = requests.ask_again(request_id, signed_in_coordinator())
    flash(_("The request waits again."), "good")
    return _to_family(row.pupil)


def _about_request(
    row: TutoringRequest,
    form: FlaskForm,
    save: Callable[[], ResponseReturnValue],
    template: str,
) -> ResponseReturnValue:
    if row.state is RequestState.ENDED:
        return _to_family(row.pupil)
    return _answer(form, row.pupil.household, save, template, row=row, pupil=row.pupil)


def _answer(
    form: FlaskForm,
    household: Household,
    save: Callable[[], ResponseReturnValue],
    template: str,
    **values: object,
) -> ResponseReturnValue:
    """Save what was sent where it is valid; else show the form, or the seats that would end."""
    refused, status = [], 200
    if request.method == "POST":
        try:
            if form.validate():
                return save()
        except SeatsWouldEnd as would:
            return _show_ends(would, household)
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
        status = 400
    html = render_template(template, form=form, household=household, refused=refused, **values)
    _record_view(household)
    return html, status


def _show_ends(would: SeatsWouldEnd, household: Household) -> ResponseReturnValue:
    """Say which places would end, with all that was sent, to be sent again by who agrees."""
    sent = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in ("csrf_token", "agreed")
    ]
    html = render_template(
        "coordinator/seats_end.html", would=would, household=household, sent=sent, words=words
    )
    _record_view(household)
    return html


def _record_view(household: Household) -> None:
    shown = [pupil.id for pupil in household.pupils]
    audit.record_view(request.path, signed_in_coordinator(), shown)


def _agreed() -> set[int]:
    """The seats that may end, as the page before named them."""
    numbers = map(row_number, request.form.getlist("agreed"))
    return {number for number in numbers if number is not None}


def _asked_in(household: Household) -> dict[str, object]:
    """The texts of the consents, the guardian's language first."""
    own = "fr" if household.message_language == "fr" else "ar"
    languages = sorted(TEXT_LANGUAGES, key=lambda language: language != own)
    return {
        "texts": {language: consent_texts(language) for language in languages},
        "text_version": CONSENT_TEXT_VERSION,
    }


def _to_family(pupil: Pupil) -> ResponseReturnValue:
    return redirect(url_for(".family", household_id=pupil.household_id), 303)
