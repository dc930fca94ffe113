"""Forms for places by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Form, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from app.i18n import _, _l, page_locale
from app.models import Tutor, TutoringRequest
from app.services.free_text import LONGEST_REASON
from app.services.people import read_catalogue
from app.web.times import looking_form, select_field, times_fields


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
        "channel": select_field(_l("How"), [(row.code, _name(row)) for row in channels]),
        "language": select_field(_l("Language"), [(row.code, _name(row)) for row in languages]),
    }
    return looking_form(fields | times_fields(request.lessons_per_week, required=False), given)


def _of(tutor: Tutor, optgroup: str) -> SelectChoice:
    return SelectChoice(str(tutor.id), tutor.name, optgroup=optgroup)


def _name(row: Any) -> str:
    return str(row.name_in(page_locale()))
