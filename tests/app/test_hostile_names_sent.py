"""Hostile names in messages: each text stays one message of as many lines, with the name in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date
from email import message_from_bytes
from email.policy import SMTP, default

import pytest

from app.gateways import OutgoingText, ReceiptState
from app.gateways.console import ConsoleGateway
from app.gateways.email import EmailGateway
from app.models import MessageKind
from app.services.gsm7 import downgrade, sms_parts
from app.services.message_texts import (
    LANGUAGES,
    Line,
    join_names,
    lessons_end_text,
    reminder_words,
    subject_line,
)
from app.services.wordings import REMINDERS
from tests.app.test_hostile_names_shown import NAMES

DAY = date(2026, 11, 23)
OWN_WORDING = "{day} {date}\n{time} {subject} {level} {pupils} {tutor} {channel}"

pytestmark = [
    pytest.mark.usefixtures("listed_programme"),
    pytest.mark.parametrize("language", LANGUAGES),
]


def texts_with(name: str, language: str) -> Iterator[tuple[MessageKind, str]]:
    """Every kind of message that names somebody, to families and volunteers."""
    pupils = join_names([name, "Sara", name], language)
    yield MessageKind.LESSONS_END, lessons_end_text(language, [name, name], name)
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
