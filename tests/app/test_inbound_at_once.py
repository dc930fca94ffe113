"""Texts that come in at the same instant, and a STOP against a delivery: one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.gateways import InboundText
from app.models import Household, InboundMessage, Message, MessageKind
from app.services import inbound
from tests.support.people import make_household, make_programme


def at_once(app: Flask, *calls: Callable[[], object]) -> list[object]:
    """What these calls return that begin together, each in a connection of its own."""
    begin = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(place: int) -> None:
        with app.app_context():
            begin.wait()
            results[place] = calls[place]()
            db.session.remove()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def taking(name: str, address: str, words: str) -> Callable[[], bool]:
    return lambda: inbound.take_text("kannel", InboundText(name, address, words))


def test_the_same_text_twice_at_the_same_instant_is_taken_once(app: Flask) -> None:
    with app.app_context():
        make_programme()
        phone = make_household().phone
    for address in (phone, "+212661234567"):
        text = taking(f"same {address}", address, "Bonjour")
        assert sorted(map(str, at_once(app, *[text] * 4))) == ["False"] * 3 + ["True"]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(InboundMessage)) == 2
        replies = select(func.count()).where(Message.kind == MessageKind.REPLY)
        assert db.session.scalar(replies) == 2


def test_strangers_texts_at_the_same_instant_are_answered_once(app: Flask) -> None:
    texts = [taking(f"s{number}", "+212661234567", "Allo") for number in range(4)]
    assert at_once(app, *texts) == [True] * 4
    with app.app_context():
        assert len(db.session.scalars(select(Message)).all()) == 1


def test_stop_and_start_at_the_same_instant_end_as_the_last_one_kept(app: Flask) -> None:
    with app.app_context():
        make_programme()
        household = make_household()
        phone, household_id = household.phone, household.id
    for turn in range(4):
        assert at_once(
            app, taking(f"stop {turn}", phone, "STOP"), taking(f"start {turn}", phone, "START")
        ) == [True, True]
        with app.app_context():
            last = db.session.scalars(
                select(InboundMessage.text).order_by(InboundMessage.id.desc())
            ).first()
            stopped_at = db.session.get_one(Household, household_id).messages_stopped_at
            assert (stopped_at is not None) is (last == "STOP")
