"""The questions of registration alone; those asked later too stand in app/web/volunteer."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, ValidationError

from app.i18n import _, _l
from app.services.asking import read_name
from app.services.errors import Invalid
from app.web.volunteer.places import places


class NameForm(FlaskForm):
    """The volunteer's name."""

    first_name = StringField(_l("First name"), [InputRequired(_l("Write your first name."))])
    last_name = StringField(_l("Last name"), [InputRequired(_l("Write your last name."))])

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


class CharterForm(FlaskForm):
    """That the charter was read and is accepted."""

    accepted = BooleanField(
        _l("I have read the charter and will keep to it"),
        [InputRequired(_l("Tick the box if you accept the charter."))],
    )


def _check_name(field: Field) -> None:
    try:
        read_name(field.data or "")
    except Invalid as refused:
        raise ValidationError(refused.message) from None
