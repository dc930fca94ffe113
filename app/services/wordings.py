"""A programme's own wording of messages: what it may hold, and how it is filled in.

A wording is plain text with placeholders in braces. The one line that holds placeholders of a
lesson, such as {time}, is written once for each lesson.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import AuditEntry, Coordinator, MessageKind, MessageWording
from app.services import audit
from app.services.errors import Invalid, NotFound
from scheduler import clock

FAMILY, TUTOR = "family", "tutor"
LONGEST_BODY: Final = 500
MOST_LINES: Final = 10
VERSIONS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Rules:
    """The placeholders of a kind of message."""

    once: tuple[str, ...]
    each_lesson: tuple[str, ...] = ()
    needed: tuple[tuple[str, ...], ...] = ()
    """Of each of these, one must be there."""


_REMINDER_NEEDS: Final = (("date", "day"), ("time",), ("subject",), ("pupils",))
_OF_A_LESSON: Final = ("time", "subject", "level", "pupils", "tutor", "channel")
_REMINDER: Final = Rules(("date", "day"), _OF_A_LESSON, _REMINDER_NEEDS)
_OF_A_CHANGE: Final = ("date", "time", "subject", "level", "pupils", "tutor")
_CHANGE_NEEDS: Final = (("date",), ("time",), ("subject",), ("pupils",))
RULES: Final[dict[MessageKind, Rules]] = {
    MessageKind.LESSON_24H: _REMINDER,
    MessageKind.LESSON_2H: _REMINDER,
    MessageKind.FAMILY_LINK: Rules(("link",), needed=(("link",),)),
    MessageKind.LESSONS_END: Rules(("pupils", "tutor"), needed=(("pupils",), ("tutor",))),
    MessageKind.NEW_GROUP: Rules(
        (),
        ("times", "first", "subject", "level", "pupils", "tutor", "channel"),
        (("times",), ("subject",), ("pupils",), ("tutor",)),
    ),
    MessageKind.CANCELLATION: Rules((), _OF_A_CHANGE, _CHANGE_NEEDS),
    MessageKind.SUBSTITUTION: Rules((), (*_OF_A_CHANGE, "before"), (*_CHANGE_NEEDS, ("tutor",))),
}
"""The kinds that may have a wording of their own. Codes, questions and replies must stay plain; a
change can be of many sorts at once, and is worded by the program."""
REMINDERS: Final = (MessageKind.LESSON_24H, MessageKind.LESSON_2H)
PLACES: Final[tuple[tuple[MessageKind, str], ...]] = (
    (MessageKind.LESSON_24H, FAMILY),
    (MessageKind.LESSON_2H, FAMILY),
    (MessageKind.NEW_GROUP, FAMILY),
    (MessageKind.CANCELLATION, FAMILY),
    (MessageKind.SUBSTITUTION, FAMILY),
    (MessageKind.FAMILY_LINK, FAMILY),
    (MessageKind.LESSONS_END, FAMILY),
    (MessageKind.LESSON_24H, TUTOR),
    (MessageKind.LESSON_2H, TUTOR),
)
"""What is sent to whom."""
LANGUAGES: Final = {FAMILY: ("fr", "ar", "ary"), TUTOR: ("fr", "ar")}

_at_hand: ContextVar[dict[tuple[MessageKind, str, str], str] | None] = ContextVar(
    "wordings_at_hand", default=None
)
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_LINK: Final = re.compile(r"https?:|www\.|\w\.[a-z]{2,}(?:/|\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Version:
    """A wording that was in force, by whom and since when; no body: the standard one."""

    entry: AuditEntry
    body: str | None


def check_place(kind: MessageKind, language: str, audience: str) -> None:
    """NotFound where no such message is ever sent."""
    if (kind, audience) not in PLACES or language not in LANGUAGES[audience]:
        raise NotFound(_l("There is no such message."))


def find_wording(kind: MessageKind, language: str, audience: str) -> str | None:
    """The programme's own wording; None where the standard one is used."""
    at_hand = _at_hand.get()
    if at_hand is not None:
        return at_hand.get((kind, language, audience))
    row = db.session.get(MessageWording, (kind, language, audience))
    return None if row is None else row.body


@contextmanager
def all_at_hand() -> Iterator[None]:
    """Read all wordings once for the texts that are written in this block, one transaction."""
    rows = db.session.scalars(select(MessageWording))
    token = _at_hand.set({(row.kind, row.language, row.audience): row.body for row in rows})
    try:
        yield
    finally:
        _at_hand.reset(token)


def own_wordings() -> set[tuple[MessageKind, str, str]]:
    """(kind, language, audience) of everything that has a wording of its own."""
    rows = db.session.execute(
        select(MessageWording.kind, MessageWording.language, MessageWording.audience)
    )
    return {(kind, language, audience) for kind, language, audience in rows}


def set_wording(
    kind: MessageKind, language: str, audience: str, body: str, by: Coordinator | None
) -> None:
    """Use this wording from the next message on; Invalid where it can't be one."""
    check_place(kind, language, audience)
    body = checked(kind, body)
    with transaction():
        row = db.session.get(
            MessageWording, (kind, language, audience), with_for_update=True
        ) or MessageWording(kind=kind, language=language, audience=audience)
        row.body = body
        row.changed_at = clock.now()
        row.changed_by_id = None if by is None else by.id
        db.session.add(row)
        audit.note("set_wording", _subject(kind, language, audience), by, detail={"body": body})


def reset_wording(kind: MessageKind, language: str, audience: str, by: Coordinator | None) -> None:
    """Use the standard wording again."""
    check_place(kind, language, audience)
    with transaction():
        row = db.session.get(MessageWording, (kind, language, audience), with_for_update=True)
        if row is not None:
            db.session.delete(row)
            audit.note("reset_wording", _subject(kind, language, audience), by)


def list_versions(kind: MessageKind, language: str, audience: str) -> list[Version]:
    """The last wordings of a message, the newest first."""
    rows = db.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.subject == _subject(kind, language, audience),
            AuditEntry.action.in_(("set_wording", "reset_wording")),
        )
        .order_by(AuditEntry.id.desc())
        .limit(VERSIONS_SHOWN)
    )
    return [Version(row, row.detail.get("body")) for row in rows]


def checked(kind: MessageKind, body: str) -> str:
    """The wording with its blanks tidied up; Invalid where it can't be one, and why."""
    lines = [" ".join(line.split()) for line in body.strip().splitlines()]
    text = "\n".join(line for line in lines if line)
    if not text:
        raise Invalid(_l("Write a text, or go back to the standard one."))
    if len(text) > LONGEST_BODY or text.count("\n") >= MOST_LINES:
        raise Invalid(_l("A text has at most 500 letters on 10 lines."))
    if not text.replace("\n", "").isprintable():
        raise Invalid(_l("The text holds a sign that can't be seen. Type it anew."))
    _check_placeholders(RULES[kind], text)
    if _LINK.search(_PLACEHOLDER.sub(" ", text)):
        raise Invalid(
            _l("This text holds something like a link. Messages carry none of their own.")
        )
    return text


def _check_placeholders(rules: Rules, text: str) -> None:
    names = _PLACEHOLDER.findall(text)
    known = (*rules.once, *rules.each_lesson)
    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        raise Invalid(_l("A brace stands alone. Write placeholders like {time}."))
    for name in names:
        if name not in known:
            raise Invalid(
                _l(
                    "{%(name)s} is unknown here. Known are: %(known)s.",
                    name=name,
                    known=_in_braces(known),
                )
            )
    for choice in rules.needed:
        if not set(choice) & set(names):
            raise Invalid(
                _l("%(names)s is missing: the text must say it.", names=_in_braces(choice[:1]))
            )
    if sum(_is_of_a_lesson(rules, line) for line in text.split("\n")) > 1:
        raise Invalid(
            _l(
                "Put %(names)s on one and the same line: it is written once for each lesson.",
                names=_in_braces(name for name in rules.each_lesson if name in names),
            )
        )


def fill(
    kind: MessageKind,
    body: str,
    once: Mapping[str, str],
    lessons: Sequence[Mapping[str, str]] = (),
) -> str:
    """A checked wording with its placeholders filled in, line by line."""
    written = []
    for line in body.split("\n"):
        if _is_of_a_lesson(RULES[kind], line):
            written += [_filled(line, {**once, **lesson}) for lesson in lessons]
        else:
            written.append(_filled(line, once))
    return "\n".join(written)


def _filled(line: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]], line)


def _is_of_a_lesson(rules: Rules, line: str) -> bool:
    return any(name in rules.each_lesson for name in _PLACEHOLDER.findall(line))


def _in_braces(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def _subject(kind: MessageKind, language: str, audience: str) -> str:
    return f"wording:{kind.value}:{language}:{audience}"
