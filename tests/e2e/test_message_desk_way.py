"""A coordinator reads what came in, answers, looks why a message was lost, and writes to a zone."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.gateways import InboundText
from app.models import Message, MessageKind, MessageState
from app.services import inbound
from scheduler import clock
from tests.support.outbox import family_of, make_due_reminder
from tests.support.pages import signed_in
from tests.support.ways import Visit, Way, every_way


@every_way
def test_coordinator_reads_answers_and_writes(way: Way, app: Flask, visit: Visit) -> None:
    client = signed_in(app)
    zone_id = _fill(app)
    page = visit("/coordinator/desk", signed_in=client)
    page.sees("Hiba est malade")
    page.follow("Open the inbox")
    page.heading("Inbox")
    page.look("inbox")
    page.page.get_by_role("link", name=page.says("Write an answer")).click()
    page.fill("Your answer", "Bon rétablissement !")
    page.look("answer")
    page.press("Send")
    page.sees(page.says("Your answer leaves by day, as soon as it can."))
    page.sees(page.says("All is read."))

    page.open("/coordinator/messages?state=lost")
    page.sees(page.says("The telephone number is wrong."))
    page.look("messages")
    page.page.locator("tbody th a").first.click()
    page.sees("N9raw : rappel")
    page.look("message")
    page.press("Send again")
    page.sees(page.says("It is sent again."))

    page.open("/coordinator/messages/costs")
    page.heading("What messages cost")
    page.look("costs")

    page.open(f"/coordinator/zones/{zone_id}/write")
    page.fill("Your words", "Pas de cours lundi.")
    page.look("write")
    page.press("See whom it reaches")
    page.sees("Pas de cours lundi.")
    page.look("confirm")
    with app.app_context():
        assert len(_notes()) == 1  # the answer; nothing else has left


def _fill(app: Flask) -> int:
    """A lost reminder and a text of its family; the family's zone."""
    with app.app_context():
        message = make_due_reminder(kind=MessageKind.LESSON_2H)
        with transaction():
            message.state, message.error = (
                MessageState.FAILED,
                "this is no telephone number that can be written to",
            )
            message.gateway, message.handed_at, message.ended_at = (
                "kannel",
                clock.now(),
                clock.now(),
            )
            message.text, message.parts, message.cost, message.tries = "N9raw : rappel", 1, 250, 1
            message.due_at = clock.now()
        family = family_of(message)
        inbound.take_text("kannel", InboundText("1", family.phone, "Hiba est malade"))
        return family.zone_id


def _notes() -> list[Message]:
    return list(db.session.scalars(select(Message).where(Message.kind == MessageKind.NOTE)))
