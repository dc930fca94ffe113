"""The programme's own wording of messages."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.i18n import _
from app.models import MessageKind
from app.security import signed_in_coordinator
from app.services import wordings
from app.services.errors import Invalid
from app.services.message_texts import standard_body
from app.services.wording_previews import preview
from app.web.coordinator import blueprint
from app.web.coordinator.programme import words
from app.web.coordinator.programme.forms import WordingForm

_ALL = [
    f'"{audience}-{kind.value}-{language}"'
    for kind, audience in wordings.PLACES
    for language in wordings.LANGUAGES[audience]
]
_ONE = f"<any({', '.join(_ALL)}):message>"


@blueprint.get("/programme/messages")
def programme_messages() -> ResponseReturnValue:
    """Every message that may be worded, and which have a wording of their own."""
    return render_template(
        "coordinator/programme/messages.html",
        places=wordings.PLACES,
        languages=wordings.LANGUAGES,
        own=wordings.own_wordings(),
        words=words,
    )


@blueprint.route(f"/programme/messages/{_ONE}", methods=["GET", "POST"])
def programme_message(message: str) -> ResponseReturnValue:
    """Word a message: look at what the text makes of samples, then use it."""
    audience, kind, language = _parts(message)
    own = wordings.find_wording(kind, language, audience)
    standard = standard_body(kind, language, to_tutor=audience == wordings.TUTOR)
    form = WordingForm(data={"body": own or standard})
    body, refused = own, ""
    if form.validate_on_submit():
        try:
            body = wordings.checked(kind, form.body.data or "")
            if request.form.get("use"):
                wordings.set_wording(kind, language, audience, body, signed_in_coordinator())
                flash(_("Messages carry this text from now on."), "good")
                return redirect(url_for(".programme_message", message=message), 303)
        except Invalid as refusal:
            refused = str(refusal)
    html = render_template(
        "coordinator/programme/message.html",
        form=form,
        refused=refused,
        message=message,
        audience=audience,
        kind=kind,
        language=language,
        own=own,
        standard=standard,
        rules=wordings.RULES[kind],
        preview=None if refused else preview(kind, language, audience, body),
        versions=wordings.list_versions(kind, language, audience),
        words=words,
    )
    return html, 400 if refused else 200


@blueprint.post(f"/programme/messages/{_ONE}/standard")
def programme_standard_message(message: str) -> ResponseReturnValue:
    """Go back to the standard wording."""
    audience, kind, language = _parts(message)
    wordings.reset_wording(kind, language, audience, signed_in_coordinator())
    flash(_("Messages carry the standard text again."), "good")
    return redirect(url_for(".programme_message", message=message), 303)


def _parts(message: str) -> tuple[str, MessageKind, str]:
    audience, kind, language = message.split("-")
    return audience, MessageKind(kind), language
