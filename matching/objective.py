"""What a timetable is worth, level by level."""

from __future__ import annotations

from dataclasses import dataclass

from matching.plan import ZoneFigure
from matching.rules import Rules
from matching.timetable import Timetable

FULL = 1000  # the share of a zone in which everything asked is served


@dataclass(frozen=True, slots=True)
class Worth:
    """`shares` are per thousand, ascending, one for each zone that asks for something."""

    weight: int
    shares: tuple[int, ...]
    kept: int
    cost: int
    zones: tuple[ZoneFigure, ...]


def zone_of(rules: Rules, r: int) -> str:
    return rules.problem.households[rules.home[r]].zone


def asked_by_zone(rules: Rules) -> dict[str, int]:
    """Weight asked by zone, zones in the order of their names."""
    asked: dict[str, int] = {}
    for r, request in enumerate(rules.requests):
        zone = zone_of(rules, r)
        asked[zone] = asked.get(zone, 0) + request.weight
    return dict(sorted(asked.items()))


def keeps_tutor(rules: Rules, r: int, t: int) -> bool:
    return rules.requests[r].previous_tutor == rules.tutors[t].id


def share_of(zone: ZoneFigure) -> int:
    return FULL * zone.served // zone.asked


def worth(table: Timetable) -> Worth:
    rules = table.rules
    served = dict.fromkeys(asked := asked_by_zone(rules), 0)
    for r in table.group_of:
        served[zone_of(rules, r)] += rules.requests[r].weight
    zones = tuple(ZoneFigure(zone, served[zone], asked[zone]) for zone in asked)
    cost = sum(lessons * lessons for lessons in table.lessons_of)
    for group in table.groups():
        cost += rules.channels[group.channel].cost * group.lessons
        cost += sum(rules.not_preferred(r, group.starts or ()) for r in group.members)
    return Worth(
        weight=sum(served.values()),
        shares=tuple(sorted(share_of(zone) for zone in zones)),
        kept=sum(keeps_tutor(rules, r, group.tutor) for r, group in table.group_of.items()),
        cost=cost,
        zones=zones,
    )
