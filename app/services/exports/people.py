"""Exports of people: volunteers, families, pupils, what they ask and consented to.

The lists of volunteers and pupils begin with the columns of imports, which read them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.i18n import _l, format_minute, weekday_name
from app.models import (
    Consent,
    ConsentKind,
    Coordinator,
    HoursCertificate,
    Household,
    ListKind,
    Pupil,
    RequestState,
    Tutor,
    TutorAbsence,
    TutoringRequest,
)
from app.models.weekly import WeeklyWindow
from app.services.consent import newest_statement
from app.services.exports.safe_text import phone_text
from app.services.exports.table import (
    Export,
    Row,
    in_list,
    moment,
    read_names,
    several,
    streamed,
    yes_or_no,
)
from app.services.people import read_catalogue, taught_by
from app.services.reasons import reason_in_words
from app.services.scope import Scope

_OF_VOLUNTEERS: Final = (
    "benevole",
    "prenom",
    "nom",
    "email",
    "telephone",
    "enseigne",
    "langues",
    "canaux",
    "disponible",
    "seances_par_semaine",
    "fuseau_horaire",
    "langue_messages",
)
_OF_PUPILS: Final = (
    "pupil",
    "prenom",
    "nom",
    "zone",
    "niveau",
    "matieres",
    "tuteur_legal",
    "telephone",
    "langues",
    "canaux",
    "joignable",
    "consentement",
    "consentement_groupe",
    "email",
    "langue_messages",
)


def _volunteers(_scope: Scope) -> Iterator[Row]:
    names, catalogue = read_names(), read_catalogue()
    for tutor in streamed(select(Tutor).order_by(Tutor.id).options(lazyload(Tutor.absences))):
        taught = (
            f"{names.subjects[entry.subject.id]}: "
            + ", ".join(
                low.code if low is high else f"{low.code}-{high.code}"
                for low, high in entry.stretches
            )
            for entry in taught_by(tutor, catalogue)
        )
        yield Row(
            (
                tutor.ref,
                tutor.first_name,
                tutor.last_name,
                tutor.email,
                phone_text(tutor.phone),
                several(taught),
                several(names.languages[entry.language] for entry in tutor.languages),
                several(names.channels[entry.channel] for entry in tutor.channels),
                _times(tutor.windows),
                tutor.max_lessons_per_week,
                tutor.time_zone,
                names.message_language(tutor.message_language),
                tutor.id,
                tutor.state.value,
                several(names.tags[entry.tag] for entry in tutor.tags),
                moment(tutor.vetted_at),
                names.coordinator(tutor.vetted_by_id),
                tutor.identity_seen_on,
                tutor.interviewed_on,
                tutor.certificate_seen_on,
                moment(tutor.charter_accepted_at),
                tutor.charter_version,
                tutor.paused_until,
                moment(tutor.suspended_at),
                tutor.suspend_reason,
                moment(tutor.created_at),
            )
        )


def _absences(_scope: Scope) -> Iterator[Row]:
    statement = select(TutorAbsence, Tutor.first_name, Tutor.last_name).join(
        Tutor, Tutor.id == TutorAbsence.tutor_id
    )
    for absence, first_name, last_name in streamed(statement.order_by(TutorAbsence.id)):
        yield Row(
            (
                absence.id,
                absence.tutor_id,
                f"{first_name} {last_name}".strip(),
                absence.first_day,
                absence.last_day,
                absence.reason,
                moment(absence.created_at),
            )
        )


def _certificates(_scope: Scope) -> Iterator[Row]:
    for row in streamed(select(HoursCertificate).order_by(HoursCertificate.id)):
        yield Row(
            (
                row.id,
                row.code,
                row.tutor_id,
                row.tutor_name,
                row.lessons,
                row.minutes,
                row.pupils,
                row.first_day,
                row.last_day,
                moment(row.issued_at),
            )
        )


def _families(scope: Scope) -> Iterator[Row]:
    names = read_names()
    households = (
        select(Household)
        .where(scope.limits(Household.zone_id))
        .order_by(Household.id)
        .options(
            joinedload(Household.guardian),
            selectinload(Household.ways),
            selectinload(Household.pupils).options(lazyload("*")),
        )
    )
    for household in streamed(households):
        yield Row(
            (
                household.id,
                household.guardian.name,
                phone_text(household.phone),
                household.email,
                names.zones[household.zone_id],
                several(names.languages[entry.language] for entry in household.languages),
                several(names.channels[entry.channel] for entry in household.channels),
                _times(household.windows),
                names.message_language(household.message_language),
                several(way.way for way in household.ways),
                household.reach_by_call,
                moment(household.messages_stopped_at),
                several(pupil.name for pupil in household.pupils),
                moment(household.created_at),
            ),
            tuple(pupil.id for pupil in household.pupils),
        )


def _pupils(scope: Scope) -> Iterator[Row]:
    names = read_names()
    pupils = (
        select(Pupil)
        .join(Pupil.household)
        .where(scope.limits(Household.zone_id))
        .order_by(Pupil.id)
        .options(
            joinedload(Pupil.household).joinedload(Household.guardian),
            selectinload(Pupil.requests),
            selectinload(Pupil.consents),
            selectinload(Pupil.needs),
        )
    )
    for pupil in streamed(pupils):
        household = pupil.household
        yield Row(
            (
                pupil.ref,
                pupil.first_name,
                pupil.last_name,
                names.zones[household.zone_id],
                names.levels[pupil.level_id],
                several(
                    names.subjects[request.subject_id]
                    for request in pupil.requests
                    if request.state is not RequestState.ENDED
                ),
                household.guardian.name,
                phone_text(household.phone),
                several(names.languages[entry.language] for entry in household.languages),
                several(names.channels[entry.channel] for entry in household.channels),
                _times(household.windows),
                _said(pupil, ConsentKind.LESSONS),
                _said(pupil, ConsentKind.GROUP_LESSONS),
                household.email,
                names.message_language(household.message_language),
                pupil.id,
                household.id,
                several(names.tags[need.tag] for need in pupil.needs),
                moment(pupil.created_at),
            ),
            (pupil.id,),
        )


def _requests(scope: Scope) -> Iterator[Row]:
    names = read_names()
    requests = (
        select(TutoringRequest, Pupil.first_name, Pupil.last_name, Household.zone_id)
        .join(TutoringRequest.pupil)
        .join(Pupil.household)
        .where(scope.limits(Household.zone_id))
        .order_by(TutoringRequest.id)
    )
    for request, first_name, last_name, zone_id in streamed(requests):
        yield Row(
            (
                request.id,
                request.pupil_id,
                f"{first_name} {last_name}".strip(),
                names.zones[zone_id],
                names.subjects[request.subject_id],
                names.levels[request.level_id],
                request.lessons_per_week,
                request.state.value,
                request.origin.value,
                moment(request.created_at),
                moment(request.confirmed_at),
                names.coordinator(request.confirmed_by_id),
                moment(request.ended_at),
                reason_in_words(request.end_reason or ""),
            ),
            (request.pupil_id,),
        )


def _consents(scope: Scope) -> Iterator[Row]:
    names = read_names()
    consents = (
        select(Consent, Pupil.first_name, Pupil.last_name, Household.zone_id)
        .join(Pupil, Pupil.id == Consent.pupil_id)
        .join(Pupil.household)
        .where(scope.limits(Household.zone_id))
        .order_by(Consent.id)
    )
    for consent, first_name, last_name, zone_id in streamed(consents):
        yield Row(
            (
                consent.id,
                consent.pupil_id,
                f"{first_name} {last_name}".strip(),
                names.zones[zone_id],
                consent.kind.value,
                consent.given,
                consent.guardian_name,
                consent.means.value,
                consent.text_version,
                names.coordinator(consent.declared_by_id),
                moment(consent.at),
            ),
            (consent.pupil_id,),
        )


def _coordinators(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    for row in streamed(select(Coordinator).order_by(Coordinator.id)):
        yield Row(
            (
                row.id,
                row.name,
                row.email,
                row.is_administrator,
                row.all_zones,
                several(names.zones[entry.zone_id] for entry in row.zones),
                moment(row.created_at),
                moment(row.closed_at),
            )
        )


def _times(windows: Iterable[WeeklyWindow]) -> str:
    """Weekly windows as imports read them; empty where times are to be agreed."""
    return several(
        f"{weekday_name(day)} {format_minute(start)}-{format_minute(end)}"
        for day, start, end in sorted(window.as_window() for window in windows)
    )


def _said(pupil: Pupil, kind: ConsentKind) -> str:
    statement = newest_statement(pupil, kind)
    return yes_or_no(None if statement is None else statement.given)


PEOPLE_EXPORTS: Final = (
    Export(
        "volunteers",
        _l("Volunteers"),
        (
            *(in_list(ListKind.VOLUNTEERS, key) for key in _OF_VOLUNTEERS),
            _l("Volunteer’s number"),
            _l("State"),
            _l("Tags"),
            _l("Vetted at"),
            _l("Vetted by"),
            _l("Identity seen on"),
            _l("Interviewed on"),
            _l("Certificate seen on"),
            _l("Charter accepted at"),
            _l("Version of the charter"),
            _l("Pauses until"),
            _l("Suspended at"),
            _l("Reason of the suspension"),
            _l("Registered at"),
        ),
        _volunteers,
        (
            "tutor",
            "tutor_subject",
            "tutor_channel",
            "tutor_language",
            "tutor_window",
            "tutor_tag",
        ),
    ),
    Export(
        "absences",
        _l("Absences of volunteers"),
        (
            _l("Number"),
            _l("Volunteer’s number"),
            _l("Volunteer"),
            _l("First day"),
            _l("Last day"),
            _l("Reason"),
            _l("Written at"),
        ),
        _absences,
        ("tutor_absence",),
    ),
    Export(
        "certificates",
        _l("Certificates of hours"),
        (
            _l("Number"),
            _l("Code"),
            _l("Volunteer’s number"),
            _l("Volunteer"),
            _l("Lessons"),
            _l("Minutes"),
            _l("Pupils"),
            _l("First day"),
            _l("Last day"),
            _l("Issued at"),
        ),
        _certificates,
        ("hours_certificate",),
    ),
    Export(
        "families",
        _l("Families"),
        (
            _l("Family’s number"),
            _l("Guardian"),
            _l("Telephone"),
            _l("E-mail"),
            _l("Zone"),
            _l("Languages"),
            _l("Channels"),
            _l("Telephone at home"),
            _l("Language of messages"),
            _l("Order of ways"),
            _l("To be called"),
            _l("Messages stopped at"),
            _l("Children"),
            _l("Registered at"),
        ),
        _families,
        (
            "household",
            "guardian",
            "household_channel",
            "household_language",
            "household_window",
            "household_way",
        ),
        for_zones=True,
    ),
    Export(
        "pupils",
        _l("Pupils"),
        (
            *(in_list(ListKind.PUPILS, key) for key in _OF_PUPILS),
            _l("Pupil’s number"),
            _l("Family’s number"),
            _l("Needs of the pupil"),
            _l("Registered at"),
        ),
        _pupils,
        ("pupil", "pupil_need"),
        for_zones=True,
    ),
    Export(
        "requests",
        _l("Requests"),
        (
            _l("Number"),
            _l("Pupil’s number"),
            _l("Pupil"),
            _l("Zone"),
            _l("Subject"),
            _l("Level"),
            _l("Lessons a week"),
            _l("State"),
            _l("Asked by"),
            _l("Asked at"),
            _l("Confirmed at"),
            _l("Confirmed by"),
            _l("Ended at"),
            _l("Reason of the end"),
        ),
        _requests,
        ("tutoring_request",),
        for_zones=True,
    ),
    Export(
        "consents",
        _l("Consents"),
        (
            _l("Number"),
            _l("Pupil’s number"),
            _l("Pupil"),
            _l("Zone"),
            _l("Kind"),
            _l("Given"),
            _l("Guardian"),
            _l("How it was said"),
            _l("Version of the text"),
            _l("Recorded by"),
            _l("When"),
        ),
        _consents,
        ("consent",),
        for_zones=True,
    ),
    Export(
        "coordinators",
        _l("Coordinators"),
        (
            _l("Number"),
            _l("Name"),
            _l("E-mail"),
            _l("Administrator"),
            _l("All zones"),
            _l("Zones"),
            _l("Registered at"),
            _l("Closed at"),
        ),
        _coordinators,
        ("coordinator", "coordinator_zone"),
    ),
)
