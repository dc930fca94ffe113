"""Texts that a spreadsheet program shows as they are, and never computes or fetches."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

HOME_REGION: Final = "MA"
_SIGNS: Final = "=+\\-@＝＋－＠﹢﹣﹦﹫"
# Whoever opens a file with another separator than ours cuts the cells elsewhere, and a line break
# or quotation mark in a cell then begins a new one: a sign there is made harmless as well.
_BEGINS_A_CELL: Final = re.compile(rf"(^|[,;|\t\r\n\v\f\x85\u2028\u2029])([\s\"']*?)([{_SIGNS}])")
_CONTROLS_AT_START: Final = re.compile(r"^[\t\r\n]")
_NOT_IN_A_WORKBOOK: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
LONGEST_CELL: Final = 32_767
"""What a workbook's cell holds at most."""


def safe_in_csv(text: str) -> str:
    """The text with an apostrophe before each = + - @ that could begin a cell.

    The same where it begins with a tab or a line end.
    """
    shown = text.replace("\x00", "\ufffd")
    shown = _BEGINS_A_CELL.sub(r"\1\2'\3", shown)
    return f"'{shown}" if _CONTROLS_AT_START.match(shown) else shown


def safe_in_workbook(text: str) -> str:
    """The text without what a workbook can't hold; its cell must be one of text."""
    shown = _NOT_IN_A_WORKBOOK.sub("\ufffd", text)
    return shown if len(shown) <= LONGEST_CELL else shown[: LONGEST_CELL - 1] + "…"


def phone_text(number: str | None) -> str:
    """An E.164 number as it is dialled here: "06-00-00-01-01", "00-33-6-12-34-56-78".

    No spreadsheet takes that for a number or a formula, and imports read it back.
    """
    if number is None:
        return ""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    dialled: str = phonenumbers.format_out_of_country_calling_number(parsed, HOME_REGION)
    return dialled.replace(" ", "-")
