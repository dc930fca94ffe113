"""How somebody becomes a volunteer: question after question, kept on the way, then one row.

Whoever is done waits for a coordinator to vet them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from flask import current_app

from app.database import transaction
from app.extensions import db
from app.gateways import AddressKind
from app.i18n import _l
from app.models import Draft, DraftKind, Tutor, TutorState, TutorWindow, Window
from app.services import audit, teaching
from app.services.addresses import kind_of, parse_address
from app.services.charter import CHARTER_VERSION
from app.services.codes import find_tutor, is_closed
from app.services.contact_codes import ask_contact_code, take_contact_code
from app.services.drafts import (
    confirm_address,
    discard_draft,
    drop_draft,
    find_draft,
    keep_answers,
    lock_draft,
    stamp,
)
from app.services.errors import Conflict, Invalid
from app.services.message_texts import LANGUAGES
from app.services.teaching import Offer, Taught, read_offer
from scheduler import clock

KIND: Final = DraftKind.REGISTRATION


class Question(StrEnum):
    """What is asked, in this order, each on a page of its own."""

    NAME = "name"
    ADDRESS = "address"
    TEACHES = "teaches"
    LANGUAGES = "languages"
    CHANNELS = "channels"
    PLACE = "place"
    WEEK = "week"
    MOST = "most"
    CHARTER = "charter"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered so far; what can't be chosen any more counts as not answered."""

    first_name: str = ""
    last_name: str = ""
    asked: str = ""
    """The address that a code was sent to last."""
    address: str = ""
    """The one that a code confirmed."""
    taught: tuple[Taught, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    place: str | None = None
    """A time zone, or "" for the programme's own; None while nothing was said."""
    windows: tuple[Window, ...] = ()
    to_agree: bool = False
    most: int = 0
    charter: str = ""
    """The version of the charter that was accepted, and when."""
    charter_at: datetime | None = None

    @classmethod
    def of(cls, draft: Draft | None, offer: Offer) -> Self:
        """What a draft says, as far as it still holds."""
        said = {} if draft is None else draft.answers
        at = said.get("charter_at")
        languages, channels = said.get("languages", ()), said.get("channels", ())
        return cls(
            first_name=said.get("first_name", ""),
            last_name=said.get("last_name", ""),
            asked=said.get("asked", ""),
            address=(draft.address if draft is not None else None) or "",
            taught=tuple(offer.still((pair[0], pair[1]) for pair in said.get("taught", ()))),
            languages=tuple(row.code for row in offer.languages if row.code in languages),
            channels=tuple(row.code for row in offer.channels if row.code in channels),
            place=said.get("place"),
            windows=tuple((day, start, end) for day, start, end in said.get("windows", ())),
            to_agree=said.get("to_agree", False),
            most=said.get("most", 0),
            charter=said.get("charter", ""),
            charter_at=None if at is None else datetime.fromisoformat(at),
        )

    @property
    def is_begun(self) -> bool:
        return bool(self.first_name)

    @property
    def unanswered(self) -> Question | None:
        """The first question that is open; None where all are answered."""
        answered = {
            Question.NAME: self.first_name and self.last_name,
            Question.ADDRESS: self.address,
            Question.TEACHES: self.taught,
            Question.LANGUAGES: self.languages,
            Question.CHANNELS: self.channels,
            Question.PLACE: self.place is not None,
            Question.WEEK: self.windows or self.to_agree,
            Question.MOST: self.most,
            Question.CHARTER: self.charter == CHARTER_VERSION,
        }
        return next((question for question in Question if not answered[question]), None)

    def may_open(self, question: Question) -> bool:
        """Whether all questions before this one are answered."""
        first = self.unanswered
        order = list(Question)
        return first is None or order.index(question) <= order.index(first)

    @property
    def week(self) -> list[TutorWindow]:
        """The windows as pages show them."""
        return [
            TutorWindow(day=day, start_minute=start, end_minute=end)
            for day, start, end in self.windows
        ]


def read_answers(browser: str | None, offer: Offer) -> Answers:
    """What was answered in a browser so far."""
    return Answers.of(find_draft(KIND, browser), offer)


def keep(browser: str, **answers: Any) -> None:
    """Keep what was answered, until it is sent or a month has passed."""
    keep_answers(KIND, browser, answers)


def forget(browser: str) -> None:
    """Delete all that was answered."""
    discard_draft(KIND, browser)


def ask_code(browser: str, address: str, language: str) -> None:
    """Send a code to an address; Invalid where none can be sent. Known ones get one alike."""
    ask_contact_code(KIND, address, stamp(browser), language)
    keep(browser, asked=parse_address(address))


def take_code(browser: str, typed: str) -> Tutor | None:
    """Note that an address is the volunteer's own; Invalid where the code is not right.

    Where a volunteer has it already, that is who is to be signed in. Conflict for one who may not
    come in: only a coordinator can help.
    """
    address = take_contact_code(KIND, stamp(browser), typed)
    with transaction():
        tutor = find_tutor(address)
        if tutor is None:
            confirm_address(KIND, browser, address)
            return None
        drop_draft(KIND, browser)
        if tutor.may_sign_in and not is_closed(tutor.id):
            audit.note("sign_in", f"tutor:{tutor.id}", None, detail={"tutor": tutor.id})
            return tutor
    raise Conflict(_l("Please talk to a coordinator of the programme."))


def add_subject(browser: str, subject: str, first: str, last: str) -> None:
    """Add a subject at all levels from one to another."""
    offer = read_offer()
    added = offer.between(subject, first, last)
    _keep_taught(browser, {*read_answers(browser, offer).taught, *added})


def remove_subject(browser: str, subject: str, first: str, last: str) -> None:
    """Take a subject at all levels from one to another away again."""
    offer = read_offer()
    gone = offer.within((subject, first, last))
    _keep_taught(browser, set(read_answers(browser, offer).taught) - gone)


def keep_week(browser: str, windows: Sequence[Window], *, to_agree: bool) -> None:
    """Keep when the volunteer can teach."""
    keep(browser, windows=[list(window) for window in windows], to_agree=to_agree)


def accept_charter(browser: str) -> None:
    """Keep that the charter of now was accepted now."""
    keep(browser, charter=CHARTER_VERSION, charter_at=clock.now().isoformat())


def register(browser: str, language: str) -> Tutor | None:
    """Make a volunteer of the answers, whom a coordinator is to vet; None if that was done.

    `language` is that of the page. Invalid while a question is open; Conflict where somebody has
    the address by now.
    """
    offer = read_offer()
    with transaction():
        draft = lock_draft(KIND, browser)
        if draft is None:
            return None  # the button was pressed twice
        answers = Answers.of(draft, offer)
        if answers.unanswered is not None:
            raise Invalid(_l("A question is still open."))
        if find_tutor(answers.address) is not None:
            raise Conflict(_l("You are registered already: sign in with your address."))
        tutor = _tutor_of(answers, language)
        db.session.add(tutor)
        db.session.flush()
        teaching.give_subjects(tutor, answers.taught, offer)
        teaching.give_languages(tutor, answers.languages)
        teaching.give_channels(tutor, answers.channels)
        teaching.give_windows(tutor, answers.windows)
        drop_draft(KIND, browser)
        audit.note("register", f"tutor:{tutor.id}", None, detail={"tutor": tutor.id})
    return tutor


def _tutor_of(answers: Answers, language: str) -> Tutor:
    is_mail = kind_of(answers.address) is AddressKind.EMAIL
    home = current_app.config["N9RAW"].civil_zone
    return Tutor(
        first_name=answers.first_name,
        last_name=answers.last_name,
        email=answers.address if is_mail else None,
        phone=None if is_mail else answers.address,
        message_language=language if language in LANGUAGES else LANGUAGES[0],
        time_zone=None if answers.place in ("", home) else answers.place,
        max_lessons_per_week=answers.most,
        times_to_agree=answers.to_agree,
        state=TutorState.REGISTERED,
        charter_version=answers.charter,
        charter_accepted_at=answers.charter_at,
        created_at=clock.now(),
    )


def _keep_taught(browser: str, taught: set[Taught]) -> None:
    keep(browser, taught=[list(pair) for pair in sorted(taught)])
