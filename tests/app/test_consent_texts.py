"""The words that guardians are asked in: one text, in the program and in its documents."""

from __future__ import annotations

import re

import pytest

from app.models import ConsentKind
from app.services.consent import CONSENT_TEXT_VERSION, WRITTEN_IN, consent_texts
from config import ROOT

_HEADINGS = {"fr": "### Français", "ar": "### العربية", "en": "### English"}


def _documented(language: str) -> list[str]:
    document = (ROOT / "docs" / "consent.md").read_text(encoding="utf-8")
    section = document.partition(f"## Version {CONSENT_TEXT_VERSION}\n")[2].partition("\n## ")[0]
    told = section.partition(_HEADINGS[language])[2].partition("\n### ")[0]
    return [_plain(quote) for quote in re.findall("«(.*?)»", told, re.DOTALL)]


def _plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("language", WRITTEN_IN)
def test_pages_ask_what_the_document_says(language: str) -> None:
    asked = [_plain(text) for text in consent_texts(language).values()]
    assert asked == _documented(language)
    assert list(consent_texts(language)) == [ConsentKind.LESSONS, ConsentKind.GROUP_LESSONS]


def test_families_who_read_darija_are_asked_in_arabic() -> None:
    assert consent_texts("ary") == consent_texts("ar")
