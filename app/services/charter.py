"""The charter of conduct that every volunteer reads and accepts; docs/charter.md holds it too."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

CHARTER_VERSION: Final = "2026-11"
"""The version that is accepted now; a text that changes gets a new one, with files of its own."""
_TEXTS: Final = Path(__file__).resolve().parent.parent / "data" / "charter"


@cache
def charter(language: str, version: str = CHARTER_VERSION) -> tuple[str, ...]:
    """The rules of the charter in "fr", "ar" or "en", one paragraph each."""
    written = (_TEXTS / f"{version}.{language}.txt").read_text(encoding="utf-8")
    return tuple(" ".join(rule.split()) for rule in written.strip().split("\n\n"))
