"""What an SMS costs, and what French loses so that it costs less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.gsm7 import downgrade, is_gsm7, sms_parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # no escape is split from its letter
        ("ê", 1),
        ("ê" + "a" * 70, 2),
        ("س" * 70, 1),
        ("س" * 71, 2),
        ("س" * 134, 2),
        ("س" * 135, 3),
        ("ⵣ" * 70, 1),
        ("😀" * 35, 1),
        ("😀" * 66, 2),
        ("😀" * 67, 3),  # no pair is split between parts of 67
    ],
)
def test_parts_are_counted_as_a_network_counts_them(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Aïcha, Aïn Kaïcher", "Aicha, Ain Kaicher"),
        ("août, décembre, Noël", "aout, décembre, Noel"),
        ("être à l’école, ça va", "etre à l'école, ca va"),
        ("Œuvre «sœur»…", 'OEuvre "soeur"...'),
        ("18\u202f:\u00a000 – fin", "18 : 00 - fin"),
        ("e\u0301te\u0301", "été"),
        ("É Ç À È", "É Ç A E"),
        ("ʿAlī ʿAbd", "ʿAli ʿAbd"),
        ("هبة", "هبة"),
        ("ⴰⵢⵜ", "ⴰⵢⵜ"),
    ],
)
def test_latin_letters_are_brought_into_gsm7_and_others_stay(text: str, plain: str) -> None:
    assert downgrade(text) == plain


@given(st.text(st.characters(max_codepoint=0x17F, categories=("L", "N", "P", "Zs"))))
def test_downgrading_twice_is_downgrading_once(text: str) -> None:
    assert downgrade(downgrade(text)) == downgrade(text)


@given(st.text("aàâäbcçdeéèêëfghiîïjklmnoôöœpqrstuùûüvwxyÿzAÀÂÇÉÈÊËÎÏÔŒÙÛ '’-.,:!?"))
def test_all_of_french_fits_into_gsm7(text: str) -> None:
    assert is_gsm7(downgrade(text))
