"""Finding people by a name as somebody types it: Latin or Arabic letters, part of it, any order.

Names are compared here and not in SQL, since the databases disagree on accents and Arabic.

What is written alike but for accents, case and spaces comes first. After that comes what sounds
alike (`sounds`): a word is brought to its consonants, in one alphabet for both scripts, and the
vowel that it ends with. Arabic does not write short vowels, and French spells one sound in several
ways, so vowels inside a word are left out: Youssef, Yousef and يوسف are all "ysf". The last vowel
stays, since it parts Ali from Alae and Amine from Amina.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

from app.i18n import plain_key

SAME: Final = 0
"""The name, or a word of it, is what was typed."""
PART: Final = 1
"""What was typed is a part of the name."""
SOUND: Final = 2
"""The name sounds like what was typed."""

Sound = tuple[str, str]
"""(consonants, the vowel at the end: "a", "i", "u", "ya", "wa", "wi" or none)."""

_SEPARATOR: Final = re.compile(r"[\s\-‐-―_.,;/()]+")
_MOST_WORDS: Final = 12
_MOST_SOUNDS: Final = 16
_SHORTEST_PART: Final = 3
"""Consonants that part of a word must have to be found by its sound."""
# Written with the next word, or with the one before, as often as apart: Ben Ali, Nour Eddine.
_BEFORE: Final = frozenset(
    ["abd", "abdel", "abdal", "abdul", "ben", "bin", "bou", "abou", "عبد", "بن", "ابن", "بو", "ابو"]
)
_AFTER: Final = frozenset(("eddine", "edine", "addine", "eddin", "الدين"))
_ARTICLES: Final = ("el", "al", "ال")
_SHORTEST_AFTER_ARTICLE: Final = {"el": 4, "al": 4, "ال": 3}


@dataclass(frozen=True, slots=True)
class _Name:
    raw: str
    """All of it as one plain key."""
    words: tuple[str, ...]
    keys: tuple[str, ...]
    """The words as plain keys."""


def rank(searched: str, name: str) -> int | None:
    """How a person's name fits what was typed: SAME, PART or SOUND; None where it does not."""
    asked, known = _read(searched), _read(name)
    if not asked.keys:
        return PART
    if asked.raw in (known.raw, *known.keys) or sorted(asked.keys) == sorted(known.keys):
        return SAME
    if asked.raw in known.raw or all(any(a in key for key in known.keys) for a in asked.keys):
        return PART
    if _sounds_like(_whole(asked.words), _whole(known.words)) or all(
        any(_sounds_like(sounds(word), sounds(other)) for other in known.words)
        for word in asked.words
    ):
        return SOUND
    return None


@lru_cache(maxsize=20_000)
def sounds(word: str) -> frozenset[Sound]:
    """How a word without accents may sound; several where its letters leave it open."""
    if any("\u0600" <= sign <= "\u06ff" for sign in word):
        return frozenset(sound for form in _arabic_forms(word) for sound in _arabic_sounds(form))
    return frozenset(sound for form in _latin_forms(word) for sound in _latin_sounds(form))


@lru_cache(maxsize=20_000)
def _whole(words: tuple[str, ...]) -> frozenset[Sound]:
    """How the words sound when they are written as one, such as Fatimazahra."""
    combined = list(product(*map(sounds, words)))[:_MOST_SOUNDS] if words else []
    return frozenset(("".join(head for head, _end in one), one[-1][1]) for one in combined)


def _sounds_like(asked: frozenset[Sound], known: frozenset[Sound]) -> bool:
    return bool(asked & known) or any(
        len(part) >= _SHORTEST_PART and head.startswith(part) and (len(head) > len(part) or not end)
        for part, end in asked
        for head, _end in known
    )


@lru_cache(maxsize=20_000)
def _read(text: str) -> _Name:
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("ـ", ""))
    plain = "".join(
        sign
        for sign in decomposed
        if not unicodedata.combining(sign) and (sign.isalnum() or _SEPARATOR.fullmatch(sign))
    )
    words: list[str] = []
    parts = _SEPARATOR.split(plain)
    for part in filter(None, parts):
        if words and (words[-1] in _BEFORE or part in _AFTER):
            words[-1] += part
        elif words and words[-1] in _ARTICLES:
            words[-1] = part
        else:
            words.append(part)
    known = tuple(words[:_MOST_WORDS])
    return _Name("".join(map(_key, parts)), known, tuple(map(_key, known)))


_key = lru_cache(maxsize=20_000)(plain_key)


def _without_article(word: str) -> str | None:
    for article in _ARTICLES:
        rest = word.removeprefix(article)
        if rest != word and len(rest) >= _SHORTEST_AFTER_ARTICLE[article]:
            return rest
    return None


# Latin letters, as French, Arabic names in French and telephones' Arabic (3ali) are written.

_DIGITS: Final = str.maketrans({"2": "", "3": "", "5": "kh", "6": "t", "7": "h", "9": "k"})
_LATIN: Final = (
    # The article's l before such a letter is spoken as that letter: Abdelrahim, Abderrahim.
    (re.compile(r"^(abd)[aeu]l(?=[cdlnrstz])"), r"\1e"),
    (re.compile(r"^(?:y|i(?=[ao]))(?=[aeiou])"), "Y"),
    (re.compile(r"^(?:w|ou(?=[aeiy]))"), "W"),
    (re.compile(r"t?ch|sch|sh"), "C"),
    (re.compile(r"kh"), "X"),
    (re.compile(r"gh|gu(?=[eiy])"), "G"),
    (re.compile(r"dj|j|g(?=[eiy])"), "J"),
    (re.compile(r"th"), "T"),
    (re.compile(r"dh"), "D"),
    (re.compile(r"ph|v"), "F"),
    (re.compile(r"c(?=[eiy])"), "S"),
    (re.compile(r"qu|ck|[cq]"), "K"),
    (re.compile(r"p"), "B"),
    (re.compile(r"x"), "KS"),
    (re.compile(r"[aeiouwy]+"), "."),
)
_LAST_VOWELS: Final = re.compile(r"[aeiouwy]*$")
_LATIN_ENDS: Final = (
    (re.compile(r"(?:ou|w|u)(?:a|ae|aa)$"), "wa"),
    (re.compile(r"(?:ou|w)[iy]$"), "wi"),
    (re.compile(r"[iy](?:a|ae|aa)$"), "ya"),
    (re.compile(r"(?:a|ae)$"), "a"),
    (re.compile(r"(?:[iy]|[eiy]e)$"), "i"),
    (re.compile(r"(?:[ouw]|[ou]e)$"), "u"),
)


def _latin_forms(word: str) -> list[str]:
    plain = word if word.isdecimal() else word.translate(_DIGITS)
    rest = _without_article(plain)
    return [plain] if rest is None else [plain, rest]


def _latin_sounds(word: str) -> list[Sound]:
    # Fatimah ends with a vowel, Salah with an h; nobody can tell.
    return [_latin_sound(form) for form in {word, re.sub(r"ah$", "a", word)}]


def _latin_sound(word: str) -> Sound:
    vowels = _LAST_VOWELS.search(word)
    last = vowels[0] if vowels else ""
    head = word.removesuffix(last) if last != word else ""
    for pattern, consonant in _LATIN:
        head = pattern.sub(consonant, head)
    return re.sub(r"(\w)\1+", r"\1", head.lower()).replace(".", ""), _latin_end(last)


def _latin_end(last: str) -> str:
    return next((end for pattern, end in _LATIN_ENDS if pattern.search(last)), "")


# Arabic letters

_ARABIC: Final = str.maketrans(
    dict(zip("بتثجحخدذرزسشصضطظغفقكلمنهگڭپڤچ", "bttjhxddrzscsdtdgfkklmnhggbfc", strict=True))
    | dict.fromkeys("اويىةء", "")
)
_SUN_LETTERS: Final = "تثدذرزسشصضطظلن"
_ARTICLE_INSIDE: Final = (
    (re.compile(f"^(عبد)ال(?=[{_SUN_LETTERS}])"), r"\1"),
    (re.compile("(?<=..)الدين$"), "دين"),
    (re.compile(f"^ال(?=[{_SUN_LETTERS}])"), "ا"),
)
_ARABIC_ENDS: Final = (
    (re.compile("ي[اةهى]$"), ("ya",)),
    (re.compile("و[اةه]$"), ("wa",)),
    (re.compile("وى$"), ("wa", "wi")),
    (re.compile("وي$"), ("wi",)),
    (re.compile("[اةه]$"), ("a",)),
    (re.compile("ى$"), ("a", "i")),
    (re.compile("ي$"), ("i",)),
    (re.compile("و$"), ("u",)),
)


def _arabic_forms(word: str) -> list[str]:
    # An ain is not heard in Latin letters; at the beginning it carries the vowel.
    plain = re.sub("^ع", "ا", word).replace("ٱ", "ا")
    plain = plain[:1] + plain[1:].replace("ع", "").removesuffix("ء")
    if word.startswith("عبد"):
        plain = "عبد" + plain[3:]
    rest = _without_article(plain)
    return [plain] if rest is None else [plain, rest]


def _arabic_sounds(word: str) -> list[Sound]:
    for pattern, shorter in _ARTICLE_INSIDE:
        word = pattern.sub(shorter, word)
    found = next(((pattern, ends) for pattern, ends in _ARABIC_ENDS if pattern.search(word)), None)
    if found is None:
        return [(_consonants(word), "")]
    pattern, ends = found
    spoken = [(_consonants(pattern.sub("", word)), end) for end in ends]
    # عبد الله ends like Abdella, شبيه with an h.
    return [*spoken, (_consonants(word), "")] if word.endswith("ه") else spoken


def _consonants(word: str) -> str:
    first = {"و": "w", "ي": "y"}.get(word[:1], "")
    return first + word.replace("ع", "").translate(_ARABIC)
