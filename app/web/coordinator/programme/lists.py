"""Subjects, levels, ways of holding lessons, languages and needs."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from app.i18n import _, page_locale
from app.models import Channel
from app.security import signed_in_coordinator
from app.services import programme_lists as lists
from app.services.errors import Conflict, Invalid
from app.services.weights import weight_today
from app.web.coordinator import blueprint
from app.web.coordinator.programme import words
from app.web.coordinator.programme.forms import ChannelForm, EntryForm, LevelForm, NewLevelForm

_ANY = "<any(subjects, levels, channels, languages, tags):section>"
_GROWING = "<any(subjects, levels, languages, tags):section>"


@blueprint.get(f"/programme/{_ANY}")
def programme_list(section: str) -> ResponseReturnValue:
    """What a list holds, and how much each entry is used."""
    entries = lists.list_entries(section)
    return render_template(
        "coordinator/programme/list.html",
        section=section,
        entries=entries,
        weights={entry.row.code: weight_today(entry.row) for entry in entries}
        if section == "levels"
        else {},
        sizes=lists.sizes_in_force() if section == "channels" else {},
        words=words,
    )


@blueprint.route(f"/programme/{_GROWING}/new", methods=["GET", "POST"])
def programme_add(section: str) -> ResponseReturnValue:
    """Add an entry."""
    form = NewLevelForm() if section == "levels" else EntryForm()
    if isinstance(form, NewLevelForm):
        form.after.choices = _places()
        if request.method == "GET":
            form.after.data = form.after.choices[-1].value
    refused: list[str] = []
    if form.validate_on_submit():
        try:
            row = _add(section, form)
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
        else:
            flash(_("%(name)s is on the list.", name=row.name_in(page_locale())), "good")
            return redirect(url_for(".programme_list", section=section), 303)
    return _page(section, form, refused)


@blueprint.route(f"/programme/{_ANY}/entry/<entry>", methods=["GET", "POST"])
def programme_entry(section: str, entry: str) -> ResponseReturnValue:
    """Change an entry."""
    row = lists.get_entry(section, entry)
    form = _form_of(section, row)
    refused: list[str] = []
    if form.validate_on_submit():
        try:
            _change(section, entry, form)
        except (Conflict, Invalid) as refusal:
            refused = [str(refusal)]
        else:
            flash(_("Kept."), "good")
            return redirect(url_for(".programme_list", section=section), 303)
    return _page(section, form, refused, row)


@blueprint.post(f"/programme/{_ANY}/entry/<entry>/retire")
def programme_retire(section: str, entry: str) -> ResponseReturnValue:
    """Stop offering an entry."""
    row = lists.set_retired(section, entry, retired=True, by=signed_in_coordinator())
    flash(
        _("%(name)s is no longer offered; who has it keeps it.", name=row.name_in(page_locale())),
        "good",
    )
    return redirect(url_for(".programme_list", section=section), 303)


@blueprint.post(f"/programme/{_ANY}/entry/<entry>/offer")
def programme_offer(section: str, entry: str) -> ResponseReturnValue:
    """Offer an entry again."""
    row = lists.set_retired(section, entry, retired=False, by=signed_in_coordinator())
    flash(_("%(name)s is offered again.", name=row.name_in(page_locale())), "good")
    return redirect(url_for(".programme_list", section=section), 303)


@blueprint.post("/programme/levels/entry/<level>/<any(up, down):way>")
def programme_move(level: str, way: str) -> ResponseReturnValue:
    """Move a level one place towards the youngest or the oldest."""
    lists.move_level(level, up=way == "up", by=signed_in_coordinator())
    return redirect(url_for(".programme_list", section="levels", _anchor=f"entry-{level}"), 303)


def _places() -> list[SelectChoice]:
    locale = page_locale()
    return [
        SelectChoice("", _("no level: it is the youngest")),
        *(
            SelectChoice(entry.row.code, entry.row.name_in(locale))
            for entry in lists.list_entries("levels")
        ),
    ]


def _add(section: str, form: EntryForm) -> Any:
    by = signed_in_coordinator()
    if isinstance(form, NewLevelForm):
        after = form.after.data or None
        return lists.add_level(form.code.data.strip(), form.names, form.exam_data, after, by)
    return lists.add_entry(section, form.names, by)


def _form_of(section: str, row: Any) -> EntryForm:
    form = {"levels": LevelForm, "channels": ChannelForm}.get(section, EntryForm)(obj=row)
    if request.method == "GET":
        form.also.data = "\n".join(row.also or ())
    return form


def _change(section: str, code: str, form: EntryForm) -> None:
    by = signed_in_coordinator()
    if isinstance(form, LevelForm):
        lists.change_level(code, form.names, form.exam_data, by)
    elif isinstance(form, ChannelForm):
        lists.change_channel(code, form.names, form.max_group.data, form.cost.data, by)
    else:
        lists.change_entry(section, code, form.names, by)


def _page(
    section: str, form: EntryForm, refused: list[str], row: Any = None
) -> ResponseReturnValue:
    html = render_template(
        "coordinator/programme/entry.html",
        section=section,
        form=form,
        refused=refused,
        row=row,
        sizes=lists.sizes_in_force().get(row.code, {}) if isinstance(row, Channel) else {},
        alone=isinstance(row, Channel) and not lists.has_variant(row.code),
        words=words,
    )
    return html, 400 if form.errors or refused else 200
