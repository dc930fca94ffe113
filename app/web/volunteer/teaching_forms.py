"""What volunteers teach, how and how much: asked at registration, changed later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, RadioField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import Length, ValidationError
from wtforms.widgets import CheckboxInput

from app.i18n import _, _l, page_locale
from app.models import Channel, Language, Level, Subject
from app.services.errors import Invalid
from app.services.six_digits import digits
from app.services.teaching import check_most

Named = Channel | Language | Level | Subject


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

    first = SelectField(_l("Lowest level"), validate_choice=False)
    last = SelectField(_l("Highest level"), validate_choice=False)

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


def _named(rows: Iterable[Named]) -> list[SelectChoice]:
    locale = page_locale()
    return [SelectChoice(row.code, row.name_in(locale)) for row in rows]
