"""Which words somebody may have written, and which a wrong character set made."""

from __future__ import annotations

import pytest

from app.services.imports.letters import looks_written


@pytest.mark.parametrize("word", ["Aïcha", "•Aïcha", "ÉLÈVES", "l’été", "عائشة", "ⴰⵎⴰⵣⵉⵖ"])
def test_word_that_somebody_wrote_looks_written(word: str) -> None:
    assert looks_written(word)


@pytest.mark.parametrize("word", ["A•cha", "A\ufffdcha", "prÉnom", "ÃÄ"])
def test_word_of_another_character_set_does_not(word: str) -> None:
    assert not looks_written(word)
