"""The tables. Import them from here."""

from app.models.access import FamilyLink, SignInCode
from app.models.audit import AuditEntry
from app.models.consent import Consent, ConsentKind, ConsentMeans
from app.models.coordinator import Coordinator
from app.models.group import LIVE_GROUPS, Group, GroupState, Membership, Veto
from app.models.household import (
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Pupil,
)
from app.models.lesson import Lesson, LessonState
from app.models.message import OPEN_MESSAGES, Message, MessageKind, MessageState, Reminder
from app.models.programme import Channel, Language, Level, Subject, Zone
from app.models.request import RequestState, TutoringRequest
from app.models.run import MatchRun, ProposedGroup, ProposedSeat, RunState, UnservedRequest
from app.models.tutor import (
    SIGN_IN_STATES,
    Tutor,
    TutorChannel,
    TutorLanguage,
    TutorState,
    TutorSubject,
    TutorWindow,
)
from app.models.upload import ListKind, PendingImport
from app.models.weekly import DAYS, Window
from app.models.worry import Worry

__all__ = [
    "DAYS",
    "LIVE_GROUPS",
    "OPEN_MESSAGES",
    "SIGN_IN_STATES",
    "AuditEntry",
    "Channel",
    "Consent",
    "ConsentKind",
    "ConsentMeans",
    "Coordinator",
    "FamilyLink",
    "Group",
    "GroupState",
    "Guardian",
    "Household",
    "HouseholdChannel",
    "HouseholdLanguage",
    "HouseholdWindow",
    "Language",
    "Lesson",
    "LessonState",
    "Level",
    "ListKind",
    "MatchRun",
    "Membership",
    "Message",
    "MessageKind",
    "MessageState",
    "PendingImport",
    "ProposedGroup",
    "ProposedSeat",
    "Pupil",
    "Reminder",
    "RequestState",
    "RunState",
    "SignInCode",
    "Subject",
    "Tutor",
    "TutorChannel",
    "TutorLanguage",
    "TutorState",
    "TutorSubject",
    "TutorWindow",
    "TutoringRequest",
    "UnservedRequest",
    "Veto",
    "Window",
    "Worry",
    "Zone",
]
