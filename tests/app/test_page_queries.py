"""No page asks the database more often because there are more rows, nor shows them all at once."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.support.crowd import add_crowd
from tests.support.pages import counted_statements
from tests.support.world import Pages, make_world, pages_of

MANY = 1_000
LARGEST_PAGE = 200_000
# These hold a proposal against what the tables say now: no list, but the whole problem made anew,
# which is read in parts of 500 rows.
MAKES_A_PROBLEM = re.compile(r"/coordinator/matching/\d+(/publish)?")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_page_asks_more_of_the_database_with_a_thousand_rows(app: Flask) -> None:
    world = make_world(app)
    pages = pages_of(app, world)
    with app.app_context():
        add_crowd(1)
    few = _asked(app, pages)
    with app.app_context():
        add_crowd(MANY, start=1)
    many = _asked(app, pages)
    more = {path: (few[path][0], many[path][0]) for path in few if many[path][0] > few[path][0]}
    assert more.keys() == {path for path in more if MAKES_A_PROBLEM.fullmatch(path)}, more
    large = {path: size for path, (_asked, size) in many.items() if size > LARGEST_PAGE}
    assert not large, "pages that show everything at once"


def _asked(app: Flask, visitors: list[Pages]) -> dict[str, tuple[int, int]]:
    """For each page how many statements it took, and its size in bytes."""
    asked = {}
    for visitor in visitors:
        client = visitor.client or app.test_client()
        for _endpoint, path in visitor.pages:
            with counted_statements(app) as statements:
                answer = client.get(path)
            assert answer.status_code == 200, path
            asked[path] = len(statements), len(answer.data)
    return asked
