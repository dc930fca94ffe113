"""People for tests: a programme, tutors and households, made by the shortest way.

Each function works inside an app context and commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import count

from flask import Flask
from flask.testing import FlaskClient
from pyotp.totp import TOTP
from sqlalchemy import select
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from app.database import transaction
from app.extensions import db
from app.i18n import plain_key
from app.models import (
    DAYS,
    Consent,
    ConsentKind,
    ConsentMeans,
    Coordinator,
    CoordinatorZone,
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Level,
    Pupil,
    Subject,
    Tutor,
    TutorChannel,
    TutoringRequest,
    TutorLanguage,
    TutorState,
    TutorSubject,
    TutorWindow,
    Zone,
)
from app.services.coordinators import find_coordinator
from app.services.programme import load_programme
from scheduler import clock

PASSWORD = "a long password"
EVENING = ("mon 18:00-20:00",)
_numbers = count(1)


def make_coordinator(
    email: str = "coordinator@example.org",
    *,
    is_administrator: bool = True,
    zone_ids: Sequence[int] | None = None,
) -> Coordinator:
    """A coordinator who signs in with PASSWORD: an administrator, or of all zones or these."""
    with transaction():
        coordinator = Coordinator(
            email=email,
            name="Salma Bennis",
            password_hash=_hashed(PASSWORD),
            is_administrator=is_administrator and zone_ids is None,
            all_zones=zone_ids is None,
            zones=[CoordinatorZone(zone_id=number) for number in zone_ids or ()],
            created_at=clock.now(),
        )
        db.session.add(coordinator)
    return coordinator


@cache
def _hashed(password: str) -> str:
    """Made once: it is slow by design."""
    return generate_password_hash(password)


def sign_in(
    client: FlaskClient,
    email: str = "coordinator@example.org",
    password: str = PASSWORD,
    wanted: str | None = None,
) -> TestResponse:
    """Sign a coordinator in by password and app, on the way to the page `wanted`.

    The last answer: a redirect to that page, or the form that refused.
    """
    data = {"email": email, "password": password}
    answer = client.post("/account/sign-in", query_string={"next": wanted or ""}, data=data)
    if answer.status_code != 302:
        return answer
    assert answer.location.startswith("/account/second-factor")
    return client.post(answer.location, data={"code": next_app_code(client.application, email)})


def next_app_code(app: Flask, email: str) -> str:
    """The next code of a coordinator's authenticator app that was not used yet."""
    with app.app_context():
        coordinator = find_coordinator(email)
        assert coordinator.totp_secret is not None
        # Not the oldest that holds where it would be too old by the time that it is typed.
        earliest = int(clock.now().timestamp() + 5) // 30 - 1
        step = max(earliest, (coordinator.totp_last_step or 0) + 1)
        return TOTP(coordinator.totp_secret).at(step * 30)


def make_programme() -> None:
    """The subjects, levels, channels and languages of the programme file."""
    load_programme()


def make_tutor(
    *,
    teaches: Sequence[tuple[str, str]] = (("maths", "3AC"),),
    channels: Sequence[str] = ("call", "whatsapp"),
    languages: Sequence[str] = ("darija",),
    windows: Sequence[str] | None = EVENING,
    most: int = 3,
    state: TutorState = TutorState.VETTED,
    name: str = "Rania Mounir",
) -> int:
    """A tutor's id. Windows read "mon 18:00-20:00"; None means times to be agreed."""
    first, _, last = name.partition(" ")
    number = next(_numbers)
    with transaction():
        tutor = Tutor(
            first_name=first,
            last_name=last,
            email=f"v{number}@example.org",
            max_lessons_per_week=most,
            times_to_agree=windows is None,
            state=state,
            vetted_at=clock.now() if state is TutorState.VETTED else None,
            created_at=clock.now(),
            teaches=[
                TutorSubject(subject_id=subject(code).id, level_id=level(of).id)
                for code, of in teaches
            ],
            channels=[TutorChannel(channel=code) for code in channels],
            languages=[TutorLanguage(language=code) for code in languages],
            windows=[TutorWindow(**window(text)) for text in windows or ()],
        )
        db.session.add(tutor)
        db.session.flush()
        return tutor.id


def make_household(
    *,
    pupils: Sequence[tuple[str, str, Sequence[str]]] = (("Hiba Touil", "3AC", ("maths",)),),
    channels: Sequence[str] = ("call", "whatsapp"),
    languages: Sequence[str] = ("darija",),
    windows: Sequence[str] | None = EVENING,
    zone: str = "Aïn Kaïcher",
    guardian: str = "Walid Touil",
    consent: bool | None = True,
    group_consent: bool | None = True,
) -> Household:
    """A household; each pupil is (name, level, subjects). Consent None: nothing was said."""
    with transaction():
        found = db.session.scalar(select(Zone).where(Zone.name == zone))
        household = Household(
            phone=f"+2126{next(_numbers):08d}",
            zone=found or Zone(name=zone, key=plain_key(zone)),
            times_to_agree=windows is None,
            created_at=clock.now(),
            guardian=Guardian(name=guardian),
            channels=[HouseholdChannel(channel=code) for code in channels],
            languages=[HouseholdLanguage(language=code) for code in languages],
            windows=[HouseholdWindow(**window(text)) for text in windows or ()],
        )
        for name, of_level, subjects in pupils:
            first, _, last = name.partition(" ")
            household.pupils.append(
                Pupil(
                    first_name=first,
                    last_name=last,
                    level=level(of_level),
                    created_at=clock.now(),
                    requests=[
                        TutoringRequest(
                            subject=subject(code), level=level(of_level), created_at=clock.now()
                        )
                        for code in subjects
                    ],
                    consents=[
                        say(kind, given)
                        for kind, given in (
                            (ConsentKind.LESSONS, consent),
                            (ConsentKind.GROUP_LESSONS, group_consent),
                        )
                        if given is not None
                    ],
                )
            )
        db.session.add(household)
    return household


def say(kind: ConsentKind, given: bool) -> Consent:
    """A guardian's statement, made now."""
    return Consent(
        kind=kind,
        given=given,
        guardian_name="Walid Touil",
        means=ConsentMeans.DECLARED_BY_IMPORT,
        text_version="test",
        at=clock.now(),
    )


def subject(code: str) -> Subject:
    return db.session.scalars(select(Subject).where(Subject.code == code)).one()


def level(code: str) -> Level:
    return db.session.scalars(select(Level).where(Level.code == code)).one()


def window(text: str) -> dict[str, int]:
    day, _, times = text.partition(" ")
    start, _, end = times.partition("-")
    return {"day": DAYS.index(day), "start_minute": minute(start), "end_minute": minute(end)}


def minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return 60 * int(hours) + int(minutes)
