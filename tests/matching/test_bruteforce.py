"""Small problems, solved a second time by trying every plan there is."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import matching
from matching.problem import Problem

SUBJECTS = ["maths", "svt"]
CHANNELS = ["call", "whatsapp"]
LANGUAGES = ["darija", "fr"]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CLOCKS = ["18:00", "18:15", "18:30", "18:45", "19:00", "19:15", "19:30", "20:00"]

some = st.booleans()


def subsets(items: list[str], least: int = 1) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(items), min_size=least, max_size=len(items), unique=True)


@st.composite
def windows(draw: st.DrawFn) -> list[list[str]]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        day = draw(st.sampled_from(DAYS[:2]))
        first = draw(st.integers(0, len(CLOCKS) - 4))
        last = draw(st.integers(first + 3, len(CLOCKS) - 1))
        found.append([day, CLOCKS[first], CLOCKS[last]])
    return found


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    maybe_windows = st.one_of(windows(), windows(), windows(), st.none())
    tutors = [
        {
            "id": f"V{i}",
            "teaches": [{"subject": s, "levels": ["1AC"]} for s in draw(subsets(SUBJECTS))],
            "channels": draw(subsets(CHANNELS)),
            "languages": draw(subsets(LANGUAGES)),
            "available": draw(maybe_windows),
            "max_lessons_per_week": draw(st.integers(1, 3)),
            "tags": draw(subsets(["woman"], 0)),
        }
        for i in range(draw(st.integers(1, 3)))
    ]
    households = [
        {
            "id": f"H{i}",
            "zone": f"Z{draw(st.integers(0, 2))}",
            "channels": draw(subsets(CHANNELS)),
            "languages": draw(subsets(LANGUAGES)),
            "reachable": draw(maybe_windows),
            "phones": draw(st.integers(1, 2)),
        }
        for i in range(draw(st.integers(1, 4)))
    ]
    requests = []
    for i in range(draw(st.integers(1, 10))):
        home = draw(st.integers(0, len(households) - 1))
        request: dict[str, Any] = {
            "id": f"R{i}",
            "pupil": f"P{home}{draw(st.integers(0, 2))}",
            "household": f"H{home}",
            "subject": draw(st.sampled_from(SUBJECTS)),
            "level": "1AC",
            "lessons_per_week": draw(st.sampled_from([1, 1, 1, 2])),
            "weight": draw(st.integers(1, 3)),
            "needs": draw(st.sampled_from([[], [], ["woman"]])),
        }
        if draw(some):
            request["previous_tutor"] = draw(st.sampled_from(tutors))["id"]
        if draw(some):
            request["preferred"] = draw(windows())
        requests.append(request)
    return {
        "format": "n9raw-problem/1",
        "lesson_minutes": draw(st.sampled_from([45, 30])),
        "start_every": draw(st.sampled_from([15, 30])),
        "channels": {
            "call": {"max_group": 1, "cost": 3},
            "whatsapp": {"max_group": draw(st.integers(1, 3)), "cost": 1},
        },
        "tutors": tutors,
        "households": households,
        "requests": requests,
        "pins": draw(pins(tutors, requests)),
        "vetoes": draw(
            st.lists(
                st.fixed_dictionaries(
                    {
                        "request": st.sampled_from([r["id"] for r in requests]),
                        "tutor": st.sampled_from([t["id"] for t in tutors]),
                    }
                ),
                max_size=2,
            )
        ),
    }


@st.composite
def pins(
    draw: st.DrawFn, tutors: list[dict[str, Any]], requests: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    found = []
    for request in draw(
        st.lists(st.sampled_from(requests), max_size=4, unique_by=lambda r: r["id"])
    ):
        pin: dict[str, Any] = {
            "request": request["id"],
            "tutor": draw(st.sampled_from(tutors))["id"],
        }
        if draw(some):
            days = DAYS[: request["lessons_per_week"]]
            pin["starts"] = [[day, draw(st.sampled_from(["18:00", "18:10"]))] for day in days]
        if draw(some):
            pin["channel"] = draw(st.sampled_from(CHANNELS))
        if draw(some):
            pin["language"] = draw(st.sampled_from(LANGUAGES))
        if draw(some):
            pin["group"] = draw(st.sampled_from(["A", "B"]))
        found.append(pin)
    return found


class BruteForce:
    """Every way to seat the requests one after the other, written without the library."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.homes = {h.id: h for h in problem.households}
        self.tutors = {t.id: t for t in problem.tutors}
        self.vetoes = {(v.request, v.tutor) for v in problem.vetoes}
        self.pins: dict[str, Any] = {}

    def take_pins(self) -> set[str]:
        """The requests of the pins that hold, each beside those taken before it."""
        for pin in sorted(self.problem.pins, key=lambda pin: pin.starts is None):
            self.pins[pin.request] = pin
            requests = [r for r in self.problem.requests if r.id in self.pins]
            if not any(True for _ in self._arrange(requests, [], set(self.pins))):
                del self.pins[pin.request]
        return set(self.pins)

    def best(self) -> tuple[int, list[int]]:
        """The most weight, and then the best ascending list of shares."""
        asked: dict[str, int] = {}
        for request in self.problem.requests:
            zone = self.homes[request.household].zone
            asked[zone] = asked.get(zone, 0) + request.weight
        self.found: tuple[int, list[int]] = (-1, [])
        order = sorted(self.problem.requests, key=lambda r: r.id not in self.pins)
        self.left = [sum(r.weight for r in order[i:]) for i in range(len(order) + 1)]
        self.seen: set[Any] = set()
        self._search(order, 0, [], dict.fromkeys(asked, 0), asked)
        return self.found

    def _search(self, order: Any, i: int, groups: Any, served: Any, asked: Any) -> None:
        weight = sum(served.values())
        if weight + self.left[i] < self.found[0]:
            return
        state = (i, frozenset((g[0], frozenset(m.id for m in g[1])) for g in groups))
        if state in self.seen:
            return
        self.seen.add(state)
        if i == len(order):
            shares = sorted(1000 * served[zone] // asked[zone] for zone in asked)
            self.found = max(self.found, (weight, shares))
            return
        zone = self.homes[order[i].household].zone
        for more in self._seatings(order[i], groups):
            self._search(
                order, i + 1, more, {**served, zone: served[zone] + order[i].weight}, asked
            )
        if order[i].id not in self.pins:
            self._search(order, i + 1, groups, served, asked)

    def _arrange(self, requests: Any, groups: Any, must: Any) -> Any:
        if not requests:
            yield groups
            return
        for more in self._seatings(requests[0], groups):
            yield from self._arrange(requests[1:], more, must)

    def _seatings(self, r: Any, groups: Any) -> Any:
        """All timetables with the request in one more seat.

        A group is ((tutor, subject, level, lessons, channel, language, starts), members).
        """
        for i, (head, members) in enumerate(groups):
            seats = self.problem.channels[head[4]].max_group - len(members)
            alike = (r.subject, r.level, r.lessons_per_week) == head[1:4]
            if alike and seats > 0 and self._allowed(r, head, groups, i):
                yield [*groups[:i], (head, [*members, r]), *groups[i + 1 :]]
        pin = self.pins.get(r.id)
        for tutor in self.problem.tutors:
            for channel, language, starts in product(
                self.problem.channels, LANGUAGES, self._choices(r, tutor, pin)
            ):
                head = (tutor.id, r.subject, r.level, r.lessons_per_week, channel, language, starts)
                if self._tutor_can(tutor, head, groups) and self._allowed(r, head, groups, None):
                    yield [*groups, (head, [r])]

    def _choices(self, r: Any, tutor: Any, pin: Any) -> list[Any]:
        if pin is not None and pin.starts is not None:
            return [pin.starts]
        if tutor.available is None or self.homes[r.household].reachable is None:
            return [None]
        grid = range(0, 7 * 1440, self.problem.start_every)
        starts = [s for s in grid if self._inside(s, tutor.available)]
        return [
            chosen
            for chosen in combinations(starts, r.lessons_per_week)
            if len({s // 1440 for s in chosen}) == len(chosen)
        ]

    def _inside(self, start: int, windows: Any) -> bool:
        return any(w.start <= start <= w.end - self.problem.lesson_minutes for w in windows)

    def _tutor_can(self, tutor: Any, head: Any, groups: Any) -> bool:
        mine = [g[0] for g in groups if g[0][0] == tutor.id]
        if sum(h[3] for h in mine) + head[3] > tutor.max_lessons_per_week:
            return False
        return not any(
            abs(a - b) < self.problem.lesson_minutes
            for h in mine
            for a in h[6] or ()
            for b in head[6] or ()
        )

    def _allowed(self, r: Any, head: Any, groups: Any, joined: int | None) -> bool:
        tutor, home, pin = self.tutors[head[0]], self.homes[r.household], self.pins.get(r.id)
        if (r.id, tutor.id) in self.vetoes:
            return False
        if not any(t.subject == r.subject and r.level in t.levels for t in tutor.teaches):
            return False
        if pin is None and not set(r.needs) <= set(tutor.tags):
            return False
        if pin is not None and pin.tutor != tutor.id:
            return False
        for name, named, mine, theirs in (
            (head[4], pin and pin.channel, tutor.channels, home.channels),
            (head[5], pin and pin.language, tutor.languages, home.languages),
        ):
            if name != named if named else name not in mine or name not in theirs:
                return False
        if pin is not None and pin.starts is not None:
            if head[6] != pin.starts:
                return False
        elif tutor.available is None or home.reachable is None:
            if head[6] is not None:
                return False
        elif head[6] is None or not all(
            s % self.problem.start_every == 0
            and self._inside(s, tutor.available)
            and self._inside(s, home.reachable)
            for s in head[6]
        ):
            return False
        return self._at_home(r, head, groups) and self._together(r, groups, joined, pin)

    def _at_home(self, r: Any, head: Any, groups: Any) -> bool:
        lesson = self.problem.lesson_minutes
        for start in head[6] or ():
            for minute in range(start, start + lesson):
                at_home = 0
                for other, members in groups:
                    if any(s <= minute < s + lesson for s in other[6] or ()):
                        if any(m.pupil == r.pupil for m in members):
                            return False
                        at_home += sum(m.household == r.household for m in members)
                if at_home >= self.homes[r.household].phones:
                    return False
        return True

    def _together(self, r: Any, groups: Any, joined: int | None, pin: Any) -> bool:
        """Whether all the others of its pinned group sit in the group that is joined."""
        if pin is None or pin.group is None:
            return True
        return all(
            i == joined
            for i, (_, members) in enumerate(groups)
            for m in members
            if m.id in self.pins and self.pins[m.id].group == pin.group
        )


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(problems())
def test_optimum_is_what_trying_everything_finds(document: dict[str, Any]) -> None:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(100_000))
    assert matching.check(problem, plan) == []
    assert plan.status == "optimal"
    brute = BruteForce(problem)
    taken = brute.take_pins()
    impossible = {pin.request for pin in plan.impossible_pins}
    assert impossible == {pin.request for pin in problem.pins} - taken
    assert (plan.objective.weight_served, list(plan.levels[1].value)) == brute.best()
