"""What the volunteers' pages say of ways to meet, outcomes and lengths of time."""

from __future__ import annotations

from app.i18n import _, ngettext
from app.models import Channel, LessonState


def how_to_meet(channel: Channel, pupils: int) -> str:
    """What a volunteer does when the lesson begins, for `pupils` children at once."""
    match channel.variant_of or channel.code:
        case "call":
            return _("You call this number when the lesson begins.")
        case "whatsapp" if pupils > 1:
            return _("You start a WhatsApp group call with these numbers when the lesson begins.")
        case "whatsapp":
            return _("You call this number on WhatsApp when the lesson begins.")
        case "video" if pupils > 1:
            return _("You send the same link to a video call to these numbers, a little before.")
        case "video":
            return _("You send the link to a video call to this number, a little before.")
        case "in_person":
            return _(
                "You meet where the coordinator arranged it. Call this number if you are late."
            )
    return _("Agree with the family by this number how you meet.")


def lesson_state(state: LessonState) -> tuple[str, str]:
    """(words, kind of tag) for how a lesson went."""
    return {
        LessonState.PLANNED: (_("not noted yet"), "warn"),
        LessonState.HELD: (_("held"), "good"),
        LessonState.PUPIL_ABSENT: (_("pupil absent"), "neutral"),
        LessonState.NOT_HELD: (_("not held"), "neutral"),
        LessonState.CANCELLED: (_("cancelled"), "warn"),
    }[state]


def duration(minutes: int) -> str:
    """A length of time, such as "12 hours 30 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = []
    if hours or not rest:
        parts.append(ngettext("%(num)s hour", "%(num)s hours", hours))
    if rest:
        parts.append(ngettext("%(num)s minute", "%(num)s minutes", rest))
    return " ".join(parts)
