"""Which character set a text file is in: found by rules, never by chance, else refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.services.imports.letters import is_mostly_common, odd_words
from app.services.imports.problems import Code, Problem, UnreadableFile

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8", "UTF-8"),
    (b"\xff\xfe", "utf-16-le", "UTF-16"),
    (b"\xfe\xff", "utf-16-be", "UTF-16"),
)
_WINDOWS: Final = (("cp1252", "Windows-1252"), ("cp1256", "Windows-1256"))
# What Excel saves as "CSV (Macintosh)" and "CSV (MS-DOS)".
_RARE: Final = (("mac_roman", "Macintosh"), ("cp850", "DOS 850"))


def decode(content: bytes) -> tuple[str, str]:
    """The text and the name of its character set. Raises UnreadableFile where none fits.

    A byte order mark decides. Without one, zero bytes mean UTF-16, and what is valid UTF-8 is
    UTF-8. Else that set is taken in which every word looks written by somebody; where two sets
    fit and say different things, none is.
    """
    for mark, codec, name in _MARKS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], codec), name
    if b"\0" in content:
        return _unmarked_utf16(content), "UTF-16"
    try:
        return content.decode(), "UTF-8"
    except UnicodeDecodeError:
        return _one_byte(content)


def _strictly(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        raise UnreadableFile(Problem(Code.NOT_DECODED)) from None


def _unmarked_utf16(content: bytes) -> str:
    """UTF-16 whose ASCII half shows which byte comes first."""
    for codec in ("utf-16-le", "utf-16-be"):
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        # In the other byte order separators and line ends turn into signs of far scripts.
        if "\0" not in text and is_mostly_common(text):
            return text
    raise UnreadableFile(Problem(Code.NOT_TEXT))


def _one_byte(content: bytes) -> tuple[str, str]:
    windows = _readings(content, _WINDOWS)
    fitting = [(text, name) for text, name, odd in windows if not odd]
    if fitting:
        # French alone reads the same in both.
        return fitting[0]
    rare = _readings(content, _RARE)
    fitting = [(text, name) for text, name, odd in rare if not odd]
    if fitting and len({text for text, _name in fitting}) == 1:
        return fitting[0]
    if fitting or not windows:
        raise UnreadableFile(Problem(Code.NOT_DECODED))
    text, _name, odd = min(windows, key=lambda reading: len(reading[2]))
    row = text[: text.index(odd[0])].count("\n") + 1
    raise UnreadableFile(Problem(Code.NOT_DECODED_WORD, values=(("row", row), ("word", odd[0]))))


def _readings(
    content: bytes, codecs: Iterable[tuple[str, str]]
) -> list[tuple[str, str, list[str]]]:
    """The text in each character set that has all its bytes, the set's name, and odd words."""
    readings = []
    for codec, name in codecs:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        readings.append((text, name, odd_words(text)))
    return readings
