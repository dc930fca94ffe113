"""Small problems in which many ask for few places, drawn by Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]

DAYS = ["mon", "tue"]
CLOCKS = ["17:00", "17:30", "18:00", "18:30", "19:00", "19:30", "20:00", "20:30"]
CHANNELS = [["call"], ["whatsapp"], *[["call", "whatsapp"]] * 4]
LANGUAGES = [["darija", "fr"], ["fr"], *[["darija"]] * 4]

TEACHES = [
    [{"subject": "maths", "levels": ["1AC"]}],
    *[[{"subject": "maths", "levels": ["1AC", "2AC"]}, {"subject": "svt", "levels": ["1AC"]}]] * 2,
]


@st.composite
def windows(draw: st.DrawFn) -> list[list[str]]:
    """One to three windows of an hour and a half or longer; they may touch and overlap."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, len(CLOCKS) - 4))
        last = draw(st.integers(first + 3, len(CLOCKS) - 1))
        found.append([draw(st.sampled_from(DAYS)), CLOCKS[first], CLOCKS[last]])
    return found


# Times to be agreed later are the exception, but common enough to be met.
maybe_windows = st.integers(0, 5).flatmap(lambda n: windows() if n else st.none())


@st.composite
def tutors(draw: st.DrawFn, name: str) -> Document:
    return {
        "id": name,
        "teaches": draw(st.sampled_from(TEACHES)),
        "channels": draw(st.sampled_from(CHANNELS)),
        "languages": draw(st.sampled_from(LANGUAGES)),
        "available": draw(maybe_windows),
        "max_lessons_per_week": draw(st.integers(1, 4)),
        "tags": draw(st.sampled_from([[], ["woman"], ["woman"]])),
    }


@st.composite
def households(draw: st.DrawFn, name: str) -> Document:
    return {
        "id": name,
        "zone": draw(st.sampled_from(["Lagfaf", "Braksa"])),
        "channels": draw(st.sampled_from(CHANNELS)),
        "languages": draw(st.sampled_from(LANGUAGES)),
        "reachable": draw(maybe_windows),
        "phones": draw(st.sampled_from([1, 1, 2])),
    }


@st.composite
def requests(draw: st.DrawFn, name: str, homes: int) -> Document:
    home = draw(st.integers(0, homes - 1))
    # A child may live in two households, and count as one pupil.
    pupils = [f"P{home}{i}" for i in range(3)] + ["P"]
    return {
        "id": name,
        "pupil": draw(st.sampled_from(pupils)),
        "household": f"H{home}",
        "subject": draw(st.sampled_from(["maths", "maths", "maths", "svt"])),
        "level": draw(st.sampled_from(["1AC", "1AC", "1AC", "2AC"])),
        "lessons_per_week": draw(st.sampled_from([1, 1, 1, 2])),
        "weight": draw(st.integers(1, 4)),
        "needs": draw(st.sampled_from([[], [], [], [], ["woman"]])),
    }


@st.composite
def pins(draw: st.DrawFn, asked: list[Document], teaching: list[Document]) -> list[Document]:
    found = []
    chosen = st.lists(st.sampled_from(asked), max_size=3, unique_by=lambda request: request["id"])
    for request in draw(chosen):
        pin = {"request": request["id"], "tutor": draw(st.sampled_from(teaching))["id"]}
        if draw(st.booleans()):
            days = DAYS[: request["lessons_per_week"]]
            pin["starts"] = [[day, draw(st.sampled_from(["18:00", "18:10"]))] for day in days]
        if draw(st.booleans()):
            pin["channel"] = draw(st.sampled_from(["call", "whatsapp"]))
        if draw(st.booleans()):
            pin["group"] = draw(st.sampled_from(["A", "B"]))
        found.append(pin)
    return found


@st.composite
def crowded_problems(draw: st.DrawFn) -> Document:
    """A problem as a JSON document; `matching.read_problem` takes it."""
    teaching = [draw(tutors(f"V{i}")) for i in range(draw(st.integers(1, 3)))]
    homes = [draw(households(f"H{i}")) for i in range(draw(st.integers(1, 5)))]
    asked = [draw(requests(f"R{i}", len(homes))) for i in range(draw(st.integers(1, 12)))]
    vetoes = st.fixed_dictionaries(
        {
            "request": st.sampled_from([request["id"] for request in asked]),
            "tutor": st.sampled_from([tutor["id"] for tutor in teaching]),
        }
    )
    return {
        "format": "n9raw-problem/1",
        "lesson_minutes": draw(st.sampled_from([60, 60, 45])),
        "start_every": draw(st.sampled_from([30, 30, 60])),
        "channels": {
            "call": {"max_group": 1, "cost": 3},
            "whatsapp": {"max_group": draw(st.integers(1, 3)), "cost": 1},
        },
        "tutors": teaching,
        "households": homes,
        "requests": asked,
        "pins": draw(pins(asked, teaching)),
        "vetoes": draw(st.lists(vetoes, max_size=3)),
    }
