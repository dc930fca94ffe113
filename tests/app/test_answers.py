"""What texts mean, as people write them: in French, Arabic, Darija, on any keyboard."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.services.answers import Said, What, read_answer

KEYS = {
    1: (
        "1", "1.", "(1)", " 1 \n", "1!", "1 merci", "1 1", "bonjour 1", "١", "۱", "１",
        "¹", "1️⃣", "①", "❶", "১", "१", "\u200f1", "١ شكرا", "1 inchallah",
    ),
    2: (
        "2", "2)", "٢", "۲", "２", "2️⃣", "২", "2 svp", "2، شكرا", "2 s'il vous plaît",
    ),
    3: (
        "3", "٣", "3 bjouj",
    ),
}  # fmt: skip
WORDS = {
    What.YES: (
        "oui", "Oui !", "OUI MERCI", "ouiiii", "yes", "ok", "D’accord", "wakha", "Iyeh",
        "نعم", "نَعَم", "واخا", "نعم إن شاء الله", "ﻧﻌﻢ", "👍", "👍🏽👍🏽",
    ),
    What.NO: (
        "non", "Non merci", "la", "no", "لا", "لا شكرا", "لا، بارك الله فيكم", "👎",
    ),
    What.STOP: (
        "STOP", "stop.", "Stop!", "S.T.O.P", "s t o p", "ＳＴＯＰ", "stoppp", "STOP TOUT",
        "stop svp", "ARRET", "ARRÊT", "arre\u0302t", "Arrêtez les messages", "قف", "قِفْ",
        "قـــف", "ﻗﻒ", "\u202bقف\u202c", "توقف", "توقّفوا", "أوقفوا الرسائل", "«قف»",
        "stop stop stop stop stop", "Stoppe", "Arrêtez de m’envoyer des messages", "hbes",
        "وقفوا عليا الميساجات", "Stop merci de ne plus nous envoyer de messages",
    ),
    What.START: (
        "START", "start", "Reprendre", "REPRENEZ les messages", "ابدأ", "ابدا", "إبدأ",
        "اِبْدَأْ",
    ),
    What.WORRY: (
        "SOS", "sos", "Danger", "شكاية", "شِكاية", "chikaya", "STOP DANGER",
    ),
    What.CALL_ME: (
        "APPEL", "Appelez-moi", "call me", "Call", "اتصلوا", "اتصلوا بي", "عيطو ليا",
        "3ayto liya",
    ),
    What.ALL: (
        "les deux", "Les 2", "tous", "الكل", "بجوج",
    ),
}  # fmt: skip
FREE = (
    "12", "0", "1, 2", "1 ou 2", "1 heure de retard", "2 h", "2 garçons sont malades",
    "1er cours demain", "Sara", "La voiture est en panne", "لا بأس", "oui mais en retard",
    "oui ou non", "non c'est bon", "rappel", "Arrêt du bus fermé",
    "on arrête pas de travailler, merci beaucoup", "?", "🙏",
    "l'appel du professeur n'est pas venu hier soir", "J'arrive", "2 fois",
    "stop les cours de maths demain", "arrêt maladie",
)  # fmt: skip


@pytest.mark.parametrize(("key", "text"), [(key, text) for key in KEYS for text in KEYS[key]])
def test_one_digit_is_a_key_in_any_alphabet(key: int, text: str) -> None:
    if text == "3 bjouj":
        assert read_answer(text) == Said(What.KEY, 3, has_more=True)
    else:
        assert read_answer(text) == Said(What.KEY, key)


@pytest.mark.parametrize(("what", "text"), [(what, text) for what in WORDS for text in WORDS[what]])
def test_words_as_families_write_them(what: What, text: str) -> None:
    assert read_answer(text).what is what


@pytest.mark.parametrize("text", FREE)
def test_what_may_mean_something_else_is_left_to_a_reader(text: str) -> None:
    assert read_answer(text) == Said(What.FREE_TEXT, has_more=True)


def test_words_beside_a_key_are_for_a_reader_too() -> None:
    assert read_answer("2 Sara est malade") == Said(What.KEY, 2, has_more=True)
    assert read_answer("2, سارة مريضة") == Said(What.KEY, 2, has_more=True)
    assert read_answer("SOS on me menace") == Said(What.WORRY, has_more=True)
    assert read_answer("Stop, ne nous envoyez plus de SMS") == Said(What.STOP, has_more=True)
    assert read_answer("appelez moi après 18h") == Said(What.CALL_ME, has_more=True)


def test_nothing_is_nothing() -> None:
    for text in ("", "  \n", "\u200f"):
        assert read_answer(text).what is What.FREE_TEXT
    assert not read_answer("").has_more


DIGITS = st.characters(categories=["Nd"]).filter(lambda sign: 1 <= unicodedata.digit(sign) <= 9)
AROUND = st.text(
    st.sampled_from(" .!,;:-()\t\n\u200e\u200f\u202b\u202c\ufe0f\u20e3*_«»\"'"), max_size=6
)


@given(DIGITS, AROUND, AROUND)
def test_any_digit_with_anything_unseen_around_it_is_its_key(
    digit: str, before: str, after: str
) -> None:
    assert read_answer(before + digit + after) == Said(What.KEY, unicodedata.digit(digit))


MARKS = st.text(st.sampled_from("\u064b\u064e\u064f\u0650\u0651\u0652ـ\u200d\u200f"), max_size=2)


@given(
    st.sampled_from(["قف", "توقف", "أوقفوا", "stop", "STOP", "Arrêt", "ARRET"]),
    st.lists(MARKS, min_size=6, max_size=6),
    AROUND,
    AROUND,
)
def test_stop_is_found_under_any_marks(
    word: str, marks: list[str], before: str, after: str
) -> None:
    spelt = "".join(sign + mark for sign, mark in zip(word, marks, strict=False)) + word[6:]
    assert read_answer(before + spelt + after).what is What.STOP


@given(st.text(max_size=300))
def test_any_text_means_something_and_the_same_in_capitals(text: str) -> None:
    said = read_answer(text)
    assert (said.key is None) == (said.what is not What.KEY)
    assume(text.upper().lower() == text.lower())
    assert read_answer(text.upper()).what is said.what


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip() != ""))
def test_nothing_that_was_written_is_dropped_unread(text: str) -> None:
    said = read_answer(text)
    assert said.what is not What.FREE_TEXT or said.has_more
