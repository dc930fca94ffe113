"""Forms of the volunteers' pages."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import Length, ValidationError

from app.i18n import LOCALE_NAMES, _, _l
from app.services.volunteer import MESSAGE_LANGUAGES
from app.web.volunteer.places import places


class ReasonForm(FlaskForm):
    """Why something is declined: one of a few reasons, or words of one's own, or both."""

    chosen = RadioField(_l("Why?"), choices=[], validate_choice=False)
    own = StringField(_l("Or in your own words"), [Length(max=300)])

    def __init__(self, suggestions: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chosen.choices = [SelectChoice(text) for text in suggestions]

    @property
    def reason(self) -> str:
        """What was chosen and what was written."""
        return ". ".join(part for part in (self.chosen.data, (self.own.data or "").strip()) if part)

    def validate_chosen(self, _field: RadioField) -> None:
        if self.chosen.data not in (None, *(choice.value for choice in self.chosen.choices)):
            raise ValidationError(_("Choose one of the reasons."))
        if not self.reason:
            raise ValidationError(_("Choose a reason or write one."))


class SettingsForm(FlaskForm):
    """How a volunteer is written to, and what their clocks show."""

    language = RadioField(
        _l("Language of the messages to you"),
        choices=[SelectChoice(code, LOCALE_NAMES[code]) for code in MESSAGE_LANGUAGES],
    )
    time_zone = SelectField(_l("Where you live"))

    def __init__(self, current_zone: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.time_zone.choices = [
            SelectChoice("", _("Where the families live")),
            *(SelectChoice(zone, name) for zone, name in places(current_zone)),
        ]
