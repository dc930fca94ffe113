"""The hard rules that hold for one request and one tutor, whatever the rest of the plan.

`Rules` numbers tutors, households and requests by their place in the problem; all tutors of a
subject and level are filtered at once (`matching.teachers`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from matching.problem import Minute, Pin, Problem, Request
from matching.slots import Grid, bits
from matching.teachers import Teachers

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One tutor for one request, with all that the two may agree on.

    Timed lessons start on one of `mask`, unless `fixed` names the starts; lessons whose times
    are agreed later have `timed` False. `channels` (roomiest first) and `languages` (most spoken
    first) are never empty.
    """

    tutor: int
    timed: bool
    mask: int
    fixed: tuple[Minute, ...] | None
    channels: tuple[str, ...]
    languages: tuple[str, ...]


class Rules:
    """The problem, numbered and ready to be asked."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.grid = Grid(problem.lesson_minutes, problem.start_every)
        self.channels = problem.channels
        self.tutors = problem.tutors
        self.requests = problem.requests
        self.tutor_index = {tutor.id: i for i, tutor in enumerate(problem.tutors)}
        self.request_index = {request.id: i for i, request in enumerate(problem.requests)}
        household_index = {household.id: i for i, household in enumerate(problem.households)}
        self.home = [household_index[request.household] for request in problem.requests]
        pupils: dict[str, int] = {}
        self.pupil = [pupils.setdefault(r.pupil, len(pupils)) for r in problem.requests]
        self.phones = [household.phones for household in problem.households]
        self.tutor_mask = [
            None if tutor.available is None else self.grid.inside(tutor.available)
            for tutor in problem.tutors
        ]
        self.home_mask = [
            None if household.reachable is None else self.grid.inside(household.reachable)
            for household in problem.households
        ]
        self.home_starts = [None if mask is None else tuple(bits(mask)) for mask in self.home_mask]
        self.pins: dict[int, Pin] = {}
        self.vetoes: dict[int, set[int]] = defaultdict(set)
        for veto in problem.vetoes:
            self.vetoes[self.request_index[veto.request]].add(self.tutor_index[veto.tutor])
        self.speakers = Counter(
            language for household in problem.households for language in household.languages
        )
        self._channels_of: dict[tuple[Names, Names], Names] = {}
        self._languages_of: dict[tuple[Names, Names], Names] = {}
        self._sorted_channels: dict[Names, Names] = {}
        self.teachers_of = self._teachers()
        self._known_teachers: dict[tuple[str, str], Teachers] = {}

    def _teachers(self) -> dict[tuple[str, str], list[int]]:
        teachers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for i, tutor in enumerate(self.tutors):
            for taught in sorted({(t.subject, lv) for t in tutor.teaches for lv in t.levels}):
                teachers[taught].append(i)
        return teachers

    def teachers(self, r: int) -> Teachers:
        """Those who teach the request's subject at its level, in the problem's order."""
        request = self.requests[r]
        taught = request.subject, request.level
        if taught not in self._known_teachers:
            self._known_teachers[taught] = Teachers(self, self.teachers_of.get(taught, ()))
        return self._known_teachers[taught]

    def filtered(self, r: int) -> tuple[list[int], str | None]:
        """The tutors who could serve the request, or none and the reason for it."""
        teachers = self.teachers(r)
        passing, reason = teachers.passing(r)
        return teachers.names(passing), reason

    def option(self, r: int, t: int) -> Option | None:
        """How a request without a pin could be with a tutor who passes all filters."""
        return self._agree(r, t, None)

    def options(self, r: int) -> Iterator[Option]:
        """Every way in which the request may be served, tutors in the problem's order."""
        pin = self.pins.get(r)
        if pin is not None:
            option = self.pinned_option(pin)
            if option is not None:
                yield option
            return
        for t in self.filtered(r)[0]:
            option = self._agree(r, t, None)
            if option is not None:
                yield option

    def pinned_option(self, pin: Pin) -> Option | None:
        """What a pin leaves open, or None if it asks for what can't be.

        What the pin names is exempt from windows, grid, channels and languages; the tutor's
        tags are not looked at.
        """
        r, t = self.request_index[pin.request], self.tutor_index[pin.tutor]
        if t not in self.teachers(r).place or t in self.vetoes.get(r, ()):
            return None
        if self.requests[r].lessons_per_week > self.tutors[t].max_lessons_per_week:
            return None
        return self._agree(r, t, pin)

    def _agree(self, r: int, t: int, pin: Pin | None) -> Option | None:
        tutor, household = self.tutors[t], self.problem.households[self.home[r]]
        channels = self._shared_channels(tutor.channels, household.channels)
        languages = self._shared_languages(tutor.languages, household.languages)
        if pin is not None and pin.channel is not None:
            channels = (pin.channel,)
        if pin is not None and pin.language is not None:
            languages = (pin.language,)
        if not channels or not languages:
            return None
        if pin is not None and pin.starts is not None:
            return Option(t, True, 0, pin.starts, channels, languages)
        mine, theirs = self.tutor_mask[t], self.home_mask[self.home[r]]
        if mine is None or theirs is None:
            return Option(t, False, 0, None, channels, languages)
        mask = mine & theirs
        if self.grid.days(mask) < self.requests[r].lessons_per_week:
            return None
        return Option(t, True, mask, None, channels, languages)

    def _shared_channels(self, mine: Names, theirs: Names) -> Names:
        known = self._channels_of.get((mine, theirs))
        if known is None:
            known = tuple(sorted({*mine} & {*theirs}, key=self._roomiest_first))
            self._channels_of[mine, theirs] = known
        return known

    def _shared_languages(self, mine: Names, theirs: Names) -> Names:
        known = self._languages_of.get((mine, theirs))
        if known is None:
            known = tuple(sorted({*mine} & {*theirs}, key=self._most_spoken_first))
            self._languages_of[mine, theirs] = known
        return known

    def roomiest_first(self, channels: Names) -> Names:
        """Channels (of a household, say) with most seats first; at equal seats the cheapest."""
        if channels not in self._sorted_channels:
            self._sorted_channels[channels] = tuple(sorted({*channels}, key=self._roomiest_first))
        return self._sorted_channels[channels]

    def _roomiest_first(self, channel: str) -> tuple[int, int, str]:
        return -self.channels[channel].max_group, self.channels[channel].cost, channel

    def _most_spoken_first(self, language: str) -> tuple[int, str]:
        return -self.speakers[language], language

    def subject_key(self, r: int) -> tuple[str, str, int]:
        """What the members of a group have in common."""
        request: Request = self.requests[r]
        return request.subject, request.level, request.lessons_per_week

    def not_preferred(self, r: int, starts: tuple[Minute, ...]) -> int:
        """How many of these lessons lie outside the times the request likes best."""
        windows = self.requests[r].preferred
        if windows is None:
            return 0
        lesson = self.grid.lesson
        return sum(
            not any(w.start <= start and start + lesson <= w.end for w in windows)
            for start in starts
        )
