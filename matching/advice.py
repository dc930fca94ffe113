"""Whom to recruit next: the one weekly lesson that would serve the most of those left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from matching.plan import Advice
from matching.problem import Minute, Window
from matching.timetable import Timetable

MOST_LINES = 10

# So many pupils who live in two households are tried from each.
MOST_AT_TWO = 8

Lesson = tuple[str, str, str, str, Minute]  # subject, level, channel, language, start


def advise(table: Timetable) -> list[Advice]:
    """The best volunteer for each subject and level, best first, ten at most.

    Each line is one new tutor with one lesson at one time; it is worth the weight of the
    requests that could be inserted there with nobody moved. Lines don't add up. So none names a
    request that needs a tag or several lessons a week, or a household without times: a lesson
    at a known time of a volunteer of whom nothing more is known can't serve these.
    """
    best = [_best(table, *taught, coming) for taught, coming in _wanted(table).items()]
    lines = [line for line in best if line is not None]
    return sorted(lines, key=lambda line: (-line.adds, line.subject, line.levels))[:MOST_LINES]


def _wanted(table: Timetable) -> dict[tuple[str, str], dict[Minute, list[int]]]:
    """By subject and level, and by start: those left out who could come, heaviest first."""
    rules = table.rules
    wanted: dict[tuple[str, str], dict[Minute, list[int]]] = {}
    left_out = (r for r in range(len(rules.requests)) if r not in table.group_of)
    for r in sorted(left_out, key=lambda r: (-rules.requests[r].weight, r)):
        request = rules.requests[r]
        if request.needs or request.lessons_per_week > 1:
            continue
        by_start = wanted.setdefault((request.subject, request.level), {})
        for start in table.free_starts(r) or ():
            by_start.setdefault(start * rules.grid.every, []).append(r)
    return wanted


def _best(
    table: Timetable, subject: str, level: str, coming: dict[Minute, list[int]]
) -> Advice | None:
    """Of the lessons that add the most, the cheapest, in the most spoken language, the first."""
    rules = table.rules
    best: Advice | None = None
    most = max((_most(table, requests) for requests in coming.values()), default=0)
    for channel, language, start in _lessons(table, coming):
        if best is not None and best.adds >= most:
            break
        if best is not None and best.adds >= _most(table, coming[start]):
            continue
        homes = rules.problem.households
        requests = (
            r
            for r in coming[start]
            if channel in homes[rules.home[r]].channels
            and language in homes[rules.home[r]].languages
        )
        line = _line(table, (subject, level, channel, language, start), requests)
        if line.adds > (best.adds if best else 0):
            best = line
    return best


def _lessons(
    table: Timetable, coming: dict[Minute, list[int]]
) -> Iterator[tuple[str, str, Minute]]:
    rules = table.rules
    for channel in sorted(rules.channels, key=lambda name: (rules.channels[name].cost, name)):
        for language in sorted(rules.speakers, key=lambda name: (-rules.speakers[name], name)):
            for start in sorted(coming):
                yield channel, language, start


def _most(table: Timetable, requests: list[int]) -> int:
    """At most so much could come to one lesson; `requests` are heaviest first."""
    seats = max(channel.max_group for channel in table.rules.channels.values())
    return _weight(table, requests[:seats])


def _weight(table: Timetable, requests: list[int]) -> int:
    return sum(table.rules.requests[r].weight for r in requests)


def _line(table: Timetable, lesson: Lesson, requests: Iterable[int]) -> Advice:
    subject, level, channel, language, start = lesson
    members = _heaviest(table, requests, channel, start)
    return Advice(
        subject=subject,
        levels=(level,),
        channel=channel,
        language=language,
        available=(Window(start, start + table.rules.grid.lesson),),
        adds=_weight(table, members),
        requests=tuple(table.rules.requests[r].id for r in members),
    )


def _heaviest(table: Timetable, requests: Iterable[int], channel: str, start: Minute) -> list[int]:
    """The heaviest of those given, heaviest first, that fit into one group then.

    Taking each that still fits is best where every pupil has one household; a pupil with two
    is tried from each.
    """
    coming = list(requests)
    homes: dict[int, set[int]] = {}
    for r in coming:
        homes.setdefault(table.rules.pupil[r], set()).add(table.rules.home[r])
    at_two = [pupil for pupil, known in homes.items() if len(known) > 1][:MOST_AT_TWO]
    found = []
    for chosen in product(*(sorted(homes[pupil]) for pupil in at_two)):
        home_of = dict(zip(at_two, chosen, strict=True))
        some = [
            r
            for r in coming
            if home_of.get(table.rules.pupil[r], table.rules.home[r]) == table.rules.home[r]
        ]
        found.append(_first_to_fit(table, some, channel, start))
    return max(found, key=lambda members: _weight(table, members))


def _first_to_fit(
    table: Timetable, requests: Iterable[int], channel: str, start: Minute
) -> list[int]:
    """The first of those given that fit into one group, a phone and a pupil at a time."""
    rules = table.rules
    chosen: list[int] = []
    for r in requests:
        if len(chosen) == rules.channels[channel].max_group:
            break
        siblings = [other for other in chosen if rules.home[other] == rules.home[r]]
        if any(rules.pupil[other] == rules.pupil[r] for other in chosen):
            continue
        if not table.phones_free(r, start, len(siblings) + 1):
            continue
        chosen.append(r)
    return sorted(chosen)
