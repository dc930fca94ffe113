"""States and acts in the words of the pages."""

from __future__ import annotations

from app.i18n import _
from app.models import ConsentKind, ListKind, Pupil, RequestState, TutorState
from app.services.consent import in_force, newest_statement


def tutor_state(state: TutorState) -> tuple[str, str]:
    """(word, kind of tag) of a volunteer's state."""
    return {
        TutorState.REGISTERED: (_("waits for vetting"), "warn"),
        TutorState.VETTED: (_("vetted"), "good"),
        TutorState.PAUSED: (_("pauses"), "neutral"),
        TutorState.SUSPENDED: (_("suspended"), "bad"),
        TutorState.LEFT: (_("has left"), "neutral"),
    }[state]


def request_state(state: RequestState) -> tuple[str, str]:
    """(word, kind of tag) of a request's state."""
    return {
        RequestState.TO_CONFIRM: (_("to be confirmed"), "warn"),
        RequestState.WAITING: (_("waiting"), "neutral"),
        RequestState.SERVED: (_("served"), "good"),
        RequestState.ENDED: (_("ended"), "neutral"),
    }[state]


def consents(pupil: Pupil) -> list[tuple[str, str]]:
    """(sentence, kind of tag) for what the guardian said on lessons, and on groups."""
    lessons = newest_statement(pupil, ConsentKind.LESSONS)
    if lessons is None or not lessons.given:
        return [(_("refused lessons") if lessons else _("no consent yet"), "bad")]
    if in_force(pupil, ConsentKind.GROUP_LESSONS):
        groups = (_("groups too"), "good")
    else:
        groups = (_("alone only"), "neutral")
    return [(_("consents to lessons"), "good"), groups]


def act(action: str) -> str:
    """What was done, for a row of the trace; acts without words of their own keep their name."""
    return {
        "view": _("saw"),
        "sign_in": _("signed in"),
        "lock": _("account locked after wrong passwords"),
        "add_coordinator": _("coordinator added"),
        "change_password": _("password changed"),
        "import": _("imported a list"),
        "vet": _("vetted a volunteer"),
        "withdraw_vetting": _("took a vetting back"),
        "start_run": _("started a matching"),
        "cancel_run": _("cancelled a matching"),
        "run_done": _("matching finished"),
        "run_failed": _("matching failed"),
        "run_cancelled": _("matching cancelled"),
    }.get(action, action)


def acted_on(subject: str) -> str:
    """What it was done to: "tutor:4" is "volunteer 4"; a page is what it shows, or its path."""
    if subject.startswith("/"):
        return _page(subject)
    kind, _colon, number = subject.partition(":")
    if kind == "tutor":
        return _("volunteer %(number)s", number=number)
    if kind == "coordinator":
        return _("coordinator %(number)s", number=number)
    if kind == "run":
        return _("matching %(number)s", number=number)
    if kind == "list":
        return _("Pupils") if number == ListKind.PUPILS else _("Volunteers")
    return subject


def _page(path: str) -> str:
    _root, _coordinator, *parts = path.split("/")
    match parts:
        case ["pupils", *_rest]:
            return _("Families and pupils")
        case ["import", *_rest]:
            return _("Import a list")
        case ["matching", number, *_rest]:
            return _("Matching %(number)s", number=number)
    return path
