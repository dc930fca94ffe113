"""Forms for what a volunteer changes of lessons to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectChoice, StringField
from wtforms.validators import Optional, ValidationError

from app.i18n import _, _l, format_weekday
from app.services.weeks import Week
from app.web.fields import DayField
from app.web.times import HOUR, WeekChoice, read_hour
from app.web.volunteer.forms import ReasonForm


class _What(FlaskForm):
    what = RadioField(_l("What is to happen?"), choices=[], validate_choice=False, default="seek")


class CantForm(_What, ReasonForm):
    """Why a lesson can't be given, and whether somebody else is looked for."""

    def __init__(self, suggestions: list[str], *, may_seek: bool, **kwargs: Any) -> None:
        super().__init__(suggestions, **kwargs)
        self.what.choices = [
            SelectChoice("seek", _("Look for somebody else who gives it")),
            SelectChoice("cancel", _("Cancel it")),
        ]
        self.may_seek = may_seek

    @property
    def seeks(self) -> bool:
        return self.may_seek and self.what.data != "cancel"


class OtherTimeForm(FlaskForm):
    """When one lesson is held instead: one of the free times, or a day and an hour."""

    free = RadioField(_l("When instead?"), choices=[], validate_choice=False)
    day = DayField(_l("Day"), [Optional()])
    hour = StringField(_l("Hour"), [Optional(), HOUR])

    def __init__(self, times: Sequence[datetime], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.free.choices = [
            SelectChoice(
                wall.isoformat(timespec="minutes"), f"{format_weekday(wall)}{_(', ')}{wall:%H:%M}"
            )
            for wall in times
        ]

    @property
    def wall_start(self) -> datetime:
        """What was chosen; a day and an hour that were typed come first."""
        if self.day.data and self.hour.data:
            day: date = self.day.data
            return datetime.combine(day, read_hour(self.hour.data) or time())
        return datetime.fromisoformat(self.free.data)

    def validate_free(self, _field: RadioField) -> None:
        if bool(self.day.data) != bool(self.hour.data):
            raise ValidationError(_("Give both a day and an hour."))
        if self.day.data:
            return
        if self.free.data not in [choice.value for choice in self.free.choices]:
            raise ValidationError(_("Choose another time."))


class WeekOffForm(WeekChoice, ReasonForm):
    """The week in which a group has no lessons, and why."""

    def __init__(self, weeks: Sequence[Week], suggestions: list[str], **kwargs: Any) -> None:
        super().__init__(suggestions, **kwargs)
        self.list_weeks(weeks)
