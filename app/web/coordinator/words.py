"""What a run found, in the words of a coordinator."""

from __future__ import annotations

from typing import Any

from app.i18n import _, apart, ngettext, page_locale, weekday_name
from app.models import MatchRun, Pin, RunState, TutoringRequest, UnservedRequest
from app.models.weekly import DAYS
from app.services.comparing import Comparison, Names, Standing
from app.services.people import Catalogue
from app.services.pins import Unused
from app.services.proposals import (
    ImpossiblePin,
    LevelFigures,
    Place,
    Proposal,
    Recruit,
    WindowMove,
)
from app.services.publishing import Publication

NAMES_SHOWN = 3


def weekly_start(start: list[Any] | None) -> str:
    """A weekly start such as "Wednesday 18:30"; a time still to be agreed says so."""
    if start is None:
        return _("time to be agreed")
    return f"{weekday_name(DAYS.index(start[0]))} {start[1]}"


def weekly_window(window: list[str]) -> str:
    """A weekly window such as "Saturday 10:00-11:00"."""
    return f"{weekday_name(DAYS.index(window[0]))} {window[1]}–{window[2]}"


def reason(entry: UnservedRequest, proposal: Proposal) -> str:
    """Why a request is left waiting: the first thing that stands in its way."""
    request = entry.request
    values = {
        "subject": request.subject.name_in(page_locale()),
        "level": request.level.code,
    }
    if entry.reason == "taken":
        return _taken(entry.detail, proposal)
    return {
        "no_tutor": _("No vetted volunteer teaches %(subject)s at level %(level)s.", **values),
        "needs_unmet": _("No volunteer for %(subject)s meets what the pupil needs.", **values),
        "no_common_channel": _(
            "The volunteers for %(subject)s at level %(level)s use none of the family's ways of "
            "being reached.",
            **values,
        ),
        "no_common_language": _(
            "The volunteers for %(subject)s at level %(level)s speak none of the family's "
            "languages.",
            **values,
        ),
        "too_few_lessons": _(
            "No volunteer for %(subject)s at level %(level)s gives as many lessons a week as this "
            "pupil asks.",
            **values,
        ),
        "no_common_time": _(
            "No volunteer for %(subject)s at level %(level)s is free while the family's telephone "
            "is at home.",
            **values,
        ),
        "vetoed": _("Every volunteer who could teach this pupil was ruled out."),
        "phone_busy": _(
            "At every possible time the family's telephone is in another of its lessons."
        ),
    }[entry.reason]


def _taken(detail: dict[str, Any], proposal: Proposal) -> str:
    holders = [proposal.requests[int(name[1:])] for name in detail["held_by"]]
    text = _("Every possible place is taken: by %(names)s.", names=_names(holders))
    if detail["exchange"] is None:
        return text + " " + _("No single volunteer could take this pupil in exchange for others.")
    leaving = [proposal.requests[int(name[1:])] for name in detail["exchange"]["out"]]
    return (
        text
        + " "
        + _("The smallest exchange: %(names)s would lose the place.", names=_names(leaving))
    )


def impossible_pin(pin: ImpossiblePin) -> str:
    """Which place could not be kept, and why; of one that a coordinator wanted, who that was."""
    why = {
        "group_full": _("the group has too many pupils for the way it is held"),
        "tutor_busy": _("the volunteer has another lesson at that time"),
        "phone_busy": _("the family's telephone is in another lesson at that time"),
        "too_many_lessons": _("the volunteer no longer gives that many lessons a week"),
        "not_taught": _("the volunteer no longer teaches this subject at this level"),
        "vetoed": _("the volunteer was ruled out for this pupil"),
        "members_differ": _("the pupils of the group no longer want the same"),
        "not_found": _("it fits with none of the others"),
    }[pin.why]
    text = _(
        "%(pupil)s with %(tutor)s: %(why)s",
        pupil=_names([pin.request]),
        tutor=pin.tutor.name,
        why=why,
    )
    text += f" ({_names(pin.beside)})" if pin.beside else ""
    if pin.by is not None:
        text += " " + _("Kept by %(name)s.", name=pin.by.name)
    return text


def comparison(found: Comparison) -> str:
    """What would change for pupils and families, in one line."""
    parts = [
        ngettext("%(num)s new pupil served", "%(num)s new pupils served", found.new_pupils),
        ngettext("%(num)s family moved", "%(num)s families moved", found.families_moved),
        ngettext("%(num)s loses a place", "%(num)s lose their place", found.losing_pupils),
    ]
    if found.further_pupils:
        parts.insert(
            1,
            ngettext(
                "%(num)s pupil served in one more subject",
                "%(num)s pupils served in one more subject",
                found.further_pupils,
            ),
        )
    return _(", ").join(parts)


def changed_groups(found: Comparison) -> str:
    """How many groups are new, joined, or not there any more."""
    return _(", ").join(
        [
            ngettext("%(num)s new group", "%(num)s new groups", found.new_groups),
            ngettext("%(num)s group joined", "%(num)s groups joined", found.joined_groups),
            ngettext("%(num)s group ends", "%(num)s groups end", found.ended_groups),
        ]
    )


def side(place: Standing, names: Names) -> str:
    """Whom with, when and how, on one side of a comparison."""
    starts = [weekly_start(None if start is None else list(start)) for start in place.starts]
    channel = names.channels[place.channel].name_in(page_locale())
    tutor = names.tutors.get(place.tutor_id)
    return _(", ").join([apart(tutor.name) if tutor else "–", *starts, channel])


def pinned_place(pin: Pin, catalogue: Catalogue) -> str:
    """When and how a kept place is; what it leaves open is not said."""
    parts = [weekly_start(start) for start in pin.starts or ()]
    if pin.channel is not None:
        parts.append(catalogue.channels[pin.channel].name_in(page_locale()))
    if pin.language is not None:
        parts.append(catalogue.languages[pin.language].name_in(page_locale()))
    return _(", ").join(parts)


def unused(why: Unused) -> str:
    """Why a kept place is not given to a matching as things stand."""
    return {
        Unused.SEATED: _("sits in a group in force, which stays as it is"),
        Unused.REQUEST: _("the request does not wait any more"),
        Unused.CONSENT: _("the guardian's consent to lessons is missing"),
        Unused.GROUP_CONSENT: _("the guardian's consent to groups is missing"),
        Unused.TUTOR: _("the volunteer is not vetted"),
        Unused.LESSONS: _("the pupil asks for another number of lessons a week"),
    }[why]


def chosen_since(pins: int, vetoes: int) -> str:
    """How much was kept or ruled out since a matching was asked for."""
    parts = []
    if pins:
        parts.append(ngettext("%(num)s place kept", "%(num)s places kept", pins))
    if vetoes:
        parts.append(ngettext("%(num)s pair ruled out", "%(num)s pairs ruled out", vetoes))
    return _(", ").join(parts)


def publication(publication: Publication) -> str:
    """What publishing a run would add, and what stays."""
    parts = []
    new_pupils = {
        request.pupil_id
        for addition in publication.additions
        if addition.joins is None
        for request in addition.requests
    }
    joining = {
        request.pupil_id
        for addition in publication.additions
        if addition.joins is not None
        for request in addition.requests
    }
    if publication.new_groups:
        groups = ngettext("%(num)s new group", "%(num)s new groups", publication.new_groups)
        pupils = ngettext("for %(num)s pupil", "for %(num)s pupils", len(new_pupils))
        parts.append(f"{groups} {pupils}")
    if joining:
        parts.append(
            ngettext(
                "%(num)s pupil joins groups in force",
                "%(num)s pupils join groups in force",
                len(joining),
            )
        )
    parts += _leaving(publication)
    if publication.kept:
        parts.append(
            ngettext(
                "%(num)s group stays as it is", "%(num)s groups stay as they are", publication.kept
            )
        )
    return _(", ").join(parts)


def _leaving(publication: Publication) -> list[str]:
    """How many change their place, and how many lose it."""
    added = {request.id for request in publication.added}
    seats = publication.leaving
    moving = {seat.request.pupil_id for seat in seats if seat.request_id in added}
    losing = {seat.request.pupil_id for seat in seats if seat.request_id not in added}
    parts = []
    if moving:
        parts.append(ngettext("%(num)s pupil moves", "%(num)s pupils move", len(moving)))
    if losing:
        parts.append(
            ngettext("%(num)s pupil loses a place", "%(num)s pupils lose a place", len(losing))
        )
    return parts


def outdated() -> str:
    """That a proposal can no longer be published."""
    return _("Groups, pupils or volunteers have changed since this matching. Start another one.")


def _names(requests: list[TutoringRequest]) -> str:
    """The first few pupils with what they learn, and how many more there are."""
    shown = [
        f"{request.pupil.name} ({request.subject.name_in(page_locale())})"
        for request in requests[:NAMES_SHOWN]
    ]
    text = _(", ").join(shown)
    more = len(requests) - NAMES_SHOWN
    if more > 0:
        text += " " + ngettext("and %(num)s more", "and %(num)s more", more)
    return text


def aim(level: LevelFigures) -> str:
    """What one of the four aims of the matching is about."""
    return {
        "weight_served": _("Serve as many as possible, exam classes first"),
        "zones": _("Leave no zone behind"),
        "kept": _("Keep pupils with their former volunteer"),
        "cost": _("Spend volunteers' time and families' money well"),
    }[level.name]


def reached(level: LevelFigures, proposal: Proposal) -> str:
    """What was reached for one aim."""
    if isinstance(level.value, list):
        least = min(level.value, default=0)
        return _("least-served zone: %(percent)s %%", percent=f"{least / 10:.1f}")
    if level.name == "weight_served":
        return _("%(served)s of %(asked)s points", served=level.value, asked=proposal.weight_asked)
    if level.name == "kept":
        return ngettext("%(num)s pupil", "%(num)s pupils", level.value)
    return ngettext("%(num)s point of cost", "%(num)s points of cost", level.value)


def certainty(level: LevelFigures) -> str:
    """How sure it is that nothing better exists, or how much better it could be at most."""
    if level.proved:
        return {
            "weight_served": _("proved: no plan serves more"),
            "zones": _("proved: no plan serves the least-served zones better"),
            "kept": _("proved: no plan keeps more pupils"),
            "cost": _("proved: no plan costs less"),
        }[level.name]
    if level.bound == level.value:
        return _("no plan does better at this aim")
    if isinstance(level.bound, list) and isinstance(level.value, list):
        most, least = min(level.bound, default=0), min(level.value, default=0)
        if most > least:
            return _("at most %(percent)s %% in the least-served zone", percent=f"{most / 10:.1f}")
    elif isinstance(level.bound, int) and isinstance(level.value, int):
        more = abs(level.bound - level.value)
        if level.name == "weight_served":
            return ngettext("at most %(num)s more point", "at most %(num)s more points", more)
        if level.name == "kept":
            return ngettext("at most %(num)s more pupil", "at most %(num)s more pupils", more)
        if level.bound:  # Nought is no bound: nothing costs less than nothing.
            return ngettext("at most %(num)s point less", "at most %(num)s points less", more)
    return _("not proved: a better plan may exist")


def gap(run: MatchRun) -> str:
    """How much more could be served at most, as a share of what the search serves by now."""
    best, bound = run.best_weight, run.bound_weight
    if best is None or bound is None:
        return _("not known yet")
    if best >= bound:
        return _("nothing: no plan serves more")
    if not best:
        return points(bound)
    percent = -(-100 * (bound - best) // best)
    return _("at most %(percent)s %% more", percent=percent)


def recruit(line: Recruit, proposal: Proposal) -> str:
    """Whom it would pay to find next."""
    return _(
        "%(subject)s %(levels)s, %(channel)s, in %(language)s, %(window)s",
        subject=line.subject.name_in(page_locale()),
        levels=_(", ").join(line.levels),
        channel=proposal.channels[line.channel].name_in(page_locale()),
        language=proposal.languages[line.language].name_in(page_locale()),
        window=_(", ").join(weekly_window(window) for window in line.windows),
    )


def window_move(line: WindowMove) -> str:
    """Who would be served if their hours lay elsewhere: "...: Tuesday one hour later"."""
    values = {
        "names": _names(line.requests),
        "day": weekday_name(DAYS.index(line.window[0])),
        "window": weekly_window(line.window),
    }
    if line.moved[1] > line.window[1]:
        return _("%(names)s: %(day)s one hour later (now %(window)s)", **values)
    return _("%(names)s: %(day)s one hour earlier (now %(window)s)", **values)


def place(place: Place, proposal: Proposal) -> str:
    """Whom with, when and how: "Rania Mounir, Monday 18:00, WhatsApp"."""
    starts = [weekly_start(start) for start in place.starts]
    channel = proposal.channels[place.channel].name_in(page_locale())
    return _(", ").join([apart(place.tutor.name), *starts, channel])


def state(run: MatchRun) -> str:
    """The state of a run in a word or two."""
    return {
        RunState.QUEUED: _("waiting"),
        RunState.RUNNING: _("searching"),
        RunState.DONE: _("done"),
        RunState.FAILED: _("failed"),
        RunState.CANCELLED: _("stopped early"),
        RunState.PUBLISHED: _("published"),
        RunState.UNDONE: _("taken back"),
    }[run.state]


def state_kind(run: MatchRun) -> str:
    """How a run's state is coloured."""
    return {
        RunState.DONE: "good",
        RunState.PUBLISHED: "good",
        RunState.FAILED: "bad",
        RunState.CANCELLED: "warn",
    }.get(run.state, "neutral")


def phase(run: MatchRun) -> str:
    """What the search is doing now."""
    return {
        "greedy": _("Making a first plan: first those who are hardest to place"),
        "weight_served": _("Aim 1 of 4: serve as many as possible"),
        "zones": _("Aim 2 of 4: leave no zone behind"),
        "kept": _("Aim 3 of 4: keep pupils with their former volunteer"),
        "cost": _("Aim 4 of 4: spend time and money well"),
        "bound": _("Proving how much is possible at most"),
        "reasons": _("Writing down the reasons"),
        "advice": _("Looking whom to recruit next"),
        "checking": _("Checking every rule once more"),
        "written": _("Putting the plan away"),
        "windows": _("Looking whose hours would help if they moved"),
    }.get(run.phase or "", _("Getting ready"))


def points(weight: int | None) -> str:
    """A weight in words, or that it is not known yet."""
    if weight is None:
        return _("not known yet")
    return ngettext("%(num)s point", "%(num)s points", weight)
