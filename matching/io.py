"""Reading and writing problems and plans as JSON (docs/problem-format.md).

Every error names the place it was found at, as in
`tutors[3].available[0]: ends before it starts`.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from matching.plan import (
    LEVEL_NAMES,
    Advice,
    Exchange,
    Group,
    ImpossiblePin,
    Level,
    LevelValue,
    Objective,
    Plan,
    Unserved,
    ZoneFigure,
)
from matching.problem import (
    MINUTES_A_DAY,
    MINUTES_A_WEEK,
    Channel,
    Household,
    Minute,
    Pin,
    Problem,
    Request,
    Teaching,
    Tutor,
    Veto,
    Window,
)

PROBLEM_FORMAT = "n9raw-problem/1"
PLAN_FORMAT = "n9raw-plan/1"
PLAN_KEYS = (
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
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# No weight, cost or count of a problem is larger, so that no sum of them leaves 64 bits.
MOST = 1_000_000_000
GZIP_MAGIC = b"\x1f\x8b"
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)

T = TypeVar("T")
Source = str | Path | bytes | dict[str, Any]


class FormatError(ValueError):
    """A file that does not say what its format requires; the message names the place."""


class ProblemError(FormatError):
    """A problem that can't be read."""


class PlanError(FormatError):
    """A plan that can't be read."""


def read_problem(source: Source) -> Problem:
    """A problem from a path (gzipped or not), from bytes, or from parsed JSON.

    Raises ProblemError for what the format does not allow, OSError if the file can't be read.
    """
    try:
        return _problem(_load(source))
    except ProblemError:
        raise
    except FormatError as error:
        raise ProblemError(str(error)) from None


def read_plan(source: Source) -> Plan:
    """A plan from a path (gzipped or not), from bytes, or from parsed JSON.

    Only the shape is checked here; `matching.check` says whether the plan is right.
    """
    try:
        return _plan(_load(source))
    except FormatError as error:
        raise PlanError(str(error)) from None


def write(path: str | Path, document: dict[str, Any]) -> None:
    """Write parsed JSON as a whole or not at all; gzipped if the name ends in .gz.

    One line for each key, and for each item of a list of objects or lists.
    """
    path = Path(path)
    data = "".join(_lines(document)).encode()
    if path.name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(data)
    partial.replace(path)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    before = "{"
    for key, value in document.items():
        yield f"{before}\n {encode(key)}: "
        before = ","
        if isinstance(value, list) and value and isinstance(value[0], dict | list):
            yield "[\n  "
            yield ",\n  ".join(map(encode, value))
            yield "\n ]"
        else:
            yield encode(value)
    yield "\n}\n"


# --- from bytes to JSON values


def _load(source: Source) -> Any:
    if isinstance(source, dict):
        return source
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    try:
        if data.startswith(GZIP_MAGIC):
            data = gzip.decompress(data)
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_without_duplicates)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise FormatError("the file is not whole gzip") from None
    except UnicodeDecodeError:
        raise FormatError("the file is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise FormatError(
            f"the file is not JSON: line {error.lineno} column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise FormatError("the file is not JSON that can be read: nested too deep") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise FormatError(f"the key {key!r} appears twice in one object")
            seen.add(key)
    return found


# --- from JSON values to plain ones; `at` is the path of the value


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _object(value: Any, at: str, required: Iterable[str], optional: Iterable[str] = ()) -> Any:
    _is_object(value, at)
    required = tuple(required)
    known = {*required, *optional}
    for key in value:
        if key not in known:
            raise FormatError(f"{_at(at, key)}: unknown key")
    for key in required:
        if key not in value:
            raise FormatError(f"{_at(at, key)}: missing")
    return value


def _is_object(value: Any, at: str) -> None:
    if not isinstance(value, dict):
        raise FormatError(f"{at or 'the file'}: expected an object")


def _string(value: Any, at: str) -> str:
    if not isinstance(value, str) or not value:
        raise FormatError(f"{at}: expected a text that is not empty")
    return value


def _integer(value: Any, at: str, least: int = 0, most: int | None = None) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FormatError(f"{at}: expected a whole number")
    if value < 0 <= least:
        raise FormatError(f"{at}: {value} is negative")
    if value < least or (most is not None and value > most):
        allowed = f"at least {least}" if most is None else f"between {least} and {most}"
        raise FormatError(f"{at}: {value} is not {allowed}")
    return value


def _amount(value: Any, at: str, least: int = 0) -> int:
    amount = _integer(value, at, least)
    if amount > MOST:
        raise FormatError(f"{at}: {amount} is more than {MOST}")
    return amount


def _list(value: Any, at: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise FormatError(f"{at}: expected a list")
    return tuple(read(item, f"{at}[{i}]") for i, item in enumerate(value))


def _strings(value: Any, at: str) -> tuple[str, ...]:
    return _list(value, at, _string)


def _optional(value: Any, at: str, read: Callable[[Any, str], T]) -> T | None:
    return None if value is None else read(value, at)


def _day(value: Any, at: str) -> int:
    if value not in DAYS:
        raise FormatError(f"{at}: {value!r} is not a day (mon..sun)")
    return DAYS.index(value) * MINUTES_A_DAY


def _clock(value: Any, at: str) -> int:
    if not isinstance(value, str) or not TIME.fullmatch(value):
        raise FormatError(f"{at}: {value!r} is not a time (HH:MM, up to 24:00)")
    return int(value[:2]) * 60 + int(value[3:])


def _window(value: Any, at: str) -> Window:
    if not isinstance(value, list) or len(value) != 3:
        raise FormatError(f"{at}: expected [day, start, end]")
    day = _day(value[0], at)
    start, end = _clock(value[1], at), _clock(value[2], at)
    if end < start:
        raise FormatError(f"{at}: ends before it starts")
    if end == start:
        raise FormatError(f"{at}: ends when it starts")
    return Window(day + start, day + end)


def _windows(value: Any, at: str) -> tuple[Window, ...]:
    try:
        if isinstance(value, list):
            return tuple([_known_window(*item) for item in value])
    except (FormatError, TypeError):
        pass  # the slow way says what is wrong, and where
    return _list(value, at, _window)


@lru_cache(maxsize=10_000)
def _known_window(day: str, start: str, end: str) -> Window:
    return _window([day, start, end], "")


def _start(value: Any, at: str) -> Minute:
    if not isinstance(value, list) or len(value) != 2:
        raise FormatError(f"{at}: expected [day, start]")
    clock = _clock(value[1], at)
    if clock == MINUTES_A_DAY:
        raise FormatError(f"{at}: no lesson starts at 24:00")
    return _day(value[0], at) + clock


# --- the problem


def _problem(document: Any) -> Problem:
    document = _object(
        document,
        "",
        ("format", "lesson_minutes", "start_every", "channels", "tutors", "households", "requests"),
        ("pins", "vetoes"),
    )
    _format(document, PROBLEM_FORMAT)
    start_every = _integer(document["start_every"], "start_every", 1, MINUTES_A_DAY)
    if MINUTES_A_DAY % start_every:
        raise FormatError(f"start_every: {start_every} does not divide {MINUTES_A_DAY}")
    problem = Problem(
        lesson_minutes=_integer(document["lesson_minutes"], "lesson_minutes", 15, 240),
        start_every=start_every,
        channels=_channels(document["channels"], "channels"),
        tutors=_list(document["tutors"], "tutors", _tutor),
        households=_list(document["households"], "households", _household),
        requests=_list(document["requests"], "requests", _request),
        pins=_list(document.get("pins", []), "pins", _pin),
        vetoes=_list(document.get("vetoes", []), "vetoes", _veto),
    )
    _check_references(problem)
    return problem


def _format(document: Any, expected: str) -> None:
    if document["format"] != expected:
        raise FormatError(f"format: expected {expected!r}, found {document['format']!r}")


def _channels(value: Any, at: str) -> dict[str, Channel]:
    _is_object(value, at)
    channels = {}
    for name, item in value.items():
        here = _at(at, _string(name, f"{at}.{name}"))
        item = _object(item, here, ("max_group", "cost"))
        channels[name] = Channel(
            max_group=_amount(item["max_group"], f"{here}.max_group", 1),
            cost=_amount(item["cost"], f"{here}.cost"),
        )
    return channels


def _teaching(value: Any, at: str) -> Teaching:
    value = _object(value, at, ("subject", "levels"))
    return Teaching(
        _string(value["subject"], f"{at}.subject"), _strings(value["levels"], f"{at}.levels")
    )


def _tutor(value: Any, at: str) -> Tutor:
    value = _object(
        value,
        at,
        ("id", "teaches", "channels", "languages", "available", "max_lessons_per_week"),
        ("tags",),
    )
    return Tutor(
        id=_string(value["id"], f"{at}.id"),
        teaches=_list(value["teaches"], f"{at}.teaches", _teaching),
        channels=_strings(value["channels"], f"{at}.channels"),
        languages=_strings(value["languages"], f"{at}.languages"),
        available=_optional(value["available"], f"{at}.available", _windows),
        max_lessons_per_week=_amount(value["max_lessons_per_week"], f"{at}.max_lessons_per_week"),
        tags=_strings(value.get("tags", []), f"{at}.tags"),
    )


def _household(value: Any, at: str) -> Household:
    value = _object(value, at, ("id", "zone", "channels", "languages", "reachable"), ("phones",))
    return Household(
        id=_string(value["id"], f"{at}.id"),
        zone=_string(value["zone"], f"{at}.zone"),
        channels=_strings(value["channels"], f"{at}.channels"),
        languages=_strings(value["languages"], f"{at}.languages"),
        reachable=_optional(value["reachable"], f"{at}.reachable", _windows),
        phones=_amount(value.get("phones", 1), f"{at}.phones", 1),
    )


def _request(value: Any, at: str) -> Request:
    value = _object(
        value,
        at,
        ("id", "pupil", "household", "subject", "level"),
        ("lessons_per_week", "weight", "needs", "previous_tutor", "preferred"),
    )
    preferred = None
    if "preferred" in value:
        preferred = _windows(value["preferred"], f"{at}.preferred")
    return Request(
        id=_string(value["id"], f"{at}.id"),
        pupil=_string(value["pupil"], f"{at}.pupil"),
        household=_string(value["household"], f"{at}.household"),
        subject=_string(value["subject"], f"{at}.subject"),
        level=_string(value["level"], f"{at}.level"),
        lessons_per_week=_integer(
            value.get("lessons_per_week", 1), f"{at}.lessons_per_week", 1, len(DAYS)
        ),
        weight=_amount(value.get("weight", 1), f"{at}.weight", 1),
        needs=_strings(value.get("needs", []), f"{at}.needs"),
        previous_tutor=_optional(value.get("previous_tutor"), f"{at}.previous_tutor", _string),
        preferred=preferred,
    )


def _pin(value: Any, at: str) -> Pin:
    value = _object(value, at, ("request", "tutor"), ("starts", "channel", "language", "group"))
    starts = None
    if value.get("starts") is not None:
        starts = tuple(sorted(_list(value["starts"], f"{at}.starts", _start)))
    return Pin(
        request=_string(value["request"], f"{at}.request"),
        tutor=_string(value["tutor"], f"{at}.tutor"),
        starts=starts,
        channel=_optional(value.get("channel"), f"{at}.channel", _string),
        language=_optional(value.get("language"), f"{at}.language", _string),
        group=_optional(value.get("group"), f"{at}.group", _string),
    )


def _veto(value: Any, at: str) -> Veto:
    value = _object(value, at, ("request", "tutor"))
    return Veto(_string(value["request"], f"{at}.request"), _string(value["tutor"], f"{at}.tutor"))


def _check_references(problem: Problem) -> None:
    tutors = _ids((tutor.id for tutor in problem.tutors), "tutors")
    households = _ids((household.id for household in problem.households), "households")
    requests = _ids((request.id for request in problem.requests), "requests")
    for i, tutor in enumerate(problem.tutors):
        _check_channels(tutor.channels, problem, f"tutors[{i}]")
    for i, household in enumerate(problem.households):
        _check_channels(household.channels, problem, f"households[{i}]")
    for i, request in enumerate(problem.requests):
        _known(request.household, households, f"requests[{i}].household", "household")
        if request.previous_tutor is not None:
            _known(request.previous_tutor, tutors, f"requests[{i}].previous_tutor", "tutor")
    _check_pins(problem, tutors)
    for i, veto in enumerate(problem.vetoes):
        _known(veto.request, requests, f"vetoes[{i}].request", "request")
        _known(veto.tutor, tutors, f"vetoes[{i}].tutor", "tutor")


def _check_channels(channels: tuple[str, ...], problem: Problem, at: str) -> None:
    for i, channel in enumerate(channels):
        _known(channel, problem.channels, f"{at}.channels[{i}]", "channel")


def _check_pins(problem: Problem, tutors: set[str]) -> None:
    requests = {request.id: request for request in problem.requests}
    pinned: set[str] = set()
    for i, pin in enumerate(problem.pins):
        _known(pin.request, requests, f"pins[{i}].request", "request")
        _known(pin.tutor, tutors, f"pins[{i}].tutor", "tutor")
        if pin.channel is not None:
            _known(pin.channel, problem.channels, f"pins[{i}].channel", "channel")
        if pin.request in pinned:
            raise FormatError(f"pins[{i}].request: {pin.request!r} is pinned twice")
        pinned.add(pin.request)
        if pin.starts is not None:
            lessons = requests[pin.request].lessons_per_week
            _check_starts(pin.starts, lessons, problem.lesson_minutes, f"pins[{i}].starts")


def _check_starts(starts: tuple[Minute, ...], lessons: int, minutes: int, at: str) -> None:
    if len(starts) != lessons:
        raise FormatError(f"{at}: {len(starts)} given, but the request has {lessons} a week")
    if len({start // MINUTES_A_DAY for start in starts}) < lessons:
        raise FormatError(f"{at}: two lessons on one day")
    if any(
        (later - earlier) % MINUTES_A_WEEK < minutes
        for earlier in starts
        for later in starts
        if later != earlier
    ):
        raise FormatError(f"{at}: two lessons overlap")


def _ids(ids: Iterable[str], at: str) -> set[str]:
    seen: set[str] = set()
    for i, name in enumerate(ids):
        if name in seen:
            raise FormatError(f"{at}[{i}].id: {name!r} is already used")
        seen.add(name)
    return seen


def _known(name: str, names: Iterable[str], at: str, kind: str) -> None:
    if name not in names:
        raise FormatError(f"{at}: no {kind} {name!r}")


# --- the plan


def _plan(document: Any) -> Plan:
    document = _object(
        document,
        "",
        PLAN_KEYS,
    )
    _format(document, PLAN_FORMAT)
    bound = _object(document["bound"], "bound", ("weight_served",))
    return Plan(
        status=_status(document["status"], "status"),
        levels=_levels(document["levels"], "levels"),
        bound=_integer(bound["weight_served"], "bound.weight_served"),
        objective=_objective(document["objective"], "objective"),
        zones=_list(document["zones"], "zones", _zone),
        seconds=_optional(document["seconds"], "seconds", _number),
        seed=_integer(document["seed"], "seed"),
        groups=_list(document["groups"], "groups", _group),
        unserved=_list(document["unserved"], "unserved", _unserved),
        impossible_pins=_list(document["impossible_pins"], "impossible_pins", _impossible),
        advice=_list(document["advice"], "advice", _advice),
    )


def _status(value: Any, at: str) -> str:
    if value not in ("optimal", "feasible"):
        raise FormatError(f"{at}: {value!r} is neither 'optimal' nor 'feasible'")
    return str(value)


def _number(value: Any, at: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise FormatError(f"{at}: expected a number that is not negative")
    return float(value)


def _levels(value: Any, at: str) -> tuple[Level, ...]:
    levels = _list(value, at, _level)
    if tuple(level.name for level in levels) != LEVEL_NAMES:
        raise FormatError(f"{at}: expected {', '.join(LEVEL_NAMES)}, in this order")
    return levels


def _level(value: Any, at: str) -> Level:
    value = _object(value, at, ("name", "value", "bound", "proved"))
    name = _string(value["name"], f"{at}.name")
    if not isinstance(value["proved"], bool):
        raise FormatError(f"{at}.proved: expected true or false")

    def figure(key: str) -> LevelValue:
        if name == "zones":
            return _list(value[key], f"{at}.{key}", _integer)
        return _integer(value[key], f"{at}.{key}")

    return Level(name, figure("value"), figure("bound"), value["proved"])


def _objective(value: Any, at: str) -> Objective:
    keys = ("weight_served", "requests_served", "min_zone_share", "kept", "cost")
    value = _object(value, at, keys)
    return Objective(
        weight_served=_integer(value["weight_served"], f"{at}.weight_served"),
        requests_served=_integer(value["requests_served"], f"{at}.requests_served"),
        min_zone_share=_optional(value["min_zone_share"], f"{at}.min_zone_share", _integer),
        kept=_integer(value["kept"], f"{at}.kept"),
        cost=_integer(value["cost"], f"{at}.cost"),
    )


def _zone(value: Any, at: str) -> ZoneFigure:
    if not isinstance(value, list) or len(value) != 3:
        raise FormatError(f"{at}: expected [zone, weight served, weight asked]")
    return ZoneFigure(
        _string(value[0], f"{at}[0]"),
        _integer(value[1], f"{at}[1]"),
        _integer(value[2], f"{at}[2]"),
    )


def _group(value: Any, at: str) -> Group:
    texts = ("id", "tutor", "subject", "level", "channel", "language")
    value = _object(value, at, (*texts, "starts", "requests"))
    name, tutor, subject, level, channel, language = (
        _string(value[key], f"{at}.{key}") for key in texts
    )

    def start(item: Any, here: str) -> Minute | None:
        return _optional(item, here, _start)

    return Group(
        name,
        tutor,
        subject,
        level,
        channel,
        language,
        starts=_list(value["starts"], f"{at}.starts", start),
        requests=_strings(value["requests"], f"{at}.requests"),
    )


def _unserved(value: Any, at: str) -> Unserved:
    value = _object(value, at, ("request", "reason", "detail"))
    detail = _object(value["detail"], f"{at}.detail", (), ("held_by", "exchange"))
    return Unserved(
        request=_string(value["request"], f"{at}.request"),
        reason=_string(value["reason"], f"{at}.reason"),
        held_by=_strings(detail.get("held_by", []), f"{at}.detail.held_by"),
        exchange=_optional(detail.get("exchange"), f"{at}.detail.exchange", _exchange),
    )


def _exchange(value: Any, at: str) -> Exchange:
    value = _object(value, at, ("out", "weight"))
    return Exchange(
        _strings(value["out"], f"{at}.out"), _integer(value["weight"], f"{at}.weight", 1)
    )


def _impossible(value: Any, at: str) -> ImpossiblePin:
    value = _object(value, at, ("request", "tutor", "why", "with"))
    return ImpossiblePin(
        request=_string(value["request"], f"{at}.request"),
        tutor=_string(value["tutor"], f"{at}.tutor"),
        why=_string(value["why"], f"{at}.why"),
        beside=_strings(value["with"], f"{at}.with"),
    )


def _advice(value: Any, at: str) -> Advice:
    value = _object(
        value,
        at,
        ("subject", "levels", "channel", "language", "available", "adds", "requests"),
    )
    return Advice(
        subject=_string(value["subject"], f"{at}.subject"),
        levels=_strings(value["levels"], f"{at}.levels"),
        channel=_string(value["channel"], f"{at}.channel"),
        language=_string(value["language"], f"{at}.language"),
        available=_windows(value["available"], f"{at}.available"),
        adds=_integer(value["adds"], f"{at}.adds", 1),
        requests=_strings(value["requests"], f"{at}.requests"),
    )


# --- back to JSON values


def _clock_json(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def start_to_json(start: Minute) -> list[str]:
    return [DAYS[start // MINUTES_A_DAY], _clock_json(start % MINUTES_A_DAY)]


def window_to_json(window: Window) -> list[str]:
    day, start = start_to_json(window.start)
    return [day, start, _clock_json(window.end - window.start // MINUTES_A_DAY * MINUTES_A_DAY)]


def _windows_json(windows: tuple[Window, ...] | None) -> list[list[str]] | None:
    return None if windows is None else [window_to_json(window) for window in windows]


def problem_to_json(problem: Problem) -> dict[str, Any]:
    """The problem as JSON values; what has its default value is left out."""
    document: dict[str, Any] = {
        "format": PROBLEM_FORMAT,
        "lesson_minutes": problem.lesson_minutes,
        "start_every": problem.start_every,
        "channels": {
            name: {"max_group": channel.max_group, "cost": channel.cost}
            for name, channel in problem.channels.items()
        },
        "tutors": [_tutor_json(tutor) for tutor in problem.tutors],
        "households": [_household_json(household) for household in problem.households],
        "requests": [_request_json(request) for request in problem.requests],
    }
    if problem.pins:
        document["pins"] = [_pin_json(pin) for pin in problem.pins]
    if problem.vetoes:
        document["vetoes"] = [
            {"request": veto.request, "tutor": veto.tutor} for veto in problem.vetoes
        ]
    return document


def _tutor_json(tutor: Tutor) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": tutor.id,
        "teaches": [
            {"subject": teaching.subject, "levels": list(teaching.levels)}
            for teaching in tutor.teaches
        ],
        "channels": list(tutor.channels),
        "languages": list(tutor.languages),
        "available": _windows_json(tutor.available),
        "max_lessons_per_week": tutor.max_lessons_per_week,
    }
    if tutor.tags:
        document["tags"] = list(tutor.tags)
    return document


def _household_json(household: Household) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": household.id,
        "zone": household.zone,
        "channels": list(household.channels),
        "languages": list(household.languages),
        "reachable": _windows_json(household.reachable),
    }
    if household.phones != 1:
        document["phones"] = household.phones
    return document


def _request_json(request: Request) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": request.id,
        "pupil": request.pupil,
        "household": request.household,
        "subject": request.subject,
        "level": request.level,
    }
    if request.lessons_per_week != 1:
        document["lessons_per_week"] = request.lessons_per_week
    if request.weight != 1:
        document["weight"] = request.weight
    if request.needs:
        document["needs"] = list(request.needs)
    if request.previous_tutor is not None:
        document["previous_tutor"] = request.previous_tutor
    if request.preferred is not None:
        document["preferred"] = _windows_json(request.preferred)
    return document


def _pin_json(pin: Pin) -> dict[str, Any]:
    document: dict[str, Any] = {"request": pin.request, "tutor": pin.tutor}
    if pin.starts is not None:
        document["starts"] = [start_to_json(start) for start in pin.starts]
    for key, value in (("channel", pin.channel), ("language", pin.language), ("group", pin.group)):
        if value is not None:
            document[key] = value
    return document


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values, with its keys in the format's order."""
    return {
        "format": PLAN_FORMAT,
        "status": plan.status,
        "levels": [
            {
                "name": level.name,
                "value": _figure_json(level.value),
                "bound": _figure_json(level.bound),
                "proved": level.proved,
            }
            for level in plan.levels
        ],
        "bound": {"weight_served": plan.bound},
        "objective": {
            "weight_served": plan.objective.weight_served,
            "requests_served": plan.objective.requests_served,
            "min_zone_share": plan.objective.min_zone_share,
            "kept": plan.objective.kept,
            "cost": plan.objective.cost,
        },
        "zones": [[zone.zone, zone.served, zone.asked] for zone in plan.zones],
        "seconds": plan.seconds,
        "seed": plan.seed,
        "groups": [_group_json(group) for group in plan.groups],
        "unserved": [_unserved_json(unserved) for unserved in plan.unserved],
        "impossible_pins": [
            {"request": pin.request, "tutor": pin.tutor, "why": pin.why, "with": list(pin.beside)}
            for pin in plan.impossible_pins
        ],
        "advice": [_advice_json(advice) for advice in plan.advice],
    }


def _figure_json(value: LevelValue) -> int | list[int]:
    return value if isinstance(value, int) else list(value)


def _group_json(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "tutor": group.tutor,
        "subject": group.subject,
        "level": group.level,
        "channel": group.channel,
        "language": group.language,
        "starts": [None if start is None else start_to_json(start) for start in group.starts],
        "requests": list(group.requests),
    }


def _unserved_json(unserved: Unserved) -> dict[str, Any]:
    detail: dict[str, Any] = {}
    if unserved.reason == "taken":
        exchange = unserved.exchange
        detail["held_by"] = list(unserved.held_by)
        detail["exchange"] = (
            None if exchange is None else {"out": list(exchange.out), "weight": exchange.weight}
        )
    return {"request": unserved.request, "reason": unserved.reason, "detail": detail}


def _advice_json(advice: Advice) -> dict[str, Any]:
    return {
        "subject": advice.subject,
        "levels": list(advice.levels),
        "channel": advice.channel,
        "language": advice.language,
        "available": [window_to_json(window) for window in advice.available],
        "adds": advice.adds,
        "requests": list(advice.requests),
    }
