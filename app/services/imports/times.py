"""Weekly times: "lun, mer 18h-20h30; sam 9:00 à 11:30" and its like in three languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.i18n import plain_key
from app.models import Window
from app.services.imports.days import find_day
from app.services.imports.letters import ascii_digits
from app.services.imports.problems import BadCell, Code

Windows = tuple[Window, ...] | None
"""Weekly windows in order, none touching another; None where times are to be agreed."""

_END_OF_ITEM: Final = re.compile(r"[;؛\n]")
_EVERY_DAY: Final = re.compile(
    r"tous les jours|chaque jour|every ?day|daily|كل يوم|كل الأيام|كل الايام|يوميا", re.IGNORECASE
)
_TOKEN: Final = re.compile(
    r"""(?P<time>\d{1,2}
            (?:\s*(?P<mark>h(?:eures?|rs?|ours?)?(?![^\W\d_])|[:.٫])\s*
               (?P<minutes>\d{2}(?!\d))?(?::00(?!\d))?\s*(?:min(?![^\W\d_]))?)?)
      | (?P<dash>[-–—−‒―~→])
      | (?P<comma>[,،/+&|])
      | (?P<word>[^\W\d_]+(?:\.[^\W\d_]\b)?\.?)
      | (?P<colon>[:.])
      | (?P<space>\s+)
      | (?P<other>.)""",
    re.VERBOSE | re.IGNORECASE,
)


_VOWEL_SIGNS: Final = re.compile("[\u0640\u064b-\u0652]")


def _keys(names: str) -> frozenset[str]:
    return frozenset(plain_key(name) for name in names.split())


_TO: Final = _keys("à a au to until till إلى الى حتى jusqu'à jusqu'au")
_AND: Final = _keys("et and و plus")
_FILLING: Final = _keys("de du des d from le la les l entre between من يوم at on every chaque كل")
_MORNING: Final = _keys("am a.m ص صباحا صباح")
_EVENING: Final = _keys("pm p.m م مساء بعدالظهر")
_NOON: Final = 12
_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """day, days, time, half (of the day), to, and, end."""
    value: int = 0
    """The weekday; the minute of the day; for a half 0 or 720."""
    bare: bool = False
    """A time of which only a number is written, such as 18."""


@dataclass(frozen=True, slots=True)
class _Time:
    minute: int
    bare: bool
    half: int | None


def parse_windows(text: str) -> Windows:
    """The weekly windows in a text; None where it is empty. BadCell quotes what isn't understood.

    Days stand before their times, several of them with commas, "et", "and" or "و" between, or as a
    range. Times without a day belong to the days before them.
    """
    windows: list[Window] = []
    days: list[int] = []
    for item in _END_OF_ITEM.split(ascii_digits(text)):
        if item.strip(" ,،.-"):
            found, days = _Item(item.strip(" ,،")).read(days)
            windows += found
    return joined(windows) if windows else None


def _tokens(item: str) -> list[_Token]:
    tokens = []
    text = _EVERY_DAY.sub(" everyday ", _VOWEL_SIGNS.sub("", item))
    # "و" is written onto the word that follows it.
    text = re.sub(r"(^|\s)و(?=[^\W\d_]{2})", r"\1و ", text)
    for match in _TOKEN.finditer(text):
        token = _token(match)
        if token is not None:
            tokens.append(token)
    return [*tokens, _Token("end")]


def _token(match: re.Match[str]) -> _Token | None:
    if match["time"]:
        return _time_token(match)
    if match["dash"]:
        return _Token("to")
    if match["comma"]:
        return _Token("and")
    if match["word"]:
        return _word_token(match["word"])
    return _Token("other") if match["other"] else None


def _time_token(match: re.Match[str]) -> _Token:
    hours = int(re.match(r"\d+", match["time"])[0])  # type: ignore[index]
    minutes = int(match["minutes"] or 0)
    # A colon needs its minutes: "18:" is a slip.
    slip = match["mark"] is not None and match["mark"][0].lower() != "h" and not match["minutes"]
    minute = hours * 60 + minutes
    if slip or minutes >= 60 or minute > _DAY:
        return _Token("other")
    return _Token("time", minute, bare=match["mark"] is None)


def _word_token(word: str) -> _Token | None:
    key = plain_key(word)
    day = find_day(word)
    if day is not None:
        return _Token("day", day)
    if key == "everyday":
        return _Token("days")
    if key in _FILLING:
        return None
    for kind, names in (("to", _TO), ("and", _AND)):
        if key in names:
            return _Token(kind)
    if key in _MORNING or key in _EVENING:
        return _Token("half", 0 if key in _MORNING else 12 * 60)
    return _Token("other")


class _Item:
    """Reads the tokens between two semicolons."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def read(self, days: list[int]) -> tuple[list[Window], list[int]]:
        """The windows, and the days that times without a day would belong to from here on."""
        windows: list[Window] = []
        while self._next.kind != "end":
            if self._next.kind in ("day", "days"):
                days = self._days()
            if not days:
                raise self._unclear()
            start, end = self._times()
            windows += [(day, start, end) for day in days]
            while self._next.kind == "and":
                self.at += 1
        return windows, days

    @property
    def _next(self) -> _Token:
        return self.tokens[self.at]

    def _unclear(self, code: Code = Code.NOT_A_WINDOW) -> BadCell:
        return BadCell(code, item=self.text)

    def _take(self, kind: str) -> _Token:
        token = self._next
        if token.kind != kind:
            raise self._unclear()
        self.at += 1
        return token

    def _days(self) -> list[int]:
        days: list[int] = []
        while self._next.kind in ("day", "days"):
            if self._next.kind == "days":
                days += range(7)
                self.at += 1
            else:
                days += self._day_or_range()
            # "lun, mer", "lun et mer", and "lundi à 18h", "lun - 18:00".
            if self._next.kind == "and" or (self._next.kind == "to" and self._after("time")):
                self.at += 1
        return days

    def _after(self, kind: str) -> bool:
        return self.tokens[self.at + 1].kind == kind

    def _day_or_range(self) -> list[int]:
        first = self._take("day").value
        if not (self._next.kind == "to" and self._after("day")):
            return [first]
        self.at += 1
        last = self._take("day").value
        # The week has no first day that all agree on: Friday to Sunday, Sunday to Tuesday.
        return [day % 7 for day in range(first, last + 1 if last >= first else last + 8)]

    def _times(self) -> tuple[int, int]:
        first = self._time()
        # "entre 18h et 20h"
        if self._next.kind not in ("to", "and"):
            raise self._unclear()
        self.at += 1
        last = self._time()
        start, end = self._minutes(first, last)
        if end == 0 < start:
            end = _DAY
        if end <= start:
            raise self._unclear(Code.WINDOW_BACKWARDS)
        return start, end

    def _time(self) -> _Time:
        token = self._take("time")
        half = None
        if self._next.kind == "half":
            half = self._take("half").value
        return _Time(token.value, token.bare, half)

    def _minutes(self, first: _Time, last: _Time) -> tuple[int, int]:
        if first.half is None and last.half is None:
            on_clock = not (first.bare and last.bare) or max(first.minute, last.minute) > 12 * 60
            if not on_clock:
                raise self._unclear(Code.HALF_DAY_UNCLEAR)
            return first.minute, last.minute
        end = self._of_half(last)
        if first.half is not None or not first.bare:
            return self._of_half(first), end
        # "6-8pm" is the evening for both; "10-1pm" might be either.
        start = self._of_half(_Time(first.minute, first.bare, last.half))
        if start >= end:
            raise self._unclear(Code.HALF_DAY_UNCLEAR)
        return start, end

    def _of_half(self, time: _Time) -> int:
        if time.half is None:
            return time.minute
        if not 60 <= time.minute < 13 * 60:
            raise self._unclear()
        return time.minute % (_NOON * 60) + time.half


def joined(windows: list[Window]) -> tuple[Window, ...]:
    """Windows in order, those that touch or overlap made one."""
    result: list[Window] = []
    for day, start, end in sorted(windows):
        if result and result[-1][0] == day and start <= result[-1][2]:
            result[-1] = (day, result[-1][1], max(end, result[-1][2]))
        else:
            result.append((day, start, end))
    return tuple(result)


def time_of_cell(text: str) -> str:
    """The text of a cell that holds one time: a spreadsheet may have kept it as part of a day."""
    number = ascii_digits(text).strip().replace(",", ".").replace("٫", ".")
    if re.fullmatch(r"0?\.\d+", number):
        # Four digits or fewer are hours and minutes: 0.30 is half past midnight to nobody.
        minutes = round(float(number) * _DAY)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{number}h" if number.isdecimal() else text
