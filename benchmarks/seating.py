"""What the comparisons share: a timetable with the pins seated, and the check of what came out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from matching.check import Checker, Violation
from matching.pins import take_pins
from matching.plan import Group, ImpossiblePin, Objective, Plan, Unserved
from matching.problem import Problem
from matching.rules import Option, Rules
from matching.timetable import OpenGroup, Starts, Timetable


class Seating:
    """A timetable in which nobody sits but those who are pinned, and who waits for a seat."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.table = Timetable(Rules(problem))
        self.impossible: list[ImpossiblePin] = take_pins(self.table)
        self._options: dict[int, list[Option]] = {}

    def waiting(self) -> list[int]:
        return [r for r in range(len(self.problem.requests)) if r not in self.table.group_of]

    def weight(self, r: int) -> int:
        return self.problem.requests[r].weight

    def served(self) -> int:
        """The weight served."""
        return sum(self.weight(r) for r in self.table.group_of)

    def options(self, r: int) -> list[Option]:
        """Every tutor whom the request could have; kept, since it is asked in every round."""
        if r not in self._options:
            self._options[r] = list(self.table.rules.options(r))
        return self._options[r]

    def joinable(self, r: int, options: Iterable[Option]) -> Iterator[OpenGroup]:
        """The open groups of these tutors in which the request could sit."""
        kind = self.table.rules.subject_key(r)
        for option in options:
            for group in self.table.groups_of[option.tutor]:
                if group.key == kind and self.table.can_join(r, option, group):
                    yield group

    def open(self, r: int, option: Option, starts: Starts | None) -> OpenGroup:
        """Open a group on the roomiest channel and in the most spoken language."""
        return self.table.open(r, option.tutor, option.channels[0], option.languages[0], starts)

    def groups(self) -> tuple[Group, ...]:
        return tuple(self._group(f"G{i}", group) for i, group in enumerate(self.table.groups(), 1))

    def _group(self, name: str, group: OpenGroup) -> Group:
        rules = self.table.rules
        return Group(
            id=name,
            tutor=rules.tutors[group.tutor].id,
            subject=group.key[0],
            level=group.key[1],
            channel=group.channel,
            language=group.language,
            starts=(None,) * group.lessons if group.starts is None else group.starts,
            requests=tuple(rules.requests[r].id for r in group.members),
        )

    def violations(self) -> list[Violation]:
        """The hard rules that the groups break, found by the independent checker.

        A comparison says nothing of zones, bounds, reasons and advice, and need not be a plan to
        which nobody could be added; whatever else `matching check` looks at, holds here too.
        """
        checker = Checker(self.problem, self._plan())
        if not checker.find_strangers():
            checker.check_groups()
            checker.check_people()
            checker.check_pins()
        return checker.violations

    def _plan(self) -> Plan:
        unserved = (self.problem.requests[r].id for r in self.waiting())
        return Plan(
            status="feasible",
            levels=(),
            bound=0,
            objective=Objective(self.served(), len(self.table.group_of), None, 0, 0),
            zones=(),
            seconds=None,
            seed=0,
            groups=self.groups(),
            unserved=tuple(Unserved(name, "taken") for name in unserved),
            impossible_pins=tuple(self.impossible),
            advice=(),
        )
