"""The account of a timetable: the plan as plain values, with its figures and their bounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matching.bound import can_keep_tutor
from matching.objective import FULL, Worth, share_of, zone_of
from matching.plan import (
    LEVEL_NAMES,
    Advice,
    Group,
    ImpossiblePin,
    Level,
    LevelValue,
    Objective,
    Plan,
    Unserved,
    ZoneFigure,
)
from matching.problem import Problem
from matching.timetable import OpenGroup, Timetable


def account(
    table: Timetable,
    value: Worth,
    levels: tuple[Level, ...],
    impossible: Sequence[ImpossiblePin],
    unserved: Sequence[Unserved],
    advice: Sequence[Advice],
    seconds: float | None,
    seed: int,
) -> Plan:
    """The plan of a timetable that is worth `value`."""
    bound = levels[0].bound
    assert isinstance(bound, int)
    return Plan(
        status="optimal" if all(level.proved for level in levels) else "feasible",
        levels=levels,
        bound=bound,
        objective=Objective(
            weight_served=value.weight,
            requests_served=len(table.group_of),
            min_zone_share=min(value.shares, default=None),
            kept=value.kept,
            cost=value.cost,
        ),
        zones=value.zones,
        seconds=seconds,
        seed=seed,
        groups=_groups(table),
        unserved=tuple(unserved),
        impossible_pins=_in_file_order(table.rules.problem, impossible),
        advice=tuple(advice),
    )


def _in_file_order(
    problem: Problem, impossible: Sequence[ImpossiblePin]
) -> tuple[ImpossiblePin, ...]:
    order = {pin.request: i for i, pin in enumerate(problem.pins)}
    return tuple(sorted(impossible, key=lambda pin: order[pin.request]))


# --- levels


def levels_of(
    table: Timetable, value: Worth, bounds: dict[str, LevelValue], proved: dict[str, bool]
) -> tuple[Level, ...]:
    """Each level's value, with the best bound known for it; bounds hold for any plan."""
    values: dict[str, LevelValue] = {
        "weight_served": value.weight,
        "zones": value.shares,
        "kept": value.kept,
        "cost": value.cost,
    }
    trivial = _trivial_bounds(table, value)
    levels = []
    above = True
    for name in LEVEL_NAMES:
        bound = _better(name, bounds.get(name, trivial[name]), trivial[name])
        above = above and (proved.get(name, False) or bound == values[name])
        levels.append(Level(name, values[name], bound, above))
    return tuple(levels)


def _better(name: str, one: LevelValue, other: LevelValue) -> LevelValue:
    tighter = max if name == "cost" else min
    return tighter(one, other)


def _trivial_bounds(table: Timetable, value: Worth) -> dict[str, LevelValue]:
    """Bounds that hold for every plan, without any search."""
    rules = table.rules
    reachable = [
        r
        for r in range(len(rules.requests))
        if r in table.group_of or rules.teachers(r).passing(r)[0]
    ]
    most = dict.fromkeys((zone.zone for zone in value.zones), 0)
    kept = 0
    for r in reachable:
        most[zone_of(rules, r)] += rules.requests[r].weight
        kept += can_keep_tutor(rules, r)
    best = (ZoneFigure(zone.zone, most[zone.zone], zone.asked) for zone in value.zones)
    return {
        "weight_served": sum(most.values()),
        "zones": tuple(sorted(min(FULL, share_of(zone)) for zone in best)),
        "kept": kept,
        "cost": 0,
    }


# --- groups


def _groups(table: Timetable) -> tuple[Group, ...]:
    """The groups by tutor and time; a group of pins that carry one name keeps it as its id."""
    ordered = sorted(table.groups(), key=lambda group: _order(table, group))
    named = _names(table, ordered)
    taken = {*named.values(), *(pin.group for pin in table.rules.problem.pins)}
    numbers = (f"G{i}" for i in range(1, len(ordered) + len(taken) + 1))
    free = (name for name in numbers if name not in taken)
    return tuple(_group(table, group, named.get(group) or next(free)) for group in ordered)


def _order(table: Timetable, group: OpenGroup) -> tuple[int, bool, tuple[int, ...], list[int]]:
    return group.tutor, group.starts is None, group.starts or (), sorted(group.members)


def _names(table: Timetable, groups: Iterable[OpenGroup]) -> dict[OpenGroup, str]:
    names: dict[OpenGroup, str] = {}
    for group in groups:
        pins = [table.rules.pins[r] for r in group.members if r in table.rules.pins]
        labels = {pin.group for pin in pins if pin.group is not None}
        if len(labels) == 1 and not labels & set(names.values()):
            names[group] = labels.pop()
    return names


def _group(table: Timetable, group: OpenGroup, name: str) -> Group:
    rules = table.rules
    subject, level, lessons = group.key
    return Group(
        id=name,
        tutor=rules.tutors[group.tutor].id,
        subject=subject,
        level=level,
        channel=group.channel,
        language=group.language,
        starts=group.starts if group.starts is not None else (None,) * lessons,
        requests=tuple(rules.requests[r].id for r in sorted(group.members)),
    )
