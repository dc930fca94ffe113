"""The other times of groups in a special period: looked for, changed, dismissed, published."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import Form

from app.i18n import _, ngettext
from app.models import Group, Period, PeriodKind
from app.security import signed_in_coordinator
from app.services import audit, period_starts, periods
from app.services.errors import ServiceError
from app.services.examining import Examination, Rule, get_live_group
from app.services.paging import page_of
from app.services.people import read_catalogue
from app.services.period_starts import Row
from app.web.coordinator import blueprint, broken
from app.web.coordinator import words as group_words
from app.web.coordinator.programme import words
from app.web.coordinator.programme.confirming import ask_then_change
from app.web.incoming import asked_number
from app.web.times import starts_of, times_form

PER_PAGE = 50


@blueprint.get("/programme/periods/<int:period_id>/times")
def programme_period_times(period_id: int) -> ResponseReturnValue:
    """The groups that a period concerns, with their old and new times."""
    return _list(periods.get_period(period_id), [])


@blueprint.post("/programme/periods/<int:period_id>/times/look")
def programme_look_for_times(period_id: int) -> ResponseReturnValue:
    """Look for times for the groups that need some."""
    number = period_starts.propose_starts(period_id, signed_in_coordinator())
    flash(
        ngettext(
            "Times were looked for, for %(num)d group.",
            "Times were looked for, for %(num)d groups.",
            number,
        ),
        "good",
    )
    return redirect(_home(period_id), 303)


@blueprint.route("/programme/periods/<int:period_id>/publish", methods=["GET", "POST"])
def programme_publish_times(period_id: int) -> ResponseReturnValue:
    """Name the lessons that move or are cancelled; then have lessons follow the period."""
    by, period = signed_in_coordinator(), periods.get_period(period_id)
    try:
        return ask_then_change(
            lambda: period_starts.preview_publication(period_id),
            lambda agreed: period_starts.publish_starts(period_id, by, agreed=agreed),
            title=_("Publish the times of %(name)s?", name=period.name),
            warning=_without_times(period),
            back=_home(period_id),
            button=_("Publish"),
        )
    except ServiceError as refusal:
        return _list(period, [str(refusal)]), refusal.status


@blueprint.post("/programme/periods/<int:period_id>/times/<int:group_id>/dismiss")
def programme_dismiss_times(period_id: int, group_id: int) -> ResponseReturnValue:
    """Give a group no other times."""
    try:
        period_starts.dismiss_starts(period_id, group_id, signed_in_coordinator())
    except ServiceError as refusal:
        return _list(periods.get_period(period_id), [str(refusal)]), refusal.status
    flash(_("Kept."), "good")
    return redirect(_home(period_id), 303)


@blueprint.route("/programme/periods/<int:period_id>/times/<int:group_id>", methods=["GET", "POST"])
def programme_group_times(period_id: int, group_id: int) -> ResponseReturnValue:
    """Enter times that were agreed by telephone, once what they break has been seen."""
    period, group = periods.get_period(period_id), get_live_group(group_id)
    row = period_starts.row_of(period, group)
    form = times_form(len(row.old), given=request.values or _given(row))
    if not (request.values and form.validate()):
        return _page(period, row, form, []), 400 if request.values else 200
    starts = starts_of(form) or []
    try:
        if request.method == "POST":
            by = signed_in_coordinator()
            period_starts.set_starts(period_id, group_id, starts, _overruled(), by)
            flash(_("Kept. The times count once they are published."), "good")
            return redirect(_home(period_id), 303)
        return _examined(
            period_id, group, form, period_starts.examine_starts(period_id, group_id, starts)
        )
    except ServiceError as refusal:
        return _page(period, row, form, [str(refusal)]), refusal.status


def _home(period_id: int) -> str:
    return url_for(".programme_period_times", period_id=period_id)


def _list(period: Period, refused: list[str]) -> str:
    rows = period_starts.concerned(period)
    page = page_of(len(rows), asked_number("page") or 1, PER_PAGE)
    return render_template(
        "coordinator/programme/period_times.html",
        period=period,
        rows=page.cut(rows),
        page=page,
        unsought=sum(row.state is None for row in rows),
        proposed=sum(row.state == "proposed" and bool(row.new) for row in rows),
        missing=sum(row.is_missing for row in rows),
        refused=refused,
        levels=read_catalogue().levels,
        words=words,
        start=group_words.weekly_start,
    )


def _without_times(period: Period) -> str:
    """Lessons further ahead than those planned by now would be missing without a word."""
    missing = sum(row.is_missing for row in period_starts.concerned(period))
    if not missing or period.kind is not PeriodKind.RAMADAN:
        return ""
    return ngettext(
        "%(num)d group has no other time: while it has none, it has no lessons at these hours.",
        "%(num)d groups have no other time: while they have none, they have no lessons at "
        "these hours.",
        missing,
    )


def _given(row: Row) -> MultiDict[str, str]:
    given: MultiDict[str, str] = MultiDict()
    for number, (day, time) in enumerate(row.new, start=1):
        given[f"day{number}"], given[f"time{number}"] = day, time
    return given


def _page(period: Period, row: Row, form: Form, refused: list[str]) -> str:
    return render_template(
        "coordinator/programme/group_times.html",
        period=period,
        row=row,
        form=form,
        refused=refused,
        back=_home(period.id),
        levels=read_catalogue().levels,
        words=words,
        start=group_words.weekly_start,
    )


def _examined(
    period_id: int, group: Group, form: Form, examined: Examination
) -> ResponseReturnValue:
    catalogue = read_catalogue()
    html = render_template(
        "coordinator/place.html",
        examined=examined,
        channels=catalogue.channels,
        catalogue=catalogue,
        refused="",
        overruled=_overruled(),
        back=url_for(".programme_group_times", period_id=period_id, group_id=group.id),
        values={name: field.data for name, field in form._fields.items() if field.data},
        button=_("Keep these times"),
        may_keep=False,
        broken=broken,
    )
    audit.record_view(request.path, signed_in_coordinator(), examined.pupil_ids)
    return html


def _overruled() -> set[Rule]:
    return {Rule(name) for name in request.form.getlist("overrule") if name in list(Rule)}
