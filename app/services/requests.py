"""What children ask for: asked, confirmed, changed and ended by coordinators."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from app.extensions import db
from app.i18n import _l
from app.models import (
    ConsentKind,
    Coordinator,
    Household,
    Note,
    Pupil,
    RequestOrigin,
    RequestState,
    Subject,
    TutoringRequest,
)
from app.services import audit
from app.services.consent import in_force
from app.services.errors import Conflict, Invalid, NotFound
from app.services.family_changes import changing_family, household_of_pupil, household_of_request
from app.services.free_text import read_reason
from app.services.paging import Page, page_of
from app.services.scope import Scope
from scheduler import clock

MOST_LESSONS_A_WEEK: Final = 7
FAMILIES_PER_PAGE: Final = 20


def add_request(
    pupil_id: int, subject_id: int, lessons_per_week: int, by: Coordinator
) -> TutoringRequest:
    """Ask for one more subject for a child; one that has ended is asked for again."""
    with changing_family(household_of_pupil(pupil_id), by) as household:
        pupil = db.session.get_one(Pupil, pupil_id)
        known = next((row for row in pupil.requests if row.subject_id == subject_id), None)
        if known is None:
            request = new_request(pupil, subject_id, lessons_per_week)
            pupil.requests.append(request)
            db.session.flush()
        elif known.state is RequestState.ENDED:
            request = known
            _reopen(request, _checked_number(lessons_per_week))
        else:
            raise Conflict(_l("This subject is asked for already."))
        _note("add_request", household, request, by)
    return request


def new_request(pupil: Pupil, subject_id: int, lessons_per_week: int) -> TutoringRequest:
    """A request at the child's level, not yet added; part of the caller's transaction."""
    subject = db.session.get(Subject, subject_id)
    if subject is None or subject.retired:
        raise Invalid(_l("Choose one of the subjects."))
    return TutoringRequest(
        subject=subject,
        level=pupil.level,
        lessons_per_week=_checked_number(lessons_per_week),
        state=RequestState.WAITING,
        origin=RequestOrigin.STAFF,
        created_at=clock.now(),
    )


def change_lessons(
    request_id: int, lessons_per_week: int, by: Coordinator, agreed: Collection[int] = ()
) -> TutoringRequest:
    """Change how many lessons a week a request asks for.

    A group has its own number of lessons: a seat in one of another number ends, see
    `changing_family`.
    """
    with changing_family(household_of_request(request_id), by, agreed) as household:
        request = _open_request(request_id)
        before = request.lessons_per_week
        request.lessons_per_week = _checked_number(lessons_per_week)
        if request.lessons_per_week != before:
            _note("change_request", household, request, by, {"lessons": lessons_per_week})
    return request


def end_request(
    request_id: int, reason: str, by: Coordinator, agreed: Collection[int] = ()
) -> TutoringRequest:
    """End a request, with its seat in a group and what was to come of it."""
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why the request ends."))
    with changing_family(household_of_request(request_id), by, agreed) as household:
        request = _open_request(request_id)
        request.state = RequestState.ENDED
        request.ended_at = clock.now()
        request.end_reason = reason
        _note("end_request", household, request, by, {"reason": reason})
    return request


def ask_again(request_id: int, by: Coordinator) -> TutoringRequest:
    """Have a request that ended wait again, at the level that the child is in now."""
    with changing_family(household_of_request(request_id), by) as household:
        request = db.session.get_one(TutoringRequest, request_id)
        if request.state is not RequestState.ENDED:
            raise Conflict(_l("This request has not ended."))
        _reopen(request, request.lessons_per_week)
        _note("ask_again", household, request, by)
    return request


def confirm_requests(
    household_id: int, by: Coordinator, request_ids: Collection[int] | None = None
) -> list[TutoringRequest]:
    """Confirm what a family asked itself: all of it, or only these requests. They then wait.

    Conflict where a child lacks the guardian's consent to lessons, or the family's zone is not on
    the list yet: nothing is confirmed then.
    """
    with changing_family(household_id, by) as household:
        asked = [
            request
            for pupil in household.pupils
            for request in pupil.requests
            if request.state is RequestState.TO_CONFIRM
            and (request_ids is None or request.id in request_ids)
        ]
        if not asked:
            raise Conflict(_l("Nothing waits to be confirmed here."))
        if not household.zone.listed:
            raise Conflict(_l("First take the zone into the list, or choose another one."))
        for request in asked:
            if not in_force(request.pupil, ConsentKind.LESSONS):
                raise Conflict(
                    _l(
                        "%(name)s has no consent to lessons in force: ask the guardian first.",
                        name=request.pupil.name,
                    )
                )
            request.state = RequestState.WAITING
            request.confirmed_at = clock.now()
            request.confirmed_by_id = by.id
        audit.note(
            "confirm_requests",
            f"household:{household.id}",
            by,
            pupil_ids=[request.pupil_id for request in asked],
            detail={"subjects": sorted({request.subject.code for request in asked})},
        )
    return asked


@dataclass(frozen=True, slots=True)
class AskingFamily:
    """A family with the requests that wait to be confirmed, by child."""

    household: Household
    asked: list[tuple[Pupil, list[TutoringRequest]]]
    notes: list[Note]
    """The newest first; what a known family typed anew on the public page is one."""

    @property
    def lacks_consent(self) -> list[Pupil]:
        """The children who can't be confirmed, since nobody consented to their lessons."""
        return [pupil for pupil, _asked in self.asked if not in_force(pupil, ConsentKind.LESSONS)]


def requests_to_confirm(scope: Scope, page_number: int) -> tuple[list[AskingFamily], Page]:
    """One page of the families that asked for something, who asked first comes first."""
    first_asked = (
        select(Household.id, func.min(TutoringRequest.id))
        .join(Household.pupils)
        .join(Pupil.requests)
        .where(TutoringRequest.state == RequestState.TO_CONFIRM, scope.limits(Household.zone_id))
        .group_by(Household.id)
        .order_by(func.min(TutoringRequest.id))
    )
    ids = [household_id for household_id, _first in db.session.execute(first_asked)]
    page = page_of(len(ids), page_number, FAMILIES_PER_PAGE)
    shown = list(page.cut(ids))
    rows = {row.id: row for row in db.session.scalars(_with_all(shown))}
    notes = _notes(shown)
    return [_asking(rows[number], notes.get(number, [])) for number in shown], page


def _with_all(household_ids: Iterable[int]) -> Any:
    return (
        select(Household)
        .where(Household.id.in_(list(household_ids)))
        .options(
            joinedload(Household.zone),
            joinedload(Household.guardian),
            selectinload(Household.pupils).options(
                joinedload(Pupil.level),
                selectinload(Pupil.needs),
                selectinload(Pupil.consents),
                selectinload(Pupil.requests).options(
                    joinedload(TutoringRequest.subject), joinedload(TutoringRequest.level)
                ),
            ),
        )
    )


def _notes(household_ids: Iterable[int]) -> dict[int, list[Note]]:
    found: dict[int, list[Note]] = {}
    wanted = select(Note).where(Note.household_id.in_(list(household_ids)))
    for note in db.session.scalars(wanted.order_by(Note.id.desc())):
        found.setdefault(note.household_id or 0, []).append(note)
    return found


def _asking(household: Household, notes: list[Note]) -> AskingFamily:
    by_child = [
        (
            pupil,
            [row for row in pupil.requests if row.state is RequestState.TO_CONFIRM],
        )
        for pupil in household.pupils
    ]
    asking = [(pupil, asked) for pupil, asked in by_child if asked]
    return AskingFamily(household, asking, notes)


def get_request(request_id: int) -> TutoringRequest:
    """The request of that id; NotFound if there is none."""
    request = db.session.get(TutoringRequest, request_id)
    if request is None:
        raise NotFound(_l("This request does not exist."))
    return request


def _open_request(request_id: int) -> TutoringRequest:
    request = db.session.get_one(TutoringRequest, request_id)
    if request.state is RequestState.ENDED:
        raise Conflict(_l("This request has ended already."))
    return request


def _reopen(request: TutoringRequest, lessons_per_week: int) -> None:
    request.state = RequestState.WAITING
    request.origin = RequestOrigin.STAFF
    request.lessons_per_week = lessons_per_week
    request.level = request.pupil.level
    request.ended_at = request.end_reason = None


def _checked_number(lessons_per_week: int) -> int:
    if not 1 <= lessons_per_week <= MOST_LESSONS_A_WEEK:
        raise Invalid(_l("Choose between 1 and 7 lessons a week."))
    return lessons_per_week


def _note(
    action: str,
    household: Household,
    request: TutoringRequest,
    by: Coordinator,
    detail: dict[str, Any] | None = None,
) -> None:
    audit.note(
        action,
        f"household:{household.id}",
        by,
        pupil_ids=[request.pupil_id],
        detail={"subject": request.subject.code} | (detail or {}),
    )
