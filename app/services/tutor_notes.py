"""Notes on volunteers that coordinators keep for one another."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, Note
from app.services import audit
from app.services.errors import Invalid
from app.services.free_text import read_text
from app.services.people import get_tutor
from scheduler import clock

LONGEST_NOTE: Final = 2000


def note_tutor(tutor_id: int, text: str, by: Coordinator) -> Note:
    """Keep a note on a volunteer. Invalid where it says nothing, NotFound if there is none."""
    said = read_text(text, LONGEST_NOTE)
    if not said:
        raise Invalid(_l("Write what the others should know."))
    with transaction():
        note = Note(tutor_id=get_tutor(tutor_id).id, text=said, by_id=by.id, at=clock.now())
        db.session.add(note)
        audit.note("note_tutor", f"tutor:{tutor_id}", by)
    return note


def notes_on(tutor_id: int) -> list[Note]:
    """The notes on a volunteer, the newest first."""
    return list(
        db.session.scalars(
            select(Note)
            .where(Note.tutor_id == tutor_id)
            .order_by(Note.id.desc())
            .options(joinedload(Note.by))
        )
    )
