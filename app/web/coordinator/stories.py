"""What was done to a group and its lessons, in words."""

from __future__ import annotations

from datetime import date, datetime

from app.i18n import _, format_day, format_weekday, ngettext
from app.models import AuditEntry
from app.services.masking import shown_name
from app.services.reasons import reason_in_words
from app.services.timetable import GroupStory
from app.web.coordinator import labels, words
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
            return _("ended the group: %(reason)s", reason=reason_in_words(act.detail["reason"]))
        case "close_flag":
            return _("took care of missed lessons: %(reason)s", reason=act.detail["reason"])
        case "place_by_hand":
            return _overruled(
                _("offered a place by hand to %(names)s", names=_names(act, story)), act
            )
        case "make_group":
            return _overruled(
                _("offered the group by hand, for %(names)s", names=_names(act, story)), act
            )
        case "take_out":
            return _taken_out(act, story)
        case "agree_times":
            starts = [words.weekly_start(start) for start in act.detail["starts"]]
            return _overruled(_("set the weekly times: %(times)s", times=_(", ").join(starts)), act)
        case "pin":
            return _("kept the place of %(names)s for the next matching", names=_names(act, story))
        case "unpin":
            return _("no longer kept the place of %(names)s", names=_names(act, story))
        case "veto":
            return _(
                "ruled out %(names)s with this volunteer: %(reason)s",
                names=_names(act, story),
                reason=act.detail["reason"],
            )
        case "unveto":
            return _("let %(names)s be with this volunteer again", names=_names(act, story))
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
        case "move_lesson":
            return _overruled(
                _(
                    "moved the lesson of %(day)s to %(other)s",
                    day=_moment(act.detail["from"]),
                    other=_moment(act.detail["to"]),
                ),
                act,
            )
        case "restore_lesson":
            return _("put the lesson of %(day)s back", day=_day(act, story))
        case "ask_for_time":
            return _("asked for another time: %(other)s", other=_moment(act.detail["at"]))
        case "find_substitute":
            return _(
                "can't give the lesson of %(day)s: %(reason)s",
                day=_day(act, story),
                reason=act.detail["reason"],
            )
        case "move_group":
            starts = [words.weekly_start(start) for start in act.detail["starts"]]
            return _overruled(
                _("moved the group for good: %(times)s", times=_(", ").join(starts)), act
            )
        case "cancel_week":
            day = format_day(date.fromisoformat(act.detail["week"]))
            return _("cancelled the lessons of the week from %(day)s", day=day)
        case "move_with_tz_data":
            return _(
                "set the lesson of %(day)s right after new time zone data", day=_day(act, story)
            )
    return labels.act(act.action)


def _taken_out(act: AuditEntry, story: GroupStory) -> str:
    values = {"names": _names(act, story), "reason": act.detail["reason"]}
    if act.detail["ruled_out"]:
        return _("took out %(names)s, for good: %(reason)s", **values)
    return _("took out %(names)s: %(reason)s", **values)


def _overruled(text: str, act: AuditEntry) -> str:
    """With how many rules were overruled for it."""
    number = len(act.detail.get("overruled", ()))
    if not number:
        return text
    rules = ngettext("%(num)s rule overruled", "%(num)s rules overruled", number)
    return f"{text} ({rules})"


def _names(act: AuditEntry, story: GroupStory) -> str:
    """The pupils whom it was about, as the reader may know them."""
    entry = story.entry
    pupils = {seat.request.pupil_id: seat.request.pupil for seat in entry.group.memberships}
    return _(", ").join(
        str(shown_name(pupils[number], entry.scope)) for number in act.pupil_ids if number in pupils
    )


def _moment(wall: str) -> str:
    """A wall time as acts keep it."""
    moment = datetime.fromisoformat(wall)
    return f"{format_weekday(moment)} {moment:%H:%M}"


def _day(act: AuditEntry, story: GroupStory) -> str:
    return format_weekday(story.lesson_starts[int(act.subject.partition(":")[2])])
