"""Hours of the day and weekly times as people type them into forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional, Regexp, ValidationError

from app.i18n import _, _l, format_weekday, weekday_name
from app.models import DAYS
from app.services.weeks import Week

HOUR = Regexp("^([01][0-9]|2[0-3]):[0-5][0-9]$", message=_l("Give an hour such as 18:30."))


def read_hour(text: str) -> time | None:
    """An hour such as 18:30; None for anything else."""
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def times_form(lessons: int, given: Mapping[str, str] | None = None) -> Form:
    """A day and an hour for each weekly lesson."""
    return looking_form(times_fields(lessons, required=True), given)


def starts_of(form: Form) -> list[list[str]] | None:
    """The weekly starts that were given; None where all are left to be agreed."""
    days = [field.data for name, field in form._fields.items() if name.startswith("day")]
    times = [field.data for name, field in form._fields.items() if name.startswith("time")]
    given = [[day, time] for day, time in zip(days, times, strict=True) if time]
    return given or None


def times_fields(lessons: int, *, required: bool) -> dict[str, Any]:
    """The fields of `times_form`."""
    rules = [InputRequired(_l("Give an hour such as 18:30.")), HOUR]
    days = [(code, weekday_name(day)) for day, code in enumerate(DAYS)]
    fields: dict[str, Any] = {}
    for number in range(1, lessons + 1):
        day, hour = _l("Day"), _l("Hour")
        if lessons > 1:
            day = _l("Day of lesson %(number)s", number=number)
            hour = _l("Hour of lesson %(number)s", number=number)
        fields[f"day{number}"] = select_field(day, days)
        fields[f"time{number}"] = StringField(hour, rules if required else [Optional(), HOUR])
    return fields


def select_field(label: Any, choices: list[tuple[str, str]]) -> Any:
    """A list to choose from, as (value, text)."""
    # What nobody could choose is refused by the service, which says so in words.
    options = [SelectChoice(value, text) for value, text in choices]
    return SelectField(label, choices=options, validate_choice=False)


def looking_form(fields: dict[str, Any], given: Mapping[str, str] | None) -> Form:
    """A form that only looks: the page after it carries the token that a change needs."""
    form: Form = type("PlaceForm", (Form,), fields)(given)
    return form


def week_name(week: Week) -> str:
    """A week by the days and hours of its lessons."""
    return _("; ").join(
        f"{format_weekday(lesson.wall_start)}{_(', ')}{lesson.wall_start:%H:%M}"
        for lesson in week.lessons
    )


class WeekChoice(FlaskForm):
    """A form that asks for one of the weeks that it lists."""

    week = RadioField(_l("Which week?"), choices=[], validate_choice=False)

    def list_weeks(self, listed: Iterable[Week]) -> None:
        """Offer these; to be called before the form is validated."""
        self.week.choices = [SelectChoice(str(week.monday), week_name(week)) for week in listed]

    @property
    def monday(self) -> date:
        return date.fromisoformat(self.week.data)

    def validate_week(self, _field: RadioField) -> None:
        if self.week.data not in [choice.value for choice in self.week.choices]:
            raise ValidationError(_("Choose one of the weeks."))
