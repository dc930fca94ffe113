"""Numbers that no row can have, and NUL characters, on every page there is and will be."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services import family_links
from tests.support.pages import signed_in, signed_in_tutor
from tests.support.people import make_household

NUMBERS = ["0", "999999999", "2147483648", "9" * 11, "9" * 25, "9" * 5000, "-1", "٣"]


@pytest.fixture
def clients(app: Flask) -> dict[str, FlaskClient]:
    """A browser for the pages of each blueprint that asks who one is."""
    coordinator = signed_in(app)
    return {"coordinator": coordinator, "volunteer": signed_in_tutor(app)}


@pytest.fixture
def token(app: Flask, clients: dict[str, FlaskClient]) -> str:
    with app.app_context():
        return family_links.make_link(make_household().id, None)[1]


def addresses(app: Flask, number: str, token: str) -> Iterator[tuple[str, str, str]]:
    """(blueprint, method, address) of every page, with this number in each of its numbers."""
    for rule in app.url_map.iter_rules():
        address = rule.rule
        for name, converter in rule._converters.items():
            kind = type(converter).__name__
            said = {"RowNumber": number, "PathConverter": "page.css"}
            if kind == "AnyConverter":
                said[kind] = min(converter.items)
            word = {"kind": "pupils", "format_": "csv"}.get(name, token)
            start, end = address.index("<"), address.index(">")
            address = address[:start] + said.get(kind, word) + address[end + 1 :]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint.partition(".")[0], method, address


@pytest.mark.parametrize("number", NUMBERS)
def test_page_of_an_impossible_number_does_not_exist(
    app: Flask, clients: dict[str, FlaskClient], token: str, number: str
) -> None:
    pages = addresses(app, number, token)
    asked = [page for page in pages if number in re.split("[/.]", page[2])]
    assert len(asked) > 15
    nobody = app.test_client()
    for blueprint, method, address in asked:
        answer = clients.get(blueprint, nobody).open(address, method=method)
        assert answer.status_code == 404, (method, address[:80])


@pytest.mark.parametrize("number", NUMBERS)
def test_impossible_number_after_a_question_mark_breaks_nothing(
    app: Flask, clients: dict[str, FlaskClient], number: str
) -> None:
    client = clients["coordinator"]
    for path in ("groups?tutor=", "pupils?zone="):
        # The second of the numbers is one that a volunteer may have one day.
        expected = 404 if path + number == "groups?tutor=999999999" else 200
        assert client.get(f"/coordinator/{path}{number}").status_code == expected
    for path in ("groups", "pupils", "volunteers", "trace"):
        assert client.get(f"/coordinator/{path}?page={number}").status_code == 200


def test_nul_is_refused_in_every_address_form_and_file_name(
    app: Flask, clients: dict[str, FlaskClient], token: str
) -> None:
    nobody = app.test_client()
    for blueprint, method, address in addresses(app, "1", token):
        if blueprint == "hooks":
            continue  # half of an Arabic text's bytes may be NUL there
        client = clients.get(blueprint, nobody)
        query = client.open(f"{address}?name=a%00b", method=method)
        assert query.status_code == 400, (method, address)
        if method == "POST":
            assert "<h1" in query.text
            form = client.post(address, data={"text": "a\0b"})
            assert form.status_code == 400, address
    assert nobody.get("/f/a%00b").status_code == 400


def test_file_name_with_nul_is_refused(app: Flask, clients: dict[str, FlaskClient]) -> None:
    # Python's own client would not send such a name; others do.
    body = (
        b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\npupils\r\n'
        b'--x\r\nContent-Disposition: form-data; name="list"; filename="a\0.csv"\r\n\r\n'
        b"a\r\n--x--\r\n"
    )
    answer = clients["coordinator"].post(
        "/coordinator/import", data=body, content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 400
