"""Seats that are free while requests leave and take others, with a way back.

Who could have which seat is looked up in markets, which know nothing of leaving. So tutors whose
lessons have changed since a market was made are looked at one by one.
"""

from __future__ import annotations

from matching.market import Kind, Market
from matching.rules import Option
from matching.slots import bits
from matching.standing import Seat
from matching.teachers import on_days
from matching.timetable import OpenGroup, Starts, Timetable

# So many tutors looked at one by one take as long as making the markets anew.
MOST_CHANGED = 24


class Vacancies:
    """Moves in a timetable; all since the last `keep` can be undone."""

    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules = table.rules
        self.moved: list[tuple[int, OpenGroup, bool]] = []  # request, group, whether it joined
        self._markets: dict[Kind, Market] = {}
        self._changed: set[int] = set()
        self._changing: set[int] = set()
        self._tutors_kept: set[int] = set()
        self._moves_kept: set[int] = set()

    # --- moves

    def leave(self, r: int) -> OpenGroup:
        group = self.table.leave(r)
        self._note(r, group, False)
        return group

    def join(self, r: int, group: OpenGroup) -> None:
        self.table.join(r, group)
        self._note(r, group, True)

    def open(self, r: int, seat: Seat) -> OpenGroup:
        group = self.table.open(r, seat.tutor, seat.channel, seat.language, seat.starts)
        self._note(r, group, True)
        return group

    def _note(self, r: int, group: OpenGroup, joined: bool) -> None:
        self.moved.append((r, group, joined))
        self._changing.add(group.tutor)

    def keep(self) -> None:
        self._tutors_kept |= self._changing
        self._moves_kept.update(r for r, _, _ in self.moved)
        self.moved.clear()
        self._changed |= self._changing
        self._changing.clear()
        if len(self._changed) > MOST_CHANGED:
            self._markets.clear()
            self._changed.clear()

    def undo(self) -> None:
        for r, group, joined in reversed(self.moved):
            if joined:
                self.table.leave(r)
            else:
                self.table.put_back(r, group)
        self.moved.clear()
        self._changing.clear()

    def top_up(self) -> None:
        """Seat who can be seated now, if so before the moves that were kept nobody could."""
        rules, requests = self.rules, self.rules.requests
        homes = {rules.home[r] for r in self._moves_kept}
        pupils = {rules.pupil[r] for r in self._moves_kept}
        tutors = sorted(self._tutors_kept)
        unserved = (r for r in range(len(requests)) if r not in self.table.group_of)
        for r in sorted(unserved, key=lambda r: (-requests[r].weight, r)):
            if rules.home[r] in homes or rules.pupil[r] in pupils:
                self.take(r)
                continue
            teachers = rules.teachers(r)
            places = [(t, teachers.place[t]) for t in tutors if t in teachers.place]
            passing = teachers.passing(r)[0] if places else 0
            able = [t for t, place in places if passing >> place & 1 and self._has_room(t, r)]
            if able and not any(self._join_with(r, t) for t in able):
                any(self._open_with(r, t) for t in able)
        self.keep()

    def _has_room(self, t: int, r: int) -> bool:
        """Whether the tutor has a lesson left, or a group of the kind a seat."""
        kind = self.rules.subject_key(r)
        return self.table.lessons_left(t) >= kind[2] or any(
            group.key == kind and self.table.seats_left(group) > 0
            for group in self.table.groups_of[t]
        )

    # --- seats

    def take(self, r: int) -> bool:
        """Give the request a seat that needs nobody to move, if there is one."""
        starts = self.table.free_starts(r)
        market = self.market(r)
        passing = market.teachers.passing(r)[0]
        known, changed = self._apart(market, passing)
        return (
            self._join(r, market, known, starts)
            or any(self._join_with(r, t) for t in changed)
            or self._open(r, market, known, starts)
            or any(self._open_with(r, t) for t in changed)
        )

    def take_with(self, r: int, t: int) -> bool:
        """Give the request a seat with this tutor, if there is one that needs nobody to move."""
        teachers = self.rules.teachers(r)
        place = teachers.place.get(t)
        if place is None or not teachers.passing(r)[0] >> place & 1:
            return False
        return self._join_with(r, t) or self._open_with(r, t)

    def market(self, r: int) -> Market:
        kind = self.rules.subject_key(r)
        if kind not in self._markets:
            # It is made of what may yet be undone: these tutors it will never know for sure.
            self._changed |= self._changing
            self._markets[kind] = Market(self.table, kind, self.rules.teachers(r))
        return self._markets[kind]

    def _apart(self, market: Market, passing: int) -> tuple[int, list[int]]:
        """The tutors the market knows, as a set, and those that have changed since."""
        changed = []
        for t in sorted(self._changed | self._changing):
            place = market.teachers.place.get(t)
            if place is not None and passing >> place & 1:
                passing ^= 1 << place
                changed.append(t)
        return passing, changed

    def _join(self, r: int, market: Market, known: int, starts: Starts | None) -> bool:
        group = next(market.joinable(r, known, starts), None)
        if group is not None:
            self.join(r, group)
        return group is not None

    def _join_with(self, r: int, t: int) -> bool:
        option = self.option(r, t)
        for group in self.table.groups_of[t]:
            if group.key == self.rules.subject_key(r) and self.table.can_join(r, option, group):
                self.join(r, group)
                return True
        return False

    def _open(self, r: int, market: Market, known: int, starts: Starts | None) -> bool:
        able = known & market.able
        if able and starts is not None:
            a_day = self.rules.grid.starts_a_day
            timed = on_days(market.free, starts, market.lessons, a_day)
            able &= timed | market.teachers.untimed
        return bool(able) and self._open_with(r, market.teachers.tutors[next(bits(able))])

    def _open_with(self, r: int, t: int) -> bool:
        option = self.option(r, t)
        for starts in self.table.openings(r, option):
            self.open(r, Seat(t, starts, option.channels[0], option.languages[0]))
            return True
        return False

    def option(self, r: int, t: int) -> Option:
        option = self.rules.option(r, t)
        assert option is not None, "a tutor who passes the filters has an option"
        return option
