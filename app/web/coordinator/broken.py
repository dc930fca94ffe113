"""The rules that a place by hand would break, in the words of a coordinator."""

from __future__ import annotations

from app.i18n import _, page_locale
from app.models import Channel
from app.services.examining import Examination, Rule
from app.web.coordinator import words


def sentence(rule: Rule, examined: Examination, channels: dict[str, Channel]) -> str:
    """What one broken rule means here, with the names that it is about."""
    request = examined.requests[0]
    values = {
        "tutor": examined.tutor.name,
        "subject": request.subject.name_in(page_locale()),
        "level": request.level.code,
        "channel": channels[examined.place.channel or ""].name_in(page_locale()),
        "time": times(examined),
    }
    return _sentences(values)[rule]


def times(examined: Examination) -> str:
    """The weekly starts of a place: "Monday 18:00"."""
    if examined.place.starts is None:
        return words.weekly_start(None)
    return _(", ").join(words.weekly_start(start) for start in examined.place.starts)


def _sentences(values: dict[str, str]) -> dict[Rule, str]:
    return _stops(values) | {
        Rule.NOT_TAUGHT: _("%(tutor)s does not teach %(subject)s at level %(level)s.", **values),
        Rule.VETOED: _("%(tutor)s was ruled out for this pupil.", **values),
        Rule.NEEDS: _("%(tutor)s does not meet what the pupil needs.", **values),
        Rule.TUTOR_CHANNEL: _("%(tutor)s does not hold lessons this way: %(channel)s.", **values),
        Rule.FAMILY_CHANNEL: _("The family can't be reached this way: %(channel)s.", **values),
        Rule.TUTOR_LANGUAGE: _("%(tutor)s does not teach in this language.", **values),
        Rule.FAMILY_LANGUAGE: _("The family does not speak this language."),
        Rule.TUTOR_HOURS: _("Outside the hours of %(tutor)s: %(time)s.", **values),
        Rule.FAMILY_HOURS: _("The family's telephone is not at home then: %(time)s.", **values),
        Rule.HOURS_UNKNOWN: _(
            "The times of one side are still to be agreed by telephone: ask before you set one."
        ),
        Rule.GRID: _("Lessons begin at other minutes of the hour: %(time)s.", **values),
        Rule.LESSONS: _("The pupil asks for another number of lessons a week."),
        Rule.TOO_MANY: _("%(tutor)s does not give that many lessons a week.", **values),
    }


def _stops(values: dict[str, str]) -> dict[Rule, str]:
    return {
        Rule.NOT_WAITING: _("This request does not wait for a place."),
        Rule.CONSENT: _("The guardian's consent to lessons is missing."),
        Rule.GROUP_CONSENT: _("The guardian's consent to groups is missing."),
        Rule.NOT_VETTED: _("%(tutor)s is not vetted.", **values),
        Rule.OTHER_GROUP: _("The group learns another subject, or at another level."),
        Rule.GROUP_FULL: _("The group is full for the way it is held: %(channel)s.", **values),
        Rule.TUTOR_BUSY: _("%(tutor)s has another lesson then: %(time)s.", **values),
        Rule.PHONE_BUSY: _("The family's telephone is in another lesson then: %(time)s.", **values),
        Rule.PUPIL_BUSY: _("The pupil has another lesson then: %(time)s.", **values),
        Rule.NO_TIME: _("A weekly time is missing: both sides gave their hours."),
    }
