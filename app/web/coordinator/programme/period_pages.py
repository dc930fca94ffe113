"""Ramadan and weeks of exams: set, changed, taken away."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from app.i18n import _, format_minute, page_locale
from app.models import ExamEffect, Level, Period, PeriodKind
from app.security import signed_in_coordinator
from app.services import periods
from app.services.calendar_changes import Outcome
from app.services.errors import Conflict, Invalid
from app.services.people import read_catalogue
from app.services.period_starts import wants_times
from app.services.periods import NewPeriod, RamadanProposal
from app.web.coordinator import blueprint
from app.web.coordinator.programme.confirming import ask_then_change
from app.web.coordinator.programme.forms import ExamsForm, RamadanForm


@blueprint.route("/programme/periods/new/<any(exams,ramadan):kind>", methods=["GET", "POST"])
def programme_add_period(kind: str) -> ResponseReturnValue:
    """Set a Ramadan, as it is calculated unless changed, or weeks of exams."""
    return _edit_ramadan(None) if kind == PeriodKind.RAMADAN else _edit_exams(None)


@blueprint.route("/programme/periods/<int:period_id>", methods=["GET", "POST"])
def programme_period(period_id: int) -> ResponseReturnValue:
    """Change a period, once what this does to lessons has been seen."""
    period = periods.get_period(period_id)
    is_ramadan = period.kind is PeriodKind.RAMADAN
    return _edit_ramadan(period) if is_ramadan else _edit_exams(period)


@blueprint.route("/programme/periods/<int:period_id>/remove", methods=["GET", "POST"])
def programme_remove_period(period_id: int) -> ResponseReturnValue:
    """Ask whether a period goes; then lessons are as they were before it."""
    period = periods.get_period(period_id)
    by = signed_in_coordinator()
    return ask_then_change(
        lambda: periods.preview_removal(period_id),
        lambda agreed: periods.remove_period(period_id, by, agreed=agreed),
        title=_("Take %(name)s away?", name=period.name),
        back=url_for(".programme_calendar"),
        button=_("Take away"),
    )


def _edit_ramadan(period: Period | None) -> ResponseReturnValue:
    proposal = None if period else periods.ramadan_to_set()
    form = RamadanForm(data=_ramadan_data(period, proposal))
    new = None
    if form.validate_on_submit():
        new = NewPeriod(
            PeriodKind.RAMADAN,
            form.name.data,
            form.first_day.data,
            form.last_day.data,
            blackout=form.blackout,
        )
    return _edit(form, new, period, proposal)


def _ramadan_data(period: Period | None, proposal: RamadanProposal | None) -> dict[str, object]:
    if period is not None:
        days, hours = (
            (period.first_day, period.last_day),
            (
                period.blackout_from or 0,
                period.blackout_until or 0,
            ),
        )
        name = period.name
    elif proposal is not None:
        days, hours = proposal.days, proposal.blackout
        name = f"{_('Ramadan')} {proposal.days[0].year}"
    else:
        return {"name": _("Ramadan")}
    return {
        "name": name,
        "first_day": days[0],
        "last_day": days[1],
        "blackout_from": format_minute(hours[0]),
        "blackout_until": format_minute(hours[1]),
    }


def _edit_exams(period: Period | None) -> ResponseReturnValue:
    form = ExamsForm(
        data=None
        if period is None
        else {
            "name": period.name,
            "first_day": period.first_day,
            "last_day": period.last_day,
            "effect": period.effect,
            "levels": period.level_ids,
        }
    )
    form.levels.choices = [SelectChoice(row.id, row.name_in(page_locale())) for row in _levels()]
    new = None
    if form.validate_on_submit():
        new = NewPeriod(
            PeriodKind.EXAMS,
            form.name.data,
            form.first_day.data,
            form.last_day.data,
            effect=ExamEffect(form.effect.data),
            level_ids=form.levels.data or None,
        )
    return _edit(form, new, period, None)


def _levels() -> list[Level]:
    return sorted(read_catalogue().levels.values(), key=lambda row: row.rank)


def _edit(
    form: RamadanForm | ExamsForm,
    new: NewPeriod | None,
    period: Period | None,
    proposal: RamadanProposal | None,
) -> ResponseReturnValue:
    """The form; with a period that was sent, what it does to lessons, and then the change."""
    refused: list[str] = []
    number = None if period is None else period.id
    if new is not None:
        wanted, by = new, signed_in_coordinator()
        stored: list[Period] = []

        def store(agreed: int) -> Outcome:
            row, outcome = periods.store_period(wanted, by, period_id=number, agreed=agreed)
            stored.append(row)
            return outcome

        try:
            return ask_then_change(
                lambda: periods.preview_period(wanted, number),
                store,
                back=url_for(".programme_calendar"),
                then=lambda: _next_page(stored[0]),
                button=_("Keep, and change the lessons"),
                values=form.values,
            )
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
    html = render_template(
        "coordinator/programme/period.html",
        form=form,
        period=period,
        refused=refused,
        sunsets=None if proposal is None else [format_minute(one) for one in proposal.sunsets],
    )
    return html, 400 if request.method == "POST" else 200


def _next_page(period: Period) -> str:
    if wants_times(period) and period.published_at is None:
        return url_for(".programme_period_times", period_id=period.id)
    return url_for(".programme_calendar")
