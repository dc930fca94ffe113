"""By which ways a message gets to somebody, and which of them comes first."""

from __future__ import annotations

import pytest
from flask import Flask

from app.gateways import AddressKind
from app.models import (
    Coordinator,
    Household,
    HouseholdChannel,
    HouseholdWay,
    Message,
    MessageKind,
    Tutor,
    TutorChannel,
)
from app.services.addressees import Addressee, Stranger
from app.services.ways import ways_of
from tests.support.gateways import QuietGateway

SMS = QuietGateway("sms", price=80)
DEARER_SMS = QuietGateway("other-sms", price=90)
WHATSAPP = QuietGateway("whatsapp", (AddressKind.WHATSAPP,), price=20)
MAIL = QuietGateway("mail", (AddressKind.EMAIL,))
ALL = (DEARER_SMS, SMS, WHATSAPP, MAIL)
PHONE, ADDRESS = "+212612345678", "nadia@example.org"
NOTE = Message(kind=MessageKind.NOTE, text="Bonjour")


def family(
    *ways: tuple[str, int], email: str | None = None, channels: tuple[str, ...] = ("call",)
) -> Household:
    return Household(
        phone=PHONE,
        email=email,
        channels=[HouseholdChannel(channel=channel) for channel in channels],
        ways=[HouseholdWay(way=way, rank=rank) for way, rank in ways],
    )


def tutor(email: str | None, phone: str | None, *channels: str) -> Tutor:
    return Tutor(
        email=email, phone=phone, channels=[TutorChannel(channel=each) for each in channels]
    )


def names(recipient: Addressee, message: Message = NOTE) -> list[str]:
    return [way.gateway.name for way in ways_of(recipient, message, ALL)]


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        (family(), ["sms", "other-sms"]),
        (family(email=ADDRESS), ["mail", "sms", "other-sms"]),
        (family(channels=("whatsapp",)), ["whatsapp", "sms", "other-sms"]),
        (family(channels=("whatsapp_one",)), ["whatsapp", "sms", "other-sms"]),
        (family(("sms", 1), ("email", 2), email=ADDRESS), ["sms", "other-sms", "mail"]),
        (family(("email", 1)), []),
        (family(("whatsapp", 1), ("sms", 2)), ["sms", "other-sms"]),
        (
            family(("sms", 1), ("email", 1), channels=("whatsapp",), email=ADDRESS),
            ["mail", "sms", "other-sms"],
        ),
        (tutor(ADDRESS, PHONE, "call"), ["mail", "sms", "other-sms"]),
        (tutor(ADDRESS, PHONE, "whatsapp"), ["mail", "whatsapp", "sms", "other-sms"]),
        (tutor(None, PHONE, "call"), ["sms", "other-sms"]),
        (Coordinator(email=ADDRESS), ["mail"]),
        (Stranger(None, PHONE, "fr"), ["sms", "other-sms"]),
        (Stranger(ADDRESS, None, "fr"), ["mail"]),
    ],
)
def test_ways_come_in_the_recipients_order_and_equal_ones_cheapest_first(
    recipient: Addressee, expected: list[str]
) -> None:
    assert names(recipient) == expected


def test_cost_is_that_of_the_words() -> None:
    flat = QuietGateway("flat", price=0)
    by_length = QuietGateway("by-length", (AddressKind.EMAIL,), price=1)
    found = ways_of(family(email=ADDRESS), NOTE, (by_length, flat), "x" * 200)
    assert [way.gateway.name for way in found] == ["flat", "by-length"]


def test_answer_leaves_by_the_gateway_that_the_text_came_by_where_it_can() -> None:
    reply = Message(kind=MessageKind.REPLY, text="Merci", gateway="whatsapp")
    assert names(Stranger(None, PHONE, "fr"), reply) == ["whatsapp"]
    assert names(family(("sms", 1)), reply) == ["whatsapp"]
    reply.gateway = "gone"
    assert names(family(), reply) == ["sms", "other-sms"]


def test_test_text_leaves_by_its_gateway_or_not_at_all() -> None:
    check = Message(kind=MessageKind.CHECK, text="essai", gateway="other-sms")
    assert names(Stranger(None, PHONE, "fr"), check) == ["other-sms"]
    check.gateway = "gone"
    assert names(Stranger(None, PHONE, "fr"), check) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("phone", "expected"), [(PHONE, ["mail", "sms", "other-sms"]), ("+33612345678", ["mail"])]
)
def test_codes_leave_for_no_telephone_of_another_country(
    app: Flask, phone: str, expected: list[str]
) -> None:
    code = Message(kind=MessageKind.SIGN_IN_CODE, text="042917")
    with app.app_context():
        assert names(tutor(ADDRESS, phone, "call"), code) == expected
