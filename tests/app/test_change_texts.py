"""The words of changes, beginnings, offers, questions and replies: exact, short, in GSM-7."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Level, MessageKind, Question, QuestionKind, Subject, Zone
from app.services.change_texts import (
    Beginning,
    Change,
    Offer,
    Told,
    changes_words,
    new_group_words,
    offers_text,
    offers_withdrawn_text,
    question_text,
    week_text,
)
from app.services.gsm7 import is_gsm7, sms_parts
from app.services.message_texts import call_me_text, note_text, reply_text, unknown_number_text
from app.services.telling import Reply

pytestmark = pytest.mark.usefixtures("listed_programme")

TUESDAY = datetime(2026, 11, 24, 17)
WEDNESDAY = datetime(2026, 11, 25, 18)
CHANGE, CANCELLATION = MessageKind.CHANGE, MessageKind.CANCELLATION
SUBSTITUTION = MessageKind.SUBSTITUTION
NAMES = {
    "fr": ("Sara", "Aïcha", "Zoé", "Karim"),
    "ary": ("Sara", "Aïcha", "Zoé", "Karim"),
    "ar": ("سارة", "عائشة", "زينب", "كريم"),
}


def told(language: str, pupils: int = 1, subject: str = "maths", *, new: bool = False) -> Told:
    sara, aicha, usual, other = NAMES[language]
    return Told(
        subject=db.session.scalars(select(Subject).where(Subject.code == subject)).one(),
        level=db.session.scalars(select(Level).where(Level.code == "3AC")).one(),
        pupils=(sara, aicha)[:pupils],
        tutor=other if new else usual,
        channel="whatsapp",
    )


def one(act: str, language: str, **details: object) -> Change:
    """A change of Sara's lesson on Tuesday; a new time is on Wednesday, a new tutor Karim."""
    return Change(
        act=act,
        told=told(language, new=act in ("given_by", "given_away")),
        before=NAMES[language][2],
        was=TUESDAY,
        now=WEDNESDAY if act == "moved" else TUESDAY,
        **details,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("kind", "act", "language", "words", "parts"),
    [
        (CANCELLATION, "cancelled", "fr",
         "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 17:00 est annulé.", 1),
        (CANCELLATION, "cancelled", "ar",
         "نقراو: ألغي درس الرياضيات (سارة) الثلاثاء 24 نونبر على 17:00.", 1),
        (CANCELLATION, "cancelled", "ary",
         "N9raw: l7issa dyal mathématiques dyal Sara, nhar tlat 24 novembre f 17:00, tlghat.", 1),
        (CHANGE, "moved", "fr",
         "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 17:00 est déplacé au "
         "mercredi 25 novembre à 18:00.", 1),
        (CHANGE, "moved", "ar",
         "نقراو: درس الرياضيات (سارة) الثلاثاء 24 نونبر على 17:00 صار الأربعاء 25 نونبر على "
         "18:00.", 2),
        (CHANGE, "moved", "ary",
         "N9raw: l7issa dyal mathématiques dyal Sara, nhar tlat 24 novembre f 17:00, tbeddlat l "
         "nhar larb3 25 novembre f 18:00.", 1),
        (CHANGE, "again", "fr",
         "N9raw : le cours de mathématiques de Sara a lieu : mardi 24 novembre à 17:00 avec Zoé "
         "(WhatsApp).", 1),
        (CHANGE, "again", "ar",
         "نقراو: درس الرياضيات (سارة) سيقام الثلاثاء 24 نونبر على 17:00 مع زينب (واتساب).", 2),
        (CHANGE, "again", "ary",
         "N9raw: l7issa dyal mathématiques dyal Sara kayna: nhar tlat 24 novembre f 17:00 m3a Zoé "
         "(WhatsApp).", 1),
        (SUBSTITUTION, "given_by", "fr",
         "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 17:00 est donné par "
         "Karim, à la place de Zoé.", 1),
        (SUBSTITUTION, "given_by", "ar",
         "نقراو: درس الرياضيات (سارة) الثلاثاء 24 نونبر على 17:00 سيكون مع كريم عوض زينب.", 2),
        (SUBSTITUTION, "given_by", "ary",
         "N9raw: l7issa dyal mathématiques dyal Sara, nhar tlat 24 novembre f 17:00, ghadi tkoun "
         "m3a Karim f blasset Zoé.", 1),
    ],
)  # fmt: skip
def test_family_reads_one_change_in_a_sentence(
    kind: MessageKind, act: str, language: str, words: str, parts: int
) -> None:
    text = changes_words(kind, language, None, [one(act, language)])
    assert text == words
    assert sms_parts(text) == parts
    assert language == "ar" or is_gsm7(text)


@pytest.mark.parametrize(
    ("kind", "act", "language", "words", "parts"),
    [
        (CANCELLATION, "cancelled", "fr",
         "N9raw : votre cours de mathématiques avec Sara du mardi 24 novembre à 17:00 est "
         "annulé.", 1),
        (CANCELLATION, "cancelled", "ar",
         "نقراو: ألغي درسك في الرياضيات (سارة) الثلاثاء 24 نونبر على 17:00.", 1),
        (CHANGE, "moved", "ar",
         "نقراو: درسك في الرياضيات (سارة) الثلاثاء 24 نونبر على 17:00 صار الأربعاء 25 نونبر على "
         "18:00.", 2),
        (SUBSTITUTION, "given_away", "ar",
         "نقراو: درسك في الرياضيات (سارة) الثلاثاء 24 نونبر على 17:00 سيكون مع كريم.", 2),
        (SUBSTITUTION, "taken", "ar",
         "نقراو: تقدم درس الرياضيات، الثالثة إعدادي (سارة) الثلاثاء 24 نونبر على 17:00 "
         "(واتساب).", 2),
    ],
)  # fmt: skip
def test_tutor_reads_one_change_in_a_sentence(
    kind: MessageKind, act: str, language: str, words: str, parts: int
) -> None:
    text = changes_words(kind, language, None, [one(act, language)], to_tutor=True)
    assert (text, sms_parts(text)) == (words, parts)


def week(language: str) -> list[Change]:
    """A cancelled week of two children: four lessons."""
    sara, aicha, usual, _other = NAMES[language]
    maths, english = told(language), told(language, subject="english")
    return [
        Change("cancelled", Told(row.subject, row.level, (name,), usual, "whatsapp"), was=start)
        for row, name, start in (
            (maths, sara, TUESDAY),
            (maths, sara, TUESDAY + timedelta(days=2)),
            (english, aicha, WEDNESDAY),
            (english, aicha, WEDNESDAY + timedelta(days=2)),
        )
    ]


@pytest.mark.parametrize(
    ("language", "words", "parts"),
    [
        ("fr",
         "N9raw, cours annulés :\n"
         "mathématiques, Sara : mar 24/11 17:00, jeu 26/11 17:00\n"
         "anglais, Aicha : mer 25/11 18:00, ven 27/11 18:00", 1),
        ("ary",
         "N9raw, l7isas li tlghaw:\n"
         "mathématiques, Sara: tlat 24/11 17:00, lkhmis 26/11 17:00\n"
         "anglais, Aicha: larb3 25/11 18:00, jjem3a 27/11 18:00", 1),
        ("ar",
         "نقراو، دروس ملغاة:\n"
         "الرياضيات، سارة: الثلاثاء 24/11 17:00، الخميس 26/11 17:00\n"
         "الإنجليزية، عائشة: الأربعاء 25/11 18:00، الجمعة 27/11 18:00", 3),
    ],
)  # fmt: skip
def test_cancelled_week_of_two_children_is_one_text(language: str, words: str, parts: int) -> None:
    text = changes_words(CANCELLATION, language, None, week(language))
    assert (text, sms_parts(text)) == (words, parts)


def test_changes_of_all_sorts_are_listed_by_child_in_order_of_time() -> None:
    later = {"was": WEDNESDAY, "now": WEDNESDAY}
    changes = [
        Change("given_by", told("fr", new=True), **later),  # type: ignore[arg-type]
        one("moved", "fr"),
        Change("weekly", told("fr", subject="english"), weekly=[(0, "17:00"), (3, "18:00")]),
        Change("again", told("fr", 2), now=WEDNESDAY),
    ]
    assert changes_words(CHANGE, "fr", None, changes) == (
        "N9raw, changements :\n"
        "anglais, Sara : désormais lundi à 17:00 et jeudi à 18:00\n"
        "mathématiques, Sara : mar 24/11 17:00 -> mer 25/11 18:00, mer 25/11 18:00 avec Karim\n"
        "mathématiques, Sara et Aicha : mer 25/11 18:00 a lieu"
    )


@pytest.mark.parametrize(
    ("subject", "name", "said"),
    [
        ("english", "Adam", "le cours d'anglais d'Adam du"),
        ("svt", "Hiba", "le cours de SVT de Hiba du"),
        ("arabic", "Élie", "le cours d'arabe d'Élie du"),
        ("physics", "سارة", "le cours de physique-chimie de سارة du"),
    ],
)
def test_french_elides_before_a_vowel(subject: str, name: str, said: str) -> None:
    row = told("fr", subject=subject)
    change = Change("cancelled", Told(row.subject, row.level, (name,), "Zoé", "call"), was=TUESDAY)
    assert said in changes_words(CANCELLATION, "fr", None, [change])


def test_own_wording_of_a_cancellation_has_a_line_for_each_lesson() -> None:
    body = "Pas de cours :\n{date}, {time} {subject} ({pupils})"
    assert changes_words(CANCELLATION, "fr", body, week("fr")[:2]) == (
        "Pas de cours :\nmardi 24 novembre, 17:00 mathématiques (Sara)\n"
        "jeudi 26 novembre, 17:00 mathématiques (Sara)"
    )
    body = "{date} {time} {subject} {pupils} : {tutor} et non {before}"
    assert changes_words(SUBSTITUTION, "fr", body, [one("given_by", "fr")]) == (
        "mardi 24 novembre 17:00 mathématiques Sara : Karim et non Zoé"
    )


@pytest.mark.parametrize(
    ("language", "words", "parts"),
    [
        ("fr",
         "N9raw : cours de mathématiques de Sara avec Zoé (WhatsApp) : mardi à 17:00 et jeudi à "
         "18:00. Premier cours : mardi 24 novembre à 17:00.", 1),
        ("ar",
         "نقراو: دروس الرياضيات (سارة) مع زينب (واتساب): الثلاثاء على 17:00 والخميس على 18:00. "
         "أول درس: الثلاثاء 24 نونبر على 17:00.", 2),
        ("ary",
         "N9raw: drous dyal mathématiques l Sara m3a Zoé (WhatsApp): tlat f 17:00 w lkhmis f "
         "18:00. L7issa lewla: nhar tlat 24 novembre f 17:00.", 1),
    ],
)  # fmt: skip
def test_beginning_says_with_whom_when_and_by_what(language: str, words: str, parts: int) -> None:
    beginning = Beginning(told(language), [(1, "17:00"), (3, "18:00")], TUESDAY)
    text = new_group_words(language, None, [beginning])
    assert (text, sms_parts(text)) == (words, parts)


def test_beginning_without_times_says_that_they_are_to_be_agreed() -> None:
    text = new_group_words("fr", None, [Beginning(told("fr"), [], None)])
    assert (
        text == "N9raw : cours de mathématiques de Sara avec Zoé (WhatsApp) : horaire à convenir."
    )
    body = "{pupils} : {subject} avec {tutor}, {times}, dès {first}"
    assert new_group_words("fr", body, [Beginning(told("fr"), [(1, "17:00")], TUESDAY)]) == (
        "Sara : mathématiques avec Zoé, mardi à 17:00, dès mardi 24 novembre à 17:00"
    )


def offer(language: str, pupils: int, subject: str = "maths") -> Offer:
    row = told(language, subject=subject)
    zone = Zone(name="Aïn Kaïcher", name_ar="عين قيشر", key="ain kaicher")
    return Offer(row.subject, row.level, pupils, (zone,))


def test_tutor_reads_what_is_offered_and_where_to_answer() -> None:
    text = offers_text("fr", [offer("fr", 3)])
    assert text == (
        "N9raw : 3 élèves vous sont proposés :\n"
        "mathématiques, 3e année collège (Ain Kaicher)\nDites oui ou non sur votre page N9raw."
    )
    assert sms_parts(text) == 1
    assert offers_text("fr", [offer("fr", 1)]).startswith("N9raw : 1 élève vous est proposé :\n")
    several = offers_text("fr", [offer("fr", 2), offer("fr", 1, "english")])
    assert several == (
        "N9raw : 3 élèves vous sont proposés :\n"
        "2 : mathématiques, 3e année collège (Ain Kaicher)\n"
        "1 : anglais, 3e année collège (Ain Kaicher)\nDites oui ou non sur votre page N9raw."
    )
    many = offers_text("fr", [offer("fr", 1)] * 9)
    assert many.split("\n")[5:] == ["...", "Dites oui ou non sur votre page N9raw."]
    arabic = offers_text("ar", [offer("ar", 3)])
    assert arabic == (
        "نقراو، تلاميذ مقترحون عليك (3):\nالرياضيات، الثالثة إعدادي (عين قيشر)\n"
        "أجب بنعم أو لا في صفحتك على نقراو."
    )
    assert sms_parts(arabic) == 2


def asks(
    kind: QuestionKind,
    language: str,
    options: Sequence[object] = (),
    *,
    answerable: bool = True,
    to_tutor: bool = False,
) -> str:
    """A question on Sara's lesson of Tuesday and, where several are meant, Aicha's of Wednesday."""
    sara, aicha, usual, _other = NAMES[language]
    row = told(language)
    names: list[tuple[str, ...]] = [(sara,)]
    if kind is QuestionKind.SUBSTITUTE:
        names = [()]
    elif kind is QuestionKind.WHICH_LESSON:
        names = [(sara,), (aicha,)]
    lines = [
        Change("asked", Told(row.subject, row.level, name, usual, "whatsapp"), now=start)
        for name, start in zip(names, (TUESDAY, WEDNESDAY), strict=False)
    ]
    question = Question(kind=kind, options=list(options))
    return question_text(language, question, lines, answerable=answerable, to_tutor=to_tutor)


NEW_TIME = [["yes", "2026-11-25T18:00"], ["no"]]


@pytest.mark.parametrize(
    ("language", "words", "parts"),
    [
        ("fr",
         "N9raw : quel cours est impossible pour vous ?\n1 = mathématiques, Sara, mar 24/11 17:00\n"
         "2 = mathématiques, Aicha, mer 25/11 18:00\n3 = tous", 1),
        ("ar",
         "نقراو: أي درس لن تحضروه؟\n1 = الرياضيات، سارة، الثلاثاء 24/11 17:00\n"
         "2 = الرياضيات، عائشة، الأربعاء 25/11 18:00\n3 = كلها", 2),
        ("ary",
         "N9raw: achmen 7issa ma t9edrouch t7edrou?\n1 = mathématiques, Sara, tlat 24/11 17:00\n"
         "2 = mathématiques, Aicha, larb3 25/11 18:00\n3 = kamlin", 1),
    ],
)  # fmt: skip
def test_which_lesson_is_asked_with_a_key_for_each(language: str, words: str, parts: int) -> None:
    text = asks(QuestionKind.WHICH_LESSON, language, [[7, False], [8, False]])
    assert (text, sms_parts(text)) == (words, parts)
    coming = asks(QuestionKind.WHICH_LESSON, "fr", [[7, True], [8, True]])
    assert coming.startswith("N9raw : quel cours aura lieu avec vous ?\n")


@pytest.mark.parametrize(
    ("language", "words", "parts"),
    [
        ("fr",
         "N9raw : le cours de mathématiques de Sara du mardi 24 novembre à 17:00 peut-il avoir "
         "lieu le mercredi 25 novembre à 18:00 ? Répondez 1 pour oui, 2 pour non.", 1),
        ("ar",
         "نقراو: هل يناسبكم أن يكون درس الرياضيات (سارة) الأربعاء 25 نونبر على 18:00 عوض الثلاثاء "
         "24 نونبر على 17:00؟ أجيبوا 1 لنعم و2 للا.", 2),
        ("ary",
         "N9raw: l7issa dyal mathématiques dyal Sara, nhar tlat 24 novembre f 17:00, wach "
         "nwelliwha nhar larb3 25 novembre f 18:00? Jawbou 1 = ah, 2 = la.", 1),
    ],
)  # fmt: skip
def test_new_time_is_asked_with_one_key(language: str, words: str, parts: int) -> None:
    text = asks(QuestionKind.NEW_TIME, language, NEW_TIME)
    assert (text, sms_parts(text)) == (words, parts)


def test_several_new_times_have_a_key_each_and_no_the_last() -> None:
    times = [["yes", "2026-11-25T18:00"], ["yes", "2026-11-26T18:00"], ["no"]]
    assert asks(QuestionKind.NEW_TIME, "fr", times).split("\n")[1:] == [
        "1 = mercredi 25 novembre à 18:00",
        "2 = jeudi 26 novembre à 18:00",
        "3 = non",
    ]


def test_tutor_is_asked_for_another_without_a_childs_name() -> None:
    text = asks(QuestionKind.SUBSTITUTE, "fr", ["yes", "no"], to_tutor=True)
    assert text == (
        "N9raw : pouvez-vous donner le cours de mathématiques (3e année collège) du mardi 24 "
        "novembre à 17:00 (WhatsApp), à la place de Zoé ? Répondez 1 pour oui, 2 pour non."
    )
    assert sms_parts(text) == 2
    assert sms_parts(asks(QuestionKind.SUBSTITUTE, "ar", ["yes", "no"], to_tutor=True)) == 2


def test_whether_a_lesson_was_held_is_asked_of_tutor_and_family() -> None:
    to_tutor = asks(QuestionKind.WAS_IT_HELD, "fr", ["held", "not_held"], to_tutor=True)
    assert to_tutor == (
        "N9raw : votre cours de mathématiques avec Sara du mardi 24 novembre à 17:00 a-t-il eu "
        "lieu ? Répondez 1 pour oui, 2 pour non."
    )
    family = asks(QuestionKind.WAS_IT_HELD, "ar", ["held", "not_held"])
    assert family == (
        "نقراو: هل أقيم درس الرياضيات (سارة) الثلاثاء 24 نونبر على 17:00؟ أجيبوا 1 لنعم و2 للا."
    )
    assert (sms_parts(to_tutor), sms_parts(family)) == (1, 2)


@pytest.mark.parametrize("language", ["fr", "ar", "ary"])
@pytest.mark.parametrize(
    "kind", [QuestionKind.NEW_TIME, QuestionKind.SUBSTITUTE, QuestionKind.WAS_IT_HELD]
)
def test_where_no_answer_comes_in_none_is_asked_for_by_key(
    kind: QuestionKind, language: str
) -> None:
    if kind is QuestionKind.SUBSTITUTE and language == "ary":
        return  # volunteers read French or Arabic
    to_tutor = kind is QuestionKind.SUBSTITUTE
    options = NEW_TIME if kind is QuestionKind.NEW_TIME else ["yes", "no"]
    text = asks(kind, language, options, answerable=False, to_tutor=to_tutor)
    page = {"fr": "sur votre page", "ar": "صفحت", "ary": "f la page dyalkom"}[language]
    key = {"fr": "Répondez 1", "ar": "1 لنعم", "ary": "Jawbou 1"}[language]
    assert page in text
    assert key not in text


@pytest.mark.parametrize("language", ["fr", "ar", "ary"])
@pytest.mark.parametrize("key", list(Reply))
def test_each_reply_is_polite_short_and_its_own(key: Reply, language: str) -> None:
    text = reply_text(language, key)
    assert sms_parts(text) == 1
    assert language == "ar" or is_gsm7(text)
    others = {reply_text(language, other) for other in Reply if other is not key}
    assert text not in others


def test_unknown_number_is_answered_in_french_and_arabic() -> None:
    text = unknown_number_text()
    assert text == "N9raw : merci, numéro inconnu ici.\nنقراو: شكرا، لا نعرف هذا الرقم."
    assert sms_parts(text) == 1


def test_call_for_a_family_names_children_to_their_tutor_alone() -> None:
    assert call_me_text("fr", ["Sara", "Adam"], "Aïn Kaïcher", None) == (
        "N9raw : la famille de Sara et Adam vous demande de l'appeler. Son numéro est sur votre "
        "page."
    )
    assert call_me_text("fr", [], "Aïn Kaïcher", "https://n9raw.example") == (
        "N9raw : une famille demande un appel (Ain Kaicher). Elle est sur le bureau : "
        "https://n9raw.example/coordinator/desk"
    )
    assert call_me_text("ar", [], "عين قيشر", None) == (
        "نقراو: أسرة تطلب الاتصال بها (عين قيشر). تجدها في المكتب."
    )


def test_note_says_from_where_it_comes() -> None:
    assert note_text("fr", " Bonne rentrée à tous… ") == "N9raw : Bonne rentrée à tous..."
    assert note_text("ary", "Salam") == "N9raw: Salam"
    assert note_text("ar", "مرحبا") == "نقراو: مرحبا"


def test_week_and_withdrawn_offers_are_short() -> None:
    line = Change("to_come", told("fr", 2), now=TUESDAY, now_own=TUESDAY + timedelta(hours=1))
    assert week_text("fr", [line]) == (
        "N9raw, votre semaine :\n"
        "mar 24/11 17:00 (18:00 chez vous) mathématiques, Sara et Aicha (WhatsApp)"
    )
    assert [sms_parts(offers_withdrawn_text(language)) for language in ("fr", "ar")] == [1, 1]
