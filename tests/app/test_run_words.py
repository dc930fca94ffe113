"""What a coordinator reads of a search: how far it is, how much more could be, how sure."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale

from app.database import transaction
from app.services import proposals, runs, solving
from app.services.proposals import LevelFigures
from app.services.solving import Progress
from app.web.coordinator.words import certainty
from matching.plan import LEVEL_NAMES
from tests.support import people
from tests.support.groups import proposal, propose
from tests.support.pages import in_english, words

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("best", "bound", "said"),
    [
        (None, None, "not known yet"),
        (90, None, "not known yet"),
        (98, 100, "at most 3 % more"),
        (999, 1000, "at most 1 % more"),
        (100, 100, "nothing: no plan serves more"),
        (0, 7, "7 points"),
    ],
)
def test_page_of_a_search_tells_the_gap(
    app: Flask, best: int | None, bound: int | None, said: str
) -> None:
    client = in_english(app)
    with app.app_context():
        people.make_tutor()
        people.make_household()
        run_id = runs.start_run(None, seconds=20).id
        claimed = solving.claim_run(15)
        assert claimed is not None
        solving.record_progress(claimed, Progress("weight_served", best, bound, 2.0), 15)
    page = words(client.get(f"/coordinator/matching/{run_id}").text)
    assert f"Could still be served {said} Time" in page


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        ("starting", "Getting ready"),
        ("reading", "Getting ready"),
        ("greedy", "Making a first plan"),
        ("weight_served", "Aim 1 of 4"),
        ("zones", "Aim 2 of 4"),
        ("kept", "Aim 3 of 4"),
        ("cost", "Aim 4 of 4"),
        ("bound", "Proving how much is possible at most"),
        ("reasons", "Writing down the reasons"),
        ("advice", "Looking whom to recruit next"),
        ("checking", "Checking every rule once more"),
        ("written", "Putting the plan away"),
        ("windows", "Looking whose hours would help if they moved"),
    ],
)
def test_page_of_a_search_tells_what_is_being_done(app: Flask, phase: str, said: str) -> None:
    client = in_english(app)
    with app.app_context():
        people.make_tutor()
        people.make_household()
        run_id = runs.start_run(None, seconds=20).id
        claimed = solving.claim_run(15)
        assert claimed is not None
        solving.record_progress(claimed, Progress(phase, 3, 3, 2.0), 15)
    assert said in words(client.get(f"/coordinator/matching/{run_id}").text)


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (LevelFigures("weight_served", 90, 90, True), "proved: no plan serves more"),
        (LevelFigures("weight_served", 90, 91, False), "at most 1 more point"),
        (LevelFigures("weight_served", 90, 95, False), "at most 5 more points"),
        (LevelFigures("zones", [400, 900], [400, 900], True), "proved: no plan serves the least"),
        (LevelFigures("zones", [400, 900], [455, 900], False), "at most 45.5 % in the least"),
        (LevelFigures("zones", [400, 900], [400, 950], False), "not proved: a better plan may"),
        (LevelFigures("zones", [], [], False), "no plan does better at this aim"),
        (LevelFigures("kept", 4, 4, True), "proved: no plan keeps more pupils"),
        (LevelFigures("kept", 4, 6, False), "at most 2 more pupils"),
        (LevelFigures("kept", 4, 4, False), "no plan does better at this aim"),
        (LevelFigures("cost", 40, 0, False), "not proved: a better plan may"),
        (LevelFigures("cost", 40, 40, True), "proved: no plan costs less"),
        (LevelFigures("cost", 40, 30, False), "at most 10 points less"),
    ],
)
def test_each_aim_tells_how_much_better_it_could_be(
    app: Flask, level: LevelFigures, said: str
) -> None:
    assert level.name in LEVEL_NAMES
    with app.test_request_context(), force_locale("en"):
        assert certainty(level).startswith(said)


def test_proposal_names_whose_hours_to_ask_about(app: Flask) -> None:
    client = in_english(app)
    with app.app_context():
        first = people.make_household().pupils[0].requests[0].id
        waiting = people.make_household(
            pupils=[("Aya Salhi", "3AC", ["maths"])], windows=["tue 17:00-18:00"]
        )
        request_id = waiting.pupils[0].requests[0].id
        run_id = propose(proposal(people.make_tutor(), [first]))
        line = {"household": f"H{waiting.id}", "adds": 3, "requests": [f"R{request_id}"]}
        with transaction():
            runs.get_run(run_id).window_moves = [
                line | {"window": ["tue", "17:00", "18:00"], "moved": ["tue", "18:00", "19:00"]},
                line | {"window": ["tue", "17:00", "18:00"], "moved": ["tue", "16:00", "17:00"]},
            ]
    page = words(client.get(f"/coordinator/matching/{run_id}").text)
    for when in ("later", "earlier"):
        assert f"Aya Salhi (Mathematics): Tuesday one hour {when} (now Tuesday 17:00–18:00)" in page
    with app.app_context():
        assert proposals.read_proposal(runs.get_run(run_id)).moves == []
