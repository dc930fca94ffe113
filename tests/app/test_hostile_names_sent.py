"""Hostile names in messages: each text stays one message of as many lines, with the name in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from email import message_from_bytes
from email.policy import SMTP, default

import pytest

from app.gateways import OutgoingText, ReceiptState
from app.gateways.console import ConsoleGateway
from app.gateways.email import EmailGateway
from app.models import Level, MessageKind, Question, QuestionKind, Subject, Zone
from app.services.change_texts import (
    Beginning,
    Change,
    Offer,
    Told,
    changes_words,
    new_group_words,
    offers_text,
    question_text,
    week_text,
)
from app.services.gsm7 import downgrade, sms_parts
from app.services.message_texts import (
    LANGUAGES,
    Line,
    call_me_text,
    join_names,
    lessons_end_text,
    reminder_words,
    subject_line,
)
from app.services.notices import kind_of_acts
from app.services.wordings import REMINDERS
from tests.app.test_hostile_names_shown import NAMES

DAY = date(2026, 11, 23)
START = datetime(2026, 11, 24, 17)
OWN_WORDING = "{day} {date}\n{time} {subject} {level} {pupils} {tutor} {channel}"

pytestmark = [
    pytest.mark.usefixtures("listed_programme"),
    pytest.mark.parametrize("language", LANGUAGES),
]


def texts_with(name: str, language: str) -> Iterator[tuple[MessageKind, str]]:
    """Every kind of message that names somebody, to families and volunteers."""
    pupils = join_names([name, "Sara", name], language)
    yield MessageKind.LESSONS_END, lessons_end_text(language, [name, name], name)
    yield from changes_with(name, language)
    yield from others_with(name, language)
    for kind in REMINDERS:
        for to_tutor in (False,) if language == "ary" else (False, True):
            for body in (None, OWN_WORDING):
                line = Line("", "18:00", "", name, name, pupils, name, "WhatsApp")
                yield (
                    kind,
                    reminder_words(
                        kind, language, body, [line, line], day=DAY, today=DAY, to_tutor=to_tutor
                    ),
                )


def changes_with(name: str, language: str) -> Iterator[tuple[MessageKind, str]]:
    """Every act, alone and beside another, in the standard wording and in one's own."""
    told = Told(
        Subject(name_fr=name, name_ar=name),
        Level(name_fr=name, name_ar=name),
        (name, "Sara"),
        name,
        "call",
    )
    acts = ("cancelled", "moved", "again", "given_by", "weekly")
    for act in acts if language == "ary" else (*acts, "given_away", "taken"):
        to_tutor = act in ("given_away", "taken")
        change = Change(act, told, before=name, gives_other=True, was=START, now=START)
        kind = kind_of_acts([act])
        for several in ([change], [change, change]):
            yield kind, changes_words(kind, language, None, several, to_tutor=to_tutor)
        if kind is not MessageKind.CHANGE and not to_tutor:
            body = "{date} {time}\n{subject} {level} {pupils} {tutor}"
            yield kind, changes_words(kind, language, body, [change])


def others_with(name: str, language: str) -> Iterator[tuple[MessageKind, str]]:
    """Beginnings, offers, questions, the week, notes and calls."""
    subject, level = Subject(name_fr=name, name_ar=name), Level(name_fr=name, name_ar=name)
    told = Told(subject, level, (name,), name, "call")
    beginning = Beginning(told, [(1, "17:00")], START)
    for body in (None, "{pupils} {subject} {level} {tutor} {channel}\n{times} {first}"):
        for several in ([beginning], [beginning, beginning]):
            yield MessageKind.NEW_GROUP, new_group_words(language, body, several)
    line = Change("asked", told, now=START)
    kinds = [kind for kind in QuestionKind if language != "ary" or kind != "substitute"]
    for kind in kinds:
        options = {"which_lesson": [[1, True], [2, True]], "new_time": [["yes", str(START)]]}
        question = Question(kind=kind, options=options.get(kind, []))
        yield (
            MessageKind.QUESTION,
            question_text(language, question, [line, line], answerable=True, to_tutor=False),
        )
    if language != "ary":
        offer = Offer(subject, level, 2, (Zone(name=name, name_ar=name),))
        yield MessageKind.GROUP_OFFER, offers_text(language, [offer, offer])
        yield MessageKind.DIGEST, week_text(language, [line, line])
        yield MessageKind.CALL_ME, call_me_text(language, [name], name, None)
        yield MessageKind.CALL_ME, call_me_text(language, [], name, None)


def test_text_has_its_lines_and_the_name_and_nothing_else(language: str) -> None:
    plain = [text for _kind, text in texts_with("Hiba", language)]
    for name in NAMES:
        spelt = name if language == "ar" else downgrade(name)
        for (_kind, text), usual in zip(texts_with(name, language), plain, strict=True):
            assert len(text.splitlines()) == len(usual.splitlines()), ascii(name)
            assert spelt in text, ascii(name)
            assert not [
                sign
                for sign in text
                if sign != "\n" and unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")
            ]
            assert sms_parts(text) >= 1


def test_mail_with_such_a_name_is_one_mail_of_that_text(language: str) -> None:
    gateway = EmailGateway("smtp://127.0.0.1:25", "N9raw <n9raw@example.org>", 20, 1)
    headers: set[tuple[str, ...]] = set()
    for name in NAMES:
        kind, text = next(texts_with(name, language))
        outgoing = OutgoingText(
            "m-1", "x@example.org", subject_line(kind, language), text, language
        )
        composed = gateway._compose(outgoing).as_bytes(policy=SMTP)
        mail = message_from_bytes(composed, policy=default)
        headers.add(tuple(mail.keys()))
        assert mail["Subject"] == subject_line(kind, language)
        assert mail["To"] == "x@example.org"
        assert mail.get_content().splitlines() == text.splitlines(), ascii(name)
        assert ConsoleGateway().send(outgoing).state is ReceiptState.DELIVERED
    assert len(headers) == 1
