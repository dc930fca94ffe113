"""Somebody gives one lesson in its tutor's place: sought, asked in order, the first yes has it.

A search lives with its lesson: whoever changes it holds the lesson's lock, and looks whether the
lesson is still as it was when the search began. docs/substitution.md says what is promised.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import or_, select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Coordinator,
    Group,
    GroupState,
    Lesson,
    LessonState,
    OfferState,
    Question,
    QuestionKind,
    Substitution,
    SubstitutionOffer,
    SubstitutionState,
    Tutor,
)
from app.services import audit, telling
from app.services.ending import lock_groups
from app.services.errors import Conflict, Invalid, NotFound
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lessons import is_taken, withdraw_lessons
from app.services.new_times import propose_new_time
from app.services.notices import load_people
from app.services.paging import Page, page_of
from app.services.reminders import (
    Recipient,
    cancel_reminders,
    lock_recipients,
    plan_reminders,
    recipients_of,
)
from app.services.searches import (
    OPEN_OFFERS,
    end_search,
    is_open,
    search_for,
    still_needed,
    withdraw_offers,
)
from app.services.substitutes import (
    STOPS,
    Candidate,
    Hindrance,
    find_substitutes,
    judge,
    list_candidates,
    seated,
)
from scheduler import clock
from scheduler.waking import after_waking, latest_waking, waking_time

BEFORE: Final = timedelta(hours=12)
"""How long before the lesson its families know who gives it, or that nobody does."""
SHORTEST_TURN: Final = timedelta(minutes=30)
LONGEST_TURN: Final = timedelta(hours=6)
PER_PAGE: Final = 30
NOBODY_FREE: Final = "nobody could give the lesson"
"""The reason stored with such a lesson; pages put it in the reader's words."""
YES, NO = 1, 2
_OFFER_OPTIONS: Final = ["yes", "no"]


@dataclass(frozen=True, slots=True)
class SearchView:
    """A lesson, who is asked to give it, and a page of all who teach its subject at its level."""

    lesson: Lesson
    search: Substitution | None
    candidates: list[Candidate]
    page: Page

    @property
    def may_change(self) -> bool:
        """Whether somebody can still be sought, or given the lesson."""
        lesson = self.lesson
        return lesson.state is LessonState.PLANNED and lesson.starts_at > clock.now()


def read_search(lesson_id: int, page_number: int) -> SearchView:
    """What a coordinator sees of the search for a substitute; NotFound if there is no lesson."""
    lesson = db.session.get(Lesson, lesson_id)
    if lesson is None:
        raise NotFound(_l("This lesson does not exist."))
    candidates = list_candidates(lesson, but={lesson.given_by.id})
    page = page_of(len(candidates), page_number, PER_PAGE)
    shown = candidates[page.first : page.first + page.size]
    return SearchView(lesson, search_for(lesson), shown, page)


def deadline(lesson: Lesson) -> datetime:
    """By when somebody has a lesson, or its families are told: by day, since nights are quiet."""
    return latest_waking(lesson.starts_at - BEFORE, _zone())


def seek(lesson: Lesson, tutor: Tutor) -> Substitution:
    """Begin to look for somebody who gives a lesson that its tutor, or who stood in, can't give.

    Part of the caller's transaction, which has locked the lesson. Where nobody fits, or the time is
    over, the families are told at once. A search that is on goes on.
    """
    if (search := search_for(lesson)) is not None:
        return search
    if lesson.substitute_id is not None:
        _hand_back(lesson)
    search = Substitution(
        lesson=lesson,
        lesson_version=lesson.version,
        state=SubstitutionState.ASKING,
        created_at=clock.now(),
        until=deadline(lesson),
    )
    db.session.add(search)
    db.session.flush()
    cancel_reminders([lesson], only=[Recipient("tutor", lesson.group.tutor_id)])
    if lesson.group.state is GroupState.ACTIVE and seated(lesson) and clock.now() < search.until:
        search.offers = [
            SubstitutionOffer(tutor=found, rank=rank)
            for rank, found in enumerate(find_substitutes(lesson, but={tutor.id}), 1)
        ]
        db.session.flush()
    _note("seek_substitute", lesson, None, {"tutor": tutor.id, "asked": len(search.offers)})
    _go_on(search)
    return search


def start_search(lesson_id: int, by: Coordinator) -> Substitution:
    """Look for a substitute since the tutor told a coordinator that they can't."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = _planned(lesson_id)
        if search_for(lesson) is not None:
            raise Conflict(_l("Somebody is being looked for already."))
        search = seek(lesson, lesson.given_by)
        _note("start_search", lesson, by, {})
    return search


def answer_offer(question_id: int, accepts: bool, *, tutor_id: int | None = None) -> Lesson | None:
    """Keep what a tutor says who was asked to stand in: the lesson where it is theirs now.

    The first yes has it. Conflict, in kind words, for a yes that comes when it is no longer needed,
    or from somebody who can no longer give it. `tutor_id` names who says so on their own page.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        question = db.session.get(Question, question_id)
        if (
            question is None
            or question.kind is not QuestionKind.SUBSTITUTE
            or question.tutor is None
            or question.lesson_id is None
            or tutor_id not in (None, question.tutor_id)
        ):
            raise NotFound(_l("This question does not exist."))
        lesson = _locked(question.lesson_id)
        db.session.refresh(question)
        search = search_for(lesson)
        offer = None if search is None else _offer_to(search, question.tutor)
        if offer is None or not is_open(question):
            if accepts and lesson.substitute_id != question.tutor_id:
                raise Conflict(_l("Thank you! The lesson is taken care of already."))
            return lesson if accepts else None
        question.answered_at = offer.answered_at = clock.now()
        question.answer = YES if accepts else NO
        if not accepts:
            offer.state = OfferState.DECLINED
            _note("decline_substitution", lesson, None, {"tutor": offer.tutor_id})
            _go_on(offer.substitution)
            return None
        _refuse_unfit(lesson, question.tutor)
        offer.state = OfferState.ACCEPTED
        _give(lesson, question.tutor, None)
    return lesson


def give_by_hand(lesson_id: int, tutor_id: int, by: Coordinator) -> Lesson:
    """Give a lesson to somebody who agreed it with a coordinator.

    Conflict where what nobody can overrule stands against it, Invalid where there is nobody such.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = _planned(lesson_id)
        tutor = db.session.get(Tutor, tutor_id)
        if tutor is None or tutor.id == lesson.group.tutor_id:
            raise Invalid(_l("This volunteer does not exist."))
        if lesson.substitute_id == tutor.id:
            raise Conflict(_l("This volunteer gives the lesson already."))
        if not STOPS.isdisjoint(judge(lesson, [tutor])[tutor.id]):
            raise Conflict(_l("This volunteer can't give the lesson."))
        _give(lesson, tutor, by)
    return lesson


def come_after_all(
    lesson_id: int, *, tutor_id: int | None = None, by: Coordinator | None = None
) -> Lesson:
    """End a search, since the group's own tutor can give the lesson after all."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = _locked(lesson_id)
        if tutor_id not in (None, lesson.group.tutor_id):
            raise NotFound(_l("This lesson does not exist."))
        search = search_for(lesson)
        if search is None:
            raise Conflict(_l("Nobody is being looked for any more."))
        if is_taken(lesson):
            raise Conflict(_l("Something stands against the time by now: look at it again."))
        end_search(search, SubstitutionState.ENDED)
        plan_reminders([lesson], only=[Recipient("tutor", lesson.group.tutor_id)])
        _tell_of_own_tutor(lesson)
        detail = {} if tutor_id is None else {"tutor": tutor_id}
        _note("come_after_all", lesson, by, detail)
    return lesson


def lock_for_departure(tutor_id: int, groups: Collection[Group]) -> None:
    """Lock all that changes where a tutor goes: these groups of theirs, then the lessons of these,
    those that they give in others' places or were asked to give, then everybody in them.

    Each kind in one statement, before anything is done: who locks lessons after people can meet
    those who lock in order.
    """
    lock_groups(groups)
    asked = (
        select(Substitution.lesson_id)
        .join(SubstitutionOffer, SubstitutionOffer.substitution_id == Substitution.id)
        .where(SubstitutionOffer.tutor_id == tutor_id, SubstitutionOffer.state.in_(OPEN_OFFERS))
    )
    own = Lesson.group_id.in_([group.id for group in groups])
    lessons = db.session.scalars(
        select(Lesson)
        .where(
            or_(own, Lesson.substitute_id == tutor_id, Lesson.id.in_(asked)),
            Lesson.starts_at > clock.now(),
        )
        .order_by(Lesson.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    load_people(lessons)
    people = {person for lesson in lessons for person in recipients_of(lesson)}
    homes = {member.request.pupil.household_id for group in groups for member in group.members}
    people |= {Recipient("household", home) for home in homes}
    people |= {Recipient("tutor", lesson.group.tutor_id) for lesson in lessons}
    lock_recipients(people | {Recipient("tutor", tutor_id)})


def hand_back_lessons(tutor: Tutor) -> int:
    """Look for others for all that a tutor was to give in others' places; how many lessons.

    Part of the transaction that ends or pauses what the tutor does, which holds the groups' lock
    and what `lock_for_departure` locks.
    """
    searches = withdraw_offers(tutor.id)
    # One that is cancelled may come back, and then it is not theirs.
    for lesson in _taken(tutor.id, LessonState.CANCELLED):
        lesson.substitute = None
    lessons = list_taken(tutor.id)
    for lesson in lessons:
        seek(lesson, tutor)
    for search in searches:
        if still_needed(search):
            _go_on(search)
    return len(lessons)


def list_taken(tutor_id: int) -> Sequence[Lesson]:
    """The lessons to come that a tutor gives in others' places, locked."""
    return _taken(tutor_id, LessonState.PLANNED)


def _taken(tutor_id: int, state: LessonState) -> Sequence[Lesson]:
    return db.session.scalars(
        select(Lesson)
        .where(
            Lesson.substitute_id == tutor_id,
            Lesson.state == state,
            Lesson.starts_at > clock.now(),
        )
        .order_by(Lesson.id)
        .with_for_update()
    ).all()


def keep_searches() -> int:
    """What the worker does for the searches: ask the next, or tell the families; how many moved.

    Safe with any number of workers: each search is looked at again under its lesson's lock.
    """
    moved = 0
    asking = select(Substitution).where(Substitution.state == SubstitutionState.ASKING)
    waiting = [
        (search.id, search.lesson_id)
        for search in db.session.scalars(asking.order_by(Substitution.id))
        if not still_needed(search) or _is_due(search)
    ]
    for search_id, lesson_id in waiting:
        with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
            _locked(lesson_id)
            search = db.session.get_one(Substitution, search_id)
            if search.state is not SubstitutionState.ASKING:
                continue
            if still_needed(search):
                _go_on(search)
            else:
                end_search(search, _end_of(search.lesson))
            moved += 1
    return moved


def _end_of(lesson: Lesson) -> SubstitutionState:
    """How a search ends whose lesson is no longer the one sought for: it began, or it changed."""
    began = lesson.state is LessonState.PLANNED and lesson.starts_at <= clock.now()
    return SubstitutionState.NOBODY if began else SubstitutionState.ENDED


# --- one search


def _is_due(search: Substitution) -> bool:
    """Whether something is to be done: the time is over, or it is the next one's turn."""
    return clock.now() >= search.until or clock.now() >= _turn_ends(search)


def _go_on(search: Substitution) -> None:
    """Ask the next, where it is their turn; where nobody is left, or no time, tell the families."""
    states = {offer.state for offer in search.offers}
    over = clock.now() >= search.until
    if over or not states & {OfferState.WAITING, OfferState.ASKED}:
        _give_up(search)
    elif OfferState.WAITING in states and clock.now() >= _turn_ends(search):
        _ask_next(search)


def _turn_ends(search: Substitution) -> datetime:
    """When the next are asked; it is past where all who were asked have answered."""
    asked = [offer for offer in search.offers if offer.state is OfferState.ASKED]
    if not asked:
        return search.created_at
    if all(offer.state is not OfferState.WAITING for offer in search.offers):
        return search.until
    latest = max(offer.asked_at for offer in asked if offer.asked_at is not None)
    left = [o for o in search.offers if o.asked_at is None or o.asked_at >= latest]
    _together, turn = turns(latest, search.until, len(left), _zone())
    return after_waking(latest, turn, _zone())


def turns(now: datetime, until: datetime, people: int, zone: str) -> tuple[int, timedelta]:
    """How many are asked together, and how long each of them has before the next are asked.

    Each has an equal part of the time that is left, nights not counted; where that would be less
    than the shortest turn, several are asked at once.
    """
    awake = waking_time(now, until, zone)
    rounds = min(people, max(1, awake // SHORTEST_TURN))
    together = -(-people // rounds)
    return together, min(LONGEST_TURN, max(SHORTEST_TURN, awake / rounds))


def _ask_next(search: Substitution) -> None:
    waiting = [offer for offer in search.offers if offer.state is OfferState.WAITING]
    now = clock.now()
    together, _turn = turns(now, search.until, len(waiting), _zone())
    for offer in waiting[:together]:
        # One instant for all: who was asked with whom is read from it.
        offer.state, offer.asked_at = OfferState.ASKED, now
        question = Question(
            kind=QuestionKind.SUBSTITUTE,
            tutor_id=offer.tutor_id,
            lesson_id=search.lesson_id,
            options=_OFFER_OPTIONS,
            asked_at=now,
            expires_at=search.until,
        )
        db.session.add(question)
        db.session.flush()
        telling.tell_question(question)


def _give_up(search: Substitution) -> None:
    """Nobody has it: the lesson is cancelled, its families are told, a new time is proposed."""
    lesson = search.lesson
    end_search(search, SubstitutionState.NOBODY)
    known = telling.remember([lesson])
    withdraw_lessons([lesson], NOBODY_FREE)
    db.session.flush()
    telling.tell_changes([lesson], known)
    proposed = propose_new_time(lesson)
    detail = {} if proposed is None else {"proposed": proposed.isoformat(timespec="minutes")}
    _note("nobody_stands_in", lesson, None, detail)


def _give(lesson: Lesson, tutor: Tutor, by: Coordinator | None) -> None:
    """Have a tutor give a lesson: reminders anew, everybody told, nobody else asked any more."""
    known = telling.remember([lesson])
    if (search := search_for(lesson)) is not None:
        end_search(search, SubstitutionState.TAKEN)
    _put(lesson, tutor)
    plan_reminders([lesson])
    taker = Recipient("tutor", tutor.id)
    telling.tell_changes([lesson], known, but=frozenset() if by else frozenset({taker}))
    _note("stand_in", lesson, by, {"tutor": tutor.id})


def _hand_back(lesson: Lesson) -> None:
    """Take a lesson from who was to stand in; their yes counts as a no from now on."""
    offers = select(SubstitutionOffer).where(
        SubstitutionOffer.tutor_id == lesson.substitute_id,
        SubstitutionOffer.state == OfferState.ACCEPTED,
        SubstitutionOffer.substitution.has(Substitution.lesson_id == lesson.id),
    )
    for offer in db.session.scalars(offers):
        offer.state = OfferState.DECLINED
    _put(lesson, None)
    plan_reminders([lesson])


def _put(lesson: Lesson, substitute: Tutor | None) -> None:
    """Have somebody else give a lesson; what was owed for it is owed no more."""
    lesson.substitute = substitute
    lesson.version += 1
    db.session.flush()
    cancel_reminders([lesson])


def _tell_of_own_tutor(lesson: Lesson) -> None:
    """Tell the families that their own tutor comes, where they were told of somebody else."""
    taken = select(SubstitutionOffer.tutor_id).where(
        SubstitutionOffer.substitution.has(Substitution.lesson_id == lesson.id),
        SubstitutionOffer.state == OfferState.DECLINED,
        SubstitutionOffer.substitution.has(Substitution.state == SubstitutionState.TAKEN),
    )
    former = db.session.scalar(taken.order_by(SubstitutionOffer.id.desc()).limit(1))
    if former is None:
        return
    lesson.substitute_id = former
    known = telling.remember([lesson])
    lesson.substitute_id = None
    db.session.flush()
    own, other = Recipient("tutor", lesson.group.tutor_id), Recipient("tutor", former)
    telling.tell_changes([lesson], known, but=frozenset({own, other}))


def _refuse_unfit(lesson: Lesson, tutor: Tutor) -> None:
    """Conflict where something came between the question and the yes."""
    if set(judge(lesson, [tutor])[tutor.id]) - {Hindrance.SAID_NO}:
        raise Conflict(_l("Thank you! But by now something else of yours stands against it."))


def _offer_to(search: Substitution, tutor: Tutor) -> SubstitutionOffer | None:
    return next(
        (
            offer
            for offer in search.offers
            if offer.tutor_id == tutor.id and offer.state is OfferState.ASKED
        ),
        None,
    )


def _locked(lesson_id: int) -> Lesson:
    lesson = db.session.get(Lesson, lesson_id, with_for_update=True)
    if lesson is None:
        raise NotFound(_l("This lesson does not exist."))
    return lesson


def _planned(lesson_id: int) -> Lesson:
    lesson = _locked(lesson_id)
    if lesson.state is not LessonState.PLANNED or lesson.group.state is not GroupState.ACTIVE:
        raise Conflict(_l("This lesson is cancelled."))
    if lesson.starts_at <= clock.now():
        raise Conflict(_l("This lesson has begun already."))
    return lesson


def _note(action: str, lesson: Lesson, by: Coordinator | None, detail: dict[str, Any]) -> None:
    pupil_ids = [request.pupil_id for request in seated(lesson)]
    audit.note(action, f"lesson:{lesson.id}", by, pupil_ids=pupil_ids, detail=detail)


def _zone() -> str:
    return str(current_app.config["N9RAW"].civil_zone)
