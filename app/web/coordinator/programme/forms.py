"""Forms of the programme's settings."""

from __future__ import annotations

from math import isfinite

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FloatField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.csrf.core import CSRFTokenField
from wtforms.validators import (
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    ValidationError,
)

from app.i18n import _, _l
from app.services.programme import GRIDS, LONGEST_LESSON, SHORTEST_LESSON
from app.services.programme_lists import LARGEST_GROUP, MOST_COST, MOST_WEIGHT, Exam, Names
from app.web.fields import DayField

_LONGEST_SPELLINGS = 4000


def _name(label: str) -> StringField:
    return StringField(
        label,
        [
            InputRequired(_l("Give the name in all three languages.")),
            Length(max=80, message=_l("A name has at most 80 letters.")),
        ],
    )


class EntryForm(FlaskForm):
    """What an entry of a list is called."""

    name_fr = _name(_l("Name in French"))
    name_ar = _name(_l("Name in Arabic"))
    name_en = _name(_l("Name in English"))
    also = TextAreaField(
        _l("Other spellings in lists, one on each line"),
        [Length(max=_LONGEST_SPELLINGS, message=_l("At most 40 other spellings, please."))],
    )

    @property
    def names(self) -> Names:
        also = tuple(line.strip() for line in (self.also.data or "").splitlines() if line.strip())
        return Names(self.name_fr.data, self.name_ar.data, self.name_en.data, also)


class LevelForm(EntryForm):
    """A level: what it counts, and its exam."""

    weight = IntegerField(
        _l("Weight"),
        [
            InputRequired(_l("The weight is a number from 1 to 100.")),
            NumberRange(1, MOST_WEIGHT, _l("The weight is a number from 1 to 100.")),
        ],
        default=1,
    )
    exam = BooleanField(_l("This level sits an exam"))
    exam_on = DayField(_l("First day of the next exam"), [Optional()])

    @property
    def exam_data(self) -> Exam:
        return Exam(self.weight.data, self.exam.data, self.exam_on.data)


class NewLevelForm(LevelForm):
    """A level that is added."""

    code = StringField(
        _l("Short name"),
        [
            InputRequired(_l("The short name has 1 to 12 Latin letters and digits, such as 2BAC.")),
            Length(
                max=12,
                message=_l("The short name has 1 to 12 Latin letters and digits, such as 2BAC."),
            ),
        ],
    )
    after = SelectField(_l("Comes after"))


class ChannelForm(EntryForm):
    """A way of holding lessons."""

    max_group = IntegerField(
        _l("Most pupils in a group"),
        [
            InputRequired(_l("A group has 1 to 30 pupils.")),
            NumberRange(1, LARGEST_GROUP, _l("A group has 1 to 30 pupils.")),
        ],
    )
    cost = IntegerField(
        _l("Cost"),
        [
            InputRequired(_l("The cost is a number from 0 to 100.")),
            NumberRange(0, MOST_COST, _l("The cost is a number from 0 to 100.")),
        ],
    )


class DegreesField(FloatField):
    """Degrees on a map, with a point or a comma; may be left empty."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not any(value.strip() for value in valuelist):
            self.data = None
            return
        try:
            super().process_formdata([value.replace(",", ".") for value in valuelist])
        except ValueError:
            raise ValueError(_("Give degrees as a number, such as 32.88.")) from None
        if self.degrees is not None and not isfinite(self.degrees):
            raise ValueError(_("Give degrees as a number, such as 32.88."))

    @property
    def degrees(self) -> float | None:
        """What was given; None where nothing was."""
        return self.data


class ZoneForm(FlaskForm):
    """A zone's names, and where it lies."""

    name = StringField(
        _l("Name"),
        [
            InputRequired(_l("Give the zone's name, with letters.")),
            Length(max=80, message=_l("A name has at most 80 letters.")),
        ],
    )
    name_ar = StringField(
        _l("Name in Arabic letters"),
        [Optional(), Length(max=80, message=_l("A name has at most 80 letters."))],
    )

    latitude = DegreesField(_l("Latitude, degrees north"))
    longitude = DegreesField(_l("Longitude, degrees east"))

    def validate_longitude(self, field: DegreesField) -> None:
        alone = (field.degrees is None) != (self.latitude.degrees is None)
        if alone and not self.latitude.errors:
            raise ValidationError(_l("Give both degrees, or neither."))

    @property
    def where(self) -> tuple[float, float] | None:
        latitude, longitude = self.latitude.degrees, self.longitude.degrees
        return None if latitude is None or longitude is None else (latitude, longitude)


class KnownZoneForm(ZoneForm):
    """A zone that is there."""

    listed = BooleanField(_l("Families may choose it when they ask for help"))


class MergeForm(FlaskForm):
    """Which zone takes another one over."""

    into = SelectField(_l("The zone that stays"), coerce=int)


class DaysForm(FlaskForm):
    """From which day to which; both are part of it."""

    first_day = DayField(_l("First day"), [InputRequired(_l("Give the first day."))])
    last_day = DayField(_l("Last day"), [InputRequired(_l("Give the last day."))])

    @property
    def values(self) -> list[tuple[str, str]]:
        """What was sent, for a page in between to send again."""
        sent: list[tuple[str, str]] = []
        for field in self:
            if not isinstance(field, CSRFTokenField) and field.data not in (None, False):
                several = field.data if isinstance(field.data, list) else [field.data]
                sent += [(field.name, str(value)) for value in several]
        return sent


class TermForm(DaysForm):
    """A term."""

    name = StringField(
        _l("Name"),
        [
            InputRequired(_l("Give the term a name of at most 80 letters.")),
            Length(max=80, message=_l("Give the term a name of at most 80 letters.")),
        ],
    )


class DayOffForm(DaysForm):
    """School holidays."""

    name_fr = StringField(
        _l("Name"),
        [
            InputRequired(_l("Give the days off a name of at most 80 letters.")),
            Length(max=80, message=_l("Give the days off a name of at most 80 letters.")),
        ],
    )
    name_ar = StringField(
        _l("Name in Arabic"), [Length(max=80, message=_l("A name has at most 80 letters."))]
    )
    name_en = StringField(
        _l("Name in English"), [Length(max=80, message=_l("A name has at most 80 letters."))]
    )


class PeriodForm(DaysForm):
    """Weeks in which lessons are held otherwise."""

    name = StringField(
        _l("Name"),
        [
            InputRequired(_l("Give the period a name of at most 80 letters.")),
            Length(max=80, message=_l("Give the period a name of at most 80 letters.")),
        ],
    )


def _hour(label: str) -> StringField:
    return StringField(
        label,
        [
            InputRequired(_l("Give an hour such as 18:30.")),
            Regexp(
                "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", message=_l("Give an hour such as 18:30.")
            ),
        ],
    )


class RamadanForm(PeriodForm):
    """Ramadan, with the hours around the breaking of the fast."""

    blackout_from = _hour(_l("No lessons from"))
    blackout_until = _hour(_l("until"))

    @property
    def blackout(self) -> tuple[int, int]:
        begins, ends = self.blackout_from.data, self.blackout_until.data
        return 60 * int(begins[:2]) + int(begins[3:]), 60 * int(ends[:2]) + int(ends[3:])


class ExamsForm(PeriodForm):
    """Weeks of exams; no level ticked means all."""

    effect = RadioField(
        _l("In these weeks"),
        choices=[
            SelectChoice("suspend", _l("there are no lessons")),
            SelectChoice("double", _l("groups meet twice as often")),
        ],
        validators=[InputRequired(_l("Choose what becomes of lessons in these weeks."))],
    )
    levels = SelectMultipleField(_l("Levels"), coerce=int)


class MatchingForm(FlaskForm):
    """How long lessons are, and when they may start."""

    lesson_minutes = IntegerField(
        _l("Length of a lesson, in minutes"),
        [
            InputRequired(_l("A lesson lasts 15 to 240 minutes, in steps of five.")),
            NumberRange(
                SHORTEST_LESSON,
                LONGEST_LESSON,
                _l("A lesson lasts 15 to 240 minutes, in steps of five."),
            ),
        ],
    )
    start_every = SelectField(
        _l("Lessons may start"),
        coerce=int,
        choices=[
            SelectChoice(minutes, text)
            for minutes, text in zip(
                GRIDS,
                (_l("every quarter of an hour"), _l("every half hour"), _l("every hour")),
                strict=True,
            )
        ],
    )


class WordingForm(FlaskForm):
    """A wording of a message."""

    body = TextAreaField(_l("Text"))
