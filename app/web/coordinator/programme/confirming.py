"""What all changes of the calendar share: what they do to lessons is shown first, then done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.i18n import _, ngettext
from app.models import Lesson, TutorAbsence
from app.services.calendar_changes import Effects, LessonsWouldChange, Outcome
from app.services.reasons import ban_in_words

MOST_LESSONS_SHOWN = 100


def ask_then_change(
    see: Callable[[], Effects],
    change: Callable[[int], Outcome],
    *,
    back: str,
    button: str,
    title: str = "",
    warning: str = "",
    values: Sequence[tuple[str, str]] | None = None,
    then: Callable[[], str] | None = None,
) -> ResponseReturnValue:
    """Make a change once the lessons that it cancels or moves were seen; until then show them.

    The page sends `values`, those of the form before it, to its own address again. Without such a
    form it always asks first. Afterwards it leads to `then`, else `back`. The title says what
    changes, unless there is a better one; `warning` what is lost besides the lessons planned.
    """
    effects = see()
    refused: list[str] = []
    status = 200
    seen = request.form.get("agreed", None if values is None else "0")
    if request.method == "POST" and seen == str(effects.touched):
        try:
            outcome = change(effects.touched)
            return _done(outcome, back if then is None else then())
        except LessonsWouldChange as refusal:
            refused, status = [str(refusal)], refusal.status
            effects = see()
    return _question(effects, refused, title, warning, back, button, values or ()), status


def _question(
    effects: Effects,
    refused: Sequence[str],
    title: str,
    warning: str,
    back: str,
    button: str,
    values: Sequence[tuple[str, str]],
) -> str:
    reasons = {lesson: ban_in_words(ban) for lesson, ban in effects.cancelled}
    reasons |= {lesson: _unheld(absence) for lesson, absence in effects.unheld}
    changes: list[tuple[Lesson, datetime | None]] = [(lesson, None) for lesson in reasons]
    changes += [(lesson, wall) for lesson, wall in effects.moved]
    changes.sort(key=lambda change: (change[0].wall_start, change[0].id))
    shown = changes[:MOST_LESSONS_SHOWN]
    return render_template(
        "coordinator/programme/calendar_lessons.html",
        title=title,
        warning=warning,
        back=back,
        button=button,
        values=[*values, ("agreed", str(effects.touched))],
        refused=refused,
        effects=effects,
        reasons={lesson.id: why for lesson, why in reasons.items()},
        more=len(changes) - len(shown),
        days=[list(rows) for _day, rows in groupby(shown, lambda row: row[0].wall_start.date())],
    )


def _unheld(absence: TutorAbsence | None) -> str:
    """Why a lesson can't be held at the time that it would get."""
    if absence is None:
        return _("at the time that it would get, somebody has another lesson")
    return _("on the day that it would get, the volunteer is away")


def _done(outcome: Outcome, where: str) -> ResponseReturnValue:
    """Say what a change did, and go on."""
    said = [_("Kept.")]
    if outcome.cancelled:
        said.append(
            ngettext(
                "%(num)d lesson is cancelled, and its reminders with it.",
                "%(num)d lessons are cancelled, and their reminders with them.",
                outcome.cancelled,
            )
        )
    if outcome.moved:
        said.append(
            ngettext(
                "%(num)d lesson is moved, and its reminders with it.",
                "%(num)d lessons are moved, and their reminders with them.",
                outcome.moved,
            )
        )
    if outcome.made:
        said.append(
            ngettext("%(num)d lesson is planned.", "%(num)d lessons are planned.", outcome.made)
        )
    flash(" ".join(said), "good")
    return redirect(where, 303)
