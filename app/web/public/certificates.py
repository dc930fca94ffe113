"""Whether a certificate of a volunteer's hours is genuine: anyone may ask by its code."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import hours
from app.web.public import blueprint
from app.web.volunteer import words


@blueprint.get("/certificate")
def certificates() -> ResponseReturnValue:
    """Ask for the code of a certificate, and go on to what it says."""
    code = hours.plain_code(request.args.get("code", ""))
    if code:
        return redirect(url_for(".certificate", code=code))
    return render_template("public/certificate.html", code="", row=None, words=words)


@blueprint.get("/certificate/<code>")
def certificate(code: str) -> ResponseReturnValue:
    """What a certificate says, or that there is none with this code."""
    row = hours.find_certificate(code)
    shown = code[:40] if row is None else hours.shown_code(row)
    html = render_template("public/certificate.html", code=shown, row=row, words=words)
    return html, 404 if row is None else 200, {"X-Robots-Tag": "noindex, nofollow"}
