"""Whom to recruit next: the one weekly lesson that would serve the most of those left out."""

from __future__ import annotations

from collections import defaultdict

from matching.plan import Advice
from matching.problem import Minute, Window
from matching.timetable import Timetable

MOST_LINES = 10

Lesson = tuple[str, str, str, str, Minute]  # subject, level, channel, language, start


def advise(table: Timetable) -> list[Advice]:
    """The best volunteer for each subject and level, best first, ten at most.

    Each line is one new tutor with one lesson at one time; it is worth the weight of the
    requests that could be inserted there with nobody moved. Lines don't add up.
    """
    wanted = _wanted(table)
    best: dict[tuple[str, str], Advice] = {}
    for lesson, requests in wanted.items():
        found = best.get(lesson[:2])
        if found is not None and _weight(table, requests) < found.adds:
            continue
        advice = _line(table, lesson, requests)
        if found is None or advice.adds > found.adds:
            best[lesson[:2]] = advice
    return sorted(best.values(), key=lambda line: (-line.adds, line.subject, line.levels))[
        :MOST_LINES
    ]


def _wanted(table: Timetable) -> dict[Lesson, list[int]]:
    """For every lesson that could be offered, those left out who could come; cheapest first."""
    rules = table.rules
    wanted: dict[Lesson, list[int]] = defaultdict(list)
    for r, request in enumerate(rules.requests):
        mask = rules.home_mask[rules.home[r]]
        if r in table.group_of or request.needs or request.lessons_per_week > 1 or not mask:
            continue
        household = rules.problem.households[rules.home[r]]
        for start in rules.grid.starts(table.home_mask(r, mask)):
            for channel in dict.fromkeys(household.channels):
                for language in dict.fromkeys(household.languages):
                    wanted[request.subject, request.level, channel, language, start].append(r)

    def order(lesson: Lesson) -> tuple[str, str, int, str, int, Minute]:
        subject, level, channel, language, start = lesson
        spoken = -rules.speakers[language]
        return subject, level, rules.channels[channel].cost, channel, spoken, start

    return {lesson: wanted[lesson] for lesson in sorted(wanted, key=order)}


def _weight(table: Timetable, requests: list[int]) -> int:
    return sum(table.rules.requests[r].weight for r in requests)


def _line(table: Timetable, lesson: Lesson, requests: list[int]) -> Advice:
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


def _heaviest(table: Timetable, requests: list[int], channel: str, start: Minute) -> list[int]:
    """The heaviest that fit into one group, a phone and a pupil at a time."""
    rules = table.rules
    chosen: list[int] = []
    for r in sorted(requests, key=lambda r: (-rules.requests[r].weight, r)):
        if len(chosen) == rules.channels[channel].max_group:
            break
        siblings = [other for other in chosen if rules.home[other] == rules.home[r]]
        if any(rules.pupil[other] == rules.pupil[r] for other in chosen):
            continue
        if not table.phones_free(r, start, len(siblings) + 1):
            continue
        chosen.append(r)
    return sorted(chosen)
