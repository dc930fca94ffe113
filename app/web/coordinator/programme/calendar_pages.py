"""The school calendar: the year by months, days off, and what waits to be confirmed."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _, ngettext, page_locale
from app.models import DayOff, DayOffKind
from app.security import signed_in_coordinator
from app.services import calendar_year, days_off, periods
from app.services.calendar_changes import Outcome
from app.services.days_off import NewDayOff
from app.services.errors import Conflict, Invalid
from app.services.people import read_catalogue
from app.services.vetting_term import today
from app.web.coordinator import blueprint
from app.web.coordinator.programme import words
from app.web.coordinator.programme.confirming import ask_then_change
from app.web.coordinator.programme.forms import DayOffForm, DaysForm
from app.web.incoming import asked_number


@blueprint.get("/programme/calendar")
def programme_calendar() -> ResponseReturnValue:
    """A school year by months; this one unless `year` names another."""
    year = asked_number("year")
    wanted = date(year, 9, 1) if year and 2020 <= year <= 2099 else today()
    return render_template(
        "coordinator/programme/calendar.html",
        year=calendar_year.read_year(wanted),
        waiting=calendar_year.to_decide(),
        ramadan=periods.ramadan_to_set(),
        levels=read_catalogue().levels,
        today=today(),
        words=words,
    )


@blueprint.post("/programme/calendar/public-holidays")
def programme_propose_holidays() -> ResponseReturnValue:
    """Put the public holidays that are lacking on the calendar."""
    added = days_off.propose_public_holidays(signed_in_coordinator())
    said = ngettext("%(num)d public holiday is added.", "%(num)d public holidays are added.", added)
    flash(said if added else _("All public holidays are on the calendar already."), "good")
    return redirect(url_for(".programme_calendar"), 303)


@blueprint.route("/programme/days-off/new", methods=["GET", "POST"])
def programme_add_day_off() -> ResponseReturnValue:
    """Add school holidays, once the lessons that they cancel have been seen."""
    return _edit(DayOffForm(), None)


@blueprint.route("/programme/days-off/<int:day_off_id>", methods=["GET", "POST"])
def programme_day_off(day_off_id: int) -> ResponseReturnValue:
    """Change school holidays, or confirm a public holiday on the days on which it is."""
    row = days_off.get_day_off(day_off_id)
    if row.kind is DayOffKind.SCHOOL:
        return _edit(DayOffForm(obj=row), row)
    return _confirm(DaysForm(obj=row), row)


@blueprint.route("/programme/days-off/<int:day_off_id>/hold", methods=["GET", "POST"])
def programme_hold_lessons(day_off_id: int) -> ResponseReturnValue:
    """Ask whether lessons are held on a day off after all; then have them held."""
    row = days_off.get_day_off(day_off_id)
    name = row.name_in(page_locale())
    is_school = row.kind is DayOffKind.SCHOOL
    by = signed_in_coordinator()
    return ask_then_change(
        lambda: days_off.preview_lessons_held(day_off_id),
        lambda agreed: days_off.dismiss_day_off(day_off_id, by, agreed=agreed),
        title=_("Take %(name)s away?", name=name)
        if is_school
        else _("Let lessons take place on this day: %(name)s?", name=name),
        back=url_for(".programme_calendar"),
        button=_("Take away") if is_school else _("Let lessons take place"),
    )


def _edit(form: DayOffForm, row: DayOff | None) -> ResponseReturnValue:
    refused: list[str] = []
    if form.validate_on_submit():
        new = NewDayOff(
            form.name_fr.data or "",
            form.name_ar.data or "",
            form.name_en.data or "",
            form.first_day.data,
            form.last_day.data,
        )
        days = (new.first_day, new.last_day)
        by = signed_in_coordinator()
        number = None if row is None else row.id

        def store(agreed: int) -> Outcome:
            if number is None:
                return days_off.add_day_off(new, by, agreed=agreed)
            return days_off.change_day_off(number, new, by, agreed=agreed)

        try:
            return ask_then_change(
                lambda: days_off.preview_day_off(days, number),
                store,
                back=url_for(".programme_calendar"),
                button=_("Keep, and change the lessons"),
                values=form.values,
            )
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
    return _page(form, row, refused)


def _confirm(form: DaysForm, row: DayOff) -> ResponseReturnValue:
    refused: list[str] = []
    if form.validate_on_submit():
        days = (form.first_day.data, form.last_day.data)
        number = row.id
        by = signed_in_coordinator()
        try:
            days_off.check_moved(row, days)
            return ask_then_change(
                lambda: days_off.preview_day_off(days, number),
                lambda agreed: days_off.confirm_day_off(number, days, by, agreed=agreed),
                back=url_for(".programme_calendar"),
                button=_("Confirm this day off"),
                values=form.values,
            )
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
    return _page(form, row, refused)


def _page(form: DaysForm, row: DayOff | None, refused: list[str]) -> ResponseReturnValue:
    html = render_template(
        "coordinator/programme/day_off.html",
        form=form,
        row=row,
        refused=refused,
        is_public=row is not None and row.kind is DayOffKind.PUBLIC,
    )
    return html, 400 if request.method == "POST" else 200
