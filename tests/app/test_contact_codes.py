"""Codes to addresses without an account: which they reach, how often, what they confirm."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.gateways import Gateway
from app.gateways.console import ConsoleGateway
from app.gateways.email import EmailGateway
from app.models import ContactCode, DraftKind, Message, MessageState, Tutor
from app.services import codes, contact_codes, outbox, pace
from app.services.errors import Invalid
from app.services.handing import Handing
from config import Config
from tests.support.mail import SENDER
from tests.support.outbox import begin_handing, refuse_for_good
from tests.support.pages import newest_code, newest_contact_code
from tests.support.people import make_programme, make_tutor

START = datetime(2026, 11, 2, 23, tzinfo=UTC)
BROWSER = "the browser that asked"
NADIA = "nadia@example.org"
PHONE = "+212612345678"
REGISTRATION = DraftKind.REGISTRATION
MAIL = EmailGateway("smtp://127.0.0.1:9", SENDER, timeout_seconds=1, per_second=5)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LONGER_THAN_ANY_ANSWER", 0.0)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as coordinates:
        yield coordinates


def set_up(app: Flask, **settings: object) -> None:
    config: Config = app.config["N9RAW"]
    app.config["N9RAW"] = dataclasses.replace(config, **settings)  # type: ignore[arg-type]


@pytest.fixture
def reaches_telephones(app: Flask) -> None:
    set_up(app, demo=True)


def ask(
    app: Flask,
    address: str = NADIA,
    browser: str = BROWSER,
    kind: DraftKind = REGISTRATION,
    language: str = "fr",
) -> None:
    with app.app_context():
        contact_codes.ask_contact_code(kind, address, browser, language)


def take(
    app: Flask, code: str, browser: str = BROWSER, kind: DraftKind = REGISTRATION
) -> str | None:
    with app.app_context():
        try:
            return contact_codes.take_contact_code(kind, browser, code)
        except Invalid:
            return None


def ask_and_read(app: Flask, address: str = NADIA, browser: str = BROWSER) -> str:
    ask(app, address, browser)
    return newest_contact_code(app, address)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def sent(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Message)) or 0


def hand_over_due(app: Flask, *gateways: Gateway) -> list[Handing]:
    with app.app_context():
        handings = [begin_handing(claimed, gateways) for claimed in outbox.claim_messages(50)]
        return [handing for handing in handings if handing is not None]


def ends(app: Flask) -> list[tuple[MessageState, str | None, str | None]]:
    """State, reason and text of every message, in order."""
    with app.app_context():
        rows = db.session.scalars(select(Message).order_by(Message.id))
        return [(row.state, row.error, row.text) for row in rows]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Nadia@Example.ORG ", NADIA),
        ("06 12 34 56 78", PHONE),
        ("+212 612-345678", PHONE),
        ("٠٦١٢٣٤٥٦٧٨", PHONE),
    ],
)
@pytest.mark.usefixtures("reaches_telephones")
def test_code_confirms_the_address_as_it_is_kept(app: Flask, typed: str, kept: str) -> None:
    ask(app, typed)
    assert take(app, newest_contact_code(app, kept)) == kept


def test_code_opens_once_in_its_browser_for_its_purpose(app: Flask) -> None:
    code = ask_and_read(app)
    assert take(app, code, browser="another") is None
    assert take(app, code, kind=DraftKind.HELP_REQUEST) is None
    assert take(app, code) == NADIA
    assert take(app, code) is None


def test_code_holds_for_fifteen_minutes(app: Flask, clock: time_machine.Traveller) -> None:
    code = ask_and_read(app)
    clock.shift(timedelta(minutes=15))
    assert take(app, code) is None


def test_newest_code_of_a_browser_counts(app: Flask) -> None:
    first, second = ask_and_read(app), ask_and_read(app, "other@example.org")
    assert take(app, first if first != second else wrong(first)) is None
    assert take(app, second) == "other@example.org"


def test_five_wrong_tries_kill_a_code(app: Flask) -> None:
    code = ask_and_read(app)
    assert [take(app, wrong(code)) for _ in range(5)] == [None] * 5
    assert take(app, code) is None


def test_five_codes_a_day_to_an_address_from_whichever_browser_and_for_whatever(
    app: Flask, clock: time_machine.Traveller
) -> None:
    for number in range(7):
        kind = (REGISTRATION, DraftKind.HELP_REQUEST)[number % 2]
        ask(app, browser=f"browser {number}", kind=kind)
    assert sent(app) == 5
    ask(app, "somebody.else@example.org")
    assert sent(app) == 6
    clock.shift(timedelta(days=1))
    assert take(app, ask_and_read(app)) == NADIA


def test_after_twenty_wrong_tries_an_address_gets_none_for_thirty_days(
    app: Flask, clock: time_machine.Traveller
) -> None:
    for _ in range(4):
        code = ask_and_read(app)
        assert [take(app, wrong(code)) for _ in range(5)] == [None] * 5
    clock.shift(timedelta(days=2))
    ask(app)
    assert sent(app) == 4
    clock.shift(timedelta(days=28))
    assert take(app, ask_and_read(app)) == NADIA
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ContactCode)) == 1


def test_ten_who_ask_at_once_get_five_codes(app: Flask) -> None:
    begin = threading.Barrier(10)

    def ask_when_all_are_ready() -> None:
        begin.wait(timeout=20)
        ask(app)

    threads = [threading.Thread(target=ask_when_all_are_ready) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sent(app) == 5


def test_table_of_codes_does_not_tell_the_code(app: Flask) -> None:
    code = ask_and_read(app)
    with app.app_context():
        row = db.session.scalars(select(ContactCode)).one()
        assert len(row.code_hash) == 64
        assert code not in row.code_hash
    set_up(app, secret_key="another key of this program: 9876543210")
    assert take(app, code) is None


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "nobody",
        "a@",
        "@b",
        "a b@example.org",
        "12345",
        "'; --",
        "<b>@x",
        "1" * 254,
        "a@example.org\r\nBcc: b@example.org",
        "\u202e@example.org",
        "é" * 260 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused_with_how_to_write_one(app: Flask, typed: str) -> None:
    with pytest.raises(Invalid, match=r"name@example\.org"):
        ask(app, typed)
    assert sent(app) == 0


def test_installation_without_a_way_to_telephones_says_so(app: Flask) -> None:
    with pytest.raises(Invalid, match="Give an e-mail address"):
        ask(app, PHONE)
    assert sent(app) == 0


@pytest.mark.usefixtures("reaches_telephones")
def test_telephones_of_other_countries_get_codes_only_where_that_is_set(app: Flask) -> None:
    with pytest.raises(Invalid, match="of this country"):
        ask(app, "+33612345678")
    set_up(app, sms_code_countries=("+212", "+33"))
    ask(app, "+33612345678")
    assert sent(app) == 1


@pytest.mark.usefixtures("reaches_telephones")
def test_budget_of_the_day_ends_codes_by_sms_and_no_others(
    app: Flask, clock: time_machine.Traveller
) -> None:
    set_up(app, sms_codes_per_day=2)
    for number in range(3):
        ask(app, f"+21261234567{number}")
    ask(app)
    left = hand_over_due(app, ConsoleGateway())
    assert [handing.outgoing.address for handing in left] == [
        "+212612345670",
        "+212612345671",
        NADIA,
    ]
    refused = (MessageState.FAILED, "no gateway reaches this recipient, or not with a code", None)
    assert ends(app)[2] == refused
    with pytest.raises(Invalid, match="come back tomorrow"):
        ask(app, PHONE)
    clock.shift(timedelta(days=1))
    ask(app, PHONE)
    assert len(hand_over_due(app, ConsoleGateway())) == 1


def test_code_leaves_at_night_in_the_language_of_the_page_and_is_then_erased(app: Flask) -> None:
    ask(app, language="ar")
    ask(app, "other@example.org", language="en")
    first, second = hand_over_due(app, MAIL)
    assert (first.outgoing.address, first.outgoing.language) == (NADIA, "ar")
    assert first.outgoing.subject == "نقراو: رمزكم"
    assert second.outgoing.language == "fr"
    assert newest_contact_code(app, NADIA) in first.outgoing.text
    with app.app_context():
        refuse_for_good(first.claimed, "refused")
    assert ends(app)[0] == (MessageState.FAILED, "refused", None)


def test_volunteers_sign_in_codes_obey_countries_and_budget_and_take_to_mail(app: Flask) -> None:
    set_up(app, demo=True, sms_codes_per_day=1)
    with app.app_context():
        make_programme()
        tutors = [make_tutor() for _ in range(3)]
        for tutor_id, phone in zip(tutors, ("+212612345670", "+33612345671", PHONE), strict=True):
            tutor = db.session.get_one(Tutor, tutor_id)
            tutor.phone = phone
        db.session.commit()
        for phone in ("+212612345670", "+33612345671", PHONE):
            codes.ask_code(phone, BROWSER)
    left = [handing.outgoing.address for handing in hand_over_due(app, ConsoleGateway())]
    with app.app_context():
        mails = [db.session.get_one(Tutor, tutor_id).email for tutor_id in tutors]
    assert left == ["+212612345670", mails[1], mails[2]]
    assert newest_code(app, tutors[2]) in (ends(app)[2][2] or "")


def test_old_codes_are_forgotten(app: Flask, clock: time_machine.Traveller) -> None:
    ask(app)
    clock.shift(timedelta(days=29))
    ask(app, "other@example.org")
    clock.shift(timedelta(days=1))
    with app.app_context():
        contact_codes.forget_contact_codes()
        assert db.session.scalars(select(ContactCode.address)).all() == ["other@example.org"]
