"""By which ways a message gets to somebody: the order in which they are tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from app.gateways import AddressKind, Gateway
from app.models import CODE_KINDS, Coordinator, Household, Message, MessageKind
from app.services import sms_codes
from app.services.addressees import Addressee, Stranger

KINDS_OF_WAYS: Final = {
    "sms": AddressKind.PHONE,
    "whatsapp": AddressKind.WHATSAPP,
    "email": AddressKind.EMAIL,
}
"""What the words of a household's own ways stand for."""
WHATSAPP_CHANNELS: Final = ("whatsapp", "whatsapp_one")
"""Who has lessons by these can be written to there."""
_ANSWERS: Final = (MessageKind.REPLY, MessageKind.CHECK)
"""The kinds that leave by the gateway that they were planned for."""

Addresses = Mapping[AddressKind, str]


@dataclass(frozen=True, slots=True)
class Way:
    """A gateway and the address that it is given."""

    gateway: Gateway
    address: str = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one way: no fallback goes by the same one again."""
        return self.gateway.name, self.address


def ways_of(
    recipient: Addressee,
    message: Message,
    gateways: Sequence[Gateway],
    words: str | None = None,
) -> list[Way]:
    """The ways by which a message gets to somebody, the first to be tried first.

    Ways between which the recipient has no order come cheapest first, then as the gateways do.
    What a way costs is that of `words`, or of the text that the message has.
    """
    text = words if words is not None else message.text or ""
    if message.kind in _ANSWERS and message.gateway is not None:
        named = [gateway for gateway in gateways if gateway.name == message.gateway]
        answers = _by_cost(_all_addresses(recipient), text, named)
        if answers or message.kind is MessageKind.CHECK:
            return answers
    if message.kind in CODE_KINDS:
        return _by_cost(_allowed(_known_addresses(recipient), message), text, gateways)
    found = [
        way for addresses in _in_order(recipient) for way in _by_cost(addresses, text, gateways)
    ]
    return list({way.key: way for way in found}.values())


def addresses_of(household: Household) -> dict[AddressKind, str]:
    """What a household can be written to at."""
    found = {AddressKind.PHONE: household.phone}
    if any(row.channel in WHATSAPP_CHANNELS for row in household.channels):
        found[AddressKind.WHATSAPP] = household.phone
    if household.email:
        found[AddressKind.EMAIL] = household.email
    return found


def kinds_in_order(household: Household) -> list[Addresses]:
    """A household's addresses, those that come first first; equal ones together."""
    addresses = addresses_of(household)
    if not household.ways:
        return [addresses]
    return [
        {kind: addresses[kind] for row in rows if (kind := KINDS_OF_WAYS[row.way]) in addresses}
        for _rank, rows in groupby(household.ways, key=lambda row: row.rank)
    ]


def _known_addresses(recipient: Addressee) -> Addresses:
    return {
        kind: address for addresses in _in_order(recipient) for kind, address in addresses.items()
    }


def _in_order(recipient: Addressee) -> list[Addresses]:
    if isinstance(recipient, Household):
        return kinds_in_order(recipient)
    if isinstance(recipient, Stranger):
        return [_given(EMAIL=recipient.email, PHONE=recipient.phone)]
    if isinstance(recipient, Coordinator):
        return [_given(EMAIL=recipient.email)]
    uses_whatsapp = any(row.channel in WHATSAPP_CHANNELS for row in recipient.channels)
    whatsapp = recipient.phone if uses_whatsapp else None
    return [_given(EMAIL=recipient.email), _given(PHONE=recipient.phone, WHATSAPP=whatsapp)]


def _all_addresses(recipient: Addressee) -> Addresses:
    """Also WhatsApp of somebody of whom nothing is known but that they wrote from there."""
    if isinstance(recipient, Coordinator):
        return _given(EMAIL=recipient.email)
    return _given(EMAIL=recipient.email, PHONE=recipient.phone, WHATSAPP=recipient.phone)


def _given(**addresses: str | None) -> Addresses:
    return {AddressKind[name]: address for name, address in addresses.items() if address}


def _allowed(addresses: Addresses, message: Message) -> Addresses:
    """Without telephones that a code may not go to."""
    return {
        kind: address
        for kind, address in addresses.items()
        if kind is AddressKind.EMAIL or _may_cost_an_sms(message, address)
    }


def _may_cost_an_sms(message: Message, phone: str) -> bool:
    """Whether a code may go to a telephone; one that was counted already is not counted again."""
    if not sms_codes.goes_to(phone):
        return False
    return message.address == phone or not sms_codes.is_budget_used_up()


def _by_cost(addresses: Addresses, text: str, gateways: Iterable[Gateway]) -> list[Way]:
    found = [
        (gateway.cost(text).thousandths, Way(gateway, addresses[kind]))
        for gateway in gateways
        for kind in gateway.reaches
        if kind in addresses
    ]
    return [way for _cost, way in sorted(found, key=lambda each: each[0])]
