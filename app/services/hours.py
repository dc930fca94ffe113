"""What a volunteer has given so far, and certificates of it that anyone can check."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import func, select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Attendance,
    HoursCertificate,
    Lesson,
    LessonState,
    Tutor,
    TutoringRequest,
)
from app.services import audit
from app.services.errors import Conflict, NotFound
from app.services.given import given_by
from scheduler import clock

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are read as others; 32, so that ten of them are 50 bits."""
_READ_AS: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
_LENGTH: Final = 10


@dataclass(frozen=True, slots=True)
class Hours:
    """Lessons held, their minutes, how many children came, and from which day to which."""

    lessons: int
    minutes: int
    pupils: int
    first_day: date | None
    last_day: date | None


def hours_of(tutor_id: int) -> Hours:
    """A tutor's lessons that were held; a lesson to which nobody came is none of them."""
    held = (given_by(tutor_id), Lesson.state == LessonState.HELD)
    lessons, minutes, first, last = db.session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Lesson.minutes), 0),
            func.min(Lesson.wall_start),
            func.max(Lesson.wall_start),
        )
        .select_from(Lesson)
        .where(*held)
    ).one()
    pupils = db.session.scalar(
        select(func.count(TutoringRequest.pupil_id.distinct()))
        .join(Attendance, Attendance.request_id == TutoringRequest.id)
        .join(Attendance.lesson)
        .where(*held, Attendance.present)
    )
    return Hours(
        lessons=lessons,
        minutes=int(minutes),
        pupils=pupils or 0,
        first_day=None if first is None else first.date(),
        last_day=None if last is None else last.date(),
    )


def list_certificates(tutor_id: int, most: int) -> list[HoursCertificate]:
    """A tutor's newest certificates."""
    newest = select(HoursCertificate).where(HoursCertificate.tutor_id == tutor_id)
    return list(db.session.scalars(newest.order_by(HoursCertificate.id.desc()).limit(most)))


def issue_certificate(tutor_id: int) -> HoursCertificate:
    """A certificate of a tutor's hours so far; the same one again while it would say the same.

    Conflict where no lesson was held yet.
    """
    with transaction():
        tutor = db.session.get_one(Tutor, tutor_id, with_for_update=True)
        hours = hours_of(tutor.id)
        if hours.first_day is None or hours.last_day is None:
            raise Conflict(_l("A certificate needs a lesson that was held."))
        for known in list_certificates(tutor.id, 1):
            if _says(known) == (tutor.name, hours):
                return known
        certificate = HoursCertificate(
            code=_new_code(),
            tutor_id=tutor.id,
            tutor_name=tutor.name,
            lessons=hours.lessons,
            minutes=hours.minutes,
            pupils=hours.pupils,
            first_day=hours.first_day,
            last_day=hours.last_day,
            issued_at=clock.now(),
        )
        db.session.add(certificate)
        db.session.flush()
        audit.note(
            "issue_certificate",
            f"tutor:{tutor.id}",
            None,
            detail={"tutor": tutor.id, "certificate": certificate.id},
        )
    return certificate


def get_certificate(tutor_id: int, certificate_id: int) -> HoursCertificate:
    """One of a tutor's certificates; NotFound for any other."""
    certificate = db.session.get(HoursCertificate, certificate_id)
    if certificate is None or certificate.tutor_id != tutor_id:
        raise NotFound(_l("There is no such certificate."))
    return certificate


def find_certificate(code: str) -> HoursCertificate | None:
    """The certificate with a code, as people type codes: small letters, spaces, O for 0."""
    return db.session.scalar(
        select(HoursCertificate).where(HoursCertificate.code == plain_code(code))
    )


def shown_code(certificate: HoursCertificate) -> str:
    """A code in two halves, which are easier to copy."""
    half = _LENGTH // 2
    return f"{certificate.code[:half]}-{certificate.code[half:]}"


def plain_code(code: str) -> str:
    """A code as it is kept, of one as people type it; empty where nothing of one is there."""
    kept = "".join(letter for letter in code.upper() if letter.isalnum())
    return kept.translate(_READ_AS)


def _new_code() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _says(certificate: HoursCertificate) -> tuple[str, Hours]:
    return certificate.tutor_name, Hours(
        certificate.lessons,
        certificate.minutes,
        certificate.pupils,
        certificate.first_day,
        certificate.last_day,
    )
