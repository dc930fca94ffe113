"""What a family's page weighs with all that it loads: 14 KB at most, for the slowest of lines."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.database import transaction
from app.extensions import db
from app.models import Household, Lesson, Question, QuestionKind
from app.services import family, family_links
from tests.support.groups import active_group
from tests.support.pages import words
from tests.support.people import make_household, make_programme, make_tutor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
MOST_BYTES = 14 * 1024
MOST_LESSONS = 40
LOCALES = ("fr", "ar", "en")
PHONES = {"Accept-Encoding": "gzip, deflate, br"}
# What gunicorn adds to each answer: Server, Date, Connection.
SERVERS_HEADERS = len(
    "Server: gunicorn\r\nDate: Mon, 02 Nov 2026 09:00:00 GMT\r\nConnection: close\r\n"
)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def link(app: Flask) -> str:
    """A family of five children with long names, fifteen groups, more lessons than are shown."""
    with app.app_context():
        make_programme()
        household = make_household(
            pupils=[
                (f"Mohammed-Amine{n} Touil", "3AC", ("maths", "french", "physics"))
                for n in range(5)
            ]
        )
        days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        for number, request in enumerate(r.id for p in household.pupils for r in p.requests):
            start = (days[number % 7], f"{14 + number // 7}:00")
            tutor = make_tutor(
                name=f"Abderrahmane{number} X",
                teaches=[(code, "3AC") for code in ("maths", "french", "physics")],
            )
            active_group(tutor, [request], starts=[start], channel="whatsapp_one")
        lessons = family.coming_lessons(db.session.get_one(Household, household.id))
        assert len(lessons) == 60
        _propose_new_times(household.id, [entry.lesson for entry in lessons[:3]])
        return "/f/" + family_links.make_link(household.id, None)[1]


def _propose_new_times(household_id: int, lessons: list[Lesson]) -> None:
    with transaction():
        db.session.add_all(
            Question(
                kind=QuestionKind.NEW_TIME,
                household_id=household_id,
                lesson_id=lesson.id,
                options=[["yes", "2026-11-29T18:00"], ["no"]],
                asked_at=MONDAY,
                expires_at=MONDAY + timedelta(days=1),
            )
            for lesson in lessons
        )


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_and_all_it_loads_weigh_at_most_fourteen_kilobytes(
    client: FlaskClient, link: str, locale: str
) -> None:
    client.post(f"{link}/language", data={"locale": locale})
    refused = [
        client.post(f"{link}/{path}", data=data, headers=PHONES)
        for path, data in (
            ("children", {"first_name": "1"}),
            ("children/1", {}),
            ("hours", {f"from{day}": "25:00" for day in range(7)}),
            ("answers", {"coming": "999"}),
            ("lessons/999/time", {"time": "2026-11-09T18:00"}),
        )
    ]
    assert [page.status_code for page in refused] == [400, 400, 400, 404, 404]
    family_pages = ("", "/worry", "/hours", "/children", "/children/1", "/children/1/stop")
    lesson_pages = ("/lessons/1", "/away", "/subjects/1/stop")
    paths = family_pages + lesson_pages
    shown = [client.get(link + path, headers=PHONES) for path in paths]
    assert [page.status_code for page in shown] == [200] * len(paths)
    assert gzip.decompress(shown[0].data).decode().count("/times/") == 3
    for page in (*shown, *refused):
        assert weight(client, page) <= MOST_BYTES, page.request.path


def test_first_page_shows_forty_lessons_and_counts_the_rest(client: FlaskClient, link: str) -> None:
    for locale in LOCALES:
        client.post(f"{link}/language", data={"locale": locale})
        page = client.get(link)
        assert page.text.count('name="coming"') == page.text.count('name="absent"') == MOST_LESSONS
        assert "20 " in words(page.text)


def test_only_families_pages_and_style_sheets_leave_compressed(
    client: FlaskClient, link: str
) -> None:
    for path in ("/", "/volunteer/sign-in", "/static/mark.svg"):
        with client.get(path, headers=PHONES) as answer:
            assert "Content-Encoding" not in answer.headers
    for path in (link, "/f/unknown", "/static/family.css", "/static/n9raw.css"):
        with client.get(path, headers=PHONES) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in answer.headers["Vary"]
            packed = answer.data
        for refusing in ({}, {"Accept-Encoding": "gzip;q=0, identity"}):
            with client.get(path, headers=refusing) as answer:
                assert "Content-Encoding" not in answer.headers
                assert gzip.decompress(packed) == answer.data


def test_compressed_page_repeats_nothing_of_its_address(client: FlaskClient, link: str) -> None:
    page = client.get(f"{link}?said=here").text
    assert "said" not in page


def weight(client: FlaskClient, page: TestResponse) -> int:
    """The bytes on the wire of a page and of all that it loads: its style sheet."""
    html = gzip.decompress(page.data).decode()
    loaded = re.findall(r'<link[^>]* href="([^"]+)"', html)
    assert [address.partition("?")[0] for address in loaded] == ["/static/family.css", "data:,"]
    assert not re.search(r"<script|<style|<img|@import|url\(| src=", html)
    with client.get(loaded[0], headers=PHONES) as style:
        assert not re.search(r"@import|url\(", gzip.decompress(style.data).decode())
        return on_the_wire(page.headers, page.data) + on_the_wire(style.headers, style.data)


def on_the_wire(headers: object, body: bytes) -> int:
    status = len("HTTP/1.1 200 OK\r\n\r\n")
    return status + len(str(headers).encode()) + SERVERS_HEADERS + len(body)
