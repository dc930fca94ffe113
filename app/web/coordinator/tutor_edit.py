"""A volunteer is added by hand, or their entry is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import (
    EmailField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
)
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput

from app.i18n import _, _l, page_locale
from app.models import Channel, Language, Tag, Tutor
from app.security import signed_in_coordinator
from app.services import people, tutors
from app.services.tutors import InvalidEntry, Offered, TutorEntry
from app.web.availability import WeekForm
from app.web.coordinator import blueprint
from app.web.volunteer.places import places

_NUMBER = _l("Give a number of lessons from 1 to 40.")


class TutorForm(FlaskForm):
    """All of an entry but the hours, which are a form of their own."""

    first_name = StringField(
        _l("First name"), [InputRequired(_l("Write a name of at most 80 letters."))]
    )
    last_name = StringField(
        _l("Last name"), [InputRequired(_l("Write a name of at most 80 letters."))]
    )
    email = EmailField(_l("E-mail address"), [Length(max=254)])
    phone = TelField(_l("Telephone"), [Length(max=40)])
    teaches = SelectMultipleField(_l("Teaches"))
    max_lessons_per_week = IntegerField(_l("Most lessons a week"), [InputRequired(_NUMBER)])
    languages = SelectMultipleField(_l("Languages"), option_widget=CheckboxInput())
    channels = SelectMultipleField(_l("How"), option_widget=CheckboxInput())
    tags = SelectMultipleField(_l("Pupils may ask for"), option_widget=CheckboxInput())
    message_language = RadioField(
        _l("Language of messages"),
        [InputRequired(_l("Choose one of the languages."))],
        choices=[SelectChoice("fr", "Français"), SelectChoice("ar", "العربية")],
        default="fr",
    )
    time_zone = SelectField(_l("Lives in"))

    @classmethod
    def of(cls, tutor: Tutor | None, offered: Offered) -> TutorForm:
        """The form with what can be chosen; filled in with what is known, until it is sent."""
        civil_zone = str(current_app.config["N9RAW"].civil_zone)
        form = cls(data=_known(tutor, civil_zone)) if tutor else cls(time_zone=civil_zone)
        form.teaches.choices = [
            SelectChoice(f"{subject.id}-{level.id}", level.code)
            for subject in offered.subjects
            for level in offered.levels
        ]
        form.languages.choices = _named(offered.languages)
        form.channels.choices = _named(offered.channels)
        form.tags.choices = _named(offered.tags)
        here = (tutor.time_zone if tutor else None) or civil_zone
        form.time_zone.choices = [SelectChoice(zone, name) for zone, name in places(here)]
        return form

    def entry(self, week: WeekForm) -> TutorEntry:
        """What was sent, once both forms are valid."""
        pairs = (text.split("-") for text in self.teaches.data)
        return TutorEntry(
            first_name=self.first_name.data,
            last_name=self.last_name.data,
            email=self.email.data or "",
            phone=self.phone.data or "",
            message_language=self.message_language.data,
            time_zone=self.time_zone.data,
            max_lessons_per_week=self.max_lessons_per_week.data,
            teaches=frozenset((int(subject), int(level)) for subject, level in pairs),
            channels=frozenset(self.channels.data),
            languages=frozenset(self.languages.data),
            tags=frozenset(self.tags.data),
            windows=tuple(week.windows),
            times_to_agree=week.to_agree,
        )


def _named(rows: Sequence[Channel] | Sequence[Language] | Sequence[Tag]) -> list[SelectChoice]:
    locale = page_locale()
    return [SelectChoice(row.code, row.name_in(locale)) for row in rows]


class BothForms:
    """The errors of two forms, for one summary on top of the page."""

    def __init__(self, *forms: Any) -> None:
        self._forms = forms

    @property
    def errors(self) -> dict[str, list[str]]:
        return {name: texts for form in self._forms for name, texts in form.errors.items()}

    def __contains__(self, name: str) -> bool:
        return any(name in form for form in self._forms)

    def __getitem__(self, name: str) -> Any:
        return next(form[name] for form in self._forms if name in form)


@blueprint.route("/volunteers/new", methods=["GET", "POST"])
def add_tutor() -> ResponseReturnValue:
    """Add a volunteer who told a coordinator what the registration asks."""
    return _edit(None)


@blueprint.route("/volunteers/<int:tutor_id>/edit", methods=["GET", "POST"])
def edit_tutor(tutor_id: int) -> ResponseReturnValue:
    """Change what is known of a volunteer."""
    return _edit(people.get_tutor(tutor_id))


def _edit(tutor: Tutor | None) -> ResponseReturnValue:
    offered = tutors.offered_to(tutor)
    form = TutorForm.of(tutor, offered)
    sent = request.method == "POST"
    week = WeekForm.from_request(request.form) if sent else _week_of(tutor)
    status = 200
    if sent and not week.is_copy:
        # Both, so that everything that is wrong is said at once.
        valid = form.validate()
        if valid and not week.errors:
            try:
                return _keep(tutor, form.entry(week))
            except InvalidEntry as refused:
                for name, text in refused.by_field.items():
                    form[name].errors = [str(text)]
        status = 400
    page = render_template(
        "coordinator/tutor_edit.html",
        tutor=tutor,
        form=form,
        week=week,
        both=BothForms(form, week),
        offered=offered,
    )
    return page, status


def _keep(tutor: Tutor | None, entry: TutorEntry) -> ResponseReturnValue:
    by = signed_in_coordinator()
    if tutor is None:
        row = tutors.add_tutor(entry, by)
        flash(_("%(name)s is added, and waits for vetting.", name=row.name), "good")
    else:
        row = tutors.change_tutor(tutor.id, entry, by)
        flash(_("What you changed for %(name)s is kept.", name=row.name), "good")
    return redirect(url_for(".tutor", tutor_id=row.id), 303)


def _week_of(tutor: Tutor | None) -> WeekForm:
    if tutor is None:
        return WeekForm()
    return WeekForm.of([window.as_window() for window in tutor.windows], tutor.times_to_agree)


def _known(tutor: Tutor, civil_zone: str) -> dict[str, Any]:
    return {
        "first_name": tutor.first_name,
        "last_name": tutor.last_name,
        "email": tutor.email,
        "phone": tutor.phone,
        "teaches": [f"{row.subject_id}-{row.level_id}" for row in tutor.teaches],
        "max_lessons_per_week": tutor.max_lessons_per_week,
        "languages": [row.language for row in tutor.languages],
        "channels": [row.channel for row in tutor.channels],
        "tags": [row.tag for row in tutor.tags],
        "message_language": tutor.message_language,
        "time_zone": tutor.time_zone or civil_zone,
    }
