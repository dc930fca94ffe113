"""The questions to volunteers, at registration and later; what is taught and when has its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput

from app.i18n import _, _l, page_locale
from app.models import Channel, Language, Level, Subject
from app.services.asking import read_name
from app.services.errors import Invalid
from app.services.six_digits import digits
from app.services.teaching import check_most
from app.web.volunteer.places import places

Named = Channel | Language | Level | Subject


class NameForm(FlaskForm):
    """The volunteer's name."""

    first_name = StringField(_l("First name"))
    last_name = StringField(_l("Last name"))

    def validate_first_name(self, field: Field) -> None:
        _check_name(field)

    def validate_last_name(self, field: Field) -> None:
        _check_name(field)

    @property
    def names(self) -> dict[str, str]:
        """Both names as they are kept."""
        return {
            "first_name": read_name(self.first_name.data),
            "last_name": read_name(self.last_name.data),
        }


class SubjectForm(FlaskForm):
    """One subject, before its levels."""

    subject = RadioField(_l("Subject"), validate_choice=False)

    def __init__(self, subjects: Iterable[Subject], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.subject.choices = _named(subjects)

    def validate_subject(self, field: Field) -> None:
        if field.data not in {choice.value for choice in self.subject.choices}:
            raise ValidationError(_("Choose one of the subjects."))


class LevelsForm(FlaskForm):
    """From which level to which a subject is taught."""

    first = SelectField(_l("From"), validate_choice=False)
    last = SelectField(_l("Up to and with"), validate_choice=False)

    def __init__(self, levels: Iterable[Level], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choices = [SelectChoice("", _("Choose a level")), *_named(levels)]
        self.first.choices = self.last.choices = choices

    def validate_first(self, field: Field) -> None:
        self._place(field)

    def validate_last(self, field: Field) -> None:
        high = self._place(field)
        if 0 < high < self._place_of(self.first):
            raise ValidationError(_("The second level must not be below the first."))

    def _place(self, field: Field) -> int:
        place = self._place_of(field)
        if place < 1:
            raise ValidationError(_("Choose a level."))
        return place

    def _place_of(self, field: Field) -> int:
        codes = [choice.value for choice in self.first.choices]
        return codes.index(field.data) if field.data in codes else 0


class SeveralForm(FlaskForm):
    """Some of several things, at least one."""

    chosen = SelectMultipleField(validate_choice=False, option_widget=CheckboxInput())

    def __init__(self, offered: Iterable[Channel | Language], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chosen.choices = _named(offered)

    def validate_chosen(self, _field: Field) -> None:
        if not self.codes:
            raise ValidationError(_("Choose at least one."))

    @property
    def codes(self) -> list[str]:
        """What was ticked of what is offered."""
        chosen = self.chosen.data or ()
        return [choice.value for choice in self.chosen.choices if choice.value in chosen]


class PlaceForm(FlaskForm):
    """The time zone of volunteers abroad, by the name of a place."""

    place = SelectField(_l("Country"), validate_choice=False)

    def __init__(self, home: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        abroad = [(zone, name) for zone, name in places(None) if zone != home]
        here = SelectChoice("", _("Where the families live"))
        self.place.choices = [here, *(SelectChoice(zone, name) for zone, name in abroad)]

    def validate_place(self, field: Field) -> None:
        if field.data not in {choice.value for choice in self.place.choices}:
            raise ValidationError(_("Choose one of the places."))


class MostForm(FlaskForm):
    """The most lessons a week."""

    most = StringField(_l("Lessons a week, at most"), [Length(max=40)])

    def validate_most(self, _field: Field) -> None:
        try:
            check_most(self.lessons)
        except Invalid as refused:
            raise ValidationError(refused.message) from None

    @property
    def lessons(self) -> int:
        """The number that was typed, in any figures; 0 where it is none."""
        typed = (self.most.data or "").strip()
        found = digits(typed)
        return int(found) if found and len(found) == len(typed) else 0


class CharterForm(FlaskForm):
    """That the charter was read and is accepted."""

    accepted = BooleanField(
        _l("I have read the charter and will keep to it"),
        [InputRequired(_l("Tick the box if you accept the charter."))],
    )


def _named(rows: Iterable[Named]) -> list[SelectChoice]:
    locale = page_locale()
    return [SelectChoice(row.code, row.name_in(locale)) for row in rows]


def _check_name(field: Field) -> None:
    try:
        read_name(field.data or "")
    except Invalid as refused:
        raise ValidationError(refused.message) from None
