"""Who is told what: each function plans messages, or calls, as part of the caller's transaction.

The order of locks is groups, lessons, households and tutors, messages. Who can't read, wants no
messages, or has no way by which one gets there is put among those whom a coordinator calls.

What became of lessons is told in one message per recipient. As long as it has not left, further
changes go into it, and what is again as the recipient knew it is told to nobody; its words are
written when it leaves (`notices.words`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from flask import current_app
from sqlalchemy import or_, select
from sqlalchemy.orm import lazyload

from app.extensions import db
from app.gateways.configured import configured_gateways
from app.models import (
    NOTICE_KINDS,
    OPEN_MESSAGES,
    CallRequest,
    ConsentKind,
    Coordinator,
    Group,
    Household,
    Lesson,
    Membership,
    Message,
    MessageKind,
    MessageState,
    Notice,
    Pupil,
    Question,
    QuestionKind,
    Tutor,
    TutoringRequest,
)
from app.services.change_texts import offers_withdrawn_text
from app.services.consent import in_force
from app.services.message_texts import (
    call_me_text,
    lessons_end_text,
    note_text,
    reply_text,
    unknown_number_text,
)
from app.services.notices import (
    State,
    begins,
    change_since,
    children_told,
    ends_at,
    group_state_of,
    has_news,
    kind_of_acts,
    load_people,
    notices_of,
    offers_to,
    state_of,
)
from app.services.reach import has_no_way
from app.services.reminders import Recipient, lock_recipients, recipients_of
from scheduler import clock

_HOLDS: Final = timedelta(days=3)
"""How long a message that stands for itself is tried; after that a coordinator has called."""
LONGEST: Final = timedelta(days=7)
"""How long a change may wait to be told."""
_REPLY_HOLDS: Final = timedelta(hours=12)
_LOST: Final = (
    MessageState.UNDELIVERED,
    MessageState.FAILED,
    MessageState.EXPIRED,
    MessageState.SUPPRESSED,
)
"""The ends of messages that did not get to anybody."""


class Reply(StrEnum):
    """What is answered to a text that came in."""

    COMING = "coming"
    NOT_COMING = "not_coming"
    THANKS = "thanks"
    PASSED_ON = "passed_on"
    """Somebody reads it: a coordinator."""
    WILL_CALL = "will_call"
    STOPPED = "stopped"
    STARTED = "started"
    NOT_UNDERSTOOD = "not_understood"
    TOO_LATE = "too_late"
    """What was asked is settled otherwise, or over."""
    UNKNOWN_NUMBER = "unknown_number"


@dataclass(frozen=True, slots=True)
class Known:
    """How lessons stood, and who knew of them, before a change."""

    states: dict[int, State] = field(default_factory=dict)
    recipients: dict[int, frozenset[Recipient]] = field(default_factory=dict)


# --- what becomes of lessons


def remember(lessons: Iterable[Lesson]) -> Known:
    """How lessons stand, which the caller has locked, and who knows of them. Locks these."""
    known = Known()
    listed = list(lessons)
    load_people(listed)
    for lesson in listed:
        known.states[lesson.id] = state_of(lesson)
        known.recipients[lesson.id] = frozenset(recipients_of(lesson))
    lock_recipients({one for recipients in known.recipients.values() for one in recipients})
    return known


def tell_changes(
    lessons: Iterable[Lesson], known: Known, but: Collection[Recipient] = frozenset()
) -> None:
    """Tell the tutors before and after, and the families, how these lessons stand by now.

    `but` are those who did it themselves: they know. A lesson that is not in `known` is new.
    """
    db.session.flush()
    concerned: dict[Recipient, list[Lesson]] = {}
    for lesson in lessons:
        before = known.recipients.get(lesson.id, frozenset())
        # Who did it may have a text waiting of a lesson that was no longer theirs.
        for recipient in before.union(recipients_of(lesson), but):
            concerned.setdefault(recipient, []).append(lesson)
    lock_recipients(concerned)
    households = select(Household).where(
        Household.id.in_([one.id for one in concerned if one.table == "household"])
    )
    at_hand = db.session.scalars(households.options(lazyload("*"))).all()
    heard = _who_heard({lesson.id for listed in concerned.values() for lesson in listed})
    to_call = [
        recipient.id
        for recipient in sorted(concerned)
        if _tell_of_lessons(
            recipient,
            concerned[recipient],
            known,
            knows=recipient in but,
            is_first=recipient.key not in heard,
        )
    ]
    db.session.flush()
    put_among_calls(to_call)
    del at_hand  # held until here: the session alone would forget them


def _who_heard(lesson_ids: Collection[int]) -> set[str]:
    """The recipients whose earlier notices count: of these lessons, or in a text that waits."""
    heard = (
        select(Notice.recipient)
        .outerjoin(Notice.message)
        .where(or_(Notice.lesson_id.in_(lesson_ids), Message.state.in_(OPEN_MESSAGES)))
    )
    return set(db.session.scalars(heard))


def _tell_of_lessons(
    recipient: Recipient, lessons: list[Lesson], known: Known, *, knows: bool, is_first: bool
) -> bool:
    """Bring one recipient's notices up to date; whether a call has to tell instead.

    `is_first` says that there can be none so far.
    """
    message = None if is_first else _open_message(recipient, NOTICE_KINDS)
    noted = {notice.lesson_id: notice for notice in notices_of(message)}
    unnoted = [one.id for one in lessons if one.id not in noted]
    lost = {} if is_first else _lost_notices(recipient, unnoted)
    by_call = _is_called(recipient)
    to_call = False
    new = []
    for lesson in lessons:
        notice = noted.get(lesson.id)
        was = _what_is_known(lesson, known, lost) if notice is None else notice.was
        untold = not knows and _has_to_hear(was, lesson, recipient)
        to_call = to_call or (untold and by_call)
        if notice is not None and (by_call or not untold):
            notice.cancelled_at = clock.now()
        elif notice is None and untold and not by_call:
            new.append(_add_notice(recipient, was, lesson=lesson))
    _settle(recipient, message, new)
    return to_call


def _has_to_hear(was: State, lesson: Lesson, recipient: Recipient) -> bool:
    """Whether there is something to tell; a family hears of children with consent alone."""
    is_family = recipient.table == Household.__tablename__
    if is_family and not children_told(was, lesson, recipient):
        return False
    return change_since(was, lesson, recipient) is not None


def _what_is_known(lesson: Lesson, known: Known, lost: dict[int, Notice]) -> State:
    """What a recipient knows of a lesson; where the last text got lost, also what it said."""
    before = known.states.get(lesson.id)
    if before is None:
        before = state_of(lesson) | {"cancelled": True}
    if lesson.id not in lost:
        return before
    return lost[lesson.id].was | {"perhaps": before}


def _lost_notices(recipient: Recipient, lesson_ids: Collection[int]) -> dict[int, Notice]:
    """By lesson, the last notice of it, where its message may not have arrived."""
    rows = db.session.execute(
        select(Notice, Message)
        .join(Notice.message)
        .where(
            Notice.recipient == recipient.key,
            Notice.lesson_id.in_(lesson_ids),
            Notice.cancelled_at.is_(None),
        )
        .order_by(Notice.id)
    ).all()
    newest = {notice.lesson_id: (notice, message) for notice, message in rows}
    return {
        number: notice
        for number, (notice, message) in newest.items()
        if number is not None and _may_be_lost(message)
    }


def _may_be_lost(message: Message) -> bool:
    """Whether nobody may have read it: it was lost, or is being said again by another way."""
    said_again = message.fallback_of_id is not None and message.state in OPEN_MESSAGES
    return said_again or message.state in _LOST


def _open_message(recipient: Recipient, kinds: Iterable[MessageKind]) -> Message | None:
    """The recipient's message of these kinds of which nothing can have left yet, locked.

    One that says again what did not arrive by another way is left alone: it may have arrived.
    """
    return db.session.scalar(
        select(Message)
        .where(
            getattr(Message, f"{recipient.table}_id") == recipient.id,
            Message.kind.in_(list(kinds)),
            Message.state.in_(OPEN_MESSAGES),
            Message.resent.is_(False),
            Message.fallback_of_id.is_(None),
        )
        .order_by(Message.id)
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _add_notice(
    recipient: Recipient, was: State, *, lesson: Lesson | None = None, group: Group | None = None
) -> Notice:
    notice = Notice(
        recipient=recipient.key,
        lesson=lesson,
        group=group,
        was=was,
        created_at=clock.now(),
        **recipient.columns,
    )
    db.session.add(notice)
    return notice


def _settle(recipient: Recipient, message: Message | None, new: Collection[Notice]) -> None:
    """Put a recipient's untold notices of changes in one message; without any, cancel it."""
    notices = [*notices_of(message), *new]
    if not notices:
        if message is not None:
            _cancel(message)
        return
    kind = kind_of_acts(_acts(notices, recipient))
    if message is None:
        message = _new_message(kind, recipient, LONGEST)
    message.kind = kind
    latest = message.created_at + LONGEST
    message.expires_at = min(latest, max(_ends_at(notice, latest) for notice in notices))
    for notice in new:
        notice.message = message
    if new and message.tries == 0:
        # What waits for the morning may by now speak of a lesson that is sooner.
        message.next_try_at = clock.now()
    if message.expires_at <= clock.now():
        _cancel(message)


def _acts(notices: Iterable[Notice], recipient: Recipient) -> Iterator[str]:
    for notice in notices:
        if notice.lesson is None:
            yield "weekly"
        elif found := change_since(notice.was, notice.lesson, recipient):
            yield found[0]


def _ends_at(notice: Notice, latest: datetime) -> datetime:
    return latest if notice.lesson is None else ends_at(notice.was, notice.lesson)


# --- what becomes of groups


def tell_group_change(
    group: Group, starts_before: list[Any], but: Collection[Recipient] = frozenset()
) -> None:
    """Tell the tutor and the families of a group that its weekly times are others from now on."""
    families = _families([m for m in group.members if m.active_since is not None])
    recipients = {Recipient("tutor", group.tutor_id), *families}
    _tell_of_group(group, group_state_of(group, starts_before), recipients, but)


def tell_seats_left(group: Group, before: State, but: Collection[Recipient] = frozenset()) -> None:
    """Tell the tutor of a group that goes on who sits in it no more; `before` is how it was.

    Who comes back before the text leaves is told of to nobody.
    """
    _tell_of_group(group, before, {Recipient("tutor", group.tutor_id)}, but)


def _tell_of_group(
    group: Group, before: State, recipients: Collection[Recipient], but: Collection[Recipient]
) -> None:
    db.session.flush()
    lock_recipients(recipients)
    now = group_state_of(group, group.starts)
    changed = {key: now[key] for key in now if now[key] != before[key]}
    to_call = []
    for recipient in sorted(recipients):
        message = _open_message(recipient, NOTICE_KINDS)
        notice = next((n for n in notices_of(message) if n.group_id == group.id), None)
        was = before if notice is None else notice.was
        if recipient in but:
            was = was | changed
        untold = has_news(was, group, recipient) and not _hears_of_new_group(recipient, group.id)
        by_call = _is_called(recipient)
        new = []
        if untold and by_call:
            to_call.append(recipient.id)
        if notice is not None and (by_call or not untold):
            notice.cancelled_at = clock.now()
        elif notice is not None:
            notice.was = was
        elif untold and not by_call:
            new.append(_add_notice(recipient, was, group=group))
        _settle(recipient, message, new)
    db.session.flush()
    put_among_calls(to_call)


def tell_new_group(group: Group, members: Iterable[Membership]) -> None:
    """Tell the families of these seats, which became active, of their lessons.

    What begins for a family before it is told stands in one text.
    """
    db.session.flush()
    families = _families(members)
    lock_recipients(families)
    to_call = []
    for recipient in sorted(families):
        if _is_called(recipient):
            to_call.append(recipient.id)
            continue
        message = _open_message(recipient, (MessageKind.NEW_GROUP,))
        if message is None:
            message = _new_message(MessageKind.NEW_GROUP, recipient, LONGEST)
            db.session.flush()
        notice = next((n for n in notices_of(message) if n.group_id == group.id), None)
        if notice is None:
            was = {"pupils": sorted(families[recipient])}
            _add_notice(recipient, was, group=group).message = message
        else:
            notice.was = {"pupils": sorted(families[recipient].union(notice.was["pupils"]))}
    db.session.flush()
    put_among_calls(to_call)


def untell_new_groups(group_ids: Collection[int]) -> None:
    """Say nothing of the beginning of these groups to who sits in none, where no text has left yet.

    The caller has locked their families.
    """
    unsent = db.session.scalars(
        select(Message)
        .where(
            Message.kind == MessageKind.NEW_GROUP,
            Message.state.in_(OPEN_MESSAGES),
            Message.notices.any(Notice.group_id.in_(group_ids)),
        )
        .order_by(Message.id)
        .with_for_update()
    ).all()
    for message in unsent:
        left = []
        for notice in notices_of(message):
            if notice.group_id in group_ids and not begins(notice):
                notice.cancelled_at = clock.now()
            else:
                left.append(notice)
        if not left:
            _cancel(message)
    db.session.flush()


def tell_offers(tutor_ids: Iterable[int]) -> None:
    """Tell tutors of the places that are offered to them: one text, for all that wait by then."""
    db.session.flush()
    tutors = [Recipient("tutor", number) for number in sorted(set(tutor_ids))]
    lock_recipients(tutors)
    for tutor in tutors:
        if _open_message(tutor, (MessageKind.GROUP_OFFER,)) is None:
            _new_message(MessageKind.GROUP_OFFER, tutor, LONGEST)
    db.session.flush()


def tell_offers_withdrawn(tutor_ids: Iterable[int]) -> None:
    """Tell tutors that the offers of which they heard no longer stand.

    A text of them that has not left is cancelled instead, where nothing else is offered.
    """
    db.session.flush()
    tutors = [Recipient("tutor", number) for number in sorted(set(tutor_ids))]
    lock_recipients(tutors)
    for recipient in tutors:
        unsent = _open_message(recipient, (MessageKind.GROUP_OFFER,))
        if unsent is not None:
            if not offers_to(recipient.id):
                _cancel(unsent)
            continue
        message = _new_message(MessageKind.NOTE, recipient, _HOLDS)
        message.language = _language_of(recipient)
        message.text = offers_withdrawn_text(message.language)
    db.session.flush()


def _families(members: Iterable[Membership]) -> dict[Recipient, set[int]]:
    """The families of seats with the ids of their children, as far as a guardian consented."""
    families: dict[Recipient, set[int]] = {}
    for member in members:
        pupil = member.request.pupil
        if in_force(pupil, ConsentKind.LESSONS):
            families.setdefault(Recipient("household", pupil.household_id), set()).add(pupil.id)
    return families


def _hears_of_new_group(recipient: Recipient, group_id: int) -> bool:
    """Whether a text that has not left will tell a group's times anyway."""
    message = _open_message(recipient, (MessageKind.NEW_GROUP,))
    return any(notice.group_id == group_id for notice in notices_of(message))


# --- questions, and words of one's own


def tell_question(question: Question) -> Message | None:
    """Put a question; its text is of use until it expires. None where a family has to be called."""
    household = question.household
    if household is not None and _is_called(Recipient("household", household.id)):
        if question.kind is not QuestionKind.WAS_IT_HELD:
            put_among_calls([household.id])
        return None
    now = clock.now()
    message = Message(
        kind=MessageKind.QUESTION,
        household_id=question.household_id,
        tutor_id=question.tutor_id,
        due_at=now,
        next_try_at=now,
        expires_at=question.expires_at,
        created_at=now,
    )
    db.session.add(message)
    db.session.flush()
    question.message_id = message.id
    return message


def tell_note(recipient: Recipient, text: str, by: Coordinator | None) -> Message:
    """Send a coordinator's own words, as they are."""
    language = _language_of(recipient)
    message = _new_message(MessageKind.NOTE, recipient, _HOLDS)
    message.language = language
    message.text = note_text(language, text)
    message.by_id = None if by is None else by.id
    db.session.flush()
    return message


def tell_call_me(household: Household, recipient: Tutor | Coordinator) -> Message:
    """Tell a family's volunteer, or a coordinator, that the family asks to be called."""
    now = clock.now()
    to_tutor = isinstance(recipient, Tutor)
    language = recipient.message_language
    names = sorted({pupil.first_name for pupil in _taught_by(household, recipient)})
    site = current_app.config["N9RAW"].public_url
    message = Message(
        kind=MessageKind.CALL_ME,
        tutor_id=recipient.id if to_tutor else None,
        coordinator_id=None if to_tutor else recipient.id,
        language=language,
        text=call_me_text(language, names, household.zone.name_in(language), site),
        due_at=now,
        next_try_at=now,
        expires_at=now + _HOLDS,
        created_at=now,
    )
    db.session.add(message)
    db.session.flush()
    return message


def _taught_by(household: Household, recipient: Tutor | Coordinator) -> list[Pupil]:
    """The family's children whom this tutor teaches, or stands in for; to a coordinator none."""
    if isinstance(recipient, Coordinator):
        return []
    stands_in = select(Lesson.group_id).where(Lesson.substitute_id == recipient.id)
    return list(
        db.session.scalars(
            select(Pupil)
            .join(Pupil.requests)
            .join(Membership, Membership.request_id == TutoringRequest.id)
            .join(Membership.group)
            .where(
                Pupil.household_id == household.id,
                Membership.ended_at.is_(None),
                Membership.active_since.is_not(None),
                or_(Group.tutor_id == recipient.id, Group.id.in_(stands_in)),
            )
        )
    )


def reply(to: str | Household | Tutor, key: Reply | str, gateway: str) -> Message:
    """Answer what came in from a family, a volunteer or a number that nobody here has.

    `gateway` is the one that brought it: the answer leaves by it where it can.
    """
    now = clock.now()
    known = Reply(key)
    message = Message(
        kind=MessageKind.REPLY,
        gateway=gateway,
        due_at=now,
        next_try_at=now,
        expires_at=now + _REPLY_HOLDS,
        created_at=now,
    )
    if isinstance(to, str):
        message.to_address, message.language = to, "fr"
        message.text = unknown_number_text()
    else:
        message.language = to.message_language
        message.text = reply_text(to.message_language, known, to_tutor=isinstance(to, Tutor))
        if isinstance(to, Tutor):
            message.tutor_id = to.id
        else:
            message.household_id = to.id
    db.session.add(message)
    db.session.flush()
    return message


# --- the end of a volunteer's lessons, and calls


def taught_pupils(groups: Iterable[Group]) -> list[Pupil]:
    """The pupils whose lessons in these groups have begun; their families know of them."""
    pupils = {
        member.request.pupil
        for group in groups
        for member in group.members
        if member.active_since is not None
    }
    return sorted(pupils, key=lambda pupil: pupil.id)


def tell_lessons_end(pupils: Iterable[Pupil], tutor: Tutor) -> None:
    """Plan one message to each of the pupils' families that a tutor's lessons have ended.

    It names all of a family's children. Who can't read it, or wants no messages, is to be called.
    Also told is who did not read of the beginning yet: the tutor may have called them already.
    """
    families: dict[Household, list[str]] = {}
    for pupil in pupils:
        families.setdefault(pupil.household, []).append(pupil.first_name)
    to_call = []
    for household, names in families.items():
        recipient = Recipient("household", household.id)
        if _is_called(recipient):
            to_call.append(household.id)
            continue
        message = _new_message(MessageKind.LESSONS_END, recipient, _HOLDS)
        message.language = household.message_language
        message.text = lessons_end_text(household.message_language, names, tutor.first_name)
    put_among_calls(to_call)


def put_among_calls(household_ids: Iterable[int]) -> None:
    """Put families among those whom a coordinator is to call, where they are not yet."""
    ids = sorted(household_ids)
    waiting = set(
        db.session.scalars(
            select(CallRequest.household_id).where(
                CallRequest.household_id.in_(ids), CallRequest.called_at.is_(None)
            )
        )
    )
    now = clock.now()
    db.session.add_all(
        CallRequest(household_id=number, asked_at=now) for number in ids if number not in waiting
    )


def _is_called(recipient: Recipient) -> bool:
    """Whether a family is told by a call, since no message gets there or nobody reads it.

    Where no gateway is set up at all, messages are planned all the same: they end as failed, with
    that reason, and nobody has to call the whole programme.
    """
    if recipient.table != Household.__tablename__:
        return False
    household = db.session.get_one(Household, recipient.id)
    if household.reach_by_call or household.messages_stopped_at is not None:
        return True
    return bool(configured_gateways(current_app.config["N9RAW"])) and has_no_way(household)


def _language_of(recipient: Recipient) -> str:
    if recipient.table == Tutor.__tablename__:
        return db.session.get_one(Tutor, recipient.id).message_language
    return db.session.get_one(Household, recipient.id).message_language


def _new_message(kind: MessageKind, recipient: Recipient, holds: timedelta) -> Message:
    """A message that is due now."""
    now = clock.now()
    message = Message(
        kind=kind,
        due_at=now,
        next_try_at=now,
        expires_at=now + holds,
        created_at=now,
        **recipient.columns,
    )
    db.session.add(message)
    return message


def _cancel(message: Message) -> None:
    message.state = MessageState.CANCELLED
    message.ended_at = clock.now()
    message.claim = None
    message.lease_until = None
