"""Who may change what of lessons that are to come, until when, within which rules, and who hears.

One table, which docs/changes.md shows in words; a test compares the two cell by cell. The services
that change lessons ask it, and so do the pages that offer a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from app.i18n import _l
from app.models import Coordinator, Lesson
from app.services.errors import Conflict, Invalid
from app.services.free_text import read_reason
from app.services.reminders import Recipient
from scheduler import clock


class Act(StrEnum):
    """What can be done, in the order of the table."""

    CANCEL_LESSON = "cancel one lesson"
    FIND_SUBSTITUTE = "have somebody else give one lesson"
    MOVE_LESSON = "move one lesson"
    RESTORE_LESSON = "put a cancelled lesson back"
    CANCEL_WEEK = "cancel a week"
    MOVE_GROUP = "move a group for good"
    END_GROUP = "end a group"


class Role(StrEnum):
    """Who does it."""

    TUTOR = "tutor"
    COORDINATOR = "coordinator"
    FAMILY = "family"


class May(StrEnum):
    """Whether it is done, asked for, or not at all."""

    AT_ONCE = "at once"
    ASKS_TUTOR = "asks the tutor"
    ASKS_COORDINATOR = "asks the coordinator"
    NO = "no"


class Hours(StrEnum):
    """What a time outside known hours, at night or in another week means."""

    STOP = "stop"
    OVERRULE = "said before, can be overruled"


class Told(StrEnum):
    """Who hears of it, beside who did it."""

    TUTOR = "tutor"
    FAMILIES = "families"


class Undone(StrEnum):
    """What goes with it, in the same transaction."""

    REMINDERS = "reminders"
    ANSWERS = "answers"
    SEATS = "seats"


@dataclass(frozen=True, slots=True)
class Policy:
    """One line of the table."""

    may: May
    until: timedelta | None = None
    """How long before the lesson begins it is too late; None where no single lesson is meant."""
    ahead: timedelta | None = None
    """How far ahead of now the new time must be."""
    within: timedelta | None = None
    """How far from the lesson's own day the new one may be."""
    hours: Hours | None = None
    reason: bool = False
    """Whether it has to be said why."""
    told: tuple[Told, ...] = ()
    undone: tuple[Undone, ...] = ()


_BEGINS: Final = timedelta(0)
_NOTICE: Final = timedelta(hours=3)
"""As lessons are made: one that begins sooner could not be told to its family in time."""
_TIME_TO_ANSWER: Final = timedelta(hours=12)
_WEEK: Final = timedelta(days=7)
_NO: Final = Policy(May.NO)
_BOTH: Final = (Told.TUTOR, Told.FAMILIES)
_ANEW: Final = (Undone.REMINDERS, Undone.ANSWERS)
_ALL: Final = (Undone.REMINDERS, Undone.SEATS)

POLICIES: Final[dict[tuple[Act, Role], Policy]] = {
    (Act.CANCEL_LESSON, Role.TUTOR): Policy(
        May.AT_ONCE,
        until=_BEGINS,
        reason=True,
        told=(Told.FAMILIES,),
        undone=(Undone.REMINDERS,),
    ),
    (Act.CANCEL_LESSON, Role.COORDINATOR): Policy(
        May.AT_ONCE, until=_BEGINS, reason=True, told=_BOTH, undone=(Undone.REMINDERS,)
    ),
    # Where nobody else comes: the tutor would wait for a family that has said no.
    (Act.CANCEL_LESSON, Role.FAMILY): Policy(
        May.AT_ONCE, until=_BEGINS, told=(Told.TUTOR,), undone=(Undone.REMINDERS,)
    ),
    (Act.FIND_SUBSTITUTE, Role.TUTOR): Policy(
        May.AT_ONCE, until=timedelta(hours=16), reason=True, told=_BOTH, undone=(Undone.REMINDERS,)
    ),
    (Act.FIND_SUBSTITUTE, Role.COORDINATOR): Policy(
        May.AT_ONCE, until=_BEGINS, told=_BOTH, undone=(Undone.REMINDERS,)
    ),
    (Act.FIND_SUBSTITUTE, Role.FAMILY): _NO,
    (Act.MOVE_LESSON, Role.TUTOR): Policy(
        May.AT_ONCE,
        until=_NOTICE,
        ahead=_NOTICE,
        within=_WEEK,
        hours=Hours.STOP,
        told=(Told.FAMILIES,),
        undone=_ANEW,
    ),
    (Act.MOVE_LESSON, Role.COORDINATOR): Policy(
        May.AT_ONCE,
        until=_BEGINS,
        ahead=_NOTICE,
        within=_WEEK,
        hours=Hours.OVERRULE,
        told=_BOTH,
        undone=_ANEW,
    ),
    (Act.MOVE_LESSON, Role.FAMILY): Policy(
        May.ASKS_TUTOR,
        until=_TIME_TO_ANSWER,
        ahead=_TIME_TO_ANSWER,
        within=_WEEK,
        hours=Hours.STOP,
        told=(Told.TUTOR,),
        undone=_ANEW,
    ),
    (Act.RESTORE_LESSON, Role.TUTOR): _NO,
    (Act.RESTORE_LESSON, Role.COORDINATOR): Policy(
        May.AT_ONCE, until=_NOTICE, told=_BOTH, undone=(Undone.ANSWERS,)
    ),
    (Act.RESTORE_LESSON, Role.FAMILY): _NO,
    (Act.CANCEL_WEEK, Role.TUTOR): Policy(
        May.AT_ONCE, reason=True, told=(Told.FAMILIES,), undone=(Undone.REMINDERS,)
    ),
    (Act.CANCEL_WEEK, Role.COORDINATOR): Policy(
        May.AT_ONCE, reason=True, told=_BOTH, undone=(Undone.REMINDERS,)
    ),
    (Act.CANCEL_WEEK, Role.FAMILY): Policy(
        May.AT_ONCE, told=(Told.TUTOR,), undone=(Undone.REMINDERS,)
    ),
    (Act.MOVE_GROUP, Role.TUTOR): Policy(
        May.AT_ONCE, hours=Hours.STOP, told=(Told.FAMILIES,), undone=_ANEW
    ),
    (Act.MOVE_GROUP, Role.COORDINATOR): Policy(
        May.AT_ONCE, hours=Hours.OVERRULE, told=_BOTH, undone=_ANEW
    ),
    (Act.MOVE_GROUP, Role.FAMILY): Policy(May.ASKS_COORDINATOR),
    (Act.END_GROUP, Role.TUTOR): Policy(
        May.AT_ONCE, reason=True, told=(Told.FAMILIES,), undone=_ALL
    ),
    (Act.END_GROUP, Role.COORDINATOR): Policy(May.AT_ONCE, reason=True, told=_BOTH, undone=_ALL),
    # A family ends its own child's seat; the group goes on for the others.
    (Act.END_GROUP, Role.FAMILY): Policy(May.AT_ONCE, told=(Told.TUTOR,), undone=_ALL),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: exactly one of three. `by` is None where the program or a command
    does it in a coordinator's place."""

    role: Role
    by: Coordinator | None = None
    tutor_id: int | None = None
    household_id: int | None = None

    @property
    def untold(self) -> frozenset[Recipient]:
        """Who need not be told, having done it."""
        if self.tutor_id is not None:
            return frozenset({Recipient("tutor", self.tutor_id)})
        if self.household_id is not None:
            return frozenset({Recipient("household", self.household_id)})
        return frozenset()

    @property
    def trace(self) -> dict[str, int]:
        """What names who has no coordinator's account, in the trace."""
        named = {"tutor": self.tutor_id, "household": self.household_id}
        return {who: number for who, number in named.items() if number is not None}


def coordinator(by: Coordinator | None) -> Actor:
    """A coordinator; None for a command."""
    return Actor(Role.COORDINATOR, by=by)


def tutor(tutor_id: int) -> Actor:
    """A tutor, on their own page or by a key."""
    return Actor(Role.TUTOR, tutor_id=tutor_id)


def family(household_id: int) -> Actor:
    """A family, on its own page or by a key."""
    return Actor(Role.FAMILY, household_id=household_id)


def policy_of(act: Act, role: Role) -> Policy:
    """The line of the table."""
    return POLICIES[act, role]


def is_in_time(act: Act, role: Role, lesson: Lesson) -> bool:
    """Whether a lesson can still be changed so, as far as its start goes."""
    policy = POLICIES[act, role]
    if policy.may is May.NO:
        return False
    return policy.until is None or lesson.starts_at > clock.now() + policy.until


def refuse_too_late(act: Act, role: Role, lesson: Lesson) -> None:
    """Conflict where a lesson can't be changed so any more."""
    if lesson.starts_at <= clock.now():
        raise Conflict(_l("This lesson has begun already."))
    if not is_in_time(act, role, lesson):
        raise Conflict(_l("It is too late for that: the lesson begins soon."))


def given_reason(act: Act, actor: Actor, reason: str, standard: str = "") -> str:
    """Why something is done; Invalid where that has to be said, else `standard` in its place."""
    said = read_reason(reason)
    if not said and POLICIES[act, actor.role].reason:
        raise Invalid(_l("Say why."))
    return said or standard
