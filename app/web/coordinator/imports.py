"""Lists from spreadsheets: choosing one, looking at what it would change, storing it."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _, ngettext
from app.models import ListKind
from app.security import signed_in_coordinator
from app.services import audit
from app.services.errors import Conflict
from app.services.imports import (
    BadRows,
    ImportReport,
    ModelFormat,
    Status,
    give_up_import,
    keep_import,
    model_file,
    open_import,
    plan_import,
    store_import,
)
from app.web.coordinator import blueprint

_MODEL_TYPES = {
    ModelFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ModelFormat.CSV: "text/csv",
}


@blueprint.get("/import")
def imports() -> ResponseReturnValue:
    """The form that asks for a list."""
    return _ask_for_list(None, [])


@blueprint.post("/import")
def check_list() -> ResponseReturnValue:
    """Take a list up and show what it would change; one that can't be read comes back at once."""
    kind = _kind(request.form.get("kind", ""))
    upload = request.files.get("list")
    chosen = upload is not None and bool(upload.filename)
    errors = []
    if kind is None:
        errors.append(_("Choose which list this is."))
    if not chosen:
        errors.append(_("Choose a file."))
    if kind is None or upload is None or not chosen:
        return _ask_for_list(kind, errors), 400
    content = upload.read()
    report = plan_import(kind, content)
    if not report.readable:
        return _ask_for_list(kind, [str(problem) for problem in report.problems]), 400
    pending = keep_import(kind, upload.filename or "", content, signed_in_coordinator())
    return redirect(url_for(".preview_list", pending_id=pending), 303)


def _ask_for_list(kind: ListKind | None, errors: list[str]) -> str:
    return render_template(
        "coordinator/import.html", chosen=kind, errors=errors, kinds=ListKind, formats=ModelFormat
    )


def _kind(text: str) -> ListKind | None:
    try:
        return ListKind(text)
    except ValueError:
        return None


@blueprint.get("/import/model/<kind>.<format_>")
def model_list(kind: str, format_: str) -> ResponseReturnValue:
    """A list of two rows to fill in, with headings in the reader's language."""
    known = _kind(kind)
    if known is None or format_ not in list(ModelFormat):
        abort(404)
    chosen = ModelFormat(format_)
    response = Response(model_file(known, chosen), mimetype=_MODEL_TYPES[chosen])
    response.headers["Content-Disposition"] = f'attachment; filename="n9raw-{known}.{chosen}"'
    return response


@blueprint.get("/import/<int:pending_id>")
def preview_list(pending_id: int) -> ResponseReturnValue:
    """What a waiting list would change, row by row; leaves a row in the trace."""
    coordinator = signed_in_coordinator()
    pending = open_import(pending_id, coordinator)
    report = plan_import(pending.kind, pending.content)
    html = render_template(
        "coordinator/import_preview.html",
        pending=pending,
        report=report,
        rows={status.value: report.rows_of(status) for status in Status},
        storable=report.count(Status.NEW) + report.count(Status.CHANGED),
    )
    if report.pupil_ids:
        audit.record_view(request.path, coordinator, report.pupil_ids)
    return html


@blueprint.post("/import/<int:pending_id>/store")
def store_list(pending_id: int) -> ResponseReturnValue:
    """Store a waiting list as it was shown. Where it can't be, show it anew with the reason."""
    try:
        report = store_import(
            pending_id,
            signed_in_coordinator(),
            leave_out_bad=request.form.get("leave_out_bad") == "1",
            expected=request.form.get("expected", ""),
        )
    except (BadRows, Conflict) as refusal:
        flash(str(refusal), "warn")
        return redirect(url_for(".preview_list", pending_id=pending_id), 303)
    flash(_stored(report), "good")
    page = ".pupils" if report.kind is ListKind.PUPILS else ".tutors"
    return redirect(url_for(page), 303)


def _stored(report: ImportReport) -> str:
    parts = [
        _("The list is stored."),
        ngettext("%(num)d new row", "%(num)d new rows", report.count(Status.NEW)),
        ngettext("%(num)d changed row", "%(num)d changed rows", report.count(Status.CHANGED)),
    ]
    left_out = report.count(Status.BAD)
    if left_out:
        parts.append(ngettext("%(num)d row left out", "%(num)d rows left out", left_out))
    return f"{parts[0]} {' · '.join([*parts[1:], *report.effects.lines()])}"


@blueprint.post("/import/<int:pending_id>/give-up")
def give_up_list(pending_id: int) -> ResponseReturnValue:
    """Forget a waiting list."""
    give_up_import(pending_id, signed_in_coordinator())
    flash(_("The list is forgotten. Nothing was stored."), "good")
    return redirect(url_for(".imports"), 303)
