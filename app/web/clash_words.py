"""What stands against a time, in the reader's words."""

from __future__ import annotations

from app.i18n import _
from app.services.clashes import Clash


def clash(one: Clash) -> str:
    """A sentence for coordinators."""
    return {
        Clash.TOO_SOON: _("That is too soon: nobody could be told in time."),
        Clash.NO_LESSONS: _("The programme’s calendar has no lessons then."),
        Clash.TUTOR_AWAY: _("The volunteer has days off then."),
        Clash.TUTOR_BUSY: _("The volunteer has another lesson then."),
        Clash.PUPIL_BUSY: _("A pupil has another lesson then."),
        Clash.PHONE_BUSY: _("A family’s telephone is in another lesson then."),
        Clash.TOO_FAR: _("That is more than a week from the lesson’s own day."),
        Clash.NIGHT: _("Lessons are held between 07:00 and 22:00."),
        Clash.TUTOR_HOURS: _("That is outside the volunteer’s hours."),
        Clash.FAMILY_HOURS: _("A family’s telephone is not at home then."),
    }[one]


def clash_for_tutor(one: Clash) -> str:
    """A sentence for the volunteer whose lesson it is."""
    own = {
        Clash.TUTOR_AWAY: _("You have days off then."),
        Clash.TUTOR_BUSY: _("You have another lesson then."),
        Clash.TUTOR_HOURS: _("That is outside the hours that you gave."),
    }
    return own.get(one) or clash(one)
