"""Which families' windows, moved by an hour, would serve them: "Tuesday one hour later"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from matching.market import Kind, Market
from matching.plan import Plan, WindowMove
from matching.problem import MINUTES_A_DAY, Minute, Problem, Window
from matching.slots import bits
from matching.standing import stand
from matching.teachers import union
from matching.timetable import Timetable

LATER, EARLIER = 60, -60  # minutes, tried in this order

# Of a household, so many requests are seated in every way there is, up to so many tries.
MOST_TOGETHER = 6
MOST_TRIES = 5_000

Wanted = tuple[int, list[int]]  # a request, and the tutors who might take it


def helpful_windows(problem: Problem, plan: Plan, limit: int) -> list[WindowMove]:
    """See `matching.helpful_windows`."""
    return Mover(stand(problem, plan).table).best(limit)


class Mover:
    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules = table.rules
        self.grid = table.rules.grid
        self._markets: dict[Kind, Market] = {}
        self._waiting: dict[int, list[int]] = {}
        self._served: dict[int, list[int]] = {}
        for r, home in enumerate(self.rules.home):
            if r in table.group_of:
                self._served.setdefault(home, []).append(r)
            elif self.rules.home_mask[home] is not None and not self._takers(r):
                # Who could be added as things are needs no window moved.
                self._waiting.setdefault(home, []).append(r)

    def best(self, limit: int) -> list[WindowMove]:
        """The lines that add the most, one for a household at most.

        What a move might add at most is quickly known; only the moves that might add more than
        the best lines so far are really made.
        """
        moves = [move for home in self._waiting for move in self._moves(home)]
        lines: dict[int, WindowMove] = {}
        for most, home, window, moved in sorted(moves, key=lambda move: (-move[0], move[1])):
            known = sorted((line.adds for line in lines.values()), reverse=True)
            if len(known) >= limit and (not limit or most <= known[limit - 1]):
                break
            if home not in lines or most > lines[home].adds:
                line = self._line(home, window, moved)
                if line.adds > (lines[home].adds if home in lines else 0):
                    lines[home] = line
        return [
            line for _, line in sorted(lines.items(), key=lambda item: (-item[1].adds, item[0]))
        ][:limit]

    # --- one window an hour later or earlier

    def _moves(self, home: int) -> Iterator[tuple[int, int, Window, Window]]:
        """The moves of a household that harm nothing: what they add at most, and each move."""
        for window in dict.fromkeys(self.rules.problem.households[home].reachable or ()):
            day = window.start // MINUTES_A_DAY * MINUTES_A_DAY
            for minutes in (LATER, EARLIER):
                moved = Window(window.start + minutes, window.end + minutes)
                if day <= moved.start and moved.end <= day + MINUTES_A_DAY:
                    windows = self._after(home, window, moved)
                    most = self._most(home, windows)
                    if most and self._keeps_lessons(home, windows):
                        yield most, home, window, moved

    def _after(self, home: int, window: Window, moved: Window) -> list[Window]:
        windows = list(self.rules.problem.households[home].reachable or ())
        windows[windows.index(window)] = moved
        return windows

    def _keeps_lessons(self, home: int, windows: Sequence[Window]) -> bool:
        """Whether the household's lessons still lie inside its windows; pinned times need not."""
        for r in self._served.get(home, ()):
            pin = self.rules.pins.get(r)
            if pin is None or pin.starts is None:
                starts = self.table.group_of[r].starts or ()
                if not all(self._inside(start, windows) for start in starts):
                    return False
        return True

    def _inside(self, start: Minute, windows: Sequence[Window]) -> bool:
        end = start + self.grid.lesson
        return any(window.start <= start and end <= window.end for window in windows)

    @contextmanager
    def _reachable(self, home: int, windows: Sequence[Window]) -> Iterator[None]:
        """The rules, as they would be if the household had these windows."""
        rules = self.rules
        before = rules.home_mask[home], rules.home_starts[home]
        mask = self.grid.inside(windows)
        rules.home_mask[home], rules.home_starts[home] = mask, tuple(bits(mask))
        try:
            yield
        finally:
            rules.home_mask[home], rules.home_starts[home] = before

    # --- what it might add at most

    def _most(self, home: int, windows: Sequence[Window]) -> int:
        """Each request counts that could be added alone, as far as new starts and phones go."""
        new = self.grid.inside(windows) & ~(self.rules.home_mask[home] or 0)
        if not new:
            return 0
        with self._reachable(home, windows):
            weights = [
                self.rules.requests[r].weight for r in self._waiting[home] if self._takers(r)
            ]
        # Whoever is added has a lesson at a new start; a phone is in one lesson at a time.
        seats = new.bit_count() * self.rules.phones[home]
        return sum(sorted(weights, reverse=True)[:seats])

    def _takers(self, r: int) -> int:
        """The tutors who could take the request while nobody moves, as a set of its market."""
        teachers = self.rules.teachers(r)
        passing = teachers.passing(r)[0]
        if not passing:
            return 0
        market = self._market(r)
        starts = self.table.free_starts(r)
        groups = market.joinable(r, passing, starts)
        return market.openers(passing, starts) | union(
            1 << teachers.place[group.tutor] for group in groups
        )

    def _market(self, r: int) -> Market:
        kind = self.rules.subject_key(r)
        if kind not in self._markets:
            self._markets[kind] = Market(self.table, kind, self.rules.teachers(r))
        return self._markets[kind]

    # --- what it really adds

    def _line(self, home: int, window: Window, moved: Window) -> WindowMove:
        rules = self.rules
        with self._reachable(home, self._after(home, window, moved)):
            wanted = [
                (r, rules.teachers(r).names(takers))
                for r in sorted(self._waiting[home], key=lambda r: (-rules.requests[r].weight, r))
                if (takers := self._takers(r))
            ]
            added = Insertion(self.table).heaviest(wanted)
        return WindowMove(
            household=rules.problem.households[home].id,
            window=window,
            moved=moved,
            adds=sum(rules.requests[r].weight for r in added),
            requests=tuple(rules.requests[r].id for r in added),
        )


class Insertion:
    """Seats requests of one household while nobody moves, and takes them out again."""

    def __init__(self, table: Timetable) -> None:
        self.table = table
        self._best: list[int] = []
        self._most = 0
        self._tries = 0

    def heaviest(self, wanted: Sequence[Wanted]) -> list[int]:
        """The heaviest of them that can be seated together, ascending.

        Of many, those found by seating the heaviest first.
        """
        if len(wanted) > MOST_TOGETHER:
            return sorted(self._one_by_one(wanted))
        self._seat(wanted, [], 0)
        return sorted(self._best)

    def _one_by_one(self, wanted: Sequence[Wanted]) -> list[int]:
        seated = [one[0] for one in wanted if next(self._seatings(one), False)]
        for r in seated:
            self.table.leave(r)
        return seated

    def _seat(self, wanted: Sequence[Wanted], seated: list[int], weight: int) -> None:
        """Try every seat of the first, then without it; the rest after each."""
        if weight > self._most:
            self._best, self._most = list(seated), weight
        self._tries += 1
        if weight + self._weight(wanted) <= self._most or self._tries > MOST_TRIES:
            return
        r = wanted[0][0]
        for _ in self._seatings(wanted[0]):
            seated.append(r)
            self._seat(wanted[1:], seated, weight + self.table.rules.requests[r].weight)
            seated.pop()
            self.table.leave(r)
            if weight + self._weight(wanted) <= self._most:
                return
        self._seat(wanted[1:], seated, weight)

    def _weight(self, wanted: Sequence[Wanted]) -> int:
        return sum(self.table.rules.requests[r].weight for r, _ in wanted)

    def _seatings(self, wanted: Wanted) -> Iterator[bool]:
        """Seat the request, in one way after the other; the caller makes it leave."""
        table, rules = self.table, self.table.rules
        r, tutors = wanted
        key = rules.subject_key(r)
        for t in tutors:
            option = rules.option(r, t)
            assert option is not None, "a tutor who passes the filters has an option"
            for group in list(table.groups_of[t]):
                if group.key == key and table.can_join(r, option, group):
                    table.join(r, group)
                    yield True
            for starts in list(table.openings(r, option)):
                table.open(r, t, option.channels[0], option.languages[0], starts)
                yield True
