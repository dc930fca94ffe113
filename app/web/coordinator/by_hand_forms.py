"""Forms for places by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Form, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp

from app.i18n import _, _l, page_locale, weekday_name
from app.models import DAYS, Tutor, TutoringRequest
from app.services.free_text import LONGEST_REASON
from app.services.people import read_catalogue


class TakeOutForm(FlaskForm):
    """Why a pupil leaves a group, and whether for good."""

    reason = StringField(
        _l("Why?"),
        [
            InputRequired(_l("Say why.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )
    rule_out = BooleanField(_l("Never put this pupil with this volunteer again"))


def times_form(lessons: int, given: Mapping[str, str] | None = None) -> Form:
    """A day and an hour for each weekly lesson."""
    return _form(_times(lessons, required=True), given)


def new_group_form(
    request: TutoringRequest,
    teaching: Iterable[Tutor],
    others: Iterable[Tutor],
    given: Mapping[str, str] | None = None,
) -> Form:
    """A volunteer, a way, a language, and times that may be left to be agreed."""
    catalogue = read_catalogue()
    home = request.pupil.household
    ways = {row.channel for row in home.channels}
    speaks = {row.language for row in home.languages}
    channels = sorted(
        (row for row in catalogue.channels.values() if row.variant_of is None and not row.retired),
        key=lambda row: (row.code not in ways, row.rank),
    )
    languages = sorted(
        (row for row in catalogue.languages.values() if not row.retired),
        key=lambda row: (row.code not in speaks, row.rank),
    )
    fields: dict[str, Any] = {
        "tutor": SelectField(
            _l("Volunteer"),
            [InputRequired(_l("Choose a volunteer."))],
            choices=[
                SelectChoice(""),
                *(_of(row, _("Teach this")) for row in teaching),
                *(_of(row, _("All others")) for row in others),
            ],
            validate_choice=False,
        ),
        "channel": _select(_l("How"), [(row.code, _name(row)) for row in channels]),
        "language": _select(_l("Language"), [(row.code, _name(row)) for row in languages]),
    }
    return _form(fields | _times(request.lessons_per_week, required=False), given)


def starts_of(form: Form) -> list[list[str]] | None:
    """The weekly starts that were given; None where all are left to be agreed."""
    days = [field.data for name, field in form._fields.items() if name.startswith("day")]
    times = [field.data for name, field in form._fields.items() if name.startswith("time")]
    given = [[day, time] for day, time in zip(days, times, strict=True) if time]
    return given or None


def _times(lessons: int, *, required: bool) -> dict[str, Any]:
    hour = Regexp("^([01][0-9]|2[0-3]):[0-5][0-9]$", message=_l("Give an hour such as 18:30."))
    rules = [InputRequired(_l("Give an hour such as 18:30.")), hour]
    days = [(code, weekday_name(day)) for day, code in enumerate(DAYS)]
    fields: dict[str, Any] = {}
    for number in range(1, lessons + 1):
        day, time = _l("Day"), _l("Hour")
        if lessons > 1:
            day = _l("Day of lesson %(number)s", number=number)
            time = _l("Hour of lesson %(number)s", number=number)
        fields[f"day{number}"] = _select(day, days)
        fields[f"time{number}"] = StringField(time, rules if required else [Optional(), hour])
    return fields


def _select(label: Any, choices: list[tuple[str, str]]) -> Any:
    # What nobody could choose is refused by the service, which says so in words.
    options = [SelectChoice(value, text) for value, text in choices]
    return SelectField(label, choices=options, validate_choice=False)


def _of(tutor: Tutor, optgroup: str) -> SelectChoice:
    return SelectChoice(str(tutor.id), tutor.name, optgroup=optgroup)


def _form(fields: dict[str, Any], given: Mapping[str, str] | None) -> Form:
    """A form that only looks: the page after it carries the token that a change needs."""
    form: Form = type("PlaceForm", (Form,), fields)(given)
    return form


def _name(row: Any) -> str:
    return str(row.name_in(page_locale()))
