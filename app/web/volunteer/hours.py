"""Hours so far, and certificates of them to print."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.security import signed_in_tutor
from app.services import hours as given
from app.web.addresses import public_address
from app.web.volunteer import blueprint, words

MOST_SHOWN = 10


@blueprint.get("/hours")
def hours() -> ResponseReturnValue:
    """What was given so far, and the certificates of it."""
    tutor = signed_in_tutor()
    return render_template(
        "volunteer/hours.html",
        hours=given.hours_of(tutor.id),
        certificates=given.list_certificates(tutor.id, MOST_SHOWN),
        shown_code=given.shown_code,
        words=words,
    )


@blueprint.post("/certificates")
def issue_certificate() -> ResponseReturnValue:
    """Make a certificate of the hours so far."""
    certificate = given.issue_certificate(signed_in_tutor().id)
    return redirect(url_for(".certificate", certificate_id=certificate.id), 303)


@blueprint.get("/certificates/<int:certificate_id>")
def certificate(certificate_id: int) -> ResponseReturnValue:
    """A certificate, to be printed."""
    row = given.get_certificate(signed_in_tutor().id, certificate_id)
    return render_template(
        "volunteer/certificate.html",
        row=row,
        code=given.shown_code(row),
        checked_at=public_address("public.certificates"),
        words=words,
    )
