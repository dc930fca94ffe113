"""A programme's own wording of messages, Darija, and what previews say of the cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.extensions import db
from app.models import MessageKind, MessageWording
from app.services import wordings
from app.services.coordinators import find_coordinator
from app.services.errors import Invalid, NotFound
from app.services.gsm7 import dear_letters, is_gsm7, sms_parts
from app.services.message_texts import (
    Line,
    code_text,
    family_link_text,
    lessons_end_text,
    long_date,
    plain_words,
    reminder_words,
    standard_body,
    subject_line,
)
from app.services.wording_previews import preview
from tests.support import people

DAY, SOON = MessageKind.LESSON_24H, MessageKind.LESSON_2H
LINK, END = MessageKind.FAMILY_LINK, MessageKind.LESSONS_END
OWN = "Rappel pour {date}\n{time} : {subject} ({pupils})\nBon courage !"
LINES = [
    Line("", "18:00", "", "Mathématiques", "3e année collège", "Aïcha", "Zoé", "appel"),
    Line("", "19:30", "", "SVT", "Tronc commun", "Adam", "Karim", "WhatsApp"),
]

sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _programme(app: Flask) -> Iterator[None]:
    with (
        time_machine.travel(datetime(2026, 11, 30, 18, tzinfo=UTC), tick=False),
        app.app_context(),
    ):
        people.make_programme()
        yield


def words(body: str | None, language: str = "fr", kind: MessageKind = DAY) -> str:
    return reminder_words(
        kind,
        language,
        body,
        LINES,
        day=date(2026, 12, 1),
        today=date(2026, 11, 30),
        to_tutor=False,
    )


@sqlite_alone
def test_line_of_a_lesson_is_written_once_for_each() -> None:
    assert words(OWN) == (
        "Rappel pour mardi 1er décembre\n"
        "18:00 : Mathématiques (Aicha)\n19:30 : SVT (Adam)\nBon courage !"
    )


@sqlite_alone
@pytest.mark.parametrize(("language", "day"), [("fr", "demain"), ("ar", "غدا"), ("ary", "ghedda")])
def test_day_is_said_as_today_or_tomorrow(language: str, day: str) -> None:
    body = "{day}\n{time} {subject} {pupils}"
    assert words(body, language).split("\n")[0] == day
    later = reminder_words(
        DAY, language, body, LINES, day=date(2026, 12, 1), today=date(2026, 11, 1), to_tutor=False
    )
    assert later.split("\n")[0] == long_date(date(2026, 12, 1), language)


@sqlite_alone
def test_time_brings_its_own_day_and_a_tutors_own_time() -> None:
    line = Line("mercredi 2 décembre ", "00:30", "01:30", "SVT", "TC", "Adam", "Zoé", "appel")
    told = reminder_words(
        DAY, "fr", OWN, [line], day=date(2026, 12, 1), today=date(2026, 11, 30), to_tutor=True
    )
    assert told.split("\n")[1] == "mercredi 2 décembre 00:30 (01:30 chez vous) : SVT (Adam)"


@sqlite_alone
def test_names_with_braces_are_written_as_they_are() -> None:
    line = Line("", "18:00", "", "SVT", "TC", "{tutor} %s {{7*7}}", "Zoé", "appel")
    told = reminder_words(
        DAY, "fr", OWN, [line], day=date(2026, 12, 1), today=date(2026, 11, 30), to_tutor=False
    )
    assert "({tutor} %s {{7*7}})" in told


@sqlite_alone
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Écrivez un texte"),
        ("Cours {date} {time} {subject} {pupil}", r"\{pupil\} est inconnu.*\{pupils\}"),
        ("Cours {date} {subject} {pupils}", r"Il manque \{time\}"),
        ("Cours {time} {subject} {pupils}", r"Il manque \{date\}"),
        ("Cours {date} {time} {subject}", r"Il manque \{pupils\}"),
        ("Cours {{date}} {time} {subject} {pupils}", "accolade"),
        ("Cours {date {time} {subject} {pupils}", "accolade"),
        ("{date} {% if 1 %} {time} {subject} {pupils}", "accolade"),
        ("{date}\n{time}\n{subject} {pupils}", "une seule et même ligne"),
        ("{date} {time} {subject} {pupils} https://x.ma", "lien"),
        ("{date} {time} {subject} {pupils} www.n9raw", "lien"),
        ("{date} {time} {subject} {pupils} n9raw.ma/f", "lien"),
        ("{date} {time} {subject} {pupils} {link}", "inconnu"),
        ("{date} {time} {subject} {pupils} \u202e", "invisible"),
        ("{date} {time} {subject} {pupils} " + "a" * 500, "500"),
        ("{date} {time} {subject} {pupils}" + "\na" * 10, "10 lignes"),
    ],
)
def test_wording_that_cannot_be_sent_is_refused_in_words(body: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        wordings.set_wording(DAY, "fr", "family", body, None)
    assert db.session.scalars(db.select(MessageWording)).all() == []


@sqlite_alone
def test_blanks_are_tidied_up() -> None:
    body = "  Cours  {date} :\r\n\r\n {time}  {subject} {pupils} \r\n"
    assert wordings.checked(DAY, body) == "Cours {date} :\n{time} {subject} {pupils}"


def test_own_wording_is_used_until_the_standard_one_is_wanted_back() -> None:
    people.make_coordinator()
    by = find_coordinator("coordinator@example.org")
    standard = family_link_text("fr", "https://x.example/f/abc")
    wordings.set_wording(LINK, "fr", "family", "Votre page : {link}", by)
    wordings.set_wording(LINK, "fr", "family", "Vos cours : {link}", by)
    assert (
        family_link_text("fr", "https://x.example/f/abc") == "Vos cours : https://x.example/f/abc"
    )
    assert wordings.own_wordings() == {(LINK, "fr", "family")}
    wordings.reset_wording(LINK, "fr", "family", by)
    wordings.reset_wording(LINK, "fr", "family", by)
    assert family_link_text("fr", "https://x.example/f/abc") == standard
    versions = wordings.list_versions(LINK, "fr", "family")
    assert [version.body for version in versions] == [
        None, "Vos cours : {link}", "Votre page : {link}",
    ]  # fmt: skip
    assert {version.entry.coordinator_id for version in versions} == {by.id}


def test_end_of_lessons_may_be_worded() -> None:
    wordings.set_wording(END, "ar", "family", "انتهت دروس {pupils} مع {tutor}", None)
    assert lessons_end_text("ar", ["هبة", "آدم"], "زينب") == "انتهت دروس هبة وآدم مع زينب"
    with pytest.raises(Invalid, match="tutor"):
        wordings.set_wording(END, "ar", "family", "انتهت دروس {pupils}", None)


@sqlite_alone
@pytest.mark.parametrize(
    ("kind", "language", "audience"),
    [
        (MessageKind.SIGN_IN_CODE, "fr", "tutor"),
        (LINK, "fr", "tutor"),
        (DAY, "ary", "tutor"),
        (DAY, "en", "family"),
    ],
)
def test_messages_that_are_never_sent_are_not_worded(
    kind: MessageKind, language: str, audience: str
) -> None:
    with pytest.raises(NotFound):
        wordings.set_wording(kind, language, audience, "x", None)


@sqlite_alone
@pytest.mark.parametrize(("kind", "audience"), wordings.PLACES)
def test_standard_text_is_a_wording_that_could_be_ones_own(
    kind: MessageKind, audience: str
) -> None:
    for language in wordings.LANGUAGES[audience]:
        body = standard_body(kind, language, to_tutor=audience == "tutor")
        assert wordings.checked(kind, body) == body
        assert preview(kind, language, audience, None).samples[0].text


@sqlite_alone
def test_darija_speaks_to_families_in_latin_letters() -> None:
    assert words(None, "ary") == (
        "N9raw, l7isas dyal nhar tlat 1 decembre:\n"
        "18:00 Mathématiques, Aicha m3a Zoé (appel)\n"
        "19:30 SVT, Adam m3a Karim (WhatsApp)"
    )
    assert words(None, "ary", SOON).startswith("N9raw, l7isas dyal ghedda:\n")
    assert lessons_end_text("ary", ["Aïcha", "Adam", "Salma"], "Zoé").startswith(
        "N9raw: drous dyal Aicha, Adam w Salma m3a Zoé salaw."
    )
    for kind in (MessageKind.SIGN_IN_CODE, MessageKind.CONTACT_CODE):
        assert sms_parts(code_text("ary", "042917", 15, kind)) == 1
    assert sms_parts(family_link_text("ary", "https://n9raw.example/f/" + "a" * 22)) == 1
    assert all(is_gsm7(subject_line(kind, "ary")) for kind in MessageKind)


@sqlite_alone
def test_every_day_of_the_year_is_written_in_darija_without_dear_letters() -> None:
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + number) for number in range(365)]
    texts = {long_date(day, "ary") for day in days}
    assert len(texts) == 365
    assert all(is_gsm7(text) for text in texts)


@sqlite_alone
def test_preview_counts_sms_and_names_what_makes_them_dearer() -> None:
    seen = preview(DAY, "fr", "family", "Rappel été, fête {date} ☺\n{time} {subject}, {pupils}")
    assert [sample.title for sample in seen.samples] == [
        "Noms courts", "Noms longs", "Trois frères et sœurs",
    ]  # fmt: skip
    assert seen.dear == ["☺"]
    assert seen.replaced == [("ê", "e")]
    assert not seen.samples[0].is_gsm7
    assert "fete" in seen.samples[0].text
    plain = preview(DAY, "fr", "family", OWN)
    assert (plain.dear, plain.replaced) == ([], [])
    assert [sample.parts for sample in plain.samples] == [1, 1, 1]
    assert plain.samples[2].text.count("\n") == 4
    arabic = preview(DAY, "ar", "family", None)
    assert [sample.parts for sample in arabic.samples] == [1, 2, 4]
    assert (arabic.dear, arabic.replaced) == ([], [])


def test_preview_shows_exactly_what_is_sent() -> None:
    body = "Votre page : {link}"
    wordings.set_wording(LINK, "fr", "family", body, None)
    sample = preview(LINK, "fr", "family", body).samples[0]
    link = sample.text.removeprefix("Votre page : ")
    assert (
        family_link_text("fr", link) == sample.text == plain_words(LINK, "fr", body, {"link": link})
    )


@sqlite_alone
@given(text=st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_refused_or_sent_without_its_braces(text: str) -> None:
    body = f"{{date}} {{time}} {{subject}} {{pupils}} {text}"
    try:
        checked = wordings.checked(DAY, body)
    except Invalid:
        return
    told = words(checked)
    assert "{" not in told
    assert "}" not in told
    assert "Adam" in told


@sqlite_alone
def test_dear_letters_are_named_once() -> None:
    assert dear_letters("aêbêç€ع") == ["ê", "ç", "ع"]
