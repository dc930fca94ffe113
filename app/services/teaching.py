"""What volunteers give: what they teach, when, how, in which languages, how many lessons a week.

A change counts from the next run on; the groups that a volunteer has stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Channel,
    Language,
    Level,
    Subject,
    Tutor,
    TutorChannel,
    TutorLanguage,
    TutorSubject,
    TutorWindow,
    Window,
)
from app.services import audit
from app.services.errors import Invalid
from app.services.imports.cells import MOST_LESSONS_A_WEEK

Taught = tuple[str, str]
"""The codes of a subject and of one level at which somebody teaches it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A subject at neighbouring levels."""

    subject: Subject
    first: Level
    last: Level


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen. `known` also names what was chosen before it was retired."""

    subjects: list[Subject]
    levels: list[Level]
    """From the youngest on."""
    channels: list[Channel]
    languages: list[Language]
    known_subjects: dict[str, Subject]
    known_levels: dict[str, Level]

    def between(self, subject: str, first: str, last: str) -> list[Taught]:
        """A subject at all levels from one to another; Invalid where they are not in order."""
        codes = [level.code for level in self.levels]
        if subject not in {row.code for row in self.subjects}:
            raise Invalid(_l("Choose one of the subjects."))
        if first not in codes or last not in codes:
            raise Invalid(_l("Choose both levels."))
        low, high = codes.index(first), codes.index(last)
        if high < low:
            raise Invalid(_l("The second level must not be below the first."))
        return [(subject, code) for code in codes[low : high + 1]]

    def stretches(self, taught: Iterable[Taught]) -> list[Stretch]:
        """What is taught, shortest said: neighbouring levels become one stretch."""
        by_subject: dict[str, set[str]] = {}
        for subject, level in taught:
            by_subject.setdefault(subject, set()).add(level)
        found = []
        offered = {level.code for level in self.levels}
        for code, row in self.known_subjects.items():
            mine = by_subject.get(code, set())
            order = [one for one in self.known_levels.values() if one.code in offered | mine]
            found += [Stretch(row, *ends) for ends in _runs(order, mine)]
        return found

    def within(self, stretch: tuple[str, str, str]) -> set[Taught]:
        """A subject at every level, offered or not, from one to another; nothing where unknown."""
        subject, first, last = stretch
        codes = list(self.known_levels)
        if first not in codes or last not in codes:
            return set()
        return {(subject, code) for code in codes[codes.index(first) : codes.index(last) + 1]}

    def still(self, taught: Iterable[Taught]) -> list[Taught]:
        """Those of what was chosen that can still be chosen."""
        subjects = {row.code for row in self.subjects}
        levels = {row.code for row in self.levels}
        return [pair for pair in taught if pair[0] in subjects and pair[1] in levels]


def _runs(order: Sequence[Level], mine: Collection[str]) -> list[tuple[Level, Level]]:
    runs: list[tuple[Level, Level]] = []
    before = False
    for level in order:
        if level.code in mine:
            runs.append((runs.pop()[0] if before else level, level))
        before = level.code in mine
    return runs


def read_offer() -> Offer:
    """What the programme offers now; one-to-one variants of channels can't be chosen."""
    subjects = db.session.scalars(select(Subject).order_by(Subject.id)).all()
    levels = db.session.scalars(select(Level).order_by(Level.rank)).all()
    channels = select(Channel).where(Channel.retired.is_(False), Channel.variant_of.is_(None))
    languages = select(Language).where(Language.retired.is_(False))
    return Offer(
        subjects=[row for row in subjects if not row.retired],
        levels=[row for row in levels if not row.retired],
        channels=list(db.session.scalars(channels.order_by(Channel.rank))),
        languages=list(db.session.scalars(languages.order_by(Language.rank))),
        known_subjects={row.code: row for row in subjects},
        known_levels={row.code: row for row in levels},
    )


def check_most(lessons: int) -> int:
    """The most lessons a week; Invalid where that is none or more than there can be."""
    if not 1 <= lessons <= MOST_LESSONS_A_WEEK:
        raise Invalid(_l("Write a number from 1 to 40."))
    return lessons


def taught_by(tutor: Tutor, offer: Offer) -> list[Taught]:
    """What a tutor teaches, by codes."""
    subjects = {row.id: code for code, row in offer.known_subjects.items()}
    levels = {row.id: code for code, row in offer.known_levels.items()}
    return [(subjects[row.subject_id], levels[row.level_id]) for row in tutor.teaches]


def teach_more(tutor_id: int, subject: str, first: str, last: str) -> None:
    """Add a subject at neighbouring levels to what a tutor teaches."""
    offer = read_offer()
    added = offer.between(subject, first, last)
    with transaction():
        tutor = _lock(tutor_id, "teaches")
        give_subjects(tutor, {*taught_by(tutor, offer), *added}, offer)


def teach_less(tutor_id: int, subject: str, first: str, last: str) -> None:
    """Take a subject at neighbouring levels away; Invalid where nothing would be left."""
    offer = read_offer()
    gone = offer.within((subject, first, last))
    with transaction():
        tutor = _lock(tutor_id, "teaches")
        left = set(taught_by(tutor, offer)) - gone
        if not left:
            raise Invalid(_l("Add another subject first: one at least must stay."))
        give_subjects(tutor, left, offer)


def set_languages(tutor_id: int, codes: Collection[str]) -> None:
    """Set the languages in which a tutor teaches."""
    chosen = chosen_of([row.code for row in read_offer().languages], codes)
    with transaction():
        give_languages(_lock(tutor_id, "languages"), chosen)


def set_channels(tutor_id: int, codes: Collection[str]) -> None:
    """Set how a tutor holds lessons."""
    chosen = chosen_of([row.code for row in read_offer().channels], codes)
    with transaction():
        give_channels(_lock(tutor_id, "channels"), chosen)


def set_week(tutor_id: int, windows: Sequence[Window], *, to_agree: bool) -> None:
    """Set when a tutor can teach; without windows the times are agreed with the families."""
    with transaction():
        tutor = _lock(tutor_id, "windows")
        tutor.times_to_agree = to_agree
        give_windows(tutor, windows)


def set_most_lessons(tutor_id: int, most: int) -> None:
    """Set the most lessons that a tutor gives in a week."""
    with transaction():
        _lock(tutor_id, "max_lessons_per_week").max_lessons_per_week = check_most(most)


def chosen_of(offered: Sequence[str], codes: Collection[str]) -> list[str]:
    """Those of the codes that are offered, in the order of the offer; Invalid where none is."""
    chosen = [code for code in offered if code in codes]
    if not chosen:
        raise Invalid(_l("Choose at least one."))
    return chosen


def give_subjects(tutor: Tutor, taught: Iterable[Taught], offer: Offer) -> None:
    """Set a tutor's subjects and levels, in the caller's transaction."""
    wanted = {
        (offer.known_subjects[subject].id, offer.known_levels[level].id)
        for subject, level in taught
    }
    known = {(row.subject_id, row.level_id): row for row in tutor.teaches}
    tutor.teaches = [
        known.get(pair) or TutorSubject(subject_id=pair[0], level_id=pair[1])
        for pair in sorted(wanted)
    ]


def give_languages(tutor: Tutor, codes: Iterable[str]) -> None:
    """Set a tutor's languages, in the caller's transaction."""
    known = {row.language: row for row in tutor.languages}
    tutor.languages = [known.get(code) or TutorLanguage(language=code) for code in codes]


def give_channels(tutor: Tutor, codes: Iterable[str]) -> None:
    """Set a tutor's channels, in the caller's transaction."""
    known = {row.channel: row for row in tutor.channels}
    tutor.channels = [known.get(code) or TutorChannel(channel=code) for code in codes]


def give_windows(tutor: Tutor, windows: Iterable[Window]) -> None:
    """Set a tutor's weekly windows, in the caller's transaction."""
    tutor.windows = [
        TutorWindow(day=day, start_minute=start, end_minute=end) for day, start, end in windows
    ]


def _lock(tutor_id: int, changed: str) -> Tutor:
    tutor = db.session.get_one(Tutor, tutor_id, with_for_update=True)
    detail = {"tutor": tutor.id, "changed": changed}
    audit.note("change_teaching", f"tutor:{tutor.id}", None, detail=detail)
    return tutor
