"""The tables. Import them from here."""

from app.models.audit import AuditEntry
from app.models.consent import Consent, ConsentKind, ConsentMeans
from app.models.coordinator import Coordinator
from app.models.household import (
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Pupil,
)
from app.models.programme import Channel, Language, Level, Subject, Zone
from app.models.request import RequestState, TutoringRequest
from app.models.run import MatchRun, ProposedGroup, ProposedSeat, RunState, UnservedRequest
from app.models.tutor import (
    Tutor,
    TutorChannel,
    TutorLanguage,
    TutorState,
    TutorSubject,
    TutorWindow,
)
from app.models.upload import ListKind, PendingImport
from app.models.weekly import DAYS, Window

__all__ = [
    "DAYS",
    "AuditEntry",
    "Channel",
    "Consent",
    "ConsentKind",
    "ConsentMeans",
    "Coordinator",
    "Guardian",
    "Household",
    "HouseholdChannel",
    "HouseholdLanguage",
    "HouseholdWindow",
    "Language",
    "Level",
    "ListKind",
    "MatchRun",
    "PendingImport",
    "ProposedGroup",
    "ProposedSeat",
    "Pupil",
    "RequestState",
    "RunState",
    "Subject",
    "Tutor",
    "TutorChannel",
    "TutorLanguage",
    "TutorState",
    "TutorSubject",
    "TutorWindow",
    "TutoringRequest",
    "UnservedRequest",
    "Window",
    "Zone",
]
