"""Forms of the volunteers' pages."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.i18n import LOCALE_NAMES, _, _l
from app.models import LessonState
from app.services.attendance import LONGEST_NOTE, PastLesson
from app.services.volunteer import MESSAGE_LANGUAGES
from app.web.fields import DayField
from app.web.volunteer.places import places


class _FromTo(FlaskForm):
    first_day = DayField(_l("First day off"), [InputRequired(_l("Give the first day."))])
    last_day = DayField(_l("Last day off"), [InputRequired(_l("Give the last day."))])


class _Until(FlaskForm):
    until = DayField(_l("First day on which you are back"), [Optional()])


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
    digest = BooleanField(_l("On Sundays, my lessons of the week to come"))
    time_zone = SelectField(_l("Where you live"))

    def __init__(self, current_zone: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.time_zone.choices = [
            SelectChoice("", _("Where the families live")),
            *(SelectChoice(zone, name) for zone, name in places(current_zone)),
        ]


class _Meanwhile(FlaskForm):
    what = RadioField(
        _l("What becomes of the lessons?"),
        choices=[
            SelectChoice("seek", _l("Look for somebody else who gives them")),
            SelectChoice("cancel", _l("Cancel them")),
        ],
        validators=[Optional()],
        default="seek",
    )


class DaysOffForm(_FromTo, _Meanwhile, ReasonForm):
    """From which day to which no lessons are given, what becomes of them, and why."""

    @property
    def seeks(self) -> bool:
        """Whether somebody else is looked for; so it is where nothing was said."""
        return bool(self.what.data != "cancel")


class PauseForm(_Until, ReasonForm):
    """Until when somebody pauses, if that is known, and why."""


class NoteForm(FlaskForm):
    """How a lesson went; of a group, also who was not there."""

    state = RadioField(
        _l("How did it go?"),
        choices=[],
        validators=[InputRequired(_l("Say how the lesson went."))],
        validate_choice=False,
    )
    absent = SelectMultipleField(
        _l("Who was not there?"),
        coerce=int,
        choices=[],
        validate_choice=False,
        option_widget=CheckboxInput(),
        widget=ListWidget(),
    )
    note = TextAreaField(_l("Note"), [Length(max=LONGEST_NOTE)])

    def __init__(self, entry: PastLesson, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        several = len(entry.members) > 1
        nobody = _("Nobody came") if several else _("The pupil was not there")
        self.state.choices = [
            SelectChoice(LessonState.HELD.value, _("It was held")),
            SelectChoice(LessonState.PUPIL_ABSENT.value, nobody),
            SelectChoice(LessonState.NOT_HELD.value, _("It was not held")),
        ]
        if several:
            self.absent.choices = [
                SelectChoice(member.request_id, member.request.pupil.first_name)
                for member in entry.members
            ]

    def show(self, entry: PastLesson) -> None:
        """Begin with what was noted before."""
        if entry.is_noted:
            self.state.data = entry.lesson.state.value
            self.absent.data = list(entry.absent)
            self.note.data = entry.lesson.note

    @property
    def outcome(self) -> LessonState:
        return LessonState(self.state.data)

    def validate_state(self, _field: RadioField) -> None:
        if self.state.data not in [choice.value for choice in self.state.choices]:
            raise ValidationError(_("Say how the lesson went."))
