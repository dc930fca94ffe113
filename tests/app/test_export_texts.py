"""What a spreadsheet opens is the text, never a formula, whatever the text is."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from app.services.exports import files
from app.services.exports.safe_text import (
    LONGEST_CELL,
    phone_text,
    safe_in_csv,
    safe_in_workbook,
)
from app.services.exports.table import Row
from app.services.imports.cells import parse_phone

SIGNS = "=+-@＝＋－＠"
TEXTS = st.text(st.sampled_from(" \t\r\n,;|'\"" + SIGNS + "aé١\u200f1()!\x00")) | st.text()
SEPARATORS = (",", ";", "\t", "|")


def written(*texts: str, delimiter: str) -> str:
    """A line of CSV with these cells."""
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=delimiter).writerow(map(safe_in_csv, texts))
    return line.getvalue()


def begins_a_formula(cell: str) -> bool:
    return cell.strip(' \t\r\n"').startswith(tuple(SIGNS))


@given(TEXTS, TEXTS, st.sampled_from(",;"), st.sampled_from(SEPARATORS))
@example("x", 'a;"=1+1', ",", ";")
@example("x", '";"=1+1', ";", ",")
@example("x,=HYPERLINK()", "", ";", ",")
@example("\r=1", "\n=1", ";", ";")
@example("\t=1", " ＝1", ";", ";")
def test_no_cell_of_csv_is_a_formula_by_any_separator(
    one: str, other: str, delimiter: str, read_by: str
) -> None:
    text = written(one, other, delimiter=delimiter)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=read_by):
        assert not any(map(begins_a_formula, row)), row


@given(TEXTS, TEXTS, st.sampled_from(",;"))
def test_csv_gives_the_text_back_but_for_the_apostrophes(
    one: str, other: str, delimiter: str
) -> None:
    line = written(one, other, delimiter=delimiter)
    (row,) = csv.reader(io.StringIO(line, newline=""), delimiter=delimiter)
    assert not any(cell.startswith(("\t", "\r", "\n")) for cell in row)
    assert [cell.replace("'", "") for cell in row] == [
        text.replace("'", "").replace("\x00", "\ufffd") for text in (one, other)
    ]


@given(st.text(st.characters(exclude_characters=SIGNS + "\t\r\n\x00")))
def test_texts_without_such_signs_stay_as_they_are(text: str) -> None:
    assert safe_in_csv(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+212600000101", "'+212600000101"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("  =1", "  '=1"),
        ("Ben-Ali", "Ben-Ali"),
        ("a = b", "a = b"),
        ("rania@example.org", "rania@example.org"),
        ("lundi 18:00-20:00; mardi 9:00-10:00", "lundi 18:00-20:00; mardi 9:00-10:00"),
        ("Hiba; =1", "Hiba; '=1"),
    ],
)
def test_apostrophe_stands_before_what_could_begin_a_formula(text: str, shown: str) -> None:
    assert safe_in_csv(text) == shown


@given(TEXTS)
@example("=1+1")
@example("#N/A")
@example("x" * (LONGEST_CELL + 5))
def test_workbook_holds_the_text_as_text(text: str) -> None:
    content = io.BytesIO()
    files._write_workbook(content, "T", ["=head"], iter([Row((text, "end"))]))
    sheet = load_workbook(content).active
    assert sheet["A1"].value == "=head"
    cell = sheet["A2"]
    shown = re.sub("\r\n?", "\n", safe_in_workbook(text))
    assert (cell.value or "") == shown
    if shown:
        assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert sheet["B2"].value == "end"


def test_workbook_keeps_numbers_as_such() -> None:
    content = io.BytesIO()
    files._write_workbook(content, "a/b" * 20, ["n"], iter([Row((0, 1.5, None))]))
    book = load_workbook(content)
    assert [cell.value for cell in book.active[2]] == [0, 1.5]


@pytest.mark.parametrize(
    "number", ["+212600000101", "+212537000000", "+33612345678", "+12025550143"]
)
def test_telephone_numbers_survive_as_text_and_are_read_back(number: str) -> None:
    shown = phone_text(number)
    assert not begins_a_formula(shown)
    assert not shown.replace(" ", "").isdecimal()
    assert parse_phone(shown) == number


def test_numbers_that_are_none_are_shown_as_they_are() -> None:
    assert phone_text("+") == "+"
    assert phone_text(None) == ""
