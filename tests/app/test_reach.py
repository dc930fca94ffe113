"""Whom no message gets to: by the addresses that a family has, and the ways that it chose."""

from __future__ import annotations

import pytest
from flask import Flask

from app.database import transaction
from app.extensions import db
from app.models import Household, HouseholdChannel, HouseholdWay
from app.services.reach import first_unreached, has_no_way
from app.services.scope import EVERYWHERE
from tests.support import people
from tests.support.databases import make_config
from tests.support.groups import active_group

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MAIL = {"N9RAW_SMTP_URL": "smtp://127.0.0.1:9", "N9RAW_MAIL_FROM": "rappels@n9raw.ma"}
SMS = {
    "N9RAW_KANNEL_URL": "http://127.0.0.1:9/cgi-bin/sendsms",
    "N9RAW_KANNEL_USERNAME": "tutor",
    "N9RAW_KANNEL_PASSWORD": "secret",
    "N9RAW_KANNEL_FROM": "N9RAW",
    "N9RAW_KANNEL_HOOK_SECRET": "known-to-all-for-tests-only-0123456789",
    "N9RAW_KANNEL_HOOKS_URL": "http://127.0.0.1:9",
}


@pytest.mark.parametrize(
    ("settings", "email", "ways", "reached"),
    [
        ({}, "a@example.org", (), False),
        (MAIL, None, (), False),
        (MAIL, "a@example.org", (), True),
        (MAIL, "a@example.org", ("sms",), False),
        (SMS, None, (), True),
        (SMS, None, ("email",), False),
        (SMS, "a@example.org", ("email", "sms"), True),
        (MAIL | SMS, None, ("whatsapp",), False),
    ],
)
def test_list_and_single_family_agree_on_who_is_reached(
    app: Flask,
    database_url: str,
    settings: dict[str, str],
    email: str | None,
    ways: tuple[str, ...],
    reached: bool,
) -> None:
    app.config["N9RAW"] = make_config(database_url, **settings)
    with app.app_context():
        people.make_programme()
        household = people.make_household()
        active_group(people.make_tutor(), [household.pupils[0].requests[0].id])
        with transaction():
            row = db.session.get_one(Household, household.id)
            row.email = email
            row.ways = [HouseholdWay(way=way, rank=rank) for rank, way in enumerate(ways)]
            row.channels.append(HouseholdChannel(channel="video"))
        assert has_no_way(row) is not reached
        assert first_unreached(EVERYWHERE).total == (0 if reached else 1)
