"""What could be added to a plan, found by trying: slow, plain, and knowing nothing of `matching`
but the values of problems and plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, product
from typing import NamedTuple

from matching.plan import Group, Plan
from matching.problem import Household, Problem, Request, Tutor, Window

WEEK = 7 * 1440


class Sitting(NamedTuple):
    """A group as it stands: who teaches whom what, and when; `starts` are None if agreed later."""

    tutor: str
    subject: str
    level: str
    channel: str
    language: str
    starts: tuple[int | None, ...]
    members: tuple[str, ...]


Sittings = tuple[Sitting, ...]


class Oracle:
    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem = problem
        self.homes = {home.id: home for home in problem.households}
        self.requests = {request.id: request for request in problem.requests}
        self.vetoes = {(veto.request, veto.tutor) for veto in problem.vetoes}
        self.sittings = tuple(sitting_of(group) for group in plan.groups)

    # --- the filters, in the order of the format

    def reason(self, request: Request) -> str:
        tutors, reason = self.filtered(request)
        if reason is not None:
            return reason
        homeless = self._without_household(request)
        if any(True for t in tutors for _ in self.seatings(request, t, homeless)):
            return "phone_busy"
        return "taken"

    def filtered(self, request: Request) -> tuple[list[Tutor], str | None]:
        home = self.homes[request.household]
        left = list(self.problem.tutors)
        for reason, passes in (
            ("no_tutor", lambda t: self._teaches(t, request)),
            ("needs_unmet", lambda t: set(request.needs) <= set(t.tags)),
            ("no_common_channel", lambda t: set(t.channels) & set(home.channels)),
            ("no_common_language", lambda t: set(t.languages) & set(home.languages)),
            ("too_few_lessons", lambda t: t.max_lessons_per_week >= request.lessons_per_week),
            ("no_common_time", lambda t: self._has_time(t, home, request.lessons_per_week)),
            ("vetoed", lambda t: (request.id, t.id) not in self.vetoes),
        ):
            left = [tutor for tutor in left if passes(tutor)]
            if not left:
                return [], reason
        return left, None

    def _teaches(self, tutor: Tutor, request: Request) -> bool:
        return any(
            taught.subject == request.subject and request.level in taught.levels
            for taught in tutor.teaches
        )

    def _has_time(self, tutor: Tutor, home: Household, lessons: int) -> bool:
        if tutor.available is None or home.reachable is None:
            return True
        return len({start // 1440 for start in self.common_starts(tutor, home)}) >= lessons

    def common_starts(self, tutor: Tutor, home: Household) -> list[int]:
        grid = range(0, WEEK, self.problem.start_every)
        return [
            start
            for start in grid
            if self.inside(start, tutor.available or ())
            and self.inside(start, home.reachable or ())
        ]

    def inside(self, start: int, windows: tuple[Window, ...]) -> bool:
        return any(
            w.start <= start and start + self.problem.lesson_minutes <= w.end for w in windows
        )

    def _without_household(self, request: Request) -> Sittings:
        """The groups, as if none of the household's seats took phone or pupil: they are given
        to nobody, so that tutors and groups stay as full as they are."""
        return tuple(
            sitting._replace(
                members=tuple(
                    "" if self.requests[m].household == request.household else m
                    for m in sitting.members
                )
            )
            for sitting in self.sittings
        )

    # --- every way to seat a request beside some groups

    def seatings(self, request: Request, tutor: Tutor, sittings: Sittings) -> Iterator[Sittings]:
        """All that the groups could be once this tutor, who passes the filters, has taken it."""
        home = self.homes[request.household]
        timed = tutor.available is not None and home.reachable is not None
        for i, sitting in enumerate(sittings):
            if self._joinable(request, tutor, home, sitting, sittings, timed):
                joined = sitting._replace(members=(*sitting.members, request.id))
                yield (*sittings[:i], joined, *sittings[i + 1 :])
        mine = [sitting for sitting in sittings if sitting.tutor == tutor.id]
        lessons = sum(len(sitting.starts) for sitting in mine)
        if lessons + request.lessons_per_week > tutor.max_lessons_per_week:
            return
        taken = {m for s in mine for start in s.starts if start is not None for m in self.of(start)}
        free = [s for s in self.common_starts(tutor, home) if not taken & self.of(s)]
        choices = combinations(free if timed else (), request.lessons_per_week)
        for starts in choices if timed else [(None,) * request.lessons_per_week]:
            days = {start // 1440 for start in starts if start is not None}
            if timed and len(days) < len(starts):
                continue
            if not self.home_free(request, starts, sittings):
                continue
            for channel, language in product(tutor.channels, tutor.languages):
                if channel in home.channels and language in home.languages:
                    opened = Sitting(
                        tutor.id,
                        request.subject,
                        request.level,
                        channel,
                        language,
                        starts,
                        (request.id,),
                    )
                    yield (*sittings, opened)

    def _joinable(
        self,
        request: Request,
        tutor: Tutor,
        home: Household,
        sitting: Sitting,
        sittings: Sittings,
        timed: bool,
    ) -> bool:
        common = set(self.common_starts(tutor, home)) if timed else {None}
        return (
            sitting.tutor == tutor.id
            and (sitting.subject, sitting.level) == (request.subject, request.level)
            and len(sitting.starts) == request.lessons_per_week
            and len(sitting.members) < self.problem.channels[sitting.channel].max_group
            and sitting.channel in {*tutor.channels} & {*home.channels}
            and sitting.language in {*tutor.languages} & {*home.languages}
            and set(sitting.starts) <= common
            and self.home_free(request, sitting.starts, sittings)
        )

    def of(self, start: int) -> set[int]:
        """The minutes of a lesson."""
        return {minute % WEEK for minute in range(start, start + self.problem.lesson_minutes)}

    def home_free(
        self, request: Request, starts: tuple[int | None, ...], sittings: Sittings
    ) -> bool:
        """Whether a phone and the pupil are free for these lessons, minute by minute."""
        seats: Counter[int] = Counter()
        pupil: set[int] = set()
        for sitting in sittings:
            minutes = {m for s in sitting.starts if s is not None for m in self.of(s)}
            for name in sitting.members:
                other = self.requests.get(name)
                if other is not None and other.household == request.household:
                    seats.update(minutes)
                if other is not None and other.pupil == request.pupil:
                    pupil |= minutes
        wanted = {m for start in starts if start is not None for m in self.of(start)}
        phones = self.homes[request.household].phones
        return not wanted & pupil and all(seats[minute] < phones for minute in wanted)

    # --- exchanges

    def admits(self, request: Request, tutor: Tutor, gone: set[str]) -> bool:
        """Whether the tutor could take the request once those have left."""
        left = (
            sitting._replace(members=tuple(m for m in sitting.members if m not in gone))
            for sitting in self.sittings
        )
        sittings = tuple(sitting for sitting in left if sitting.members)
        return any(True for _ in self.seatings(request, tutor, sittings))

    def rooms(self, request: Request, tutor: Tutor) -> Iterator[tuple[int, set[str]]]:
        """Every set of the tutor's pupils whose leaving admits the request, with its weight."""
        pupils = [m for s in self.sittings if s.tutor == tutor.id for m in s.members]
        for count in range(len(pupils) + 1):
            for chosen in combinations(pupils, count):
                if self.admits(request, tutor, set(chosen)):
                    yield sum(self.requests[m].weight for m in chosen), set(chosen)

    def cheapest(self, request: Request) -> int | None:
        """The least weight of one tutor's pupils whose leaving admits the request."""
        tutors, _ = self.filtered(request)
        return min((w for t in tutors for w, _ in self.rooms(request, t)), default=None)

    def holders(self, request: Request, tutor: Tutor) -> set[str]:
        """Who sits in the tutor's lessons that the request could have had."""
        mine = [sitting for sitting in self.sittings if sitting.tutor == tutor.id]
        lessons = sum(len(sitting.starts) for sitting in mine)
        home = self.homes[request.household]
        timed = tutor.available is not None and home.reachable is not None
        if timed and lessons + request.lessons_per_week <= tutor.max_lessons_per_week:
            wanted = {m for start in self.common_starts(tutor, home) for m in self.of(start)}
            mine = [
                sitting
                for sitting in mine
                if any(start is not None and wanted & self.of(start) for start in sitting.starts)
            ]
        return {member for sitting in mine for member in sitting.members}


def sitting_of(group: Group) -> Sitting:
    return Sitting(
        group.tutor,
        group.subject,
        group.level,
        group.channel,
        group.language,
        group.starts,
        group.requests,
    )
