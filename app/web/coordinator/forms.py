"""Forms of the coordinators' pages."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.i18n import _l
from app.services.free_text import LONGEST_REASON
from app.services.runs import (
    LARGEST_SEED,
    LONGEST_SECONDS,
    MOST_ITERATIONS,
    MOST_MOVES,
    SHORTEST_SECONDS,
)


class StartRunForm(FlaskForm):
    """How a match run is to search."""

    seconds = IntegerField(
        _l("How long to search, in seconds"),
        [
            InputRequired(_l("Give a number of seconds.")),
            NumberRange(
                SHORTEST_SECONDS,
                LONGEST_SECONDS,
                _l("Give the search between 5 and 3600 seconds."),
            ),
        ],
    )
    seed = IntegerField(
        _l("Seed"),
        [
            InputRequired(_l("Give a whole number; 0 will do.")),
            NumberRange(0, LARGEST_SEED, _l("The seed is a whole number from 0 to 2147483647.")),
        ],
        default=0,
    )
    iterations = IntegerField(
        _l("Number of steps, for a run that can be repeated exactly"),
        [
            Optional(),
            NumberRange(1, MOST_ITERATIONS, _l("The number of steps is between 1 and 1000000.")),
        ],
    )


class StartRepairForm(FlaskForm):
    """How much a repair may change for those who have a place."""

    may_move = IntegerField(
        _l("How many families may get another volunteer or time"),
        [
            InputRequired(_l("Give a whole number; 0 will do.")),
            NumberRange(
                0, MOST_MOVES, _l("The number of families who may move is between 0 and 100.")
            ),
        ],
        default=0,
    )


class DepartureForm(FlaskForm):
    """Why a volunteer pauses or leaves."""

    reason = StringField(
        _l("Why?"),
        [
            InputRequired(_l("Say why.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )


class RuleOutForm(FlaskForm):
    """Why a volunteer and a pupil are not to be put together."""

    reason = StringField(
        _l("Why not together?"),
        [
            InputRequired(_l("Say why.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )


class DeclineForm(FlaskForm):
    """Why a volunteer declines."""

    reason = StringField(
        _l("What the volunteer gave as the reason"),
        [
            InputRequired(_l("Say why the group is declined.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )


class EndGroupForm(FlaskForm):
    """Why a group ends."""

    why = StringField(
        _l("Why it ends"),
        [
            InputRequired(_l("Say why the group ends.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )


class CancelLessonForm(FlaskForm):
    """Why a lesson is cancelled."""

    reason = StringField(
        _l("Why?"),
        [
            InputRequired(_l("Say why the lesson is cancelled.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )
