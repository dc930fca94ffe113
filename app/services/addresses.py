"""Where people can be reached: e-mail addresses and telephone numbers, as they type them."""

from __future__ import annotations

from flask import current_app

from app.gateways import AddressKind
from app.gateways.configured import configured_gateways
from app.i18n import _l
from app.services.errors import Invalid
from app.services.imports.cells import parse_email, parse_phone
from app.services.imports.problems import BadCell


def parse_address(text: str) -> str:
    """An e-mail address in small letters or a number in E.164; Invalid for anything else."""
    typed = text.strip()
    try:
        address = parse_email(typed) if "@" in typed else parse_phone(typed)
    except BadCell:
        address = None
    if address is None:
        raise Invalid(
            _l(
                "This is neither an e-mail address nor a telephone number. Write it like "
                "name@example.org or 0612 345678."
            )
        )
    return address


def kind_of(address: str) -> AddressKind:
    """What kind of address a parsed one is."""
    return AddressKind.EMAIL if "@" in address else AddressKind.PHONE


def reaches(kind: AddressKind) -> bool:
    """Whether a gateway of this installation sends to addresses of a kind."""
    gateways = configured_gateways(current_app.config["N9RAW"])
    return any(kind in gateway.reaches for gateway in gateways)
