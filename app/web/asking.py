"""The forms with which families ask for a child's lessons, on their own page and the public one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from wtforms import Field, RadioField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, ValidationError
from wtforms.widgets import CheckboxInput

from app.i18n import _l, page_locale
from app.models import Subject
from app.services.asking import (
    Agreed,
    AskedChild,
    offered_levels,
    offered_subjects,
    read_child,
    read_name,
)
from app.services.errors import Invalid

_ANSWERS = [SelectChoice("yes", _l("Yes")), SelectChoice("no", _l("No"))]


class AskingForm(FlaskForm):
    """A form without a token of its own: the program asks for one on every page but families'."""

    class Meta(FlaskForm.Meta):
        csrf = False


class SubjectsForm(AskingForm):
    """The subjects that are wanted, of those that can be."""

    subjects = SelectMultipleField(
        _l("Subjects"), coerce=int, option_widget=CheckboxInput(), validate_choice=False
    )

    def __init__(self, subjects: Iterable[Subject] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        locale = page_locale()
        offered = offered_subjects() if subjects is None else subjects
        self.subjects.choices = [
            SelectChoice(subject.id, subject.name_in(locale)) for subject in offered
        ]

    @property
    def chosen_subjects(self) -> list[int]:
        """The ids of those that were ticked, of the ones that can be."""
        ticked = self.subjects.data or ()
        return [choice.value for choice in self.subjects.choices if choice.value in ticked]


class ChildForm(SubjectsForm):
    """A child's name, level and subjects."""

    first_name = StringField(_l("First name of the child"))
    last_name = StringField(_l("Family name of the child"))
    level = SelectField(_l("Level"), coerce=int, validate_choice=False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        locale = page_locale()
        self.level.choices = [
            SelectChoice(0, _l("Choose a level")),
            *(SelectChoice(level.id, level.name_in(locale)) for level in offered_levels()),
        ]

    def __iter__(self) -> Iterator[Field]:
        """In the order of the page, so that errors are told in it."""
        return iter((self.first_name, self.last_name, self.level, self.subjects))

    def validate_first_name(self, field: Field) -> None:
        _check_name(field, _l("Write the first name in letters, at most 80 of them."))

    def validate_last_name(self, field: Field) -> None:
        _check_name(field, _l("Write the family name in letters, at most 80 of them."))

    def validate_level(self, field: Field) -> None:
        if field.data not in [level.id for level in offered_levels()]:
            raise ValidationError(_l("Choose the level."))

    def validate_subjects(self, _field: Field) -> None:
        if not self.chosen_subjects:
            raise ValidationError(_l("Choose at least one subject."))

    @property
    def child(self) -> AskedChild:
        """What was asked, where the form is valid."""
        return read_child(
            self.first_name.data,
            self.last_name.data,
            self.level.data,
            self.chosen_subjects,
        )


class AgreedForm(AskingForm):
    """The guardian's answers to the two questions; nothing is chosen before."""

    lessons = RadioField(
        _l("Do you agree to lessons?"),
        [InputRequired(_l("Say yes or no to lessons."))],
        choices=_ANSWERS,
    )
    groups = RadioField(
        _l("Do you agree to lessons in a group?"),
        [InputRequired(_l("Say yes or no to lessons in a group."))],
        choices=_ANSWERS,
    )

    def validate_lessons(self, field: Field) -> None:
        if field.data == "no":
            raise ValidationError(
                _l("Without a yes to the first question there can be no lessons.")
            )

    @property
    def agreed(self) -> Agreed:
        return Agreed(lessons=self.lessons.data == "yes", groups=self.groups.data == "yes")


def _check_name(field: Field, otherwise: LazyString) -> None:
    """Refuse, at its field, what is no name."""
    try:
        read_name(field.data or "")
    except Invalid:
        raise ValidationError(otherwise) from None
