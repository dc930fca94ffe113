"""Why something ended or was cancelled: the program's own reasons in the reader's words.

They are stored in English, and shown on pages and in exports in the language of whoever reads.
"""

from __future__ import annotations

from app.i18n import _
from app.services.changes import FAMILY_CANT
from app.services.ending import NOBODY_LEFT, VETTING_OVER
from app.services.family_children import FAMILY_STOPPED
from app.services.flags import LESSONS_NOT_HELD
from app.services.school_calendar import REASONS
from app.services.substitution import NOBODY_FREE
from scheduler.calendar import Ban


def reason_in_words(stored: str) -> str:
    """A reason as it was given; the program's own in the reader's words."""
    if stored == NOBODY_LEFT:
        return _("no pupil is left in the group")
    if stored in (FAMILY_CANT, FAMILY_STOPPED):
        return _("the family can’t, or wants no more")
    if stored == VETTING_OVER:
        return _("the volunteer’s vetting is over")
    if stored == NOBODY_FREE:
        return _("nobody could give the lesson")
    if stored == LESSONS_NOT_HELD:
        return _("three lessons in a row were not held")
    return next((ban_in_words(why) for why, text in REASONS.items() if text == stored), stored)


def ban_in_words(why: Ban) -> str:
    """Why the calendar allows no lesson."""
    return {
        Ban.OUTSIDE_TERMS: _("no lessons are held outside the terms"),
        Ban.DAY_OFF: _("no lessons are held on this day off"),
        Ban.EXAMS: _("no lessons are held in these weeks of exams"),
        Ban.BLACKOUT: _("no lessons are held at this hour in Ramadan"),
        Ban.NOT_DOUBLED: _("lessons are not doubled in these weeks of exams any more"),
    }[why]
