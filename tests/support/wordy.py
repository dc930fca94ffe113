"""Every use case that takes words from a person, as a table: what is called, what it stored.

A new one is one line of `USE_CASES`. Each takes the words and gives back what stands in the
database for them; what can't be kept it refuses by a ServiceError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy import delete, select, update

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Consent,
    ConsentKind,
    ConsentMeans,
    Coordinator,
    Group,
    GroupState,
    Invitation,
    Lesson,
    LessonState,
    ListKind,
    Membership,
    MessageKind,
    MessageWording,
    PendingImport,
    Pin,
    Pupil,
    RequestState,
    Term,
    Tutor,
    TutorAbsence,
    TutoringRequest,
    TutorState,
    Veto,
    Zone,
)
from app.services import (
    absences,
    asking,
    attendance,
    by_hand,
    changes,
    choices,
    coordinators,
    departures,
    family_children,
    groups,
    help_request,
    households,
    invitations,
    notes,
    programme_lists,
    pupils,
    requests,
    statements,
    suspension,
    tutor_notes,
    tutors,
    wordings,
    worries,
    zones,
)
from app.services.imports import keep_import
from app.services.lessons import future_lessons
from app.services.programme_lists import Exam, Names
from app.services.scope import EVERYWHERE
from app.services.term_changes import NewTerm, store_term
from app.services.terms import list_terms
from app.services.vetting_term import today
from scheduler import clock
from tests.support.groups import active_group, offer_group
from tests.support.people import make_coordinator, make_household, make_programme, make_tutor

BROWSER: Final = "a browser"
_AGREED: Final = asking.Agreed(lessons=True, groups=True)
_numbers = count(1)


@dataclass(frozen=True)
class Wordy:
    """The rows that the use cases write about."""

    by: Coordinator
    household_id: int
    pupil_id: int
    tutor_id: int
    free_tutor_id: int
    group_id: int
    offered_id: int
    lesson_id: int
    begun_id: int
    zone_id: int
    term_id: int


def make_wordy() -> Wordy:
    """A family with two children: one taught, one offered to the same volunteer."""
    make_programme()
    by = make_coordinator()
    tutor_id = make_tutor(windows=("mon 17:00-21:00",))
    family = make_household(
        windows=("mon 17:00-21:00",),
        pupils=[("Hiba Touil", "3AC", ("maths",)), ("Adam Touil", "3AC", ("maths",))],
    )
    hiba, adam = family.pupils
    group = active_group(tutor_id, [hiba.requests[0].id])
    offered = offer_group(tutor_id, [adam.requests[0].id], starts=[("mon", "20:00")])
    lesson_id = future_lessons(group.id)[0].id
    begun = clock.now() - timedelta(hours=1)
    zone = "Africa/Casablanca"
    with transaction():
        past = Lesson(
            group_id=group.id,
            wall_start=clock.to_wall(begun, zone),
            zone=zone,
            tz_version=clock.tz_version(),
            starts_at=begun,
            minutes=60,
        )
        db.session.add(past)
        # One coming lesson is enough, and quicker to end.
        db.session.execute(
            update(Lesson).where(Lesson.id != lesson_id).values(state=LessonState.CANCELLED)
        )
        past.state = LessonState.PLANNED
    term = NewTerm("2026-2027", today() - timedelta(days=90), today() + timedelta(days=200))
    store_term(term, by)
    households.list_zone(family.zone_id, by)
    return Wordy(
        by=by,
        household_id=family.id,
        pupil_id=hiba.id,
        tutor_id=tutor_id,
        free_tutor_id=make_tutor(name="Omar Ziani"),
        group_id=group.id,
        offered_id=offered.id,
        lesson_id=lesson_id,
        begun_id=past.id,
        zone_id=family.zone_id,
        term_id=list_terms()[0].id,
    )


def _restored(wordy: Wordy) -> None:
    """Bring groups, seats and lessons back to what they were before they ended."""
    with transaction():
        ended: Any = update(Group).values(ended_at=None, decline_reason=None)
        for number, state in (
            (wordy.group_id, GroupState.ACTIVE),
            (wordy.offered_id, GroupState.OFFERED),
        ):
            db.session.execute(ended.where(Group.id == number).values(state=state))
        db.session.execute(update(Membership).values(ended_at=None))
        open_again = {"ended_at": None, "end_reason": None, "state": RequestState.SERVED}
        db.session.execute(update(TutoringRequest).values(**open_again))
        planned = {"state": LessonState.PLANNED, "cancelled_at": None, "cancel_reason": None}
        db.session.execute(update(Lesson).where(Lesson.id == wordy.lesson_id).values(**planned))
        db.session.execute(delete(Veto))
        db.session.execute(delete(Pin))
        db.session.execute(update(Tutor).values(state=TutorState.VETTED))


def _row(table: type[Any], number: int) -> Any:
    return db.session.get_one(table, number, populate_existing=True)


def _newest(table: type[Any]) -> Any:
    return db.session.scalars(select(table).order_by(table.id.desc()).limit(1)).one()


def _traced() -> str:
    """The reason that the newest entry of the trace gives."""
    return str(_newest(AuditEntry).detail["reason"])


# Names


def _guardian(words: str, at: Wordy) -> str:
    known = households.details_of(_row(households.Household, at.household_id))
    changed = replace(known, guardian=words)
    households.change_household(at.household_id, changed, at.by, EVERYWHERE)
    return str(_row(households.Household, at.household_id).guardian.name)


def _new_family(words: str, at: Wordy) -> str:
    known = households.details_of(_row(households.Household, at.household_id))
    new = replace(known, guardian=words, phone=f"+2125371{next(_numbers):05d}")
    return households.add_household(new, at.by, EVERYWHERE).guardian.name


def _family_email(words: str, at: Wordy) -> str:
    known = households.details_of(_row(households.Household, at.household_id))
    changed = replace(known, email=f"{words}@example.org")
    households.change_household(at.household_id, changed, at.by, EVERYWHERE)
    return str(_row(households.Household, at.household_id).email).removesuffix("@example.org")


def _pupil(field: str) -> Callable[[str, Wordy], str]:
    def change(words: str, at: Wordy) -> str:
        known = pupils.details_of(_row(Pupil, at.pupil_id))
        pupils.change_pupil(at.pupil_id, replace(known, **{field: words}), at.by)
        return getattr(_row(Pupil, at.pupil_id), field) or ""

    return change


def _new_pupil(words: str, at: Wordy) -> str:
    details = pupils.PupilDetails(
        words, "Touil", "", _row(Pupil, at.pupil_id).level_id, frozenset()
    )
    lessons_of = {_row(Group, at.group_id).subject_id: 1}
    pupil = pupils.add_pupil(at.household_id, details, lessons_of, [], at.by)
    stored = pupil.first_name
    _forget_pupil(pupil)
    return stored


def _forget_pupil(pupil: Pupil) -> None:
    with transaction():
        db.session.delete(db.session.get_one(Pupil, pupil.id))


def _consent(words: str, at: Wordy) -> str:
    said = statements.Statement(
        ConsentKind.LESSONS, True, words, ConsentMeans.TOLD_COORDINATOR, statements.today()
    )
    statements.record_statements(at.pupil_id, [said], at.by)
    return str(_newest(Consent).guardian_name)


def _tutor(field: str) -> Callable[[str, Wordy], str]:
    def change(words: str, at: Wordy) -> str:
        tutor = _row(Tutor, at.free_tutor_id)
        entry = tutors.TutorEntry(
            first_name="Omar",
            last_name="Ziani",
            email=tutor.email or "",
            phone="",
            message_language="fr",
            time_zone=None,
            max_lessons_per_week=3,
            teaches=frozenset((one.subject_id, one.level_id) for one in tutor.teaches),
            channels=frozenset({"call"}),
            languages=frozenset({"darija"}),
            tags=frozenset(),
            windows=(),
            times_to_agree=True,
        )
        tutors.change_tutor(at.free_tutor_id, replace(entry, **{field: words}), at.by)
        return str(getattr(_row(Tutor, at.free_tutor_id), field))

    return change


def _asked_child(words: str, at: Wordy) -> str:
    level, subject = _row(Pupil, at.pupil_id).level_id, _row(Group, at.group_id).subject_id
    child = asking.read_child(words, "Rami", level, [subject])
    pupil = family_children.ask_for_child(at.household_id, child, _AGREED)
    stored = pupil.first_name
    if pupil.last_name == "Rami":
        _forget_pupil(pupil)
    return stored


def _help_child(words: str, at: Wordy) -> str:
    level, subject = _row(Pupil, at.pupil_id).level_id, _row(Group, at.group_id).subject_id
    help_request.keep(BROWSER, children=[])
    help_request.add_child(BROWSER, asking.read_child("Sara", words, level, [subject]))
    return help_request.read_answers(BROWSER).children[0].last_name


def _help_guardian(words: str, _at: Wordy) -> str:
    help_request.keep_guardian(BROWSER, words)
    return help_request.read_answers(BROWSER).guardian


def _help_zone(words: str, _at: Wordy) -> str:
    help_request.keep_zone(BROWSER, None, words)
    return help_request.read_answers(BROWSER).zone_name


def _invited(words: str, at: Wordy) -> str:
    role = coordinators.Role(is_administrator=False, zone_ids=None)
    invitations.invite("new@example.org", words, role, at.by)
    return str(_newest(Invitation).name)


def _invited_address(words: str, at: Wordy) -> str:
    role = coordinators.Role(is_administrator=False, zone_ids=None)
    invitations.invite(f"{words}@example.org", "New", role, at.by)
    return str(_newest(Invitation).email).removesuffix("@example.org")


# What things are called


def _new_zone(words: str, at: Wordy) -> str:
    return zones.add_zone(words, "", at.by).name


def _arabic_zone(words: str, at: Wordy) -> str:
    zones.change_zone(at.zone_id, "Aïn Kaïcher", words, listed=True, by=at.by)
    return _row(Zone, at.zone_id).name_ar or ""


def _term(words: str, at: Wordy) -> str:
    known = _row(Term, at.term_id)
    store_term(NewTerm(words, known.first_day, known.last_day), at.by, term_id=at.term_id)
    return str(_row(Term, at.term_id).name)


def _subject(words: str, at: Wordy) -> str:
    row = programme_lists.change_entry("subjects", "maths", Names(words, words, words), at.by)
    return str(row.name_ar)


def _spelling(words: str, at: Wordy) -> str:
    names = Names("Maths", "رياضيات", "Maths", (words,))
    return "".join(programme_lists.change_entry("subjects", "maths", names, at.by).also)


def _new_tag(words: str, at: Wordy) -> str:
    number = next(_numbers)
    names = Names(words, f"حاجة {number}", f"Need {number}")
    return str(programme_lists.add_entry("tags", names, at.by).name_fr)


def _new_level(words: str, at: Wordy) -> str:
    number = next(_numbers)
    names = Names(f"Niveau {number}", f"مستوى {number}", f"Level {number}")
    row = programme_lists.add_level(words, names, Exam(1, False, None), None, at.by)
    return str(row.code)


def _channel(words: str, at: Wordy) -> str:
    names = Names("Appel", "مكالمة", words)
    return str(programme_lists.change_channel("call", names, 1, 0, at.by).name_en)


def _wording(words: str, at: Wordy) -> str:
    place = (MessageKind.LESSONS_END, "ar", "family")
    wordings.set_wording(*place, f"{{pupils}} {{tutor}}\n{words}", at.by)
    body = _row_of_wording(place).body
    return body.removeprefix("{pupils} {tutor}").strip()


def _row_of_wording(place: tuple[MessageKind, str, str]) -> MessageWording:
    return db.session.get_one(MessageWording, place, populate_existing=True)


def _list_name(words: str, at: Wordy) -> str:
    number = keep_import(ListKind.PUPILS, words, b"", at.by)
    return str(_row(PendingImport, number).filename)


# Reasons and notes


def _absence(words: str, at: Wordy) -> str:
    day = today() + timedelta(days=40)
    absences.plan_absence(at.free_tutor_id, day, day, words)
    absence = _newest(TutorAbsence)
    reason = absence.reason
    absences.take_absence_back(at.free_tutor_id, absence.id)
    return str(reason)


def _declined(words: str, at: Wordy) -> str:
    reason = groups.decline_group(at.offered_id, words, at.by).decline_reason
    assert reason == _newest(Veto).reason
    return reason or ""


def _group_ended(words: str, at: Wordy) -> str:
    groups.end_group(at.group_id, words, at.by)
    return _traced()


def _cancelled(words: str, at: Wordy) -> str:
    return changes.cancel_lesson(at.lesson_id, words, at.by).cancel_reason or ""


def _noted(words: str, at: Wordy) -> str:
    held = LessonState.HELD
    return attendance.note_lesson(at.begun_id, held, [], words, tutor_id=at.tutor_id).note or ""


def _taken_out(words: str, at: Wordy) -> str:
    seat = _row(Group, at.offered_id).members[0].id
    by_hand.take_out(at.offered_id, seat, words, at.by, rule_out=True)
    return str(_newest(Veto).reason)


def _request_ended(words: str, at: Wordy) -> str:
    (request,) = _row(Pupil, at.pupil_id).requests
    seats = [seat.id for seat in _row(Group, at.group_id).members]
    return requests.end_request(request.id, words, at.by, seats).end_reason or ""


def _ruled_out(words: str, at: Wordy) -> str:
    (request,) = _row(Pupil, at.pupil_id).requests
    return choices.rule_out(request.id, at.free_tutor_id, words, at.by).reason


def _suspended(words: str, at: Wordy) -> str:
    suspension.suspend_tutor(at.free_tutor_id, words, at.by)
    reason = _row(Tutor, at.free_tutor_id).suspend_reason
    suspension.lift_suspension(at.free_tutor_id, at.by)
    return reason or ""


def _paused(words: str, at: Wordy) -> str:
    departures.pause_tutor(at.free_tutor_id, words, None, by_tutor=True)
    return _traced()


def _left(words: str, at: Wordy) -> str:
    departures.let_tutor_leave(at.free_tutor_id, words, at.by)
    return _traced()


def _family_note(words: str, at: Wordy) -> str:
    return notes.add_note(at.household_id, words, at.by).text


def _tutor_note(words: str, at: Wordy) -> str:
    return tutor_notes.note_tutor(at.free_tutor_id, words, at.by).text


def _worry(words: str, at: Wordy) -> str:
    return worries.report_worry(at.household_id, words).text


@dataclass(frozen=True)
class UseCase:
    """One way in for words; `ends` says that what ended by it must be brought back."""

    name: str
    keep: Callable[[str, Wordy], str]
    most: int = 0
    """How long what is kept may be."""
    ends: bool = False
    cut: bool = False
    """Whether what is too long is cut, as its documentation says."""

    def run(self, words: str, at: Wordy) -> str:
        try:
            return self.keep(words, at)
        finally:
            if self.ends:
                _restored(at)


USE_CASES: Final = (
    UseCase("a family's guardian", _guardian, 160),
    UseCase("a new family's guardian", _new_family, 160),
    UseCase("a family's e-mail address", _family_email, 254),
    UseCase("a pupil's first name", _pupil("first_name"), 80),
    UseCase("a pupil's last name", _pupil("last_name"), 80),
    UseCase("a pupil's number", _pupil("ref"), 40),
    UseCase("a new pupil", _new_pupil, 80),
    UseCase("who consented", _consent, 160),
    UseCase("a volunteer's first name", _tutor("first_name"), 80),
    UseCase("a volunteer's last name", _tutor("last_name"), 80),
    UseCase("a child on the family's page", _asked_child, 80),
    UseCase("a child in a request for help", _help_child, 80),
    UseCase("a guardian in a request for help", _help_guardian, 160),
    UseCase("a commune in a request for help", _help_zone, 80),
    UseCase("an invited coordinator", _invited, 120),
    UseCase("an invited address", _invited_address, 254),
    UseCase("a zone", _new_zone, 80),
    UseCase("a zone's Arabic name", _arabic_zone, 80),
    UseCase("a term", _term, 80),
    UseCase("a subject", _subject, 80),
    UseCase("a spelling of a subject", _spelling, 80),
    UseCase("a need", _new_tag, 80),
    UseCase("a level's code", _new_level, 12),
    UseCase("a channel", _channel, 80),
    UseCase("a wording", _wording, 500),
    UseCase("a list's file name", _list_name, 255, cut=True),
    UseCase("an absence", _absence, 500),
    UseCase("a declined offer", _declined, 500, ends=True),
    UseCase("a group's end", _group_ended, 500, ends=True),
    UseCase("a cancelled lesson", _cancelled, 500, ends=True),
    UseCase("a lesson's note", _noted, 1000),
    UseCase("a pupil taken out", _taken_out, 500, ends=True),
    UseCase("a request's end", _request_ended, 500, ends=True),
    UseCase("a pair kept apart", _ruled_out, 500, ends=True),
    UseCase("a suspension", _suspended, 500),
    UseCase("a pause", _paused, 500, ends=True),
    UseCase("a departure", _left, 500, ends=True),
    UseCase("a note on a family", _family_note, 2000),
    UseCase("a note on a volunteer", _tutor_note, 2000),
    UseCase("a worry", _worry, 2000, cut=True),
)
