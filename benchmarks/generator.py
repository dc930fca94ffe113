"""Make a problem that resembles the files in benchmarks/instances, of any size and seed.

    python -m benchmarks.generator --pupils 1000 --seed 7 --tightness 2.5 --out made.json.gz

A zone has a language and a network: in some most families can only be called, in others most have
WhatsApp. Families share their phones, can be reached on some evenings and at weekends, ask for the
first subjects most, and for more weight in exam classes. Tutors teach one to three subjects at
adjacent levels, for four to six hours a week of which they give three to five. Tightness is the
lessons asked over the lessons that the tutors give; the files have 2.1 (pilots) to 2.5 (k10).

The same arguments give the same bytes. All that is random comes from one seeded generator.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from random import Random
from typing import Any

from matching.io import write

Json = dict[str, Any]
Odds = Mapping[Any, float]
Hours = tuple[int, int]  # minutes of a day, from and to

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
WEEKEND = ("sat", "sun")
LESSON = 60
CHANNELS = {
    "call": {"max_group": 1, "cost": 3},
    "whatsapp": {"max_group": 4, "cost": 1},
    "video": {"max_group": 4, "cost": 2},
}
COMMON_LANGUAGE = "l0"
ZONE_LANGUAGES = ("l1", "l2", "l3", "l4")

# How often the whole hours of a day are offered, by the hour.
TUTOR_WEEKDAY = {16: 16, 17: 29, 18: 35, 19: 26, 20: 8}
TUTOR_WEEKEND = dict.fromkeys(range(8, 20), 8)
FAMILY_WEEKDAY = {16: 25, 17: 35, 18: 25, 19: 15}
FAMILY_WEEKEND = (8, 10, 14, 16, 18)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is made. Shares are between 0 and 1."""

    pupils: int
    seed: int = 0
    tightness: float = 2.5  # lessons asked over lessons that tutors give
    every: int = 60  # minutes between possible starts; 30 moves some windows by half an hour
    two_lessons: float = 0.0  # share of requests for two lessons a week
    needs: float = 0.0  # share of pupils who need a tutor with a tag that half of them have
    untimed: float = 0.0  # share of households and of tutors whose times are agreed later
    two_phones: float = 0.0  # share of households
    previous: float = 0.0  # share of requests that name a previous tutor
    preferred: float = 0.0  # share of requests that like some of their windows best
    pins: int = 0  # agreements between a request and a tutor who teaches it
    vetoes: float = 0.01  # share of requests with a veto against somebody who teaches it


def generate(shape: Shape) -> Json:
    """A problem as the JSON of docs/problem-format.md."""
    return _Maker(shape).problem()


@dataclass(frozen=True, slots=True)
class _Zone:
    name: str
    language: str
    offline: float  # share of families who can only be called


class _Maker:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.random = Random(f"{shape.seed} {shape.pupils}")
        # Few pupils come from few places and want few things, as in the files.
        subjects = round(2 * math.log10(max(shape.pupils, 10)))
        levels = round(1.5 * shape.pupils**0.225)
        self.subjects = [f"s{i}" for i in range(min(8, subjects))]
        self.subject_odds = [0.76**i for i in range(len(self.subjects))]
        self.levels = [f"g{i}" for i in range(min(12, max(2, levels)))]
        middle = len(self.levels) // 2
        self.level_odds = [1.6 if abs(i - middle) <= 1 else 1.0 for i in range(len(self.levels))]
        self.exams = {self.levels[middle - 1], self.levels[-1]}
        self.most_levels = max(3, middle - 1)
        self.zones = [self._zone(i) for i in range(max(9, round(0.6 * shape.pupils**0.5)))]
        self.zone_odds = [0.1 + self.random.random() ** 2 for _ in self.zones]
        self.teachers: dict[tuple[str, str], list[Json]] = defaultdict(list)

    def problem(self) -> Json:
        households, requests = self._families()
        tutors = self._tutors(requests)
        homes = {household["id"]: household for household in households}
        self._name_previous_tutors(requests)
        return {
            "format": "n9raw-problem/1",
            "lesson_minutes": LESSON,
            "start_every": self.shape.every,
            "channels": CHANNELS,
            "tutors": tutors,
            "households": households,
            "requests": requests,
            "pins": self._pins(requests, homes),
            "vetoes": self._vetoes(requests),
        }

    # --- chance

    def _happens(self, share: float) -> bool:
        return self.random.random() < share

    def _one_of(self, odds: Odds) -> Any:
        return self.random.choices(list(odds), list(odds.values()))[0]

    def _some_of(self, odds: Odds, count: int) -> list[Any]:
        """So many different keys, each drawn by its odds among those left."""
        left = dict(odds)
        drawn = []
        for _ in range(min(count, len(left))):
            drawn.append(self._one_of(left))
            del left[drawn[-1]]
        return drawn

    def _half_hour(self) -> int:
        """Minutes by which a window is late; on a grid of hours none."""
        return 30 if self.shape.every < LESSON and self._happens(0.35) else 0

    # --- families

    def _zone(self, i: int) -> _Zone:
        return _Zone(f"Z{i}", self.random.choice(ZONE_LANGUAGES), 0.1 + 0.6 * self.random.random())

    def _families(self) -> tuple[list[Json], list[Json]]:
        households: list[Json] = []
        requests: list[Json] = []
        pupils = 0
        while pupils < self.shape.pupils:
            home = self._household(f"H{len(households)}")
            households.append(home)
            siblings = self._one_of({1: 68, 2: 22, 3: 8, 4: 2})
            for _ in range(min(siblings, self.shape.pupils - pupils)):
                self._ask(f"P{pupils}", home, requests)
                pupils += 1
        return households, requests

    def _household(self, name: str) -> Json:
        (zone,) = self.random.choices(self.zones, self.zone_odds)
        return {
            "id": name,
            "zone": zone.name,
            "channels": self._family_channels(zone),
            "languages": self._family_languages(zone),
            "reachable": None if self._happens(self.shape.untimed) else self._family_windows(),
            "phones": 2 if self._happens(self.shape.two_phones) else 1,
        }

    def _family_channels(self, zone: _Zone) -> list[str]:
        if self._happens(zone.offline):
            return ["call"]
        called, seen = self._happens(0.92), self._happens(0.29)
        return [*["call"] * called, "whatsapp", *["video"] * seen]

    def _family_languages(self, zone: _Zone) -> list[str]:
        spoken = {zone.language}
        if self._happens(0.85):
            spoken.add(COMMON_LANGUAGE)
        if self._happens(0.13):
            spoken.add(self.random.choice(ZONE_LANGUAGES))
        return sorted(spoken)

    def _family_windows(self) -> list[list[str]]:
        """One window on each of some days: the same hours on weekdays, others at weekends."""
        often = 0.3 + 0.6 * self.random.random()
        usual = self._evening()
        while True:
            hours: dict[str, list[Hours]] = {}
            for day in WEEKDAYS:
                if self._happens(often):
                    hours[day] = [usual if self.shape.every == LESSON else self._evening()]
            for day in WEEKEND:
                if self._happens(0.6):
                    start = 60 * self.random.choice(FAMILY_WEEKEND) + self._half_hour()
                    hours[day] = [(start, start + 60 * self.random.choice((2, 3, 4)))]
            if hours:
                return _windows(hours)

    def _evening(self) -> Hours:
        start = 60 * int(self._one_of(FAMILY_WEEKDAY)) + self._half_hour()
        return start, start + 60 * self.random.choice((2, 3))

    def _ask(self, pupil: str, home: Json, requests: list[Json]) -> None:
        (level,) = self.random.choices(self.levels, self.level_odds)
        weight = 3 if level in self.exams and self._happens(0.7) else 1
        needy = self._happens(self.shape.needs)
        odds = dict(zip(self.subjects, self.subject_odds, strict=True))
        for subject in self._some_of(odds, self._one_of({1: 62, 2: 28, 3: 10})):
            request: Json = {
                "id": f"R{len(requests)}",
                "pupil": pupil,
                "household": home["id"],
                "subject": subject,
                "level": level,
                "lessons_per_week": 2 if self._happens(self.shape.two_lessons) else 1,
                "weight": weight,
            }
            if needy:
                request["needs"] = ["woman"]
            if home["reachable"] and self._happens(self.shape.preferred):
                most = min(3, len(home["reachable"]))
                request["preferred"] = self.random.sample(
                    home["reachable"], self.random.randint(1, most)
                )
            requests.append(request)

    # --- tutors

    def _tutors(self, requests: Sequence[Json]) -> list[Json]:
        """As many as it takes to give the lessons asked, divided by the tightness."""
        wanted = sum(request["lessons_per_week"] for request in requests) / self.shape.tightness
        tutors: list[Json] = []
        given = 0
        while given < wanted:
            tutor = self._tutor(f"T{len(tutors)}")
            given += tutor["max_lessons_per_week"]
            tutors.append(tutor)
        return tutors

    def _tutor(self, name: str) -> Json:
        hours = self.random.randint(4, 6)
        timed = not self._happens(self.shape.untimed)
        tutor: Json = {
            "id": name,
            "teaches": self._teaches(),
            "channels": self._tutor_channels(),
            "languages": self._tutor_languages(),
            "available": self._tutor_windows(hours) if timed else None,
            "max_lessons_per_week": self.random.randint(3, min(5, hours)),
        }
        if self.shape.needs and self._happens(0.5):
            tutor["tags"] = ["woman"]
        for teaching in tutor["teaches"]:
            for level in teaching["levels"]:
                self.teachers[teaching["subject"], level].append(tutor)
        return tutor

    def _teaches(self) -> list[Json]:
        odds = dict(zip(self.subjects, self.subject_odds, strict=True))
        subjects = self._some_of(odds, self._one_of({1: 36, 2: 44, 3: 20}))
        return [{"subject": s, "levels": self._adjacent_levels()} for s in sorted(subjects)]

    def _adjacent_levels(self) -> list[str]:
        count = min(self.random.randint(2, self.most_levels), len(self.levels))
        first = self.random.randint(0, len(self.levels) - count)
        return self.levels[first : first + count]

    def _tutor_channels(self) -> list[str]:
        while True:
            odds = {"call": 0.86, "whatsapp": 0.86, "video": 0.35}
            channels = [channel for channel, share in odds.items() if self._happens(share)]
            if channels:
                return channels

    def _tutor_languages(self) -> list[str]:
        common = [COMMON_LANGUAGE] if self._happens(0.985) else []
        others = [language for language in ZONE_LANGUAGES if self._happens(0.13)]
        return common + others or [self.random.choice(ZONE_LANGUAGES)]

    def _tutor_windows(self, hours: int) -> list[list[str]]:
        odds = {(day, hour): n for day in WEEKDAYS for hour, n in TUTOR_WEEKDAY.items()}
        odds |= {(day, hour): n for day in WEEKEND for hour, n in TUTOR_WEEKEND.items()}
        by_day: dict[str, list[Hours]] = defaultdict(list)
        for day, hour in self._some_of(odds, hours):
            start = 60 * hour + self._half_hour()
            by_day[day].append((start, start + LESSON))
        return _windows(by_day)

    # --- what has been agreed or ruled out

    def _teacher(self, request: Json) -> Json | None:
        teachers = self.teachers.get((request["subject"], request["level"]))
        return self.random.choice(teachers) if teachers else None

    def _name_previous_tutors(self, requests: Iterable[Json]) -> None:
        for request in requests:
            if self._happens(self.shape.previous):
                tutor = self._teacher(request)
                if tutor:
                    request["previous_tutor"] = tutor["id"]

    def _pins(self, requests: Sequence[Json], homes: dict[str, Json]) -> list[Json]:
        """Of requests drawn at random those whose drawn tutor speaks to the household."""
        pins: list[Json] = []
        for request in self.random.sample(requests, len(requests)):
            if len(pins) == self.shape.pins:
                break
            tutor, home = self._teacher(request), homes[request["household"]]
            if tutor and all({*tutor[key]} & {*home[key]} for key in ("channels", "languages")):
                pins.append({"request": request["id"], "tutor": tutor["id"]})
        return pins

    def _vetoes(self, requests: Iterable[Json]) -> list[Json]:
        drawn = [request for request in requests if self._happens(self.shape.vetoes)]
        pairs = [(request["id"], self._teacher(request)) for request in drawn]
        return [{"request": name, "tutor": tutor["id"]} for name, tutor in pairs if tutor]


def _windows(by_day: dict[str, list[Hours]]) -> list[list[str]]:
    """Windows in the order of the week, those that touch or overlap made one."""
    windows = []
    for day in (*WEEKDAYS, *WEEKEND):
        joined: list[Hours] = []
        for start, end in sorted(by_day.get(day, ())):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        windows += [[day, _clock(start), _clock(end)] for start, end in joined]
    return windows


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def main(arguments: Sequence[str]) -> int:
    """Write one problem; every field of `Shape` is an option."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.generator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pupils", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json.gz")
    for field in fields(Shape)[1:]:
        kind = type(field.default)
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
    options = vars(parser.parse_args(arguments))
    out = options.pop("out")
    write(out, generate(Shape(**options)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
