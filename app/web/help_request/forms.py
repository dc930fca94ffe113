"""The questions to families that only this way in asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, SelectChoice, SelectField, StringField, TelField
from wtforms.validators import InputRequired, Length, ValidationError

from app.i18n import _l, page_locale
from app.models import Zone
from app.services.asking import read_guardian, read_zone
from app.services.entered import entered_phone
from app.services.errors import Invalid

_OTHER = -1


class GuardianForm(FlaskForm):
    """The name of the adult who answers for the children."""

    name = StringField(_l("Your name"))

    def validate_name(self, field: Field) -> None:
        try:
            read_guardian(field.data or "")
        except Invalid as refused:
            raise ValidationError(refused.message) from None


class PhoneForm(FlaskForm):
    """The family's telephone."""

    phone = TelField(
        _l("Telephone number"),
        [InputRequired(_l("Enter your telephone number.")), Length(max=40)],
    )

    def validate_phone(self, field: Field) -> None:
        try:
            entered_phone(field.data)
        except Invalid as refused:
            raise ValidationError(refused.message) from None


class ZoneForm(FlaskForm):
    """The commune: one of the list, or its name."""

    zone = SelectField(_l("Commune"), coerce=int, validate_choice=False)
    other = StringField(_l("Name of your commune, if it is not in the list"))

    def __init__(self, zones: Iterable[Zone], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        locale = page_locale()
        self.zone.choices = [
            SelectChoice(0, _l("Choose your commune")),
            *(SelectChoice(zone.id, zone.name_in(locale)) for zone in zones),
            SelectChoice(_OTHER, _l("My commune is not in the list")),
        ]

    def validate_zone(self, field: Field) -> None:
        known = {choice.value for choice in self.zone.choices if choice.value}
        if field.data not in known:
            raise ValidationError(_l("Choose one of the communes."))

    def validate_other(self, field: Field) -> None:
        if self.zone.data == _OTHER:
            try:
                read_zone(field.data or "")
            except Invalid as refused:
                raise ValidationError(refused.message) from None

    @property
    def zone_id(self) -> int | None:
        """The chosen zone; None where the name counts."""
        return None if self.zone.data == _OTHER else self.zone.data

    @staticmethod
    def chosen(zone: Zone | None, name: str) -> int:
        """What is chosen in the list for an answer that was given."""
        if zone is not None:
            return zone.id
        return _OTHER if name else 0
