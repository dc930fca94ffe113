"""Fixtures that a test module makes for itself by what it names, where many need much the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.support import people


def programme_at(moment: datetime) -> Any:
    """A module's fixture for tests of services: a programme at a moment, at which the clock stands.

    `clock = programme_at(MONDAY)` holds for each test of the module; its value moves the clock.
    """

    @pytest.fixture(autouse=True)
    def clock(app: Flask) -> Iterator[time_machine.Traveller]:
        with time_machine.travel(moment, tick=False) as traveller, app.app_context():
            people.make_programme()
            yield traveller

    return clock
