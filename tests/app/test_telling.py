"""Who is told what becomes of lessons: one message each, widened until it leaves, never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    CallRequest,
    ConsentKind,
    Household,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Pupil,
    Tutor,
)
from app.services import by_hand, family_children, groups, telling
from app.services.ending import leave_groups
from app.services.reminders import Recipient
from scheduler import clock
from tests.support import people
from tests.support.groups import active_group
from tests.support.programmes import programme_at
from tests.support.telling import (
    Lessons,
    cancel,
    make_lessons,
    move,
    open_texts,
    restore,
    send_texts,
    substitute,
)

CHANGE, CANCELLATION = MessageKind.CHANGE, MessageKind.CANCELLATION
SUBSTITUTION = MessageKind.SUBSTITUTION
WEDNESDAY = datetime(2026, 11, 25, 18)


time = programme_at(datetime(2026, 11, 20, 12, tzinfo=UTC))
"""Friday, noon."""


def said_to(recipient: Recipient) -> list[tuple[MessageKind, str]]:
    """What leaves now for one recipient."""
    return [(kind, words) for to, kind, words in send_texts() if to == recipient]


# --- one message each


def test_moved_lesson_is_told_to_family_and_tutor_in_one_message_each() -> None:
    lessons = make_lessons()
    move(lessons.first, WEDNESDAY)
    assert send_texts() == [
        (
            lessons.family,
            CHANGE,
            "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 17:00 est déplacé "
            "au mercredi 25 novembre à 18:00.",
        ),
        (
            lessons.tutor,
            CHANGE,
            "N9raw : votre cours de mathématiques avec Sara du mardi 24 novembre à 17:00 est "
            "déplacé au mercredi 25 novembre à 18:00.",
        ),
    ]
    assert send_texts() == []


def test_who_did_it_is_not_told() -> None:
    lessons = make_lessons()
    cancel(lessons.first, but=[lessons.tutor])
    assert [to for to, _kind, _words in send_texts()] == [lessons.family]


def test_message_that_has_not_left_is_widened_and_one_that_has_is_not() -> None:
    lessons = make_lessons()
    first, second, third, _fourth = lessons.dated
    cancel(first)
    cancel(second)
    ((kind, words),) = said_to(lessons.family)
    assert (kind, words) == (
        CANCELLATION,
        "N9raw, cours annulés :\nmathématiques, Sara : mar 24/11 17:00, mar 1/12 17:00",
    )
    cancel(third)
    ((kind, words),) = said_to(lessons.family)
    assert words == (
        "N9raw : le cours de mathématiques de Sara du mardi 8 décembre à 17:00 est annulé."
    )


def test_message_that_may_have_left_is_not_widened() -> None:
    lessons = make_lessons()
    first, second, _third, _fourth = lessons.dated
    cancel(first, but=[lessons.tutor])
    with transaction():
        (message,) = open_texts()
        message.state = MessageState.HANDING
    cancel(second, but=[lessons.tutor])
    with transaction():
        message.state, message.resent = MessageState.CLAIMED, True  # taken up once more
    restore(first, but=[lessons.tutor])
    assert said_to(lessons.family) == [
        (
            CHANGE,
            "N9raw, changements :\n"
            "mathématiques, Sara : mar 24/11 17:00 a lieu, mar 1/12 17:00 annulé",
        )
    ]


def test_siblings_and_subjects_share_one_text() -> None:
    sara = make_lessons(["Sara Touil"])
    household = db.session.get_one(Household, sara.household_id)
    with transaction():
        other = people.make_household(pupils=[("Adam Touil", "3AC", ["english"])])
        other.pupils[0].household_id = household.id
    adam = make_lessons(
        ["Adam Touil"],
        tutor="Karim Alami",
        subject="english",
        start=("wed", "18:00"),
        household_id=household.id,
    )
    cancel(sara.first, adam.first, but=[sara.tutor, adam.tutor])
    assert send_texts() == [
        (
            sara.family,
            CANCELLATION,
            "N9raw, cours annulés :\n"
            "mathématiques, Sara : mar 24/11 17:00\nanglais, Adam : mer 25/11 18:00",
        )
    ]


def test_substitution_is_told_to_family_and_both_tutors() -> None:
    lessons = make_lessons()
    karim = people.make_tutor(name="Karim Alami")
    substitute(lessons.first, karim)
    assert send_texts() == [
        (
            lessons.family,
            SUBSTITUTION,
            "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 17:00 est donné par "
            "Karim, à la place de Zoé.",
        ),
        (
            lessons.tutor,
            SUBSTITUTION,
            "N9raw : votre cours de mathématiques avec Sara du mardi 24 novembre à 17:00 est donné "
            "par Karim.",
        ),
        (
            Recipient("tutor", karim),
            SUBSTITUTION,
            "N9raw : vous donnez le cours de mathématiques (3e année collège) avec Sara, mardi 24 "
            "novembre à 17:00 (WhatsApp).",
        ),
    ]
    cancel(lessons.first)
    told = send_texts()
    assert [to for to, _kind, _words in told] == [lessons.family, Recipient("tutor", karim)]
    assert {kind for _to, kind, _words in told} == {CANCELLATION}


def test_tutor_abroad_reads_both_clocks_and_hears_of_a_time_that_moved_only_there() -> None:
    lessons = make_lessons()
    with transaction():
        db.session.get_one(Tutor, lessons.tutor_id).time_zone = "Europe/Paris"
    lesson = lessons.first
    move(lesson, WEDNESDAY)
    ((_kind, words),) = said_to(lessons.tutor)
    assert words.endswith(
        "du mardi 24 novembre à 17:00 (18:00 chez vous) est déplacé au mercredi 25 novembre à "
        "18:00 (19:00 chez vous)."
    )
    with transaction():  # as new tz data do
        known = telling.remember([lesson])
        lesson.starts_at += timedelta(hours=1)
        telling.tell_changes([lesson], known)
    ((to, kind, words),) = send_texts()
    assert (to, kind) == (lessons.tutor, CHANGE)
    assert words.endswith(
        "mercredi 25 novembre à 18:00 (19:00 chez vous) est déplacé au mercredi 25 novembre à "
        "18:00 (20:00 chez vous)."
    )


# --- nothing that is over, or as it was


def test_what_is_again_as_it_was_known_is_told_to_nobody() -> None:
    lessons = make_lessons()
    lesson = lessons.first
    was = lesson.wall_start
    cancel(lesson)
    restore(lesson)
    move(lesson, WEDNESDAY)
    move(lesson, was)
    assert send_texts() == []
    kinds = select(Message.state).where(Message.kind.in_((CHANGE, CANCELLATION)))
    assert set(db.session.scalars(kinds)) == {MessageState.CANCELLED}


def test_after_a_change_that_was_told_going_back_is_told_too() -> None:
    lessons = make_lessons()
    cancel(lessons.first)
    send_texts()
    restore(lessons.first)
    assert [words for _kind, words in said_to(lessons.family)] == [
        "N9raw : le cours de mathématiques de Sara a lieu : mardi 24 novembre à 17:00 avec Zoé "
        "(WhatsApp)."
    ]


def test_change_of_a_lesson_that_is_over_is_not_told(time: time_machine.Traveller) -> None:
    lessons = make_lessons()
    move(lessons.first, WEDNESDAY)
    time.move_to(datetime(2026, 11, 25, 18, tzinfo=UTC))
    assert send_texts() == []
    cancel(lessons.first)
    assert open_texts() == []


def test_message_is_of_no_use_once_its_last_lesson_has_begun_and_a_week_at_the_most() -> None:
    lessons = make_lessons()
    cancel(lessons.first)
    assert {message.expires_at for message in open_texts()} == {
        datetime(2026, 11, 24, 17, tzinfo=UTC)
    }
    cancel(lessons.dated[3])
    assert {message.expires_at for message in open_texts()} == {
        datetime(2026, 11, 27, 12, tzinfo=UTC)
    }


def test_where_the_last_text_was_lost_the_next_begins_at_what_the_family_knew() -> None:
    lessons = make_lessons()
    lesson = lessons.first
    move(lesson, WEDNESDAY, but=[lessons.tutor])
    assert len(send_texts(arrives=False)) == 1
    move(lesson, WEDNESDAY + timedelta(days=1), but=[lessons.tutor])
    ((_kind, words),) = said_to(lessons.family)
    assert "mardi 24 novembre à 17:00 est déplacé au jeudi 26 novembre à 18:00" in words
    move(lesson, WEDNESDAY, but=[lessons.tutor])
    assert len(send_texts(arrives=False)) == 1
    move(lesson, WEDNESDAY + timedelta(days=1), but=[lessons.tutor])
    ((_kind, words),) = said_to(lessons.family)  # it may have been read all the same
    assert "mercredi 25 novembre à 18:00 est déplacé au jeudi 26 novembre à 18:00" in words


# --- who is told


def test_child_without_consent_is_not_named_and_its_family_not_told() -> None:
    lessons = make_lessons(["Sara Touil", "Adam Touil"])
    adam = lessons.group.members[1].request.pupil
    with transaction():
        adam.consents.append(people.say(ConsentKind.LESSONS, False))
    cancel(lessons.first)
    told = {to: words for to, _kind, words in send_texts()}
    assert "de Sara du" in told[lessons.family]
    assert "avec Sara du" in told[lessons.tutor]
    with transaction():
        sara = lessons.group.members[0].request.pupil
        sara.consents.append(people.say(ConsentKind.LESSONS, False))
    cancel(lessons.dated[1])
    assert [to for to, _kind, _words in send_texts()] == [lessons.tutor]


@pytest.mark.parametrize("why", ["reach_by_call", "stopped"])
def test_family_that_reads_nothing_is_put_among_the_calls(why: str) -> None:
    lessons = make_lessons()
    with transaction():
        household = db.session.get_one(Household, lessons.household_id)
        household.reach_by_call = why == "reach_by_call"
        household.messages_stopped_at = clock.now() if why == "stopped" else None
    cancel(lessons.first, but=[lessons.tutor])
    move(lessons.dated[1], WEDNESDAY, but=[lessons.tutor])
    assert open_texts() == []
    assert db.session.scalars(select(CallRequest.household_id)).all() == [household.id]


def test_suspended_tutor_is_told_nothing() -> None:
    lessons = make_lessons()
    cancel(lessons.first, but=[lessons.family])
    with transaction():
        db.session.get_one(Tutor, lessons.tutor_id).state = "suspended"  # type: ignore[assignment]
    assert send_texts() == []


# --- groups


def test_new_weekly_times_are_told_once_and_not_lesson_by_lesson() -> None:
    lessons = make_lessons()
    with transaction():
        group = lessons.group
        known = telling.remember(lessons.dated)
        before, group.starts = group.starts, [["wed", "18:00"]]
        for lesson in lessons.dated:
            lesson.wall_start += timedelta(days=1, hours=1)
            lesson.starts_at += timedelta(days=1, hours=1)
        telling.tell_group_change(group, before, but={lessons.tutor})
        telling.tell_changes(lessons.dated, known, but={lessons.tutor})
    assert send_texts() == [
        (
            lessons.family,
            CHANGE,
            "N9raw : le cours de mathématiques de Sara change d'horaire : désormais mercredi à "
            "18:00. Prochain cours : mercredi 25 novembre à 18:00.",
        )
    ]


def test_weekly_times_that_are_again_what_they_were_are_told_to_nobody() -> None:
    lessons = make_lessons()
    for day, hour in (("wed", "18:00"), ("tue", "17:00")):
        with transaction():
            group = lessons.group
            before, group.starts = group.starts, [[day, hour]]
            telling.tell_group_change(group, before)
    assert send_texts() == []


# --- who leaves a group that goes on

THREE = ("Sara Touil", "Adam Touil", "Hiba Touil")


def take_out(lessons: Lessons, name: str) -> None:
    (seat,) = [seat for seat in lessons.group.members if seat.request.pupil.name == name]
    by_hand.take_out(lessons.group_id, seat.id, "the time does not suit", None)


def test_tutor_hears_in_one_text_who_left_a_group_that_goes_on() -> None:
    lessons = make_lessons(THREE)
    take_out(lessons, "Sara Touil")
    take_out(lessons, "Hiba Touil")
    assert said_to(lessons.tutor) == [
        (CHANGE, "N9raw : votre cours de mathématiques avec Adam continue sans Sara et Hiba.")
    ]
    with transaction():
        db.session.get_one(Tutor, lessons.tutor_id).message_language = "ar"
    later = make_lessons(THREE)
    with transaction():
        db.session.get_one(Tutor, later.tutor_id).message_language = "ar"
    take_out(later, "Sara Touil")
    assert said_to(later.tutor) == [
        (CHANGE, "نقراو: درسك في الرياضيات (Adam وHiba) يستمر بدون Sara.")
    ]


def test_who_left_is_told_beside_the_new_times_of_the_group() -> None:
    lessons = make_lessons(THREE[:2])
    take_out(lessons, "Sara Touil")
    with transaction():
        group = lessons.group
        before, group.starts = group.starts, [["wed", "18:00"]]
        telling.tell_group_change(group, before, but={lessons.tutor})
    assert said_to(lessons.tutor) == [
        (CHANGE, "N9raw : votre cours de mathématiques avec Adam continue sans Sara.")
    ]


def test_child_whose_guardian_took_the_consent_back_is_counted_and_not_named() -> None:
    lessons = make_lessons(THREE)
    pupil = next(p for p in db.session.scalars(select(Pupil)) if p.name == "Sara Touil")
    family_children.stop_lessons(lessons.household_id, pupil.id)
    assert said_to(lessons.tutor) == [
        (
            CHANGE,
            "N9raw : votre cours de mathématiques avec Adam et Hiba continue avec 1 élève de"
            " moins.",
        )
    ]


def test_nobody_hears_of_who_left_and_came_back_before_the_text_did() -> None:
    lessons = make_lessons(THREE[:2])
    (request,) = [
        seat.request for seat in lessons.group.members if seat.request.pupil.name == "Sara Touil"
    ]
    take_out(lessons, "Sara Touil")
    with transaction():
        groups.offer_seat(lessons.group, request, None)
    groups.accept_group(lessons.group_id, tutor_id=lessons.tutor_id)
    assert CHANGE not in {kind for kind, _words in said_to(lessons.tutor)}


def test_tutor_hears_of_nobody_who_left_by_their_own_doing() -> None:
    lessons = make_lessons(THREE[:2])
    with transaction():
        seat = lessons.group.members[0]
        leave_groups([seat], but={lessons.tutor})
    assert said_to(lessons.tutor) == []


def test_lessons_that_begin_are_told_with_whom_when_and_by_what() -> None:
    make_lessons()
    text = db.session.scalars(
        select(Message.text).where(Message.kind == MessageKind.NEW_GROUP)
    ).one()
    assert text == (
        "N9raw : cours de mathématiques de Sara avec Zoé (WhatsApp) : mardi à 17:00. "
        "Premier cours : mardi 24 novembre à 17:00."
    )


def test_groups_that_begin_before_the_text_leaves_stand_in_one() -> None:
    household = people.make_household(
        pupils=[("Sara Touil", "3AC", ["maths"]), ("Adam Touil", "3AC", ["english"])]
    )
    with transaction():
        household.message_language = "fr"
    for subject, tutor, pupil, start in (
        ("maths", "Zoé Rêveur", household.pupils[0], ("tue", "17:00")),
        ("english", "Karim Alami", household.pupils[1], ("wed", "18:00")),
    ):
        tutor_id = people.make_tutor(name=tutor, teaches=[(subject, "3AC")])
        active_group(tutor_id, [pupil.requests[0].id], starts=(start,))
    assert [words for to, _kind, words in send_texts() if to.table == "household"] == [
        "N9raw, nouveaux cours :\n"
        "mathématiques, Sara avec Zoé (WhatsApp) : mardi à 17:00, dès mar 24/11 17:00\n"
        "anglais, Adam avec Karim (WhatsApp) : mercredi à 18:00, dès mer 25/11 18:00"
    ]


# --- any sequence of changes


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["move", "cancel", "restore", "substitute", "send", "lose"]),
        st.integers(0, 1),
        st.integers(0, 2),
    ),
    max_size=12,
)


class Belief:
    """What each recipient believes of each lesson, by the texts that came and what they did."""

    def __init__(self, lessons: Lessons, others: list[int]) -> None:
        self.lessons = lessons
        self.recipients = [
            lessons.family,
            lessons.tutor,
            *(Recipient("tutor", number) for number in others),
        ]
        self.held = {(to, one.id): view(one, to) for to in self.recipients for one in self.dated}
        self.lost: set[Recipient] = set()

    @property
    def dated(self) -> list[Lesson]:
        return self.lessons.dated[:2]

    def differs(self, recipient: Recipient) -> bool:
        return any(self.held[recipient, one.id] != view(one, recipient) for one in self.dated)

    def learn(self, recipient: Recipient, *ids: int) -> None:
        for one in self.dated:
            if not ids or one.id in ids:
                self.held[recipient, one.id] = view(one, recipient)


def view(lesson: Lesson, recipient: Recipient) -> tuple[object, ...] | None:
    """A lesson as it concerns somebody; None where it doesn't take place for them."""
    giver = lesson.substitute_id or lesson.group.tutor_id
    if lesson.state is LessonState.CANCELLED:
        return None
    if recipient.table == "tutor":
        return (lesson.wall_start,) if giver == recipient.id else None
    return lesson.wall_start, giver


def recipient_of(message: Message) -> Recipient:
    if message.household_id is not None:
        return Recipient("household", message.household_id)
    return Recipient("tutor", message.tutor_id or 0)


def take(step: Step, belief: Belief, others: list[int]) -> None:
    """Do one thing to a lesson, by a coordinator, the tutor or the family."""
    what, which, how = step
    lesson = belief.dated[which]
    who = [None, belief.lessons.tutor, belief.lessons.family][how]
    but = [] if who is None else [who]
    if what == "move":
        move(lesson, lesson.slot_start + timedelta(days=how), but=but)
    elif what == "cancel":
        cancel(lesson, but=but)
    elif what == "restore":
        restore(lesson, but=but)
    else:
        substitute(lesson, [None, *others][how], but=but)
    for recipient in but:
        belief.learn(recipient, lesson.id)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whatever_happens_each_knows_what_is_and_hears_nothing_twice(app: Flask) -> None:
    lessons = make_lessons()
    others = [people.make_tutor(name=name) for name in ("Karim Alami", "Nora Idrissi")]

    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(STEPS)
    def holds(steps: list[Step]) -> None:
        belief = Belief(lessons, others)
        for step in steps:
            if step[0] in ("send", "lose"):
                for recipient, _kind, _words in send_texts(arrives=step[0] == "send"):
                    assert belief.differs(recipient) or recipient in belief.lost
                    if step[0] == "send":
                        belief.learn(recipient)
                        belief.lost.discard(recipient)
                    else:
                        belief.lost.add(recipient)
            else:
                take(step, belief, others)
            waits = [
                Recipient(
                    (m.household_id and "household") or "tutor", m.household_id or m.tutor_id or 0
                )
                for m in open_texts()
            ]
            assert len(waits) == len(set(waits))
            for recipient in belief.recipients:
                known = recipient in waits or recipient in belief.lost
                assert known or not belief.differs(recipient)
        send_texts()
        with transaction():  # nothing of this example is lost to the next
            for message in db.session.scalars(select(Message).where(Message.text.is_not(None))):
                message.state = MessageState.DELIVERED

    holds()
