"""What a volunteer's pages show and set: offers, groups with families' contacts, lessons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    DAYS,
    LIVE_GROUPS,
    Channel,
    Group,
    GroupState,
    Language,
    Lesson,
    LessonAnswer,
    LessonState,
    Membership,
    Pupil,
    Tutor,
    TutorAbsence,
    TutoringRequest,
)
from app.services import attendance, audit
from app.services.absences import list_absences
from app.services.attendance import PastLesson
from app.services.errors import Invalid, NotFound
from app.services.loading import GROUP_WITH_FAMILIES
from app.services.own_clock import own_time
from app.services.reminders import follow_zone
from app.services.searches import searched_among
from app.services.standing_in import (
    AskedLesson,
    StandIn,
    asked_of,
    lessons_stood_in,
)
from app.services.vetting_term import ends_soon, expires_on
from scheduler import clock
from scheduler.calendar import weekly_dates

AHEAD = timedelta(weeks=2)
MESSAGE_LANGUAGES = ("fr", "ar")
MOST_TO_NOTE = 3
"""How many lessons the week asks about; the others are a page further."""


@dataclass(frozen=True, slots=True)
class WeeklyTime:
    """A weekly start on the family's clock; on the tutor's too where that differs at present.

    Both are (day 0..6 from Monday, "HH:MM").
    """

    family: tuple[int, str]
    own: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class TutorGroup:
    """A group as its tutor sees it. `offered` and `pupils` are seats; only `pupils` have contacts.

    `times` has None for a weekly lesson whose time is still to be agreed.
    """

    group: Group
    channel: Channel
    language: Language
    times: list[WeeklyTime | None]
    offered: list[Membership]
    accepted: list[Membership]


@dataclass(frozen=True, slots=True)
class TutorLesson:
    """A lesson on the family's clock; `own` is the tutor's where it differs. Both are naive."""

    lesson: Lesson
    own: datetime | None
    pupils: list[Pupil]
    answers: dict[int, bool]
    """By household: whether it says that it will be there. Most say nothing."""
    seeks: bool = False
    """Whether somebody else is being looked for who gives it."""


@dataclass(frozen=True, slots=True)
class Week:
    """A volunteer's first page."""

    offers: list[TutorGroup]
    groups: list[TutorGroup]
    asked: list[AskedLesson]
    """Lessons of others that the tutor is asked to give."""
    standing_in: list[StandIn]
    """Lessons of others that the tutor gives; their contacts are shown until the lesson is over."""
    lessons: list[TutorLesson]
    to_note: list[PastLesson]
    """The newest lessons of which nobody said how they went; `unnoted` is how many there are."""
    unnoted: int
    absences: list[TutorAbsence]
    vetting_ends: date | None
    """The first day on which the vetting holds no more, where that is near."""

    @property
    def pupils_with_contact(self) -> list[int]:
        """The ids of the children whose families' numbers the page shows."""
        own = [member.request.pupil_id for entry in self.groups for member in entry.accepted]
        return own + [pupil.id for entry in self.standing_in for pupil in entry.pupils]


def read_week(tutor: Tutor) -> Week:
    """What is offered to a tutor, the groups that they teach, the lessons around today."""
    groups = _live_groups(tutor)
    return Week(
        offers=[entry for entry in groups if entry.offered],
        groups=[entry for entry in groups if entry.group.state is GroupState.ACTIVE],
        asked=asked_of(tutor),
        standing_in=lessons_stood_in(tutor),
        lessons=_coming_lessons(tutor, [entry.group.id for entry in groups]),
        to_note=attendance.newest_unnoted(tutor, MOST_TO_NOTE),
        unnoted=attendance.count_unnoted(tutor),
        absences=list_absences(tutor.id),
        vetting_ends=expires_on(tutor) if ends_soon(tutor) else None,
    )


def get_offer(tutor: Tutor, group_id: int) -> TutorGroup:
    """One of the tutor's groups that wait for an answer; NotFound for any other."""
    for entry in _live_groups(tutor):
        if entry.group.id == group_id and entry.offered:
            return entry
    raise NotFound(_l("Nothing is offered to you here. It may have been answered already."))


def get_group(tutor: Tutor, group_id: int) -> TutorGroup:
    """One of the groups that a tutor teaches; NotFound for any other."""
    for entry in _live_groups(tutor):
        if entry.group.id == group_id and entry.group.state is GroupState.ACTIVE:
            return entry
    raise NotFound(_l("This group does not exist."))


def get_lesson(tutor: Tutor, lesson_id: int) -> TutorLesson:
    """One of the planned lessons to come that the tutor gives; NotFound for any other."""
    group_ids = [entry.group.id for entry in _live_groups(tutor)]
    for entry in _coming_lessons(tutor, group_ids):
        lesson = entry.lesson
        is_planned = lesson.id == lesson_id and lesson.state is LessonState.PLANNED
        if is_planned and lesson.given_by.id == tutor.id:
            return entry
    raise NotFound(_l("This lesson is not among your coming ones."))


def note_contacts_shown(tutor: Tutor, page: str, pupil_ids: list[int]) -> None:
    """Write, and commit, that a tutor was shown the numbers of these children's families."""
    with transaction():
        audit.note("view", page, None, pupil_ids=pupil_ids, detail={"tutor": tutor.id})


def set_preferences(tutor_id: int, language: str, time_zone: str | None, *, digest: bool) -> Tutor:
    """Set the language of a tutor's messages, the zone they live in (None: the programme's), and
    whether their week is sent to them on Sundays.
    """
    if language not in MESSAGE_LANGUAGES:
        raise Invalid(_l("Choose one of the languages."))
    if time_zone is not None:
        try:
            clock.zone(time_zone)
        except clock.ClockError:
            raise Invalid(_l("Choose one of the places.")) from None
    with transaction():
        tutor = db.session.get_one(Tutor, tutor_id, with_for_update=True)
        tutor.message_language, tutor.wants_digest = language, digest
        tutor.time_zone = None if time_zone == _civil_zone() else time_zone
        follow_zone(tutor.id)
        audit.note("set_preferences", f"tutor:{tutor.id}", None, detail={"tutor": tutor.id})
    return tutor


def _live_groups(tutor: Tutor) -> list[TutorGroup]:
    groups = db.session.scalars(
        select(Group)
        .where(Group.tutor_id == tutor.id, Group.state.in_(LIVE_GROUPS))
        .order_by(Group.id)
        .options(
            *GROUP_WITH_FAMILIES,
        )
    )
    channels = {row.code: row for row in db.session.scalars(select(Channel))}
    languages = {row.code: row for row in db.session.scalars(select(Language))}
    return [
        TutorGroup(
            group=group,
            channel=channels[group.channel],
            language=languages[group.language],
            times=[
                None if start is None else _weekly_time(tutor, *start) for start in group.starts
            ],
            offered=[member for member in group.members if member.active_since is None],
            accepted=[member for member in group.members if member.active_since is not None],
        )
        for group in groups
    ]


def _weekly_time(tutor: Tutor, day: str, time: str) -> WeeklyTime:
    """What the tutor's clocks show is said for the next such lesson: it can change in spring."""
    zone = _civil_zone()
    hours, _colon, minutes = time.partition(":")
    today = clock.to_wall(clock.now(), zone)
    start = (DAYS.index(day), 60 * int(hours) + int(minutes))
    wall = weekly_dates([start], after=today, until=today + timedelta(days=8))[0]
    own = own_time(tutor, clock.to_utc(wall, zone), wall)
    return WeeklyTime(
        family=(wall.weekday(), time),
        own=None if own is None else (own.weekday(), f"{own:%H:%M}"),
    )


def _coming_lessons(tutor: Tutor, group_ids: list[int]) -> list[TutorLesson]:
    now = clock.now()
    lessons = db.session.scalars(
        select(Lesson)
        .where(
            or_(Lesson.group_id.in_(group_ids), Lesson.substitute_id == tutor.id),
            Lesson.state.in_((LessonState.PLANNED, LessonState.CANCELLED)),
            Lesson.starts_at > now,
            Lesson.starts_at <= now + AHEAD,
        )
        .order_by(Lesson.starts_at, Lesson.id)
        .options(
            joinedload(Lesson.substitute).lazyload("*"),
            joinedload(Lesson.group).options(
                joinedload(Group.tutor).lazyload("*"),
                joinedload(Group.subject),
                selectinload(Group.memberships)
                .joinedload(Membership.request)
                .joinedload(TutoringRequest.pupil),
            ),
        )
    ).all()
    seeking = searched_among(row.id for row in lessons)
    said: dict[int, dict[int, bool]] = {}
    answers = select(LessonAnswer).where(LessonAnswer.lesson_id.in_([row.id for row in lessons]))
    for answer in db.session.scalars(answers):
        said.setdefault(answer.lesson_id, {})[answer.household_id] = answer.coming
    return [
        TutorLesson(
            lesson=lesson,
            own=own_time(tutor, lesson.starts_at, lesson.wall_start),
            pupils=[
                member.request.pupil
                for member in lesson.group.members
                if member.active_since is not None
            ],
            answers=said.get(lesson.id, {}),
            seeks=lesson.id in seeking,
        )
        for lesson in lessons
    ]


def _civil_zone() -> str:
    return str(current_app.config["N9RAW"].civil_zone)
