"""A coordinator of some zones sees and changes what lies there, and learns nothing of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import TutorState
from app.services import worries
from app.services.lessons import future_lessons
from tests.support.groups import active_group, offer_group
from tests.support.pages import counted_statements, views, words
from tests.support.people import (
    make_coordinator,
    make_household,
    make_programme,
    make_tutor,
    sign_in,
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Two:
    """A family of one's own zone, one of another, both taught by one volunteer."""

    client: FlaskClient
    own_id: int
    own_pupil: int
    other_id: int
    other_zone: int
    tutor_id: int
    mixed: int
    theirs: int
    """A group of the other zone's pupils alone."""


@pytest.fixture
def two(app: Flask) -> Two:
    with app.app_context():
        make_programme()
        own = make_household(
            pupils=[("Hiba Touil", "3AC", ("maths",))], zone="Aïn Kaïcher", windows=None
        )
        other = make_household(
            pupils=[("Lina Zahra", "3AC", ("maths",)), ("Adam Zahra", "3AC", ("maths",))],
            guardian="Karima Zahra",
            zone="Boujniba",
            windows=None,
        )
        tutor_id = make_tutor(windows=None, most=9)
        lina, adam = (pupil.requests[0].id for pupil in other.pupils)
        mixed = active_group(tutor_id, [own.pupils[0].requests[0].id, lina]).id
        theirs = offer_group(tutor_id, [adam], starts=[("tue", "18:00")]).id
        make_coordinator("zone@example.org", zone_ids=[own.zone_id])
        ids = own.id, own.pupils[0].id, other.id, other.zone_id
    client = app.test_client()
    assert sign_in(client, "zone@example.org").status_code == 302
    client.post("/language", data={"locale": "en"})
    return Two(client, *ids, tutor_id, mixed, theirs)


def test_list_of_families_shows_own_zones_alone(app: Flask, two: Two) -> None:
    page = words(two.client.get("/coordinator/pupils").text)
    assert "Hiba Touil" in page
    assert "Zahra" not in page
    assert "Boujniba" not in page
    for asked in (f"zone={two.other_zone}", "name=Zahra"):
        assert "Karima Zahra" not in words(two.client.get(f"/coordinator/pupils?{asked}").text)


def test_group_of_two_zones_names_the_own_child_alone(app: Flask, two: Two) -> None:
    page = words(two.client.get(f"/coordinator/groups/{two.mixed}").text)
    assert "Hiba Touil" in page
    assert "pupil of another zone" in page
    assert "Lina" not in page
    assert "Boujniba" not in page
    assert "only a coordinator of all zones can change the group" in page
    html = two.client.get(f"/coordinator/groups/{two.mixed}").text
    assert "/end" not in html
    assert "/cancel" not in html
    listed = words(two.client.get("/coordinator/groups").text)
    assert "1 group" in listed
    assert "Hiba Touil pupil of another zone" in listed
    assert "No group fits." in words(two.client.get("/coordinator/groups?name=Lina").text)
    hiba = two.own_pupil
    assert [ids for path, ids in views(app) if "groups" in path] == [[hiba], [hiba], [hiba], []]


def test_lessons_of_two_zones_name_the_own_child_alone(app: Flask, two: Two) -> None:
    answer = two.client.get("/coordinator/lessons")
    page = words(answer.text)
    assert "Hiba , pupil of another zone" in page
    assert "Lina" not in page
    assert "/cancel" not in answer.text
    with app.app_context():
        lesson = future_lessons(two.mixed)[0].id
    assert two.client.get(f"/coordinator/lessons/{lesson}/cancel").status_code == 404


def test_groups_of_another_zone_do_not_exist(two: Two) -> None:
    group = f"/coordinator/groups/{two.theirs}"
    assert two.client.get(group).status_code == 404
    assert [
        two.client.post(f"{group}/{act}").status_code for act in ("accept", "decline", "end")
    ] == [404, 404, 404]
    assert two.client.post(f"/coordinator/families/{two.other_id}/link").status_code == 404
    assert two.client.post(f"/coordinator/families/{two.own_id}/link").status_code == 200


def test_worries_of_another_zone_are_not_on_the_desk(app: Flask, two: Two) -> None:
    with app.app_context():
        mine = worries.report_worry(two.own_id, "mine").id
        theirs = worries.report_worry(two.other_id, "theirs alone").id
    page = words(two.client.get("/coordinator/desk").text)
    assert "Walid Touil" in page
    assert "theirs alone" not in page
    assert "Zahra" not in page
    assert two.client.post(f"/coordinator/worries/{theirs}/seen").status_code == 404
    assert two.client.post(f"/coordinator/worries/{mine}/seen").status_code == 302


def test_suspension_names_the_children_of_own_zones_alone(app: Flask, two: Two) -> None:
    page = words(two.client.get(f"/coordinator/volunteers/{two.tutor_id}/suspend").text)
    assert "Hiba Touil , pupil of another zone" in page
    assert "Zahra" not in page
    assert views(app)[-1][1] == [two.own_pupil]
    answer = two.client.post(
        f"/coordinator/volunteers/{two.tutor_id}/suspend", data={"reason": "a worry"}
    )
    assert answer.status_code == 303


def test_menu_and_pages_lead_nowhere_that_is_closed(app: Flask, two: Two) -> None:
    with app.app_context():
        waiting = make_tutor(state=TutorState.REGISTERED)
    seen: set[str] = set()
    for path in (
        "/coordinator/desk",
        "/coordinator/volunteers",
        f"/coordinator/volunteers/{two.tutor_id}",
        f"/coordinator/volunteers/{waiting}",
        "/coordinator/pupils",
        "/coordinator/groups",
        f"/coordinator/groups/{two.mixed}",
        "/coordinator/lessons",
        "/account",
    ):
        html = two.client.get(path).text
        for address in set(_links(html)) - seen:
            seen.add(address)
            status = two.client.get(address, buffered=True).status_code
            assert status not in (403, 404), (path, address, status)
        assert "/coordinator/team" not in html
        assert "/vet" not in html.replace("vetting", "")


def test_lists_of_a_zone_take_as_many_queries_for_three_groups_as_for_one(
    app: Flask, two: Two
) -> None:
    asked = []
    for more in (0, 2):
        with app.app_context():
            for number in range(more):
                family = make_household(windows=None, zone="Aïn Kaïcher")
                start = [("wed", f"{17 + number}:00")]
                active_group(two.tutor_id, [family.pupils[0].requests[0].id], starts=start)
        numbers = []
        for path in ("/coordinator/groups", "/coordinator/lessons", "/coordinator/pupils"):
            with counted_statements(app) as statements:
                assert two.client.get(path).status_code == 200
            numbers.append(len(statements))
        asked.append(numbers)
    assert asked[0] == asked[1]


def _links(html: str) -> list[str]:
    parts = html.split('href="/')[1:]
    return ["/" + unescape(part.partition('"')[0]) for part in parts]
