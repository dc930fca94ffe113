"""The charter of conduct: one text, in the program and in its documents."""

from __future__ import annotations

import re

import pytest

from app.services.charter import CHARTER_VERSION, charter
from config import ROOT

_HEADINGS = {"fr": "### Français", "ar": "### العربية", "en": "### English"}


@pytest.mark.parametrize("language", _HEADINGS)
def test_page_says_what_the_document_says(language: str) -> None:
    document = (ROOT / "docs" / "charter.md").read_text(encoding="utf-8")
    section = document.partition(f"## Version {CHARTER_VERSION}\n")[2].partition("\n## ")[0]
    written = section.partition(_HEADINGS[language])[2].partition("\n### ")[0]
    assert list(charter(language)) == re.findall(r"^\d+\. (.+)$", written, re.MULTILINE)
    assert len(charter(language)) == 9
