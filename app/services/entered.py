"""What somebody types into a form, read by the same rules as the cells of imported lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.services.errors import Invalid
from app.services.imports import cells
from app.services.imports.problems import TEXTS, BadCell

T = TypeVar("T")


def entered(parse: Callable[[str], T], text: str, clean: Callable[[str], str] = cells.clean) -> T:
    """The meaning of a text; Invalid with what is expected instead, in the reader's language."""
    try:
        return parse(clean(text))
    except BadCell as bad:
        raise Invalid(str(TEXTS[bad.code]) % dict(bad.values)) from None


def entered_name(text: str) -> str:
    """A first or last name."""
    return entered(cells.parse_name, text)


def entered_guardian(text: str) -> str:
    """A guardian's full name."""
    return entered(cells.parse_guardian, text)


def entered_phone(text: str) -> str:
    """A telephone number in E.164, from any way of writing it."""
    return entered(cells.parse_phone, text, cells.clean_number)


def entered_email(text: str) -> str | None:
    """An e-mail address in small letters; None where nothing was typed."""
    return entered(cells.parse_email, text)


def entered_ref(text: str) -> str | None:
    """The number that a coordinator's list gives a person; None where nothing was typed."""
    return entered(cells.parse_ref, text)
