"""The writes of a planned volunteers' list, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.models import (
    Tutor,
    TutorChannel,
    TutorLanguage,
    TutorState,
    TutorSubject,
    TutorWindow,
)
from app.services.imports import bulk
from app.services.imports.known import Codes
from app.services.imports.volunteers import PlannedTutor, TutorsPlan
from app.services.reminders import follow_zone
from scheduler import clock

FIRST_MESSAGE_LANGUAGE = "fr"
"""That of messages to a volunteer of whom no list said another."""


def store_volunteers(plan: TutorsPlan, codes: Codes) -> None:
    """Write a plan. New volunteers wait for vetting; known ones keep their state."""
    changed = [(t.known.id, t) for t in plan.tutors if t.known is not None and t.changes]
    bulk.change(Tutor, [{"id": id_, **_columns(tutor)} for id_, tutor in changed])
    moved = [id_ for id_, tutor in changed if _has_other_address(tutor)]
    bulk.change(Tutor, [{"id": id_, "signed_out_at": clock.now()} for id_ in moved])
    for table in (TutorSubject, TutorChannel, TutorLanguage, TutorWindow):
        bulk.remove_of(table, table.tutor_id, [id_ for id_, _tutor in changed])
    added = [tutor for tutor in plan.tutors if tutor.known is None]
    fresh = {"state": TutorState.REGISTERED, "created_at": clock.now()}
    ids = bulk.add(Tutor, [{**_columns(tutor), **fresh} for tutor in added])
    _store_means([*changed, *zip(ids, added, strict=True)], codes)
    for id_, tutor in changed:
        if any(change.column == "fuseau_horaire" for change in tutor.changes):
            follow_zone(id_)


def _has_other_address(tutor: PlannedTutor) -> bool:
    return any(change.column in ("email", "telephone") for change in tutor.changes)


def _columns(tutor: PlannedTutor) -> dict[str, Any]:
    cells, known = tutor.row.values, tutor.known
    return {
        "ref": cells.get("benevole") or (known.ref if known else None),
        "first_name": cells["prenom"],
        "last_name": cells["nom"],
        "email": cells["email"],
        "phone": cells["telephone"],
        "max_lessons_per_week": cells["seances_par_semaine"],
        "times_to_agree": cells["disponible"] is None,
        "time_zone": cells.get("fuseau_horaire", known.time_zone if known else None),
        "message_language": cells.get("langue_messages")
        or (known.message_language if known else FIRST_MESSAGE_LANGUAGE),
    }


def _store_means(tutors: Iterable[tuple[int, PlannedTutor]], codes: Codes) -> None:
    """Add subjects, channels, languages and windows, given with the tutor's id."""
    subjects, channels, languages, windows = [], [], [], []
    for tutor_id, tutor in tutors:
        owner, cells = {"tutor_id": tutor_id}, tutor.row.values
        subjects += [
            {**owner, "subject_id": codes.subjects[subject], "level_id": codes.levels[level]}
            for subject, level in cells["enseigne"]
        ]
        channels += bulk.codes_of(owner, "channel", cells["canaux"])
        languages += bulk.codes_of(owner, "language", cells["langues"])
        windows += bulk.windows_of(owner, cells["disponible"])
    bulk.add_all(TutorSubject, subjects)
    bulk.add_all(TutorChannel, channels)
    bulk.add_all(TutorLanguage, languages)
    bulk.add_all(TutorWindow, windows)
