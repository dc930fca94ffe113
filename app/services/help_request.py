"""A family asks for help without a coordinator: a question after the other, kept, then sent.

What is sent waits to be confirmed. A telephone that is known already gets what is new; nothing of
what is kept under it is changed, or shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from app.extensions import db
from app.gateways import AddressKind
from app.i18n import _, _l, plain_key
from app.models import (
    ConsentMeans,
    Draft,
    DraftKind,
    Guardian,
    Household,
    HouseholdChannel,
    HouseholdLanguage,
    HouseholdWindow,
    Level,
    Note,
    RequestOrigin,
    Subject,
    Window,
    Zone,
)
from app.services import audit, sms_codes
from app.services.addresses import reaches
from app.services.asking import (
    MOST_CHILDREN,
    Agreed,
    AskedChild,
    put_child,
    read_guardian,
    read_zone,
    state_consent,
)
from app.services.consent import CONSENT_TEXT_VERSION
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
from app.services.entered import entered_phone
from app.services.errors import Conflict, Invalid
from app.services.family_changes import lock_family
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.teaching import Offer, read_offer
from scheduler import clock

KIND: Final = DraftKind.HELP_REQUEST
_LONGEST_NOTE: Final = 2000


class Question(StrEnum):
    """What is asked, in this order, each on a page of its own."""

    GUARDIAN = "guardian"
    PHONE = "phone"
    ZONE = "zone"
    LANGUAGES = "languages"
    CHANNELS = "channels"
    HOURS = "hours"
    CHILDREN = "children"
    AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered so far; what can't be chosen any more counts as not answered."""

    guardian: str = ""
    asked: str = ""
    """The telephone that a code was sent to last."""
    phone: str = ""
    """The one that a code confirmed."""
    zone: Zone | None = None
    zone_name: str = ""
    """What the commune is called, where it is not in the list."""
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    to_agree: bool = False
    children: tuple[AskedChild, ...] = ()
    agreed: Agreed | None = None

    @classmethod
    def of(cls, draft: Draft | None, offer: Offer) -> Self:
        """What a draft says, as far as it still holds."""
        said = {} if draft is None else draft.answers
        languages, channels = said.get("languages", ()), said.get("channels", ())
        return cls(
            guardian=said.get("guardian", ""),
            asked=said.get("asked", ""),
            phone=(draft.address if draft is not None else None) or "",
            zone=_listed_zone(said.get("zone_id")),
            zone_name=said.get("zone_name", ""),
            languages=tuple(row.code for row in offer.languages if row.code in languages),
            channels=tuple(row.code for row in offer.channels if row.code in channels),
            windows=tuple((day, start, end) for day, start, end in said.get("windows", ())),
            to_agree=said.get("to_agree", False),
            children=tuple(_children(said.get("children", ()), offer)),
            agreed=_agreed(said.get("agreed")),
        )

    @property
    def unanswered(self) -> Question | None:
        """The first question that is open; None where all are answered."""
        answered = {
            Question.GUARDIAN: self.guardian,
            Question.PHONE: self.phone,
            Question.ZONE: self.zone or self.zone_name,
            Question.LANGUAGES: self.languages,
            Question.CHANNELS: self.channels,
            Question.HOURS: self.windows or self.to_agree,
            Question.CHILDREN: self.children,
            Question.AGREEMENT: self.agreed,
        }
        return next((question for question in Question if not answered[question]), None)

    def may_open(self, question: Question) -> bool:
        """Whether all questions before this one are answered."""
        first = self.unanswered
        order = list(Question)
        return first is None or order.index(question) <= order.index(first)

    @property
    def week(self) -> list[HouseholdWindow]:
        """The windows as pages show them."""
        return [
            HouseholdWindow(day=day, start_minute=start, end_minute=end)
            for day, start, end in self.windows
        ]


def can_be_asked() -> bool:
    """Whether this installation can confirm a telephone, without which nothing is taken."""
    return reaches(AddressKind.PHONE)


def read_answers(browser: str | None) -> Answers:
    """What was answered in a browser so far."""
    return Answers.of(find_draft(KIND, browser), read_offer())


def listed_zones() -> Sequence[Zone]:
    """The zones that can be chosen, by name."""
    return db.session.scalars(select(Zone).where(Zone.listed).order_by(Zone.key)).all()


def keep(browser: str, **answers: Any) -> None:
    """Keep what was answered, until it is sent or a month has passed."""
    keep_answers(KIND, browser, answers)


def keep_guardian(browser: str, name: str) -> None:
    """Keep who asks."""
    keep(browser, guardian=read_guardian(name))


def keep_zone(browser: str, zone_id: int | None, name: str) -> None:
    """Keep where the family lives: a zone of the list, else the name of the commune."""
    if zone_id is None:
        keep(browser, zone_id=None, zone_name=read_zone(name))
    elif _listed_zone(zone_id) is None:
        raise Invalid(_l("Choose one of the communes."))
    else:
        keep(browser, zone_id=zone_id, zone_name="")


def keep_hours(browser: str, windows: Sequence[Window], *, to_agree: bool) -> None:
    """Keep when the telephone is at home."""
    keep(browser, windows=[list(window) for window in windows], to_agree=to_agree)


def add_child(browser: str, child: AskedChild) -> None:
    """Ask for one more child; again for one of the same name, it takes that one's place."""
    key = plain_key(child.name)
    others = [one for one in read_answers(browser).children if plain_key(one.name) != key]
    if len(others) >= MOST_CHILDREN:
        raise Invalid(_l("Ten children can be asked for at once. Ask again for the others."))
    _keep_children(browser, [*others, child])


def remove_child(browser: str, place: int) -> None:
    """Ask no more for the child at this place of the list."""
    children = read_answers(browser).children
    _keep_children(browser, [one for number, one in enumerate(children) if number != place])


def agree(browser: str, agreed: Agreed) -> None:
    """Keep the guardian's answers to the questions of today's text."""
    if not agreed.lessons:
        raise Invalid(_l("Without a yes to the first question there can be no lessons."))
    keep(browser, agreed=[CONSENT_TEXT_VERSION, agreed.groups])


def forget(browser: str) -> None:
    """Delete all that was answered."""
    discard_draft(KIND, browser)


def ask_code(browser: str, phone: str, language: str) -> None:
    """Send a code to a telephone; Invalid where none can be sent. Known ones get one alike."""
    number = entered_phone(phone)
    if not sms_codes.goes_to(number):
        raise Invalid(_l("No code can be sent to a telephone of this country."))
    if sms_codes.is_budget_used_up():
        raise Invalid(_l("No more codes can be sent today. Please come back tomorrow."))
    ask_contact_code(KIND, number, stamp(browser), language)
    keep(browser, asked=number)


def take_code(browser: str, typed: str) -> None:
    """Note that a telephone is the family's own; Invalid where the code is not right."""
    address = take_contact_code(KIND, stamp(browser), typed)
    with transaction():
        confirm_address(KIND, browser, address)


def send(browser: str, language: str) -> Household | None:
    """Make requests of the answers, which a coordinator is to confirm; None if that was done.

    `language` is that of the page. Invalid while a question is open.
    """
    try:
        with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
            draft = lock_draft(KIND, browser)
            if draft is None:
                return None  # the button was pressed twice
            answers = Answers.of(draft, read_offer())
            if answers.unanswered is not None or answers.agreed is None:
                raise Invalid(_l("A question is still open."))
            household = _known(answers) or _new_household(answers, language)
            pupils = [
                put_child(household, child, RequestOrigin.PUBLIC) for child in answers.children
            ]
            means = ConsentMeans.ON_REQUEST_PAGE
            state_consent(pupils, answers.agreed, means, said_by=answers.guardian)
            audit.note(
                "ask_for_help",
                f"household:{household.id}",
                None,
                pupil_ids=[pupil.id for pupil in pupils],
                detail={"household": household.id},
            )
            drop_draft(KIND, browser)
    except IntegrityError:
        # A list with the same telephone or commune was stored at the same moment.
        raise Conflict(_l("Something changed in the meantime. Please send it once more.")) from None
    return household


def _known(answers: Answers) -> Household | None:
    """The family that has the telephone already, as it stands, with a note of what was typed."""
    household_id = db.session.scalar(select(Household.id).where(Household.phone == answers.phone))
    if household_id is None:
        return None
    household = lock_family(household_id)
    note = Note(household_id=household.id, text=_typed(answers), by_id=None, at=clock.now())
    db.session.add(note)
    return household


def _new_household(answers: Answers, language: str) -> Household:
    household = Household(
        phone=answers.phone,
        zone=answers.zone or _zone_called(answers.zone_name),
        times_to_agree=answers.to_agree,
        message_language="ar" if language == "ar" else "fr",
        created_at=clock.now(),
        guardian=Guardian(name=answers.guardian),
        languages=[HouseholdLanguage(language=code) for code in answers.languages],
        channels=[HouseholdChannel(channel=code) for code in answers.channels],
        windows=answers.week,
    )
    db.session.add(household)
    db.session.flush()
    return household


def _typed(answers: Answers) -> str:
    """What a family said that is known already, for who confirms it."""
    levels = {row.id: row.code for row in db.session.scalars(select(Level))}
    subjects = {row.id: row.code for row in db.session.scalars(select(Subject))}
    lines = [
        _("Asked for help on the public page, from this telephone. Typed there:"),
        answers.guardian,
        answers.zone.name if answers.zone else answers.zone_name,
        *(
            f"{child.name} ({levels[child.level_id]}): "
            + ", ".join(subjects[number] for number in child.subject_ids)
            for child in answers.children
        ),
    ]
    return "\n".join(lines)[:_LONGEST_NOTE]


def _zone_called(name: str) -> Zone:
    """The zone of that name, in any spelling; a new one is offered to nobody until it is listed."""
    key = plain_key(name)
    for zone in db.session.scalars(select(Zone).order_by(Zone.id)):
        if key in (zone.key, plain_key(zone.name_ar or ""), *(zone.also or ())):
            return zone
    return Zone(name=name, key=key, listed=False)


def _listed_zone(zone_id: int | None) -> Zone | None:
    zone = None if zone_id is None else db.session.get(Zone, zone_id)
    return zone if zone is not None and zone.listed else None


def _children(said: Sequence[dict[str, Any]], offer: Offer) -> list[AskedChild]:
    """The children asked for, with what is still offered; who is left without is left out."""
    subjects = {row.id for row in offer.subjects}
    levels = {row.id for row in offer.levels}
    return [
        AskedChild(child["first_name"], child["last_name"], child["level_id"], tuple(kept))
        for child in said
        if child["level_id"] in levels
        and (kept := [number for number in child["subject_ids"] if number in subjects])
    ]


def _keep_children(browser: str, children: Sequence[AskedChild]) -> None:
    keep(
        browser,
        children=[
            {
                "first_name": child.first_name,
                "last_name": child.last_name,
                "level_id": child.level_id,
                "subject_ids": list(child.subject_ids),
            }
            for child in children
        ],
    )


def _agreed(said: Sequence[Any] | None) -> Agreed | None:
    """The answers, if they were given to today's text."""
    if said is None or said[0] != CONSENT_TEXT_VERSION:
        return None
    return Agreed(lessons=True, groups=said[1])
