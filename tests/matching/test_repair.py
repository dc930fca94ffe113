"""A plan whose problem has changed: what stands, what may change, and how much is served."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import matching
from matching.plan import Plan
from matching.problem import Problem
from matching.standing import stand
from tests.matching.test_bruteforce import BruteForce, problems
from tests.support.changed_problems import changed_problems
from tests.support.crowded_problems import Document, crowded_problems

PILOT = Path("benchmarks/instances/pilot-5.json.gz")
TEN_THOUSAND = Path("benchmarks/instances/k10.json.gz")
SECONDS_AT_TEN_THOUSAND = 1.0

# Too little for CP-SAT to be loaded, and more than any of these problems needs.
WITHOUT_PROOF = 0.9

HOUR = ["18:00", "19:00"]
CALL = {"channels": ["call"]}

Place = tuple[str, tuple[int | None, ...], str, str]


def quickly(problem: Problem) -> Plan:
    return matching.solve(problem, stop=matching.MaxIterations(0))


def places(plan: Plan) -> dict[str, Place]:
    return {
        name: (group.tutor, group.starts, group.channel, group.language)
        for group in plan.groups
        for name in group.requests
    }


def standing_places(problem: Problem, plan: Plan) -> dict[str, Place]:
    """The pairs of the plan that stand, by the ids of the requests."""
    return {
        problem.requests[r].id: (
            problem.tutors[seat.tutor].id,
            seat.starts or (None,) * problem.requests[r].lessons_per_week,
            seat.channel,
            seat.language,
        )
        for r, seat in stand(problem, plan).pairs.items()
    }


@st.composite
def situations(draw: st.DrawFn, from_: Any) -> tuple[Document, Document]:
    before = draw(from_)
    return before, draw(changed_problems(before))


slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@slow
@given(situations(crowded_problems()), st.integers(0, 4))
def test_repaired_plan_keeps_all_rules_and_all_pairs_but_a_few(
    situation: tuple[Document, Document], limit: int
) -> None:
    before, after = map(matching.read_problem, situation)
    old = quickly(before)
    stop = matching.MaxRuntime(WITHOUT_PROOF)
    new = matching.repair(after, old, limit=limit, stop=stop)
    assert matching.check(after, new) == []
    stood, now = standing_places(after, old), places(new)
    changed = {name for name, place in stood.items() if now.get(name) != place}
    assert len(changed) <= limit
    told = matching.changes(after, old, new)
    assert {*told.moved, *told.dropped} == changed
    assert {*told.dropped} == changed - now.keys()
    assert {*told.fallen} == places(old).keys() - stood.keys()
    assert {*told.added} == now.keys() - places(old).keys()
    least = matching.repair(after, old, limit=0, stop=stop)
    assert new.objective.weight_served >= least.objective.weight_served


@slow
@given(crowded_problems(), st.integers(0, 3))
def test_nothing_falls_where_nothing_changed(document: Document, limit: int) -> None:
    problem = matching.read_problem(document)
    old = quickly(problem)
    new = matching.repair(problem, old, limit=limit, stop=matching.MaxRuntime(WITHOUT_PROOF))
    assert matching.changes(problem, old, new).fallen == ()
    assert new.objective.weight_served >= old.objective.weight_served


class WithinLimit(BruteForce):
    """Every plan that changes at most so many pairs: the most weight, then the fewest changes."""

    def best_within(self, pairs: dict[str, Place], limit: int) -> tuple[int, int]:
        self.pairs, self.limit = pairs, limit
        order = sorted(self.problem.requests, key=lambda r: r.id not in self.pins)
        self.left = [sum(r.weight for r in order[i:]) for i in range(len(order) + 1)]
        self.seen = set()
        self.best_found = (-1, 0)
        self._try_all(order, 0, [], 0, 0)
        return self.best_found[0], -self.best_found[1]

    def _try_all(self, order: Any, i: int, groups: Any, weight: int, changed: int) -> None:
        if changed > self.limit or weight + self.left[i] < self.best_found[0]:
            return
        state = (i, frozenset((g[0], frozenset(m.id for m in g[1])) for g in groups))
        if state in self.seen:
            return
        self.seen.add(state)
        if i == len(order):
            self.best_found = max(self.best_found, (weight, -changed))
            return
        request = order[i]
        for more in self._seatings(request, groups):
            place = next(self._place(g[0]) for g in more if request in g[1])
            moved = request.id in self.pairs and place != self.pairs[request.id]
            self._try_all(order, i + 1, more, weight + request.weight, changed + moved)
        if request.id not in self.pins:
            self._try_all(order, i + 1, groups, weight, changed + (request.id in self.pairs))

    def _place(self, head: Any) -> Place:
        return head[0], head[6] or (None,) * head[3], head[4], head[5]


@settings(
    parent=slow,
    max_examples=max(25, settings().max_examples // 2),
)
@given(situations(problems()), st.integers(0, 3))
def test_best_within_the_limit_is_what_trying_everything_finds(
    situation: tuple[Document, Document], limit: int
) -> None:
    before, after = map(matching.read_problem, situation)
    old = quickly(before)
    new = matching.repair(after, old, limit=limit, stop=matching.MaxIterations(100_000))
    assert matching.check(after, new) == []
    brute = WithinLimit(after)
    taken = brute.take_pins()
    assert {pin.request for pin in new.impossible_pins} == {p.request for p in after.pins} - taken
    found = new.objective.weight_served, matching.changes(after, old, new).count
    assert found == brute.best_within(standing_places(after, old), limit)


@slow
@given(situations(problems()))
def test_no_pair_fell_that_has_room_beside_those_that_stand(
    situation: tuple[Document, Document],
) -> None:
    before, after = map(matching.read_problem, situation)
    old = quickly(before)
    table = stand(after, old).table
    brute = WithinLimit(after)
    brute.take_pins()
    groups = [
        (
            (after.tutors[g.tutor].id, *g.key, g.channel, g.language, g.starts),
            [after.requests[r] for r in g.members],
        )
        for g in table.groups()
    ]
    seated = {request.id for _, members in groups for request in members}
    for request in after.requests:
        place = places(old).get(request.id)
        if place is not None and request.id not in seated:
            for more in brute._seatings(request, groups):
                assert place != next(brute._place(g[0]) for g in more if request in g[1])


# --- the smallest problems that show it


def test_tutor_who_leaves_moves_nobody_else_with_limit_zero(make: Any) -> None:
    homes = [make.household(f"H{i}", reachable=[["mon", *HOUR]]) for i in range(3)]
    requests = [make.request(f"R{i}", f"H{i}") for i in range(3)]
    hour = [["mon", *HOUR]]
    tutors = [make.tutor(f"V{i}", available=hour, **CALL) for i in range(3)]
    old = quickly(make.problem(tutors, homes, requests))
    problem = make.problem(tutors[1:], homes, requests)
    new = matching.repair(problem, old, limit=0)
    assert matching.check(problem, new) == []
    left = next(name for name, place in places(old).items() if place[0] == "V0")
    assert places(new) == {name: place for name, place in places(old).items() if name != left}
    assert matching.changes(problem, old, new) == matching.Changes((), (), (), (left,), ())


def _two_who_could_change_places(make: Any) -> tuple[Problem, Plan]:
    """R1 has the only hour at which R2 could come, and could come at another hour as well."""
    tutor = make.tutor(available=[["mon", "18:00", "20:00"]], **CALL)
    homes = [
        make.household("H1", reachable=[["mon", "18:00", "20:00"]]),
        make.household("H2", reachable=[["mon", *HOUR]]),
    ]
    requests = [make.request("R1", "H1"), make.request("R2", "H2")]
    grid = {"start_every": 60}
    alone = make.problem(
        [{**tutor, "available": [["mon", *HOUR]]}], homes[:1], requests[:1], **grid
    )
    return make.problem([tutor], homes, requests, **grid), quickly(alone)


@pytest.mark.parametrize("proved", [False, True])
def test_one_who_moves_makes_room_for_one_who_arrives(make: Any, proved: bool) -> None:
    problem, old = _two_who_could_change_places(make)
    stop = None if proved else matching.MaxRuntime(WITHOUT_PROOF)
    still = matching.repair(problem, old, limit=0, stop=stop)
    assert places(still) == places(old)
    new = matching.repair(problem, old, limit=1, stop=stop)
    assert matching.check(problem, new) == []
    assert {name: place[1] for name, place in places(new).items()} == {
        "R1": (19 * 60,),
        "R2": (18 * 60,),
    }
    assert matching.changes(problem, old, new) == matching.Changes(("R1",), (), ("R2",), (), ())


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_chain_of_moves_needs_as_many_changes_as_it_has_moves(make: Any, limit: int) -> None:
    """Each could go to the next tutor as well; only the last of them is free."""
    hour = [["mon", *HOUR]]
    tutors = [make.tutor(f"V{i}", available=hour, languages=[f"L{i}"]) for i in range(4)]
    homes = [
        make.household(f"H{i}", reachable=hour, languages=[f"L{i}", f"L{i + 1}"], **CALL)
        for i in range(3)
    ]
    homes.append(make.household("H3", reachable=hour, languages=["L0"], **CALL))
    requests = [make.request(f"R{i}", f"H{i}") for i in range(4)]
    pins = [{"request": f"R{i}", "tutor": f"V{i}"} for i in range(3)]
    old = quickly(make.problem(tutors, homes[:3], requests[:3], pins=pins))
    problem = make.problem(tutors, homes, requests)
    for stop in (None, matching.MaxRuntime(WITHOUT_PROOF)):
        new = matching.repair(problem, old, limit=limit, stop=stop)
        assert matching.check(problem, new) == []
        assert new.objective.requests_served == (4 if limit == 3 else 3)
        assert matching.changes(problem, old, new).count == (3 if limit == 3 else 0)


def test_newcomer_who_joins_a_group_changes_nobody(make: Any) -> None:
    hour = [["mon", *HOUR]]
    homes = [make.household(f"H{i}", channels=["whatsapp"]) for i in range(2)]
    requests = [make.request(f"R{i}", f"H{i}") for i in range(2)]
    tutor = make.tutor(available=hour)
    old = quickly(make.problem([tutor], homes[:1], requests[:1]))
    problem = make.problem([tutor], homes, requests)
    new = matching.repair(problem, old, limit=0)
    assert [group.requests for group in new.groups] == [("R0", "R1")]
    assert matching.changes(problem, old, new) == matching.Changes((), (), ("R1",), (), ())


def test_tutor_with_fewer_lessons_keeps_the_groups_that_weigh_most(make: Any) -> None:
    """One group of two weighs 4, the other groups 3 and 3; there are two lessons left."""
    homes = [make.household("H0"), make.household("H1")]
    homes += [make.household("H2", **CALL), make.household("H3", **CALL)]
    weights = [2, 2, 3, 3]
    requests = [make.request(f"R{i}", f"H{i}", weight=weights[i]) for i in range(4)]
    for home in homes:
        home["reachable"] = [["mon", "18:00", "21:00"]]
    tutor = make.tutor(available=[["mon", "18:00", "21:00"]], max_lessons_per_week=3)
    old = quickly(make.problem([tutor], homes, requests))
    problem = make.problem([{**tutor, "max_lessons_per_week": 2}], homes, requests)
    new = matching.repair(problem, old, limit=0)
    told = matching.changes(problem, old, new)
    assert len(told.fallen) == 1
    assert told.fallen[0] in {"R2", "R3"}
    assert told.count == 0
    assert new.objective.weight_served == 7


def test_new_pin_makes_way_for_an_old_group_where_it_can(make: Any) -> None:
    homes = [make.household("H1", **CALL), make.household("H2", **CALL)]
    requests = [make.request("R1", "H1"), make.request("R2", "H2")]
    old = quickly(make.problem([make.tutor()], homes[:1], requests[:1]))
    pin = {"request": "R2", "tutor": "V1"}
    problem = make.problem([make.tutor()], homes, requests, pins=[pin])
    new = matching.repair(problem, old, limit=0)
    assert matching.changes(problem, old, new) == matching.Changes((), (), ("R2",), (), ())
    pinned = {**pin, "starts": [["mon", "18:00"]]}
    assert places(old)["R1"][1] == (18 * 60,)
    problem = make.problem([make.tutor()], homes, requests, pins=[pinned])
    new = matching.repair(problem, old, limit=0)
    assert matching.changes(problem, old, new) == matching.Changes(
        (), (), ("R2",), ("R1",), ("R1",)
    )


def test_member_of_a_pinned_group_is_never_moved(make: Any) -> None:
    hour = [["mon", *HOUR]]
    tutors = [make.tutor("V1", available=hour, **CALL), make.tutor("V2", available=hour, **CALL)]
    homes = [
        make.household("H1", languages=["darija"], reachable=hour),
        make.household("H2", languages=["fr"], reachable=hour),
    ]
    tutors[0]["languages"] = ["darija", "fr"]
    requests = [make.request("R1", "H1"), make.request("R2", "H2", weight=9)]
    pins = [{"request": "R1", "tutor": "V1", "group": "G7"}]
    old = quickly(make.problem(tutors, homes[:1], requests[:1], pins=pins))
    problem = make.problem(tutors, homes, requests, pins=pins)
    assert places(matching.repair(problem, old, limit=5)) == places(old)
    freed = make.problem(tutors, homes, requests)
    new = matching.repair(freed, old, limit=1)
    assert {name: place[0] for name, place in places(new).items()} == {"R1": "V2", "R2": "V1"}


def test_plan_of_people_who_are_gone_is_no_obstacle(make: Any) -> None:
    old = quickly(make.problem([make.tutor("V9")], [make.household()], [make.request("R9")]))
    problem = make.problem([make.tutor()], [make.household()], [make.request()])
    new = matching.repair(problem, old, limit=0)
    assert matching.changes(problem, old, new) == matching.Changes((), (), ("R1",), ("R9",), ())


def test_limit_below_zero_is_refused(make: Any) -> None:
    problem = make.problem([], [], [])
    with pytest.raises(ValueError, match="a limit of -1 changes: must not be negative"):
        matching.repair(problem, quickly(problem), limit=-1)


def test_same_seed_and_iterations_give_the_same_repair(make: Any) -> None:
    problem, old = _two_who_could_change_places(make)
    stop = matching.MaxIterations(50)
    first = matching.repair(problem, old, limit=2, stop=stop)
    assert first.seconds is None
    assert matching.repair(problem, old, limit=2, stop=stop) == first


def test_cancelled_repair_still_keeps_the_rules(make: Any) -> None:
    problem, old = _two_who_could_change_places(make)
    cancelled = matching.Cancelled()
    cancelled.cancel()
    new = matching.repair(problem, old, limit=2, stop=cancelled)
    assert matching.check(problem, new) == []
    assert places(new) == places(old)


@pytest.mark.parametrize(("limit", "weight"), [(0, 1), (1, 2)])
def test_progress_tells_that_the_best_within_the_limit_is_proved(
    make: Any, limit: int, weight: int
) -> None:
    problem, old = _two_who_could_change_places(make)
    told: list[tuple[str, int | None, int | None]] = []
    matching.repair(problem, old, limit=limit, progress=lambda *event: told.append(event))
    weights = [event[1:] for event in told if event[0] == "weight_served"]
    assert weights[-1] == (weight, weight)
    known = {"greedy", "weight_served", "zones", "kept", "cost", "reasons"}
    assert {event[0] for event in told} <= known


# --- the command


def _command(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "matching", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def _write(folder: Path, name: str, document: dict[str, Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_command_writes_a_plan_that_passes_the_check(make: Any, tmp_path: Path) -> None:
    problem, old = _two_who_could_change_places(make)
    asked = _write(tmp_path, "problem.json", matching.problem_to_json(problem))
    planned = _write(tmp_path, "plan.json", matching.plan_to_json(old))
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    for out in (first, second):
        done = _command(
            "repair", asked, planned, "--limit", 1, "--out", out, "--iterations", 100, "--seed", 3
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert first.read_bytes() == second.read_bytes()
    assert matching.read_plan(first).objective.weight_served == 2
    assert _command("check", asked, first).returncode == 0


def test_command_refuses_what_it_cannot_read_or_write(make: Any, tmp_path: Path) -> None:
    problem, old = _two_who_could_change_places(make)
    asked = _write(tmp_path, "problem.json", matching.problem_to_json(problem))
    planned = _write(tmp_path, "plan.json", matching.plan_to_json(old))
    out = tmp_path / "new.json"
    for arguments, line in (
        ((asked, asked, "--out", out), f"{asked}: lesson_minutes: unknown key\n"),
        ((asked, tmp_path / "no", "--out", out), f"{tmp_path}/no: No such file or directory\n"),
        (
            (asked, planned, "--out", tmp_path / "no" / "new.json"),
            f"{tmp_path}/no/new.json: no such folder to write to\n",
        ),
    ):
        done = _command("repair", *arguments, "--limit", 1)
        assert (done.returncode, done.stderr) == (2, line)
    assert _command("repair", asked, planned, "--out", out).returncode == 2
    assert not out.exists()


def test_signal_ends_a_repair_with_the_best_plan_so_far(tmp_path: Path) -> None:
    planned, out = tmp_path / "plan.json", tmp_path / "new.json"
    assert _command("solve", PILOT, "--out", planned, "--iterations", 0).returncode == 0
    command = [
        *(sys.executable, "-m", "matching", "repair", str(PILOT), str(planned)),
        *("--limit", "20", "--out", str(out), "--seconds", "60", "--progress", "json"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if json.loads(line)["phase"] == "weight_served":
                process.send_signal(signal.SIGTERM)
                break
        process.stderr.read()
        assert process.wait(timeout=30) == 0
    assert _command("check", PILOT, out).returncode == 0


# --- size


def _without_tutor(problem: Problem, gone: str) -> Problem:
    return replace(
        problem,
        tutors=tuple(tutor for tutor in problem.tutors if tutor.id != gone),
        requests=tuple(
            replace(request, previous_tutor=None) if request.previous_tutor == gone else request
            for request in problem.requests
        ),
        vetoes=tuple(veto for veto in problem.vetoes if veto.tutor != gone),
    )


def test_ten_thousand_pupils_are_repaired_within_seconds() -> None:
    before = matching.read_problem(TEN_THOUSAND)
    old = quickly(before)
    problem = _without_tutor(before, old.groups[0].tutor)
    began = process_time()
    new = matching.repair(problem, old, limit=10)
    assert process_time() - began < 3 * SECONDS_AT_TEN_THOUSAND
    assert matching.check(problem, new) == []
    told = matching.changes(problem, old, new)
    assert 0 < told.count <= 10
    still = matching.repair(problem, old, limit=0)
    assert new.objective.weight_served > still.objective.weight_served
