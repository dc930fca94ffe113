"""The tables. Import them from here."""

from app.models.access import ContactCode, Draft, DraftKind, FamilyLink, SignInCode
from app.models.audit import AuditEntry
from app.models.consent import Consent, ConsentKind, ConsentMeans
from app.models.coordinator import Coordinator, CoordinatorZone, Invitation, RecoveryCode
from app.models.group import LIVE_GROUPS, Group, GroupState, Membership, Pin, Veto
from app.models.household import (
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Pupil,
    PupilNeed,
)
from app.models.lesson import Attendance, Lesson, LessonAnswer, LessonState
from app.models.message import (
    CODE_KINDS,
    OPEN_MESSAGES,
    SECRET_KINDS,
    Message,
    MessageKind,
    MessageState,
    MessageWording,
    Reminder,
)
from app.models.note import Note
from app.models.programme import (
    Channel,
    Language,
    Level,
    Setting,
    Subject,
    Tag,
    Term,
    Zone,
)
from app.models.request import RequestOrigin, RequestState, TutoringRequest
from app.models.run import MatchRun, ProposedGroup, ProposedSeat, RunState, UnservedRequest
from app.models.tutor import (
    SIGN_IN_STATES,
    HoursCertificate,
    Tutor,
    TutorAbsence,
    TutorChannel,
    TutorLanguage,
    TutorState,
    TutorSubject,
    TutorTag,
    TutorWindow,
)
from app.models.upload import ListKind, PendingImport
from app.models.weekly import DAYS, Window
from app.models.worry import CallRequest, Worry

__all__ = [
    "CODE_KINDS",
    "DAYS",
    "LIVE_GROUPS",
    "OPEN_MESSAGES",
    "SECRET_KINDS",
    "SIGN_IN_STATES",
    "Attendance",
    "AuditEntry",
    "CallRequest",
    "Channel",
    "Consent",
    "ConsentKind",
    "ConsentMeans",
    "ContactCode",
    "Coordinator",
    "CoordinatorZone",
    "Draft",
    "DraftKind",
    "FamilyLink",
    "Group",
    "GroupState",
    "Guardian",
    "HoursCertificate",
    "Household",
    "HouseholdChannel",
    "HouseholdLanguage",
    "HouseholdWindow",
    "Invitation",
    "Language",
    "Lesson",
    "LessonAnswer",
    "LessonState",
    "Level",
    "ListKind",
    "MatchRun",
    "Membership",
    "Message",
    "MessageKind",
    "MessageState",
    "MessageWording",
    "Note",
    "PendingImport",
    "Pin",
    "ProposedGroup",
    "ProposedSeat",
    "Pupil",
    "PupilNeed",
    "RecoveryCode",
    "Reminder",
    "RequestOrigin",
    "RequestState",
    "RunState",
    "Setting",
    "SignInCode",
    "Subject",
    "Tag",
    "Term",
    "Tutor",
    "TutorAbsence",
    "TutorChannel",
    "TutorLanguage",
    "TutorState",
    "TutorSubject",
    "TutorTag",
    "TutorWindow",
    "TutoringRequest",
    "UnservedRequest",
    "Veto",
    "Window",
    "Worry",
    "Zone",
]
