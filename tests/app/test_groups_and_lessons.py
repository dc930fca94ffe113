"""An accepted group has its lessons and reminders; what ends or is cancelled takes them along."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    ConsentKind,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Pupil,
    Reminder,
    RequestState,
    Tutor,
    TutoringRequest,
    TutorState,
)
from app.services import changes, groups, lessons, publishing
from app.services.errors import Conflict, Invalid, NotFound
from app.services.volunteer import set_preferences
from scheduler import clock
from tests.support import people
from tests.support.groups import active_group, offer_group, proposal, propose

SATURDAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
WEDNESDAY_TOO = (("mon", "18:00"), ("wed", "18:00"))


@pytest.fixture(autouse=True)
def programme(app: Flask) -> Iterator[time_machine.Traveller]:
    """A programme on Saturday 2026-11-21 at noon; the fixture's value moves the clock."""
    with time_machine.travel(SATURDAY, tick=False) as time, app.app_context():
        people.make_programme()
        yield time


def requests_of(household: Household) -> list[int]:
    return [request.id for pupil in household.pupils for request in pupil.requests]


def planned() -> list[Lesson]:
    query = select(Lesson).where(Lesson.state == LessonState.PLANNED).order_by(Lesson.starts_at)
    return list(db.session.scalars(query))


def messages(kind: MessageKind, *, to: str) -> list[Message]:
    """Messages still to be sent to households or tutors, in the order that they leave."""
    column = Message.household_id if to == "household" else Message.tutor_id
    query = select(Message).where(
        Message.kind == kind, column.is_not(None), Message.state == MessageState.PLANNED
    )
    return list(db.session.scalars(query.order_by(Message.due_at)))


def due(found: list[Message]) -> list[str]:
    return [f"{message.due_at:%m-%d %H:%M}" for message in found]


def test_accepted_group_has_four_weeks_of_lessons_and_their_reminders() -> None:
    group = active_group(people.make_tutor(), requests_of(people.make_household()))
    assert group.state is GroupState.ACTIVE
    assert {member.active_since for member in group.members} == {SATURDAY}
    assert {member.request.state for member in group.members} == {RequestState.SERVED}
    assert [f"{lesson.wall_start:%m-%d %H:%M}" for lesson in planned()] == [
        "11-23 18:00", "11-30 18:00", "12-07 18:00", "12-14 18:00",
    ]  # fmt: skip
    for to in ("household", "tutor"):
        assert due(messages(MessageKind.LESSON_24H, to=to)) == [
            "11-22 18:00", "11-29 18:00", "12-06 18:00", "12-13 18:00",
        ]  # fmt: skip
        assert due(messages(MessageKind.LESSON_2H, to=to)) == [
            "11-23 16:00", "11-30 16:00", "12-07 16:00", "12-14 16:00",
        ]  # fmt: skip


def test_lesson_keeps_wall_time_zone_tz_version_and_instant() -> None:
    active_group(people.make_tutor(), requests_of(people.make_household()))
    lesson = planned()[1]
    assert (lesson.wall_start, lesson.zone, lesson.minutes, lesson.version) == (
        datetime(2026, 11, 30, 18),
        "Africa/Casablanca",
        60,
        1,
    )
    assert lesson.starts_at == datetime(2026, 11, 30, 18, tzinfo=UTC)
    assert lesson.tz_version == clock.tz_version()


def test_lesson_too_soon_for_a_reminder_is_left_out(programme: time_machine.Traveller) -> None:
    programme.move_to(datetime(2026, 11, 23, 15, 30, tzinfo=UTC))
    active_group(people.make_tutor(), requests_of(people.make_household()))
    assert next(f"{lesson.wall_start:%m-%d}" for lesson in planned()) == "11-30"


def test_day_reminder_that_would_come_too_late_is_not_owed(
    programme: time_machine.Traveller,
) -> None:
    # 3 h 30 before: the day's reminder is overdue but still of use; 1 h later it would not be.
    programme.move_to(datetime(2026, 11, 23, 14, 30, tzinfo=UTC))
    active_group(people.make_tutor(), requests_of(people.make_household()))
    first = messages(MessageKind.LESSON_24H, to="household")[0]
    assert first.due_at == datetime(2026, 11, 22, 18, tzinfo=UTC)
    assert first.expires_at == datetime(2026, 11, 23, 16, tzinfo=UTC)


def test_siblings_of_a_day_share_one_text_a_day_and_one_each_two_hours() -> None:
    household = people.make_household(
        pupils=[("Hiba Touil", "3AC", ["maths"]), ("Walid Touil", "3AC", ["maths", "svt"])],
        windows=["mon 14:00-22:00"],
    )
    hiba, walid, walid_svt = requests_of(household)
    one, other, third = people.make_tutor(), people.make_tutor(), people.make_tutor(
        teaches=[("svt", "3AC")]
    )  # fmt: skip
    active_group(one, [hiba], starts=[("mon", "18:00")])
    active_group(other, [walid], starts=[("mon", "19:30")])
    active_group(third, [walid_svt], starts=[("mon", "14:00")])
    day = messages(MessageKind.LESSON_24H, to="household")[0]
    assert f"{day.due_at:%m-%d %H:%M}" == "11-22 14:00"
    assert len(day.reminders) == 3
    hours = messages(MessageKind.LESSON_2H, to="household")[:2]
    assert due(hours) == ["11-23 12:00", "11-23 16:00"]
    assert [len(message.reminders) for message in hours] == [1, 2]


def test_two_children_in_one_lesson_are_reminded_once() -> None:
    household = people.make_household(
        pupils=[("Hiba Touil", "3AC", ["maths"]), ("Walid Touil", "3AC", ["maths"])]
    )
    active_group(people.make_tutor(), requests_of(household))
    assert [len(m.reminders) for m in messages(MessageKind.LESSON_2H, to="household")] == [1] * 4


def test_group_with_times_to_agree_has_no_lessons_yet() -> None:
    household = people.make_household(windows=None)
    tutor = people.make_tutor(windows=None)
    offered = offer_group(tutor, requests_of(household))
    with transaction():
        db.session.get_one(Group, offered.id).starts = [None]
    assert groups.accept_group(offered.id).state is GroupState.ACTIVE
    assert planned() == []


def test_cancelled_lesson_takes_its_reminders_along() -> None:
    active_group(people.make_tutor(), requests_of(people.make_household()), starts=WEDNESDAY_TOO)
    lesson = changes.cancel_lesson(planned()[0].id, "ill")
    assert (lesson.state, lesson.version, lesson.cancel_reason) == (
        LessonState.CANCELLED,
        2,
        "ill",
    )
    open_reminders = select(Reminder).where(
        Reminder.lesson_id == lesson.id, Reminder.cancelled_at.is_(None)
    )
    assert db.session.scalars(open_reminders).all() == []
    assert due(messages(MessageKind.LESSON_24H, to="household"))[0] == "11-24 18:00"
    cancelled = select(Message).where(Message.state == MessageState.CANCELLED)
    assert len(db.session.scalars(cancelled).all()) == 4


def test_cancelled_first_lesson_of_a_day_leaves_the_others_their_text() -> None:
    household = people.make_household(
        pupils=[("Hiba Touil", "3AC", ["maths"]), ("Walid Touil", "3AC", ["maths"])],
        windows=["mon 14:00-22:00"],
    )
    hiba, walid = requests_of(household)
    active_group(people.make_tutor(), [hiba], starts=[("mon", "15:00")])
    active_group(people.make_tutor(), [walid], starts=[("mon", "18:00")])
    assert due(messages(MessageKind.LESSON_24H, to="household"))[0] == "11-22 15:00"
    changes.cancel_lesson(planned()[0].id, "ill")
    first = messages(MessageKind.LESSON_24H, to="household")[0]
    assert f"{first.due_at:%m-%d %H:%M}" == "11-22 18:00"
    assert [reminder.lesson.wall_start.hour for reminder in first.reminders] == [18]


def test_lesson_of_another_tutor_is_unknown_to_a_tutor() -> None:
    active_group(people.make_tutor(), requests_of(people.make_household()))
    other = people.make_tutor()
    with pytest.raises(NotFound):
        changes.cancel_lesson(planned()[0].id, "ill", tutor_id=other)


def test_lesson_is_cancelled_once_with_a_reason_and_before_it_begins(
    programme: time_machine.Traveller,
) -> None:
    active_group(people.make_tutor(), requests_of(people.make_household()))
    first, second = planned()[:2]
    with pytest.raises(Invalid):
        changes.cancel_lesson(first.id, " ")
    changes.cancel_lesson(second.id, "ill")
    with pytest.raises(Conflict):
        changes.cancel_lesson(second.id, "ill")
    programme.move_to(first.starts_at)
    with pytest.raises(Conflict):
        changes.cancel_lesson(first.id, "ill")


def test_lessons_roll_on_and_none_is_made_twice(programme: time_machine.Traveller) -> None:
    active_group(people.make_tutor(), requests_of(people.make_household()))
    cancelled = changes.cancel_lesson(planned()[3].id, "holiday")
    assert lessons.extend_lessons() == 0
    programme.shift(timedelta(weeks=1))
    assert [lessons.extend_lessons(), lessons.extend_lessons()] == [1, 0]
    assert [f"{lesson.wall_start:%m-%d}" for lesson in planned()] == [
        "11-23", "11-30", "12-07", "12-21",
    ]  # fmt: skip
    assert db.session.get_one(Lesson, cancelled.id).state is LessonState.CANCELLED


def test_new_tz_data_keeps_the_familys_clock_and_moves_the_reminders() -> None:
    active_group(people.make_tutor(), requests_of(people.make_household()))
    with transaction():
        for lesson in planned():
            lesson.tz_version = "2026a"
            lesson.starts_at -= timedelta(hours=1)
    assert lessons.follow_tz_data() == 4
    assert lessons.follow_tz_data() == 0
    lesson = planned()[0]
    assert lesson.starts_at == datetime(2026, 11, 23, 18, tzinfo=UTC)
    assert (lesson.version, lesson.tz_version) == (2, clock.tz_version())
    assert due(messages(MessageKind.LESSON_2H, to="household"))[0] == "11-23 16:00"
    assert len(messages(MessageKind.LESSON_2H, to="household")) == 4


def test_lesson_in_the_repeated_hour_is_at_its_first_pass_and_a_week_later_in_the_only_one(
    programme: time_machine.Traveller,
) -> None:
    """On 2026-09-20 Moroccan clocks went from 02:00 back to 01:00, for good."""
    programme.move_to(datetime(2026, 9, 15, 12, tzinfo=UTC))
    tutor = people.make_tutor(windows=["sun 00:00-04:00"])
    household = people.make_household(windows=["sun 00:00-04:00"])
    active_group(tutor, requests_of(household), starts=[("sun", "01:30")])
    assert [lesson.starts_at.isoformat() for lesson in planned()[:2]] == [
        "2026-09-20T00:30:00+00:00",
        "2026-09-27T01:30:00+00:00",
    ]


def test_lessons_across_the_change_keep_the_familys_six_o_clock(
    programme: time_machine.Traveller,
) -> None:
    programme.move_to(datetime(2026, 9, 11, 12, tzinfo=UTC))
    active_group(people.make_tutor(), requests_of(people.make_household()))
    assert [lesson.starts_at.isoformat() for lesson in planned()[:2]] == [
        "2026-09-14T17:00:00+00:00",
        "2026-09-21T18:00:00+00:00",
    ]


def test_offer_is_answered_once() -> None:
    offered = offer_group(people.make_tutor(), requests_of(people.make_household()))
    groups.accept_group(offered.id)
    with pytest.raises(Conflict):
        groups.accept_group(offered.id)
    with pytest.raises(Conflict):
        groups.decline_group(offered.id, "changed my mind")
    assert len(planned()) == 4


def test_group_of_another_tutor_is_unknown_to_a_tutor() -> None:
    offered = offer_group(people.make_tutor(), requests_of(people.make_household()))
    other = people.make_tutor()
    with pytest.raises(NotFound):
        groups.accept_group(offered.id, tutor_id=other)
    with pytest.raises(NotFound):
        groups.decline_group(offered.id, "no", tutor_id=other)


def test_coordinator_who_records_an_answer_is_named() -> None:
    coordinator = people.make_coordinator()
    offered = offer_group(people.make_tutor(), requests_of(people.make_household()))
    assert groups.accept_group(offered.id, coordinator).decided_by_id == coordinator.id


def test_suspended_tutor_takes_no_group() -> None:
    tutor = people.make_tutor()
    offered = offer_group(tutor, requests_of(people.make_household()))
    with transaction():
        db.session.get_one(Tutor, tutor).state = TutorState.SUSPENDED
    with pytest.raises(Conflict):
        groups.accept_group(offered.id)


def test_pupil_whose_consent_went_meanwhile_does_not_join() -> None:
    staying, leaving = people.make_household(), people.make_household()
    offered = offer_group(people.make_tutor(), requests_of(staying) + requests_of(leaving))
    say_no(leaving, ConsentKind.LESSONS)
    group = groups.accept_group(offered.id)
    assert [member.request_id for member in group.members] == requests_of(staying)
    households = {m.household_id for m in messages(MessageKind.LESSON_2H, to="household")}
    assert households == {staying.id}


def test_offer_in_which_nobody_may_be_taught_is_refused() -> None:
    household = people.make_household()
    offered = offer_group(people.make_tutor(), requests_of(household))
    say_no(household, ConsentKind.LESSONS)
    with pytest.raises(Conflict):
        groups.accept_group(offered.id)
    assert planned() == []


@pytest.mark.parametrize("kind", list(ConsentKind))
def test_withdrawn_consent_ends_the_seat_and_its_reminders(kind: ConsentKind) -> None:
    staying, leaving = people.make_household(), people.make_household()
    group = active_group(people.make_tutor(), requests_of(staying) + requests_of(leaving))
    say_no(leaving, kind)
    with transaction():
        assert groups.leave_without_right([leaving.pupils[0].id]) == 1
    assert [m.request_id for m in db.session.get_one(Group, group.id).members] == requests_of(
        staying
    )
    request = db.session.get_one(TutoringRequest, requests_of(leaving)[0])
    assert request.state is RequestState.WAITING
    assert {m.household_id for m in messages(MessageKind.LESSON_2H, to="household")} == {staying.id}
    assert len(planned()) == 4


def test_family_that_leaves_and_comes_back_is_reminded_again() -> None:
    tutor, staying, leaving = people.make_tutor(), people.make_household(), people.make_household()
    active_group(tutor, requests_of(staying) + requests_of(leaving))
    say(leaving, ConsentKind.LESSONS, False)
    with transaction():
        groups.leave_without_right([leaving.pupils[0].id])
    say(leaving, ConsentKind.LESSONS, True)
    run_id = propose(proposal(tutor, requests_of(staying) + requests_of(leaving)))
    (group,) = publishing.publish_run(run_id, None)
    groups.accept_group(group.id)
    for kind in (MessageKind.LESSON_24H, MessageKind.LESSON_2H):
        to_both = [m.household_id for m in messages(kind, to="household")]
        assert to_both.count(leaving.id) == to_both.count(staying.id) == 4


def test_tutor_abroad_is_reminded_before_the_night_of_their_own_zone() -> None:
    """A lesson at 19:00 in Morocco is at 23:00 in Dubai: two hours before is night there."""
    tutor = people.make_tutor(windows=["mon 18:00-21:00"])
    household = people.make_household(windows=["mon 18:00-21:00"])
    with transaction():
        db.session.get_one(Tutor, tutor).time_zone = "Asia/Dubai"
    active_group(tutor, requests_of(household), starts=[("mon", "19:00")])
    assert due(messages(MessageKind.LESSON_2H, to="tutor"))[0] == "11-23 16:30"
    assert due(messages(MessageKind.LESSON_2H, to="household"))[0] == "11-23 17:00"


def test_reminders_follow_a_tutor_who_moves_to_another_zone() -> None:
    tutor = people.make_tutor(windows=["mon 18:00-21:00"])
    household = people.make_household(windows=["mon 18:00-21:00"])
    active_group(tutor, requests_of(household), starts=[("mon", "19:00")])
    assert due(messages(MessageKind.LESSON_2H, to="tutor"))[0] == "11-23 17:00"
    set_preferences(tutor, "fr", "Asia/Dubai", digest=True)
    assert due(messages(MessageKind.LESSON_2H, to="tutor"))[0] == "11-23 16:30"
    set_preferences(tutor, "fr", None, digest=True)
    assert due(messages(MessageKind.LESSON_2H, to="tutor"))[0] == "11-23 17:00"


def test_ended_group_frees_its_pupils_and_cancels_what_was_to_come() -> None:
    group = active_group(people.make_tutor(), requests_of(people.make_household()))
    ended = groups.end_group(group.id, "the tutor moved away")
    assert (ended.state, ended.members) == (GroupState.ENDED, [])
    assert {m.request.state for m in ended.memberships} == {RequestState.WAITING}
    assert planned() == []
    assert messages(MessageKind.LESSON_24H, to="household") == []
    assert messages(MessageKind.LESSON_2H, to="tutor") == []
    with pytest.raises(Conflict):
        groups.end_group(group.id, "again")


def test_ended_offer_can_be_made_again() -> None:
    tutor, household = people.make_tutor(), people.make_household()
    groups.end_group(offer_group(tutor, requests_of(household)).id, "a mistake")
    assert offer_group(tutor, requests_of(household)).state is GroupState.OFFERED


def test_last_pupil_who_leaves_ends_the_group_and_its_lessons() -> None:
    household = people.make_household()
    group = active_group(people.make_tutor(), requests_of(household), channel="call")
    say_no(household, ConsentKind.LESSONS)
    with transaction():
        groups.leave_without_right([household.pupils[0].id])
    assert db.session.get_one(Group, group.id).state is GroupState.ENDED
    assert planned() == []
    for to in ("household", "tutor"):
        for kind in (MessageKind.LESSON_24H, MessageKind.LESSON_2H):
            assert messages(kind, to=to) == []


def test_pupil_alone_in_a_call_stays_without_group_consent() -> None:
    household = people.make_household()
    active_group(people.make_tutor(), requests_of(household), channel="call")
    say_no(household, ConsentKind.GROUP_LESSONS)
    with transaction():
        assert groups.leave_without_right([household.pupils[0].id]) == 0
    assert len(planned()) == 4


def test_newcomers_household_is_reminded_of_the_groups_lessons() -> None:
    tutor = people.make_tutor()
    first, newcomer = people.make_household(), people.make_household()
    group = active_group(tutor, requests_of(first))
    run_id = propose(proposal(tutor, requests_of(first) + requests_of(newcomer)))
    publishing.publish_run(run_id, None)
    groups.accept_group(group.id)
    of_newcomer = [
        message
        for message in messages(MessageKind.LESSON_2H, to="household")
        if message.household_id == newcomer.id
    ]
    assert due(of_newcomer) == ["11-23 16:00", "11-30 16:00", "12-07 16:00", "12-14 16:00"]
    assert len(planned()) == 4


def say_no(household: Household, kind: ConsentKind) -> None:
    """The guardian withdraws a consent for the first child."""
    say(household, kind, False)


def say(household: Household, kind: ConsentKind, given: bool) -> None:
    pupil_id = household.pupils[0].id
    with transaction():
        pupil = db.session.get_one(Pupil, pupil_id)
        pupil.consents.append(people.say(kind, given))
