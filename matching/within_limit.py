"""The best plan that changes at most so many pairs, with CP-SAT: for small problems."""

from __future__ import annotations

from matching.found import Found, Report
from matching.levels import Levels
from matching.model import Class, Linear, Model
from matching.objective import worth
from matching.standing import Seat, seat_of
from matching.stop import Stop
from matching.timetable import Starts, Timetable


class KeepingModel(Model):
    """A model that has the seat of every pair, even where another is as good."""

    def __init__(self, table: Timetable, pairs: dict[int, Seat]) -> None:
        self.pairs = pairs
        super().__init__(table)

    def _drop_dominated(self) -> None:
        kept = {
            cls: list(users)
            for cls, users in self.users.items()
            if any(self._is_seat(r, cls) for r in users)
        }
        super()._drop_dominated()
        self.users.update(kept)

    def _is_seat(self, r: int, cls: Class) -> bool:
        return self.pairs.get(r) == Seat(*cls.place, cls.channel, cls.language)

    def staying(self) -> Linear:
        """How many pairs stay as they are."""
        return sum(
            var for r in self.pairs for cls, var in self.seats[r].items() if self._is_seat(r, cls)
        )

    def _class_for(
        self, t: int, starts: Starts | None, key: tuple[str, str, int], members: list[int]
    ) -> Class | None:
        for r in members:
            for cls in self.seats[r]:
                if self._is_seat(r, cls) and (cls.place.tutor, cls.place.starts) == (t, starts):
                    return cls if all(cls in self.seats[m] for m in members) else None
        return super()._class_for(t, starts, key, members)


class WithinLimit(Levels):
    """The most weight, then the fewest changes, then the other levels as far as time goes."""

    def __init__(
        self,
        table: Timetable,
        pairs: dict[int, Seat],
        limit: int,
        stop: Stop,
        seed: int,
        report: Report,
    ) -> None:
        model = KeepingModel(table, pairs)
        super().__init__(table, stop, seed, report, model)
        self.pairs = pairs
        self.staying = model.staying()
        model.cp.add(self.staying >= len(pairs) - limit)

    def climb(self, levels: int = 4) -> Found:
        """What is found is the best within the limit only: it has no bounds for other plans."""
        bound, _ = self._weight()
        self.report("weight_served", worth(self.found.table).weight, bound)
        below = (self._zones, self._kept, self._cost)
        for improve in (self._fewest_changes, *below[: levels - 1]):
            if self.left().nothing:
                break
            improve()
        return self.found

    def _fewest_changes(self) -> None:
        self.model.cp.maximize(self.staying)
        most = len(self.pairs)
        self.solve(
            "weight_served",
            self._unchanged(),
            self.allowance("kept")(),
            most=most,
            report=lambda phase, best, bound: None,
        )
        self.model.cp.add(self.staying >= self._unchanged())

    def _unchanged(self) -> int:
        seats = {r: seat_of(group) for r, group in self.found.table.group_of.items()}
        return sum(seats.get(r) == seat for r, seat in self.pairs.items())
