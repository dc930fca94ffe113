"""Every reason and every exchange, against an oracle that tries all there is to try."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

import matching
from tests.support.crowded_problems import Document, crowded_problems
from tests.support.plan_oracle import Oracle

slowly = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@slowly
@given(crowded_problems())
def test_reasons_and_cheapest_exchanges_are_what_trying_everything_finds(
    document: Document,
) -> None:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    assert matching.check(problem, plan) == []
    oracle = Oracle(problem, plan)
    for unserved in plan.unserved:
        request = oracle.requests[unserved.request]
        assert (unserved.request, unserved.reason) == (request.id, oracle.reason(request))
        if unserved.reason == "taken":
            weight = None if unserved.exchange is None else unserved.exchange.weight
            assert (request.id, weight) == (request.id, oracle.cheapest(request))


@slowly
@given(crowded_problems())
def test_exchange_carried_out_admits_the_request_and_nothing_lighter_does(
    document: Document,
) -> None:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    oracle = Oracle(problem, plan)
    whose = {m: sitting.tutor for sitting in oracle.sittings for m in sitting.members}
    tutors = {tutor.id: tutor for tutor in problem.tutors}
    for unserved in plan.unserved:
        if unserved.exchange is None:
            continue
        request = oracle.requests[unserved.request]
        out = set(unserved.exchange.out)
        (name,) = {whose[member] for member in out}
        rooms = list(oracle.rooms(request, tutors[name]))
        assert (unserved.exchange.weight, out) in rooms
        assert unserved.exchange.weight == min(weight for weight, _ in rooms)


@slowly
@given(crowded_problems())
def test_held_by_names_those_in_the_lessons_that_it_could_have_had(document: Document) -> None:
    problem = matching.read_problem(document)
    plan = matching.solve(problem, stop=matching.MaxIterations(0))
    oracle = Oracle(problem, plan)
    whose = {m: sitting.tutor for sitting in oracle.sittings for m in sitting.members}
    for unserved in plan.unserved:
        request = oracle.requests[unserved.request]
        tutors, _ = oracle.filtered(request)
        if unserved.exchange is not None:
            name = whose[unserved.exchange.out[0]]
            tutors = [tutor for tutor in tutors if tutor.id == name]
        expected = {m for tutor in tutors for m in oracle.holders(request, tutor)}
        if unserved.reason != "taken":
            expected = set()
        assert (request.id, set(unserved.held_by)) == (request.id, expected)
