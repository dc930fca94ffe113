"""What a family's page shows of its lessons, and how the family wants to be reached."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    CallRequest,
    Channel,
    Group,
    Household,
    HouseholdWindow,
    Lesson,
    LessonState,
    Membership,
    Pupil,
    TutoringRequest,
    Window,
)
from app.services import audit
from app.services.call_me import TUTOR_CALLS_WITHIN
from app.services.errors import Invalid
from app.services.households import MESSAGE_LANGUAGES
from app.services.lesson_answers import answers_of
from app.services.stopping import start_messages, stop_messages
from app.services.taught import family_lessons
from scheduler import clock

AHEAD = timedelta(weeks=4)
UNDER_WAY = timedelta(hours=1)
"""How long a lesson that has begun stays on the page."""


@dataclass(frozen=True, slots=True)
class FamilyLesson:
    """One lesson of one or more of the household's children."""

    lesson: Lesson
    pupils: list[Pupil]
    channel: Channel
    coming: bool | None = None
    """What the family said of it last."""
    alone: bool = False
    """Whether nobody else comes to it."""

    @property
    def cancelled(self) -> bool:
        return self.lesson.state is LessonState.CANCELLED

    @property
    def is_open(self) -> bool:
        """Whether the family can still say whether it will be there."""
        return not self.cancelled and self.lesson.starts_at > clock.now()


def coming_lessons(household: Household) -> list[FamilyLesson]:
    """The lessons of the next four weeks, the cancelled ones too, in the order of time."""
    now = clock.now()
    statement = (
        family_lessons(household.id)
        .where(
            Lesson.state.in_((LessonState.PLANNED, LessonState.CANCELLED)),
            Lesson.starts_at > now - UNDER_WAY,
            Lesson.starts_at <= now + AHEAD,
        )
        .order_by(Lesson.starts_at, Lesson.id, Pupil.id)
        .options(
            joinedload(Lesson.substitute).lazyload("*"),
            contains_eager(Lesson.group).options(
                joinedload(Group.tutor), joinedload(Group.subject)
            ),
        )
    )
    channels = {row.code: row for row in db.session.scalars(select(Channel))}
    found: dict[int, FamilyLesson] = {}
    for lesson, pupil in db.session.execute(statement):
        entry = found.setdefault(
            lesson.id, FamilyLesson(lesson, [], channels[lesson.group.channel])
        )
        entry.pupils.append(pupil)
    answers = answers_of(household.id, list(found))
    shared = _shared_groups(household.id, {entry.lesson.group_id for entry in found.values()})
    return [
        replace(entry, coming=answers.get(number), alone=entry.lesson.group_id not in shared)
        for number, entry in found.items()
    ]


def _shared_groups(household_id: int, group_ids: Collection[int]) -> set[int]:
    """Those of the groups to which children of other families come."""
    others = (
        select(Membership.group_id)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(
            Membership.group_id.in_(group_ids),
            Membership.active_since.is_not(None),
            Membership.ended_at.is_(None),
            Pupil.household_id != household_id,
        )
    )
    return set(db.session.scalars(others))


def newest_call(household: Household) -> CallRequest | None:
    """The family's wish to be called that nobody has answered yet, or that its volunteer was told
    of just now.
    """
    return db.session.scalar(
        select(CallRequest)
        .where(
            CallRequest.household_id == household.id,
            or_(
                CallRequest.called_at.is_(None),
                and_(
                    CallRequest.tutor_id.is_not(None),
                    CallRequest.asked_at > clock.now() - TUTOR_CALLS_WITHIN,
                ),
            ),
        )
        .order_by(CallRequest.id.desc())
        .limit(1)
    )


def set_hours(household_id: int, windows: Iterable[Window], *, to_agree: bool) -> Household:
    """Keep when the telephone is at home, for the next matching; groups in force stay."""
    with transaction():
        household = db.session.get_one(Household, household_id, with_for_update=True)
        household.times_to_agree = to_agree
        household.windows = [
            HouseholdWindow(day=day, start_minute=start, end_minute=end)
            for day, start, end in windows
        ]
        _note_family("set_hours", household)
    return household


def set_message_language(household_id: int, language: str) -> Household:
    """Write to a family in another language or script from now on."""
    if language not in MESSAGE_LANGUAGES:
        raise Invalid(_l("Choose one of the languages."))
    with transaction():
        household = db.session.get_one(Household, household_id, with_for_update=True)
        if household.message_language != language:
            household.message_language = language
            _note_family("set_message_language", household)
    return household


def set_messages(household_id: int, *, wanted: bool) -> Household:
    """Stop the messages to a family, or send them again, as the family itself asks."""
    with transaction():
        household = db.session.get_one(Household, household_id, with_for_update=True)
        start_messages(household) if wanted else stop_messages(household)
    return household


def _note_family(action: str, household: Household) -> None:
    detail = {"household": household.id}
    audit.note(action, f"household:{household.id}", None, detail=detail)
