"""Reading and writing files: what is refused says where, and in which words."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import matching
from matching.problem import Window


@pytest.fixture
def good(make: Any) -> dict[str, Any]:
    return make.document(
        [make.tutor(tags=["woman"])],
        [make.household(phones=2)],
        [
            make.request(
                lessons_per_week=2,
                weight=3,
                needs=["woman"],
                previous_tutor="V1",
                preferred=[["mon", "19:00", "24:00"]],
            ),
            make.request("R2"),
        ],
        pins=[
            {
                "request": "R1",
                "tutor": "V1",
                "starts": [["mon", "18:30"], ["tue", "18:00"]],
                "channel": "call",
                "language": "fr",
                "group": "G7",
            }
        ],
        vetoes=[{"request": "R2", "tutor": "V1"}],
    )


def test_problem_written_again_is_the_same(good: dict[str, Any]) -> None:
    problem = matching.read_problem(good)
    assert matching.problem_to_json(problem) == good
    assert problem.requests[0].preferred == (Window(1140, 1440),)


def test_problem_is_read_gzipped_or_not_and_with_a_byte_order_mark(
    good: dict[str, Any], tmp_path: Path
) -> None:
    problem = matching.read_problem(good)
    data = json.dumps(good).encode()
    (tmp_path / "p.json.gz").write_bytes(gzip.compress(data))
    (tmp_path / "p.json").write_bytes(b"\xef\xbb\xbf" + data)
    assert matching.read_problem(tmp_path / "p.json.gz") == problem
    assert matching.read_problem(str(tmp_path / "p.json")) == problem
    assert matching.read_problem(data) == problem


REMOVE = object()


def changed(document: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(document)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if value is REMOVE:
        del place[path[-1]]
    elif path[-1] == "+":
        place.append(value)
    else:
        place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format"], "x", "format: expected 'n9raw-problem/1', found 'x'"),
        (["format"], REMOVE, "format: missing"),
        (["colour"], 1, "colour: unknown key"),
        (["tutors", 0, "colour"], 1, "tutors[0].colour: unknown key"),
        (["tutors", 0, "teaches", 0, "x"], 1, "tutors[0].teaches[0].x: unknown key"),
        (["channels", "call", "x"], 1, "channels.call.x: unknown key"),
        (["pins", 0, "x"], 1, "pins[0].x: unknown key"),
        (["tutors", 0, "languages"], REMOVE, "tutors[0].languages: missing"),
        (["tutors", 0, "available"], REMOVE, "tutors[0].available: missing"),
        (
            ["tutors", 0, "available", 0],
            ["mon", "20:00", "18:00"],
            "tutors[0].available[0]: ends before it starts",
        ),
        (
            ["households", 0, "reachable", 0],
            ["mon", "20:00", "20:00"],
            "households[0].reachable[0]: ends when it starts",
        ),
        (
            ["tutors", 0, "available", 0],
            ["lun", "18:00", "20:00"],
            "tutors[0].available[0]: 'lun' is not a day (mon..sun)",
        ),
        (
            ["tutors", 0, "available", 0],
            ["mon", "18h", "20:00"],
            "tutors[0].available[0]: '18h' is not a time (HH:MM, up to 24:00)",
        ),
        (
            ["tutors", 0, "available", 0],
            ["mon", "18:00", "24:01"],
            "tutors[0].available[0]: '24:01' is not a time (HH:MM, up to 24:00)",
        ),
        (
            ["tutors", 0, "available", 0],
            ["mon", "18:00"],
            "tutors[0].available[0]: expected [day, start, end]",
        ),
        (["lesson_minutes"], 14, "lesson_minutes: 14 is not between 15 and 240"),
        (["lesson_minutes"], True, "lesson_minutes: expected a whole number"),
        (["lesson_minutes"], 60.0, "lesson_minutes: expected a whole number"),
        (["start_every"], 50, "start_every: 50 does not divide 1440"),
        (["start_every"], 0, "start_every: 0 is not between 1 and 1440"),
        (["channels", "call", "cost"], -1, "channels.call.cost: -1 is negative"),
        (["channels", "call", "max_group"], 0, "channels.call.max_group: 0 is not at least 1"),
        (["channels"], [], "channels: expected an object"),
        (["tutors"], {}, "tutors: expected a list"),
        (
            ["tutors", 0, "max_lessons_per_week"],
            -2,
            "tutors[0].max_lessons_per_week: -2 is negative",
        ),
        (["households", 0, "phones"], 0, "households[0].phones: 0 is not at least 1"),
        (["households", 0, "zone"], "", "households[0].zone: expected a text that is not empty"),
        (
            ["requests", 0, "lessons_per_week"],
            8,
            "requests[0].lessons_per_week: 8 is not between 1 and 7",
        ),
        (["requests", 0, "weight"], 0, "requests[0].weight: 0 is not at least 1"),
        (["requests", 0, "preferred"], None, "requests[0].preferred: expected a list"),
        (["requests", 1, "id"], "R1", "requests[1].id: 'R1' is already used"),
        (["requests", 0, "household"], "H9", "requests[0].household: no household 'H9'"),
        (["requests", 0, "previous_tutor"], "V9", "requests[0].previous_tutor: no tutor 'V9'"),
        (["tutors", 0, "channels"], ["fax"], "tutors[0].channels[0]: no channel 'fax'"),
        (["households", 0, "channels"], ["fax"], "households[0].channels[0]: no channel 'fax'"),
        (["pins", 0, "request"], "R9", "pins[0].request: no request 'R9'"),
        (["pins", 0, "tutor"], "V9", "pins[0].tutor: no tutor 'V9'"),
        (["pins", 0, "channel"], "fax", "pins[0].channel: no channel 'fax'"),
        (["pins", "+"], {"request": "R1", "tutor": "V1"}, "pins[1].request: 'R1' is pinned twice"),
        (
            ["pins", 0, "starts"],
            [["mon", "18:30"]],
            "pins[0].starts: 1 given, but the request has 2 a week",
        ),
        (
            ["pins", 0, "starts"],
            [["mon", "18:30"], ["mon", "20:00"]],
            "pins[0].starts: two lessons on one day",
        ),
        (
            ["pins", 0, "starts"],
            [["mon", "23:30"], ["tue", "00:00"]],
            "pins[0].starts: two lessons overlap",
        ),
        (
            ["pins", 0, "starts", 1],
            ["tue", "24:00"],
            "pins[0].starts[1]: no lesson starts at 24:00",
        ),
        (["vetoes", 0, "request"], "R9", "vetoes[0].request: no request 'R9'"),
        (["vetoes", 0, "tutor"], "V9", "vetoes[0].tutor: no tutor 'V9'"),
    ],
)
def test_bad_problem_is_refused_with_its_place(
    good: dict[str, Any], path: list[Any], value: Any, message: str
) -> None:
    with pytest.raises(matching.ProblemError) as error:
        matching.read_problem(changed(good, path, value))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "the file is not JSON: line 1 column 2: Expecting property name enclosed in"),
        (b"[]", "the file: expected an object"),
        (b"\xff", "the file is not UTF-8"),
        (gzip.compress(b"{}", mtime=0)[:-4], "the file is not whole gzip"),
        (b'{"a": 1, "a": 2}', "the key 'a' appears twice in one object"),
        (b"[" * 100_000, "the file is not JSON that can be read: nested too deep"),
    ],
)
def test_unreadable_bytes_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(matching.ProblemError) as error:
        matching.read_problem(data)
    assert str(error.value).startswith(message)


def test_plan_written_and_read_is_the_same(good: dict[str, Any], solved: Any) -> None:
    plan = solved(matching.read_problem(good))
    document = matching.plan_to_json(plan)
    assert matching.read_plan(json.dumps(document).encode()) == plan
    assert list(document) == [
        "format",
        "status",
        "levels",
        "bound",
        "objective",
        "zones",
        "seconds",
        "seed",
        "groups",
        "unserved",
        "impossible_pins",
        "advice",
    ]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["levels"], [], "levels: expected weight_served, zones, kept, cost, in this order"),
        (["status"], "good", "status: 'good' is neither 'optimal' nor 'feasible'"),
        (["levels", 0, "proved"], 1, "levels[0].proved: expected true or false"),
        (["groups", 0, "x"], 1, "groups[0].x: unknown key"),
        (["seconds"], -1, "seconds: expected a number that is not negative"),
    ],
)
def test_bad_plan_is_refused_with_its_place(
    good: dict[str, Any], solved: Any, path: list[Any], value: Any, message: str
) -> None:
    document = matching.plan_to_json(solved(matching.read_problem(good)))
    with pytest.raises(matching.PlanError) as error:
        matching.read_plan(changed(document, path, value))
    assert str(error.value) == message
