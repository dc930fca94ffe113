"""What became of lessons and groups, from where a recipient left off: what is told, in what words.

A notice keeps what its recipient knew last (`was`). What it tells is found when it is asked: the
difference to what holds now, as far as it concerns that recipient.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from app.extensions import db
from app.models import (
    DAYS,
    LIVE_GROUPS,
    ConsentKind,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Membership,
    Message,
    MessageKind,
    Notice,
    Pupil,
    Question,
    QuestionKind,
    Tutor,
    TutoringRequest,
    TutorState,
)
from app.services.change_texts import (
    Beginning,
    Change,
    Offer,
    Told,
    changes_text,
    new_group_text,
    offers_text,
    question_text,
    week_text,
)
from app.services.consent import in_force
from app.services.loading import GROUP_IN_TEXTS
from app.services.reminders import Recipient
from scheduler import clock

State = dict[str, Any]
"""How a lesson stood: when, by whom, whether it was cancelled, and which children sat in it."""

_SUBSTITUTED: Final = frozenset(("given_by", "given_away", "taken"))
_NO_MORE: Final = (TutorState.SUSPENDED, TutorState.LEFT)


# --- what is known, and what there is to tell


def state_of(lesson: Lesson) -> State:
    """How a lesson stands, as notices keep it."""
    return {
        "start": lesson.wall_start.isoformat(timespec="minutes"),
        "at": lesson.starts_at.isoformat(),
        "by": lesson.substitute_id or lesson.group.tutor_id,
        "cancelled": lesson.state is LessonState.CANCELLED,
        "channel": lesson.group.channel,
        "pupils": [pupil.id for pupil in _seated(lesson.group)],
    }


def group_state_of(group: Group, starts: Sequence[Any]) -> State:
    """When a group met, as notices keep it."""
    return {"starts": list(starts), "pupils": [pupil.id for pupil in _seated(group)]}


def has_new_times(was: State, group: Group) -> bool:
    """Whether a group that is in force meets at other times of the week than it did."""
    return group.state is GroupState.ACTIVE and _times(was["starts"]) != _times(group.starts)


def left_since(was: State, group: Group) -> set[int]:
    """The ids of the children who sat in a group that goes on, and do no more."""
    if group.state is not GroupState.ACTIVE:
        return set()
    return set(was["pupils"]) - {pupil.id for pupil in _seated(group)}


def has_news(was: State, group: Group, recipient: Recipient) -> bool:
    """Whether there is something to tell to somebody who knew a group so: other times of the week,
    to its tutor also who left it.
    """
    is_tutor = recipient.table == Tutor.__tablename__
    return has_new_times(was, group) or (is_tutor and bool(left_since(was, group)))


def change_since(was: State, lesson: Lesson, recipient: Recipient) -> tuple[str, State] | None:
    """What became of a lesson for somebody who knew it so: the act, and since which state.

    None where there is nothing to tell, or it is over. Where a text may have got lost, `was` also
    holds what it said ("perhaps"): both are compared.
    """
    now = state_of(lesson)
    for known in (was, was.get("perhaps")):
        act = None if known is None else _act(known, now, recipient)
        if act is not None and known is not None:
            return (act, known) if _end_of(act, known, now) > clock.now() else None
    return None


def load_people(lessons: Iterable[Lesson]) -> None:
    """Read all that is told of lessons at once: their groups, the children in them, consents."""
    ids = [lesson.id for lesson in lessons]
    wanted = select(Lesson).where(Lesson.id.in_(ids))
    db.session.scalars(
        wanted.options(
            joinedload(Lesson.group).options(*GROUP_IN_TEXTS), joinedload(Lesson.substitute)
        )
    ).unique().all()


def ends_at(was: State, lesson: Lesson) -> datetime:
    """From when on it is of no use to tell: the start, the old or the new, whichever is later."""
    return max(_instant(was), lesson.starts_at)


def kind_of_acts(acts: Iterable[str]) -> MessageKind:
    """The kind of a message that tells all this."""
    told = set(acts)
    if told == {"cancelled"}:
        return MessageKind.CANCELLATION
    if told and told <= _SUBSTITUTED:
        return MessageKind.SUBSTITUTION
    return MessageKind.CHANGE


def children_told(was: State, lesson: Lesson, recipient: Recipient) -> list[Pupil]:
    """The children of whom the recipient is told, as far as a guardian consents.

    Of a cancelled lesson hears also who has left the group since.
    """
    pupils = _seated(lesson.group)
    if lesson.state is LessonState.CANCELLED:
        left = set(was["pupils"]) - {pupil.id for pupil in pupils}
        pupils += [p for number in sorted(left) if (p := db.session.get(Pupil, number)) is not None]
    return [pupil for pupil in pupils if _concerns(pupil, recipient)]


def begins(notice: Notice) -> bool:
    """Whether a child of whom a notice of a new group speaks still sits in it."""
    group = notice.group
    if group is None or group.state is not GroupState.ACTIVE:
        return False
    return any(pupil.id in notice.was["pupils"] for pupil in _seated(group))


def _act(was: State, now: State, recipient: Recipient) -> str | None:
    if recipient.table == Household.__tablename__:
        return _act_for_family(was, now)
    return _act_for_tutor(was, now, recipient.id)


def _act_for_family(was: State, now: State) -> str | None:
    if now["cancelled"]:
        return None if was["cancelled"] else "cancelled"
    if was["cancelled"] or was["channel"] != now["channel"]:
        return "again"
    if was["start"] != now["start"]:
        return "moved"
    return None if was["by"] == now["by"] else "given_by"


def _act_for_tutor(was: State, now: State, tutor_id: int) -> str | None:
    gave = was["by"] == tutor_id and not was["cancelled"]
    if now["by"] != tutor_id or now["cancelled"]:
        if not gave:
            return None
        return "cancelled" if now["cancelled"] else "given_away"
    if not gave:
        return "again" if was["by"] == tutor_id else "taken"
    if was["channel"] != now["channel"]:
        return "again"
    if was["start"] != now["start"]:
        return "moved"
    if was["at"] == now["at"]:
        return None
    own_zone = db.session.scalar(select(Tutor.time_zone).where(Tutor.id == tutor_id))
    return None if own_zone is None else "moved"  # the families' clock shows the same, theirs not


def _end_of(act: str, was: State, now: State) -> datetime:
    """When what an act tells is over."""
    if act in ("cancelled", "given_away"):
        return _instant(was)
    if act == "moved":
        return max(_instant(was), _instant(now))
    return _instant(now)


def _instant(state: State) -> datetime:
    return datetime.fromisoformat(state["at"])


def _times(starts: Iterable[Any]) -> list[tuple[int, str]]:
    return sorted((DAYS.index(start[0]), str(start[1])) for start in starts if start)


def _seated(group: Group) -> list[Pupil]:
    return [seat.request.pupil for seat in group.members if seat.active_since is not None]


def _concerns(pupil: Pupil, recipient: Recipient) -> bool:
    own = recipient.table == Tutor.__tablename__ or pupil.household_id == recipient.id
    return own and in_force(pupil, ConsentKind.LESSONS)


# --- what a message tells


def notices_of(message: Message | None) -> list[Notice]:
    """The notices that a message tells."""
    if message is None:
        return []
    return list(
        db.session.scalars(
            select(Notice)
            .where(Notice.message_id == message.id, Notice.cancelled_at.is_(None))
            .order_by(Notice.id)
            .options(*_WHAT_A_TEXT_NEEDS)
        )
    )


_WHAT_A_TEXT_NEEDS: Final = (
    joinedload(Notice.lesson).options(
        joinedload(Lesson.substitute).lazyload("*"),
        joinedload(Lesson.group).options(*GROUP_IN_TEXTS),
    ),
    joinedload(Notice.group).options(*GROUP_IN_TEXTS),
)


def words(message: Message, recipient: Household | Tutor, answerable: bool) -> str | None:
    """What a message of WORDED_LATE says now; None where nothing of it holds any more.

    `answerable` says whether an answer by text would come in. The kind of a message that tells of
    changes is brought up to date with them.
    """
    if isinstance(recipient, Tutor) and recipient.state in _NO_MORE:
        return None
    if message.kind is MessageKind.GROUP_OFFER:
        return _offer_words(recipient)
    if message.kind is MessageKind.QUESTION:
        return _question_words(message, recipient, answerable)
    if message.kind is MessageKind.DIGEST:
        return _week_words(message, recipient)
    if message.kind is MessageKind.NEW_GROUP:
        return _new_group_words(message, recipient)
    return _change_words(message, recipient)


def _as_recipient(recipient: Household | Tutor) -> Recipient:
    return Recipient(recipient.__tablename__, recipient.id)


def _own_zone(recipient: Household | Tutor) -> str | None:
    return recipient.time_zone if isinstance(recipient, Tutor) else None


# --- changes


def _change_words(message: Message, recipient: Household | Tutor) -> str | None:
    notices = notices_of(message)
    whom = _as_recipient(recipient)
    weekly = [
        notice
        for notice in notices
        if notice.group is not None
        and has_new_times(notice.was, notice.group)
        and _children_of(notice.group, notice.was, whom)
    ]
    moved_for_good = {notice.group_id: notice.group for notice in weekly}
    changes = [_weekly(notice, whom, recipient) for notice in weekly]
    if isinstance(recipient, Tutor):
        changes += [
            _left(notice.was, notice.group, whom)
            for notice in notices
            if notice.group is not None and left_since(notice.was, notice.group)
        ]
    for notice in notices:
        lesson = notice.lesson
        if lesson is not None and not _is_regular(lesson, moved_for_good.get(lesson.group_id)):
            changes += _changes_of(notice.was, lesson, whom, recipient)
    if not changes:
        return None
    message.kind = kind_of_acts(change.act for change in changes)
    return changes_text(
        message.kind,
        recipient.message_language,
        changes,
        to_tutor=isinstance(recipient, Tutor),
    )


def _is_regular(lesson: Lesson, group: Group | None) -> bool:
    """Whether a lesson stands at the weekly times of a group whose new times are told anyway."""
    if group is None or lesson.state is not LessonState.PLANNED or lesson.substitute_id:
        return False
    start = lesson.wall_start
    return (start.weekday(), f"{start:%H:%M}") in _times(group.starts)


def _changes_of(
    was: State, lesson: Lesson, whom: Recipient, recipient: Household | Tutor
) -> list[Change]:
    children = children_told(was, lesson, whom)
    if not children and whom.table == Household.__tablename__:
        return []
    found = change_since(was, lesson, whom)
    if found is None:
        return []
    act, known = found
    before = db.session.get(Tutor, known["by"])
    start = datetime.fromisoformat(known["start"])
    return [
        Change(
            act=act,
            told=_told(lesson.group, children, lesson.given_by),
            before="" if before is None else before.first_name,
            gives_other=known["by"] != (lesson.substitute_id or lesson.group.tutor_id),
            was=start,
            was_own=_own_wall(_instant(known), start, recipient),
            now=lesson.wall_start,
            now_own=_own_wall(lesson.starts_at, lesson.wall_start, recipient),
        )
    ]


def _weekly(notice: Notice, whom: Recipient, recipient: Household | Tutor) -> Change:
    group = notice.group
    assert group is not None
    first = _first_lesson(group)
    children = _children_of(group, notice.was, whom)
    return Change(
        act="weekly",
        told=_told(group, children, group.tutor),
        weekly=_times(group.starts),
        now=None if first is None else first.wall_start,
        now_own=None if first is None else _own_wall(first.starts_at, first.wall_start, recipient),
    )


def _left(was: State, group: Group, tutor: Recipient) -> Change:
    """Who left a group, by name where there is consent, and who is still taught in it."""
    left = left_since(was, group)
    known = db.session.scalars(select(Pupil).where(Pupil.id.in_(left)).order_by(Pupil.id))
    # One who was erased since is counted, not named.
    named = [pupil.first_name for pupil in known if _concerns(pupil, tutor)]
    staying = [pupil for pupil in _seated(group) if _concerns(pupil, tutor)]
    return Change(
        act="left",
        told=_told(group, staying, group.tutor),
        left=tuple(named) if len(named) == len(left) else (),
        fewer=len(left),
    )


def _told(group: Group, children: Iterable[Pupil], tutor: Tutor) -> Told:
    return Told(
        subject=group.subject,
        level=group.level,
        pupils=tuple(dict.fromkeys(pupil.first_name for pupil in children)),
        tutor=tutor.first_name,
        channel=group.channel,
    )


def _own_wall(
    instant: datetime, family_wall: datetime, recipient: Household | Tutor
) -> datetime | None:
    """What a tutor's own clock shows, where it is another time than the family's."""
    own_zone = _own_zone(recipient)
    if own_zone is None:
        return None
    own = clock.to_wall(instant, own_zone).replace(fold=0)
    return None if own == family_wall else own


def _children_of(group: Group, was: State, whom: Recipient) -> list[Pupil]:
    """The children of whom a notice of a group speaks, and who are still taught in it."""
    if group.state is not GroupState.ACTIVE:
        return []
    return [p for p in _seated(group) if p.id in was["pupils"] and _concerns(p, whom)]


def _first_lesson(group: Group) -> Lesson | None:
    return db.session.scalar(
        select(Lesson)
        .where(
            Lesson.group_id == group.id,
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > clock.now(),
        )
        .order_by(Lesson.starts_at)
        .limit(1)
    )


# --- beginnings, offers, questions


def _new_group_words(message: Message, recipient: Household | Tutor) -> str | None:
    whom = _as_recipient(recipient)
    beginnings = []
    for notice in notices_of(message):
        group = notice.group
        children = [] if group is None else _children_of(group, notice.was, whom)
        if group is not None and children and group.tutor.state is TutorState.VETTED:
            first = _first_lesson(group)
            beginnings.append(
                Beginning(
                    told=_told(group, children, group.tutor),
                    weekly=_times(group.starts),
                    first=None if first is None else first.wall_start,
                )
            )
    return new_group_text(recipient.message_language, beginnings) if beginnings else None


def offers_to(tutor_id: int) -> list[Offer]:
    """What waits for a tutor's answer: pupils, subject, level and zones, by group."""
    waits = (
        select(Membership)
        .join(Membership.group)
        .where(
            Group.tutor_id == tutor_id,
            Group.state.in_(LIVE_GROUPS),
            Membership.ended_at.is_(None),
            Membership.active_since.is_(None),
        )
        .order_by(Membership.group_id, Membership.id)
        .options(
            joinedload(Membership.group).options(
                joinedload(Group.subject),
                joinedload(Group.level),
                joinedload(Group.tutor).lazyload("*"),
            ),
            joinedload(Membership.request)
            .joinedload(TutoringRequest.pupil)
            .joinedload(Pupil.household)
            .options(joinedload(Household.zone)),
        )
    )
    groups: dict[Group, list[Membership]] = {}
    for seat in db.session.scalars(waits):
        groups.setdefault(seat.group, []).append(seat)
    return [
        Offer(
            subject=group.subject,
            level=group.level,
            pupils=len(seats),
            zones=tuple(dict.fromkeys(seat.request.pupil.household.zone for seat in seats)),
        )
        for group, seats in groups.items()
    ]


def _offer_words(recipient: Household | Tutor) -> str | None:
    offers = offers_to(recipient.id)
    may_teach = isinstance(recipient, Tutor) and recipient.state is TutorState.VETTED
    return offers_text(recipient.message_language, offers) if offers and may_teach else None


def _question_words(message: Message, recipient: Household | Tutor, answerable: bool) -> str | None:
    question = db.session.scalar(select(Question).where(Question.message_id == message.id).limit(1))
    if question is None or question.answered_at is not None or question.ended_at is not None:
        return None
    if question.kind is QuestionKind.WHICH_LESSON:
        ids = [option[0] for option in question.options]
    else:
        ids = [] if question.lesson_id is None else [question.lesson_id]
    found = {lesson.id: lesson for lesson in _lessons(ids)}
    if len(found) != len(set(ids)):
        return None
    whom = _as_recipient(recipient)
    is_offer = question.kind is QuestionKind.SUBSTITUTE
    asked = []
    for number in ids:
        lesson = found[number]
        children = [] if is_offer else children_told(state_of(lesson), lesson, whom)
        if not children and not is_offer:
            return None
        asked.append(
            Change(
                act="asked",
                told=_told(lesson.group, children, lesson.given_by),
                now=lesson.wall_start,
                now_own=_own_wall(lesson.starts_at, lesson.wall_start, recipient),
            )
        )
    return question_text(
        recipient.message_language,
        question,
        asked,
        answerable=answerable,
        to_tutor=isinstance(recipient, Tutor),
    )


def _as_it_stands(
    act: str,
    lesson: Lesson,
    whom: Recipient,
    recipient: Household | Tutor,
    *,
    names: bool = True,
) -> Change:
    """A lesson as it is now, with the names of the children of whom the recipient may hear."""
    children = children_told(state_of(lesson), lesson, whom) if names else []
    tutor = lesson.given_by if act == "to_come" else lesson.group.tutor
    return Change(
        act=act,
        told=_told(lesson.group, children, tutor),
        now=lesson.wall_start,
        now_own=_own_wall(lesson.starts_at, lesson.wall_start, recipient),
    )


def _week_words(message: Message, recipient: Household | Tutor) -> str | None:
    """A tutor's lessons of the week that begins after the evening on which this was planned."""
    zone = str(current_app.config["N9RAW"].civil_zone)
    planned_on = clock.to_wall(message.created_at, _own_zone(recipient) or zone).date()
    monday = datetime.combine(planned_on, time()) + timedelta(days=7 - planned_on.weekday())
    gives = db.func.coalesce(Lesson.substitute_id, Group.tutor_id) == recipient.id
    lessons = db.session.scalars(
        select(Lesson)
        .join(Lesson.group)
        .where(
            gives,
            Group.state == GroupState.ACTIVE,
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > clock.now(),
            Lesson.wall_start >= monday,
            Lesson.wall_start < monday + timedelta(days=7),
        )
        .order_by(Lesson.starts_at, Lesson.id)
        .options(contains_eager(Lesson.group).options(*GROUP_IN_TEXTS))
    ).all()
    whom = _as_recipient(recipient)
    week = [
        Change(
            act="to_come",
            told=_told(
                lesson.group, children_told(state_of(lesson), lesson, whom), lesson.given_by
            ),
            now=lesson.wall_start,
            now_own=_own_wall(lesson.starts_at, lesson.wall_start, recipient),
        )
        for lesson in lessons
    ]
    return week_text(recipient.message_language, week) if week else None


def _lessons(ids: Iterable[int]) -> Sequence[Lesson]:
    return db.session.scalars(
        select(Lesson)
        .where(Lesson.id.in_(list(ids)))
        .options(joinedload(Lesson.group).options(*GROUP_IN_TEXTS))
    ).all()
