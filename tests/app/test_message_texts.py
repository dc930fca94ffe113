"""The words of messages: who, what, when on whose clock, in both languages, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import Lesson, MessageKind, Tutor
from app.services.gsm7 import is_gsm7, sms_parts
from app.services.message_texts import ToldLesson, code_text, reminder_text, subject_line
from config import ROOT
from tests.support import people
from tests.support.groups import active_group

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TEMPLATES = ROOT / "app" / "templates" / "messages"
DAY, SOON = MessageKind.LESSON_24H, MessageKind.LESSON_2H


@pytest.fixture(autouse=True)
def time(app: Flask) -> Iterator[time_machine.Traveller]:
    """Monday 2026-11-30, 18:00, in a programme; the fixture's value moves the clock."""
    with (
        time_machine.travel(datetime(2026, 11, 30, 18, tzinfo=UTC), tick=False) as time,
        app.app_context(),
    ):
        people.make_programme()
        yield time


def told(
    name: str = "Aïcha Touil",
    *,
    tutor: str = "Zoé Rêveur",
    start: tuple[str, str] = ("tue", "18:00"),
    channel: str = "call",
) -> ToldLesson:
    """The first lesson of a new group of one."""
    tutor_id = people.make_tutor(name=tutor, channels=["call", "whatsapp", "video"])
    household = people.make_household(
        pupils=[(name, "3AC", ["maths"])], channels=["call", "whatsapp", "video"]
    )
    pupil = household.pupils[0]
    group = active_group(tutor_id, [pupil.requests[0].id], starts=(start,), channel=channel)
    lesson = db.session.scalars(
        select(Lesson).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
    ).first()
    assert lesson is not None
    return ToldLesson(lesson, (pupil.first_name,))


def test_french_family_is_told_all_of_one_lesson_in_one_sms() -> None:
    text = reminder_text(DAY, "fr", [told()], to_tutor=False)
    assert text == (
        "N9raw, cours du mardi 1er décembre :\n18:00 Mathématiques, Aicha avec Zoé (appel)"
    )
    assert is_gsm7(text)
    assert sms_parts(text) == 1


def test_arabic_family_is_told_all_of_one_lesson_in_one_sms() -> None:
    text = reminder_text(DAY, "ar", [told("هبة تويل", tutor="رانية منير")], to_tutor=False)
    assert text == "نقراو، درس الثلاثاء 1 دجنبر:\n18:00 الرياضيات، هبة مع رانية (مكالمة)"
    assert sms_parts(text) == 1


@pytest.mark.parametrize(
    ("language", "words", "parts"),
    [
        ("fr",
         "N9raw, cours du mardi 1er décembre :\n18:00 Mathématiques, Aicha avec une autre "
         "personne, que nous cherchons encore (appel)", 1),
        ("ar",
         "نقراو، درس الثلاثاء 1 دجنبر:\n18:00 الرياضيات، Aïcha مع شخص آخر ما زلنا نبحث عنه "
         "(مكالمة)", 2),
        ("ary",
         "N9raw, l7issa dyal nhar tlat 1 decembre:\n18:00 Mathématiques, Aicha m3a wa7ed akhor, "
         "mazal kan9elbou 3lih (appel)", 1),
    ],
)  # fmt: skip
def test_family_reads_no_name_while_somebody_is_sought_in_the_place_of_its_volunteer(
    language: str, words: str, parts: int
) -> None:
    sought = replace(told(), is_sought=True)
    text = reminder_text(DAY, language, [sought], to_tutor=False)
    assert (text, sms_parts(text)) == (words, parts)


def test_siblings_of_a_day_share_a_text_in_order_of_time() -> None:
    later = told("Adam Touil", tutor="Karim Alami", start=("tue", "19:30"), channel="whatsapp_one")
    text = reminder_text(DAY, "fr", [later, told()], to_tutor=False)
    assert text == (
        "N9raw, cours du mardi 1er décembre :\n"
        "18:00 Mathématiques, Aicha avec Zoé (appel)\n"
        "19:30 Mathématiques, Adam avec Karim (WhatsApp)"
    )
    assert sms_parts(text) == 1
    arabic = reminder_text(DAY, "ar", [later, told()], to_tutor=False)
    assert arabic.startswith("نقراو، دروس الثلاثاء 1 دجنبر:\n18:00 ")


def test_two_children_in_one_lesson_are_both_named() -> None:
    both = ToldLesson(told().lesson, ("Aïcha", "Adam"))
    assert "Aicha et Adam avec Zoé" in reminder_text(DAY, "fr", [both], to_tutor=False)
    both = ToldLesson(both.lesson, ("هبة", "آدم"))
    assert "هبة وآدم مع" in reminder_text(DAY, "ar", [both], to_tutor=False)


@pytest.mark.parametrize(
    ("now", "french", "arabic"),
    [
        ((2026, 12, 1, 16), "N9raw, cours d'aujourd'hui :", "نقراو، درس اليوم:"),
        ((2026, 11, 30, 20), "N9raw, cours de demain :", "نقراو، درس غدا:"),
        (
            (2026, 11, 28, 20),
            "N9raw, cours du mardi 1er décembre :",
            "نقراو، درس الثلاثاء 1 دجنبر:",
        ),
    ],
)
def test_reminder_of_the_day_says_today_only_on_the_day(
    time: time_machine.Traveller, now: tuple[int, ...], french: str, arabic: str
) -> None:
    lesson = told()
    time.move_to(datetime(*now, tzinfo=UTC))  # type: ignore[arg-type,misc]
    assert reminder_text(SOON, "fr", [lesson], to_tutor=False).split("\n")[0] == french
    assert reminder_text(SOON, "ar", [lesson], to_tutor=False).split("\n")[0] == arabic


def test_lesson_past_midnight_is_named_with_its_own_day() -> None:
    late = [told(start=("tue", "23:30")), told("Adam Touil", start=("wed", "00:30"))]
    assert (
        reminder_text(SOON, "fr", late, to_tutor=False)
        .split("\n")[2]
        .startswith("mercredi 2 décembre 00:30 Mathématiques, Adam")
    )


@pytest.mark.parametrize(
    ("zone", "own"),
    [
        (None, ""),
        ("Africa/Casablanca", ""),
        ("Europe/London", ""),  # another zone, the same time
        ("Europe/Paris", " (19:00 chez vous)"),
        ("Asia/Tokyo", " (mercredi 03:00 chez vous)"),
    ],
)
def test_tutor_abroad_is_told_both_times(zone: str | None, own: str) -> None:
    lesson = told()
    with transaction():
        db.session.get_one(Tutor, lesson.lesson.group.tutor_id).time_zone = zone
    text = reminder_text(DAY, "fr", [lesson], to_tutor=True, own_zone=zone)
    assert text == (
        "N9raw, vos cours du mardi 1er décembre :\n"
        f"18:00{own} Mathématiques, 3e année collège, Aicha (appel)"
    )


def test_tutor_is_told_in_arabic_too() -> None:
    text = reminder_text(SOON, "ar", [told("هبة تويل")], to_tutor=True, own_zone="Europe/Paris")
    assert text == (
        "نقراو، درسك غدا:\n18:00 (19:00 بتوقيتك) الرياضيات، الثالثة إعدادي، هبة (مكالمة)"
    )


def test_sign_in_code_fits_into_one_sms() -> None:
    french, arabic = code_text("fr", "042917", 15), code_text("ar", "042917", 15)
    assert french == (
        "N9raw : votre code de connexion est 042917. Il est valable 15 minutes. "
        "Ne le donnez à personne."
    )
    assert arabic == "نقراو: رمز الدخول هو 042917، صالح لمدة 15 دقيقة. لا تعطه لأحد."
    assert (sms_parts(french), sms_parts(arabic)) == (1, 1)


@pytest.mark.parametrize("language", ["fr", "ar", "ary"])
def test_every_kind_has_a_subject_that_names_nobody(language: str) -> None:
    assert all(subject_line(kind, language) for kind in MessageKind)


TO_TUTORS_OR_STAFF = {"group_offer", "digest", "call_me"}
"""What is sent to no family, so is not written in Darija."""


@pytest.mark.parametrize("language", ["fr", "ar", "ary"])
def test_every_kind_is_written_in_every_language_of_its_readers(language: str) -> None:
    written = {template.stem for template in (TEMPLATES / language).glob("*.txt")}
    left_out = TO_TUTORS_OR_STAFF if language == "ary" else set()
    assert written == {kind.value for kind in MessageKind} - left_out


@pytest.mark.parametrize("language", ["fr", "ary"])
def test_templates_in_latin_letters_hold_no_letter_that_makes_a_text_dearer(language: str) -> None:
    for template in sorted((TEMPLATES / language).glob("*.txt")):
        text = template.read_text("utf-8")
        strings = "".join(re.findall(r'"[^"]*"', "".join(re.findall(r"{[%{].*?[%}]}", text))))
        spoken = re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
        assert is_gsm7(spoken + strings), template.name
        assert not set(spoken) & set("^{}\\[~]|€"), template.name


@pytest.mark.parametrize("language", ["fr", "ar", "ary"])
def test_no_text_has_a_link_and_only_questions_and_replies_ask_for_an_answer(language: str) -> None:
    for template in (TEMPLATES / language).glob("*.txt"):
        text = template.read_text("utf-8").lower()
        assert not re.search(r"https?:|www\.", text), template.name
        if template.stem not in ("question", "reply"):
            asks = r"répondez [12]|\bjawbou|أجيبوا|أجب 1|stop|قف"
            assert not re.search(asks, text), template.name


@pytest.mark.parametrize(
    ("language", "asks"),
    [
        ("fr", "1 = nous serons là, 2 = nous ne pouvons pas"),
        ("ar", "1 = سنحضر، 2 = لن نستطيع"),
        ("ary", "1 = ghadi n7edrou, 2 = ma n9edrouch"),
    ],
)
def test_family_is_told_how_to_answer_where_answers_come_in(language: str, asks: str) -> None:
    lesson = told("هبة تويل", tutor="رانية منير") if language == "ar" else told()
    for kind in (DAY, SOON):
        text = reminder_text(kind, language, [lesson], to_tutor=False, answerable=True)
        assert text.split("\n")[2:] == [asks]
        assert sms_parts(text) == (2 if language == "ar" else 1)
        silent = reminder_text(kind, language, [lesson], to_tutor=False)
        assert text == f"{silent}\n{asks}"
    for_tutor = "ar" if language == "ar" else "fr"
    assert reminder_text(DAY, for_tutor, [lesson], to_tutor=True, answerable=True) == (
        reminder_text(DAY, for_tutor, [lesson], to_tutor=True)
    )


def test_whole_of_french_stays_in_gsm7_with_accented_names() -> None:
    lesson = told("Maïssâ-Œdï Çakîr", tutor="Zoë Crêpû")
    for kind in (DAY, SOON):
        for to_tutor in (False, True):
            assert is_gsm7(reminder_text(kind, "fr", [lesson], to_tutor=to_tutor))
