"""What was done to a group and its lessons, in words."""

from __future__ import annotations

from datetime import datetime

from app.i18n import _, format_weekday, ngettext
from app.models import AuditEntry
from app.services.timetable import GroupStory
from app.web.coordinator import labels
from scheduler import clock


def waiting_for(since: datetime) -> str:
    """How long an offer has waited for its answer."""
    days = (clock.now() - since).days
    if days == 0:
        return _("since today")
    return ngettext("for %(num)s day", "for %(num)s days", days)


def who(act: AuditEntry, story: GroupStory) -> str:
    """Who did it; the group's volunteer by name."""
    tutor = story.entry.group.tutor
    if act.coordinator is not None:
        return act.coordinator.name
    return tutor.name if act.detail.get("tutor") == tutor.id else labels.actor(act)


def what(act: AuditEntry, story: GroupStory) -> str:
    """What they did, as a sentence that follows their name."""
    children = len(act.pupil_ids)
    pupils = ngettext("%(num)s pupil", "%(num)s pupils", children)
    by_coordinator = act.coordinator is not None
    match act.action:
        case "publish_run":
            return _("offered it with %(run)s", run=labels.acted_on(act.subject))
        case "undo_publication":
            return _("took the offer back, with %(run)s", run=labels.acted_on(act.subject))
        case "accept_group" if by_coordinator:
            return _("recorded the volunteer's yes (%(pupils)s)", pupils=pupils)
        case "accept_group":
            return _("said yes (%(pupils)s)", pupils=pupils)
        case "decline_group" if by_coordinator:
            return _("recorded the volunteer's no (%(pupils)s)", pupils=pupils)
        case "decline_group":
            return _("said no (%(pupils)s)", pupils=pupils)
        case "end_group":
            return _("ended the group: %(reason)s", reason=labels.reason(act.detail["reason"]))
        case "move_seats":
            run = labels.acted_on(f"run:{act.detail['run']}")
            return _("ended places with %(run)s (%(pupils)s)", run=run, pupils=pupils)
        case "end_seats":
            return _(
                "ended places that consent or request no longer allow (%(pupils)s)", pupils=pupils
            )
        case "cancel_lesson":
            return _(
                "cancelled the lesson of %(day)s: %(reason)s",
                day=_day(act, story),
                reason=act.detail["reason"],
            )
        case "move_with_tz_data":
            return _(
                "set the lesson of %(day)s right after new time zone data", day=_day(act, story)
            )
    return labels.act(act.action)


def _day(act: AuditEntry, story: GroupStory) -> str:
    return format_weekday(story.lesson_starts[int(act.subject.partition(":")[2])])
