"""The menus: each page belongs to one entry, and says so."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.web.templating import coordinator_menu, volunteer_menu

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MENUS = {"coordinator": coordinator_menu, "volunteer": volunteer_menu}
OF_NO_ENTRY = {"coordinator.start", "coordinator.trace", "volunteer.start"}


def here(app: Flask, audience: str, path: str) -> list[str]:
    """The entries of an audience's menu that are marked on a page."""
    with app.test_request_context(path):
        return [entry.endpoint for entry in MENUS[audience]() if entry.is_here]


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/volunteer/lessons", "volunteer.lessons"),
        ("/volunteer/lessons/12/note", "volunteer.lessons"),
        ("/volunteer/lessons/12/cancel", "volunteer.week"),
        ("/volunteer/lessons/12/move", "volunteer.week"),
        ("/volunteer/groups/12/end", "volunteer.week"),
        ("/volunteer/pause", "volunteer.days_off"),
        ("/volunteer/teaching/times", "volunteer.settings"),
    ],
)
def test_a_lesson_to_come_belongs_to_the_week_and_a_past_one_to_the_past(
    app: Flask, path: str, endpoint: str
) -> None:
    assert here(app, "volunteer", path) == [endpoint]


def test_every_page_of_who_is_signed_in_belongs_to_one_entry(app: Flask) -> None:
    marked = {
        rule.endpoint: here(app, audience, re.sub("<[^>]*>", "7", rule.rule))
        for rule in app.url_map.iter_rules()
        for audience in MENUS
        if rule.endpoint.startswith(f"{audience}.") and "GET" in (rule.methods or ())
    }
    unclear = {endpoint for endpoint, entries in marked.items() if len(entries) != 1}
    assert unclear == OF_NO_ENTRY
