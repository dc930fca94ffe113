"""Notes of coordinators on families, for the other coordinators."""

from __future__ import annotations

from typing import Final

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, Household, Note
from app.services import audit
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_text
from scheduler import clock

LONGEST_NOTE: Final = 2000


def add_note(household_id: int, text: str, by: Coordinator) -> Note:
    """Keep a note on a family."""
    said = read_text(text, LONGEST_NOTE)
    if not said:
        raise Invalid(_l("Write what the others should know."))
    with transaction():
        if db.session.get(Household, household_id) is None:
            raise NotFound(_l("This family does not exist."))
        note = Note(household_id=household_id, text=said, by_id=by.id, at=clock.now())
        db.session.add(note)
        audit.note("add_note", f"household:{household_id}", by)
    return note


def remove_note(household_id: int, note_id: int, by: Coordinator) -> None:
    """Remove a note on a family, which only its writer may."""
    with transaction():
        note = db.session.get(Note, note_id, with_for_update=True)
        if note is None or note.household_id != household_id:
            raise NotFound(_l("This note does not exist."))
        if note.by_id != by.id:
            raise Conflict(_l("Only who wrote a note can remove it."))
        db.session.delete(note)
        audit.note("remove_note", f"household:{household_id}", by)
