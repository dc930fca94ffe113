"""Volunteers' sign-in codes: what they open, for whom, how often, how long."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.database import transaction
from app.extensions import db
from app.models import AuditEntry, Message, SignInCode, Tutor, TutorState
from app.services import codes, pace
from app.services.errors import Invalid
from tests.support.pages import newest_code, signed_in, signed_in_by_code, signed_in_tutor, words
from tests.support.people import make_coordinator, make_programme, make_tutor

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
BROWSER = "the browser that asked"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LONGER_THAN_ANY_ANSWER", 0.0)


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(START, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def tutor_id(app: Flask, clock: time_machine.Coordinates) -> int:
    with app.app_context():
        make_programme()
        return make_tutor()


def ask(app: Flask, tutor_id: int, browser: str = BROWSER) -> str:
    """The newest code, after asking for one."""
    with app.app_context():
        codes.ask_code(db.session.get_one(Tutor, tutor_id).email or "", browser)
    return newest_code(app, tutor_id)


def take(app: Flask, code: str, browser: str = BROWSER) -> bool:
    with app.app_context():
        try:
            codes.take_code(browser, code)
        except Invalid:
            return False
        return True


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def sent(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Message)) or 0


def test_code_opens_once(app: Flask, tutor_id: int) -> None:
    code = ask(app, tutor_id)
    assert take(app, code)
    assert not take(app, code)


def test_code_is_read_with_spaces_and_in_arabic_figures(app: Flask, tutor_id: int) -> None:
    code = ask(app, tutor_id)
    spaced = f" {code[:3]} {code[3:]}"
    assert take(app, spaced.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")))


def test_code_holds_for_fifteen_minutes(
    app: Flask, tutor_id: int, clock: time_machine.Coordinates
) -> None:
    code = ask(app, tutor_id)
    clock.shift(timedelta(minutes=15))
    assert not take(app, code)
    code = ask(app, tutor_id)
    clock.shift(timedelta(minutes=14, seconds=59))
    assert take(app, code)


def test_code_is_good_in_the_browser_that_asked_alone(app: Flask, tutor_id: int) -> None:
    code = ask(app, tutor_id)
    assert not take(app, code, "another browser")
    assert take(app, code)


def test_newest_code_of_a_browser_counts(app: Flask, tutor_id: int) -> None:
    first = ask(app, tutor_id)
    second = ask(app, tutor_id)
    assert not take(app, first if first != second else wrong(first))
    assert take(app, second)


def test_stranger_who_asks_takes_nobodys_code_away(app: Flask, tutor_id: int) -> None:
    code = ask(app, tutor_id)
    ask(app, tutor_id, "a stranger's browser")
    assert take(app, code)


def test_five_wrong_tries_kill_a_code(app: Flask, tutor_id: int) -> None:
    code = ask(app, tutor_id)
    assert not any(take(app, wrong(code)) for _ in range(4))
    assert take(app, code)
    code = ask(app, tutor_id)
    assert not any(take(app, wrong(code)) for _ in range(5))
    assert not take(app, code)


def test_five_codes_a_day(app: Flask, tutor_id: int, clock: time_machine.Coordinates) -> None:
    for number in range(1, 6):
        ask(app, tutor_id)
        assert sent(app) == number
    ask(app, tutor_id)
    clock.shift(timedelta(hours=23, minutes=59))
    ask(app, tutor_id)
    assert sent(app) == 5
    clock.shift(timedelta(minutes=1))
    assert take(app, ask(app, tutor_id))
    assert sent(app) == 6


def close(app: Flask, tutor_id: int) -> None:
    """Twenty wrong tries on four codes."""
    for _ in range(4):
        code = ask(app, tutor_id)
        assert not any(take(app, wrong(code)) for _ in range(5))


def test_twenty_wrong_tries_need_a_coordinator(
    app: Flask, tutor_id: int, clock: time_machine.Coordinates
) -> None:
    close(app, tutor_id)
    with app.app_context():
        assert codes.is_closed(tutor_id)
        closed = select(AuditEntry.subject).where(AuditEntry.action == "close_sign_in")
        assert db.session.scalars(closed).all() == [f"tutor:{tutor_id}"]
    clock.shift(timedelta(days=2))
    ask(app, tutor_id)
    assert sent(app) == 4
    with app.app_context():
        codes.let_in_again(tutor_id, make_coordinator())
    assert take(app, ask(app, tutor_id))


def test_code_that_was_sent_before_the_twentieth_wrong_try_is_dead_too(
    app: Flask, tutor_id: int, clock: time_machine.Coordinates
) -> None:
    close(app, tutor_id)
    clock.shift(timedelta(days=2))
    with app.app_context(), transaction():
        # One wrong try less: a fifth code is sent, and its first wrong try closes the account.
        code = db.session.scalars(select(SignInCode).limit(1)).one()
        code.wrong_tries -= 1
    elsewhere = ask(app, tutor_id, "another browser")
    assert not take(app, wrong(ask(app, tutor_id)))
    assert not take(app, elsewhere, "another browser")


def test_wrong_tries_are_forgotten_after_thirty_days(
    app: Flask, tutor_id: int, clock: time_machine.Coordinates
) -> None:
    close(app, tutor_id)
    clock.shift(timedelta(days=30))
    assert take(app, ask(app, tutor_id))
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SignInCode)) == 1


@pytest.mark.parametrize("state", [TutorState.SUSPENDED, TutorState.LEFT])
def test_suspended_and_gone_volunteers_get_no_code(
    app: Flask, tutor_id: int, state: TutorState
) -> None:
    code = ask(app, tutor_id)
    with app.app_context(), transaction():
        db.session.get_one(Tutor, tutor_id).state = state
    assert not take(app, code)
    ask(app, tutor_id)
    assert sent(app) == 1


@pytest.mark.parametrize("typed", ["0600-000209", "+212 600 000209", "00212600000209"])
def test_telephone_number_will_do_as_an_address(app: Flask, tutor_id: int, typed: str) -> None:
    with app.app_context():
        with transaction():
            db.session.get_one(Tutor, tutor_id).phone = "+212600000209"
        codes.ask_code(typed, BROWSER)
    assert take(app, newest_code(app, tutor_id))


@pytest.mark.parametrize("typed", ["nobody@example.org", "0600-000999", "nothing", "", "'; --"])
def test_unknown_address_is_sent_nothing(app: Flask, tutor_id: int, typed: str) -> None:
    with app.app_context():
        codes.ask_code(typed, BROWSER)
    assert sent(app) == 0
    assert not take(app, "123456")


def test_table_of_codes_does_not_tell_the_code(app: Flask, tutor_id: int) -> None:
    code = ask(app, tutor_id)
    with app.app_context():
        row = db.session.scalars(select(SignInCode)).one()
        assert len(row.code_hash) == 64
        assert code not in row.code_hash
        # The hash needs the program's key: without it, a million tries would find the code.
        app.config["N9RAW"] = dataclasses.replace(
            app.config["N9RAW"], secret_key="another key of this program: 9876543210"
        )
    assert not take(app, code)


def test_ten_who_ask_at_once_get_five_codes(app: Flask, tutor_id: int) -> None:
    begin = threading.Barrier(10)

    def ask_when_all_are_ready() -> None:
        with app.app_context():
            address = db.session.get_one(Tutor, tutor_id).email or ""
            db.session.rollback()
            begin.wait(timeout=20)
            codes.ask_code(address, BROWSER)

    threads = [threading.Thread(target=ask_when_all_are_ready) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sent(app) == 5


@on_sqlite
def test_pages_say_and_take_the_same_with_and_without_an_account(
    app: Flask, tutor_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        known = db.session.get_one(Tutor, tutor_id).email
    monkeypatch.setattr(pace, "LONGER_THAN_ANY_ANSWER", 0.2)
    seen = []
    for address in (known, "nobody@example.org"):
        client = app.test_client()
        begun = time.perf_counter()
        asked = client.post("/volunteer/sign-in", data={"address": address})
        assert time.perf_counter() - begun > 0.2
        page = client.get(asked.location)
        begun = time.perf_counter()
        refused = client.post(asked.location, data={"code": "000000"})
        assert time.perf_counter() - begun > 0.2
        seen.append((asked.location, words(page.text), refused.status_code, words(refused.text)))
    assert seen[0] == seen[1]


@on_sqlite
def test_code_opens_the_week_in_the_language_of_the_volunteer(app: Flask, tutor_id: int) -> None:
    with app.app_context(), transaction():
        db.session.get_one(Tutor, tutor_id).message_language = "ar"
    client = signed_in_by_code(app, tutor_id)
    assert client.get("/volunteer/").location == "/volunteer/week"
    assert '<html lang="ar"' in client.get("/volunteer/week").text
    assert client.get("/").location == "/volunteer/week"
    assert client.get("/volunteer/sign-in").location == "/volunteer/week"
    assert client.get("/account/sign-in").location == "/volunteer/week"
    client.post("/account/sign-out")
    assert client.get("/volunteer/week").status_code == 302


@on_sqlite
def test_code_page_without_asking_leads_to_where_one_asks(client: FlaskClient) -> None:
    assert client.get("/volunteer/sign-in/code").location == "/volunteer/sign-in"


@on_sqlite
def test_stranger_comes_to_the_page_that_was_asked_for(app: Flask, tutor_id: int) -> None:
    client = app.test_client()
    with app.app_context():
        address = db.session.get_one(Tutor, tutor_id).email
    page = client.get("/volunteer/settings").location
    page = client.post(page, data={"address": address}).location
    answer = client.post(page, data={"code": newest_code(app, tutor_id)})
    assert answer.location == "/volunteer/settings"


@on_sqlite
@pytest.mark.parametrize("state", [TutorState.SUSPENDED, TutorState.LEFT])
def test_suspension_ends_the_session(app: Flask, tutor_id: int, state: TutorState) -> None:
    client = signed_in_tutor(app, tutor_id)
    assert client.get("/volunteer/week").status_code == 200
    with app.app_context(), transaction():
        db.session.get_one(Tutor, tutor_id).state = state
    assert client.get("/volunteer/week").status_code == 302


@on_sqlite
def test_new_address_ends_the_session_of_the_old_one(app: Flask, tutor_id: int) -> None:
    client = signed_in_tutor(app, tutor_id)
    with app.app_context(), transaction():
        db.session.get_one(Tutor, tutor_id).email = "new@example.org"
    assert client.get("/volunteer/week").status_code == 302


@pytest.mark.parametrize("changed", [{"email": "new@example.org"}, {"phone": "+212655000111"}])
def test_code_that_was_asked_for_at_an_old_address_is_dead(
    app: Flask, tutor_id: int, changed: dict[str, str]
) -> None:
    code = ask(app, tutor_id)
    with app.app_context(), transaction():
        for name, address in changed.items():
            setattr(db.session.get_one(Tutor, tutor_id), name, address)
    assert not take(app, code)
    assert take(app, ask(app, tutor_id))


@on_sqlite
def test_coordinator_lets_a_volunteer_in_again_on_their_page(app: Flask, tutor_id: int) -> None:
    with app.app_context(), transaction():
        db.session.get_one(Tutor, tutor_id).state = TutorState.REGISTERED
    client = signed_in(app)
    client.post("/language", data={"locale": "en"})
    path = f"/coordinator/volunteers/{tutor_id}"
    assert "in again" not in client.get(path).text
    close(app, tutor_id)
    assert "Let Rania Mounir in again" in client.get(path).text
    assert client.post(f"{path}/let-in-again").location == path
    assert "can ask for a code again" in client.get(path).text
    assert take(app, ask(app, tutor_id))
    assert client.post("/coordinator/volunteers/99/let-in-again").status_code == 404
